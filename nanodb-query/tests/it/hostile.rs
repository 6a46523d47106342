//! Bytes and queries that mean harm: refused or answered, in bounded time, never a panic.

use std::time::{Duration, Instant};

use nanodb_msgpack::{RawValue, compare, encode_key};
use nanodb_query::bytes::{FilterBytes, ProjectionBytes, SortBytes, UpdateBytes};
use nanodb_query::{
    DEPTH_MAX, Filter, Problem, Projection, QUERY_NODES_MAX, QUERY_REGEXES_MAX, Sort, Update,
    UpdateContext, field,
};
use proptest::prelude::*;

use crate::generate::{document, filter, map, msgpack, update};

use super::HasProblem as _;

fn config() -> ProptestConfig {
    let long = std::env::var_os("NANODB_TEST_LONG").is_some();
    ProptestConfig { cases: if long { 100_000 } else { 2_000 }, ..ProptestConfig::default() }
}

/// An update on any bytes, `$` being the second element.
fn change(update: &Update, bytes: &[u8]) {
    let context = UpdateContext { matched: Some(1), bytes_max: 10_000, ..UpdateContext::default() };
    let mut out = Vec::new();
    match update.apply(bytes, &context, &mut out) {
        Ok(true) => assert!(out.len() <= context.bytes_max),
        _ => assert!(out.is_empty()),
    }
    if out.is_empty() || RawValue::new(bytes).verify().is_err() {
        return;
    }
    RawValue::new(&out).verify().unwrap();
}

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
    for text in [
        r#"{"$set": {"a.$.b": [1]}, "$inc": {"b.$[]": 1}}"#,
        r#"{"$push": {"a.1": 5}, "$rename": {"b.a": "c"}}"#,
        r#"{"$mergePatch": {"a": {"b": null}, "b": {"c": 1}}}"#,
        r#"{"$replaceWith": {"a": 1}}"#,
    ] {
        change(&Update::parse_json(text).unwrap(), bytes);
    }
    let _ = filter.matched_element(bytes);
    for update in [
        Update::parse(bytes),
        <Update as UpdateBytes>::merge_patch(bytes),
        <Update as UpdateBytes>::replacement(bytes),
    ] {
        let Ok(update) = update else { continue };
        change(&update, bytes);
        let _ = update.upsert(filter, &UpdateContext::default(), &mut Vec::new());
        if !update.to_string().contains("$[") {
            assert_eq!(update.to_string().parse::<Update>().unwrap(), update);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_refused_or_usable(bytes in prop::collection::vec(any::<u8>(), 0..60), filter in filter()) {
        look_at(&bytes, &Filter::parse(&msgpack(&filter)).unwrap());
    }

    #[test]
    fn flipped_bytes_are_refused_or_usable(document in prop_oneof![document(), filter(), update()], filter in filter(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
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
        if let Ok(update) = Update::parse_json(&text) {
            prop_assert_eq!(update.to_string().parse::<Update>().unwrap(), update);
        }
        let _ = Projection::parse_json(&text);
        let _ = Sort::parse_json(&text);
        let _ = Update::merge_patch_json(&text);
    }

    #[test]
    fn updates_on_other_bytes_than_documents_are_refused_or_make_one(update in update(), document in document(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let Ok(update) = Update::parse(&msgpack(&update)) else { return Ok(()) };
        let mut bytes = msgpack(&document);
        change(&update, &bytes);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        change(&update, &bytes);
        bytes.truncate(at);
        change(&update, &bytes);
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
fn deep_and_wide_updates_are_refused_or_made() {
    let path = vec!["a"; DEPTH_MAX - 1].join(".");
    let update = Update::parse_json(&format!(r#"{{"$set": {{"{path}": 1}}}}"#)).unwrap();
    change(&update, b"\x80");
    let patch = nested(r#"{"a": "#, "1", "}", DEPTH_MAX);
    change(&Update::merge_patch_json(&patch).unwrap(), b"\x80");
    let error = Update::merge_patch_json(&nested(r#"{"a": "#, "1", "}", 100_000)).unwrap_err();
    assert!(matches!(error.problem(), Problem::TooDeep { .. }), "{error}");

    let start = Instant::now();
    let fields: Vec<String> = (0..QUERY_NODES_MAX - 2).map(|n| format!(r#""f{n}": {n}"#)).collect();
    let document = format!("{{{}}}", fields.join(", "));
    let wide = Update::parse_json(&format!(r#"{{"$inc": {document}}}"#)).unwrap();
    let document: crate::json::Json = serde_json::from_str(&document).unwrap();
    let mut out = Vec::new();
    let context = UpdateContext::default();
    assert!(wide.apply(&document.to_msgpack(), &context, &mut out).unwrap());
    // Each path doubles back on those before it.
    let same: Vec<String> = (0..3_000).map(|n| format!(r#""a.$[].{n}": 0"#)).collect();
    let same = Update::parse_json(&format!(r#"{{"$set": {{{}}}}}"#, same.join(", "))).unwrap();
    let elements = vec![rmpv::Value::Map(vec![]); 1_000];
    let document = msgpack(&map([("a", rmpv::Value::Array(elements))]));
    assert!(same.apply(&document, &context, &mut Vec::new()).is_err());
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn large_regular_expressions_are_refused_and_slow_ones_are_not_slow() {
    let error = field("a").regex("(a{1000}){1000}", "").check().unwrap_err();
    assert!(matches!(error.problem(), Problem::Regex { .. }), "{error}");
    // Exponential where an engine goes back.
    let filter = field("a").regex("^(a+)+$", "");
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
