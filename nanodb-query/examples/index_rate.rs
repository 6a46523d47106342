//! Measures how long the keys of a document and the bounds of a filter take:
//! `cargo run --release -p nanodb-query --example index_rate`.
#![allow(clippy::unwrap_used, reason = "an example")]

use std::hint::black_box;
use std::time::Instant;

use nanodb_document::{doc, to_bytes};
use nanodb_query::{Index, IndexKeys, IndexSpec, MultikeyPaths, Sort, field, plan};

/// Prints the nanoseconds of one call, the least of seven rounds.
fn measure(what: &str, mut call: impl FnMut()) {
    const CALLS: u32 = 100_000;
    let round = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed() / CALLS
    };
    let least = (0..7).map(round).min().unwrap_or_default();
    println!("{what:<50} {:>6} ns", least.as_nanos());
}

fn main() -> nanodb_query::Result<()> {
    let document = to_bytes(&doc! {
        "_id": 4_711, "name": "Ada Lovelace", "email": "ada.lovelace@example.com", "age": 36,
        "address": { "city": "London", "zip": "W1" }, "tags": ["a", "b", "c", "d"],
    })?;
    let specs: Vec<IndexSpec> = [
        Index::ascending("age"),
        Index::ascending("email").unique(),
        Index::ascending("address.city").then_descending("age"),
        Index::ascending("tags"),
        Index::ascending("name").sparse(),
    ]
    .iter()
    .map(Index::spec)
    .collect::<Result<_, _>>()?;

    let mut keys = IndexKeys::default();
    for spec in &specs {
        measure(&format!("keys for {}", spec.name()), || {
            keys.enumerate(spec, black_box(&document)).unwrap();
        });
    }
    let none = MultikeyPaths::default();
    let filter = field("age").gte(30).and(field("age").lt(40)).and(field("email").eq("a@b.c"));
    for spec in &specs {
        measure(&format!("bounds of {}", spec.name()), || {
            black_box(plan::index_bounds(black_box(&filter), spec, &none).ok());
        });
    }
    let sort = Sort::ascending("age");
    measure("all five: bounds, ranges, and whether they are sorted", || {
        for spec in &specs {
            for bounds in plan::index_bounds(black_box(&filter), spec, &none).iter().flatten() {
                black_box(bounds.scan_ranges(64));
                black_box(plan::sort_order(&sort, spec, &none, bounds).is_ok());
            }
        }
    });
    Ok(())
}
