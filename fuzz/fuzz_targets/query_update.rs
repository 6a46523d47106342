//! Any text as an update, on any bytes as a document; what it prints is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_query::bytes::{FilterBytes, UpdateBytes};
use nanodb_query::{Filter, RawValue, Update, UpdateContext};

fuzz_target!(|input: (&str, &str, &[u8], u32)| {
    let (text, filters, document, matched) = input;
    let Ok(update) = Update::parse_json_with_filters(text, filters) else { return };
    let context =
        UpdateContext { matched: Some(matched), bytes_max: 100_000, ..UpdateContext::default() };
    let mut out = Vec::new();
    if update.apply(document, &context, &mut out) == Ok(true)
        && RawValue::new(document).verify().is_ok()
    {
        RawValue::new(&out).verify().expect("what a document becomes is one");
    }
    let filter = Filter::parse(document).unwrap_or_default();
    let _ = update.upsert(&filter, &context, &mut Vec::new());
    let printed = (update.to_string(), update.array_filters().to_string());
    let again = Update::parse_json_with_filters(&printed.0, &printed.1);
    assert_eq!(again.expect("what is printed is an update"), update);
});
