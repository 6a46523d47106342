//! How much room documents take in the file, and what becomes of that of deleted ones.

use std::sync::Arc;

use nanodb_database::{Collection, Database, Document, Durability, Id, Value, doc};
use nanodb_sim::{Random, SimStorage};

fn open(storage: &SimStorage) -> Database {
    let options = Database::options().cache_bytes_max(4 << 20).log_bytes_max(4 << 20);
    let options = options.durability(Durability::Buffered).background(false);
    options.open_on(Arc::new(storage.clone())).unwrap()
}

fn file_bytes(db: &Database) -> u64 {
    db.stats().unwrap().file_bytes
}

fn assert_clean(db: &Database) {
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

/// A document of so many bytes.
fn document(random: &mut Random, size: usize) -> Document {
    let mut bytes = vec![0; size.saturating_sub(16)];
    random.fill(&mut bytes);
    doc! { "b": Value::Binary(bytes) }
}

/// Documents by id, with their sizes.
#[derive(Default)]
struct Live {
    documents: Vec<(Id, u64)>,
}

impl Live {
    fn insert(&mut self, collection: &Collection, random: &mut Random, sizes: (usize, usize)) {
        let size = sizes.0 + random.below(sizes.1 - sizes.0 + 1);
        let id = collection.insert(document(random, size)).unwrap();
        self.documents.push((id, size as u64));
    }

    fn delete_half(&mut self, collection: &Collection, random: &mut Random) -> usize {
        let half = self.documents.len() / 2;
        for _ in 0..half {
            let (id, _) = self.documents.swap_remove(random.below(self.documents.len()));
            let deleted = collection.delete(&id);
            assert!(deleted.is_ok(), "{deleted:?}");
        }
        half
    }

    fn bytes(&self) -> u64 {
        self.documents.iter().map(|(_, size)| size).sum()
    }
}

fn long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

#[test]
fn churn_of_all_sizes_keeps_the_file_near_the_data() {
    let (rounds, count) = if long() { (50, 10_000) } else { (8, 600) };
    for sizes in [(50, 20 * 1024), (50, 300), (1000, 3000)] {
        let count = count * 10_000 / usize::max(sizes.1, 1000);
        let storage = SimStorage::new();
        let db = open(&storage);
        let mut random = Random::new(3);
        let (collection, mut live) = (db.collection("c"), Live::default());
        (0..count).for_each(|_| live.insert(&collection, &mut random, sizes));
        let mut worst = 0.0_f64;
        for _ in 0..rounds {
            let half = live.delete_half(&collection, &mut random);
            (0..half).for_each(|_| live.insert(&collection, &mut random, sizes));
            worst = worst.max(file_bytes(&db) as f64 / live.bytes() as f64);
        }
        println!("{sizes:?}: {count} documents, {worst:.3} times the data at most");
        assert!(worst < 1.5, "{sizes:?}: {worst} times the data");
        assert_clean(&db);
        db.compact().unwrap();
        let least = file_bytes(&db) as f64 / live.bytes() as f64;
        println!("{sizes:?}: {least:.3} times the data after compaction");
        assert_clean(&db);
        // What the file itself takes weighs more the less is in it.
        let least_max = if live.bytes() >= 8 << 20 && sizes.1 > 300 { 1.1 } else { 1.2 };
        assert!(least < least_max, "{sizes:?}: {least} times the data");
        for (id, _) in &live.documents {
            assert!(collection.contains(id).unwrap());
        }
    }
}

#[test]
fn a_compacted_file_is_at_most_a_tenth_longer_than_its_documents_from_8_mib_on() {
    // Small ones leave pages that are three quarters full as they are.
    let shapes =
        [((50, 20 * 1024), 1000, 1.1), ((1000, 3000), 5000, 1.1), ((50, 300), 60_000, 1.2)];
    for (sizes, count, least_max) in shapes {
        let db = open(&SimStorage::new());
        let mut random = Random::new(11);
        let (collection, mut live) = (db.collection("c"), Live::default());
        for _ in 0..count / 500 {
            let size = |_| sizes.0 + random.below(sizes.1 - sizes.0 + 1);
            let all: Vec<usize> = (0..1000).map(size).collect();
            let many: Vec<Document> = all.iter().map(|&size| document(&mut random, size)).collect();
            let ids = collection.insert_many(&many).unwrap();
            live.documents.extend(ids.into_iter().zip(all.into_iter().map(|size| size as u64)));
        }
        live.delete_half(&collection, &mut random);
        db.compact().unwrap();
        assert!(live.bytes() >= 8 << 20, "{} bytes", live.bytes());
        let least = file_bytes(&db) as f64 / live.bytes() as f64;
        println!("{sizes:?}: {least:.3} times the data after compaction");
        assert!(least < least_max, "{sizes:?}: {least} times the data");
        assert_all_there(&db, &live);
    }
}

#[test]
fn room_is_found_again_after_reopening() {
    let storage = SimStorage::new();
    let mut random = Random::new(4);
    let mut live = Live::default();
    let sizes = (100, 300);
    {
        let db = open(&storage);
        let collection = db.collection("c");
        (0..4000).for_each(|_| live.insert(&collection, &mut random, sizes));
        live.delete_half(&collection, &mut random);
        db.close().unwrap();
    }
    let db = open(&storage);
    let before = db.stats().unwrap().collections[0].pages;
    let collection = db.collection("c");
    (0..1900).for_each(|_| live.insert(&collection, &mut random, sizes));
    let after = db.stats().unwrap().collections[0].pages;
    assert!(after < before + before / 5, "{before} pages, then {after}");
    assert_clean(&db);
    assert_eq!(collection.count().unwrap(), live.documents.len() as u64);
}

#[test]
fn empty_pages_go_back_to_the_file_and_other_collections_use_them() {
    let storage = SimStorage::new();
    let mut random = Random::new(5);
    let db = open(&storage);
    let (a, b) = (db.collection("a"), db.collection("b"));
    let mut live = Live::default();
    (0..8000).for_each(|_| live.insert(&a, &mut random, (150, 170)));
    db.checkpoint().unwrap();
    let full = file_bytes(&db);
    let snapshot = db.snapshot();
    for (id, _) in live.documents.drain(..7000) {
        assert!(a.delete(&id).unwrap());
    }
    let pages = db.stats().unwrap().collections[0].pages;
    assert!(pages < 120, "{pages} pages");
    // Who has a snapshot reads what was on them.
    assert_eq!(snapshot.collection("a").iter().unwrap().filter(Result::is_ok).count(), 8000);
    assert_eq!(snapshot.collection("a").count().unwrap(), 8000);
    drop(snapshot);
    db.checkpoint().unwrap();
    let mut others = Live::default();
    (0..6000).for_each(|_| others.insert(&b, &mut random, (150, 170)));
    db.checkpoint().unwrap();
    assert!(file_bytes(&db) < full * 11 / 10, "{} after {full}", file_bytes(&db));
    assert_clean(&db);
    for (id, _) in &live.documents {
        assert!(a.contains(id).unwrap());
    }
    drop((a, b));
    db.close().unwrap();
    let db = open(&storage);
    assert_eq!(
        (db.collection("a").count().unwrap(), db.collection("b").count().unwrap()),
        (1000, 6000)
    );
    assert_clean(&db);
}

#[test]
fn a_file_whose_documents_were_all_deleted_is_short_again() {
    let storage = SimStorage::new();
    let mut random = Random::new(6);
    let db = open(&storage);
    let collection = db.collection("c");
    let mut live = Live::default();
    (0..3000).for_each(|_| live.insert(&collection, &mut random, (100, 5000)));
    let full = file_bytes(&db);
    for (id, _) in live.documents.drain(..) {
        assert!(collection.delete(&id).unwrap());
    }
    db.compact().unwrap();
    let left = file_bytes(&db);
    assert!(left <= 16 * 4096, "{left} of {full}: {:?}", db.stats().unwrap());
    assert_clean(&db);
}

#[test]
fn documents_of_any_one_size_take_little_more_than_their_bytes() {
    // Some are a little more than a half, a third or all of a page.
    let sizes = [
        50, 100, 165, 400, 590, 690, 820, 1000, 1030, 1360, 1370, 2040, 2060, 2500, 3560, 4000,
        4060, 4100, 6000, 8130, 8200, 12_000, 12_300, 16_400, 20_480,
    ];
    for size in sizes {
        let storage = SimStorage::new();
        let db = open(&storage);
        let collection = db.collection("c");
        let mut random = Random::new(size as u64);
        let bytes = if size == 165 { 8 << 20 } else { 1 << 20 };
        let count = bytes / size;
        let documents: Vec<Document> = (0..count).map(|_| document(&mut random, size)).collect();
        collection.insert_many(&documents).unwrap();
        drop(collection);
        db.close().unwrap();
        let db = open(&storage);
        let bytes: usize = db
            .collection("c")
            .iter()
            .unwrap()
            .map(|document| document.unwrap().as_bytes().len())
            .sum();
        let times = file_bytes(&db) as f64 / bytes as f64;
        println!("{size}: {times:.3}");
        let times_max = if size == 165 { 1.11 } else { 1.25 };
        assert!(times <= times_max, "{size}: {times} times the data");
    }
}

/// Fills a collection and deletes seven eighths of it: the first ones, or whatever chance picks.
fn mostly_deleted(
    db: &Database,
    random: &mut Random,
    (sizes, count): ((usize, usize), usize),
    by_chance: bool,
) -> Live {
    let collection = db.collection("c");
    let mut live = Live::default();
    (0..count).for_each(|_| live.insert(&collection, random, sizes));
    db.checkpoint().unwrap();
    for _ in 0..count * 7 / 8 {
        let at = if by_chance { random.below(live.documents.len()) } else { 0 };
        let (id, _) = live.documents.remove(at);
        assert!(collection.delete(&id).unwrap());
    }
    live
}

/// Some checkpoints, with a few writes before each.
fn go_on_lightly(db: &Database, live: &mut Live, random: &mut Random, checkpoints: usize) {
    for _ in 0..checkpoints {
        (0..5).for_each(|_| live.insert(&db.collection("c"), random, (200, 200)));
        db.checkpoint().unwrap();
    }
}

fn assert_all_there(db: &Database, live: &Live) {
    assert_clean(db);
    assert_eq!(db.collection("c").count().unwrap(), live.documents.len() as u64);
    for (id, _) in &live.documents {
        assert!(db.collection("c").contains(id).unwrap());
    }
}

/// What a file that has shrunk by itself has at most.
fn assert_short(db: &Database, live: &Live) {
    let (left, least) = (file_bytes(db), live.bytes());
    assert!(left <= least * 5 / 4 + 24 * 4096, "{left} bytes for {least}");
}

const SHAPES: [((usize, usize), usize); 2] = [((150, 250), 12_000), ((50, 20 * 1024), 400)];

#[test]
fn a_file_shrinks_with_sixteen_checkpoints_when_most_of_it_was_deleted() {
    for shape in SHAPES {
        for by_chance in [false, true] {
            let storage = SimStorage::new();
            let mut random = Random::new(7);
            let db = open(&storage);
            let mut live = mostly_deleted(&db, &mut random, shape, by_chance);
            go_on_lightly(&db, &mut live, &mut random, 16);
            assert_all_there(&db, &live);
            assert_short(&db, &live);
        }
    }
}

#[test]
fn a_file_shrinks_once_a_snapshot_is_dropped_that_shows_what_was_deleted() {
    for shape in SHAPES {
        let storage = SimStorage::new();
        let mut random = Random::new(8);
        let db = open(&storage);
        let before = db.collection("c");
        before.insert(doc! { "_id": "first" }).unwrap();
        let mut others = Live::default();
        (0..200).for_each(|_| others.insert(&db.collection("d"), &mut random, shape.0));
        let snapshot = db.snapshot();
        before.delete("first").unwrap();
        let mut live = mostly_deleted(&db, &mut random, shape, true);
        let later = db.snapshot();
        let shown = live.documents.len();
        let pages = || db.stats().unwrap().collections.iter().map(|info| info.pages).sum::<u64>();
        let there = pages();
        go_on_lightly(&db, &mut live, &mut random, 8);
        // To move documents would be in vain.
        assert!(pages() >= there, "{} of {there} pages", pages());
        assert_eq!(snapshot.collection("c").iter().unwrap().filter(Result::is_ok).count(), 1);
        assert_eq!(later.collection("c").iter().unwrap().filter(Result::is_ok).count(), shown);
        assert_eq!(later.collection("d").iter().unwrap().filter(Result::is_ok).count(), 200);
        drop((snapshot, later));
        go_on_lightly(&db, &mut live, &mut random, 16);
        assert_all_there(&db, &live);
        live.documents.extend(others.documents.iter().cloned());
        assert_short(&db, &live);
    }
}

#[test]
fn pages_of_a_collection_that_a_transaction_has_locked_stay_where_they_are() {
    let storage = SimStorage::new();
    let mut random = Random::new(9);
    let db = open(&storage);
    let mut live = mostly_deleted(&db, &mut random, SHAPES[0], true);
    let long = file_bytes(&db);
    let tx = db.begin_write();
    let (id, size) = (tx.collection("c").insert(document(&mut random, 200)).unwrap(), 200);
    for _ in 0..12 {
        db.collection("d").insert(document(&mut random, 200)).unwrap();
        db.checkpoint().unwrap();
    }
    assert!(file_bytes(&db) > long / 2, "{} of {long}", file_bytes(&db));
    tx.commit().unwrap();
    live.documents.push((id, size));
    go_on_lightly(&db, &mut live, &mut random, 16);
    assert_all_there(&db, &live);
    assert_short(&db, &live);
}

/// Writes so much that checkpoints are due, and not so fast that writers wait for them, while
/// others read.
fn write_and_read(db: &Database, live: &Live, large: &Id, random: &mut Random) {
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for (id, _) in &live.documents {
                assert!(db.collection("c").contains(id).unwrap());
            }
        });
        for _ in 0..25 {
            let new = document(random, 10_000);
            assert!(db.collection("d").replace(large, new).unwrap());
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_file_shrinks_in_the_background_and_is_closed_whatever_goes_on_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let options = || Database::options().durability(Durability::Buffered).log_bytes_max(1 << 20);
    let mut random = Random::new(10);
    for rounds in [1000, 3, 4, 5, 6] {
        let len = || std::fs::metadata(&path).unwrap().len();
        let db = options().open(&path).unwrap();
        let live = mostly_deleted(&db, &mut random, SHAPES[0], true);
        let large = db.collection("d").insert(document(&mut random, 10_000)).unwrap();
        let long = len();
        for _ in 0..rounds {
            write_and_read(&db, &live, &large, &mut random);
            if len() < long / 2 {
                break;
            }
        }
        assert!(rounds < 1000 || len() < long / 2, "{} of {long}", len());
        drop(db);
        // As another process could.
        let db = options().open(&path).unwrap();
        db.drop_collection("d").unwrap();
        assert_all_there(&db, &live);
        drop(db);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_snapshot_that_is_kept_costs_no_more_than_what_it_shows_however_long_it_is_kept() {
    let (rounds, count) = if long() { (50, 10_000) } else { (20, 600) };
    for sizes in [(50, 20 * 1024), (50, 300), (1000, 3000)] {
        let count = count * 10_000 / usize::max(sizes.1, 1000);
        for seed in 12..if long() { 32 } else { 13 } {
            let worst = worst_beside_a_snapshot(seed, sizes, count, rounds);
            println!("{sizes:?}, seed {seed}: {worst:.3} times the data beyond what it shows");
            assert!(worst < 1.5, "{sizes:?}, seed {seed}: {worst} times the data");
        }
    }
}

/// How much longer a file gets at most while a snapshot is kept, in times what is in it.
fn worst_beside_a_snapshot(seed: u64, sizes: (usize, usize), count: usize, rounds: usize) -> f64 {
    let db = open(&SimStorage::new());
    let mut random = Random::new(seed);
    let (collection, mut live) = (db.collection("c"), Live::default());
    (0..count).for_each(|_| live.insert(&collection, &mut random, sizes));
    db.checkpoint().unwrap();
    let snapshot = db.snapshot();
    let shown: Vec<Id> = live.documents.iter().map(|(id, _)| id.clone()).collect();
    let (shows, mut worst) = (file_bytes(&db), 0.0_f64);
    for _ in 0..rounds {
        let half = live.delete_half(&collection, &mut random);
        (0..half).for_each(|_| live.insert(&collection, &mut random, sizes));
        worst = worst.max((file_bytes(&db) - shows) as f64 / live.bytes() as f64);
    }
    for id in &shown {
        assert!(snapshot.collection("c").contains(id).unwrap());
    }
    drop(snapshot);
    assert_all_there(&db, &live);
    worst
}
