//! Medians, how much faster NanoDB is, and the settings.

use std::fmt;
use std::time::{Duration, Instant};

use super::sqlite;

/// Whom the others are compared with.
pub(super) const OWN: &str = "NanoDB";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Count,
    Scan,
    FirstTen,
    Sorted,
    Update,
}

impl Task {
    pub(super) const ALL: [Self; 5] =
        [Self::Count, Self::Scan, Self::FirstTen, Self::Sorted, Self::Update];
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => r#"count of {"age": {"$gte": 30}, "city": "Berlin"}, a scan"#,
            Self::Scan => "the same scan, the documents handed out",
            Self::FirstTen => "sort by a field, the first ten documents",
            Self::Sorted => "sort by a field, all documents",
            Self::Update => "one added to a field of every tenth document, one transaction",
        })
    }
}

/// What passes from here on: by the clock, and for this thread on a processor.
pub(super) struct Stopwatch {
    processor: Option<Duration>,
    start: Instant,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self { processor: on_processor(), start: Instant::now() }
    }

    pub(super) fn stop(self) -> Times {
        let clock = self.start.elapsed();
        let processor = on_processor().zip(self.processor).map(|(end, start)| end - start);
        Times { clock, processor: processor.unwrap_or(clock) }
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    clock: Duration,
    /// Without what others on the machine took; the same as `clock` where the system does not say.
    processor: Duration,
}

/// Returns how long this thread has been on a processor so far, as Linux tells.
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// The times that each took for each task, one a round.
#[derive(Debug)]
pub(super) struct Report {
    documents: u64,
    mean_size: u64,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    task: Task,
    contender: &'static str,
    times: Vec<Times>,
}

impl Report {
    pub(super) fn new(documents: u64, mean_size: u64) -> Self {
        Self { documents, mean_size, rows: Vec::new() }
    }

    pub(super) fn add(&mut self, task: Task, contender: &'static str, times: Times) {
        match self.rows.iter_mut().find(|row| row.task == task && row.contender == contender) {
            Some(row) => row.times.push(times),
            None => self.rows.push(Row { task, contender, times: vec![times] }),
        }
    }
}

impl Row {
    /// Returns the milliseconds of all rounds, the shortest first.
    fn sorted(&self, of: impl Fn(&Times) -> Duration) -> Vec<f64> {
        let mut sorted: Vec<f64> =
            self.times.iter().map(|times| of(times).as_secs_f64() * 1e3).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }

    fn clock(&self) -> f64 {
        median(&self.sorted(|times| times.clock))
    }

    fn processor(&self) -> f64 {
        median(&self.sorted(|times| times.processor))
    }
}

fn median(sorted: &[f64]) -> f64 {
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = self.rows.first().map_or(0, |row| row.times.len());
        writeln!(
            f,
            "{} documents, {} bytes of MessagePack each; medians of {rounds} rounds; one thread",
            self.documents, self.mean_size
        )?;
        writeln!(
            f,
            "ratio: how many times as long as {OWN} it takes, by the clock / on the processor"
        )?;
        for task in Task::ALL {
            writeln!(f, "\n{task}")?;
            let mut rows: Vec<&Row> = self.rows.iter().filter(|row| row.task == task).collect();
            rows.sort_by_key(|row| (row.contender != OWN, row.contender));
            let own = rows.first().map_or((1.0, 1.0), |row| (row.clock(), row.processor()));
            for row in rows {
                let (clock, processor) = (row.clock(), row.processor());
                let all = row.sorted(|times| times.clock);
                writeln!(
                    f,
                    "  {:<13} {clock:>8.1} ms {:>6.2} M documents/s   ratio {:>6.2} / {:<6.2} \
                     {:.1} to {:.1} ms, {processor:.1} ms on the processor",
                    row.contender,
                    self.documents as f64 / clock / 1e3,
                    clock / own.0,
                    processor / own.1,
                    all[0],
                    all[all.len() - 1],
                )?;
            }
        }
        writeln!(
            f,
            "\n{OWN}: Durability::Buffered, a cache of 2 GB, checkpoints outside of what is timed"
        )?;
        writeln!(f, "SQLite JSONB: {}", sqlite::SETTINGS)?;
        writeln!(
            f,
            "rmpv: NanoDB's stored bytes of each document decoded to rmpv::Value; as NanoDB otherwise"
        )
    }
}
