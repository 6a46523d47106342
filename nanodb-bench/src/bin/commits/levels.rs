//! Commits of one document each, by level and threads.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nanodb::{Database, Durability};

use super::{Arguments, Result, Rows, disk, document};

const LEVELS: [(Durability, &str); 3] = [
    (Durability::Relaxed, "Relaxed"),
    (Durability::Buffered, "Buffered"),
    (Durability::Immediate, "Immediate"),
];

pub(super) fn measure(arguments: &Arguments, folder: &Path, rows: &mut Rows) -> Result<()> {
    let span = Duration::from_millis(arguments.span_ms);
    rows.add("the disk: writes of 256 bytes", "a second", disk::writes(folder, span)?);
    for (level, name) in LEVELS {
        for threads in [1, 2, 4] {
            // Syncs drift most: measured right beside what is compared with them.
            if level == Durability::Immediate {
                let label = format!("the disk: 4 KiB overwritten and synced, before {threads}");
                rows.add(label, "a second", disk::syncs(folder, span / 2)?);
            }
            let rate = commits(folder, level, threads, span)?;
            rows.add(format!("commits, {name}, threads: {threads}"), "a second", rate);
        }
    }
    Ok(())
}

/// Measures commits of threads that each insert into their own collection.
fn commits(folder: &Path, level: Durability, threads: u64, span: Duration) -> Result<f64> {
    let path = folder.join("commits.nanodb");
    let db = Database::options().durability(level).cache_bytes_max(256 << 20).open(&path)?;
    // Both logs are as long as they get before the time is taken.
    let warm = if level == Durability::Immediate { 2_000 } else { 600_000 / threads };
    let start = std::sync::Barrier::new(usize::try_from(threads)?);
    let rates = thread::scope(|scope| {
        let writers: Vec<_> = (0..threads)
            .map(|number| {
                let (db, start) = (&db, &start);
                scope.spawn(move || -> Result<f64> {
                    let collection = db.collection(&format!("thread {number}"));
                    let mut document = document(0);
                    let mut insert = |id: u64| {
                        document.insert("_id", id);
                        collection.insert(&document)
                    };
                    let warmed: std::result::Result<Vec<_>, _> =
                        (1..=warm).map(&mut insert).map(|id| id.map(drop)).collect();
                    start.wait();
                    warmed?;
                    let begun = Instant::now();
                    let mut id = warm;
                    while begun.elapsed() < span {
                        for _ in 0..8 {
                            id += 1;
                            insert(id)?;
                        }
                    }
                    Ok((id - warm) as f64 / begun.elapsed().as_secs_f64())
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().map_err(|_| "a writer panicked")?)
            .sum::<Result<f64>>()
    })?;
    db.close()?;
    std::fs::remove_file(path)?;
    Ok(rates)
}
