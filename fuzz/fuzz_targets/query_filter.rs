//! Any text as a filter, on any bytes as a document; what it prints is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_query::Filter;
use nanodb_query::bytes::FilterBytes;

fuzz_target!(|input: (&str, &[u8])| {
    let (text, document) = input;
    let Ok(filter) = Filter::parse_json(text) else { return };
    let _ = filter.matches(document);
    let printed = filter.to_string();
    assert_eq!(Filter::parse_json(&printed).expect("what is printed is a filter"), filter);
});
