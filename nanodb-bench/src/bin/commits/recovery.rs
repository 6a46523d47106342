//! How long opening takes after a kill, by the size of the log.

use std::path::Path;
use std::process::Command;

use nanodb::{Database, Durability};

use super::{Result, Rows, document};

const MIB: u64 = 1 << 20;

pub(super) fn measure(folder: &Path, rows: &mut Rows) -> Result<()> {
    for mebibytes in [1, 4, 16, 64] {
        let path = folder.join(format!("killed-{mebibytes}.nanodb"));
        let status = Command::new(std::env::current_exe()?)
            .args(["--log-bytes", &(mebibytes * MIB).to_string(), "--abandon"])
            .arg(&path)
            .status()?;
        let db = Database::options().open(&path)?;
        let report = db.open_report();
        if report.clean || status.success() {
            return Err("the process was to die and leave a log".into());
        }
        let name = format!("opening after a kill, log of {mebibytes} MiB");
        rows.add(name, "ms", report.duration.as_secs_f64() * 1_000.0);
        db.close()?;
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Fills a log and dies without closing anything.
pub(super) fn abandon(path: &Path, log_bytes: u64) -> Result<()> {
    let db = Database::options()
        .durability(Durability::Buffered)
        .log_bytes_max(2 * log_bytes)
        .cache_bytes_max(1 << 30)
        .open(path)?;
    let collection = db.collection("documents");
    let mut id = 0;
    while db.stats()?.log_bytes < log_bytes {
        for _ in 0..256 {
            id += 1;
            collection.insert(document(id))?;
        }
    }
    std::process::abort();
}
