//! How fast documents are loaded in bulk, and how many bytes that writes.
//!
//! `cargo run --release -p nanodb-bench --example load_rates FILE [DOCUMENTS] [LEVEL]`
//!
//! Loads documents of about 165 bytes in batches of 1,000, 10,000, 100,000 and all at once,
//! each time into a new file, which is removed first. LEVEL is `immediate` or `buffered`. What is
//! written is counted by the operating system (Linux only): bytes handed to write calls, of
//! file, log and double-write buffer together, closing included.

use std::time::Instant;

use nanodb::{Database, Document, Durability, Encode, Result, doc};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("usage: bulk_load FILE [DOCUMENTS] [immediate|buffered]");
        return Ok(());
    };
    let documents: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let durability = match arguments.next().as_deref() {
        Some("buffered") => Durability::Buffered,
        _ => Durability::Immediate,
    };

    let all: Vec<Document> = (0..documents as u64).map(document).collect();
    let mut encoded = Vec::new();
    let bytes_each = all[0].encode(Some(1.into()), &mut encoded)?.record(&encoded).len();
    println!("{documents} documents of {bytes_each} bytes, {durability:?}");
    for batch in [1_000, 10_000, 100_000, documents] {
        for suffix in ["", "-log0", "-log1", "-dwb"] {
            let _ = std::fs::remove_file(format!("{path}{suffix}"));
        }
        let db = Database::options().durability(durability).open(&path)?;
        let collection = db.collection("bulk");
        let (written, start) = (bytes_written(), Instant::now());
        for batch in all.chunks(batch) {
            collection.insert_many(batch)?;
        }
        let loaded = start.elapsed().as_secs_f64();
        drop(collection);
        db.close()?;
        let closed = start.elapsed().as_secs_f64();
        let written = bytes_written() - written;
        println!(
            "batches of {batch:>9}: {:>9.0} documents a second, {:>9.0} with closing; \
             {:.2} bytes written a byte",
            documents as f64 / loaded,
            documents as f64 / closed,
            written as f64 / (documents * bytes_each) as f64,
        );
    }
    Ok(())
}

fn document(number: u64) -> Document {
    doc! {
        "name": "a name of middling length",
        "number": number,
        "street": "some street or other",
        "tags": ["red", "green", "blue"],
        "score": number as f64 * 0.5,
        "about": "a line of text that fills the document up to 165",
    }
}

/// Bytes that this process has handed to write calls; 0 where the system does not say.
fn bytes_written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}
