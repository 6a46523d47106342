//! Compaction: how far it says it has come, that it may be stopped anywhere, that those who read
//! and write meanwhile notice nothing; and what dropping a collection costs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_database::{Database, Document, Durability, Id, Value, doc};
use nanodb_sim::{Action, Failure, Fault, Random, SimStorage};

fn open(storage: &SimStorage) -> Database {
    let options = Database::options().cache_bytes_max(1 << 20).log_bytes_max(1 << 20);
    let options = options.durability(Durability::Buffered).background(false);
    options.open_on(Arc::new(storage.clone())).unwrap()
}

fn document(random: &mut Random, len_max: usize) -> Document {
    let mut bytes = vec![0; random.below(len_max)];
    random.fill(&mut bytes);
    doc! { "b": Value::Binary(bytes) }
}

/// Two collections with gaps everywhere, and what is in them.
fn with_gaps(db: &Database, random: &mut Random) -> BTreeMap<(&'static str, Id), Vec<u8>> {
    let mut live = BTreeMap::new();
    for name in ["a", "b"] {
        let collection = db.collection(name);
        for n in 0..400 {
            let document = document(random, if n % 20 == 0 { 15_000 } else { 900 });
            let id = collection.insert(document).unwrap();
            live.insert((name, id), Vec::new());
        }
    }
    live.retain(|(name, id), bytes| {
        let collection = db.collection(name);
        if random.below(5) > 0 {
            assert!(collection.delete(id).unwrap());
            return false;
        }
        *bytes = collection.get(id).unwrap().unwrap().as_bytes().to_vec();
        true
    });
    db.checkpoint().unwrap();
    live
}

fn assert_same(db: &Database, live: &BTreeMap<(&'static str, Id), Vec<u8>>) {
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.documents, live.len() as u64);
    for ((name, id), bytes) in live {
        let found = db.collection(name).get(id).unwrap().unwrap();
        assert_eq!(found.as_bytes(), bytes);
    }
}

#[test]
fn progress_only_grows_and_names_what_there_is_to_do() {
    let storage = SimStorage::new();
    let db = open(&storage);
    let live = with_gaps(&db, &mut Random::new(1));
    let mut seen = Vec::new();
    let done = db.compact_with(|progress| {
        seen.push((progress.round, progress.pages_done, progress.pages));
        ControlFlow::Continue(())
    });
    assert!(done.unwrap().is_continue());
    assert!(seen.is_sorted_by_key(|&(round, pages_done, _)| (round, pages_done)), "{seen:?}");
    assert!(seen.iter().all(|&(round, done, pages)| (1..=4).contains(&round) && done <= pages));
    let (_, done, pages) = seen[seen.iter().rposition(|&(round, ..)| round == 1).unwrap()];
    assert_eq!(done, pages);
    assert_same(&db, &live);
}

#[test]
fn compaction_that_is_stopped_at_any_step_leaves_all_documents_and_a_file_no_longer_than_before() {
    let original = SimStorage::new();
    let live = {
        let db = open(&original);
        let live = with_gaps(&db, &mut Random::new(2));
        db.close().unwrap();
        live
    };
    let long = original.file_len("");
    let mut shortest = long;
    for steps in 0.. {
        let storage = SimStorage::from_files(original.files());
        let db = open(&storage);
        let mut left = steps;
        let whole = db.compact_with(|_| {
            left -= 1;
            if left < 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let whole = whole.unwrap().is_continue();
        assert_same(&db, &live);
        db.close().unwrap();
        assert_same(&open(&storage), &live);
        // What was moved until then is moved. Closing brings the index up to date, besides.
        assert!(storage.file_len("") <= long + 8 * 4096, "{steps} steps");
        shortest = shortest.min(storage.file_len(""));
        if whole {
            break;
        }
    }
    assert!(shortest < long / 2, "{shortest} of {long}");
}

#[test]
fn compaction_that_fails_at_any_call_leaves_a_whole_file() {
    let original = SimStorage::new();
    let live = {
        let db = open(&original);
        let live = with_gaps(&db, &mut Random::new(3));
        db.close().unwrap();
        live
    };
    for (after, failure) in
        (0..).step_by(11).zip([Failure::Device, Failure::NoSpace].into_iter().cycle())
    {
        let storage = SimStorage::from_files(original.files());
        let db = open(&storage);
        storage.set_fault(Fault::once(after, failure).for_ever());
        let compacted = db.compact();
        let has_failed = storage.failed() > 0;
        storage.clear_fault();
        assert!(compacted.is_err() || !has_failed || failure == Failure::NoSpace, "after {after}");
        drop(db);
        assert_same(&open(&storage), &live);
        if !has_failed {
            break;
        }
    }
}

#[test]
fn readers_and_writers_miss_nothing_while_documents_move() {
    let db = Database::options().cache_bytes_max(1 << 20).in_memory().unwrap();
    let mut live = with_gaps(&db, &mut Random::new(4));
    let is_over = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let readers = [0, 1].map(|n| {
            let (db, live, is_over) = (&db, &live, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    if n == 0 {
                        for ((name, id), bytes) in live {
                            let found = db.collection(name).get(id).unwrap();
                            assert_eq!(found.expect("it was there all the time").as_bytes(), bytes);
                        }
                    }
                    let snapshot = db.snapshot();
                    for name in ["a", "b"] {
                        let collection = snapshot.collection(name);
                        let mut ids = 0;
                        for document in collection.iter().unwrap() {
                            let id = document.unwrap().id().unwrap().to_owned();
                            ids += u64::from(collection.contains(&id).unwrap());
                        }
                        assert_eq!(ids, collection.count().unwrap());
                    }
                }
            })
        });
        let writer = scope.spawn(|| {
            let (mut random, mut written) = (Random::new(5), BTreeMap::new());
            while !is_over.load(Ordering::Relaxed) {
                let name = ["a", "b"][random.below(2)];
                let collection = db.collection(name);
                let id = collection.insert(document(&mut random, 3000)).unwrap();
                assert!(collection.replace(&id, document(&mut random, 6000)).unwrap());
                if random.below(2) == 0 {
                    assert!(collection.delete(&id).unwrap());
                } else {
                    let bytes = collection.get(&id).unwrap().unwrap().as_bytes().to_vec();
                    written.insert((name, id), bytes);
                }
            }
            written
        });
        for _ in 0..3 {
            db.compact().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        writer.join().unwrap()
    });
    live.extend(written);
    assert_same(&db, &live);
}

#[test]
fn dropping_a_collection_costs_as_much_as_it_has_extents() {
    let cost = |documents: usize| {
        let storage = SimStorage::new();
        {
            let db = open(&storage);
            let mut random = Random::new(6);
            let many: Vec<Document> = (0..documents).map(|_| document(&mut random, 1500)).collect();
            db.collection("c").insert_many(&many).unwrap();
            db.close().unwrap();
        }
        let db = open(&storage);
        let pages = db.stats().unwrap().collections[0].pages;
        let calls = storage.calls();
        storage.start_journal();
        assert!(db.drop_collection("c").unwrap());
        let calls = storage.calls() - calls;
        let written: usize = storage
            .take_journal()
            .iter()
            .map(|event| match &event.action {
                Action::Write { data, .. } => data.len(),
                _ => 0,
            })
            .sum();
        (pages, calls, written)
    };
    // A checkpoint follows, for either.
    let (few, calls_few, written_few) = cost(1000);
    let (many, calls_many, written_many) = cost(16_000);
    assert!(many > 15 * few, "{few} and {many} pages");
    assert!(calls_many <= calls_few + 2, "{calls_few} and {calls_many} calls");
    assert!(written_many <= written_few + 4096, "{written_few} and {written_many} bytes");
}
