//! Queries in the types of `serde_json` and `bson`.

use nanodb::{Database, ErrorKind, doc};
use serde_json::json;

#[test]
fn json_and_bson_are_queries_as_text_and_documents_are() {
    let db = Database::in_memory().unwrap();
    let people = db.collection("people");
    let born = nanodb::Timestamp::from_millis(1_000);
    people.insert(doc! { "_id": 1, "name": "Ada", "born": born }).unwrap();
    people.insert(doc! { "_id": 2, "name": "Bob", "age": 30 }).unwrap();

    // A form of a type is that value, as in text.
    let filter = json!({ "born": { "$lte": { "$date": "1970-01-01T00:00:01Z" } } });
    assert_eq!(people.count_documents(&filter).unwrap(), 1);
    let update = json!({ "$set": { "age": 36 } });
    assert_eq!(people.update_many(filter, update).unwrap().modified, 1);
    let found = people.find(json!({})).sort(json!({ "age": -1 })).projection(json!({ "name": 1 }));
    let first = found.first().unwrap().unwrap();
    assert_eq!(first.to_document().unwrap(), doc! { "_id": 1, "name": "Ada" });

    let older = bson::doc! { "age": { "$gt": 30 } };
    assert_eq!(people.count_documents(&older).unwrap(), 1);
    let update = bson::doc! { "$inc": { "age": 1 } };
    assert_eq!(people.update_one(older, &update).unwrap().modified, 1);
    let sorted = people.find(bson::doc! {}).sort(bson::doc! { "age": 1 });
    let youngest = sorted.projection(bson::doc! { "age": 1, "_id": 0 }).first().unwrap().unwrap();
    assert_eq!(youngest.to_document().unwrap(), doc! { "age": 30 });

    // What is refused is the error of the call.
    for error in [
        people.find(json!({ "age": { "$gtt": 1 } })).run().unwrap_err(),
        people.find(bson::doc! { "age": { "$gtt": 1 } }).run().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().starts_with("unknown operator `$gtt` on `age`"), "{error}");
    }
    for refused in [json!(5), json!([{}]), json!(null)] {
        let error = people.delete_many(&refused).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{refused}");
    }
    assert_eq!(people.count().unwrap(), 2);
}
