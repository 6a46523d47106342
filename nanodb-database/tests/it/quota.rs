//! A limit on the file's size.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use nanodb_collection::EngineError;
use nanodb_database::{Database, Document, Durability, Error, ErrorKind, Id, Options, doc};
use nanodb_sim::SimStorage;
use proptest::prelude::*;

use super::internal;

const LIMIT: u64 = 1 << 20;

fn options() -> Options {
    Database::options().durability(Durability::Buffered).background(false).file_bytes_max(LIMIT)
}

fn text(bytes: usize) -> Document {
    doc! { "text": ("x".repeat(bytes)) }
}

/// Inserts until that is refused; returns how many were and the refusal.
fn fill(db: &Database, name: &str, bytes: usize) -> (u64, Error) {
    let collection = db.collection(name);
    let before = collection.count().unwrap();
    let refused = (0..1_000_000).find_map(|_| collection.insert(text(bytes)).err()).unwrap();
    (collection.count().unwrap() - before, refused)
}

fn ids(db: &Database) -> Vec<Id> {
    let documents = db.collection("a").iter().unwrap();
    documents.map(|document| document.unwrap().id().unwrap().to_owned()).collect()
}

fn is_clean(db: &Database) {
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

fn file_len(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[test]
fn the_write_that_would_pass_the_limit_is_refused_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = options().open(&path).unwrap();
    let (count, refused) = fill(&db, "a", 500);
    assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(refused.file(), Some(&*path));
    let Some(EngineError::QuotaExceeded { path: named, bytes_max }) = internal(&refused) else {
        panic!("{refused}")
    };
    assert_eq!((named.as_deref(), *bytes_max), (Some(&*path), LIMIT));
    let message = refused.to_string();
    assert!(message.contains("data.nanodb") && message.contains("1048576"), "{message}");
    assert!(message.contains("compact"), "{message}");
    // Most of the room is for documents.
    assert!(count * 520 > LIMIT / 10 * 8, "{count}");
    assert_eq!(db.collection("a").count().unwrap(), count);
    is_clean(&db);
    db.checkpoint().unwrap();
    assert!(file_len(&path) <= LIMIT);

    // What fits into pages that there are is none too much; what would grow is.
    assert!(db.collection("a").replace(1, text(500)).unwrap());
    let grown = db.collection("a").replace(2, text(100_000)).unwrap_err();
    assert_eq!(grown.kind(), ErrorKind::QuotaExceeded);
    let spilled = db.collection("b").insert(text(1 << 20)).unwrap_err();
    assert_eq!(spilled.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(db.collections().unwrap().len(), 1);
    db.close().unwrap();
    assert!(file_len(&path) <= LIMIT);

    // Opened with less, it can be read and emptied; with more it grows.
    let db = options().file_bytes_max(LIMIT / 2).open(&path).unwrap();
    assert_eq!(fill(&db, "a", 5000).0, 0);
    assert_eq!(db.collection("a").iter().unwrap().count() as u64, count);
    for id in 1..=count.cast_signed() / 4 * 3 {
        assert!(db.collection("a").delete(id).unwrap());
    }
    db.compact().unwrap();
    assert!(file_len(&path) <= LIMIT / 2, "{}", file_len(&path));
    assert!(fill(&db, "a", 500).0 > count / 8);
    is_clean(&db);
    db.close().unwrap();
    let db = options().file_bytes_max(2 * LIMIT).open(&path).unwrap();
    assert!(fill(&db, "a", 500).0 > count);
}

#[test]
fn what_is_deleted_at_the_limit_makes_room_again() {
    for on_disk in [true, false] {
        let db = if on_disk {
            options().open_on(Arc::new(SimStorage::new())).unwrap()
        } else {
            options().in_memory().unwrap()
        };
        let (count, _) = fill(&db, "a", 700);
        for round in 0..4 {
            // In one transaction, one by one, and as a whole.
            match round {
                0 => db
                    .write(|tx| {
                        ids(&db).iter().try_for_each(|id| tx.collection("a").delete(id).map(drop))
                    })
                    .unwrap(),
                1 | 2 => ids(&db).iter().skip(10).for_each(|id| {
                    assert!(db.collection("a").delete(id).unwrap());
                }),
                _ => assert!(db.drop_collection("a").unwrap()),
            }
            is_clean(&db);
            let (again, refused) = fill(&db, "a", 700);
            assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
            let now = db.collection("a").count().unwrap();
            assert!(now * 10 > count * 9, "{round}: {now} of {count}");
            assert!(again > 0);
            is_clean(&db);
            assert!(db.stats().unwrap().page_count * 4096 <= LIMIT);
        }
    }
}

#[test]
fn a_transaction_that_passes_the_limit_is_rolled_back() {
    let db = options().open_on(Arc::new(SimStorage::new())).unwrap();
    db.collection("a").insert(doc! { "_id": 1 }).unwrap();
    let tx = db.begin_write();
    tx.collection("b").insert(doc! { "_id": 1 }).unwrap();
    let refused = (0..100_000).find_map(|_| tx.collection("a").insert(text(900)).err()).unwrap();
    assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::TransactionOver);
    assert_eq!((db.collections().unwrap().len(), db.collection("a").count().unwrap()), (1, 1));
    // And none of its room is lost.
    let many = db.collection("a").insert_many((0..5000).map(|_| text(900)));
    assert_eq!(many.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert!(fill(&db, "a", 900).0 * 920 > LIMIT / 10 * 7);
    is_clean(&db);
}

#[test]
fn threads_share_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = options().background(true).open(&path).unwrap();
    let counts: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let db = &db;
                scope.spawn(move || {
                    let name = if number < 2 { "a" } else { "b" };
                    let (mut inserted, mut refusals) = (0, 0);
                    while refusals < 3 {
                        match db.collection(name).insert(text(400)) {
                            Ok(_) => inserted += 1,
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
                                refusals += 1;
                            }
                        }
                    }
                    inserted
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let total: u64 = db.collections().unwrap().iter().map(|info| info.count).sum();
    assert_eq!(total, counts.iter().sum::<u64>());
    assert!(total * 420 > LIMIT / 10 * 8, "{total}");
    is_clean(&db);
    db.close().unwrap();
    assert!(file_len(&path) <= LIMIT);
}

fn cases() -> u32 {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { 10_000 } else { 48 }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(i64, usize),
    InsertMany(i64, usize, usize),
    Replace(i64, usize),
    Delete(i64),
    DeleteMany(i64, usize),
    Checkpoint,
    Compact,
    Reopen,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let id = || 0..200_i64;
    let bytes = || prop_oneof![8 => 0..300_usize, 3 => 300..3000_usize, 1 => 3000..40_000_usize];
    let op = prop_oneof![
        8 => (id(), bytes()).prop_map(|(id, bytes)| Op::Insert(id, bytes)),
        4 => (id(), 1..60_usize, bytes()).prop_map(|(id, count, bytes)| Op::InsertMany(id, count, bytes)),
        4 => (id(), bytes()).prop_map(|(id, bytes)| Op::Replace(id, bytes)),
        4 => id().prop_map(Op::Delete),
        2 => (id(), 1..60_usize).prop_map(|(id, count)| Op::DeleteMany(id, count)),
        1 => Just(Op::Checkpoint),
        1 => Just(Op::Compact),
        1 => Just(Op::Reopen),
    ];
    prop::collection::vec(op, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_refused_at_the_limit_changes_nothing(
        ops in ops(),
        pages_max in 24..160_u64,
    ) {
        let limit = pages_max * 4096;
        let storage = SimStorage::new();
        let open = || options().file_bytes_max(limit).open_on(Arc::new(storage.clone())).unwrap();
        let document = |id: i64, bytes| {
            let mut document = text(bytes);
            document.insert("_id", id);
            document
        };
        let mut db = open();
        let mut model = BTreeMap::new();
        // What is refused for its size is refused for that alone.
        let done = |result: Result<(), Error>| match result {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::DuplicateId => false,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
                false
            }
        };
        for op in ops {
            let a = db.collection("a");
            match op {
                Op::Insert(id, bytes) => {
                    let inserted = done(a.insert(document(id, bytes)).map(drop));
                    prop_assert!(!inserted || model.insert(id, bytes).is_none());
                }
                Op::InsertMany(first, count, bytes) => {
                    let ids = || (first..).take(count);
                    if done(a.insert_many(ids().map(|id| document(id, bytes))).map(drop)) {
                        prop_assert!(ids().all(|id| model.insert(id, bytes).is_none()));
                    }
                }
                Op::Replace(id, bytes) => {
                    let replaced = a.replace(id, document(id, bytes));
                    prop_assert!(replaced.as_ref().map_or(true, |&found| found == model.contains_key(&id)));
                    if done(replaced.map(drop)) && let Some(old) = model.get_mut(&id) {
                        *old = bytes;
                    }
                }
                Op::Delete(id) => prop_assert_eq!(a.delete(id).unwrap(), model.remove(&id).is_some()),
                Op::DeleteMany(first, count) => {
                    let ids = || (first..).take(count);
                    db.write(|tx| ids().try_for_each(|id| tx.collection("a").delete(id).map(drop))).unwrap();
                    model.retain(|id, _| !ids().any(|gone| gone == *id));
                }
                Op::Checkpoint => db.checkpoint().unwrap(),
                Op::Compact => db.compact().unwrap(),
                Op::Reopen => {
                    drop(a);
                    db.close().unwrap();
                    db = open();
                }
            }
            prop_assert!(storage.contents().len() as u64 <= limit);
        }
        is_clean(&db);
        let found: BTreeMap<i64, usize> = db
            .collection("a")
            .iter()
            .unwrap()
            .map(|document| {
                let document = document.unwrap();
                let id = document.get("_id").unwrap().as_i64().unwrap();
                (id, document.get("text").unwrap().as_str().unwrap().len())
            })
            .collect();
        prop_assert_eq!(found, model);
    }
}
