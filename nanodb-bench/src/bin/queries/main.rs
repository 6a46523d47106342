//! What queries cost: NanoDB beside SQLite's JSONB, and beside decoding each document.
//!
//! ```text
//! cargo run --release -p nanodb-bench --features peers --bin queries
//! ```
//!
//! A filter that is asked about every document, its count and its documents; the first ten by a
//! field; all documents in the order of a field; an update of every tenth. All contenders have the
//! same documents and must give the same answers, else the run ends. They take turns within each
//! round, and who begins changes; the medians of all rounds are printed.

mod decoded;
mod documents;
mod nanodb;
mod report;
mod sqlite;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use report::{Report, Stopwatch, Task};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures what queries cost.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How many times to measure everything; the median is printed
    #[arg(long, value_name = "R", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// How many documents there are
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..))]
    documents: u64,

    /// Where to put the files, which are removed afterwards
    #[arg(long, value_name = "FOLDER", default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
}

/// One way to keep documents and to ask for them.
trait Contender {
    fn name(&self) -> &'static str;

    /// Returns how many documents pass the filter.
    fn count(&mut self) -> Result<u64>;

    /// Returns the sum of the ids of the documents that pass, each of which was handed out.
    fn scan(&mut self) -> Result<u64>;

    /// Returns the ids of the first ten documents, which were handed out, in order.
    fn first_ten(&mut self) -> Result<Vec<u64>>;

    /// Returns a number made of all ids in order; the documents were handed out.
    fn sorted(&mut self) -> Result<u64>;

    /// Adds one to a field of every tenth document; says how many these were.
    fn update(&mut self) -> Result<u64>;

    /// Returns how many documents were updated this many times.
    fn updated(&mut self, times: u32) -> Result<u64>;

    /// Writes a checkpoint, so that its cost is not counted in the time of another contender or of
    /// a later task.
    fn checkpoint(&mut self) -> Result<()>;
}

/// What a task found; the same for all.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Number(u64),
    Ids(Vec<u64>),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("queries: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Report> {
    let folder = tempfile::TempDir::with_prefix_in("nanodb-queries-", &arguments.folder)?;
    eprintln!("loading");
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(nanodb::Nanodb::load(folder.path(), arguments.documents)?),
        Box::new(sqlite::Sqlite::load(folder.path(), arguments.documents)?),
        Box::new(decoded::Decoded::load(folder.path(), arguments.documents)?),
    ];
    let mut report = Report::new(arguments.documents, documents::mean_size(arguments.documents)?);
    // Untimed: whatever is read for the first time is slow.
    for contender in &mut contenders {
        contender.scan()?;
    }
    for round in 1..=arguments.rounds {
        for task in Task::ALL {
            eprintln!("round {round} of {}: {task}", arguments.rounds);
            contenders.rotate_left(1);
            let mut first: Option<(&'static str, Answer)> = None;
            for contender in &mut contenders {
                let stopwatch = Stopwatch::start();
                let answer = perform(contender.as_mut(), task)?;
                report.add(task, contender.name(), stopwatch.stop());
                if task == Task::Update {
                    contender.checkpoint()?;
                }
                agree(task, &mut first, contender.name(), answer)?;
            }
        }
        let mut first = None;
        for contender in &mut contenders {
            let updated = Answer::Number(contender.updated(round)?);
            agree(Task::Update, &mut first, contender.name(), updated)?;
        }
    }
    Ok(report)
}

fn perform(contender: &mut dyn Contender, task: Task) -> Result<Answer> {
    Ok(match task {
        Task::Count => Answer::Number(contender.count()?),
        Task::Scan => Answer::Number(contender.scan()?),
        Task::FirstTen => Answer::Ids(contender.first_ten()?),
        Task::Sorted => Answer::Number(contender.sorted()?),
        Task::Update => Answer::Number(contender.update()?),
    })
}

/// Compares an answer with the one that came first.
fn agree(
    task: Task,
    first: &mut Option<(&'static str, Answer)>,
    name: &'static str,
    answer: Answer,
) -> Result<()> {
    match first {
        None => *first = Some((name, answer)),
        Some((_, there)) if *there == answer => {}
        Some((other, there)) => {
            return Err(format!("{task}: {other} found {there:?}, {name} {answer:?}").into());
        }
    }
    Ok(())
}

/// Returns what the ids of documents come to in their order.
fn in_order(so_far: u64, id: u64) -> u64 {
    so_far.wrapping_mul(0x0000_0100_0000_01b3) ^ id
}
