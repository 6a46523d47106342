#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::{Database, Filter, Transaction, doc, field};

/// What every verb of the trait says.
fn all_verbs(handle: &impl ReadCollection) -> String {
    let ids = |found: Vec<Option<StoredDoc>>| -> Vec<bool> {
        found.iter().map(Option::is_some).collect()
    };
    let mut scan = handle.scan().unwrap();
    let mut scanned = 0;
    while scan.next().unwrap().is_some() {
        scanned += 1;
    }
    format!(
        "{} {} {:?} {:?} {:?} {scanned} {} {} {:?} {} {} {:?}",
        handle.name(),
        handle.count().unwrap(),
        handle.get(1).unwrap().map(|found| found.to_document().unwrap()),
        ids(handle.get_many([1, 9]).unwrap()),
        handle.contains(2).unwrap(),
        handle.iter().unwrap().count(),
        handle.find(field("n").gte(5)).run().unwrap().count(),
        handle.find_one(field("n").eq(6)).unwrap().map(|found| found.to_document().unwrap()),
        handle.count_documents(field("n").lt(6)).unwrap(),
        handle.exists(field("n").eq(7)).unwrap(),
        handle.distinct("n", Filter::all()).unwrap(),
    )
}

/// The same by the methods that need no import of the trait.
macro_rules! all_methods {
    ($handle:expr, $count:expr) => {{
        // Only the methods: the trait is not in scope of these paths.
        let handle = $handle;
        let mut scan = handle.scan().unwrap();
        let mut scanned = 0;
        while scan.next().unwrap().is_some() {
            scanned += 1;
        }
        let many = handle.get_many([1, 9]).unwrap();
        format!(
            "{} {} {:?} {:?} {:?} {scanned} {} {} {:?} {} {} {:?}",
            handle.name(),
            $count,
            handle.get(1).unwrap().map(|found| found.to_document().unwrap()),
            many.iter().map(Option::is_some).collect::<Vec<_>>(),
            handle.contains(2).unwrap(),
            handle.iter().unwrap().count(),
            handle.find(field("n").gte(5)).run().unwrap().count(),
            handle.find_one(field("n").eq(6)).unwrap().map(|found| found.to_document().unwrap()),
            handle.count_documents(field("n").lt(6)).unwrap(),
            handle.exists(field("n").eq(7)).unwrap(),
            handle.distinct("n", Filter::all()).unwrap(),
        )
    }};
}

/// Where `ReadCollection` is not imported.
mod without_the_trait {
    use crate::{Collection, Filter, SnapshotCollection, TransactionCollection, field};

    pub(super) fn of_collection(handle: &Collection) -> String {
        all_methods!(handle, handle.count().unwrap())
    }

    pub(super) fn of_snapshot(handle: &SnapshotCollection) -> String {
        all_methods!(handle, handle.count().unwrap())
    }

    pub(super) fn of_transaction(handle: &TransactionCollection<'_>) -> String {
        all_methods!(handle, handle.count().unwrap())
    }
}

#[test]
fn three_handles_read_alike_through_the_trait_and_without_it() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    all.insert_many([doc! { "n": 5 }, doc! { "n": 6 }, doc! { "n": 6 }]).unwrap();
    let expected = all_verbs(&all);
    assert!(expected.starts_with("all 3 Some("), "{expected}");
    assert!(expected.contains(" 1 false ["), "{expected}");
    let snapshot = db.snapshot().collection("all");
    let transaction: Transaction = db.begin_write();
    let within = transaction.collection("all");
    for found in [
        all_verbs(&snapshot),
        all_verbs(&within),
        without_the_trait::of_collection(&all),
        without_the_trait::of_snapshot(&snapshot),
        without_the_trait::of_transaction(&within),
    ] {
        assert_eq!(found, expected);
    }
    within.insert(doc! { "n": 7 }).unwrap();
    assert_ne!(all_verbs(&within), expected);
    assert_eq!(all_verbs(&snapshot), expected);
}
