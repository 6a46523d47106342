//! Each limit, from both sides, and each rule's error with its place.

use std::collections::BTreeMap;

use nanodb_document::{
    CodecError, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DocView, Document, DocumentError, Encode,
    FIELD_NAME_BYTES_MAX, ID_BYTES_MAX, Serialized, Value, ValueType, doc,
};

use super::{encode, rule};

fn as_rmpv(document: &Document) -> rmpv::Value {
    document.clone().try_into().unwrap()
}

fn as_bytes(document: &Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &as_rmpv(document)).unwrap();
    bytes
}

/// The error of every way in; they must agree.
#[track_caller]
fn refusal(document: &Document) -> DocumentError {
    let bytes = as_bytes(document);
    let mut out = vec![1, 2, 3];
    let error = rule(document.encode(None, &mut out).unwrap_err());
    for other in [
        as_rmpv(document).encode(None, &mut out).unwrap_err(),
        DocView::from_bytes(&bytes).encode(None, &mut out).unwrap_err(),
        Serialized(document).encode(None, &mut out).unwrap_err(),
    ] {
        assert_eq!(format!("{:?}", rule(other)), format!("{error:?}"));
    }
    assert_eq!(out, [1, 2, 3], "a refused document leaves the buffer as it was");
    error
}

/// A document `levels` deep, itself included, alternating arrays and documents.
fn nested(levels: usize) -> Document {
    let mut value = Value::Null;
    for level in 1..levels {
        value = if level % 2 == 0 { Value::Array(vec![value]) } else { doc! { "a": value }.into() };
    }
    doc! { "_id": 1, "a": value }
}

#[test]
fn documents_nest_as_deep_as_the_limit_and_no_deeper() {
    let deepest = nested(DOCUMENT_DEPTH_MAX);
    let record = encode(&deepest).unwrap();
    let view = DocView::parse(&record).unwrap();
    assert_eq!(view.to_document().unwrap(), deepest);
    assert_eq!(view.deserialize::<Document>().unwrap(), deepest);
    assert_eq!(view.to_string(), deepest.to_string());
    assert!(!view.to_string().contains("damaged"));

    let error = refusal(&nested(DOCUMENT_DEPTH_MAX + 1));
    let DocumentError::TooDeep { path, max } = error else { panic!("{error:?}") };
    assert_eq!(max, DOCUMENT_DEPTH_MAX);
    assert_eq!(path.split('.').count(), DOCUMENT_DEPTH_MAX);
}

#[test]
fn a_document_may_be_as_large_as_the_limit_and_no_larger() {
    // map header, "_id", the id, "a", binary header
    let overhead = 1 + 4 + 1 + 2 + 5;
    let fits = doc! { "_id": 1, "a": Value::Binary(vec![0; DOCUMENT_BYTES_MAX - overhead]) };
    assert_eq!(encode(&fits).unwrap().len(), DOCUMENT_BYTES_MAX);

    let larger = doc! { "_id": 1, "a": Value::Binary(vec![0; DOCUMENT_BYTES_MAX - overhead + 1]) };
    let error = refusal(&larger);
    let DocumentError::TooLarge { size, max } = error else { panic!("{error:?}") };
    assert_eq!((size, max), (DOCUMENT_BYTES_MAX + 1, DOCUMENT_BYTES_MAX));
    let bytes = as_bytes(&larger);
    assert!(matches!(rule(DocView::parse(&bytes).unwrap_err()), DocumentError::TooLarge { .. }));
}

#[test]
fn a_value_above_the_limit_is_named() {
    let document = doc! { "a": ["x".repeat(DOCUMENT_BYTES_MAX + 1)] };
    let error = document.encode(None, &mut Vec::new()).unwrap_err();
    let error = rule(error);
    let DocumentError::ValueTooLarge { path, size, .. } = error else { panic!("{error:?}") };
    assert_eq!((path.as_str(), size), ("a.0", DOCUMENT_BYTES_MAX + 1));
}

#[test]
fn a_field_name_may_be_as_long_as_the_limit_and_no_longer() {
    let name = "n".repeat(FIELD_NAME_BYTES_MAX);
    let fits = doc! { "_id": 1, "a": { (name.as_str()): 1 } };
    assert_eq!(DocView::parse(&encode(&fits).unwrap()).unwrap().to_document().unwrap(), fits);

    let error = refusal(&doc! { "_id": 1, "a": [{ (format!("{name}n")): 1 }] });
    let DocumentError::NameTooLong { path, size, max } = error else { panic!("{error:?}") };
    assert_eq!((path.as_str(), size, max), ("a.0", 1025, FIELD_NAME_BYTES_MAX));
}

#[test]
fn an_id_may_be_as_long_as_the_limit_and_no_longer() {
    let header = 3;
    for make in [|len| Value::String("i".repeat(len)), |len| Value::Binary(vec![9; len])] {
        let fits = doc! { "_id": make(ID_BYTES_MAX - header) };
        assert_eq!(encode(&fits).unwrap().len(), 1 + 4 + ID_BYTES_MAX);
        for (len, header) in [(ID_BYTES_MAX - header + 1, header), (65_535, 3), (65_536, 5)] {
            let error = refusal(&doc! { "a": 1, "_id": make(len) });
            let DocumentError::IdTooLarge { size, max } = error else { panic!("{error:?}") };
            assert_eq!((size, max), (len + header, ID_BYTES_MAX));
        }
    }
}

#[test]
fn an_id_of_another_type_is_refused_by_its_type() {
    for (value, expected) in [
        (Value::Null, ValueType::Null),
        (true.into(), ValueType::Bool),
        (1.5.into(), ValueType::Float),
        (Value::Array(vec![]), ValueType::Array),
        (doc! {}.into(), ValueType::Document),
        (nanodb_document::Timestamp::default().into(), ValueType::Timestamp),
        (Value::Ext(4, vec![]), ValueType::Extension),
    ] {
        let error = refusal(&doc! { "a": 1, "_id": value });
        let DocumentError::IdType { found } = error else { panic!("{error:?}") };
        assert_eq!(found, expected);
    }
}

#[test]
fn an_extension_that_claims_to_be_a_timestamp_must_be_one() {
    let error = refusal(&doc! { "a": { "b": Value::Ext(-1, vec![0; 5]) } });
    let DocumentError::BadTimestamp { path, size } = error else { panic!("{error:?}") };
    assert_eq!((path.as_str(), size), ("a.b", 5));
}

#[test]
fn what_is_not_a_map_is_not_a_document() {
    for (bytes, expected) in [
        (&[0x91, 1][..], ValueType::Array),
        (&[0x05], ValueType::Integer),
        (&[0xa1, b'x'], ValueType::String),
    ] {
        let error = encode(&DocView::from_bytes(bytes)).unwrap_err();
        assert!(matches!(rule(error), DocumentError::NotADocument { found } if found == expected));
    }
    let error = encode(&Serialized(&vec![1, 2])).unwrap_err();
    assert!(matches!(rule(error), DocumentError::NotADocument { found: ValueType::Array }));
    let error = encode(&rmpv::Value::Nil).unwrap_err();
    assert!(matches!(rule(error), DocumentError::NotADocument { found: ValueType::Null }));
}

#[test]
fn keys_that_are_not_strings_are_refused_with_their_map() {
    let general =
        rmpv::Value::Map(vec![("a".into(), rmpv::Value::Map(vec![(5.into(), rmpv::Value::Nil)]))]);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &general).unwrap();
    for error in [
        encode(&general).unwrap_err(),
        encode(&DocView::from_bytes(&bytes)).unwrap_err(),
        DocView::parse(&bytes).unwrap_err(),
        Document::try_from(general).unwrap_err(),
    ] {
        let error = rule(error);
        let DocumentError::NameNotString { path, found } = error else { panic!("{error:?}") };
        assert_eq!((path.as_str(), found), ("a", ValueType::Integer));
    }
    // Of a Rust type, keys that have a text become it, and others are refused.
    let map = BTreeMap::from([("a", BTreeMap::from([(5, ())]))]);
    assert_eq!(Serialized(&map).to_document().unwrap(), doc! { "a": { "5": null } });
    let map = BTreeMap::from([("a", BTreeMap::from([([5], ())]))]);
    let error = encode(&Serialized(&map)).unwrap_err();
    let error = rule(error);
    let DocumentError::Serialize(source) = error else { panic!("{error:?}") };
    assert_eq!(source.downcast_ref::<CodecError>().map(CodecError::path), Some("a"));
}

#[test]
fn names_that_come_twice_are_refused_in_small_maps_and_large() {
    for count in [2, 5, 16, 17, 18, 100] {
        for (first, second) in [(0, count - 1), (0, 1), (count - 2, count - 1)] {
            let mut pairs: Vec<(rmpv::Value, rmpv::Value)> =
                (0..count).map(|n| (format!("field{n}").into(), n.into())).collect();
            pairs[second].0 = format!("field{first}").into();
            let general = rmpv::Value::Map(vec![(
                "a".into(),
                rmpv::Value::Array(vec![rmpv::Value::Map(pairs)]),
            )]);
            let mut bytes = Vec::new();
            rmpv::encode::write_value(&mut bytes, &general).unwrap();
            for error in [
                encode(&general).unwrap_err(),
                encode(&DocView::from_bytes(&bytes)).unwrap_err(),
                DocView::parse(&bytes).unwrap_err(),
                DocView::from_bytes(&bytes).to_document().unwrap_err(),
                Document::try_from(general).unwrap_err(),
            ] {
                let error = rule(error);
                let DocumentError::DuplicateField { path } = error else { panic!("{error:?}") };
                assert_eq!(path, format!("a.0.field{first}"));
            }
        }
    }
}

#[test]
fn an_id_that_comes_twice_is_refused() {
    let general = rmpv::Value::Map(vec![("_id".into(), 1.into()), ("_id".into(), 1.into())]);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &general).unwrap();
    for error in [encode(&general).unwrap_err(), encode(&DocView::from_bytes(&bytes)).unwrap_err()]
    {
        assert!(matches!(rule(error), DocumentError::DuplicateField { path } if path == "_id"));
    }
}

#[test]
fn strings_that_are_not_utf8_are_refused_with_their_place() {
    // {"a": {"b": "\xff"}}, and a name that is not UTF-8 in the map at "a"
    for (bytes, place) in [
        (&[0x81, 0xa1, b'a', 0x81, 0xa1, b'b', 0xa1, 0xff][..], "a.b"),
        (&[0x81, 0xa1, b'a', 0x81, 0xa1, 0xff, 0xc0], "a"),
    ] {
        let mut reader = bytes;
        let general = rmpv::decode::read_value(&mut reader).unwrap();
        for error in [
            encode(&DocView::from_bytes(bytes)).unwrap_err(),
            DocView::parse(bytes).unwrap_err(),
            DocView::from_bytes(bytes).to_document().unwrap_err(),
            encode(&general).unwrap_err(),
            Document::try_from(general).unwrap_err(),
        ] {
            let error = rule(error);
            let DocumentError::NotUtf8 { path } = error else { panic!("{error:?}") };
            assert_eq!(path, place);
        }
        assert_eq!(DocView::from_bytes(bytes).get_path("a.b"), None);
    }
}

#[test]
fn cut_bytes_and_trailing_bytes_are_refused_with_their_offset() {
    let error = encode(&DocView::from_bytes(&[0x81, 0xa1, b'a', 0xcd, 1])).unwrap_err();
    assert!(matches!(rule(error), DocumentError::Malformed { offset: 3 }));
    let error = encode(&DocView::from_bytes(&[0x81, 0xa1, b'a', 1, 2, 3])).unwrap_err();
    assert!(matches!(rule(error), DocumentError::TrailingBytes { size: 2 }));
    let error = encode(&DocView::from_bytes(&[])).unwrap_err();
    assert!(matches!(rule(error), DocumentError::Malformed { offset: 0 }));
}

#[test]
fn odd_names_are_stored_as_they_are() {
    let odd = doc! { "_id": 1, "": 1, "a.b": 2, "$set": 3, "US Gross": 4, "é": 5, "0": 6 };
    let record = encode(&odd).unwrap();
    assert_eq!(DocView::parse(&record).unwrap().to_document().unwrap(), odd);
}

#[test]
fn a_value_from_json_has_as_many_levels_as_fit_into_a_document() {
    let value = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let document = |levels: usize| format!("{{\"a\": {}}}", value(levels));
    assert!(Value::parse_json(&value(99)).is_ok());
    assert!(Document::parse_json(&document(99)).is_ok());
    assert!(Value::parse_json(&value(100)).is_err());
    assert!(Document::parse_json(&document(100)).is_err());
}
