//! What somebody writes at first try, coming from MongoDB's driver, PoloDB, redb, rusqlite and
//! serde: each of these compiles and means what they think. What does not compile is in `ui`.

#![allow(clippy::needless_borrows_for_generic_args, reason = "a reference is what is tried")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nanodb::{
    BulkOperation, Collection, Database, Document, ErrorKind, Filter, Id, ObjectId, Projection,
    Push, ReadCollection, Sort, Timestamp, Update, Uuid, Value, array, doc, field, from_value, ser,
    to_value,
};

fn users() -> Collection {
    let users = Database::in_memory().unwrap().collection("users");
    users
        .insert_many([
            doc! { "_id": 1, "name": "Ada", "age": 36, "tags": ["a", "b"], "c": { "d": 1 } },
            doc! { "_id": 2, "name": "Bob", "age": 17, "tags": ["b"] },
            doc! { "_id": 3, "name": "Eve", "age": 41, "tags": [] },
        ])
        .unwrap();
    users
}

/// The ids of what was found, in order.
fn ids(found: nanodb::Cursor) -> Vec<Id> {
    found.map(|document| document.unwrap().id().unwrap().to_owned()).collect()
}

// A1: MongoDB's calls.

#[test]
fn a_filter_is_a_document_a_condition_or_a_filter_by_value_or_by_reference() {
    let users = users();
    let document = doc! { "age": { "$gte": 18 } };
    let filter = field("age").gte(18);
    let found = [
        ids(users.find(doc! { "age": { "$gte": 18 } }).run().unwrap()),
        ids(users.find(&document).run().unwrap()),
        ids(users.find(field("age").gte(18)).run().unwrap()),
        ids(users.find(&filter).run().unwrap()),
        ids(users.find(Filter::try_from(document).unwrap()).run().unwrap()),
    ];
    for found in found {
        assert_eq!(found, [Id::from(1), Id::from(3)]);
    }
    assert_eq!(users.count_documents(doc! {}).unwrap(), 3);
    assert!(users.exists(doc! { "name": "Ada" }).unwrap());
    let ages = users.distinct("age", doc! { "tags": "b" }).unwrap();
    assert_eq!(ages, [Value::from(17), Value::from(36)]);
    assert_eq!(users.find_one(doc! { "_id": 2 }).unwrap().unwrap().get("age").unwrap(), 17);
}

#[test]
fn an_update_is_a_document_or_an_update_by_value_or_by_reference() {
    let users = users();
    let update = Update::new().set("a", 1).inc("n", 1);
    assert_eq!(users.update_many(doc! {}, doc! { "$set": { "a": 1 } }).unwrap().matched, 3);
    assert_eq!(users.update_one(field("_id").eq(1), &update).unwrap().modified, 1);
    assert_eq!(users.update_one(doc! { "_id": 1 }, update.clone()).unwrap().modified, 1);
    let tried = Update::try_from(doc! { "$inc": { "n": 1 } }).unwrap();
    assert_eq!(users.update_one(doc! { "_id": 1 }, &tried).unwrap().modified, 1);
    assert_eq!(users.get(1).unwrap().unwrap().get("n").unwrap(), 3);
    assert_eq!(users.upsert(doc! { "_id": 9 }, doc! { "$set": { "a": 2 } }).unwrap().matched, 0);
    assert_eq!(users.delete_many(doc! { "a": 2 }).unwrap(), 1);
    let eve = users.find_one_and_update(doc! { "name": "Eve" }, doc! { "$inc": { "age": 1 } });
    let eve = eve.sort(doc! { "age": -1 }).return_new().run().unwrap().unwrap();
    assert_eq!(eve.get("age").unwrap(), 42);
    let written = users.bulk_write([
        BulkOperation::insert(doc! { "_id": 10 }),
        BulkOperation::update_one(doc! { "_id": 10 }, doc! { "$set": { "b": 1 } }),
        BulkOperation::delete_one(doc! { "_id": 10 }),
    ]);
    assert_eq!(written.unwrap().deleted, 1);
}

#[test]
fn a_sort_and_a_projection_are_documents_too() {
    let users = users();
    let by_age = |order: i32| doc! { "age": order };
    assert_eq!(ids(users.find(doc! {}).sort(by_age(-1)).run().unwrap())[0], 3.into());
    assert_eq!(ids(users.find(doc! {}).sort(Sort::ascending("age")).run().unwrap())[0], 2.into());
    for found in [
        users.find(doc! { "_id": 1 }).projection(doc! { "name": 1, "_id": 0 }).first(),
        users.find(doc! { "_id": 1 }).projection(&doc! { "name": 1, "_id": 0 }).first(),
    ] {
        assert_eq!(found.unwrap().unwrap().to_document().unwrap(), doc! { "name": "Ada" });
    }
    let named = users.find(doc! { "_id": 1 }).projection(["name"]).first().unwrap().unwrap();
    assert_eq!(named.to_document().unwrap(), doc! { "_id": 1, "name": "Ada" });
    let without = Projection::exclude(["tags", "c"]);
    let found = users.find(doc! { "_id": 1 }).projection(without).first().unwrap().unwrap();
    assert_eq!(found.to_document().unwrap(), doc! { "_id": 1, "name": "Ada", "age": 36 });
}

#[test]
fn what_is_wrong_with_a_query_is_in_the_result_of_the_call() {
    let users = users();
    let error = users.find(doc! { "a": { "$gtt": 1 } }).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.to_string(), "unknown operator `$gtt` on `a`");
    let error = users.update_many(doc! {}, doc! { "n": 1 }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let text = error.to_string();
    for part in ["`n`", "`$set`", "`replace_one`"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(users.find(doc! {}).sort(doc! { "age": 2 }).run().is_err());
    assert!(users.find(doc! {}).projection(doc! { "a": 1, "b": 0 }).run().is_err());
    assert_eq!(users.count_documents(doc! {}).unwrap(), 3, "nothing was changed");
}

#[test]
fn every_operator_of_an_update_has_a_method() {
    let all = Database::in_memory().unwrap().collection("all");
    all.insert(doc! {
        "_id": 1, "n": 1, "low": 5, "high": 5, "old": 1, "bits": 6, "list": [1, 2], "set": ["a"],
        "gone": 1, "product": 2,
    })
    .unwrap();
    let update = Update::new()
        .set("name", "Ada")
        .unset("gone")
        .inc("n", 2)
        .mul("product", 3)
        .min("low", 3)
        .max("high", 9)
        .rename("old", "new")
        .current_date("seen")
        .bit_and("bits", 3)
        .push_each("list", [3, 4])
        .add_to_set("set", "b");
    assert_eq!(all.update_one(doc! { "_id": 1 }, update).unwrap().modified, 1);
    let found = all.get(1).unwrap().unwrap().to_document().unwrap();
    for (name, value) in [
        ("name", Value::from("Ada")),
        ("n", 3.into()),
        ("product", 6.into()),
        ("low", 3.into()),
        ("high", 9.into()),
        ("new", 1.into()),
        ("bits", 2.into()),
        ("list", array![1, 2, 3, 4].into()),
        ("set", array!["a", "b"].into()),
    ] {
        assert_eq!(found[name], value, "{name}");
    }
    assert!(found["seen"].as_timestamp().is_some() && found.get("gone").is_none());
    let update = Update::new()
        .push("list", 5)
        .push_with("set", Push::each(["c"]).position(0))
        .pull("tags", "x")
        .bit_or("bits", 1)
        .set_on_insert("new", true);
    all.update_one(doc! { "_id": 1 }, &update).unwrap();
    all.update_one(doc! { "_id": 1 }, Update::new().bit_xor("bits", 1).pop_first("list")).unwrap();
    let update = Update::new().pop_last("list").pull_all("set", ["a"]).add_each_to_set("x", [1, 1]);
    all.update_one(doc! { "_id": 1 }, update).unwrap();
    let found = all.get(1).unwrap().unwrap().to_document().unwrap();
    assert_eq!(found["list"], Value::from(array![2, 3, 4]));
    assert_eq!(found["set"], Value::from(array!["c", "b"]));
    assert_eq!(found["x"], Value::from(array![1]));
    assert_eq!(found["bits"], 2);
}

// A4, A5: dates and JSON.

#[test]
fn times_are_values_to_store_to_compare_with_and_to_count_with() {
    let events = Database::in_memory().unwrap().collection("events");
    let now = SystemTime::now();
    events.insert(doc! { "_id": 1, "at": now }).unwrap();
    assert_eq!(events.count_documents(field("at").lte(SystemTime::now())).unwrap(), 1);
    assert_eq!(events.count_documents(field("at").gt(Timestamp::now())).unwrap(), 0);
    let at = events.get(1).unwrap().unwrap().get("at").unwrap().as_timestamp().unwrap();
    assert_eq!(at, Timestamp::from(now));
    assert_eq!(at + Duration::from_secs(60) - Duration::from_secs(60), at);
    assert_eq!(SystemTime::try_from(at).unwrap(), now);
    let parsed: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(Timestamp::from_millis(parsed.as_millis()), parsed);
    assert_eq!("soon".parse::<Timestamp>().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn documents_go_to_json_and_come_back() {
    let born: Timestamp = "1990-01-01T00:00:00Z".parse().unwrap();
    let document = doc! { "_id": 1, "born": born };
    let text = document.to_json().unwrap();
    assert_eq!(text, r#"{"_id":1,"born":{"$date":"1990-01-01T00:00:00Z"}}"#);
    assert_eq!(Document::parse_json(&text).unwrap(), document);
    assert!(document.to_json_pretty().unwrap().contains('\n'));
    let text = serde_json::to_string(&document).unwrap();
    assert_eq!(serde_json::from_str::<Document>(&text).unwrap(), document);
    assert_eq!(serde_json::to_string(&born).unwrap(), r#""1990-01-01T00:00:00Z""#);
    assert_eq!(serde_json::from_str::<Timestamp>(r#""1990-01-01T00:00:00Z""#).unwrap(), born);
    let all = Database::in_memory().unwrap().collection("all");
    all.insert(&document).unwrap();
    let stored = all.get(1).unwrap().unwrap();
    assert_eq!(serde_json::to_string(&stored).unwrap(), text);
}

// A6: ids.

#[test]
fn an_id_is_given_by_value_or_by_reference() {
    let notes = Database::in_memory().unwrap().collection("notes");
    let uuid: Uuid = "65f1c0ff-ee00-0000-0000-000000000001".parse().unwrap();
    let object_id: ObjectId = "65f1c0ffee00000000000001".parse().unwrap();
    for id in [Id::from(5), "abc".into(), [1_u8, 2].into(), uuid.into(), object_id.into()] {
        notes.insert(doc! { "_id": id }).unwrap();
    }
    assert!(notes.contains(5).unwrap() && notes.contains(&5).unwrap());
    assert!(notes.contains(5_u8).unwrap() && notes.contains(5_usize).unwrap());
    assert!(notes.contains("abc").unwrap() && notes.contains("abc".to_owned()).unwrap());
    assert!(notes.contains(&"abc".to_owned()).unwrap());
    assert!(notes.contains([1_u8, 2]).unwrap() && notes.contains(&[1_u8, 2]).unwrap());
    assert!(notes.contains(vec![1_u8, 2]).unwrap() && notes.contains(&[1_u8, 2][..]).unwrap());
    assert!(notes.contains(uuid).unwrap() && notes.contains(&uuid).unwrap());
    assert!(notes.contains(object_id).unwrap() && notes.contains(&object_id).unwrap());
    assert!(notes.contains(Id::from(5)).unwrap() && notes.contains(&Id::from(5)).unwrap());
    assert_eq!(notes.get_many([5, 6]).unwrap().len(), 2);
    assert_eq!(notes.get_many(&[Id::from(5)]).unwrap().iter().flatten().count(), 1);
    assert_eq!(notes.count_documents(field("_id").eq(uuid)).unwrap(), 1);
    assert!(notes.replace(uuid, doc! { "n": 1 }).unwrap() && notes.delete(uuid).unwrap());
}

// A4, A6: the types of other crates.

/// What somebody does with the times of a crate: stores them, finds them, and gets them back.
fn times_of_a_crate<T>(early: T, late: T)
where
    T: Into<Value> + Clone + PartialEq + std::fmt::Debug,
    T: TryFrom<Timestamp, Error = nanodb::Error>,
{
    let events = Database::in_memory().unwrap().collection("events");
    events.insert(doc! { "_id": 1, "at": early.clone(), "until": Some(late.clone()) }).unwrap();
    events.insert(doc! { "_id": 2, "at": late.clone(), "until": None::<T> }).unwrap();
    assert_eq!(ids(events.find(field("at").lt(late.clone())).run().unwrap()), [Id::from(1)]);
    assert_eq!(ids(events.find(doc! { "at": late.clone() }).run().unwrap()), [Id::from(2)]);
    let both = [early.clone(), late.clone()];
    assert_eq!(events.count_documents(field("at").is_in(both)).unwrap(), 2);
    let update = Update::new().set("at", late.clone());
    assert_eq!(events.update_one(doc! { "at": early }, update).unwrap().modified, 1);
    let stored = events.get(1).unwrap().unwrap().get_timestamp("at").unwrap();
    assert_eq!(T::try_from(stored).unwrap(), late);
}

#[test]
fn times_of_chrono_time_and_jiff_are_stored_found_and_read() {
    let (early, late) = (1_700_000_000, 1_700_000_001);
    let chrono = |secs| chrono::DateTime::from_timestamp(secs, 500_000_000).unwrap();
    times_of_a_crate::<chrono::DateTime<chrono::Utc>>(chrono(early), chrono(late));
    let time = |secs| time::OffsetDateTime::from_unix_timestamp(secs).unwrap();
    times_of_a_crate::<time::OffsetDateTime>(time(early), time(late));
    let utc = |secs| time::UtcDateTime::from_unix_timestamp(secs).unwrap();
    times_of_a_crate::<time::UtcDateTime>(utc(early), utc(late));
    let jiff = |secs| jiff::Timestamp::from_second(secs).unwrap();
    times_of_a_crate::<jiff::Timestamp>(jiff(early), jiff(late));

    let now = chrono::Utc::now();
    let events = Database::in_memory().unwrap().collection("events");
    events.insert(doc! { "at": now, "local": now.fixed_offset(), "day": jiff(early) }).unwrap();
    let an_hour_ago = now - chrono::TimeDelta::hours(1);
    let recent = field("at").gte(an_hour_ago).and(field("local").lte(&now));
    assert_eq!(events.count_documents(recent).unwrap(), 1);
    assert_eq!(events.count_documents(doc! { "at": { "$lt": an_hour_ago } }).unwrap(), 0);
}

#[test]
fn fields_of_a_struct_are_times_and_ids_of_other_crates() {
    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    struct Event {
        #[serde(rename = "_id", with = "nanodb::as_uuid")]
        id: uuid::Uuid,
        #[serde(with = "nanodb::as_uuid::option", default)]
        parent: Option<uuid::Uuid>,
        #[serde(with = "nanodb::as_object_id")]
        user: bson::oid::ObjectId,
        #[serde(with = "nanodb::as_object_id::option", default)]
        editor: Option<bson::oid::ObjectId>,
        #[serde(with = "nanodb::as_timestamp")]
        at: chrono::DateTime<chrono::Utc>,
        #[serde(with = "nanodb::as_timestamp::option", default)]
        until: Option<chrono::DateTime<chrono::Utc>>,
        #[serde(with = "nanodb::as_timestamp")]
        made: time::OffsetDateTime,
        #[serde(with = "nanodb::as_timestamp")]
        seen: jiff::Timestamp,
        #[serde(with = "nanodb::as_timestamp")]
        system: SystemTime,
    }
    let secs = 1_700_000_000;
    let event = Event {
        id: uuid::Uuid::from_bytes([1; 16]),
        parent: None,
        user: bson::oid::ObjectId::from_bytes([2; 12]),
        editor: Some(bson::oid::ObjectId::from_bytes([3; 12])),
        at: chrono::DateTime::from_timestamp(secs, 1).unwrap(),
        until: None,
        made: time::OffsetDateTime::from_unix_timestamp(secs).unwrap(),
        seen: jiff::Timestamp::from_second(secs).unwrap(),
        system: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
    };
    let events = Database::in_memory().unwrap().typed::<Event>("events");
    assert_eq!(events.insert(&event).unwrap(), event.id.into());
    assert_eq!(events.get(event.id).unwrap().as_ref(), Some(&event));
    for filter in [
        field("_id").eq(event.id),
        field("user").eq(event.user),
        field("editor").eq(event.editor),
        field("at").eq(event.at),
        field("made").lte(event.made),
        field("seen").gte(event.seen),
        field("system").eq(event.made),
        field("parent").eq(None::<uuid::Uuid>),
    ] {
        assert_eq!(events.find_one(&filter).unwrap().as_ref(), Some(&event), "{filter}");
    }
    // A document that lacks what may be null.
    events.collection().update_one(doc! {}, Update::new().unset("parent").unset("until")).unwrap();
    assert_eq!(events.get(event.id).unwrap(), Some(event));
}

#[test]
fn ids_of_uuid_and_bson_are_given_and_come_back() {
    let notes = Database::in_memory().unwrap().collection("notes");
    let uuid = uuid::Uuid::from_bytes([7; 16]);
    let object_id = bson::oid::ObjectId::from_bytes([8; 12]);
    notes.insert(doc! { "_id": uuid, "by": object_id }).unwrap();
    notes.insert(doc! { "_id": object_id, "to": uuid }).unwrap();
    assert!(notes.contains(uuid).unwrap() && notes.contains(&uuid).unwrap());
    assert!(notes.contains(object_id).unwrap() && notes.contains(&object_id).unwrap());
    assert_eq!(notes.count_documents(doc! { "by": object_id }).unwrap(), 1);
    assert_eq!(notes.count_documents(field("to").eq(uuid)).unwrap(), 1);
    let found = notes.find_one(doc! { "by": object_id }).unwrap().unwrap();
    let id: Id = found.id().unwrap().into();
    assert_eq!(uuid::Uuid::try_from(&id).unwrap(), uuid);
    assert_eq!(uuid::Uuid::from(id.as_uuid().unwrap()), uuid);
    let by = found.get_object_id("by").unwrap();
    assert_eq!(bson::oid::ObjectId::from(by), object_id);
    assert!(notes.replace(uuid, doc! { "n": 1 }).unwrap() && notes.delete(object_id).unwrap());
    // Documents of bson's own.
    notes.insert(bson::doc! { "_id": object_id, "at": bson::DateTime::from_millis(5) }).unwrap();
    let at = notes.get(object_id).unwrap().unwrap().get_timestamp("at").unwrap();
    assert_eq!(at, Timestamp::from_millis(5));
}

#[test]
fn new_ids_a_field_of_another_document_and_texts_are_values() {
    let notes = Database::in_memory().unwrap().collection("notes");
    let (first, second) = (ObjectId::new(), ObjectId::new());
    notes.insert(doc! { "_id": first, "n": 5, "tags": ["a"] }).unwrap();
    let stored = notes.get(first).unwrap().unwrap();
    let copy = doc! { "_id": second, "of": stored.id().unwrap(), "tags": stored.get("tags") };
    notes.insert(copy).unwrap();
    assert_eq!(notes.count_documents(field("tags").eq(stored.get("tags"))).unwrap(), 2);
    assert_eq!(stored.id().and_then(|id| id.as_object_id()), Some(first));
    assert!(stored.get("n").unwrap() == 5 && stored.get("n").unwrap() == 5_u8);
    assert!(stored.contains_key("tags") && !stored.contains_key("of"));
    assert_eq!(stored.keys().collect::<nanodb::Result<Vec<_>>>().unwrap(), ["_id", "n", "tags"]);
    let parsed: Document = r#"{"a": [1]}"#.parse().unwrap();
    assert_eq!(parsed["a"], "[1]".parse::<Value>().unwrap());
    assert_eq!(ObjectId::from(*first.bytes()), first);
}

// A7, A8, A10: errors.

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
struct User {
    name: String,
    age: u8,
}

#[test]
fn a_document_that_does_not_fit_says_which_and_where() {
    let db = Database::in_memory().unwrap();
    db.collection("users").insert(doc! { "_id": 77, "name": "Ada", "age": 300 }).unwrap();
    let error = db.typed::<User>("users").get(77).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert_eq!((error.collection(), error.id()), (Some("users"), Some(77.into())));
    assert_eq!(error.path(), Some("age"));
    let text = error.to_string();
    assert!(text.starts_with("document 77 of collection \"users\" is no `"), "{text}");
    assert!(text.contains("User`: `age`: invalid value: integer `300`, expected u8"), "{text}");
    let stored = db.collection("users").get(77).unwrap().unwrap();
    let text = stored.deserialize::<User>().unwrap_err().to_string();
    assert!(text.starts_with("document 77 is no `"), "{text}");
}

#[test]
fn an_error_says_its_reason_once_however_it_is_printed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other");
    std::fs::write(&path, "no database at all, but long enough to be looked at".repeat(200))
        .unwrap();
    let error = Database::open(&path).unwrap_err();
    let text = format!("opening {}: not a NanoDB file", path.display());
    assert_eq!(error.to_string(), text);
    assert_eq!(format!("{error:?}"), format!("{text} [NotADatabase]"));
    assert!(std::error::Error::source(&error).is_none());
    assert_eq!(error.file(), Some(path.as_path()));

    let missing = directory.path().join("no such directory").join("data");
    let error = Database::open(&missing).unwrap_err();
    let text = format!("opening {}: {}", missing.display(), error.io_error().unwrap());
    assert_eq!(error.to_string(), text);
    assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::NotFound);

    let error = Database::open(directory.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");

    let error = field("name").regex("(a", "").check().unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the regular expression `(a` on `name` is refused: "), "{text}");
}

/// An error of a program's own, with nanodb's as the only one that it takes.
#[derive(Debug)]
struct OwnError(#[expect(dead_code, reason = "it is for `?`")] nanodb::Error);

impl From<nanodb::Error> for OwnError {
    fn from(error: nanodb::Error) -> Self {
        Self(error)
    }
}

#[test]
fn everything_fails_with_the_one_error() {
    fn run() -> Result<(), OwnError> {
        let db = Database::in_memory()?;
        let users = db.collection("users");
        users.insert(doc! { "_id": 1, "name": "Ada", "age": 36 })?;
        let stored = users.get(1)?.expect("inserted above");
        let _: User = stored.deserialize()?;
        stored.to_document()?;
        let filter = Filter::parse_json("{}")?;
        field("name").regex("^A", "").check()?;
        let update = Update::parse_json(r#"{"$inc": {"age": 1}}"#)?;
        Projection::include(["name"]).check()?;
        users.update_many(filter, update)?;
        db.write_with(|tx| -> Result<(), OwnError> {
            tx.collection("users").insert(doc! { "n": 1 })?;
            Ok(())
        })?;
        db.close()?;
        Ok(())
    }
    run().unwrap();
}

// A9: collections of Rust types.

#[test]
fn typed_collections_have_the_verbs_on_every_handle() {
    let db = Database::in_memory().unwrap();
    let users = db.typed::<User>("users");
    let ada = User { name: "Ada".to_owned(), age: 36 };
    assert_eq!(users.insert(ada.clone()).unwrap(), 1.into());
    assert_eq!(users.insert(&ada).unwrap(), 2.into());
    assert!(!users.put("eve", User { name: "Eve".to_owned(), age: 41 }).unwrap());
    assert_eq!(
        users.update_one(doc! { "_id": 2 }, doc! { "$inc": { "age": 1 } }).unwrap().modified,
        1
    );
    assert!(users.exists(doc! { "age": 37 }).unwrap());
    assert_eq!(users.count_documents(field("age").gte(37)).unwrap(), 2);
    let by_name = users.count_by("name", doc! {}).unwrap();
    assert_eq!(by_name.into_iter().map(|(_, count)| count).sum::<u64>(), 3);
    let updated = users.find_one_and_update(doc! { "_id": 1 }, Update::new().set("age", 20));
    assert_eq!(updated.return_new().run().unwrap().unwrap().age, 20);
    // The ids of values that have no field for them.
    for found in users.find(doc! { "name": "Eve" }).with_ids().run().unwrap() {
        let (id, user) = found.unwrap();
        assert_eq!((id, user.age), ("eve".into(), 41));
    }
    db.write(|tx| {
        let users = tx.typed::<User>("users");
        users.insert(User { name: "Bob".to_owned(), age: 17 })?;
        users.delete_many(doc! { "name": "Ada" }).map(drop)
    })
    .unwrap();
    let names: Vec<_> = db.snapshot().typed::<User>("users").iter().unwrap().collect();
    let names: Vec<_> = names.into_iter().map(|user| user.unwrap().name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(users.delete_one(doc! { "name": "Bob" }).unwrap(), 1);
}

// A11: what compares is what is stored.

#[test]
fn a_field_is_compared_with_whatever_can_be_stored() {
    let all = Database::in_memory().unwrap().collection("all");
    all.insert(
        doc! { "n": 5, "s": "x", "list": [1, 2], "d": { "e": 1 }, "b": b"xy", "f": 0.1_f32 },
    )
    .unwrap();
    let (string, str_ref, cow) = ("x".to_owned(), &"x", Cow::Borrowed("x"));
    for filter in [
        field("n").eq(5_usize),
        field("n").eq(&5),
        field("f").eq(0.1_f32),
        field("s").eq(&string),
        field("s").eq(string.clone()),
        field("s").eq(str_ref),
        field("s").eq('x'),
        field("s").eq(cow),
        field("s").eq(Arc::<str>::from("x")),
        field("list").eq([1, 2]),
        field("list").eq(vec![1, 2]),
        field("b").eq(b"xy"),
        field("b").eq(&b"xy"[..]),
        field("d").eq(doc! { "e": 1 }),
        field("missing").eq(()),
        field("missing").eq(None::<i32>),
        field("s").is_in(&["x"]),
        field("s").is_in(["x", "y"].iter()),
        field("n").is_in(vec![5, 6]),
    ] {
        assert_eq!(all.count_documents(&filter).unwrap(), 1, "{filter}");
    }
    assert_eq!(all.count_documents(field("f").eq(0.1)).unwrap(), 0);
}

#[test]
fn a_document_is_written_down_with_values_of_any_kind() {
    let (list, option) = (vec![1, 2], Some("x"));
    let map = HashMap::from([("k", 1)]);
    let tree = BTreeMap::from([("k".to_owned(), 1)]);
    let shared: Arc<str> = "x".into();
    let document = doc! {
        "list": &list, "number": &5, "option": &option, "map": map, "tree": &tree,
        "pair": (1, "x"), "shared": shared, "array": [1, 2],
    };
    assert_eq!(
        document,
        doc! {
            "list": [1, 2], "number": 5, "option": "x", "map": { "k": 1 }, "tree": { "k": 1 },
            "pair": [1, "x"], "shared": "x", "array": [1, 2],
        },
    );
}

#[test]
fn what_serialises_is_a_value_by_ser() {
    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    enum Priority {
        High,
    }
    let jobs = Database::in_memory().unwrap().collection("jobs");
    let json = serde_json::json!({ "a": [1, null] });
    jobs.insert(doc! { "priority": ser(Priority::High), "json": ser(&json) }).unwrap();
    assert_eq!(jobs.count_documents(field("priority").eq(ser(Priority::High))).unwrap(), 1);
    let stored = jobs.get(1).unwrap().unwrap().to_document().unwrap();
    assert_eq!(stored["json"], Value::from(doc! { "a": [1, null] }));
    let value = to_value(&Priority::High).unwrap();
    assert_eq!(value, "High");
    assert_eq!(from_value::<Priority>(&value).unwrap(), Priority::High);
}

#[test]
fn maps_have_keys_of_any_scalar_type() {
    #[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
    struct Maps {
        numbers: BTreeMap<u32, String>,
        flags: BTreeMap<bool, u8>,
    }
    let maps =
        Maps { numbers: BTreeMap::from([(7, "x".to_owned())]), flags: BTreeMap::from([(true, 1)]) };
    let all = Database::in_memory().unwrap().typed::<Maps>("all");
    all.insert(&maps).unwrap();
    assert_eq!(all.get(1).unwrap(), Some(maps));
    assert_eq!(all.count_documents(field("numbers.7").eq("x")).unwrap(), 1);
}

// A14: documents as maps.

#[test]
fn a_document_has_what_a_map_has() {
    let mut document = doc! { "name": "Ada", "age": 36, "address": { "city": "Bonn" } };
    assert!(document.contains_key("age"));
    assert_eq!(document.keys().collect::<Vec<_>>(), ["name", "age", "address"]);
    document["age"] = 37.into();
    *document.entry("hits").or_insert(0) = 2.into();
    document.set_path("address.zip", 53111).unwrap();
    *document.get_path_mut("address.city").unwrap() = "Berlin".into();
    assert_eq!(document.get_str("name").unwrap(), "Ada");
    assert_eq!(document.get_i64("age").unwrap(), 37);
    assert_eq!(document["address"], Value::from(doc! { "city": "Berlin", "zip": 53111 }));
    let error = document.get_str("aeg").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with("there is no field `aeg`; there are: `name`"), "{error}");
    let error = document.get_str("age").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert_eq!(document.remove("name").unwrap().into_string(), Ok("Ada".to_owned()));
}

#[test]
fn a_name_is_a_name_and_a_path_a_path_on_both_kinds_of_documents() {
    let owned = doc! { "_id": 1, "c.d": 1, "a": { "b": 2 } };
    let all = Database::in_memory().unwrap().collection("all");
    all.insert(&owned).unwrap();
    let stored = all.get(1).unwrap().unwrap();
    assert_eq!(owned.get("c.d").unwrap(), &1);
    assert_eq!(stored.get("c.d").unwrap(), 1);
    assert_eq!(owned.get_path("a.b").unwrap(), &2);
    assert_eq!(stored.get_path("a.b").unwrap(), 2);
    assert!(owned.get("a.b").is_none() && stored.get("a.b").is_none());
}

// A12: closing.

#[test]
fn what_is_closed_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let db = Database::open(&path).unwrap();
    assert_eq!(db.path(), Some(path.as_path()));
    let users = db.collection("users");
    users.insert(doc! { "_id": 1 }).unwrap();
    let stored = users.get(1).unwrap().unwrap();
    db.close().unwrap();
    let error = users.insert(doc! { "_id": 2 }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let text = format!("{} was closed by `close`; open it again", path.display());
    assert_eq!(error.to_string(), text);
    assert_eq!(stored.get("_id").unwrap(), 1);
    assert!(Database::open(&path).unwrap().collection("users").contains(1).unwrap());
}

// Close behind.

#[test]
fn a_transaction_needs_no_type_and_a_document_is_put_in_its_place() {
    let db = Database::in_memory().unwrap();
    db.write(|tx| {
        tx.collection("a").insert(doc! { "_id": 1 })?;
        Ok(())
    })
    .unwrap();
    let a = db.collection("a");
    assert!(a.put(1, doc! { "n": 1 }).unwrap() && !a.put(2, doc! { "n": 2 }).unwrap());
    assert_eq!(a.get(1).unwrap().unwrap().get("n").unwrap(), 1);
    let counts = a.count_by("n", doc! {}).unwrap();
    assert_eq!(counts, [(Value::from(1), 1), (Value::from(2), 1)]);
}

#[test]
fn text_is_searched_without_a_regular_expression() {
    let users = users();
    for filter in [
        field("name").contains("d"),
        field("name").starts_with("Ad"),
        field("name").ends_with("da"),
        field("name").contains("DA").ignoring_case(),
    ] {
        assert_eq!(users.count_documents(&filter).unwrap(), 1, "{filter}");
    }
}

#[test]
fn an_integer_of_128_bits_is_a_number_or_refused() {
    #[derive(serde::Serialize)]
    struct Wide {
        n: i128,
    }
    let all = Database::in_memory().unwrap().typed::<Wide>("all");
    all.insert(Wide { n: 5 }).unwrap();
    assert_eq!(all.collection().count_documents(field("n").eq(5)).unwrap(), 1);
    assert_eq!(all.insert(Wide { n: i128::MAX }).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_range_of_ids_is_a_filter() {
    let users = users();
    let range = field("_id").gte(1).and(field("_id").lt(3));
    assert_eq!(users.count_documents(range).unwrap(), 2);
}

#[test]
fn a_function_takes_any_collection() {
    fn adults(users: &impl ReadCollection) -> nanodb::Result<u64> {
        users.count_documents(doc! { "age": { "$gte": 18 } })
    }
    let db = Database::in_memory().unwrap();
    db.collection("users").insert(doc! { "age": 36 }).unwrap();
    assert_eq!(adults(&db.collection("users")).unwrap(), 1);
    assert_eq!(adults(&db.snapshot().collection("users")).unwrap(), 1);
    assert_eq!(db.write(|tx| adults(&tx.collection("users"))).unwrap(), 1);
}
