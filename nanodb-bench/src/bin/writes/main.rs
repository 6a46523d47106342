//! How much is written to storage for what is stored.
//!
//! ```text
//! cargo run --release -p nanodb-bench --features peers --bin writes
//! ```
//!
//! Prints for each store the bytes that it passed to the system in write calls, over the bytes of
//! the documents that were inserted or updated: for a load in one transaction, in batches of 10,000
//! and in batches of 1,000, and for updates of random documents, a thousand in each transaction.
//! Closing is among it, so that what a store has put off counts. Every commit is synced.

mod nanodb;
#[cfg(feature = "peers")]
mod redb;
#[cfg(feature = "peers")]
mod sqlite;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use fastrand::Rng;
use rmp::encode;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Each store's cache: less than what is updated takes, as where a database outgrows memory.
const CACHE_BYTES_MAX: usize = 256 << 20;

const UPDATE_BATCH_LEN: u64 = 1_000;

/// How many documents are made and passed to the store at a time, whatever the transaction.
const PIECE_LEN: u64 = 1_000;

/// Measures how much is written for what is stored.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How many documents each load inserts
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    documents: u64,

    /// How many documents there are to be updated
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    updated_documents: u64,

    /// How many updates are made
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1000..))]
    updates: u64,

    /// Where to put the files, which are removed afterwards: 3 GB at the default sizes
    #[arg(long, value_name = "FOLDER", default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
}

/// A store that is written to. Each call is one transaction, synced.
trait Store {
    /// Inserts documents, given in pieces.
    fn insert(&mut self, pieces: &mut dyn Iterator<Item = Vec<(u64, Vec<u8>)>>) -> Result<()>;

    /// Puts documents in the place of those with the same ids.
    fn update(&mut self, documents: &[(u64, Vec<u8>)]) -> Result<()>;

    fn close(self: Box<Self>) -> Result<()>;
}

type Open = fn(&Path) -> Result<Box<dyn Store>>;

const STORES: &[(&str, Open)] = &[
    ("NanoDB", nanodb::open),
    #[cfg(feature = "peers")]
    ("redb", redb::open),
    #[cfg(feature = "peers")]
    ("SQLite", sqlite::open),
];

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("writes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let loads = [
        ("one transaction", arguments.documents),
        ("batches of 10,000", 10_000),
        ("batches of 1,000", 1_000),
    ];
    for &(name, open) in STORES {
        for (how, batch_len) in loads {
            let folder = tempfile::TempDir::with_prefix_in("nanodb-writes-", &arguments.folder)?;
            let before = written()?;
            let mut store = open(folder.path())?;
            let bytes = load(&mut *store, arguments.documents, batch_len)?;
            store.close()?;
            print(name, &format!("{} documents in {how}", arguments.documents), before, bytes)?;
        }
        let folder = tempfile::TempDir::with_prefix_in("nanodb-writes-", &arguments.folder)?;
        let mut store = open(folder.path())?;
        load(&mut *store, arguments.updated_documents, 10_000)?;
        store.close()?;
        let before = written()?;
        let mut store = open(folder.path())?;
        let bytes = update(&mut *store, arguments)?;
        store.close()?;
        let what =
            format!("{} updates of {} documents", arguments.updates, arguments.updated_documents);
        print(name, &what, before, bytes)?;
    }
    Ok(())
}

/// Inserts documents; returns how many bytes they have.
fn load(store: &mut dyn Store, documents: u64, batch_len: u64) -> Result<u64> {
    let mut random = Rng::with_seed(1);
    let mut bytes = 0;
    let mut next = 1;
    while next <= documents {
        let end = (next + batch_len).min(documents + 1);
        let mut failed = None;
        let mut pieces = std::iter::from_fn(|| {
            let piece: Result<Vec<_>> =
                (next..end.min(next + PIECE_LEN)).map(|id| document(id, &mut random)).collect();
            next = end.min(next + PIECE_LEN);
            let piece = piece.map_err(|error| failed = Some(error)).ok()?;
            bytes += piece.iter().map(|(_, document)| document.len() as u64).sum::<u64>();
            (!piece.is_empty()).then_some(piece)
        });
        store.insert(&mut pieces)?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(bytes)
}

/// Updates random documents; returns how many bytes these have.
fn update(store: &mut dyn Store, arguments: &Arguments) -> Result<u64> {
    let mut random = Rng::with_seed(2);
    let mut bytes = 0;
    for _ in 0..arguments.updates / UPDATE_BATCH_LEN {
        let batch: Result<Vec<_>> = (0..UPDATE_BATCH_LEN)
            .map(|_| document(random.u64(1..=arguments.updated_documents), &mut random))
            .collect();
        let batch = batch?;
        bytes += batch.iter().map(|(_, document)| document.len() as u64).sum::<u64>();
        store.update(&batch)?;
    }
    Ok(bytes)
}

/// Returns a document of 100 bytes, or a little less if its id is short. Any two with one id have
/// the same length.
fn document(id: u64, random: &mut Rng) -> Result<(u64, Vec<u8>)> {
    let mut out = Vec::with_capacity(100);
    encode::write_map_len(&mut out, 4)?;
    encode::write_str(&mut out, "_id")?;
    encode::write_uint(&mut out, id)?;
    encode::write_str(&mut out, "score")?;
    encode::write_uint(&mut out, random.u64(1 << 16..1 << 32))?;
    encode::write_str(&mut out, "name")?;
    encode::write_str(&mut out, &format!("user {:08x}", random.u32(..)))?;
    encode::write_str(&mut out, "text")?;
    encode::write_str(&mut out, &"lorem ipsum dolor sit amet ".repeat(2)[..48])?;
    Ok((id, out))
}

fn print(store: &str, what: &str, before: Option<u64>, bytes: u64) -> Result<()> {
    match (before, written()?) {
        (Some(before), Some(now)) => {
            let written = now - before;
            let ratio = written as f64 / bytes as f64;
            println!("{store:<8} {what:<48} {ratio:>8.2} ({written} bytes for {bytes})");
        }
        _ => println!("{store:<8} {what:<48} this system doesn't say"),
    }
    Ok(())
}

/// Returns what this process has passed to the system in write calls, where the system says it.
fn written() -> Result<Option<u64>> {
    let Ok(io) = std::fs::read_to_string("/proc/self/io") else { return Ok(None) };
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    Ok(line.map(str::parse).transpose()?)
}
