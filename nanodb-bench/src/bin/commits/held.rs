//! How large the log becomes while a snapshot is held for the whole of a sustained load.

use std::path::Path;

use nanodb::{Database, Durability};

use super::readers::load;
use super::updates::update_batch;
use super::{Result, Rows};

const DOCUMENTS: u64 = 100_000;
const LOG_BYTES_MAX: u64 = 16 << 20;

/// The number of checkpoints to go on for.
const CHECKPOINTS: u64 = 12;

pub(super) fn measure(folder: &Path, rows: &mut Rows) -> Result<()> {
    let path = folder.join("held.nanodb");
    let db = Database::options()
        .durability(Durability::Buffered)
        .cache_bytes_max(64 << 20)
        .log_bytes_max(LOG_BYTES_MAX)
        .open(&path)?;
    load(&db, DOCUMENTS)?;
    let snapshot = db.snapshot();
    let mut random = fastrand::Rng::with_seed(11);
    let before = db.stats()?.checkpoints;
    let (mut largest, mut updated) = (0, 0);
    while db.stats()?.checkpoints < before + CHECKPOINTS {
        update_batch(&db, DOCUMENTS, updated, &mut random)?;
        updated += 1;
        let log = |suffix: &str| {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |log| log.len())
        };
        largest = largest.max(log("-log0") + log("-log1"));
    }
    if snapshot.collection("documents").count()? != DOCUMENTS {
        return Err("the snapshot has changed".into());
    }
    drop(snapshot);
    let name = "both logs at their largest, a snapshot held, limit 16 MiB";
    rows.add(name, "MiB", largest as f64 / f64::from(1 << 20));
    db.close()?;
    std::fs::remove_file(path)?;
    Ok(())
}
