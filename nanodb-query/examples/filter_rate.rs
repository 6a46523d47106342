//! How many documents a second a filter is asked about and an update changes, beside decoding each
//! with `rmpv`.
//!
//! `cargo run --release -p nanodb-query --example filter_rate [DOCUMENTS]`

use std::hint::black_box;
use std::time::Instant;

use nanodb_query::bytes::{FilterBytes, UpdateBytes};
use nanodb_query::{ApplyError, Filter, Update, UpdateContext, UpdateError};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let (bytes, ends) = documents(count)?;
    println!("{count} documents of {} bytes", bytes.len() / ends.len().max(1));
    let filters = [
        r#"{"age": {"$gte": 30}, "city": "Berlin"}"#,
        r#"{"_id": 5000}"#,
        r#"{"score": {"$lt": 10}}"#,
        r#"{"address.zip": "10115"}"#,
        r#"{"tags": "blue"}"#,
        r#"{"$or": [{"city": "Berlin"}, {"age": {"$lt": 20}}]}"#,
        r#"{"name": {"$regex": "^Person 99"}}"#,
        r#"{"city": {"$in": ["Berlin", "Hamburg", "Paris", "Rome", "Oslo"]}}"#,
    ];
    for text in filters {
        let filter = Filter::parse_json(text)?;
        let (mut best, mut found) = (f64::INFINITY, 0);
        for _ in 0..5 {
            let start = Instant::now();
            found = run(&filter, &bytes, &ends)?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{:6.1} M/s  {found:7} found  {text}", count as f64 / best / 1e6);
    }
    let updates = [
        r#"{"$inc": {"age": 1}}"#,
        r#"{"$set": {"city": "Bonn", "seen": true}}"#,
        r#"{"$push": {"tags": "new"}}"#,
        r#"{"$set": {"tags.$[]": "x"}}"#,
    ];
    for text in updates {
        let update = Update::parse_json(text)?;
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            change(&update, &bytes, &ends)?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{:6.1} M/s  {text}", count as f64 / best / 1e6);
    }
    let start = Instant::now();
    let found = decode(&bytes, &ends)?;
    let rate = count as f64 / start.elapsed().as_secs_f64() / 1e6;
    println!("{rate:6.1} M/s  {found:7} found  {} decoded with rmpv", filters[0]);
    Ok(())
}

/// One buffer of documents, and where each ends.
fn documents(count: usize) -> Result<(Vec<u8>, Vec<usize>), rmpv::encode::Error> {
    let cities = ["Berlin", "Hamburg", "Paris", "Rome", "Vienna", "Madrid", "Lisbon", "Oslo"];
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for number in 0..count {
        // Spread without a random source, so that every run has the same documents.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let document = rmpv::Value::Map(vec![
            ("_id".into(), (number as u64).into()),
            ("name".into(), format!("Person {number}").into()),
            ("email".into(), format!("person{number}@example.com").into()),
            ("age".into(), (mixed % 90).into()),
            ("city".into(), cities[mixed / 90 % cities.len()].into()),
            ("score".into(), ((mixed % 1000) as f64 / 7.0).into()),
            ("active".into(), mixed.is_multiple_of(3).into()),
            ("tags".into(), rmpv::Value::Array(vec!["red".into(), "green".into(), "blue".into()])),
            (
                "address".into(),
                rmpv::Value::Map(vec![
                    ("street".into(), "Invalidenstrasse 117".into()),
                    ("zip".into(), "10115".into()),
                ]),
            ),
            ("created".into(), 1_700_000_000_u64.into()),
            ("note".into(), "a few words that nobody searches".into()),
        ]);
        rmpv::encode::write_value(&mut bytes, &document)?;
        ends.push(bytes.len());
    }
    Ok((bytes, ends))
}

fn slices<'a>(bytes: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut start = 0;
    ends.iter().map(move |&end| {
        let document = bytes.get(start..end).unwrap_or_default();
        start = end;
        document
    })
}

fn run(filter: &Filter, bytes: &[u8], ends: &[usize]) -> Result<usize, ApplyError> {
    let mut found = 0;
    for document in slices(bytes, ends) {
        found += usize::from(black_box(filter).matches(document)?);
    }
    Ok(found)
}

fn change(update: &Update, bytes: &[u8], ends: &[usize]) -> Result<(), UpdateError> {
    let (context, mut new) = (UpdateContext::default(), Vec::new());
    for document in slices(bytes, ends) {
        new.clear();
        black_box(update.apply(document, &context, &mut new)?);
    }
    Ok(())
}

/// What a program does without a filter on bytes: decode, then look.
fn decode(bytes: &[u8], ends: &[usize]) -> Result<usize, rmpv::decode::Error> {
    let mut found = 0;
    for mut document in slices(bytes, ends) {
        let document = rmpv::decode::read_value(&mut document)?;
        let fields = document.as_map().map(Vec::as_slice).unwrap_or_default();
        let field = |wanted: &str| {
            fields.iter().find(|(name, _)| name.as_str() == Some(wanted)).map(|(_, value)| value)
        };
        let age = field("age").and_then(rmpv::Value::as_u64);
        let city = field("city").and_then(rmpv::Value::as_str);
        found += usize::from(age.is_some_and(|age| age >= 30) && city == Some("Berlin"));
    }
    Ok(found)
}
