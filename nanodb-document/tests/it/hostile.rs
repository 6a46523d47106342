//! Bytes that nobody wrote: refused or read, never a panic, a hang or a huge allocation.

use std::time::{Duration, Instant};

use nanodb_document::{
    DocView, Document, DocumentError, Encode, Error, ErrorKind, ErrorParts, record_has_key,
    record_key,
};
use nanodb_msgpack::Cursor;
use proptest::collection::vec;
use proptest::prelude::*;

use super::any::{self, cases};
use super::{encode, rule};

/// Calls everything that reads bytes.
fn read_every_way(bytes: &[u8]) {
    let view = DocView::from_bytes(bytes);
    let valid = DocView::parse(bytes).is_ok();
    let decoded = view.to_document();
    let encoded = encode(&view);
    if valid {
        let decoded = decoded.as_ref().expect("valid bytes decode");
        assert!(view.iter().all(|field| field.is_ok()));
        if let Ok(record) = &encoded {
            let stored = DocView::parse(record).expect("what was encoded is valid");
            assert_eq!(stored.to_document().unwrap().len(), stored.len());
            assert_eq!(&encode(&stored).unwrap(), record, "stored form is a fixed point");
        } else {
            assert!(decoded.contains_key("_id"), "only an id can be wrong with valid bytes");
        }
    } else {
        assert!(encoded.is_err());
    }
    let _ = (record_key(bytes), record_has_key(bytes, &[5]), view.id(), view.len());
    for path in ["_id", "a", "a.b", "a.0.b", "b.1", "c.d.a", "", ".", "x.y.z.0"] {
        if let Some(value) = view.get_path(path) {
            let _ = (value.to_value(), value.to_string(), value.as_array().map(|a| a.len()));
        }
        let _ = view.get(path);
    }
    let _ = (view.iter().count(), view.to_string(), format!("{view:?}"));
    let _ = (view.deserialize::<Document>(), serde_json::to_string(view));
    let _ = Cursor::new(bytes).take_value();
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn arbitrary_bytes_are_refused_or_read(bytes in vec(any::<u8>(), 0..300)) {
        read_every_way(&bytes);
    }

    #[test]
    fn arbitrary_bytes_in_a_map_are_refused_or_read(
        fields in 0_u8..4,
        bytes in vec(prop_oneof![any::<u8>(), 0x80_u8..0xc0, 0xc0_u8..0xe0], 0..120),
    ) {
        let mut record = vec![0x81 + fields, 0xa3, b'_', b'i', b'd', 5];
        record.extend(bytes);
        read_every_way(&record);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn flipped_bits_and_cuts_are_refused_or_read(
        document in any::document(),
        flips in vec((any::<prop::sample::Index>(), 0_u8..8), 1..24),
    ) {
        let record = encode(&document).unwrap();
        for (place, bit) in &flips {
            let mut damaged = record.clone();
            damaged[place.index(record.len())] ^= 1 << bit;
            read_every_way(&damaged);
        }
        for (place, _) in &flips {
            let cut = &record[..place.index(record.len())];
            prop_assert!(DocView::parse(cut).is_err());
            read_every_way(cut);
        }
    }
}

#[test]
fn every_bit_of_a_small_record_may_flip() {
    let record = encode(&nanodb_document::doc! {
        "_id": 300, "a": [{ "b": -1.5 }, "text"], "b": { "c": null, "d": [true, 70_000] },
    })
    .unwrap();
    for place in 0..record.len() {
        for bit in 0..8 {
            let mut damaged = record.clone();
            damaged[place] ^= 1 << bit;
            read_every_way(&damaged);
        }
    }
}

#[derive(serde::Deserialize)]
struct Small {
    #[serde(rename = "_id")]
    _id: u16,
    #[serde(rename = "a")]
    _list: (Document, String),
}

/// What goes wrong in reading a document, by the call.
fn errors(view: &DocView) -> Vec<(&'static str, Error)> {
    let mut errors = Vec::new();
    let mut add = |call, error: Option<Error>| errors.extend(error.map(|error| (call, error)));
    add("to_document", view.to_document().err());
    add("iter", view.iter().find_map(Result::err));
    add("keys", view.keys().find_map(Result::err));
    add("to_json", view.to_json().err());
    add("to_json_pretty", view.to_json_pretty().err());
    for (_, value) in view.iter().map_while(Result::ok) {
        add("to_value", value.to_value().err());
        add("value.to_json", value.to_json().err());
        add("value.to_json_pretty", value.to_json_pretty().err());
        let elements = value.as_array().into_iter().flatten();
        add("elements", elements.map(|element| element.map(drop)).find_map(Result::err));
    }
    if DocView::parse(view.as_bytes()).is_err() {
        add("deserialize", view.deserialize::<Document>().err());
        add("deserialize", view.deserialize::<Small>().err());
        add("deserialize", view.deserialize::<u8>().err());
    }
    errors
}

#[test]
fn damage_is_damage_whatever_meets_it() {
    let record = encode(&nanodb_document::doc! { "_id": 300, "a": [{ "b": -1.5 }, "text"] });
    let record = record.unwrap();
    assert!(DocView::from_bytes(&record).deserialize::<Small>().is_ok());
    let mut met = std::collections::BTreeSet::new();
    let flipped = (0..8 * record.len()).map(|bit| {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        damaged
    });
    let cut = (0..record.len()).map(|len| record[..len].to_vec());
    let others = [vec![], vec![0x93, 1, 2, 3], vec![0xc1], [&record[..], &[5]].concat()];
    for damaged in flipped.chain(cut).chain(others) {
        for (call, error) in errors(DocView::from_bytes(&damaged)) {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{call}: {error}");
            assert!(error.is_unnamed_damage(), "{call}: whose it is can be said further up");
            let text = error.to_string();
            assert!(text.starts_with("a document is damaged: "), "{call}: {text}");
            met.insert(call);
        }
    }
    assert_eq!(met.len(), 10, "{met:?}");
    // A document that is as it should be has another shape.
    let error = DocView::from_bytes(&record).deserialize::<u8>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    // What a user gives to be checked is no damage.
    let error = DocView::parse(&record[1..]).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = Document::parse_json("[1]").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn lengths_that_lie_cost_nothing() {
    let start = Instant::now();
    // Each header claims four billion children and is the first child of the last.
    for header in [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff]] {
        let mut bytes = vec![0x82, 0xa3, b'_', b'i', b'd', 1, 0xa1, b'a'];
        for _ in 0..90 {
            bytes.extend(header);
            if header[0] == 0xdf {
                bytes.extend([0xa1, b'a']);
            }
        }
        assert!(DocView::parse(&bytes).is_err());
        read_every_way(&bytes);
    }
    assert!(DocView::parse(&[0xdf, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn nesting_of_a_million_levels_is_refused_by_its_depth() {
    let mut bytes = vec![0x82, 0xa3, b'_', b'i', b'd', 1, 0xa1, b'a'];
    bytes.resize(1_000_000, 0x91);
    bytes.push(0xc0);
    let view = DocView::from_bytes(&bytes);
    let parsed = DocView::parse(&bytes).map_err(rule);
    assert!(matches!(parsed, Err(DocumentError::TooDeep { .. })));
    let decoded = view.to_document().map_err(rule);
    assert!(matches!(decoded, Err(DocumentError::TooDeep { .. })));
    let encoded = view.encode(None, &mut Vec::new()).map_err(rule);
    assert!(matches!(encoded, Err(DocumentError::TooDeep { max: 100, .. })));
    assert!(view.deserialize::<Document>().is_err());
    assert!(serde_json::to_string(view).is_err());
    assert!(view.to_string().contains("<damaged>"));
    assert!(format!("{view:?}").contains("<damaged>"));
    assert!(view.get_path("a.0.0.0").is_some());
}

#[test]
fn a_map_of_a_hundred_thousand_names_is_checked_in_linear_time() {
    let start = Instant::now();
    let mut document: Document = (0..100_000).map(|n| (format!("field {n}"), n)).collect();
    assert_eq!(document.len(), 100_000);
    let record = encode(&document).unwrap();
    assert_eq!(encode(&DocView::from_bytes(&record)).unwrap(), record);
    assert_eq!(DocView::from_bytes(&record).to_document().unwrap().len(), 100_001);
    document.extend((0..100_000).map(|n| (format!("field {n}"), -n)));
    assert_eq!(document.len(), 100_000);
    assert_eq!(document["field 99999"], -99_999);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
