//! Transactions: all or nothing, own writes seen, conflicts found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use nanodb_database::{
    Database, Document, Durability, Error, ErrorKind, Id, StoredDoc, Transaction, doc,
};
use nanodb_sim::SimStorage;

fn open(storage: &SimStorage) -> Database {
    let options = Database::options().cache_bytes_max(64 << 10).durability(Durability::Relaxed);
    options.open_on(Arc::new(storage.clone())).unwrap()
}

fn sized(id: i64, size: usize) -> Document {
    doc! { "_id": id, "text": ("x".repeat(size)) }
}

fn number(document: Option<StoredDoc>) -> Option<i64> {
    document?.get("n")?.as_i64()
}

fn is_clean(db: &Database) {
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_transaction_sees_what_it_did_and_nobody_else_does_before_it_commits() {
    let db = Database::in_memory().unwrap();
    let (a, b) = (db.collection("a"), db.collection("b"));
    a.insert(doc! { "_id": 1, "n": 1 }).unwrap();

    let tx = db.begin_write();
    let (in_a, in_b) = (tx.collection("a"), tx.collection("b"));
    assert_eq!(in_b.insert(doc! { "n": 5 }).unwrap(), Id::from(1));
    assert!(in_a.replace(1, doc! { "n": 2 }).unwrap());
    assert_eq!(in_a.insert(doc! { "_id": "x", "n": 3 }).unwrap(), Id::from("x"));
    assert_eq!(number(in_a.get(1).unwrap()), Some(2));
    assert_eq!(number(in_a.get("x").unwrap()), Some(3));
    assert!(in_b.contains(1).unwrap() && !in_b.contains(2).unwrap());
    assert_eq!((in_a.count().unwrap(), in_b.count().unwrap()), (2, 1));
    let found = in_a.get_many([IdOr::Int(1), IdOr::Text("x"), IdOr::Int(9)].map(IdOr::id));
    let found: Vec<_> = found.unwrap().into_iter().map(number).collect();
    assert_eq!(found, [Some(2), Some(3), None]);
    let seen: Vec<_> = in_a.iter().unwrap().map(|d| number(Some(d.unwrap())).unwrap()).collect();
    assert_eq!(seen, [2, 3]);
    assert!(in_a.delete("x").unwrap() && !in_a.delete("x").unwrap());

    assert_eq!(number(a.get(1).unwrap()), Some(1));
    assert_eq!((a.count().unwrap(), b.count().unwrap()), (1, 0));
    assert_eq!(db.collections().unwrap().len(), 1);
    assert!(b.get(1).unwrap().is_none());
    tx.commit().unwrap();
    assert_eq!(number(a.get(1).unwrap()), Some(2));
    assert_eq!(number(b.get(1).unwrap()), Some(5));
    assert_eq!(
        (a.count().unwrap(), b.count().unwrap(), db.collections().unwrap().len()),
        (1, 1, 2)
    );
    is_clean(&db);
}

#[derive(Clone, Copy)]
enum IdOr {
    Int(i64),
    Text(&'static str),
}

impl IdOr {
    fn id(self) -> nanodb_database::IdRef<'static> {
        match self {
            Self::Int(number) => number.into(),
            Self::Text(text) => text.into(),
        }
    }
}

#[test]
fn rolling_back_leaves_no_trace() {
    let storage = SimStorage::new();
    let db = open(&storage);
    let a = db.collection("a");
    a.insert_many((1..=50).map(|id| sized(id, 300))).unwrap();
    let pages = db.stats().unwrap().page_count;
    let change = |tx: &Transaction| {
        let a = tx.collection("a");
        a.insert_many((0..40).map(|_| doc! { "text": ("y".repeat(9_000)) })).unwrap();
        for id in 1..=50 {
            match id % 3 {
                0 => assert!(a.delete(id).unwrap()),
                1 => assert!(a.replace(id, sized(id, 6_000)).unwrap()),
                _ => assert!(a.replace(id, sized(id, 3)).unwrap()),
            }
        }
        tx.collection("new").insert(doc! { "_id": 7 }).unwrap();
    };
    for how in 0..3 {
        let tx = db.begin_write();
        change(&tx);
        match how {
            0 => tx.rollback(),
            1 => drop(tx),
            _ => {
                let failed = db.write(|tx| tx.collection("a").delete(1));
                // The other one still holds the lock: in one thread that is a conflict.
                assert_eq!(failed.unwrap_err().kind(), ErrorKind::Conflict);
                drop(tx);
            }
        }
        assert_eq!((a.count().unwrap(), db.collections().unwrap().len()), (50, 1));
        for id in 1..=50 {
            assert_eq!(a.get(id).unwrap().unwrap().to_document().unwrap(), sized(id, 300));
        }
        is_clean(&db);
    }
    assert_eq!(a.insert(doc! {}).unwrap(), Id::from(51));
    let grown = db.stats().unwrap().page_count - pages;
    assert!(grown < 200, "{grown} pages were not given back");
    drop(a);
    db.close().unwrap();
    let db = open(&storage);
    assert_eq!(db.collection("a").count().unwrap(), 51);
    is_clean(&db);
}

#[test]
fn a_panic_rolls_back_and_releases_everything() {
    let db = Database::in_memory().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Result<(), Error> = db.write(|tx| {
            tx.collection("a").insert(doc! {})?;
            panic!("on purpose")
        });
    }));
    assert!(panicked.is_err());
    assert!(db.collections().unwrap().is_empty());
    assert_eq!(db.collection("a").insert(doc! {}).unwrap(), Id::from(1));
    is_clean(&db);
}

#[test]
fn a_refused_statement_changes_nothing_and_the_transaction_goes_on() {
    let db = Database::in_memory().unwrap();
    db.collection("a").insert(doc! { "_id": 10 }).unwrap();
    let tx = db.begin_write();
    let a = tx.collection("a");
    a.insert(doc! { "_id": 20 }).unwrap();
    let many = |ids: &[i64]| ids.iter().map(|&id| sized(id, 5_000)).collect::<Vec<_>>();
    for refused in [&[21, 22, 10][..], &[21, 20], &[21, 22, 21], &[3, 3]] {
        let error = a.insert_many(many(refused)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DuplicateId, "{refused:?}");
    }
    assert_eq!(
        a.insert_many([doc! {}, doc! { "_id": 1.5 }]).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    let mismatch = a.replace(10, doc! { "_id": 11 }).unwrap_err();
    assert_eq!(mismatch.kind(), ErrorKind::Invalid);
    assert_eq!(a.insert(doc! {}).unwrap(), Id::from(21), "no id was used up");
    let max = nanodb_database::ASSIGNED_ID_MAX;
    a.insert(doc! { "_id": max }).unwrap();
    let error = a.insert_many([doc! { "_id": "first" }, doc! {}]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert_eq!(a.count().unwrap(), 4);
    assert!(!a.contains("first").unwrap() && !a.contains(22).unwrap());
    tx.commit().unwrap();
    assert_eq!(db.collection("a").count().unwrap(), 4);
    is_clean(&db);
}

#[test]
fn a_collection_that_was_only_looked_for_is_not_made() {
    let db = Database::in_memory().unwrap();
    for round in 0..3 {
        let tx = db.begin_write();
        assert_eq!(tx.collection("a").count().unwrap(), 0);
        assert!(!tx.collection("b").contains(1).unwrap());
        // Nobody else can make it meanwhile.
        assert_eq!(db.collection("a").insert(doc! {}).unwrap_err().kind(), ErrorKind::Conflict);
        if round == 0 {
            tx.rollback()
        } else {
            tx.commit().unwrap()
        }
        assert!(db.collections().unwrap().is_empty());
    }
    let tx = db.begin_write();
    let error = tx.collection("").insert(doc! {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    tx.collection("made").insert(doc! { "_id": 1 }).unwrap();
    tx.collection("made").delete(1).unwrap();
    tx.commit().unwrap();
    assert_eq!(db.collections().unwrap().len(), 1);
    is_clean(&db);
}

#[test]
fn a_cursor_shows_what_was_when_it_was_made_and_nothing_after_the_end() {
    let db = Database::in_memory().unwrap();
    db.collection("a").insert_many((0..100).map(|id| sized(id, 500))).unwrap();
    let tx = db.begin_write();
    let a = tx.collection("a");
    a.replace(5, sized(5, 100)).unwrap();
    let mut seen = Vec::new();
    let mut cursor = a.scan().unwrap();
    while let Some(document) = cursor.next().unwrap() {
        let id = document.get("_id").unwrap().as_i64().unwrap();
        let len = document.get("text").unwrap().as_str().unwrap().len();
        assert_eq!(len, if id == 5 { 100 } else { 500 });
        seen.push(id);
        // Moves it behind everything.
        assert!(a.replace(id, sized(id, 3_000)).unwrap());
        a.insert(sized(1_000 + id, 10)).unwrap();
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
    assert_eq!(a.iter().unwrap().count(), 200);
    let mut cursor = a.scan().unwrap();
    assert!(cursor.next().unwrap().is_some());
    tx.commit().unwrap();
    let mut last = Ok(());
    for _ in 0..200 {
        last = cursor.next().map(|_| ());
        if last.is_err() {
            break;
        }
    }
    assert_eq!(last.unwrap_err().kind(), ErrorKind::TransactionOver);
    is_clean(&db);
}

#[test]
fn of_two_that_wait_for_each_other_one_is_refused() {
    let db = Database::in_memory().unwrap();
    db.write(|tx| {
        tx.collection("a").insert(doc! { "_id": 1, "n": 0 })?;
        tx.collection("b").insert(doc! { "_id": 1, "n": 0 }).map(|_| ())
    })
    .unwrap();
    for _ in 0..50 {
        let meet = Arc::new(std::sync::Barrier::new(2));
        let run = |first: &'static str, second: &'static str| {
            let (db, meet) = (db.clone(), Arc::clone(&meet));
            thread::spawn(move || {
                let tx = db.begin_write();
                assert!(tx.collection(first).contains(1).unwrap());
                meet.wait();
                match tx.collection(second).replace(1, doc! { "n": 1 }) {
                    Ok(done) => {
                        assert!(done);
                        tx.commit().unwrap();
                        true
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Conflict);
                        assert_eq!(error.collection(), Some(second));
                        let again = tx.collection(first).count().unwrap_err();
                        assert_eq!(again.kind(), ErrorKind::Conflict);
                        assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
                        false
                    }
                }
            })
        };
        let both = [run("a", "b"), run("b", "a")];
        let ends = both.map(|thread| thread.join().unwrap());
        assert!(ends[0] != ends[1], "{ends:?}");
    }
    is_clean(&db);
}

#[test]
fn a_circle_of_three_is_found_and_run_again() {
    let db = Database::in_memory().unwrap();
    let names = ["a", "b", "c"];
    for name in names {
        db.collection(name).insert(doc! { "_id": 1, "n": 0 }).unwrap();
    }
    let conflicts = AtomicUsize::new(0);
    let meet = std::sync::Barrier::new(3);
    thread::scope(|scope| {
        for at in 0..3 {
            let (db, conflicts, meet) = (&db, &conflicts, &meet);
            scope.spawn(move || {
                let mut first = true;
                db.write(|tx| {
                    for (step, at) in [at, at + 1].into_iter().enumerate() {
                        let collection = tx.collection(names[at % 3]);
                        let n = number(collection.get(1).inspect_err(|_| {
                            conflicts.fetch_add(1, Ordering::Relaxed);
                        })?);
                        if step == 0 && std::mem::take(&mut first) {
                            meet.wait();
                        }
                        collection.replace(1, doc! { "n": (n.unwrap() + 1) })?;
                    }
                    Ok::<_, Error>(())
                })
                .unwrap();
            });
        }
    });
    assert!(conflicts.load(Ordering::Relaxed) >= 1);
    for name in names {
        assert_eq!(number(db.collection(name).get(1).unwrap()), Some(2));
    }
}

#[test]
fn a_thread_does_not_wait_for_itself() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert(doc! { "_id": 1 }).unwrap();
    let tx = db.begin_write();
    tx.collection("a").insert(doc! { "_id": 2 }).unwrap();
    // By a write of its own, a second transaction, or the catalog.
    assert_eq!(a.insert(doc! {}).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(a.delete(1).unwrap_err().kind(), ErrorKind::Conflict);
    let second = db.begin_write();
    assert_eq!(second.collection("a").get(1).unwrap_err().kind(), ErrorKind::Conflict);
    let third = db.write(|tx| tx.collection("a").insert(doc! {}));
    assert_eq!(third.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(db.drop_collection("a").unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(db.rename_collection("a", "b").unwrap_err().kind(), ErrorKind::Conflict);
    tx.collection("b").count().unwrap();
    db.collection("c").insert(doc! {}).unwrap();
    assert_eq!(db.rename_collection("c", "b").unwrap_err().kind(), ErrorKind::Conflict);
    // Reading waits for nobody, nor does a check.
    is_clean(&db);
    assert_eq!(a.get_many([1, 2]).unwrap().iter().flatten().count(), 1);
    assert_eq!(db.stats().unwrap().collections.len(), 2);
    assert!(a.scan().unwrap().next().unwrap().is_some());
    tx.commit().unwrap();
    assert_eq!(a.count().unwrap(), 2);
    db.rename_collection("c", "b").unwrap();
    is_clean(&db);
}

#[test]
fn a_transaction_that_was_handed_on_is_its_new_owners() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    let tx = db.begin_write();
    tx.collection("a").insert(doc! { "_id": 1 }).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            tx.collection("a").insert(doc! { "_id": 2 }).unwrap();
            assert_eq!(a.insert(doc! {}).unwrap_err().kind(), ErrorKind::Conflict);
            tx.commit().unwrap();
        });
    });
    assert_eq!(a.count().unwrap(), 2);
}

#[test]
fn circles_through_plain_writes_and_the_catalog_are_found() {
    type Act = fn(&Database) -> Result<(), Error>;
    let acts: [Act; 3] = [
        |db| db.collection("b").insert(doc! {}).map(|_| ()),
        |db| db.drop_collection("b").map(|_| ()),
        |db| db.rename_collection("b", "d"),
    ];
    for act in acts {
        let db = Database::in_memory().unwrap();
        for name in ["a", "b"] {
            db.collection(name).insert(doc! { "_id": 1 }).unwrap();
        }
        // Before the other one begins, or that gets both and nobody waits.
        let tx = db.begin_write();
        tx.collection("a").insert(doc! {}).unwrap();
        let (locked, wait) = mpsc::channel();
        let other = {
            let db = db.clone();
            thread::spawn(move || {
                let tx = db.begin_write();
                tx.collection("b").delete(1).unwrap();
                locked.send(()).unwrap();
                // Waits for the first thread, or is refused if that waits already.
                tx.collection("a").count().and_then(|_| tx.commit()).is_ok()
            })
        };
        wait.recv().unwrap();
        let acted = act(&db);
        tx.commit().unwrap();
        let other = other.join().unwrap();
        match acted {
            Ok(()) => assert!(!other, "somebody was refused"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
        }
        is_clean(&db);
    }
}

#[test]
fn money_that_is_moved_between_collections_is_neither_made_nor_lost() {
    const ACCOUNTS: usize = 8;
    let db = Database::in_memory().unwrap();
    db.write(|tx| {
        for name in ["a", "b"] {
            tx.collection(name)
                .insert_many((0..ACCOUNTS).map(|id| doc! { "_id": (id as u64), "n": 100 }))?;
        }
        Ok::<_, Error>(())
    })
    .unwrap();
    let total = |documents: [Vec<StoredDoc>; 2]| -> i64 {
        documents.into_iter().flatten().map(|document| number(Some(document)).unwrap()).sum()
    };
    let rounds = if std::env::var_os("NANODB_TEST_LONG").is_some() { 20_000 } else { 400 };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (db, done) = (&db, &done);
        let movers: Vec<_> = (0..3_u64)
            .map(|seed| {
                scope.spawn(move || {
                    let mut random = nanodb_sim::Random::new(seed);
                    for _ in 0..rounds {
                        let mut pick = || {
                            let account = random.below(ACCOUNTS);
                            (["a", "b"][random.below(2)], account)
                        };
                        let (from, to) = (pick(), pick());
                        let pad = "p".repeat(random.below(2_000));
                        db.write(|tx| {
                            for ((name, id), by) in [(from, -1), (to, 1)] {
                                let collection = tx.collection(name);
                                let n = number(collection.get(id)?).unwrap() + by;
                                collection.replace(id, doc! { "n": n, "pad": (pad.as_str()) })?;
                            }
                            Ok::<_, Error>(())
                        })
                        .unwrap();
                    }
                })
            })
            .collect();
        let readers: Vec<_> = (0..2)
            .map(|which| {
                scope.spawn(move || {
                    let mut rounds = 0;
                    while !done.load(Ordering::Relaxed) || rounds == 0 {
                        let all = if which == 0 {
                            let snapshot = db.snapshot();
                            let read = |name| -> Vec<_> {
                                let collection = snapshot.collection(name);
                                let scanned: Vec<_> =
                                    collection.iter().unwrap().map(Result::unwrap).collect();
                                let found = collection.get_many(0..ACCOUNTS).unwrap();
                                let found: Vec<_> = found.into_iter().flatten().collect();
                                let sum = |all: &[StoredDoc]| -> i64 {
                                    all.iter().map(|d| number(Some(d.clone())).unwrap()).sum()
                                };
                                assert_eq!(found.len(), ACCOUNTS);
                                assert_eq!(sum(&scanned), sum(&found));
                                scanned
                            };
                            ["a", "b"].map(read)
                        } else {
                            db.write(|tx| {
                                let read = |name| tx.collection(name).iter()?.collect();
                                let [a, b]: [Result<_, Error>; 2] = ["a", "b"].map(read);
                                Ok::<_, Error>([a?, b?])
                            })
                            .unwrap()
                        };
                        assert_eq!(total(all), 1600);
                        rounds += 1;
                    }
                })
            })
            .collect();
        movers.into_iter().for_each(|mover| mover.join().unwrap());
        done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    is_clean(&db);
}
