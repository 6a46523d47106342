//! Updates of one field of random documents, a thousand in each transaction.

use std::path::Path;
use std::time::{Duration, Instant};

use nanodb::{Database, Durability};

use super::readers::load;
use super::{Arguments, Result, Rows, document};

const BATCH_LEN: u64 = 1_000;

/// The number of checkpoints to go on for, and for the span at least.
const CHECKPOINTS: u64 = 2;

pub(super) fn measure(arguments: &Arguments, folder: &Path, rows: &mut Rows) -> Result<()> {
    let path = folder.join("updates.nanodb");
    let db = Database::options()
        .durability(Durability::Buffered)
        .cache_bytes_max(1 << 30)
        .open(&path)?;
    load(&db, arguments.documents)?;
    let mut random = fastrand::Rng::with_seed(9);
    let span = Duration::from_millis(arguments.span_ms);
    let before = db.stats()?.checkpoints;
    let begun = Instant::now();
    let mut updated: u64 = 0;
    while begun.elapsed() < span || db.stats()?.checkpoints < before + CHECKPOINTS {
        update_batch(&db, arguments.documents, updated, &mut random)?;
        updated += BATCH_LEN;
    }
    let rate = updated as f64 / begun.elapsed().as_secs_f64();
    rows.add("updates of one field, 1,000 a commit, across 2 checkpoints", "a second", rate);
    db.close()?;
    std::fs::remove_file(path)?;
    Ok(())
}

/// Gives a thousand documents another score.
pub(super) fn update_batch(
    db: &Database,
    documents: u64,
    stamp: u64,
    random: &mut fastrand::Rng,
) -> Result<()> {
    db.write(|tx| {
        let collection = tx.collection("documents");
        for n in 0..BATCH_LEN {
            let id = random.u64(1..=documents);
            let mut new = document(id);
            new.insert("score", (stamp + n) % 100);
            collection.replace(id, &new)?;
        }
        Ok(())
    })?;
    Ok(())
}
