//! What is at the edge of what is allowed, and what happens at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nanodb_database::{Database, Document, Durability, ErrorKind, Id, Value, doc};
use nanodb_sim::SimStorage;

fn open(storage: &SimStorage) -> Database {
    let options = Database::options().cache_bytes_max(64 << 10).durability(Durability::Relaxed);
    let options = options.background(false);
    options.open_on(Arc::new(storage.clone())).unwrap()
}

fn sized(id: impl Into<Value>, size: usize) -> Document {
    doc! { "_id": (id.into()), "text": ("x".repeat(size)) }
}

#[test]
fn ids_at_their_limits_are_told_apart_and_survive_reopening() {
    let longest = "ż".repeat(254);
    let ids: Vec<Value> = vec![
        0.into(),
        (-1).into(),
        i64::MIN.into(),
        i64::MAX.into(),
        u64::MAX.into(),
        (1_i64 << 53).into(),
        ((1_i64 << 53) + 1).into(),
        "".into(),
        "0".into(),
        "\0".into(),
        longest.as_str().into(),
        Value::Binary(Vec::new()),
        Value::Binary(b"0".to_vec()),
        Value::Binary(vec![0; 509]),
    ];
    let storage = SimStorage::new();
    let db = open(&storage);
    let all = db.collection("all");
    let mut stored = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        let document = doc! { "_id": (id.clone()), "at": (at as u64) };
        stored.push((all.insert(&document).unwrap(), document.clone()));
        assert_eq!(all.insert(&document).unwrap_err().kind(), ErrorKind::DuplicateId);
    }
    assert_eq!(all.insert(doc! {}).unwrap(), Id::from(1), "none of these is one to count from");
    for id in [Value::from("x".repeat(510)), Value::Binary(vec![0; 510])] {
        assert_eq!(all.insert(doc! { "_id": id }).unwrap_err().kind(), ErrorKind::Invalid);
    }
    drop(all);
    db.close().unwrap();
    let db = open(&storage);
    let all = db.collection("all");
    for (id, document) in &stored {
        assert_eq!(&all.get(id).unwrap().unwrap().to_document().unwrap(), document);
    }
    all.insert(doc! { "_id": ((1_i64 << 53) - 1) }).unwrap();
    assert_eq!(all.insert(doc! {}).unwrap_err().kind(), ErrorKind::Exhausted);
    assert_eq!(all.count().unwrap(), stored.len() as u64 + 2);
    assert!(db.check().unwrap().is_clean());
}

#[test]
fn a_batch_with_any_two_alike_changes_nothing() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    all.insert_many([sized(1, 5_000), sized("a", 10)]).unwrap();
    // What is there, what is assigned, what is given, spilled and not.
    let make = |kind: usize| match kind {
        0 => sized(1, 10),
        1 => sized("a", 9_000),
        2 => doc! { "text": "assigned" },
        3 => sized(2, 9_000),
        4 => sized("b", 4_000),
        _ => doc! { "_id": 1.5 },
    };
    let before = db.stats().unwrap().collections[0].count;
    let mut next = 2;
    for first in 0..6 {
        for second in 0..6 {
            for third in 0..6 {
                let kinds = [first, second, third];
                let result = all.insert_many(kinds.map(make));
                if let Ok(ids) = result {
                    // What is given is above what was assigned before, or it is a duplicate.
                    assert!(kinds.iter().all(|kind| (2..5).contains(kind)));
                    for id in ids {
                        if let Id::Int(number) = id {
                            next = next.max(number + 1);
                        }
                        assert!(all.delete(&id).unwrap());
                    }
                }
                assert_eq!(all.count().unwrap(), 2, "{kinds:?}");
                assert!(!all.contains("b").unwrap() && !all.contains(2).unwrap());
            }
        }
    }
    assert_eq!(all.count().unwrap(), before);
    assert!(all.insert(doc! {}).unwrap() >= Id::from(next));
    assert!(db.check().unwrap().is_clean());
}

#[test]
fn documents_change_size_under_a_tiny_cache_while_they_are_scanned() {
    let storage = SimStorage::new();
    let db = open(&storage);
    let all = db.collection("größe/名前 🦀");
    let sizes = [0, 100, 3_900, 4_000, 4_020, 4_060, 8_200, 50_000];
    all.insert_many((0..40).map(|id| sized(id, 100))).unwrap();
    for (round, &size) in sizes.iter().chain(sizes.iter().rev()).enumerate() {
        let mut cursor = all.scan().unwrap();
        for id in 0..40_usize {
            let size = if id % 2 == round % 2 { size } else { 10 };
            if id % 7 == 3 {
                assert!(all.delete(id).unwrap());
                all.insert(sized(id, size)).unwrap();
            } else {
                assert!(all.replace(id, sized(id, size)).unwrap());
            }
        }
        let mut seen = 0;
        cursor.for_each(|_| seen += 1).unwrap();
        assert_eq!(seen, 40);
        let report = db.check().unwrap();
        assert!(report.is_clean(), "round {round}: {report}");
    }
    drop(all);
    db.close().unwrap();
    let db = open(&storage);
    assert_eq!(db.collections().unwrap()[0].count, 40);
    assert!(db.check().unwrap().is_clean());
}

/// A reader that meets a collection being dropped sees it or nothing, and not the
/// pages that have gone to another as damage.
#[test]
fn dropping_under_readers_is_no_damage() {
    let storage = SimStorage::new();
    for round in 0..40 {
        let db = open(&storage);
        db.drop_collection("b").unwrap();
        db.collection("a").insert_many((0..300).map(|id| sized(id, 300))).unwrap();
        db.close().unwrap();

        let db = open(&storage);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for reader in 0..3 {
                let (db, done) = (&db, &done);
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        let a = db.collection("a");
                        match reader {
                            0 => drop(a.get(7).unwrap()),
                            1 => a.scan().unwrap().for_each(|_| ()).unwrap(),
                            _ => drop(a.get_many([1, 299, 1_000]).unwrap()),
                        }
                    }
                });
            }
            if round % 2 == 0 {
                thread::yield_now();
            }
            assert!(db.drop_collection("a").unwrap());
            for _ in 0..10 {
                db.collection("b").insert_many((0..50).map(|_| doc! { "n": 1 })).unwrap();
                db.checkpoint().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(db.collection("a").count().unwrap(), 0);
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

#[test]
fn a_count_is_never_below_zero_however_soon_a_document_goes() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..5_000 {
                all.insert(doc! { "_id": 1 }).unwrap();
                while all.contains(1).unwrap() {
                    std::hint::spin_loop();
                }
            }
        });
        scope.spawn(|| {
            for _ in 0..5_000 {
                while !all.delete(1).unwrap() {
                    assert!(all.count().unwrap() <= 1);
                }
            }
        });
    });
    assert_eq!(all.count().unwrap(), 0);
}

#[test]
fn making_renaming_and_dropping_at_once_loses_no_document() {
    let db = Database::in_memory().unwrap();
    let names = ["x", "y", "z"];
    thread::scope(|scope| {
        for seed in 0..3_usize {
            let db = &db;
            scope.spawn(move || {
                for at in 0..400 {
                    let name = names[(at + seed) % 3];
                    match at % 4 {
                        0 => drop(db.rename_collection(name, names[(at + 1) % 3])),
                        1 => drop(db.drop_collection(name).unwrap()),
                        _ => {
                            let all = db.collection(name);
                            all.insert_many((0..5).map(|_| sized_without_id(900))).unwrap();
                            drop(all.get(1).unwrap());
                            all.iter().unwrap().for_each(|found| drop(found.unwrap()));
                        }
                    }
                }
            });
        }
    });
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

fn sized_without_id(size: usize) -> Document {
    doc! { "text": ("x".repeat(size)) }
}

#[test]
fn pages_that_were_freed_do_not_come_back_over_what_took_their_place() {
    let db = Database::in_memory().unwrap();
    db.collection("a").insert(doc! { "_id": 1 }).unwrap();
    db.collection("b").insert(doc! { "text": "x".repeat(9000) }).unwrap();
    db.drop_collection("b").unwrap();
    db.checkpoint().unwrap();
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}
