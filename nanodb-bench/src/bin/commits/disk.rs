//! What the disk alone can do: the ceiling for commits.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::{Result, rate};

/// Measures write calls of 256 bytes a second, over existing bytes.
pub(super) fn writes(folder: &Path, span: Duration) -> Result<f64> {
    let mut file = prepared(folder)?;
    let rate = rate(span, || {
        file.seek(SeekFrom::Start(0))?;
        for _ in 0..1000 {
            file.write_all(&[1; 256])?;
        }
        Ok(1000)
    })?;
    Ok(rate)
}

/// Measures overwrites of 4 KiB a second, each synced.
pub(super) fn syncs(folder: &Path, span: Duration) -> Result<f64> {
    let mut file = prepared(folder)?;
    let mut block = 0;
    rate(span, || {
        file.seek(SeekFrom::Start(block % 1024 * 4096))?;
        file.write_all(&[2; 4096])?;
        file.sync_data()?;
        block += 1;
        Ok(1)
    })
}

fn prepared(folder: &Path) -> Result<File> {
    let mut file = tempfile::tempfile_in(folder)?;
    for _ in 0..1024 {
        file.write_all(&[0; 4096])?;
    }
    file.sync_all()?;
    Ok(file)
}
