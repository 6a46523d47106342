//! The documents, the same on every machine: eleven fields, some 200 bytes of MessagePack each.

use nanodb::{Document, Encode as _, array, doc};

use super::Result;

const CITIES: [&str; 8] =
    ["Berlin", "Hamburg", "Paris", "Rome", "Vienna", "Madrid", "Lisbon", "Oslo"];

/// Returns the document with that id, from 1 on.
pub(super) fn document(id: u64) -> Document {
    // Spread without a random source. No two products are equal, and hence no two scores.
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let part = |shift: u32, count: u64| (mixed >> shift) % count;
    let city = usize::try_from(part(40, 8)).map_or("", |index| CITIES[index]);
    doc! {
        "_id": id,
        "name": (format!("Person {id}")),
        "email": (format!("person{id}@example.com")),
        "age": (part(20, 90)),
        "city": city,
        // As many bits as a float has.
        "score": ((mixed >> 11) as f64 / 1024.0),
        "tags": (array!["red", "green"]),
        "address": { "street": "Invalidenstrasse 117", "zip": "10115" },
        "note": "a few words that nobody searches for",
        "group": (part(30, 10)),
        "visits": 0,
    }
}

/// Calls `load` with the documents, in batches.
pub(super) fn in_batches(
    documents: u64,
    mut load: impl FnMut(Vec<Document>) -> Result<()>,
) -> Result<()> {
    for first in (1..=documents).step_by(10_000) {
        load((first..=documents.min(first + 9_999)).map(document).collect())?;
    }
    Ok(())
}

/// Returns how many bytes of MessagePack a document takes.
pub(super) fn mean_size(documents: u64) -> Result<u64> {
    let mut bytes = Vec::new();
    for id in (1..=documents).step_by(997) {
        let _appended = document(id).encode(None, &mut bytes)?;
    }
    Ok(bytes.len() as u64 / documents.div_ceil(997))
}
