//! Questions about the log of a web server.
//!
//! `cargo run --release -p nanodb --example log_analytics`

use std::collections::BTreeMap;
use std::time::Duration;

use nanodb::{Document, Durability, Options, Result, Timestamp, doc, field};

fn main() -> Result<()> {
    for line in run(100_000)? {
        println!("{line}");
    }
    Ok(())
}

/// Makes a log of so many lines and returns what it tells.
pub(crate) fn run(lines: u64) -> Result<Vec<String>> {
    let db = Options::default().durability(Durability::Buffered).in_memory()?;
    let log = db.collection("log");
    let from: Timestamp = "2026-11-01T00:00:00Z".parse()?;
    for batch in 0..lines.div_ceil(1_000) {
        let numbers = batch * 1_000..lines.min((batch + 1) * 1_000);
        log.insert_many(numbers.map(|number| line(from, number)))?;
    }
    let mut told = Vec::new();

    // Each of these looks at all lines once, at 100 to 200 ns a line: there is no index.
    let failed = field("status").gte(500);
    told.push(format!("{} of {} failed", log.count_documents(&failed)?, log.count()?));

    let day = field("at").gte(from).and(field("at").lt(from + Duration::from_secs(86_400)));
    told.push(format!("{} on the first day", log.count_documents(day)?));

    for line in log.find(doc! {}).sort(doc! { "ms": -1 }).limit(3).run()? {
        let line = line?;
        told.push(format!("slow: {} in {} ms", line.get_str("path")?, line.get_i64("ms")?));
    }
    for (level, count) in log.count_by("level", doc! {})? {
        told.push(format!("level {level}: {count}"));
    }

    // What no verb does, a loop over the documents does, which are read where they are stored.
    let mut by_path = BTreeMap::<String, (u64, i64)>::new();
    for line in log.find(failed).projection(["path", "ms"]).run()? {
        let line = line?;
        let (count, ms) = by_path.entry(line.get_str("path")?.to_owned()).or_default();
        *count += 1;
        *ms += line.get_i64("ms")?;
    }
    for (path, (count, ms)) in by_path {
        told.push(format!("failed: {path} {count} times, in {} ms each", ms / count as i64));
    }

    let api = field("path").starts_with("/api/").and(field("user.roles").eq("admin"));
    told.push(format!("{} calls by admins", log.count_documents(api)?));
    Ok(told)
}

/// A line of the log.
fn line(from: Timestamp, number: u64) -> Document {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let path = ["/", "/api/users", "/api/orders", "/img/logo.svg"][scattered as usize % 4];
    let (status, level) = if scattered % 50 == 7 { (503, "error") } else { (200, "info") };
    let roles = if number.is_multiple_of(10) { vec!["admin", "user"] } else { vec!["user"] };
    doc! {
        "at": from + Duration::from_millis(number * 5_000),
        "path": path,
        "status": status,
        "level": level,
        "ms": scattered % 997,
        "user": { "id": scattered % 1_000, "roles": roles },
    }
}
