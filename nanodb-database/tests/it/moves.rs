//! Documents move to and fro beside readers and checkpoints, and each is found by every look-up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nanodb_database::{Collection, Database, Document, doc};

fn is_long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

fn sized(len: usize) -> Document {
    doc! { "pad": "p".repeat(len) }
}

/// As little of the index as possible is in memory.
fn open() -> Database {
    let options = Database::options().background(false).index_bytes_max(1);
    options.cache_bytes_max(1 << 30).in_memory().unwrap()
}

/// What readers and checkpoints do meanwhile.
#[derive(Default)]
struct Beside {
    stop: AtomicBool,
    missed: AtomicU64,
    reads: AtomicU64,
}

impl Beside {
    fn checkpoint(&self, db: &Database) {
        while !self.stop.load(Ordering::Relaxed) {
            db.checkpoint().unwrap();
        }
    }

    /// Looks for documents 0 to 3, which are always there, and for others, so that another part of
    /// the index is needed.
    fn read(&self, collection: &Collection) {
        let mut others = (4000..8000).cycle().step_by(37);
        while !self.stop.load(Ordering::Relaxed) {
            assert!(collection.contains(others.next().unwrap()).unwrap());
            for id in 0..4 {
                if !collection.contains(id).unwrap() {
                    self.missed.fetch_add(1, Ordering::Relaxed);
                }
            }
            self.reads.fetch_add(4, Ordering::Relaxed);
        }
    }

    fn end(self, db: &Database) {
        assert!(self.reads.into_inner() > 0);
        assert_eq!(self.missed.into_inner(), 0, "documents that exist were not found");
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

/// A transaction in two collections: the index of the second is brought up to date when that of the
/// first, with many entries, is.
#[test]
fn what_a_large_transaction_moves_in_another_collection_is_always_found() {
    let (rounds, documents) = if is_long() { (10, 600_000) } else { (3, 20_000) };
    let db = open();
    let (big, small) = (db.collection("big"), db.collection("small"));
    big.insert(doc! { "_id": -1 }).unwrap();
    small.insert_many((0..8000).map(|id| doc! { "_id": id, "pad": "p" })).unwrap();
    db.checkpoint().unwrap();
    let beside = Beside::default();
    std::thread::scope(|scope| {
        scope.spawn(|| beside.checkpoint(&db));
        scope.spawn(|| beside.read(&small));
        for round in 0..rounds {
            let tx = db.begin_write();
            let new = (0..documents).map(|n| doc! { "_id": 1 + round * documents + n });
            tx.collection("big").insert_many(new).unwrap();
            let len = if round % 2 == 0 { 3000 } else { 1 };
            for id in 0..4 {
                tx.collection("small").replace(id, sized(len)).unwrap();
            }
            tx.commit().unwrap();
        }
        beside.stop.store(true, Ordering::Relaxed);
    });
    beside.end(&db);
}

#[test]
fn a_document_that_moves_beside_checkpoints_is_always_found() {
    let moves = if is_long() { 200_000_u32 } else { 600 };
    let db = open();
    let collections: Vec<Collection> =
        (0..3).map(|number| db.collection(&format!("c{number}"))).collect();
    for collection in &collections {
        collection.insert_many((0..8000).map(|id| doc! { "_id": id, "pad": "p" })).unwrap();
    }
    db.checkpoint().unwrap();
    let beside = Beside::default();
    std::thread::scope(|scope| {
        scope.spawn(|| beside.checkpoint(&db));
        for collection in &collections {
            scope.spawn(|| beside.read(collection));
        }
        let writers = collections.iter().map(|collection| {
            scope.spawn(move || {
                for n in 0..moves {
                    let len = if n % 2 == 0 { 1 } else { 3000 };
                    collection.replace(i64::from(n / 2 % 4), sized(len)).unwrap();
                }
            })
        });
        writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
        beside.stop.store(true, Ordering::Relaxed);
    });
    beside.end(&db);
}
