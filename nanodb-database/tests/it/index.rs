//! The id index in the file: saved by checkpoints, loaded piece by piece, dropped, damaged.

use std::sync::Arc;

use nanodb_database::{Database, Document, Durability, Options, ProblemKind, doc};
use nanodb_pager::PAGE_SIZE;
use nanodb_sim::{Failure, Fault, Random, SimStorage};

fn options() -> Options {
    Database::options().durability(Durability::Buffered).background(false)
}

fn open(storage: &SimStorage) -> Database {
    options().open_on(Arc::new(storage.clone())).unwrap()
}

fn small(id: i64) -> Document {
    doc! { "_id": id, "number": (id * 7) }
}

/// Inserts these ids in batches.
fn fill(db: &Database, ids: std::ops::Range<i64>) {
    let collection = db.collection("a");
    for first in ids.clone().step_by(1000) {
        collection.insert_many((first..ids.end.min(first + 1000)).map(small)).unwrap();
    }
}

/// Leaves the disk as a killed process does.
fn kill(db: Database, storage: &SimStorage) -> SimStorage {
    let left = SimStorage::from_files(storage.files());
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    drop(db);
    left
}

fn index_bytes(db: &Database) -> u64 {
    db.stats().unwrap().collections[0].index_bytes
}

/// Pages of the saved index.
fn index_pages(file: &[u8]) -> Vec<usize> {
    let pages = file.chunks_exact(PAGE_SIZE).enumerate();
    pages.filter(|(_, page)| page[24] == 18).map(|(number, _)| number).collect()
}

#[test]
fn what_a_load_keeps_of_the_index_for_the_next_checkpoint_counts_against_the_cache() {
    // Its pages are written at once, and its log is short: nothing else makes a checkpoint due.
    let options = options().cache_bytes_max(1 << 20).index_bytes_max(64 << 10);
    let db = options.open_on(Arc::new(SimStorage::new())).unwrap();
    let mut most = 0;
    for first in (0..120_000).step_by(5000) {
        db.collection("a").insert_many((first..first + 5000).map(small)).unwrap();
        most = most.max(index_bytes(&db));
    }
    assert!(db.stats().unwrap().checkpoints >= 6);
    assert!(most < 1 << 20, "{most} bytes");
    assert_eq!(db.collection("a").count().unwrap(), 120_000);
}

#[test]
fn after_opening_one_read_loads_one_piece_of_the_index() {
    let storage = SimStorage::new();
    let db = open(&storage);
    fill(&db, 0..60_000);
    db.close().unwrap();
    let file = storage.contents();
    let pages = index_pages(&file).len();
    assert!(pages * PAGE_SIZE <= 60_000 * 5, "{pages} pages");

    let db = open(&storage);
    assert_eq!(index_bytes(&db), 0);
    assert!(db.collection("a").get(31_415).unwrap().is_some());
    assert!(index_bytes(&db) < 100_000, "{}", index_bytes(&db));
    for id in 0..60_000 {
        assert!(db.collection("a").contains(id).unwrap(), "{id}");
        assert!(!db.collection("a").contains(60_000 + id).unwrap(), "{id}");
    }
    assert!(index_bytes(&db) < 60_000 * 14, "{}", index_bytes(&db));
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn after_a_kill_the_notes_in_the_log_make_the_index_current() {
    let storage = SimStorage::new();
    let db = open(&storage);
    fill(&db, 0..5000);
    db.checkpoint().unwrap();
    fill(&db, 5000..9000);
    for id in (0..9000).step_by(3) {
        assert!(db.collection("a").delete(id).unwrap());
    }
    for id in (1..9000).step_by(3) {
        // Too large for where it was.
        let longer = doc! { "text": "x".repeat(200) };
        assert!(db.collection("a").replace(id, longer).unwrap());
    }
    let storage = kill(db, &storage);
    let mut db = open(&storage);
    for round in 0..2 {
        for id in 0..9000 {
            assert_eq!(db.collection("a").contains(id).unwrap(), id % 3 != 0, "{id}");
        }
        let report = db.check().unwrap();
        assert!(report.is_clean(), "round {round}: {report}");
        db.close().unwrap();
        db = open(&storage);
    }
}

#[test]
fn inserting_loads_nothing_and_what_is_inserted_is_found() {
    let storage = SimStorage::new();
    let db = open(&storage);
    fill(&db, 1..40_000);
    db.close().unwrap();
    let db = open(&storage);
    for _ in 0..500 {
        db.collection("a").insert(doc! { "new": true }).unwrap();
    }
    assert!(index_bytes(&db) < 40_000, "{}", index_bytes(&db));
    for id in 39_990..40_500 {
        assert!(db.collection("a").contains(id).unwrap(), "{id}");
    }
    assert!(!db.collection("a").contains(40_500).unwrap());
    let refused = db.collection("a").insert(small(123));
    assert!(refused.is_err());
}

#[test]
fn a_budget_for_the_index_holds_whatever_is_read_and_written() {
    let storage = SimStorage::new();
    let budget = 60_000;
    let options = options().index_bytes_max(budget);
    let open = || options.open_on(Arc::new(storage.clone())).unwrap();
    let mut db = open();
    fill(&db, 0..15_000);
    db.checkpoint().unwrap();
    let mut random = Random::new(5);
    let mut there = vec![true; 15_000];
    for round in 0..3 {
        for step in 0..800 {
            let id = random.below(there.len());
            let key = id as i64;
            match random.below(4) {
                0 => assert_eq!(db.collection("a").delete(key).unwrap(), there[id]),
                1 if !there[id] => drop(db.collection("a").insert(small(key)).unwrap()),
                _ => {
                    assert_eq!(db.collection("a").contains(key).unwrap(), there[id], "{id}");
                    continue;
                }
            }
            there[id] = !there[id] && db.collection("a").contains(key).unwrap();
            if step % 300 == 0 {
                db.checkpoint().unwrap();
            }
        }
        assert!(index_bytes(&db) < 700_000, "{}", index_bytes(&db));
        let report = db.check().unwrap();
        assert!(report.is_clean(), "round {round}: {report}");
        if round == 1 {
            db.close().unwrap();
            db = open();
        }
    }
    let found =
        (0..).zip(&there).filter(|(id, _)| db.collection("a").contains(*id as i64).unwrap());
    let found: Vec<usize> = found.map(|(id, _): (usize, _)| id).collect();
    let expected: Vec<usize> = (0..there.len()).filter(|&id| there[id]).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_damaged_index_is_made_anew_from_the_pages_and_saved_again() {
    let storage = SimStorage::new();
    let db = open(&storage);
    fill(&db, 0..20_000);
    db.checkpoint().unwrap();
    db.close().unwrap();
    let sound = storage.contents();
    let pages = index_pages(&sound);
    assert!(pages.len() > 10);
    for damaged in [pages[0], pages[pages.len() / 2], pages[pages.len() - 1]] {
        let mut file = sound.clone();
        file[damaged * PAGE_SIZE + 1000] ^= 4;
        let storage = SimStorage::from_contents(file);
        let db = open(&storage);
        let report = db.check().unwrap();
        let [problem] = &report.problems[..] else { panic!("{report}") };
        assert_eq!(problem.page, u32::try_from(damaged).ok());
        assert!(matches!(problem.kind, ProblemKind::DamagedPage { .. }));
        for id in 0..20_000 {
            assert!(db.collection("a").contains(id).unwrap(), "{id}");
        }
        assert!(!db.collection("a").contains(20_000).unwrap());
        db.collection("a").insert(small(20_000)).unwrap();
        db.close().unwrap();
        let db = open(&storage);
        assert!(db.collection("a").contains(20_000).unwrap());
        assert!(index_bytes(&db) < 100_000, "{}", index_bytes(&db));
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

#[test]
fn a_damaged_page_in_the_midst_of_runs_that_are_merged_leaves_no_page_to_nobody() {
    let storage = SimStorage::new();
    // Ids that are assigned: no part of the index is loaded for them.
    let fill = |db: &Database| {
        for _ in 0..20 {
            let many = (0..1700).map(|number: i64| doc! { "number": number });
            db.collection("a").insert_many(many).unwrap();
        }
    };
    for _ in 0..3 {
        let db = open(&storage);
        fill(&db);
        db.close().unwrap();
    }
    let mut file = storage.contents();
    let pages = index_pages(&file);
    // The fourth run is merged with the three; the damage shows when some of that is written.
    file[pages[pages.len() - 2] * PAGE_SIZE + 1000] ^= 4;
    let storage = SimStorage::from_contents(file);
    let db = open(&storage);
    fill(&db);
    db.checkpoint().unwrap();
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
    for id in (1..=136_000).step_by(7) {
        assert!(db.collection("a").contains(id).unwrap(), "{id}");
    }
}

#[test]
fn a_snapshot_finds_what_was_there_though_its_part_of_the_index_is_loaded_later() {
    let storage = SimStorage::new();
    let db = open(&storage);
    fill(&db, 0..10_000);
    db.close().unwrap();
    let db = open(&storage);
    let before = db.snapshot();
    for id in (0..10_000).step_by(100) {
        assert!(db.collection("a").delete(id).unwrap());
        let longer = doc! { "text": "x".repeat(300) };
        assert!(db.collection("a").replace(id + 1, longer).unwrap());
    }
    db.checkpoint().unwrap();
    for id in 0..10_000 {
        assert!(before.collection("a").contains(id).unwrap(), "{id}");
        assert_eq!(db.collection("a").contains(id).unwrap(), id % 100 != 0, "{id}");
    }
}

#[test]
fn a_dropped_collection_is_read_through_a_snapshot_though_its_index_was_never_loaded() {
    let storage = SimStorage::new();
    let db = open(&storage);
    fill(&db, 0..10_000);
    db.close().unwrap();
    let db = open(&storage);
    let early = db.snapshot();
    // The index is there, and little of it loaded.
    db.collection("a").insert(small(10_000)).unwrap();
    let late = db.snapshot();
    assert!(db.drop_collection("a").unwrap());
    db.checkpoint().unwrap();
    db.collection("b").insert_many((0..9000).map(small)).unwrap();
    db.checkpoint().unwrap();
    for id in 0..10_000 {
        assert!(early.collection("a").contains(id).unwrap(), "{id}");
        assert!(late.collection("a").contains(id).unwrap(), "{id}");
    }
    assert!(!early.collection("a").contains(10_000).unwrap());
    assert!(late.collection("a").contains(10_000).unwrap());
    assert_eq!(db.collection("a").count().unwrap(), 0);
    drop((early, late));
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn readers_beside_a_writer_find_everything_while_parts_come_and_go() {
    let storage = SimStorage::new();
    let options = options().index_bytes_max(60_000);
    let db = options.open_on(Arc::new(storage.clone())).unwrap();
    fill(&db, 0..20_000);
    db.checkpoint().unwrap();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2_u64)
            .map(|seed| {
                let db = db.clone();
                scope.spawn(move || {
                    let mut random = Random::new(seed);
                    for _ in 0..1000 {
                        let id = random.below(20_000) as i64;
                        assert!(db.collection("a").contains(id).unwrap(), "{id}");
                        assert!(!db.collection("a").contains(id + 100_000).unwrap(), "{id}");
                    }
                })
            })
            .collect();
        let mut random = Random::new(9);
        for step in 0..400 {
            let text = "y".repeat(random.below(300));
            let id = random.below(20_000) as i64;
            assert!(db.collection("a").replace(id, doc! { "text": text }).unwrap());
            if step % 100 == 0 {
                db.checkpoint().unwrap();
            }
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}
