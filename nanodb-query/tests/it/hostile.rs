//! Bytes and queries that mean harm: refused or answered, in bounded time, never a panic.

use std::time::{Duration, Instant};

use nanodb_query::{
    DEPTH_MAX, Filter, Problem, Projection, QUERY_NODES_MAX, QUERY_REGEXES_MAX, RawValue, Sort,
    compare, encode_key, field,
};
use proptest::prelude::*;

use crate::generate::{document, filter, map, msgpack};

/// Everything there is, on whatever these bytes are.
fn look_at(bytes: &[u8], filter: &Filter) {
    let value = RawValue::new(bytes);
    let _ = value.verify();
    let _ = filter.matches(bytes);
    let _ = compare(value, RawValue::new(b"\x81\xa1a\x91\x80"));
    let _ = encode_key(Some(value), &mut Vec::new());
    let _ = Sort::ascending("a.0.b").key(bytes);
    for text in
        [r#"{"a.b": 1}"#, r#"{"a": {"$slice": [-2, 1]}}"#, r#"{"a": {"$elemMatch": {"b": 1}}}"#]
    {
        let _ = Projection::parse_json(text).unwrap().apply(bytes, &mut Vec::new());
    }
    let _ = Sort::parse(bytes);
    let _ = Projection::parse(bytes);
    if let Ok(filter) = Filter::parse(bytes) {
        let _ = filter.matches(bytes);
        assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused_or_usable(bytes in prop::collection::vec(any::<u8>(), 0..60), filter in filter()) {
        look_at(&bytes, &Filter::parse(&msgpack(&filter)).unwrap());
    }

    #[test]
    fn flipped_bytes_are_refused_or_usable(document in prop_oneof![document(), filter()], filter in filter(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = msgpack(&document);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        look_at(&bytes, &Filter::parse(&msgpack(&filter)).unwrap());
        bytes.truncate(at);
        look_at(&bytes, &Filter::all());
    }

    #[test]
    fn any_text_is_refused_or_usable(text in "[\\[\\]{}:,\"$a0-9.e\\\\ \n-]{0,40}") {
        if let Ok(filter) = Filter::parse_json(&text) {
            prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
        }
        let _ = Projection::parse_json(&text);
        let _ = Sort::parse_json(&text);
    }
}

fn nested(open: &str, core: &str, close: &str, depth: usize) -> String {
    format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn deep_queries_are_refused_and_less_deep_ones_answered() {
    let depth = DEPTH_MAX / 2 - 1;
    let text = nested(r#"{"$or": ["#, r#"{"a": 1}"#, "]}", depth);
    assert!(Filter::parse_json(&text).unwrap().matches(b"\x81\xa1a\x01").unwrap());
    let deep = nested(r#"{"$or": ["#, r#"{"a": 1}"#, "]}", 100_000);
    let error = Filter::parse_json(&deep).unwrap_err();
    assert!(matches!(error.problem(), Problem::TooDeep { .. }), "{error}");
    let bytes = [vec![0x91; 1_000_000], vec![0xc0]].concat();
    assert!(Filter::parse(&bytes).is_err());
    assert!(field("a").eq(1).matches(&bytes).is_ok_and(|found| !found));
}

#[test]
fn wide_queries_are_refused_and_less_wide_ones_answered() {
    let list = |len: usize| vec!["1"; len].join(",");
    let text = |len| format!(r#"{{"a": {{"$in": [{}]}}}}"#, list(len));
    assert!(Filter::parse_json(&text(QUERY_NODES_MAX - 10)).is_ok());
    let error = Filter::parse_json(&text(QUERY_NODES_MAX)).unwrap_err();
    assert!(matches!(error.problem(), Problem::TooManyNodes { .. }), "{error}");
}

#[test]
fn large_regular_expressions_are_refused_and_slow_ones_are_not_slow() {
    let error = field("a").regex("(a{1000}){1000}", "").unwrap_err();
    assert!(matches!(error.problem(), Problem::Regex { .. }), "{error}");
    // Exponential where an engine goes back.
    let filter = field("a").regex("^(a+)+$", "").unwrap();
    let text = "a".repeat(100_000) + "b";
    let start = Instant::now();
    assert!(!filter.matches(&msgpack(&map([("a", text.into())]))).unwrap());
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn many_regular_expressions_are_refused() {
    let text = |count| {
        let list = vec![r#"{"$regex": "a"}"#; count].join(",");
        format!(r#"{{"a": {{"$in": [{list}]}}}}"#)
    };
    assert!(Filter::parse_json(&text(QUERY_REGEXES_MAX)).is_ok());
    let error = Filter::parse_json(&text(QUERY_REGEXES_MAX + 1)).unwrap_err();
    assert!(matches!(error.problem(), Problem::TooManyRegexes { .. }), "{error}");
}

#[test]
fn numbers_in_paths_do_not_double_the_ways_without_end() {
    let path = ["0"; 11].join(".");
    let error = Filter::parse_json(&format!(r#"{{"{path}": 1}}"#)).unwrap_err();
    assert!(matches!(error.problem(), Problem::PathTooLong { .. }), "{error}");
    // [{"0": [{"0": ...}]}]: each level is an element and a name.
    let mut document = rmpv::Value::from(1);
    for _ in 0..45 {
        document = map([("0", rmpv::Value::Array(vec![document]))]);
    }
    let bytes = msgpack(&document);
    let start = Instant::now();
    assert!(!field(&["0"; 10].join(".")).eq(2).matches(&bytes).unwrap());
    assert!(start.elapsed() < Duration::from_secs(1));
}
