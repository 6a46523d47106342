//! Any bytes as values: looked at, compared, and made keys that compare alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_msgpack::{RawValue, compare, encode_key};
use nanodb_query::Filter;
use nanodb_query::bytes::FilterBytes;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (a, b) = (RawValue::new(input.0), RawValue::new(input.1));
    let order = compare(a, b);
    let _ = Filter::parse(input.0).map(|filter| filter.matches(input.1));
    if a.verify().is_err() || b.verify().is_err() {
        return;
    }
    let key = |value| {
        let mut key = Vec::new();
        encode_key(Some(value), &mut key).expect("a value has a key");
        key
    };
    assert_eq!(key(a).cmp(&key(b)), order.expect("values compare"));
});
