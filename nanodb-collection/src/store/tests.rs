//! What is kept for snapshots, and for how long.

use std::sync::Arc;

use super::Store;
use crate::database::Database;
use crate::doc;
use crate::document::Document;

impl Store {
    /// How many states, and how many former index entries.
    fn kept(&self) -> (usize, usize) {
        (self.states.lock().len(), self.history.lock().len())
    }
}

fn sized(id: i64, size: usize) -> Document {
    doc! { "_id": id, "text": ("x".repeat(size)) }
}

fn store(db: &Database, name: &str) -> Arc<Store> {
    Arc::clone(&db.shared().catalog.names.current(name).unwrap().store)
}

#[test]
fn what_is_kept_for_a_snapshot_does_not_grow_and_goes_with_it() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((0..20).map(|id| sized(id, 10))).unwrap();
    let store = store(&db, "a");
    let first = db.snapshot();
    for round in 0..100_usize {
        for id in 0..20 {
            // Moves, goes and comes back.
            assert!(a.replace(id, sized(id, 1000 * (1 + round % 4))).unwrap());
            assert!(a.delete(id).unwrap());
            a.insert(sized(id, 10)).unwrap();
        }
        let (states, former) = store.kept();
        assert!(states <= 3 && former <= 20, "{states} states, {former} entries");
    }
    let second = db.snapshot();
    for id in 0..20 {
        assert!(a.delete(id).unwrap());
    }
    let (states, former) = store.kept();
    assert!(states <= 4 && former <= 40, "{states} states, {former} entries");
    let all: Vec<i64> = (0..20).collect();
    for snapshot in [&first, &second] {
        let found = snapshot.collection("a").get_many(all.iter().copied()).unwrap();
        assert!(found.iter().all(Option::is_some));
    }
    drop(second);
    assert_eq!(first.collection("a").count(), 20);
    assert!(first.collection("a").get(7).unwrap().is_some());
    assert!(store.kept().1 <= 20);
    drop(first);
    assert_eq!(store.kept(), (1, 0));
    assert_eq!(a.count(), 0);
}

#[test]
fn cursors_keep_no_more_than_snapshots_do() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((0..20).map(|id| sized(id, 10))).unwrap();
    let store = store(&db, "a");
    let mut cursors: Vec<_> = (0..10)
        .map(|id| {
            let cursor = a.scan().unwrap();
            assert!(a.delete(id).unwrap());
            cursor
        })
        .collect();
    assert!(store.kept().0 <= 12);
    drop(cursors.swap_remove(4));
    assert!(store.kept().0 <= 11);
    cursors.clear();
    assert_eq!(store.kept(), (1, 0));
}

#[test]
fn a_name_means_what_it_did_for_as_long_as_a_snapshot_wants_it() {
    let db = Database::in_memory().unwrap();
    for round in 0..50_i64 {
        let before = db.snapshot();
        db.collection("a").insert(sized(round, 10)).unwrap();
        let with = db.snapshot();
        db.rename_collection("a", "b").unwrap();
        let renamed = db.snapshot();
        assert!(db.drop_collection("b").unwrap());
        for (snapshot, a, b) in [(&before, 0, 0), (&with, 1, 0), (&renamed, 0, 1)] {
            let count = |name| snapshot.collection(name).count();
            assert_eq!((count("a"), count("b")), (a, b));
            assert_eq!(snapshot.collections().len() as u64, a + b);
            let found = snapshot.collection("a").get(round).unwrap();
            assert_eq!(found.is_some(), a == 1);
        }
        assert!(db.collections().is_empty());
    }
    assert_eq!(db.shared().catalog.names.len(), 0);
}
