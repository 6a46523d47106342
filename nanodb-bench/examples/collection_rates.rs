//! How fast the engine is on this machine: loading, reads by id, scans, updates.
//!
//! `cargo run --release -p nanodb-bench --example collection_rates [DOCUMENTS] [FILE]`
//!
//! Without a file the database is in memory. Nothing is synced while it runs.

use std::time::Instant;

use nanodb::{Database, DocView, Document, Encode, Result, doc};

const BATCH: u64 = 1000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let documents = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(1_000_000);
    let options = Database::options().cache_bytes_max(1 << 30);
    let db = match arguments.next() {
        Some(path) => options.open(path)?,
        None => options.in_memory()?,
    };
    db.drop_collection("rates")?;
    let collection = db.collection("rates");

    let document = |number: u64| -> Document {
        doc! {
            "name": "a name of middling length",
            "number": number,
            "street": "some street or other, and the house's number",
            "tags": ["red", "green", "blue"],
            "score": number as f64 * 0.5,
            "about": "a line of text that fills the document up to two hundred",
        }
    };
    let mut encoded = Vec::new();
    let draft = document(1 << 20).encode(Some(1.into()), &mut encoded)?;
    println!("{documents} documents of {} bytes", draft.record(&encoded).len());

    let batches: Vec<Vec<Document>> =
        (0..10).map(|batch| (batch * BATCH..(batch + 1) * BATCH).map(document).collect()).collect();
    let start = Instant::now();
    for batch in 0..documents / BATCH {
        collection.insert_many(&batches[(batch % 10) as usize])?;
    }
    report("inserted, batches of 1,000", documents, start);

    let start = Instant::now();
    let singles = documents / 10;
    let single = &batches[0][0];
    for _ in 0..singles {
        collection.insert(single)?;
    }
    report("inserted one by one", singles, start);

    let count = collection.count()?;
    let mut random = Random(1);
    let ids: Vec<u64> = (0..count).map(|_| 1 + random.next() % count).collect();
    for round in ["read by id, every byte", "again"] {
        let (mut sum, start) = (0, Instant::now());
        for &id in &ids {
            if let Some(found) = collection.get(id)? {
                sum += checksum(&found);
            }
        }
        report(round, count, start);
        std::hint::black_box(sum);
    }
    let (mut found, start) = (0, Instant::now());
    for &id in &ids {
        found += u64::from(collection.contains(id)?);
    }
    report("looked up", found, start);
    let start = Instant::now();
    let mut found = 0;
    for ids in ids.chunks(1000) {
        found += collection.get_many(ids.iter().copied())?.iter().flatten().count() as u64;
    }
    report("read by ids, 1,000 a call", found, start);

    for round in ["scanned, every byte", "again"] {
        let (mut sum, mut seen, start) = (0, 0, Instant::now());
        collection.scan()?.for_each(|view| {
            sum += checksum(view);
            seen += 1;
        })?;
        report(round, seen, start);
        std::hint::black_box(sum);
    }
    let (mut sum, mut seen, start) = (0, 0, Instant::now());
    let mut cursor = collection.scan()?;
    while let Some(view) = cursor.next()? {
        sum += checksum(view);
        seen += 1;
    }
    report("scanned by a cursor", seen, start);
    std::hint::black_box(sum);
    let start = Instant::now();
    let seen = collection.iter()?.filter(|document| document.is_ok()).count() as u64;
    report("iterated", seen, start);

    let start = Instant::now();
    let updates = documents / 10;
    for &id in ids.iter().take(updates as usize) {
        collection.replace(id, single)?;
    }
    report("replaced one by one", updates, start);
    let start = Instant::now();
    let mut deleted = 0;
    for &id in ids.iter().take(updates as usize) {
        deleted += u64::from(collection.delete(id)?);
    }
    report("deleted one by one", deleted, start);

    let stats = db.stats()?;
    let collection = &stats.collections[0];
    let bytes = stats.page_count * 4096;
    println!(
        "{bytes} bytes of file, {:.3} of the data; {:.1} bytes of index a document",
        bytes as f64 / (count as f64 * draft.record(&encoded).len() as f64),
        collection.index_bytes as f64 / collection.count as f64,
    );
    let start = Instant::now();
    db.close()?;
    report("closed", 1, start);
    Ok(())
}

fn checksum(view: &DocView) -> u64 {
    let (words, rest) = view.as_bytes().as_chunks::<8>();
    let sum: u64 = words.iter().fold(0, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, &byte| sum.wrapping_add(u64::from(byte)))
}

fn report(what: &str, count: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:<28} {:>12.0} a second ({seconds:.2} s)", count as f64 / seconds);
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
