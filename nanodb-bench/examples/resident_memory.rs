//! How much memory a database takes that is much larger than its cache, whatever goes on.
//!
//! `cargo run --release -p nanodb-bench --example resident_memory [MEBIBYTES] [DIRECTORY]`
//!
//! Fills a database of 1 GiB (by default), opens it anew with a cache of 64 MiB, and prints
//! after each step how much memory the process has, and had at most during it. Allowed are
//! the cache, the index, and 32 MiB for everything else. Linux only: it asks `/proc`. Nothing
//! is synced while it runs, but for checkpoints.

use std::path::Path;
use std::time::Instant;

use nanodb::{Database, DocView, Document, Durability, Scan, Value, doc};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const MIB: u64 = 1 << 20;
const CACHE_BYTES: u64 = 64 * MIB;
const OTHER_BYTES: u64 = 32 * MIB;
const READS: u64 = 1_000_000;
const UPDATES: u64 = 300_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mebibytes: u64 = arguments.next().map_or(Ok(1024), |number| number.parse())?;
    let directory = arguments.next();
    if arguments.next().is_some() {
        return fill(Path::new(&directory.unwrap_or_default()), mebibytes);
    }
    let directory = match directory {
        Some(directory) => tempfile::tempdir_in(directory)?,
        None => tempfile::tempdir()?,
    };
    let path = directory.path().join("data");
    // By another process, so that this one begins with nothing.
    let path_text = path.to_str().ok_or("a directory that is not text")?;
    let filled = std::process::Command::new(std::env::current_exe()?)
        .args([mebibytes.to_string().as_str(), path_text, "fill"])
        .status()?;
    if !filled.success() {
        return Err("filling failed".into());
    }
    measure(&path)
}

fn options() -> nanodb::Options {
    Database::options()
        .cache_bytes_max(usize::try_from(CACHE_BYTES).unwrap_or(usize::MAX))
        .durability(Durability::Buffered)
}

fn fill(path: &Path, mebibytes: u64) -> Result<()> {
    let db = options().open(path)?;
    let documents = db.collection("documents");
    let mut meter = Meter::new();
    let mut random = Random(7);
    let mut next = 1;
    while db.stats()?.page_count * 4096 < mebibytes * MIB {
        let batch: Vec<Document> =
            (next..next + 1000).map(|id| document(id, &mut random)).collect();
        documents.insert_many(&batch)?;
        next += 1000;
    }
    meter.report("filled", &db)?;
    db.close()?;
    Ok(())
}

fn measure(path: &Path) -> Result<()> {
    let mut meter = Meter::new();
    let db = options().open(path)?;
    let documents = db.collection("documents");
    meter.report("opened", &db)?;
    assert!(documents.contains(1)?);
    meter.report("index built", &db)?;

    let count = documents.count()?;
    let before = Checksum::of(&mut documents.scan()?)?;
    assert_eq!(before.documents, count);
    meter.report("scanned", &db)?;

    let mut random = Random(1);
    for _ in 0..READS {
        let found = documents.get(1 + random.next() % count)?.ok_or("a document is missing")?;
        std::hint::black_box(found.get("number"));
    }
    meter.report("1,000,000 random reads", &db)?;

    // Both show the database as it is now, whatever is written from here on.
    let mut snapshots = [documents.scan()?, documents.scan()?];
    for (half, snapshot) in snapshots.iter_mut().enumerate() {
        let start = Instant::now();
        for _ in 0..UPDATES / 2 {
            let id = 1 + random.next() % count;
            let kept = documents.get(id)?.ok_or("a document is missing")?;
            documents.replace(id, changed(&kept, &mut random)?)?;
        }
        let rate = (UPDATES / 2) as f64 / start.elapsed().as_secs_f64();
        meter.report(&format!("150,000 updates, {rate:.0} a second"), &db)?;
        assert!(Checksum::of(snapshot)? == before, "the snapshot has changed");
        meter.report(["snapshot read", "and again"][half], &db)?;
    }
    drop(snapshots);
    assert!(Checksum::of(&mut documents.scan()?)? != before);
    meter.report("snapshot gone, scanned", &db)?;
    db.checkpoint()?;
    meter.report("checkpoint made", &db)?;
    if meter.over {
        return Err("more memory than allowed was in use".into());
    }
    println!("PASS");
    Ok(())
}

/// Of 200 bytes to 1 kB.
fn document(id: u64, random: &mut Random) -> Document {
    let text: String = "some text, and more of it; ".chars().cycle().take(150).collect();
    let more = usize::try_from(random.next() % 800).unwrap_or(0);
    doc! { "_id": id, "number": random.next() >> 1, "text": text, "more": "x".repeat(more) }
}

/// The same document with another number; one in eight also with another length.
fn changed(kept: &DocView, random: &mut Random) -> Result<Document> {
    let mut changed = Document::try_from(kept)?;
    changed.insert("number", Value::from(random.next() >> 1));
    if random.next().is_multiple_of(8) {
        let more = usize::try_from(random.next() % 800).unwrap_or(0);
        changed.insert("more", Value::from("y".repeat(more)));
    }
    Ok(changed)
}

/// What a scan saw, whatever the order.
#[derive(PartialEq, Eq, Debug, Default)]
struct Checksum {
    documents: u64,
    sum: u64,
}

impl Checksum {
    fn of(cursor: &mut Scan) -> Result<Self> {
        let mut checksum = Self::default();
        cursor.for_each(|view| {
            checksum.documents += 1;
            let (words, rest) = view.as_bytes().as_chunks::<8>();
            let mut sum = rest.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
            for word in words {
                sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            }
            checksum.sum = checksum.sum.wrapping_add(sum);
        })?;
        Ok(checksum)
    }
}

/// Prints how much memory the process has.
struct Meter {
    start: Instant,
    over: bool,
}

impl Meter {
    fn new() -> Self {
        println!(
            "{:<34} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}  seconds",
            "MiB", "now", "peak", "allowed", "cached", "older", "spilled"
        );
        Self { start: Instant::now(), over: false }
    }

    fn report(&mut self, step: &str, db: &Database) -> Result<()> {
        let seconds = self.start.elapsed().as_secs_f64();
        let (now, peak) = (resident("VmRSS:")?, resident("VmHWM:")?);
        let stats = db.stats()?;
        let index: u64 = stats.collections.iter().map(|collection| collection.index_bytes).sum();
        let allowed = CACHE_BYTES + index + OTHER_BYTES;
        let over = peak > allowed;
        self.over |= over;
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        println!(
            "{step:<34} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1}  {seconds:.1}{}",
            mib(now),
            mib(peak),
            mib(allowed),
            mib(stats.cached_bytes),
            mib(stats.older_bytes),
            mib(stats.spilled_bytes),
            if over { "  OVER" } else { "" },
        );
        // Where it is allowed, the peak begins anew; else it is that of all steps so far.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        self.start = Instant::now();
        Ok(())
    }
}

fn resident(field: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes: u64 = line.ok_or("no such figure")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
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
