//! Filters on bytes against the plain evaluator, and printing against parsing.

use nanodb_query::bytes::FilterBytes;
use nanodb_query::{Filter, field};
use proptest::prelude::*;

use crate::generate::{document, filter, map, msgpack};
use crate::plain;

fn config() -> ProptestConfig {
    let long = std::env::var_os("NANODB_TEST_LONG").is_some();
    ProptestConfig { cases: if long { 500_000 } else { 3_000 }, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes_are_judged_as_decoded_values_are(filter in filter(), documents in prop::collection::vec(document(), 1..6)) {
        let parsed = Filter::parse(&msgpack(&filter)).unwrap();
        for document in documents {
            let found = parsed.matches(&msgpack(&document)).unwrap();
            prop_assert_eq!(found, plain::matches(&filter, &document), "{} on {}", filter, document);
        }
    }

    #[test]
    fn what_a_filter_prints_is_read_back_as_the_same(filter in filter()) {
        let parsed = Filter::parse(&msgpack(&filter)).unwrap();
        let printed = parsed.to_string();
        let again = Filter::parse_json(&printed).unwrap();
        prop_assert_eq!(&again, &parsed);
        prop_assert_eq!(again.to_string(), printed);
    }
}

#[test]
fn names_longer_than_short_strings_and_in_long_forms_are_found() {
    let name = "n".repeat(40);
    let filter = field(&name).eq(1).and(field("a").eq(2));
    assert!(filter.matches(&msgpack(&map([(name.as_str(), 1.into()), ("a", 2.into())]))).unwrap());
    // {"a": 2} with the name in the form for up to 255 bytes.
    assert!(field("a").eq(2).matches(b"\x81\xd9\x01a\x02").unwrap());
}

#[test]
fn a_string_is_found_wherever_and_however_it_is_stored() {
    let red = || field("a.b").eq("red");
    let filters = [
        red(),
        red().and(field("c").exists(false)),
        field("a.b").all(["red"]),
        red().or(field("a.c").eq("blue")),
        red().or(field("a.c").eq("green")).or(field("a.c").eq("blue")),
        field("x").eq("none").or(red()),
    ];
    let documents: [&[u8]; 4] = [
        b"\x81\xa1a\x81\xa1b\xa3red",
        b"\x81\xa1a\x81\xa1b\xd9\x03red",
        b"\x81\xa1a\x92\x01\x81\xa1b\x92\xa4blue\xda\0\x03red",
        b"\x82\xa1z\xa4read\xa1a\x82\xa1c\xa4grey\xa1b\xdb\0\0\0\x03red",
    ];
    for filter in &filters {
        for document in documents {
            assert!(filter.matches(document).unwrap(), "{filter}");
        }
        // In another field, and not as a whole.
        for document in [&b"\x81\xa1a\x81\xa1d\xa3red"[..], b"\x81\xa1a\x81\xa1b\xa5redly"] {
            assert!(!filter.matches(document).unwrap(), "{filter}");
        }
    }
    let blue = b"\x81\xa1a\x81\xa1c\xa4blue";
    assert_eq!(
        filters.each_ref().map(|filter| filter.matches(blue).unwrap()),
        [false, false, false, true, true, false]
    );
    // A page holds no document as large.
    let large = msgpack(&map([("z", "-".repeat(5_000).into()), ("b", "red".into())]));
    assert!(field("b").eq("red").matches(&large).unwrap());
    assert!(!field("z").eq("red").matches(&large).unwrap());
}

#[test]
fn names_of_every_length_are_told_apart() {
    for len in 1..20 {
        let name = "abcdefghijklmnopqrst".get(..len).unwrap();
        let other = format!("{}~", name.get(1..).unwrap());
        let document = msgpack(&map([(other.as_str(), 1.into()), (name, 2.into())]));
        assert!(field(name).eq(2).and(field(&other).eq(1)).matches(&document).unwrap());
        assert!(!field(name).eq(1).matches(&document).unwrap());
        let (longer, shorter) = (format!("{name}~"), name.get(..len - 1).unwrap());
        assert!(field(&longer).exists(false).matches(&document).unwrap());
        assert!(field(shorter).exists(false).matches(&document).unwrap());
    }
}

#[test]
fn more_names_than_one_walk_looks_for_are_all_looked_at() {
    let names: Vec<String> = (0..200).map(|number| format!("f{number}")).collect();
    let fields = || names.iter().map(|name| (name.as_str(), 1.into()));
    let all = names.iter().fold(Filter::all(), |filter, name| filter.and(field(name).eq(1)));
    assert!(all.matches(&msgpack(&map(fields()))).unwrap());
    for left_out in [0, 63, 64, 199] {
        let fields = fields().enumerate().filter(|&(index, _)| index != left_out);
        assert!(!all.matches(&msgpack(&map(fields.map(|(_, field)| field)))).unwrap());
    }
}

#[test]
fn ids_that_alone_can_pass_are_named() {
    let wanted = |text: &str| Filter::parse_json(text).unwrap().wanted_ids();
    assert_eq!(wanted(r#"{"_id": 5, "a": 1}"#), Some(vec![vec![5]]));
    assert_eq!(wanted(r#"{"_id": {"$in": [7, 5, 7.0]}}"#), Some(vec![vec![5], vec![7]]));
    assert_eq!(wanted(r#"{"$or": [{"_id": 5}]}"#), None);
    assert_eq!(wanted(r#"{"_id": {"$gt": 5}}"#), None);
    assert_eq!(wanted(r#"{"_id.a": 5}"#), None);
}

#[test]
fn a_builder_says_what_text_says() {
    let pairs = [
        (field("a").ne(1), r#"{"a": {"$ne": 1}}"#),
        (field("a").gt(1).and(field("a").lt(2.5)), r#"{"a": {"$gt": 1, "$lt": 2.5}}"#),
        (field("a").eq(1).or(field("b").eq(2)), r#"{"$or": [{"a": 1}, {"b": 2}]}"#),
        (!field("a").exists(true), r#"{"$nor": [{"a": {"$exists": true}}]}"#),
        (field("a").not_in(["x"]), r#"{"a": {"$nin": ["x"]}}"#),
        (field("a").all([1, 2]), r#"{"a": {"$all": [1, 2]}}"#),
        (field("a").elem_match(field("b").eq(true)), r#"{"a": {"$elemMatch": {"b": true}}}"#),
        (field("a").regex("^x", "i"), r#"{"a": {"$regex": "^x", "$options": "i"}}"#),
        (field("a").is_type("date"), r#"{"a": {"$type": "date"}}"#),
        (field("a").remainder(4, 1), r#"{"a": {"$mod": [4, 1]}}"#),
    ];
    for (built, text) in pairs {
        assert_eq!(built, Filter::parse_json(text).unwrap());
        assert_eq!(built.to_string(), text);
    }
}

/// Whether a bit of a number in two's complement is set, whatever its place.
fn bit(number: i128, at: u32) -> bool {
    number.checked_shr(at).unwrap_or(if number < 0 { -1 } else { 0 }) & 1 == 1
}

proptest! {
    #[test]
    fn bits_are_those_of_twos_complement(number in any::<i64>(), unsigned in any::<u64>(), mask in 0..=i64::MAX, positions in prop::collection::vec(0_u32..200, 0..5)) {
        let by_mask: Vec<u32> = (0..64).filter(|&at| bit(mask.into(), at)).collect();
        let list = format!("{positions:?}");
        let binary = format!(r#"{{"$binary": "{}"}}"#, base64(&mask.to_le_bytes()));
        for (text, bits) in [(mask.to_string(), &by_mask), (list, &positions), (binary, &by_mask)] {
            for (value, number) in [(rmpv::Value::from(number), i128::from(number)), (unsigned.into(), unsigned.into())] {
                let document = msgpack(&map([("a", value)]));
                for (operator, expected) in [
                    ("$bitsAllSet", bits.iter().all(|&at| bit(number, at))),
                    ("$bitsAllClear", bits.iter().all(|&at| !bit(number, at))),
                    ("$bitsAnySet", bits.iter().any(|&at| bit(number, at))),
                    ("$bitsAnyClear", bits.iter().any(|&at| !bit(number, at))),
                ] {
                    let filter = Filter::parse_json(&format!(r#"{{"a": {{"{operator}": {text}}}}}"#)).unwrap();
                    prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter.clone());
                    prop_assert_eq!(filter.matches(&document).unwrap(), expected, "{} of {}", filter, number);
                }
            }
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |number: u32, at: u32| char::from(LETTERS[(number >> (18 - 6 * at) & 63) as usize]);
    let chunks = bytes.chunks(3).map(|chunk| {
        let number = (0..3).fold(0, |all, at| all << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        (0..4)
            .map(|at| if at as usize <= chunk.len() { digit(number, at) } else { '=' })
            .collect::<String>()
    });
    chunks.collect()
}

#[test]
fn bits_are_asked_of_numbers_and_binary_alone_and_a_comment_says_nothing() {
    let matches = |filter: &str, document: &[u8]| {
        Filter::parse_json(filter).unwrap().matches(document).unwrap()
    };
    let set = r#"{"a": {"$bitsAllSet": [0, 9]}}"#;
    assert!(matches(set, b"\x81\xa1a\xc4\x02\x01\x02"));
    assert!(!matches(set, b"\x81\xa1a\xc4\x01\x01"));
    // A UUID is the binary of its bytes, as a value and as a mask.
    let uuid = b"\x81\xa1a\xd8\x04\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";
    let id = "80000000-0000-0000-0000-000000000001";
    for filter in ["[7, 120]".to_owned(), "128".to_owned(), format!(r#"{{"$uuid": "{id}"}}"#)] {
        assert!(matches(&format!(r#"{{"a": {{"$bitsAllSet": {filter}}}}}"#), uuid), "{filter}");
    }
    assert!(matches(r#"{"a": {"$bitsAllClear": [0, 6, 8, 121, 500]}}"#, uuid));
    // In an array an element is enough; true is no number.
    assert!(matches(set, b"\x81\xa1a\x92\xa1x\xcd\x02\x01"));
    for document in [&b"\x81\xa1a\xc3"[..], b"\x81\xa1a\xc0", b"\x80", b"\x81\xa1a\xa2\x01\x02"] {
        assert!(!matches(r#"{"a": {"$bitsAllClear": 0}}"#, document));
    }
    assert!(matches(r#"{"a": {"$bitsAllSet": []}}"#, b"\x81\xa1a\x00"));
    assert!(!matches(r#"{"a": {"$bitsAnySet": 0}}"#, b"\x81\xa1a\xff"));
    for wrong in [
        "-1",
        "1.5",
        "[-1]",
        "[1.5]",
        r#""1""#,
        "null",
        "[2147483648]",
        "18446744073709551615",
        "true",
    ] {
        assert!(
            Filter::parse_json(&format!(r#"{{"a": {{"$bitsAnySet": {wrong}}}}}"#)).is_err(),
            "{wrong}"
        );
    }
    let same = Filter::parse_json(r#"{"a": 1, "$and": [{"b": 2}]}"#).unwrap();
    let commented = r#"{"$comment": {"by": 1}, "a": 1, "$and": [{"$comment": "why", "b": 2}]}"#;
    assert_eq!(Filter::parse_json(commented).unwrap(), same);
    assert!(Filter::parse_json(r#"{"$comment": "all"}"#).unwrap().is_all());
    let within = r#"{"a": {"$elemMatch": {"$comment": "why", "b": 1}}}"#;
    assert!(matches(within, b"\x81\xa1a\x91\x81\xa1b\x01"));
    assert!(Filter::parse_json(r#"{"a": {"$comment": 1}}"#).is_err());
}
