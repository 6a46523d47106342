//! Closing a database: what is refused, what is waited for, and whose the file is afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use nanodb::{
    Closed, Database, Document, Error, ErrorKind, Filter, Serialized, Sort, Update, doc, field,
};
use nanodb_sim::SimStorage;

use crate::read_only::write_all;

/// Documents 0 to `count` - 1 in the collection `c`, each with its number as `n`.
fn fill(db: &Database, count: i64) {
    db.collection("c").insert_many((0..count).map(|n| doc! { "_id": n, "n": n })).unwrap();
}

/// A database in a file of a directory of its own.
fn in_file() -> (tempfile::TempDir, std::path::PathBuf, Database) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = Database::open(&path).unwrap();
    fill(&db, 2000);
    (dir, path, db)
}

fn files_beside(path: &Path) -> usize {
    fs::read_dir(path.parent().unwrap()).unwrap().count()
}

#[track_caller]
fn is_closed<T>(result: Result<T, Error>) {
    let Err(error) = result else { panic!("it is not closed") };
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
}

/// Says of each call that reads how it was refused.
macro_rules! refused {
    ($refused:ident: $($call:expr),* $(,)?) => {
        $($refused.push((stringify!($call), $call.err().expect(stringify!($call))));)*
    };
}

#[test]
fn every_verb_of_every_handle_says_that_the_database_is_closed_and_what_was_read_stays() {
    let (_dir, path, db) = in_file();
    let c = db.collection("c");
    let none = db.collection("none");
    let typed = db.typed::<Document>("c");
    let snapshot = db.snapshot();
    let (of_snapshot, none_of_snapshot) = (snapshot.collection("c"), snapshot.collection("none"));
    let tx = db.begin_write();
    let of_tx = tx.collection("c");
    let typed_of_tx = tx.typed::<Document>("c");
    let typed_of_snapshot = snapshot.typed::<Document>("c");
    let set = Update::new().set("n", 0);
    let mut scan = c.scan().unwrap();
    let mut of_nothing = none.scan().unwrap();
    let mut scan_of_tx = of_tx.scan().unwrap();
    let mut iter = c.iter().unwrap();
    let mut typed_iter = typed.iter().unwrap();
    let mut cursor = c.find(field("n").gte(5)).run().unwrap();
    let mut sorted = c.find(Filter::all()).sort(Sort::descending("n")).run().unwrap();
    let mut by_id = c.find(field("_id").eq(5)).run().unwrap();
    let mut cursor_of_tx = of_tx.find(Filter::all()).run().unwrap();
    let read = [
        c.get(7).unwrap().unwrap(),
        iter.next().unwrap().unwrap(),
        cursor.next().unwrap().unwrap(),
        sorted.next().unwrap().unwrap(),
        of_tx.get(8).unwrap().unwrap(),
    ];
    assert!(scan.next().unwrap().is_some() && scan_of_tx.next().unwrap().is_some());

    assert_eq!(db.clone().close().unwrap(), Closed::File);
    assert_eq!(files_beside(&path), 1);
    assert_eq!(db.path().unwrap(), path.canonicalize().unwrap());
    assert!(db.open_report().clean);
    assert_eq!((c.name(), of_tx.name(), of_snapshot.name()), ("c", "c", "c"));
    let numbers = read.map(|document| document.get("n").unwrap().as_i64().unwrap());
    assert_eq!(numbers, [7, 0, 5, 1999, 8]);

    let mut refused = write_all(&db);
    let all = Filter::all;
    refused!(refused:
        c.count(), none.count(), of_snapshot.count(), typed.count(), db.collections(),
        snapshot.collections(), c.get(1), c.get(-1), c.get_many([1, 2]), c.contains(1), c.scan(), c.iter(),
        none.get(1), none.get_many([1]), none.contains(1), none.scan(), none.iter(),
        c.find(all()).run(), c.find(all()).first(), c.find(all()).count(),
        c.find(field("n").eq(1)).count(), c.find(field("n").eq(1)).threads(2).count(),
        c.find(field("_id").eq(1)).run(), c.find(all()).explain_analyze(),
        c.find_one(all()), c.count_documents(all()), c.exists(all()), c.distinct("n", all()),
        c.count_by("n", all()), c.get_many::<i64>([]),
        none.find(all()).run(), none.count_documents(all()),
        db.collection("c").get(1),
        typed.get(1), typed.get_many([1]), typed.contains(1), typed.iter(), typed.find_one(all()),
        typed.find(all()).run(), typed.find(all()).count(), typed.delete(1),
        typed.insert(doc! {}), typed.insert_many([doc! {}]), typed.put(1, doc! {}),
        typed.replace(1, doc! {}), typed.update(1, &set), typed.update_many(all(), &set),
        typed.distinct("n", all()), typed.count_by("n", all()),
        typed.find_one_and_update(all(), &set).run(),
        typed_of_snapshot.get(1), typed_of_snapshot.get_many::<i64>([]),
        typed_of_snapshot.find_one(all()), typed_of_snapshot.count(), typed_of_snapshot.iter(),
        of_snapshot.get(1), of_snapshot.get_many([1]), of_snapshot.contains(1),
        of_snapshot.get_many::<i64>([]), none_of_snapshot.get_many::<i64>([]),
        of_snapshot.scan(), of_snapshot.iter(), of_snapshot.find_one(all()),
        of_snapshot.find(all()).run(), of_snapshot.find(all()).count(),
        of_snapshot.distinct("n", all()), of_snapshot.count_by("n", all()),
        none_of_snapshot.get(1), none_of_snapshot.contains(1), none_of_snapshot.scan(),
        db.snapshot().collection("c").get(1),
        of_tx.count(), of_tx.get(1), of_tx.get_many([1]), of_tx.contains(1), of_tx.scan(),
        of_tx.iter(), of_tx.find(all()).run(), of_tx.find_one(all()), of_tx.count_documents(all()),
        of_tx.distinct("n", all()), of_tx.count_by("n", all()), of_tx.get_many::<i64>([]),
        of_tx.insert(doc! {}), of_tx.insert_many([doc! {}]), of_tx.put(1, doc! {}),
        of_tx.replace(1, doc! {}), of_tx.update(1, &set), of_tx.delete(1), of_tx.delete_many(all()),
        of_tx.update_one(all(), &set), of_tx.update_many(all(), &set), of_tx.upsert(all(), &set),
        of_tx.replace_one(all(), doc! {}), of_tx.replace_or_insert(all(), doc! {}),
        of_tx.delete_one(all()), of_tx.bulk_write([]),
        of_tx.find_one_and_update(all(), &set).run(), of_tx.find_one_and_delete(all()).run(),
        typed_of_tx.get(1), typed_of_tx.get_many([1]), typed_of_tx.find_one(all()),
        typed_of_tx.count(), typed_of_tx.iter(), typed_of_tx.insert(doc! {}),
        typed_of_tx.insert_many([doc! {}]), typed_of_tx.put(1, doc! {}),
        typed_of_tx.replace(1, doc! {}), typed_of_tx.update(1, &set), typed_of_tx.delete(1),
        typed_of_tx.update_many(all(), &set), typed_of_tx.find_one_and_delete(all()).run(),
        db.begin_write().collection("c").get(1),
        db.write(|tx| tx.collection("c").get(1)),
        db.begin_write().commit(),
        db.stats(), db.check(), db.compact(),
        db.check_with(|_| ControlFlow::Continue(())),
        db.compact_with(|_| ControlFlow::Continue(())),
        scan.next().map(drop), scan.for_each(|_| panic!("a document")),
        of_nothing.next().map(drop), scan_of_tx.next().map(drop),
    );
    for (call, error) in refused {
        assert_eq!(error.kind(), ErrorKind::Closed, "{call}: {error}");
        let text = error.to_string();
        assert!(text.ends_with("data.nanodb was closed by `close`; open it again"), "{text}");
    }
    // Iterators say it once: who skips errors comes to an end.
    is_closed(iter.next().unwrap());
    is_closed(typed_iter.next().unwrap());
    for cursor in [&mut cursor, &mut sorted, &mut by_id, &mut cursor_of_tx] {
        is_closed(cursor.next().unwrap());
        assert!(cursor.next().is_none());
    }
    assert!(iter.next().is_none() && typed_iter.next().is_none());
    is_closed(tx.commit());
    is_closed(db.clone().close());
    is_closed(db.close());
}

#[test]
fn another_process_opens_the_file_although_handles_are_left() {
    const PATH: &str = "NANODB_TEST_CLOSING";
    if let Some(path) = std::env::var_os(PATH) {
        let db = Database::open(path).unwrap();
        assert!(db.open_report().clean);
        assert_eq!(db.collection("c").find(Filter::all()).count().unwrap(), 2000);
        db.collection("c").insert(doc! { "_id": "of the other" }).unwrap();
        db.close().unwrap();
        return;
    }
    let (_dir, path, db) = in_file();
    let (c, snapshot, tx) = (db.collection("c"), db.snapshot(), db.begin_write());
    tx.collection("c").insert(doc! { "_id": "rolled back" }).unwrap();
    let mut cursor = c.scan().unwrap();
    assert!(cursor.next().unwrap().is_some());
    let other = || {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let test = "closing::another_process_opens_the_file_although_handles_are_left";
        child.args(["--exact", test]).env(PATH, &path).output().unwrap()
    };
    assert!(!other().status.success(), "it is locked");
    assert_eq!(db.close().unwrap(), Closed::File);
    let done = other();
    assert!(done.status.success(), "{done:?}");
    let before = fs::read(&path).unwrap();
    is_closed(cursor.next().map(drop));
    drop((c, snapshot, tx, cursor));
    assert!(fs::read(&path).unwrap() == before && files_beside(&path) == 1);
    let again = Database::open(&path).unwrap();
    assert!(again.collection("c").contains("of the other").unwrap());
    assert!(!again.collection("c").contains("rolled back").unwrap());
}

#[test]
fn a_file_that_is_closed_is_opened_anew_in_this_process_while_former_handles_are_left() {
    let (_dir, path, db) = in_file();
    let former = db.collection("c");
    db.close().unwrap();
    let again = Database::open(&path).unwrap();
    let c = again.collection("c");
    c.insert(doc! { "_id": "later" }).unwrap();
    is_closed(former.get(1));
    drop(former);
    // Opened once more, it is the same database: the former handle has not taken it off the list.
    let shared = Database::open(&path).unwrap();
    assert!(shared.collection("c").contains("later").unwrap());
    assert_eq!(again.close().unwrap(), Closed::OthersHoldIt(1));
    is_closed(c.get(1));
    assert_eq!(shared.close().unwrap(), Closed::File);
    assert_eq!(files_beside(&path), 1);
}

#[test]
fn a_database_in_memory_and_one_that_is_only_read_are_closed_too() {
    let db = Database::in_memory().unwrap();
    fill(&db, 10);
    let c = db.collection("c");
    assert_eq!(db.path(), None);
    assert_eq!(db.close().unwrap(), Closed::File);
    let error = c.get(1).unwrap_err();
    assert_eq!(error.to_string(), "the database was closed by `close`; open it again");

    let (_dir, path, db) = in_file();
    db.close().unwrap();
    let read_only = || Database::options().read_only(true).open(&path);
    let (one, two) = (read_only().unwrap(), read_only().unwrap());
    let c = one.collection("c");
    assert_eq!(one.close().unwrap(), Closed::OthersHoldIt(1));
    is_closed(c.get(1));
    is_closed(c.insert(doc! {}));
    assert_eq!(Database::open(&path).unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(two.close().unwrap(), Closed::File);
    assert!(Database::open(&path).unwrap().collection("c").contains(1).unwrap());
    drop(c);
}

#[test]
fn what_closing_finds_open_is_ended_and_what_another_opening_waits_for_is_given_up() {
    let (_dir, path, one) = in_file();
    let two = Database::open(&path).unwrap();
    let tx = one.begin_write();
    tx.collection("c").insert(doc! { "_id": "never" }).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| two.collection("c").insert(doc! { "_id": "of the second" }));
        thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished());
        // By another thread than the transaction's.
        let closing = scope.spawn(|| one.close());
        assert_eq!(closing.join().unwrap().unwrap(), Closed::OthersHoldIt(1));
        waiting.join().unwrap().unwrap();
    });
    is_closed(tx.collection("c").get(1));
    is_closed(tx.commit());
    assert!(!two.collection("c").contains("never").unwrap());
    assert_eq!(two.close().unwrap(), Closed::File);
}

#[test]
fn a_search_under_way_is_waited_for_and_a_cursor_that_is_not_asked_is_not() {
    let (_dir, path, db) = in_file();
    const COUNT: i64 = 200_000;
    db.collection("big").insert_many((0..COUNT).map(|n| doc! { "_id": n, "n": n })).unwrap();
    let big = db.collection("big");
    let mut idle = big.find(field("n").gte(0)).run().unwrap();
    assert!(idle.next().is_some());
    let (begins, begun) = channel();
    let counted = thread::scope(|scope| {
        let counting = scope.spawn(|| {
            begins.send(()).unwrap();
            let counts = (0..).map(|_| big.find(field("n").gte(0)).count());
            counts.take_while(Result::is_ok).map(Result::unwrap).collect::<Vec<u64>>()
        });
        begun.recv().unwrap();
        thread::sleep(Duration::from_millis(5));
        assert_eq!(db.close().unwrap(), Closed::File);
        counting.join().unwrap()
    });
    // One that was begun has come to its end: none has counted less.
    assert!(counted.iter().all(|&count| count == COUNT as u64), "{counted:?}");
    is_closed(idle.next().unwrap());
    assert_eq!(files_beside(&path), 1);
}

#[test]
fn code_that_a_call_runs_in_between_may_close_and_the_call_ends() {
    let (_dir, path, db) = in_file();
    let written = db.write(|tx| {
        tx.collection("c").insert(doc! { "_id": "never" })?;
        db.clone().close()?;
        tx.collection("c").insert(doc! { "_id": "neither" })
    });
    is_closed(written);
    let db = Database::open(&path).unwrap();
    // A transaction that does nothing more after that is not committed either.
    let written = db.write(|tx| {
        tx.collection("c").insert(doc! { "_id": "never" })?;
        db.clone().close().map(drop)
    });
    is_closed(written);
    let db = Database::open(&path).unwrap();
    let mut calls = 0;
    is_closed(db.check_with(|_| {
        calls += 1;
        drop(db.clone().close());
        ControlFlow::Continue(())
    }));
    assert_eq!(calls, 1);
    let db = Database::open(&path).unwrap();
    is_closed(db.compact_with(|_| {
        drop(db.clone().close());
        ControlFlow::Continue(())
    }));
    let db = Database::open(&path).unwrap();
    let mut seen = 0;
    is_closed(db.collection("c").scan().unwrap().for_each(|_| {
        seen += 1;
        drop(db.clone().close());
    }));
    assert!((1..2000).contains(&seen), "{seen} documents");
    let db = Database::open(&path).unwrap();
    let c = db.collection("c");
    assert_eq!(c.iter().unwrap().filter(Result::is_ok).count(), 2000);
    assert!(!c.contains("never").unwrap());
    assert!(db.check().unwrap().is_clean());
}

/// A document that closes a database when it is written.
struct Closing(Database);

impl serde::Serialize for Closing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let closed = self.0.clone().close();
        let kind = closed.map_or_else(|error| format!("{:?}", error.kind()), |_| "closed".into());
        serde::Serialize::serialize(&std::collections::BTreeMap::from([("kind", kind)]), serializer)
    }
}

#[test]
fn a_document_that_closes_the_database_while_it_is_written_is_told_that_it_can_not_or_closes_it() {
    let db = Database::in_memory().unwrap();
    fill(&db, 10);
    let c = db.collection("c");
    // Within the call that looks for the document to be replaced.
    c.replace_one(field("_id").eq(1), Serialized(&Closing(db.clone()))).unwrap();
    let kind = c.get(1).unwrap().unwrap().get("kind").unwrap().as_str().unwrap().to_owned();
    assert_eq!(kind, "Conflict");
    // Before the call that stores it.
    is_closed(c.insert(Serialized(&Closing(db.clone()))));
    is_closed(c.get(1));
}

/// Opens what another process would find.
fn open_sim(storage: &SimStorage) -> Database {
    Database::options().open_on(Arc::new(storage.clone())).unwrap()
}

/// What a thread was told: the ids that are stored for certain, and those that are not.
#[derive(Default)]
struct Told {
    stored: BTreeSet<i64>,
    refused: BTreeSet<i64>,
}

/// Does this and that until it is told that the database is closed.
fn work(db: &Database, thread: i64, seed: u64) -> Told {
    let mut random = fastrand::Rng::with_seed(seed);
    let (c, mut told) = (db.collection("c"), Told::default());
    let snapshot = db.snapshot();
    // It may be closed by now.
    let Ok(mut scan) = c.scan() else { return told };
    for n in 0.. {
        let (one, two) = (thread * 1_000_000 + 2 * n, thread * 1_000_000 + 2 * n + 1);
        let document = |id: i64| doc! { "_id": id, "text": ("x".repeat(100)) };
        let (ids, done) = match random.u8(0..8) {
            0 | 1 => (vec![one], c.insert(document(one)).map(drop)),
            2 => (vec![one, two], c.insert_many([document(one), document(two)]).map(drop)),
            3 => {
                let transact = db.write(|tx| {
                    tx.collection("c").insert(document(one))?;
                    tx.collection("d").insert(document(one))?;
                    tx.collection("c").insert(document(two)).map(drop)
                });
                (vec![one, two], transact)
            }
            4 => {
                let tx = db.begin_write();
                let inserted = tx.collection("c").insert(document(one)).map(drop);
                // Some are only dropped.
                match inserted {
                    Ok(()) if random.bool() => continue,
                    inserted => (vec![one], inserted.and_then(|()| tx.commit())),
                }
            }
            5 => (vec![], c.find(field("text").eq("x")).count().map(drop)),
            6 => (vec![], snapshot.collection("c").get_many([one, 1]).map(drop)),
            _ => (vec![], scan.next().map(drop).and_then(|()| c.get(two).map(drop))),
        };
        match done {
            Ok(()) => told.stored.extend(ids),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
                told.refused.extend(ids);
                break;
            }
        }
    }
    told
}

#[test]
fn a_database_that_is_closed_at_any_moment_has_what_was_acknowledged_and_nothing_else() {
    for seed in 0..1000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let storage = SimStorage::new();
        let db = open_sim(&storage);
        fill(&db, 3);
        db.collection("d").insert(doc! { "_id": -1 }).unwrap();
        let pause = Duration::from_micros(random.u64(0..1500));
        let seeds = [random.u64(..), random.u64(..)];
        let told = thread::scope(|scope| {
            let db = &db;
            let of = |(thread, seed)| scope.spawn(move || work(db, thread, seed));
            let workers = [(1, seeds[0]), (2, seeds[1])].map(of);
            thread::sleep(pause);
            assert_eq!(db.clone().close().unwrap(), Closed::File, "seed {seed}");
            // Whatever is still under way of them.
            let files = storage.files();
            assert_eq!(files.len(), 1, "seed {seed}");
            let again = open_sim(&storage);
            let told = workers.map(|worker| worker.join().unwrap());
            assert!(storage.files() == files, "seed {seed}: written after it was closed");
            let expected = told.iter().flat_map(|told| &told.stored).copied().chain(0..3);
            let expected: BTreeSet<i64> = expected.collect();
            let ids = again.collection("c").iter().unwrap();
            let ids: BTreeSet<i64> = ids
                .map(|document| document.unwrap().get("_id").unwrap().as_i64().unwrap())
                .collect();
            assert_eq!(ids, expected, "seed {seed}");
            let report = again.check().unwrap();
            assert!(report.is_clean(), "seed {seed}: {report}");
            told
        });
        assert!(told.iter().all(|told| told.refused.is_disjoint(&told.stored)));
    }
}
