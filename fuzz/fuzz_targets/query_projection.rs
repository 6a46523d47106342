//! Any text as a projection and as a sort, on any bytes as a document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_query::bytes::{ProjectionBytes, SortBytes};
use nanodb_query::{Projection, RawValue, Sort};

fuzz_target!(|input: (&str, &[u8])| {
    let (text, document) = input;
    if let Ok(sort) = Sort::parse_json(text) {
        let _ = sort.key(document);
    }
    let Ok(projection) = Projection::parse_json(text) else { return };
    let mut out = Vec::new();
    if projection.apply(document, &mut out).is_ok() && RawValue::new(document).verify().is_ok() {
        RawValue::new(&out).verify().expect("what is left of a document is one");
    }
});
