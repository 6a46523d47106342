//! How many commits a second each durability level allows, with one, two and four threads,
//! beside what the disk itself does: one block of 4 kB written over and synced.
//!
//! Every thread changes 200 bytes of a page of its own.
//!
//! ```text
//! cargo run --release -p nanodb-pager --example commit_rates [DIRECTORY]
//! ```

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nanodb_pager::{
    Durability, FileStorage, Options, Owner, PageId, PageKind, Pager, Storage, WriteTx,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const RUN: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    let directory = match std::env::args_os().nth(1) {
        Some(path) => tempfile::tempdir_in(path)?,
        None => tempfile::tempdir_in(".")?,
    };
    println!("raw 4 kB overwrite and sync: {:>9.0} a second", raw_syncs(directory.path())?);
    for level in [Durability::Relaxed, Durability::Buffered, Durability::Immediate] {
        for threads in [1, 2, 4] {
            let path = directory.path().join(format!("{level:?}{threads}"));
            let (rate, slowest) = commits(&path, level, threads)?;
            println!(
                "{:<10} {threads} threads: {rate:>9.0} commits a second, slowest {slowest:.1?}",
                format!("{level:?}")
            );
        }
    }
    Ok(())
}

/// What the disk can do.
fn raw_syncs(directory: &Path) -> Result<f64> {
    let file = FileStorage::open(directory.join("raw"))?;
    file.write_at(&vec![0; 1 << 20], 0)?;
    file.sync()?;
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < RUN / 2 {
        file.write_at(&[1; 4096], u64::from(count % 256) * 4096)?;
        file.sync()?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

fn commits(path: &Path, level: Durability, threads: usize) -> Result<(f64, Duration)> {
    let storage = Arc::new(FileStorage::open(path)?);
    let pager = Pager::open(storage, Arc::new(()), Options::default().durability(level))?;
    let mut tx = pager.begin();
    let pages = (0..threads)
        .map(|_| tx.allocate(PageKind::FIRST_FREE, Owner::new(1)))
        .collect::<nanodb_pager::Result<Vec<PageId>>>()?;
    tx.commit(&[])?;
    let (stop, total) = (AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    let slowest = std::thread::scope(|scope| -> Result<Duration> {
        let writers: Vec<_> = pages
            .iter()
            .map(|&page| {
                let (pager, stop, total) = (&pager, &stop, &total);
                scope.spawn(move || write(pager, page, stop, total))
            })
            .collect();
        std::thread::sleep(RUN);
        // Relaxed: it only ends the run.
        stop.store(true, Ordering::Relaxed);
        let mut slowest = Duration::ZERO;
        for writer in writers {
            slowest = slowest.max(writer.join().map_err(|_| "a writer panicked")??);
        }
        Ok(slowest)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a rate to look at")]
    let rate = total.load(Ordering::Relaxed) as f64 / seconds;
    Ok((rate, slowest))
}

/// Commits until it is told to stop; returns what the slowest commit took.
fn write(
    pager: &Pager,
    page: PageId,
    stop: &AtomicBool,
    total: &AtomicU64,
) -> nanodb_pager::Result<Duration> {
    let (mut count, mut slowest) = (0_usize, Duration::ZERO);
    let mut last = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let mut tx: WriteTx = pager.begin();
        let written = tx.page_mut(page)?.write(count % 16 * 200, &[count.to_le_bytes()[0]; 200]);
        debug_assert!(written, "the range lies in the body");
        tx.commit(&[])?;
        count += 1;
        let now = Instant::now();
        slowest = slowest.max(now - last);
        last = now;
    }
    total.fetch_add(count as u64, Ordering::Relaxed);
    Ok(slowest)
}
