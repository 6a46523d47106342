//! What is found by a filter is changed where it was found: once each, wherever documents have
//! moved meanwhile.

use std::collections::BTreeMap;

use nanodb_database::{
    BulkOperation, Database, DocView, Document, Draft, Encode, Error, ErrorKind, Filter, IdRef,
    Sort, TransactionCollection, Update, doc, field,
};
use nanodb_query::UpdateError;
use proptest::prelude::*;

use super::internal;

fn json(update: &str) -> Update {
    Update::parse_json(update).unwrap()
}

/// Counts an update, and has the document take this many bytes more or less.
fn grown(len: usize) -> Update {
    json(&format!(r#"{{"$inc": {{"times": 1}}, "$set": {{"pad": "{}"}}}}"#, "p".repeat(len)))
}

fn number(document: &DocView, name: &str) -> i64 {
    document.get(name).and_then(|value| value.as_i64()).unwrap()
}

fn is_clean(db: &Database) {
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

/// Pages full of documents that each become so large that nearly all of them have to move, some of
/// them to where others have been.
#[test]
fn documents_that_move_while_all_are_updated_are_updated_once_each() {
    for len in [100, 900, 3000, 6000, 20_000] {
        let db = Database::in_memory().unwrap();
        let a = db.collection("a");
        a.insert_many((0..200).map(|id| doc! { "_id": id, "times": 0, "pad": "p".repeat(60) }))
            .unwrap();
        let updated = a.update_many(field("times").gte(0), grown(len)).unwrap();
        assert_eq!((updated.matched, updated.modified), (200, 200), "{len}");
        let back = a.update_many(field("times").gte(0), grown(1)).unwrap();
        assert_eq!((back.matched, back.modified), (200, 200), "{len}");
        for id in 0..200 {
            let found = a.get(id).unwrap().unwrap();
            assert_eq!((number(&found, "times"), number(&found, "_id")), (2, id));
        }
        assert_eq!((a.count().unwrap(), a.scan_all()), (200, 200));
        is_clean(&db);
    }
}

trait ScanAll {
    fn scan_all(&self) -> usize;
}

impl ScanAll for nanodb_database::Collection {
    fn scan_all(&self) -> usize {
        self.iter().unwrap().map(Result::unwrap).count()
    }
}

#[test]
fn documents_that_the_same_transaction_has_moved_are_found_where_they_are() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((0..100).map(|id| doc! { "_id": id, "times": 0, "pad": "p".repeat(60) }))
        .unwrap();
    let transaction = db.begin_write();
    let within = transaction.collection("a");
    for (id, len) in (0..100).step_by(3).zip([10, 2000, 9000].into_iter().cycle()) {
        assert!(within.replace(id, doc! { "times": 0, "pad": "q".repeat(len) }).unwrap());
    }
    assert_eq!(within.delete_many(field("_id").gte(90)).unwrap(), 10);
    within.insert_many((100..150).map(|id| doc! { "_id": id, "times": 0 })).unwrap();
    for (round, len) in [(1, 700), (2, 5000), (3, 5)] {
        let updated = within.update_many(field("times").gte(0), grown(len)).unwrap();
        assert_eq!((updated.matched, updated.modified), (140, 140), "{round}");
        assert!(within.iter().unwrap().all(|found| number(&found.unwrap(), "times") == round));
    }
    assert_eq!(within.delete_many(field("_id").lt(50)).unwrap(), 50);
    transaction.commit().unwrap();
    assert_eq!((a.count().unwrap(), a.scan_all()), (90, 90));
    assert!((0..150).all(|id| a.contains(id).unwrap() == (50..90).chain(100..150).contains(&id)));
    is_clean(&db);
}

trait Contains {
    fn contains(self, wanted: &i64) -> bool;
}

impl<I: Iterator<Item = i64>> Contains for I {
    fn contains(mut self, wanted: &i64) -> bool {
        self.any(|number| number == *wanted)
    }
}

#[test]
fn one_document_is_found_and_changed_by_each_verb() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((0..9).map(|id| doc! { "_id": id, "times": 0, "pad": "p".repeat(900) })).unwrap();
    a.update_one(field("_id").eq(1), grown(3000)).unwrap();
    a.update_one(field("pad").exists(true).and(field("times").eq(1)), grown(9000)).unwrap();
    a.replace_one(field("times").eq(2), &doc! { "times": 7 }).unwrap();
    assert_eq!(a.get(1).unwrap().unwrap().to_document().unwrap(), doc! { "_id": 1, "times": 7 });
    let update = grown(2500);
    let found = a.find_one_and_update(field("times").eq(0), &update).sort(Sort::descending("_id"));
    assert_eq!(number(&found.return_new().run().unwrap().unwrap(), "_id"), 8);
    let new = doc! { "times": 20 };
    let before = a.find_one_and_replace(field("_id").eq(8), &new).run().unwrap().unwrap();
    assert_eq!(number(&before, "times"), 1);
    let gone = a.find_one_and_delete(field("times").eq(20)).run().unwrap().unwrap();
    assert_eq!(number(&gone, "_id"), 8);
    assert!(!a.contains(8).unwrap());
    assert_eq!(a.delete_one(field("times").eq(0)).unwrap(), 1);
    let large = grown(20_000);
    let written = a
        .bulk_write([
            BulkOperation::update_many(field("times").eq(0), &large),
            BulkOperation::update_many(field("times").eq(1), &large),
            BulkOperation::delete_one(field("times").eq(2)),
            BulkOperation::replace_one(field("times").eq(2), doc! { "times": 30 }),
        ])
        .unwrap();
    assert_eq!((written.matched, written.modified, written.deleted), (13, 13, 1));
    assert_eq!((a.count().unwrap(), a.scan_all()), (6, 6));
    is_clean(&db);
}

#[test]
fn a_document_in_place_of_one_that_was_found_keeps_its_id() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert(doc! { "_id": 1, "n": 1 }).unwrap();
    let refused = a.replace_one(field("n").eq(1), &doc! { "_id": 2, "n": 2 }).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the document has the id 2, but is to replace the one with the id 1",
    );
    assert_eq!((refused.kind(), refused.id()), (ErrorKind::Invalid, Some(1.into())));
    let other = json(r#"{"$set": {"_id": 2}}"#);
    let refused = a.update_one(field("n").eq(1), &other).unwrap_err();
    assert!(internal::<UpdateError>(&refused).is_some(), "{refused}");
    let long = json(&format!(r#"{{"$set": {{"{}": 2}}}}"#, "x".repeat(1025)));
    let refused = a.update_one(field("n").eq(1), &long).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert_eq!(a.get(1).unwrap().unwrap().to_document().unwrap(), doc! { "_id": 1, "n": 1 });
    assert!(!a.contains(2).unwrap());
    // The same id in another form.
    a.replace_one(field("n").eq(1), &doc! { "n": 3, "_id": 1_u64 }).unwrap();
    assert_eq!(a.get(1).unwrap().unwrap().to_document().unwrap(), doc! { "_id": 1, "n": 3 });
}

/// A document that changes the collection while it is encoded, after it was decided what it
/// replaces.
struct Meddling<'t> {
    within: &'t TransactionCollection<'t>,
    meddle: fn(&TransactionCollection<'_>),
}

impl Encode for Meddling<'_> {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft, Error> {
        (self.meddle)(self.within);
        doc! { "n": 9 }.encode(fallback, out)
    }
}

fn replace_while(meddle: fn(&TransactionCollection<'_>)) -> (u64, BTreeMap<i64, Document>) {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((1..=3).map(|id| doc! { "_id": id, "n": id })).unwrap();
    let transaction = db.begin_write();
    let within = transaction.collection("a");
    let document = Meddling { within: &within, meddle };
    let updated = within.replace_one(field("n").eq(2), &document).unwrap();
    transaction.commit().unwrap();
    is_clean(&db);
    let all = a.iter().unwrap().map(|found| {
        let found = found.unwrap();
        assert!(a.contains(number(&found, "_id")).unwrap());
        (number(&found, "_id"), found.to_document().unwrap())
    });
    (updated.modified, all.collect())
}

#[test]
fn what_has_gone_since_it_was_found_is_not_replaced_nor_is_what_took_its_record() {
    let (modified, all) = replace_while(|within| {
        within.delete(2).unwrap();
        // As large: it takes the slot and the bytes.
        within.insert(doc! { "_id": 7, "n": 2 }).unwrap();
    });
    assert_eq!(modified, 0);
    let expected = [(1, 1), (3, 3), (7, 2)].map(|(id, n)| (id, doc! { "_id": id, "n": n }));
    assert_eq!(all, expected.into());
}

#[test]
fn what_has_moved_or_changed_since_it_was_found_is_replaced() {
    let expected = [(1, 1), (2, 9), (3, 3)].map(|(id, n)| (id, doc! { "_id": id, "n": n }));
    for meddle in [
        |within: &TransactionCollection<'_>| {
            within.replace(2, doc! { "n": 2, "pad": "p".repeat(9000) }).unwrap();
        },
        |within: &TransactionCollection<'_>| {
            within.replace(2, doc! { "n": 5 }).unwrap();
        },
        |within: &TransactionCollection<'_>| {
            within.delete(2).unwrap();
            within.insert(doc! { "_id": 2, "n": 2 }).unwrap();
        },
    ] {
        let (modified, all) = replace_while(meddle);
        assert_eq!((modified, all), (1, expected.clone().into()));
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(Vec<usize>),
    Update { part: i64, len: usize, one: bool },
    Delete { part: i64, one: bool },
    Replace { part: i64, len: usize },
    FindAndUpdate { part: i64, len: usize },
    UpdateById { id: i64, len: usize },
}

fn ops() -> impl Strategy<Value = Op> {
    let len = || prop_oneof![4 => 0..300_usize, 3 => 300..3500_usize, 1 => 3500..15_000_usize];
    let part = || 1..7_i64;
    prop_oneof![
        4 => prop::collection::vec(len(), 1..30).prop_map(Op::Insert),
        4 => (part(), len(), prop::bool::weighted(0.3))
            .prop_map(|(part, len, one)| Op::Update { part, len, one }),
        2 => (part(), any::<bool>()).prop_map(|(part, one)| Op::Delete { part, one }),
        1 => (part(), len()).prop_map(|(part, len)| Op::Replace { part, len }),
        1 => (part(), len()).prop_map(|(part, len)| Op::FindAndUpdate { part, len }),
        2 => (1..60_i64, len()).prop_map(|(id, len)| Op::UpdateById { id, len }),
    ]
}

/// Ids with how often they were updated, and how long they are.
type Model = BTreeMap<i64, (i64, usize)>;

fn apply(within: &TransactionCollection<'_>, model: &mut Model, op: Op) {
    let of_part = |part: i64| Filter::parse_json(&format!(r#"{{"of": {{"$mod": [{part}, 0]}}}}"#));
    let passing = |model: &Model, part: i64| -> Vec<i64> {
        model.keys().copied().filter(|id| id % part == 0).collect()
    };
    match op {
        Op::Insert(lens) => {
            for len in lens {
                let id = model.last_key_value().map_or(1, |(id, _)| id + 1);
                let pad = "p".repeat(len);
                within.insert(doc! { "_id": id, "of": id, "times": 0, "pad": pad }).unwrap();
                model.insert(id, (0, len));
            }
        }
        Op::Update { part, len, one } => {
            let filter = of_part(part).unwrap();
            let found = passing(model, part);
            if one {
                // Which one it is, is not said.
                let updated = within.update_one(filter, grown(len)).unwrap();
                assert_eq!(updated.modified, found.len().min(1) as u64);
                for document in within.iter().unwrap() {
                    let document = document.unwrap();
                    let entry = model.get_mut(&number(&document, "_id")).unwrap();
                    if number(&document, "times") != entry.0 {
                        *entry = (entry.0 + 1, len);
                    }
                }
            } else {
                let updated = within.update_many(filter, grown(len)).unwrap();
                assert_eq!((updated.matched, updated.modified), {
                    let count = found.len() as u64;
                    (count, count)
                });
                for id in found {
                    let entry = model.get_mut(&id).unwrap();
                    *entry = (entry.0 + 1, len);
                }
            }
        }
        Op::Delete { part, one } => {
            let filter = of_part(part).unwrap();
            let found = passing(model, part);
            if one {
                assert_eq!(within.delete_one(filter).unwrap(), found.len().min(1) as u64);
                model.retain(|&id, _| within.contains(id).unwrap());
            } else {
                assert_eq!(within.delete_many(filter).unwrap(), found.len() as u64);
                model.retain(|id, _| !found.contains(id));
            }
        }
        Op::Replace { part, len } => {
            if let Some(&id) = passing(model, part).first() {
                let new = doc! { "of": id, "times": 50, "pad": "p".repeat(len) };
                let done = within.replace_one(field("of").eq(id), &new).unwrap();
                assert_eq!(done.matched, 1);
                model.insert(id, (50, len));
            }
        }
        Op::FindAndUpdate { part, len } => {
            let (filter, update) = (of_part(part).unwrap(), grown(len));
            let find = within.find_one_and_update(filter, &update).sort(Sort::descending("_id"));
            let found = find.return_new().run().unwrap();
            let expected = passing(model, part).last().copied();
            assert_eq!(found.map(|found| number(&found, "_id")), expected);
            if let Some(entry) = expected.and_then(|id| model.get_mut(&id)) {
                *entry = (entry.0 + 1, len);
            }
        }
        Op::UpdateById { id, len } => {
            let entry = model.get_mut(&id);
            assert_eq!(within.update(id, grown(len)).unwrap(), entry.is_some());
            if let Some(entry) = entry {
                *entry = (entry.0 + 1, len);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("NANODB_TEST_LONG").is_some() { 1000 } else { 24 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn documents_are_changed_as_those_of_a_map(
        transactions in prop::collection::vec(prop::collection::vec(ops(), 1..8), 1..6),
    ) {
        let db = Database::in_memory().unwrap();
        let a = db.collection("a");
        let mut model = Model::new();
        for ops in transactions {
            let transaction = db.begin_write();
            let within = transaction.collection("a");
            ops.into_iter().for_each(|op| apply(&within, &mut model, op));
            transaction.commit().unwrap();
        }
        let all: Model = a
            .iter()
            .unwrap()
            .map(|found| {
                let found = found.unwrap();
                let pad = found.get("pad").and_then(|pad| pad.as_str()).unwrap().len();
                (number(&found, "_id"), (number(&found, "times"), pad))
            })
            .collect();
        prop_assert_eq!(a.count().unwrap(), model.len() as u64);
        prop_assert!(model.keys().all(|&id| a.contains(id).unwrap()));
        prop_assert_eq!(all, model);
        let report = db.check().unwrap();
        prop_assert!(report.is_clean(), "{}", report);
    }
}

#[test]
fn what_was_read_is_stored_again_as_it_is() {
    let db = Database::in_memory().unwrap();
    let (a, b) = (db.collection("a"), db.collection("b"));
    let large = doc! { "_id": 2, "pad": "p".repeat(9000) };
    a.insert_many([&doc! { "_id": 1, "n": 1 }, &large]).unwrap();
    let [small, large] = [1, 2].map(|id| a.get(id).unwrap().unwrap());
    b.insert(&small).unwrap();
    b.insert(a.get(2).unwrap().unwrap()).unwrap();
    b.replace_one(field("_id").eq(1), &small).unwrap();
    for (id, document) in [(1, &small), (2, &large)] {
        assert_eq!(b.get(id).unwrap().unwrap().as_bytes(), document.as_bytes());
    }
    assert_eq!(b.put(3, &small).unwrap_err().kind(), nanodb_database::ErrorKind::Invalid);
    is_clean(&db);
}
