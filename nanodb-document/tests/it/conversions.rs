//! Documents to and from JSON and Rust types.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nanodb_document::{
    DocView, Document, DocumentError, ErrorKind, Serialized, Timestamp, Value, array, doc,
    from_document, to_document,
};
use serde::{Deserialize, Serialize};

use super::{encode, rule};

#[test]
fn json_numbers_become_the_narrowest_type_that_holds_them() {
    let text = r#"{"a": 1, "b": -1, "c": 18446744073709551615, "d": 1.0, "e": 1e400, "a": 2}"#;
    assert!(serde_json::from_str::<Document>(text).is_err(), "a number that no float holds");
    let document: Document = serde_json::from_str(&text.replace("1e400", "1e300")).unwrap();
    let expected = doc! { "a": 2, "b": -1, "c": u64::MAX, "d": 1.0, "e": 1e300 };
    assert_eq!(document, expected);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Dot,
    Circle(f64),
    Line { from: i32, to: i32 },
    Pair(i8, i8),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Event {
    Opened { by: String },
    Closed,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    #[serde(rename = "_id")]
    id: u64,
    shapes: Vec<Shape>,
    events: Vec<Event>,
    none: Option<u8>,
    some: Option<Option<u8>>,
    big: u64,
    small: i8,
    ratio: f32,
    letter: char,
    pair: (u8, String),
    unit: (),
    map: BTreeMap<String, Vec<bool>>,
    when: Timestamp,
    free: Value,
    nested: Document,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

fn everything() -> Everything {
    Everything {
        id: u64::MAX - 1,
        shapes: vec![
            Shape::Dot,
            Shape::Circle(1.5),
            Shape::Line { from: -1, to: 1 },
            Shape::Pair(1, 2),
        ],
        events: vec![Event::Opened { by: "me".into() }, Event::Closed],
        none: None,
        some: Some(Some(5)),
        big: u64::MAX,
        small: -128,
        ratio: 0.1,
        letter: 'é',
        pair: (1, "two".into()),
        unit: (),
        map: BTreeMap::from([("a".into(), vec![true, false])]),
        when: Timestamp::new(1 << 40, 5).unwrap(),
        free: array![1, [2.5], { "x": null }, Value::Binary(vec![1])].into(),
        nested: doc! { "deep": [{ "er": Value::Ext(9, vec![1, 2, 3]) }] },
        rest: BTreeMap::from([("extra".into(), Value::from("field"))]),
    }
}

#[test]
fn rust_types_come_back_from_stored_bytes() {
    let record = encode(&Serialized(&everything())).unwrap();
    let view = DocView::parse(&record).unwrap();
    assert_eq!(view.deserialize::<Everything>().unwrap(), everything());
    assert_eq!(view.get_path("shapes.0").unwrap(), "Dot");
    assert_eq!(view.get_path("shapes.2.Line.from").unwrap(), -1);
    assert_eq!(view.get_path("events.0.kind").unwrap(), "opened");
    assert!(view.get("none").unwrap().is_null());
    assert_eq!(view.get("big").unwrap().as_u64(), Some(u64::MAX));
    assert_eq!(view.get("when").unwrap().as_timestamp(), Timestamp::new(1 << 40, 5));
}

#[test]
fn rust_types_come_back_from_documents() {
    let document = to_document(&everything()).unwrap();
    assert_eq!(document["extra"], "field");
    assert_eq!(from_document::<Everything>(&document).unwrap(), everything());
}

#[test]
fn the_wrong_shape_says_what_is_missing() {
    let error = from_document::<Everything>(&doc! { "shapes": [] }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    let error = rule(error);
    let DocumentError::Deserialize(source) = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("_id"), "{source}");
}

#[test]
fn a_type_that_fails_to_serialise_keeps_its_cause() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }
    let error = to_document(&Fails).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = rule(error);
    let DocumentError::Serialize(source) = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("not today"));
}

#[test]
fn a_type_that_serialises_another_meanwhile_is_stored_whole() {
    struct Outer;
    impl Serialize for Outer {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let inner = to_document(&BTreeMap::from([("inner", 1)])).unwrap();
            BTreeMap::from([("outer", inner)]).serialize(serializer)
        }
    }
    assert_eq!(to_document(&Outer).unwrap(), doc! { "outer": { "inner": 1 } });
}

#[test]
fn system_times_come_back_on_both_sides_of_1970() {
    for (secs, nanos) in [(0, 0), (1, 5), (1_700_000_000, 999_999_999)] {
        let offset = Duration::new(secs, nanos);
        for time in [UNIX_EPOCH + offset, UNIX_EPOCH - offset] {
            let timestamp = Timestamp::from(time);
            assert_eq!(SystemTime::try_from(timestamp).unwrap(), time);
        }
    }
    let before = Timestamp::from(UNIX_EPOCH - Duration::from_millis(250));
    assert_eq!((before.secs(), before.nanos()), (-1, 750_000_000));
}

#[test]
fn timestamps_print_as_dates() {
    for (secs, expected) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ] {
        assert_eq!(Timestamp::new(secs, 0).unwrap().to_string(), expected);
    }
    for secs in [i64::MIN, i64::MAX] {
        assert!(Timestamp::new(secs, 0).unwrap().to_string().ends_with('Z'));
    }
}
