//! ObjectIds and UUIDs as values and as ids, through the whole engine.

use nanodb::{Database, Document, ErrorKind, Filter, Id, ObjectId, Uuid, Value, doc, field};

fn uuid(byte: u8) -> Uuid {
    Uuid::from_bytes([byte; 16])
}

fn bytes(byte: u8) -> Id {
    Id::Binary(vec![byte; 16])
}

fn ids(db: &Database, filter: &str) -> Vec<String> {
    let found = db.collection("c").find(Filter::parse_json(filter).unwrap()).run().unwrap();
    found.map(|document| document.unwrap().to_json().unwrap()).collect()
}

#[test]
fn a_uuid_and_the_binary_of_its_bytes_are_one_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let db = Database::open(&path).unwrap();
    let c = db.collection("c");
    c.insert(doc! { "_id": uuid(1), "n": 1 }).unwrap();
    c.insert(doc! { "_id": (Value::from(bytes(2))), "n": 2 }).unwrap();
    for taken in [Id::from(uuid(1)), bytes(1), Id::from(uuid(2)), bytes(2)] {
        let error = c.insert(doc! { "_id": taken.clone() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DuplicateId, "{taken}");
        assert!(c.contains(&taken).unwrap());
        assert_eq!(c.find(field("_id").eq(&taken)).run().unwrap().count(), 1);
    }
    let both = [doc! { "_id": uuid(3) }, doc! { "_id": (Value::from(bytes(3))) }];
    assert_eq!(c.insert_many(both).unwrap_err().kind(), ErrorKind::DuplicateId);

    // What is stored is what came; a replacement says it anew.
    assert_eq!(c.get(bytes(1)).unwrap().unwrap().get("_id").unwrap().as_uuid(), Some(uuid(1)));
    assert!(c.replace(bytes(1), doc! { "_id": (Value::from(bytes(1))), "n": 5 }).unwrap());
    assert_eq!(c.get(uuid(1)).unwrap().unwrap().get("_id").unwrap().as_bytes(), Some(&[1; 16][..]));
    assert!(c.replace(bytes(1), doc! { "_id": uuid(1), "n": 1 }).unwrap());
    c.insert_many((10..200_u8).map(|n| doc! { "_id": uuid(n), "n": i64::from(n) })).unwrap();
    assert!(db.check().unwrap().is_clean());
    db.close().unwrap();

    let db = Database::open(&path).unwrap();
    let c = db.collection("c");
    for n in 10..200 {
        assert_eq!(c.get(bytes(n)).unwrap().unwrap().get("n").unwrap().as_i64(), Some(n.into()));
    }
    assert!(db.check().unwrap().is_clean());
    assert!(c.delete(bytes(1)).unwrap() && c.delete(uuid(2)).unwrap());
    assert!(!c.contains(uuid(1)).unwrap() && !c.contains(bytes(2)).unwrap());
}

#[test]
fn queries_know_object_ids_and_take_a_uuid_for_its_bytes() {
    let db = Database::in_memory().unwrap();
    let c = db.collection("c");
    let oid = ObjectId::from_bytes([5; 12]);
    c.insert_many([
        doc! { "_id": 1, "v": uuid(1) },
        doc! { "_id": 2, "v": Value::Binary(vec![1; 16]) },
        doc! { "_id": 3, "v": oid },
        doc! { "_id": 4, "v": true },
        doc! { "_id": 5, "v": Value::Binary(vec![1; 12]) },
        doc! { "_id": oid, "v": 1 },
    ])
    .unwrap();
    let one = r#"{"v":{"$uuid":"01010101-0101-0101-0101-010101010101"}}"#;
    assert_eq!(ids(&db, one).len(), 2);
    assert_eq!(
        ids(&db, r#"{"v":{"$binary":{"base64":"AQEBAQEBAQEBAQEBAQEBAQ==","subType":"00"}}}"#).len(),
        2
    );
    let found = ids(&db, r#"{"_id":{"$oid":"050505050505050505050505"}}"#);
    assert_eq!(found, [r#"{"_id":{"$oid":"050505050505050505050505"},"v":1}"#]);
    assert_eq!(ids(&db, r#"{"v":{"$type":"objectId"}}"#).len(), 1);
    assert_eq!(ids(&db, r#"{"v":{"$type":7}}"#).len(), 1);
    assert_eq!(ids(&db, r#"{"v":{"$type":"binData"}}"#).len(), 3);
    assert_eq!(ids(&db, r#"{"v":{"$type":"ext"}}"#).len(), 0);
    assert_eq!(c.distinct("v", Filter::all()).unwrap().len(), 5);
    let sorted = c.find(Filter::all()).sort(nanodb::Sort::ascending("v")).run().unwrap();
    let order: Vec<Document> = sorted.map(|d| d.unwrap().to_document().unwrap()).collect();
    let order: Vec<String> = order.iter().map(|document| document["_id"].to_string()).collect();
    assert_eq!(order[..2], ["oid'050505050505050505050505'", "5"]);
    assert_eq!(order[4..], ["3", "4"]);
}

#[test]
fn a_whole_float_is_the_id_of_the_integer_wherever_a_document_is_replaced() {
    let db = Database::in_memory().unwrap();
    let c = db.collection("c");
    c.insert(doc! { "_id": 5, "n": 0 }).unwrap();
    let new = |id: Value, n: i64| doc! { "n": n, "_id": id };
    let done = c.replace_one(field("n").eq(0), new(5.0.into(), 1)).unwrap();
    assert_eq!((done.matched, done.modified), (1, 1));
    let done = c.replace_one(field("_id").eq(5.0), new(5.into(), 2)).unwrap();
    assert_eq!((done.matched, done.modified), (1, 1));
    let done = c.replace_one(field("_id").eq(5.0), new(5.0.into(), 3)).unwrap();
    assert_eq!((done.matched, done.modified), (1, 1));
    let done = db
        .write(|tx| tx.collection("c").replace_one(field("_id").is_in([5.0]), new(5.0.into(), 4)));
    let done = done.unwrap();
    assert_eq!((done.matched, done.modified), (1, 1));
    // It stays the integer that it was, and one document.
    assert_eq!(ids(&db, "{}"), [r#"{"_id":5,"n":4}"#]);
    for other in [Value::from(5.5), 6.0.into(), "5".into()] {
        let error = c.replace_one(field("_id").eq(5), new(other.clone(), 9)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{other}");
    }
    assert_eq!(ids(&db, "{}"), [r#"{"_id":5,"n":4}"#]);
    assert!(db.check().unwrap().is_clean());
}
