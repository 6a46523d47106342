//! What a writer costs readers.
//!
//! `cargo run --release -p nanodb-bench --example readers_beside_writer [DOCUMENTS] [ROUNDS]`
//!
//! One thread reads documents by random ids, all of them in the cache: alone, beside a thread
//! that replaces single documents, beside one that inserts in batches, and alone again, in
//! turn. Printed are the medians, for each second that the reader had a processor (on Linux;
//! elsewhere, and for the writer, for each second that passed). Beside them stands what a thread
//! costs readers that copies pages and knows no database: that much is the machine's.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nanodb::{Collection, Database, Document, Durability, doc};

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

const ROUND: Duration = Duration::from_millis(1000);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument =
        |default| arguments.next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(default);
    let (count, rounds) = (argument(1_000_000), argument(7));
    let directory = tempfile::tempdir()?;
    let db = Database::options()
        .cache_bytes_max(2 << 30)
        .durability(Durability::Buffered)
        .open(directory.path().join("data"))?;
    let documents = db.collection("documents");
    for first in (0..count).step_by(1000) {
        let batch: Vec<Document> = (first..first + 1000).map(document).collect();
        documents.insert_many(&batch)?;
    }
    let others = db.collection("others");

    let kinds = ["alone", "beside memory traffic", "beside single updates", "beside bulk inserts"];
    let mut read = [const { Vec::new() }; 4];
    let mut wrote = [const { Vec::new() }; 4];
    for round in 0..rounds {
        for (kind, _) in kinds.iter().enumerate() {
            let (reads, writes) = run(&documents, &others, count, kind, round)?;
            read[kind].push(reads);
            wrote[kind].push(writes);
        }
    }
    let alone = median(&mut read[0]);
    println!("{:<24} {:>12} {:>8} {:>14}", "", "reads/s", "of alone", "writes/s");
    for ((name, read), wrote) in kinds.iter().zip(&mut read).zip(&mut wrote) {
        let reads = median(read);
        println!(
            "{name:<24} {reads:>12.0} {:>7.0}% {:>14.0}",
            reads / alone * 100.0,
            median(wrote)
        );
    }
    Ok(())
}

fn document(number: u64) -> Document {
    doc! {
        "name": "a name of middling length",
        "number": number >> 1,
        "street": "some street or other, and the house's number",
        "about": "a line of text that fills the document up to some hundred and fifty bytes",
    }
}

/// Reads and writes a second.
fn run(
    documents: &Collection,
    others: &Collection,
    count: u64,
    kind: usize,
    seed: u64,
) -> Result<(f64, f64)> {
    let stop = AtomicBool::new(false);
    let writes = AtomicU64::new(0);
    let (mut reads, start, had) = (0_u64, Instant::now(), processor_time());
    let mut seconds_had = 0.0;
    std::thread::scope(|scope| {
        let writer = (kind > 0).then(|| {
            scope.spawn(|| -> Result<()> {
                let mut random = Random(seed + 77);
                let batch: Vec<Document> = (0..100).map(document).collect();
                let mut memory = vec![0_u8; 64 << 20];
                while !stop.load(Ordering::Relaxed) {
                    let written = match kind {
                        1 => copy_a_page(&mut memory, &mut random),
                        2 => {
                            let id = 1 + random.next() % count;
                            documents.replace(id, document(random.next()))?;
                            1
                        }
                        _ => {
                            others.insert_many(&batch)?;
                            batch.len() as u64
                        }
                    };
                    writes.fetch_add(written, Ordering::Relaxed);
                }
                Ok(())
            })
        });
        let mut random = Random(seed + 1);
        let mut sum = 0;
        while start.elapsed() < ROUND {
            for _ in 0..256 {
                if let Some(found) = documents.get(1 + random.next() % count)? {
                    let (words, _) = found.as_bytes().as_chunks::<8>();
                    sum =
                        words.iter().fold(sum, |s: u64, w| s.wrapping_add(u64::from_le_bytes(*w)));
                }
            }
            reads += 256;
        }
        std::hint::black_box(sum);
        seconds_had = match (had, processor_time()) {
            (Some(before), Some(now)) => (now - before).as_secs_f64(),
            _ => start.elapsed().as_secs_f64(),
        };
        stop.store(true, Ordering::Relaxed);
        writer.map_or(Ok(()), |writer| writer.join().unwrap_or(Ok(())))
    })?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((reads as f64 / seconds_had, writes.load(Ordering::Relaxed) as f64 / seconds))
}

/// How long this thread has had a processor.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Copies a random page over another.
fn copy_a_page(memory: &mut [u8], random: &mut Random) -> u64 {
    let pages = memory.len() as u64 / 4096;
    let mut page = || usize::try_from(random.next() % pages).unwrap_or(0) * 4096;
    let (from, to) = (page(), page());
    memory.copy_within(from..from + 4096, to);
    1
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A generator of numbers that are random enough (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
