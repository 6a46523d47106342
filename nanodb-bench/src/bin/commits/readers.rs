//! Reads by id, alone and beside a thread that commits.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nanodb::{Database, Durability};

use super::{Arguments, Result, Rows, document, rate};

pub(super) fn measure(arguments: &Arguments, folder: &Path, rows: &mut Rows) -> Result<()> {
    let span = Duration::from_millis(arguments.span_ms);
    let path = folder.join("readers.nanodb");
    let db = Database::options()
        .durability(Durability::Buffered)
        .cache_bytes_max(1 << 30)
        .open(&path)?;
    load(&db, arguments.documents)?;
    let read = || reads(&db, arguments.documents, span);
    read()?;
    rows.add("reads by id, alone", "a second", read()?);
    let beside = beside_writer(&db, arguments.documents, read)?;
    rows.add("reads by id, beside single inserts, Buffered", "a second", beside);
    rows.add("reads by id, alone again", "a second", read()?);
    db.close()?;
    std::fs::remove_file(path)?;
    Ok(())
}

/// Inserts documents with the ids from 1 on.
pub(super) fn load(db: &Database, documents: u64) -> Result<()> {
    let collection = db.collection("documents");
    for first in (1..=documents).step_by(10_000) {
        let last = documents.min(first + 9_999);
        collection.insert_many((first..=last).map(document))?;
    }
    Ok(db.checkpoint()?)
}

fn reads(db: &Database, documents: u64, span: Duration) -> Result<f64> {
    let collection = db.collection("documents");
    let mut random = fastrand::Rng::with_seed(7);
    rate(span, || {
        for _ in 0..1000 {
            let id = random.u64(1..=documents);
            if collection.get(id)?.is_none() {
                return Err(format!("document {id} is missing").into());
            }
        }
        Ok(1000)
    })
}

fn beside_writer(db: &Database, documents: u64, read: impl Fn() -> Result<f64>) -> Result<f64> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result<()> {
            let collection = db.collection("documents");
            let mut id = documents.max(collection.count()?);
            // Relaxed: the flag carries nothing but itself.
            while !stop.load(Ordering::Relaxed) {
                id += 1;
                collection.insert(document(id))?;
            }
            Ok(())
        });
        let rate = read();
        stop.store(true, Ordering::Relaxed);
        writer.join().map_err(|_| "the writer panicked")??;
        rate
    })
}
