//! Loads many documents in batches and reads them all.
//!
//! `cargo run --release -p nanodb --example bulk_load [DOCUMENTS]`

use std::time::Instant;

use nanodb::{Database, doc};

const BATCH: u64 = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let documents: u64 = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 200_000,
    };
    let path = std::env::temp_dir().join("bulk_load.nanodb");
    let db = Database::open(&path)?;
    db.drop_collection("readings")?;
    let readings = db.collection("readings");

    let start = Instant::now();
    let mut loaded = 0;
    while loaded < documents {
        let batch = (loaded..documents.min(loaded + BATCH)).map(|number| {
            doc! { "sensor": number % 50, "value": number as f64 / 3.0, "unit": "degrees" }
        });
        loaded += readings.insert_many(batch)?.len() as u64;
    }
    db.checkpoint()?;
    report("loaded and written to the file", loaded, start);

    let start = Instant::now();
    let (mut count, mut sum) = (0, 0.0);
    readings.scan()?.for_each(|reading| {
        count += 1;
        sum += reading.get("value").and_then(|value| value.as_f64()).unwrap_or(0.0);
    })?;
    report("scanned", count, start);
    println!("their sum is {sum:.1}");

    db.close()?;
    drop(readings);
    std::fs::remove_file(path)?;
    Ok(())
}

fn report(what: &str, documents: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{documents} documents {what} in {seconds:.2} s, {:.0} a second",
        documents as f64 / seconds
    );
}
