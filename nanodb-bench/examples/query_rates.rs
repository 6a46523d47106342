//! How fast documents are searched, sorted and updated by MongoDB's language.
//!
//! `cargo run --release -p nanodb-bench --example query_rates [DOCUMENTS [FILE]]`
//!
//! In memory, with room for all of it; or in a new file, with the options that are the default.

use std::time::Instant;

use nanodb::{Database, Error, Filter, Options, Projection, Sort, Update, doc, field};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u32 = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let db = match std::env::args().nth(2) {
        Some(path) => Database::open(path)?,
        None => Options::default().cache_bytes_max(1 << 30).in_memory()?,
    };
    let people = db.collection("people");
    let cities = ["Berlin", "Hamburg", "Paris", "Rome", "Vienna", "Madrid", "Lisbon", "Oslo"];
    for start in (0..count).step_by(1000) {
        people.insert_many((start..count.min(start + 1000)).map(|number| {
            // Spread without a random source, so that every run has the same documents.
            let mixed = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let city = usize::try_from(mixed / 90 % 8).map_or("", |at| cities[at]);
            doc! {
                "name": (format!("Person {number}")),
                "email": (format!("person{number}@example.com")),
                "age": (mixed % 90),
                "city": city,
                "score": ((mixed % 1000) as f64 / 7.0),
                "tags": ["red", "green", "blue"],
                "address": { "street": "Invalidenstrasse 117", "zip": "10115" },
                "note": "Nothing is known of this person but that they are one of many."
            }
        }))?;
    }
    let wanted = Filter::parse_json(r#"{"age": {"$gte": 30}, "city": "Berlin"}"#)?;
    let sort = || Sort::ascending("score").then_descending("name");
    let tenth = field("age").lt(9);
    let update = Update::parse_json(r#"{"$inc": {"age": 0.5}, "$set": {"city": "Bonn"}}"#)?;
    time(count, "count of a filter", || people.count_documents(&wanted))?;
    let two = || people.find(&wanted).threads(2);
    time(count, "count of a filter, 2 threads", || two().count())?;
    time(count, "documents of a filter, 2 threads", || count_all(two().run()?))?;
    time(count, "documents of a filter", || count_all(people.find(&wanted).run()?))?;
    time(count, "sort, limit 10", || {
        count_all(people.find(Filter::all()).sort(sort()).limit(10).run()?)
    })?;
    let full = || people.find(Filter::all()).sort(sort());
    time(count, "full sort", || count_all(full().run()?))?;
    time(count, "full sort, 2 threads", || count_all(full().threads(2).run()?))?;
    // What is projected is copied, as if the collection did not fit into the cache.
    let all_but = Projection::exclude(["none"]);
    time(count, "full sort of copies", || count_all(full().projection(all_but).run()?))?;
    time(count, "full sort, 8 MiB", || count_all(full().sort_bytes_max(8 << 20).run()?))?;
    time(count, "sort of what passes", || count_all(people.find(&wanted).sort(sort()).run()?))?;
    time(count, "update of a tenth", || Ok(people.update_many(&tenth, &update)?.modified))?;
    time(count, "delete of a tenth", || people.delete_many(field("age").lt(18)))?;
    Ok(())
}

fn count_all(found: nanodb::Cursor) -> Result<u64, Error> {
    let mut count = 0;
    for document in found {
        document?;
        count += 1;
    }
    Ok(count)
}

fn time(count: u32, what: &str, run: impl FnOnce() -> Result<u64, Error>) -> Result<(), Error> {
    let start = Instant::now();
    let found = run()?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{:7.3} s  {:5.1} M/s looked at  {found:7} {what}",
        seconds,
        f64::from(count) / seconds / 1e6
    );
    Ok(())
}
