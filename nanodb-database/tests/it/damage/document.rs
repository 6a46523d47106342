//! The bytes of one document make no sense, on a page that is sound: whoever comes across it is
//! told which document of which collection it is, and where; all others are there.

use std::sync::Arc;

use nanodb_database::{
    Collection, Database, Document, Error, ErrorKind, Filter, Id, Projection, Sort, Update, doc,
    field,
};
use nanodb_sim::{Forgery, SimStorage};
use serde::{Deserialize, Serialize};

/// MessagePack never uses it.
const NEVER: u8 = 0xc1;
const SLOTTED: u8 = 16;

/// Ten documents, of which number 5 has a value that can't be read; and its page.
fn damaged() -> (Database, u32) {
    let storage = SimStorage::new();
    let open = || Database::options().background(false).open_on(Arc::new(storage.clone())).unwrap();
    let db = open();
    let documents = (1..=10).map(|id| {
        let len = if id == 10 { 9000 } else { 40 };
        doc! { "_id": id, "n": (100 - id), "text": "t".repeat(len), "tags": [id] }
    });
    db.collection("all").insert_many(documents).unwrap();
    db.close().unwrap();
    let mut forgery = Forgery::of(&storage.contents());
    // The number 95 behind its name.
    let wanted = [0xa1, b'n', 95];
    let (page, at) = (2..forgery.pages())
        .filter(|&page| forgery.kind(page) == SLOTTED)
        .find_map(|page| {
            let found = forgery.body(page).windows(3).position(|bytes| bytes == wanted)?;
            Some((page, found + 2))
        })
        .unwrap();
    forgery.put_body(page, at, &[NEVER]);
    storage.set_contents(forgery.into_bytes());
    (open(), u32::try_from(page).unwrap())
}

#[track_caller]
fn assert_told<T>(result: Result<T, Error>, page: u32) {
    let Err(error) = result else { panic!("nobody noticed") };
    assert_eq!((error.kind(), error.page()), (ErrorKind::Damaged, Some(page)), "{error:?}");
    assert_eq!((error.collection(), error.id()), (Some("all"), Some(Id::from(5))), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("\"all\"") && text.contains("id 5"), "{text}");
}

fn by_n() -> Filter {
    field("n").lt(1000)
}

#[test]
fn searches_name_the_document_that_is_damaged() {
    let (db, page) = damaged();
    let all = db.collection("all");
    let first_error = |found: nanodb_database::Cursor| found.collect::<Result<Vec<_>, _>>();
    assert_told(first_error(all.find(by_n()).run().unwrap()), page);
    assert_told(first_error(all.find(by_n()).threads(2).run().unwrap()), page);
    assert_told(all.find(by_n()).count(), page);
    assert_told(all.find(by_n()).threads(2).count(), page);
    assert_told(all.find(Filter::all()).sort(Sort::ascending("n")).run(), page);
    assert_told(all.find(Filter::all()).sort(Sort::ascending("n")).threads(2).run(), page);
    assert_told(all.find(field("_id").eq(5).and(by_n())).first(), page);
    assert_told(all.distinct("n", Filter::all()), page);
    let projection = Projection::include(["text"]);
    assert_told(all.find(field("_id").eq(5)).projection(projection.clone()).first(), page);
    let found = all.find(Filter::all()).projection(projection).run().unwrap();
    assert_told(first_error(found), page);
    // It is an error once.
    let mut found = all.find(by_n()).run().unwrap();
    assert_eq!((found.by_ref().filter(Result::is_ok).count(), found.count()), (9, 0));
    let snapshot = db.snapshot();
    assert_told(snapshot.collection("all").find(by_n()).count(), page);
    assert_told(db.write(|tx| tx.collection("all").find(by_n()).count()), page);
}

#[test]
fn changes_name_the_document_that_is_damaged_and_change_nothing() {
    let (db, page) = damaged();
    let all = db.collection("all");
    let before = contents(&all);
    let update = Update::parse_json(r#"{"$inc": {"n": 1}}"#).unwrap();
    assert_told(all.update_many(by_n(), &update), page);
    assert_told(all.update_many(Filter::all(), &update), page);
    assert_told(all.update_one(field("_id").eq(5), &update), page);
    assert_told(all.delete_many(by_n()), page);
    assert_told(all.find_one_and_update(field("_id").eq(5), &update).run(), page);
    assert_told(all.find_one_and_delete(field("_id").gte(5).and(field("n").eq(95))).run(), page);
    assert_eq!(contents(&all), before);
    // What helps.
    assert!(all.replace(5, doc! { "n": 5 }).unwrap());
    assert_eq!(all.find(by_n()).count().unwrap(), 10);
}

fn contents(all: &Collection) -> Vec<Vec<u8>> {
    all.iter().unwrap().map(|document| document.unwrap().as_bytes().to_vec()).collect()
}

#[derive(Serialize, Deserialize)]
struct Item {
    n: i64,
}

#[derive(Serialize, Deserialize)]
struct Other {
    n: String,
}

#[test]
fn a_damaged_document_is_told_apart_from_one_of_another_shape() {
    let (db, page) = damaged();
    let items = db.typed::<Item>("all");
    assert_told(items.get(5), page);
    assert_told(items.get_many([4, 5]), page);
    assert_told(items.iter().unwrap().collect::<Result<Vec<_>, _>>(), page);
    assert_told(items.find_one(field("_id").eq(5)), page);
    let found = items.find(field("_id").gt(2)).run().unwrap();
    assert_told(found.collect::<Result<Vec<_>, _>>(), page);
    assert_eq!(items.get(4).unwrap().unwrap().n, 96);
    let others = db.typed::<Other>("all");
    assert!(others.get(4).is_err_and(|error| error.kind() == ErrorKind::WrongType));
}

#[test]
fn a_document_that_was_read_and_cannot_be_decoded_is_damaged_and_not_wrong() {
    let (db, page) = damaged();
    let all = db.collection("all");
    let document = all.get(5).unwrap().unwrap();
    let errors = [
        document.to_document().unwrap_err(),
        document.deserialize::<Item>().map(drop).unwrap_err(),
        document.deserialize::<Other>().map(drop).unwrap_err(),
        db.collection("copies").insert(&document).unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.page()), (ErrorKind::Damaged, Some(page)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("the document with the id 5, on page {page}, is damaged"))
        );
        assert!(!text.contains("collection"), "{text}");
    }
    // What reads a part of it does not know which document it is a part of.
    for error in [
        document.iter().find_map(Result::err).unwrap(),
        document.keys().find_map(Result::err).unwrap(),
        document.to_json().unwrap_err(),
        document.to_json_pretty().unwrap_err(),
        document.get_i64("none").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error:?}");
        assert!(error.to_string().starts_with("a document is damaged: "), "{error}");
    }
    let sound = all.get(4).unwrap().unwrap();
    assert_eq!(sound.to_document().unwrap()["n"], nanodb_database::Value::from(96));
    let mismatch = sound.deserialize::<Other>().map(drop).unwrap_err();
    assert_eq!(mismatch.kind(), ErrorKind::WrongType);
}

#[test]
fn a_document_in_several_pieces_that_is_damaged_is_named_with_the_page_it_begins_on() {
    let storage = SimStorage::new();
    let open = || Database::options().background(false).open_on(Arc::new(storage.clone())).unwrap();
    let db = open();
    let large: Document = doc! { "_id": 5, "n": 95, "text": "t".repeat(9000) };
    db.collection("all").insert(large).unwrap();
    db.close().unwrap();
    let mut forgery = Forgery::of(&storage.contents());
    let slotted = |forgery: &Forgery, page| forgery.kind(page) == SLOTTED;
    let page = (2..forgery.pages()).find(|&page| {
        slotted(&forgery, page) && forgery.body(page).windows(3).any(|b| b == [0xa1, b'n', 95])
    });
    let page = page.unwrap();
    let at = forgery.body(page).windows(3).position(|bytes| bytes == [0xa1, b'n', 95]).unwrap();
    forgery.put_body(page, at + 2, &[NEVER]);
    storage.set_contents(forgery.into_bytes());
    let db = open();
    let page = u32::try_from(page).unwrap();
    assert_told(db.collection("all").find(by_n()).count(), page);
    assert_told(db.collection("all").find(field("_id").eq(5).and(by_n())).count(), page);
    assert_told(db.typed::<Item>("all").get(5), page);
    assert_told(db.write(|tx| tx.collection("all").find(by_n()).count()), page);
}
