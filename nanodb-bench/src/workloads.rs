//! What is measured, and how.
//!
//! Each function does one workload on one store and says how it went in the workload's
//! [`Unit`]. Reading workloads first scan once, untimed, so that each store has in its cache what
//! it wants there, and afterwards hold the sum of the bytes they saw against the corpus.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::corpus::Corpus;
use crate::stores::{Durability, Result, Store, StoreKind};

/// Documents a transaction of the bulk inserts.
pub(crate) const BATCH_LEN: usize = 1_000;

/// One row of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Workload {
    InsertSynced,
    InsertUnsynced,
    InsertUnsyncedThenCheckpoint,
    Read,
    ReadTwoThreads,
    Scan,
    OpenAndFirstRead,
    FileSize,
}

/// What a workload's figures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    DocumentsPerSecond,
    Milliseconds,
    FileBytesPerDataByte,
}

impl Workload {
    pub(crate) const ALL: [Self; 8] = [
        Self::InsertSynced,
        Self::InsertUnsynced,
        Self::InsertUnsyncedThenCheckpoint,
        Self::Read,
        Self::ReadTwoThreads,
        Self::Scan,
        Self::OpenAndFirstRead,
        Self::FileSize,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::InsertSynced => "bulk insert, batches of 1,000, each synced",
            Self::InsertUnsynced => "bulk insert, batches of 1,000, unsynced",
            Self::InsertUnsyncedThenCheckpoint => {
                "the same, then all of it into the file and synced once"
            }
            Self::Read => "read by id in random order, every byte summed",
            Self::ReadTwoThreads => "the same, 2 threads",
            Self::Scan => "full scan, every byte summed",
            Self::OpenAndFirstRead => "open and first read, after an orderly close",
            Self::FileSize => "allocated bytes over the data's, after loading and closing",
        }
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::OpenAndFirstRead => Unit::Milliseconds,
            Self::FileSize => Unit::FileBytesPerDataByte,
            _ => Unit::DocumentsPerSecond,
        }
    }
}

/// Inserts the whole corpus in batches; returns the time it took.
pub(crate) fn insert(store: &mut dyn Store, documents: &[(u64, &[u8])]) -> Result<Duration> {
    let start = Instant::now();
    for batch in documents.chunks(BATCH_LEN) {
        store.insert_batch(batch)?;
    }
    Ok(start.elapsed())
}

/// Reads every document once, in the order of `ids`, shared out among `threads`.
pub(crate) fn read(store: &dyn Store, ids: &[u64], threads: usize, corpus: &Corpus) -> Result<f64> {
    // A single document leaves the second thread without a share.
    let shares: Vec<&[u64]> = ids.chunks(ids.len().div_ceil(threads)).collect();
    // No thread is timed while another still warms up.
    let warm = Barrier::new(shares.len());
    let spans = thread::scope(|scope| -> Result<Vec<ReadSpan>> {
        let warm = &warm;
        let readers: Vec<_> = shares
            .iter()
            .map(|share| scope.spawn(move || read_share(store, share, warm)))
            .collect();
        readers.into_iter().map(|reader| reader.join().map_err(|_| "a reader panicked")?).collect()
    })?;

    check_sum(spans.iter().map(|span| span.sum).sum(), corpus)?;
    let start = spans.iter().map(|span| span.start).min();
    let end = spans.iter().map(|span| span.end).max();
    let time = start.zip(end).map(|(start, end)| end - start).unwrap_or_default();
    Ok(per_second(corpus, time))
}

/// Walks all documents in the store's own order.
pub(crate) fn scan(store: &dyn Store, corpus: &Corpus) -> Result<f64> {
    let (mut sum, mut time) = (0, Duration::ZERO);
    store.read_with(&mut |reader| {
        reader.scan(&mut 0)?;
        let start = Instant::now();
        reader.scan(&mut sum)?;
        time = start.elapsed();
        Ok(())
    })?;
    check_sum(sum, corpus)?;
    Ok(per_second(corpus, time))
}

/// Opens a closed store and reads one document from its middle; milliseconds.
pub(crate) fn open_and_first_read(kind: StoreKind, folder: &Path, corpus: &Corpus) -> Result<f64> {
    let id = (corpus.len() / 2).max(1) as u64;
    let start = Instant::now();
    let store = kind.open(folder, Durability::Unsynced)?;
    store.read_with(&mut |reader| reader.read(id, &mut 0))?;
    let time = start.elapsed();
    store.close()?;
    Ok(time.as_secs_f64() * 1_000.0)
}

/// Returns what a folder's files occupy on the disk, over what the documents alone would need.
pub(crate) fn file_size(folder: &Path, corpus: &Corpus) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += allocated_bytes(&entry?.metadata()?);
    }
    Ok(bytes as f64 / corpus.size() as f64)
}

/// Returns documents a second, if all of them took `time`.
pub(crate) fn per_second(corpus: &Corpus, time: Duration) -> f64 {
    corpus.len() as f64 / time.as_secs_f64()
}

struct ReadSpan {
    start: Instant,
    end: Instant,
    sum: u64,
}

fn read_share(store: &dyn Store, ids: &[u64], warm: &Barrier) -> Result<ReadSpan> {
    let mut span = ReadSpan { start: Instant::now(), end: Instant::now(), sum: 0 };
    let mut waited = false;
    let outcome = store.read_with(&mut |reader| {
        let warmed = reader.scan(&mut 0);
        // The others wait for this thread even if it has nothing more to do.
        warm.wait();
        waited = true;
        warmed?;
        span.start = Instant::now();
        for &id in ids {
            reader.read(id, &mut span.sum)?;
        }
        span.end = Instant::now();
        Ok(())
    });
    if !waited {
        warm.wait();
    }
    outcome.map(|()| span)
}

fn check_sum(sum: u64, corpus: &Corpus) -> Result<()> {
    let expected = corpus.sum();
    if sum == expected {
        return Ok(());
    }
    Err(format!("the bytes read add up to {sum}, those inserted to {expected}").into())
}

/// A file with holes, as LMDB's may be, is longer than what it takes.
#[cfg(unix)]
fn allocated_bytes(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

#[cfg(not(unix))]
fn allocated_bytes(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}
