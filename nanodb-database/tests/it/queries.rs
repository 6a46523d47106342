//! Searching and changing what is found, in collections, snapshots and transactions.

use std::sync::Arc;

use nanodb_database::{
    AccessPath, BulkOperation, Collection, DOCUMENT_BYTES_MAX, Database, Document, Error,
    ErrorKind, Filter, Projection, Sort, StoredDoc, Update, UpdateResult, Value, doc, field,
};
use nanodb_document::DocumentError;
use nanodb_query::{QueryError, UpdateError};
use nanodb_sim::{CallKind, Failure, Fault, SimStorage};
use proptest::prelude::*;

use super::{internal, is_id_mismatch};

fn filter(json: &str) -> Filter {
    Filter::parse_json(json).unwrap()
}

fn update(json: &str) -> Update {
    Update::parse_json(json).unwrap()
}

fn documents(found: impl Iterator<Item = Result<StoredDoc, Error>>) -> Vec<Document> {
    found.map(|document| document.unwrap().to_document().unwrap()).collect()
}

/// A hundred users: of each age from 0 to 9 ten.
fn users() -> Collection {
    let users = Database::in_memory().unwrap().collection("users");
    let document = |n: i64| doc! { "_id": n, "age": (n % 10), "tags": [n, "x"] };
    users.insert_many((0..100).map(document)).unwrap();
    users
}

fn ids(found: impl Iterator<Item = Result<StoredDoc, Error>>) -> Vec<i64> {
    found.map(|document| document.unwrap().id().unwrap().to_owned().as_i64().unwrap()).collect()
}

#[test]
fn a_search_has_a_filter_an_order_a_part_and_fields() {
    let users = users();
    let find = || users.find(field("age").gte(8));
    assert_eq!(ids(find().run().unwrap()).len(), 20);
    assert_eq!(ids(find().skip(2).limit(3).run().unwrap()), [18, 19, 28]);
    let sort = Sort::descending("age").then_descending("_id");
    assert_eq!(ids(find().sort(sort.clone()).limit(3).run().unwrap()), [99, 89, 79]);
    assert_eq!(ids(find().sort(sort.clone()).skip(9).limit(2).run().unwrap()), [9, 98]);
    assert_eq!(ids(find().sort(sort.clone()).run().unwrap()).len(), 20);
    // No limit, as in MongoDB.
    let all = ids(find().run().unwrap());
    assert_eq!(ids(find().limit(0).run().unwrap()), all);
    assert_eq!(ids(find().limit(3).limit(0).run().unwrap()), all);
    assert_eq!(find().limit(0).count().unwrap(), all.len() as u64);
    assert_eq!(ids(find().sort(sort.clone()).limit(0).run().unwrap()).len(), all.len());
    assert_eq!(ids(find().sort(sort).skip(1).limit(0).run().unwrap()).len(), all.len() - 1);
    assert!(find().limit(0).first().unwrap().is_some());
    // What is equal stays in the order in which it was found.
    assert_eq!(ids(find().sort(Sort::ascending("age")).limit(2).run().unwrap()), [8, 18]);

    let projection = Projection::include(["tags"]).without_id();
    let first = find().sort(Sort::ascending("_id")).projection(projection.clone()).first();
    assert_eq!(first.unwrap().unwrap().to_document().unwrap(), doc! { "tags": [8, "x"] });
    let found = documents(find().projection(projection).limit(1).run().unwrap());
    assert_eq!(found, [doc! { "tags": [8, "x"] }]);

    assert_eq!(find().count().unwrap(), 20);
    assert_eq!(find().skip(15).limit(9).count().unwrap(), 5);
    assert_eq!(users.count_documents(filter(r#"{"tags": "x"}"#)).unwrap(), 100);
    assert!(users.exists(filter(r#"{"tags": 7}"#)).unwrap());
    assert!(!users.exists(field("age").gt(9)).unwrap());
    assert!(users.find_one(field("age").gt(9)).unwrap().is_none());
}

#[test]
fn a_search_by_id_looks_at_those_documents_alone() {
    let users = users();
    let explain = |json: &str| {
        let explain = users.find(filter(json)).explain_analyze().unwrap();
        (explain.plan.access_path, explain.documents_examined, explain.documents_returned)
    };
    assert_eq!(explain(r#"{"_id": 5}"#), (AccessPath::IdLookup { count: 1 }, 1, 1));
    assert_eq!(explain(r#"{"_id": 5.0, "age": 6}"#), (AccessPath::IdLookup { count: 1 }, 1, 0));
    let some = r#"{"_id": {"$in": [1, 2, 500, "x", null, 1.5]}, "age": {"$gt": 1}}"#;
    assert_eq!(explain(some), (AccessPath::IdLookup { count: 4 }, 2, 1));
    assert_eq!(
        explain(r#"{"$and": [{"_id": 3}, {"age": 3}]}"#),
        (AccessPath::IdLookup { count: 1 }, 1, 1)
    );
    assert_eq!(explain(r#"{"_id": {"$gt": 97}}"#), (AccessPath::CollectionScan, 100, 2));
    let sorted = users.find(field("age").eq(1)).sort(Sort::ascending("_id")).limit(1);
    let explain = sorted.explain_analyze().unwrap();
    assert_eq!(explain.to_string(), "by scanning the collection: 100 examined, 1 returned, sorted");
    // A search that ends early looks no further.
    assert_eq!(
        users.find(field("age").eq(1)).limit(1).explain_analyze().unwrap().documents_examined,
        2
    );
}

#[test]
fn distinct_values_come_once_and_in_order() {
    let all = Database::in_memory().unwrap().collection("all");
    all.insert_many([
        doc! { "a": [3, 1], "b": { "c": "x" } },
        doc! { "a": 1.0, "b": [{ "c": "y" }, { "c": ["x", null] }] },
        doc! { "a": "s" },
        doc! { "a": { "d": 1 } },
    ])
    .unwrap();
    let values = all.distinct("a", Filter::all()).unwrap();
    assert_eq!(values, [Value::from(1), 3.into(), "s".into(), doc! { "d": 1 }.into()]);
    let values = all.distinct("b.c", Filter::all()).unwrap();
    assert_eq!(values, [Value::Null, "x".into(), "y".into()]);
    assert!(all.distinct("a", field("a").gt(5)).unwrap().is_empty());
    let long = all.distinct(&vec!["a"; 200].join("."), Filter::all());
    let too_long = long.unwrap_err();
    assert_eq!(too_long.kind(), ErrorKind::Invalid);
    assert!(internal::<QueryError>(&too_long).is_some());
}

#[test]
fn one_document_or_all_are_updated_and_deleted() {
    let users = users();
    let grow = update(r#"{"$inc": {"age": 100}}"#);
    let done = users.update_one(field("age").eq(3), &grow).unwrap();
    assert_eq!((done.matched, done.modified, done.upserted), (1, 1, None));
    let done = users.update_many(field("age").lte(3), &grow).unwrap();
    assert_eq!((done.matched, done.modified), (39, 39));
    assert_eq!(users.count_documents(field("age").gte(100)).unwrap(), 40);
    let same = users.update_many(field("age").eq(5), update(r#"{"$set": {"age": 5}}"#)).unwrap();
    assert_eq!((same.matched, same.modified), (10, 0));
    assert_eq!(users.update_many(field("age").eq(-1), &grow).unwrap(), UpdateResult::default());

    // Documents that move while they grow are not found again.
    let push = update(&format!(r#"{{"$push": {{"tags": "{}"}}}}"#, "x".repeat(3000)));
    let done = users.update_many(Filter::all(), &push).unwrap();
    assert_eq!((done.matched, done.modified), (100, 100));
    assert_eq!(users.count_documents(field("tags").size(3)).unwrap(), 100);

    assert_eq!(users.delete_one(field("age").eq(5)).unwrap(), 1);
    assert_eq!(users.delete_many(field("age").eq(5)).unwrap(), 9);
    assert_eq!(users.delete_many(filter(r#"{"_id": {"$in": [0, 1, 500]}}"#)).unwrap(), 2);
    assert_eq!(users.count().unwrap(), 88);
}

#[test]
fn a_dollar_is_the_element_by_which_the_document_passed() {
    let orders = Database::in_memory().unwrap().collection("orders");
    orders.insert(doc! { "items": [{ "q": 1 }, { "q": 7 }, { "q": 9 }] }).unwrap();
    let mark = update(r#"{"$set": {"items.$.big": true}}"#);
    orders.update_one(field("items.q").gt(5), &mark).unwrap();
    let found = orders.get(1).unwrap().unwrap();
    assert_eq!(found.get_path("items.1.big").and_then(|big| big.as_bool()), Some(true));
    assert!(found.get_path("items.2.big").is_none());
}

#[test]
fn an_update_that_fails_at_one_document_changes_none() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    all.insert_many([doc! { "n": 1 }, doc! { "n": 2 }, doc! { "n": "x" }]).unwrap();
    let grow = update(r#"{"$inc": {"n": 1}}"#);
    let error = all.update_many(Filter::all(), &grow).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "updating the document with the id 3: `$inc` on `n` needs a number, and the field is a string",
    );
    assert_eq!((error.id(), error.path()), (Some(3.into()), Some("n")));
    assert!(matches!(internal(&error), Some(UpdateError::Target { operator: "$inc", .. })));
    assert_eq!(all.count_documents(field("n").eq(1)).unwrap(), 1);

    // A transaction goes on after that.
    let tx = db.begin_write();
    assert!(tx.collection("all").update_many(Filter::all(), &grow).is_err());
    assert_eq!(tx.collection("all").count_documents(field("n").eq(1)).unwrap(), 1);
    let done = tx.collection("all").update_many(field("n").gt(0), &grow).unwrap();
    assert_eq!(done.modified, 2);
    tx.commit().unwrap();
    assert_eq!(all.count_documents(field("n").is_in([2, 3])).unwrap(), 2);

    let name = "n".repeat(2000);
    let long = update(&format!(r#"{{"$set": {{"{name}": 1}}}}"#));
    let error = all.update_one(Filter::all(), &long).unwrap_err();
    assert!(matches!(internal(&error), Some(DocumentError::NameTooLong { .. })), "{error}");
}

#[test]
fn documents_do_not_grow_above_their_limit() {
    let all = Database::in_memory().unwrap().collection("all");
    all.insert(doc! { "a": ("x".repeat(DOCUMENT_BYTES_MAX - 100)) }).unwrap();
    let error = all
        .update_one(Filter::all(), update(r#"{"$rename": {"a": "b"}, "$set": {"c": 1}}"#))
        .map(|done| done.modified);
    assert_eq!(error.unwrap(), 1);
    let grow = update(&format!(r#"{{"$set": {{"d": "{}"}}}}"#, "y".repeat(200)));
    let error = all.update_one(Filter::all(), &grow).unwrap_err();
    assert!(matches!(
        internal(&error),
        Some(UpdateError::TooLarge { bytes_max: DOCUMENT_BYTES_MAX })
    ));
}

#[test]
fn an_upsert_updates_or_inserts() {
    let all = Database::in_memory().unwrap().collection("all");
    let count = update(r#"{"$inc": {"n": 1}, "$setOnInsert": {"new": true}}"#);
    let done = all.upsert(field("name").eq("a"), &count).unwrap();
    assert_eq!((done.matched, done.upserted), (0, Some(1.into())));
    let done = all.upsert(field("name").eq("a"), &count).unwrap();
    assert_eq!((done.matched, done.modified, done.upserted), (1, 1, None));
    let found = all.get(1).unwrap().unwrap().to_document().unwrap();
    assert_eq!(found, doc! { "_id": 1, "name": "a", "n": 2, "new": true });

    let done = all.replace_or_insert(field("_id").eq("b"), &doc! { "x": 1 }).unwrap();
    assert_eq!(done.upserted, Some("b".into()));
    let other = all.replace_or_insert(field("_id").eq("c"), &doc! { "_id": "d" });
    assert!(is_id_mismatch(&other.unwrap_err()));
    let done = all.replace_or_insert(field("x").eq(1), &doc! { "y": 1 }).unwrap();
    assert_eq!((done.matched, done.modified, done.upserted), (1, 1, None));
    assert_eq!(all.replace_one(field("y").eq(1), &doc! { "y": 1 }).unwrap().modified, 0);
    assert_eq!(all.replace_one(field("y").eq(5), &doc! { "y": 1 }).unwrap().matched, 0);
    let wrong = all.replace_one(field("y").eq(1), &doc! { "_id": 1 });
    assert!(is_id_mismatch(&wrong.unwrap_err()));
    assert_eq!(all.count().unwrap(), 2);
    let error = all.upsert(field("_id").eq(1.5), &count).unwrap_err();
    assert!(matches!(internal(&error), Some(DocumentError::IdType { .. })), "{error}");
}

#[test]
fn one_document_is_found_and_changed_as_one_step() {
    let users = users();
    let grow = update(r#"{"$inc": {"age": 100}}"#);
    let by_id = || Sort::descending("_id");
    let old = users.find_one_and_update(field("age").eq(5), &grow).sort(by_id()).run().unwrap();
    let age = |document: StoredDoc| document.get("age").and_then(|age| age.as_i64());
    let old = old.unwrap();
    assert_eq!((old.id().unwrap(), age(old.clone())), (95.into(), Some(5)));
    let new = users.find_one_and_update(field("age").eq(5), &grow).sort(by_id()).return_new();
    let new = new.projection(Projection::include(["age"])).run().unwrap().unwrap();
    assert_eq!(new.to_document().unwrap(), doc! { "_id": 85, "age": 105 });
    let replaced = doc! { "age": -1 };
    let new = users.find_one_and_replace(field("_id").eq(85), &replaced).return_new().run();
    assert_eq!(new.unwrap().unwrap().to_document().unwrap(), doc! { "_id": 85, "age": -1 });
    let gone = users.find_one_and_delete(field("age").eq(-1)).run().unwrap().unwrap();
    assert_eq!((gone.id().unwrap(), users.count().unwrap()), (85.into(), 99));
    assert!(users.find_one_and_delete(field("age").eq(-1)).run().unwrap().is_none());

    let upsert = users.find_one_and_update(field("_id").eq("new"), &grow).upsert();
    assert!(upsert.run().unwrap().is_none());
    let upsert = users.find_one_and_update(field("_id").eq("newer"), &grow).upsert();
    let new = upsert.return_new().run().unwrap().unwrap();
    assert_eq!(new.to_document().unwrap(), doc! { "_id": "newer", "age": 100 });
}

#[test]
fn what_a_search_shows_is_as_of_one_moment() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    all.insert_many((0..1000).map(|n| doc! { "n": n })).unwrap();
    let snapshot = db.snapshot().collection("all");
    let mut found = all.find(field("n").gte(500)).run().unwrap();
    found.next().unwrap().unwrap();
    all.update_many(Filter::all(), update(r#"{"$inc": {"n": -1000}}"#)).unwrap();
    assert_eq!(found.count(), 499);
    assert_eq!(snapshot.count_documents(field("n").gte(0)).unwrap(), 1000);
    assert_eq!(all.count_documents(field("n").gte(0)).unwrap(), 0);

    let tx = db.begin_write();
    let within = tx.collection("all");
    within.insert(doc! { "n": 7 }).unwrap();
    assert!(within.exists(field("n").eq(7)).unwrap());
    assert!(!all.exists(field("n").eq(7)).unwrap());
    assert_eq!(within.delete_many(field("n").lt(0)).unwrap(), 1000);
    let eight = update(r#"{"$set": {"n": 8}}"#);
    assert!(within.find_one_and_update(field("n").eq(7), &eight).run().unwrap().is_some());
    tx.rollback();
    assert_eq!(all.count_documents(field("n").lt(0)).unwrap(), 1000);
}

#[test]
fn an_update_of_more_pages_than_the_cache_has_succeeds_up_to_its_limit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let options = Database::options().cache_bytes_max(1 << 20).transaction_bytes_max(8 << 20);
    let db = options.open(&path).unwrap();
    let all = db.collection("all");
    let filling = "x".repeat(1000);
    for start in (0..12_000).step_by(3_000) {
        let document = |n: i64| doc! { "_id": n, "n": (n % 10), "filling": (filling.as_str()) };
        all.insert_many((start..start + 3_000).map(document)).unwrap();
    }
    let grow = update(r#"{"$inc": {"n": 100}}"#);
    // Three documents have a page: some 16 MiB.
    let error = all.update_many(Filter::all(), &grow).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("transaction_bytes_max"), "{error}");
    assert_eq!(all.count_documents(field("n").gte(100)).unwrap(), 0);
    // A part of that, eight times what the cache may have.
    let half = field("_id").lt(6_000);
    assert_eq!(all.update_many(&half, &grow).unwrap().modified, 6_000);
    drop(all);
    db.close().unwrap();

    let db = Database::open(&path).unwrap();
    let all = db.collection("all");
    assert_eq!(all.count_documents(field("n").gte(100)).unwrap(), 6_000);
    assert_eq!(all.update_many(Filter::all(), &grow).unwrap().modified, 12_000);
    assert!(db.check().unwrap().is_clean());
}

#[test]
fn a_collection_that_does_not_exist_is_empty_and_is_not_made() {
    let db = Database::in_memory().unwrap();
    let none = db.collection("none");
    assert!(none.find(Filter::all()).run().unwrap().next().is_none());
    assert_eq!(
        none.update_many(Filter::all(), update(r#"{"$set": {"a": 1}}"#)).unwrap().matched,
        0
    );
    assert_eq!(none.delete_many(Filter::all()).unwrap(), 0);
    assert!(db.collections().unwrap().is_empty());
    none.upsert(Filter::all(), update(r#"{"$set": {"a": 1}}"#)).unwrap();
    assert_eq!(none.count().unwrap(), 1);
}

#[test]
fn documents_are_filters_and_values_are_operands() {
    let users = users();
    let by_document = Filter::try_from(&doc! { "age": { "$in": [1, 2] } }).unwrap();
    assert_eq!(by_document, field("age").is_in([1, 2]));
    let value = Value::from(3);
    assert_eq!(users.count_documents(field("age").eq(&value)).unwrap(), 10);
    let id = users.find_one(field("age").eq(4)).unwrap().unwrap().id().unwrap().to_owned();
    assert!(users.exists(field("_id").eq(&id)).unwrap());
    let grow = Update::try_from(doc! { "$inc": { "age": 1 } }).unwrap();
    assert_eq!(users.update_one(field("_id").eq(id), &grow).unwrap().modified, 1);
    let error = Filter::try_from(&doc! { "age": { "$foo": 1 } }).unwrap_err();
    assert_eq!(error.to_string(), "unknown operator `$foo` on `age`");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_sort_with_a_limit_is_the_start_of_the_whole(numbers in prop::collection::vec(-5_i64..5, 0..60), skip in 0_u16..20, limit in 0_u16..20, descending in any::<bool>()) {
        let all = Database::in_memory().unwrap().collection("all");
        all.insert_many(numbers.iter().map(|&n| doc! { "n": n })).unwrap();
        let sort = if descending { Sort::descending("n") } else { Sort::ascending("n") };
        let mut expected: Vec<(i64, i64)> = numbers.iter().copied().zip(1..).collect();
        expected.sort_by_key(|&(n, _)| if descending { -n } else { n });
        // 0 is no limit.
        let taken = if limit == 0 { usize::MAX } else { limit.into() };
        let expected: Vec<i64> =
            expected.into_iter().map(|(_, id)| id).skip(skip.into()).take(taken).collect();
        let found = all.find(Filter::all()).sort(sort).skip(skip.into()).limit(limit.into()).run().unwrap();
        prop_assert_eq!(ids(found), expected);
    }
}

#[test]
fn a_filter_of_a_value_that_can_not_be_stored_is_an_error_of_every_verb() {
    let mut deep = Value::from(1);
    for _ in 0..120 {
        deep = Value::Array(vec![deep]);
    }
    let mut long = Document::new();
    long.insert("n".repeat(2_000), 1);
    let bad: [Value; 3] = [Value::Ext(-1, vec![0]), deep, Value::Document(long)];
    let grow = update(r#"{"$inc": {"age": 1}}"#);
    let new = doc! { "b": 1 };
    for value in &bad {
        for filter in [
            field("absent").eq(value),
            field("absent").ne(value),
            field("absent").is_in([value]),
            field("absent").not_in([value]),
            field("absent").all([value]),
            !field("absent").eq(value),
            field("_id").eq(value),
            field("age").gte(0).or(field("absent").eq(value)),
            field("age").gte(0).and(field("absent").lte(value)),
        ] {
            let users = users();
            let kinds = [
                users.find(&filter).run().map(drop),
                users.find(&filter).sort(Sort::ascending("age")).run().map(drop),
                users.find(&filter).threads(2).run().map(drop),
                users.find_one(&filter).map(drop),
                users.count_documents(&filter).map(drop),
                users.exists(&filter).map(drop),
                users.distinct("age", &filter).map(drop),
                users.find(&filter).explain_analyze().map(drop),
                users.update_one(&filter, &grow).map(drop),
                users.update_many(&filter, &grow).map(drop),
                users.upsert(&filter, &grow).map(drop),
                users.replace_one(&filter, &new).map(drop),
                users.replace_or_insert(&filter, &new).map(drop),
                users.delete_one(&filter).map(drop),
                users.delete_many(&filter).map(drop),
                users.find_one_and_update(&filter, &grow).upsert().run().map(drop),
                users.find_one_and_replace(&filter, &new).upsert().run().map(drop),
                users.find_one_and_delete(&filter).run().map(drop),
                users.bulk_write([BulkOperation::delete_many(&filter)]).map(drop),
            ]
            .map(|result| result.unwrap_err().kind());
            assert_eq!(kinds, [ErrorKind::Invalid; 19]);
            assert_eq!(users.count().unwrap(), 100);
            assert_eq!(users.count_documents(field("age").eq(9)).unwrap(), 10);
        }
    }
    let long = "a.".repeat(101);
    let users = users();
    assert!(users.find(Filter::all()).sort(Sort::ascending(&long)).run().is_err());
    assert!(users.find(Filter::all()).sort(Sort::ascending(&long)).first().is_err());
    let empty = Database::in_memory().unwrap().collection("empty");
    assert!(empty.find(Filter::all()).sort(Sort::ascending(&long)).run().is_err());
    assert!(users.find_one_and_delete(Filter::all()).sort(Sort::ascending(&long)).run().is_err());
    assert_eq!(users.count().unwrap(), 100);
}

#[test]
fn an_update_given_as_a_replacement_is_refused_by_every_verb_and_nothing_is_lost() {
    let users = users();
    let before = documents(users.find(Filter::all()).run().unwrap());
    for slip in [doc! { "$set": { "x": 1 } }, doc! { "_id": 5, "x": 1, "$inc": { "y": 1 } }] {
        for filter in [field("_id").eq(5), field("age").eq(5), field("age").eq(77)] {
            let results = [
                users.replace_one(&filter, &slip).map(drop),
                users.replace_or_insert(&filter, &slip).map(drop),
                users.find_one_and_replace(&filter, &slip).run().map(drop),
                users.find_one_and_replace(&filter, &slip).upsert().run().map(drop),
                users.bulk_write([BulkOperation::replace_one(&filter, &slip)]).map(drop),
                users.bulk_write([BulkOperation::replace_or_insert(&filter, &slip)]).map(drop),
            ];
            for result in results {
                let error = result.unwrap_err();
                let text = error.to_string();
                assert!(text.contains("a replacement can't have the field `$"), "{text}");
                assert_eq!(error.kind(), ErrorKind::Invalid);
            }
        }
    }
    assert_eq!(documents(users.find(Filter::all()).run().unwrap()), before);
}

#[test]
fn a_replacement_with_another_id_than_the_filter_names_inserts_nothing_and_takes_no_id() {
    let users = Database::in_memory().unwrap().collection("users");
    let other = doc! { "_id": 7, "a": 1 };
    for filter in [
        field("_id").eq(5),
        field("_id").is_in([5]),
        field("_id").all([5]),
        filter(r#"{"$or": [{"_id": 5}]}"#),
    ] {
        let error = users.replace_or_insert(&filter, &other).unwrap_err();
        assert!(is_id_mismatch(&error), "{error}");
        let tx = users.find_one_and_replace(&filter, &other).upsert().run();
        assert!(is_id_mismatch(&tx.unwrap_err()));
        assert_eq!(users.count().unwrap(), 0);
    }
    assert_eq!(users.insert(doc! {}).unwrap(), 1.into());
    for filter in
        [r#"{"_id": {"$all": [5]}}"#, r#"{"$or": [{"_id": 6}]}"#, r#"{"_id": {"$in": [9]}}"#]
    {
        let wanted = filter.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
        let wanted: i64 = wanted.unwrap().parse().unwrap();
        let updated = users.replace_or_insert(self::filter(filter), &doc! { "a": 1 }).unwrap();
        assert_eq!(updated.upserted, Some(wanted.into()));
    }
    // Two values for one id, and one that can be none.
    for filter in [r#"{"_id": {"$all": [50, 50]}}"#, r#"{"_id": [1, 2]}"#, r#"{"_id": 1.5}"#] {
        let error = users.replace_or_insert(self::filter(filter), &doc! { "a": 1 }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{filter}: {error}");
    }
    assert_eq!(users.count().unwrap(), 4);
}

#[test]
fn an_upsert_by_a_list_of_one_is_found_the_next_time() {
    let tags = Database::in_memory().unwrap().collection("tags");
    let count = update(r#"{"$inc": {"n": 1}}"#);
    for _ in 0..2 {
        tags.upsert(filter(r#"{"tag": {"$in": ["x"]}}"#), &count).unwrap();
    }
    let all = documents(tags.find(Filter::all()).run().unwrap());
    assert_eq!(all, [doc! { "_id": 1, "tag": "x", "n": 2 }]);
    let error = tags.upsert(filter(r#"{"tag": {"$all": ["p", "q"]}}"#), &count).unwrap_err();
    assert!(internal::<UpdateError>(&error).is_some(), "{error}");
}

#[test]
fn the_element_by_which_a_document_passed_is_all_that_is_wanted_of_its_array() {
    let all = Database::in_memory().unwrap().collection("all");
    all.insert_many((0..50).map(|n| doc! { "n": n, "r": [n, (n + 1), (n + 2)] })).unwrap();
    let projection = || Projection::parse_json(r#"{"r.$": 1, "_id": 0}"#).unwrap();
    let find = || all.find(field("r").gte(49)).projection(projection());
    let expected = [doc! { "r": [49] }, doc! { "r": [49] }, doc! { "r": [49] }];
    assert_eq!(documents(find().run().unwrap()), expected);
    assert_eq!(documents(find().threads(3).run().unwrap()), expected);
    let sort = || Sort::descending("n");
    assert_eq!(documents(find().sort(sort()).run().unwrap()), expected);
    assert_eq!(
        documents(find().sort(sort()).threads(3).sort_bytes_max(1).run().unwrap()),
        expected
    );
    // Nothing says which element.
    let any = all.find(field("n").eq(5)).projection(projection());
    let error = any.run().unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().starts_with("`r.$` needs a filter"), "{error}");

    let one = update(r#"{"$inc": {"n": 100}}"#);
    let old = all.find_one_and_update(field("r").eq(51), &one).projection(projection());
    assert_eq!(old.run().unwrap().unwrap().to_document().unwrap(), doc! { "r": [51] });
    let new = all.find_one_and_update(field("r").eq(51), &one).projection(projection());
    assert_eq!(new.return_new().run().unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(all.count_documents(field("n").gte(200)).unwrap(), 0);
}

#[test]
fn counting_what_every_document_matches_reads_no_document() {
    let storage = SimStorage::new();
    let open = || Database::options().open_on(Arc::new(storage.clone())).unwrap();
    let db = open();
    let documents = (0..1000).map(|n| doc! { "_id": n, "text": ("x".repeat(100)) });
    db.collection("all").insert_many(documents).unwrap();
    db.close().unwrap();
    let db = open();
    let (all, snapshot) = (db.collection("all"), db.snapshot().collection("all"));
    storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Read).for_ever());
    assert_eq!(all.count_documents(Filter::all()).unwrap(), 1000);
    assert_eq!(all.find(Filter::all()).threads(2).count().unwrap(), 1000);
    assert_eq!(all.find(Filter::all()).skip(990).limit(20).count().unwrap(), 10);
    assert_eq!(snapshot.count_documents(filter("{}")).unwrap(), 1000);
    assert!(all.count_documents(field("text").exists(true)).is_err());
    storage.clear_fault();
    let tx = db.begin_write();
    tx.collection("all").delete(5).unwrap();
    assert_eq!(tx.collection("all").count_documents(Filter::all()).unwrap(), 999);
    assert_eq!(tx.collection("none").count_documents(Filter::all()).unwrap(), 0);
}
