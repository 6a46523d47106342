//! What single commits cost, at each level of durability, and what they cost others.
//!
//! ```text
//! cargo run --release -p nanodb-bench --bin commits
//! ```
//!
//! Prints, each as the median of the rounds: commits a second of one document each, by level
//! and threads, beside what the disk itself does in the same round; reads a second alone and
//! beside a thread that commits; updates a second of one field of random documents, in
//! transactions of a thousand, across checkpoints; how large the logs become while a snapshot is
//! held; and the time that opening takes after a kill, by the size of the log.

mod disk;
mod held;
mod levels;
mod readers;
mod recovery;
mod updates;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use nanodb::{Document, doc};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures what commits cost.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How many times to measure everything; the median is printed
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// How long each figure is measured in a round, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    span_ms: u64,

    /// How many documents reads and updates find
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    documents: u64,

    /// Where to put the files, which are removed afterwards; in memory, synced rows mean nothing
    #[arg(long, value_name = "FOLDER", default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,

    /// Leaves a database behind with this many bytes of log, as a killed process does
    #[arg(long, hide = true)]
    abandon: Option<PathBuf>,

    /// The bytes of log
    #[arg(long, hide = true, default_value_t = 0)]
    log_bytes: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.abandon {
        Some(path) => recovery::abandon(path, arguments.log_bytes),
        None => run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("commits: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let folder = tempfile::TempDir::with_prefix_in("nanodb-commits-", &arguments.folder)?;
    let mut rows = Rows::default();
    for round in 0..arguments.rounds {
        eprintln!("round {} of {}", round + 1, arguments.rounds);
        levels::measure(arguments, folder.path(), &mut rows)?;
        readers::measure(arguments, folder.path(), &mut rows)?;
        updates::measure(arguments, folder.path(), &mut rows)?;
        held::measure(folder.path(), &mut rows)?;
        recovery::measure(folder.path(), &mut rows)?;
    }
    rows.print();
    Ok(())
}

/// Figures by name, one a round.
#[derive(Default)]
struct Rows(Vec<(String, &'static str, Vec<f64>)>);

impl Rows {
    fn add(&mut self, name: impl Into<String>, unit: &'static str, value: f64) {
        let name = name.into();
        match self.0.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.2.push(value),
            None => self.0.push((name, unit, vec![value])),
        }
    }

    fn print(&self) {
        for (name, unit, values) in &self.0 {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
            let median = sorted[sorted.len() / 2];
            println!("{name:<58} {median:>12.2} {unit:<12} ({min:.2} to {max:.2})");
        }
    }
}

/// Returns a document of some 165 bytes as MessagePack.
fn document(id: u64) -> Document {
    doc! {
        "_id": id,
        "name": "Ada Example",
        "city": "Berlin",
        "age": id % 90,
        "score": 0,
        "text": "the quick brown fox jumps over the lazy dog and then goes home to sleep a while",
    }
}

/// Returns how many times a second `work` is done, which returns how often it was in a stretch.
fn rate(span: Duration, mut work: impl FnMut() -> Result<u64>) -> Result<f64> {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < span {
        count += work()?;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
