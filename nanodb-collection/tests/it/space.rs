//! How much room documents take in the file, and what becomes of that of deleted ones.

use std::sync::Arc;

use nanodb_collection::{Collection, Database, Document, Durability, Id, Value, doc};
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
        assert!(least < 1.2, "{sizes:?}: {least} times the data");
        for (id, _) in &live.documents {
            assert!(collection.contains(id).unwrap());
        }
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
    assert_eq!(collection.count(), live.documents.len() as u64);
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
    assert_eq!(snapshot.collection("a").count(), 8000);
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
    assert_eq!((db.collection("a").count(), db.collection("b").count()), (1000, 6000));
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
    let sizes = [50, 100, 165, 400, 1000, 1360, 2040, 2500, 4000, 4100, 6000, 8200, 12_000, 20_480];
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
