//! Several writes in one call, held against the same writes one by one.

use std::collections::BTreeMap;

use nanodb_database::{
    BulkOperation, BulkWriteResult, Collection, Database, Document, Error, ErrorKind, Filter, Id,
    Serialized, TransactionCollection, Update, UpdateResult, doc, field,
};
use nanodb_query::UpdateError;
use proptest::prelude::*;

use super::internal;

fn update(json: &str) -> Update {
    Update::parse_json(json).unwrap()
}

fn documents(all: &Collection) -> Vec<Document> {
    all.iter().unwrap().map(|document| document.unwrap().to_document().unwrap()).collect()
}

#[derive(Clone, Debug)]
enum Write {
    Insert(Document),
    UpdateOne(Filter, Update),
    UpdateMany(Filter, Update),
    Upsert(Filter, Update),
    ReplaceOne(Filter, Document),
    ReplaceOrInsert(Filter, Document),
    DeleteOne(Filter),
    DeleteMany(Filter),
}

impl Write {
    fn as_operation(&self) -> BulkOperation<'_> {
        match self {
            Self::Insert(document) => BulkOperation::insert(document),
            Self::UpdateOne(filter, update) => BulkOperation::update_one(filter, update),
            Self::UpdateMany(filter, update) => BulkOperation::update_many(filter, update),
            Self::Upsert(filter, update) => BulkOperation::upsert(filter, update),
            Self::ReplaceOne(filter, document) => BulkOperation::replace_one(filter, document),
            Self::ReplaceOrInsert(filter, document) => {
                BulkOperation::replace_or_insert(filter, document)
            }
            Self::DeleteOne(filter) => BulkOperation::delete_one(filter),
            Self::DeleteMany(filter) => BulkOperation::delete_many(filter),
        }
    }

    /// The same by the verb of its own.
    fn run(&self, all: &TransactionCollection<'_>) -> Result<Done, Error> {
        Ok(match self {
            Self::Insert(document) => Done::Inserted(all.insert(document)?),
            Self::UpdateOne(filter, update) => Done::UpdateResult(all.update_one(filter, update)?),
            Self::UpdateMany(filter, update) => {
                Done::UpdateResult(all.update_many(filter, update)?)
            }
            Self::Upsert(filter, update) => Done::UpdateResult(all.upsert(filter, update)?),
            Self::ReplaceOne(filter, new) => Done::UpdateResult(all.replace_one(filter, new)?),
            Self::ReplaceOrInsert(filter, new) => {
                Done::UpdateResult(all.replace_or_insert(filter, new)?)
            }
            Self::DeleteOne(filter) => Done::Deleted(all.delete_one(filter)?),
            Self::DeleteMany(filter) => Done::Deleted(all.delete_many(filter)?),
        })
    }
}

enum Done {
    Inserted(Id),
    UpdateResult(UpdateResult),
    Deleted(u64),
}

fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        (0_i64..8).prop_map(|id| field("_id").eq(id)),
        (0_i64..4).prop_map(|n| field("n").gte(n)),
        (0_i64..4).prop_map(|n| field("n").eq(n)),
    ]
}

fn change() -> impl Strategy<Value = Update> {
    prop_oneof![
        Just(update(r#"{"$inc": {"n": 1}}"#)),
        Just(update(r#"{"$set": {"n": 2}}"#)),
        // Now and then of a string, which is an error.
        Just(update(r#"{"$inc": {"s": 1}}"#)),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    (prop::option::of(0_i64..8), 0_i64..4, any::<bool>()).prop_map(|(id, n, has_text)| {
        let mut document = doc! { "n": n };
        if let Some(id) = id {
            document.insert("_id", id);
        }
        if has_text {
            document.insert("s", "text");
        }
        document
    })
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        2 => document().prop_map(Write::Insert),
        1 => (filter(), change()).prop_map(|(filter, change)| Write::UpdateOne(filter, change)),
        1 => (filter(), change()).prop_map(|(filter, change)| Write::UpdateMany(filter, change)),
        1 => (filter(), change()).prop_map(|(filter, change)| Write::Upsert(filter, change)),
        1 => (filter(), document()).prop_map(|(filter, new)| Write::ReplaceOne(filter, new)),
        1 => (filter(), document()).prop_map(|(filter, new)| Write::ReplaceOrInsert(filter, new)),
        1 => filter().prop_map(Write::DeleteOne),
        1 => filter().prop_map(Write::DeleteMany),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_bulk_write_is_its_writes_one_by_one_or_nothing(
        before in prop::collection::vec(0_i64..4, 0..6),
        writes in prop::collection::vec(write(), 0..12),
    ) {
        let make = || {
            let db = Database::in_memory().unwrap();
            db.collection("all").insert_many(before.iter().map(|&n| doc! { "n": n })).unwrap();
            db
        };
        // One by one, up to the first that fails.
        let expected_db = make();
        let mut expected = BulkWriteResult::default();
        let tx = expected_db.begin_write();
        let mut failed = None;
        for (position, write) in writes.iter().enumerate() {
            match write.run(&tx.collection("all")) {
                Ok(Done::Inserted(id)) => {
                    expected.inserted += 1;
                    expected.inserted_ids.insert(position, id);
                }
                Ok(Done::UpdateResult(updated)) => {
                    expected.matched += updated.matched;
                    expected.modified += updated.modified;
                    if let Some(id) = updated.upserted {
                        expected.upserted += 1;
                        expected.upserted_ids.insert(position, id);
                    }
                }
                Ok(Done::Deleted(count)) => expected.deleted += count,
                Err(error) => {
                    failed = Some((position, error));
                    break;
                }
            }
        }
        tx.commit().unwrap();
        let up_to_the_failure = documents(&expected_db.collection("all"));

        let db = make();
        let all = db.collection("all");
        let untouched = documents(&all);
        let within = db.begin_write();
        let results = [
            within.collection("all").bulk_write(writes.iter().map(Write::as_operation)),
            {
                // What was done before the failure is done, and the transaction goes on.
                within.collection("other").insert(doc! {}).unwrap();
                within.commit().unwrap();
                prop_assert_eq!(documents(&all), up_to_the_failure.clone());
                all.delete_many(Filter::all()).unwrap();
                let db = make();
                let all = db.collection("all");
                let result = all.bulk_write(writes.iter().map(Write::as_operation));
                let left = if failed.is_some() { untouched } else { up_to_the_failure };
                prop_assert_eq!(documents(&all), left);
                prop_assert!(db.check().unwrap().is_clean());
                result
            },
        ];
        for result in results {
            match (&failed, result) {
                (None, Ok(written)) => prop_assert_eq!(&written, &expected),
                (Some((at, expected)), Err(error)) => {
                    prop_assert_eq!(error.operation(), Some(*at));
                    let text =
                        format!("operation {at} of the bulk write, counted from 0: {expected}");
                    prop_assert_eq!(error.to_string(), text);
                }
                (failed, result) => prop_assert!(false, "{failed:?}, but {result:?}"),
            }
        }
    }
}

#[test]
fn a_bulk_write_takes_whatever_can_be_stored_and_tells_all_ids() {
    #[derive(serde::Serialize)]
    struct User {
        name: &'static str,
    }
    let users = Database::in_memory().unwrap().collection("users");
    let count = update(r#"{"$inc": {"count": 1}}"#);
    let done = users
        .bulk_write([
            BulkOperation::insert(Serialized(&User { name: "Alice" })),
            BulkOperation::upsert(field("_id").eq("hits"), &count),
            BulkOperation::upsert(field("_id").eq("hits"), &count),
            BulkOperation::insert(doc! { "name": "Bob" }),
            BulkOperation::replace_or_insert(field("name").eq("Carol"), doc! { "name": "Carol" }),
        ])
        .unwrap();
    assert_eq!(done.inserted_ids, BTreeMap::from([(0, 1.into()), (3, 2.into())]));
    assert_eq!(done.upserted_ids, BTreeMap::from([(1, "hits".into()), (4, 3.into())]));
    assert_eq!((done.inserted, done.upserted, done.matched, done.modified), (2, 2, 1, 1));
    assert_eq!(users.count().unwrap(), 4);
}

#[test]
fn nothing_makes_no_collection_and_an_error_has_its_kind_and_cause() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    assert_eq!(all.bulk_write([]).unwrap(), BulkWriteResult::default());
    assert!(db.collections().unwrap().is_empty());

    let grow = update(r#"{"$inc": {"n": 1}}"#);
    let error = all
        .bulk_write([
            BulkOperation::insert(doc! { "_id": 1, "n": 1 }),
            BulkOperation::insert(doc! { "_id": 2, "n": "x" }),
            BulkOperation::update_many(Filter::all(), &grow),
        ])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!((error.operation(), error.id()), (Some(2), Some(2.into())));
    assert!(matches!(internal(&error), Some(UpdateError::Target { .. })), "{error:?}");
    assert!(db.collections().unwrap().is_empty());

    all.insert(doc! { "_id": 1 }).unwrap();
    let error = all.bulk_write([BulkOperation::insert(doc! { "_id": 1 })]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DuplicateId);
}

#[test]
fn within_a_transaction_a_conflict_is_a_conflict() {
    let db = Database::in_memory().unwrap();
    db.collection("all").insert(doc! { "_id": 1 }).unwrap();
    let holder = db.begin_write();
    holder.collection("all").count().unwrap();
    let other = db.begin_write();
    let result = other.collection("all").bulk_write([BulkOperation::delete_one(Filter::all())]);
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Conflict, None), "{error:?}");
    drop(holder);
    let done =
        db.write(|tx| tx.collection("all").bulk_write([BulkOperation::delete_one(Filter::all())]));
    assert_eq!(done.unwrap().deleted, 1);
}
