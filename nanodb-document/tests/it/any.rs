//! Arbitrary values and documents.

use nanodb_document::{Document, ObjectId, Timestamp, Uuid, Value};
use proptest::collection::vec;
use proptest::prelude::*;

/// How many cases a property runs: few by default, many when asked for.
pub(crate) fn cases(few: u32) -> ProptestConfig {
    let long = std::env::var_os("NANODB_TEST_LONG").is_some();
    ProptestConfig::with_cases(if long { few * 50 } else { few })
}

/// Names that collide often, and odd ones.
pub(crate) fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-d]",
        2 => "[a-z]{1,12}",
        1 => "[a-z .$é漢]{0,40}",
        1 => Just(String::new()),
        1 => Just("_id".to_owned()),
        1 => "[0-9]{1,2}",
    ]
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -200_i64..200,
        any::<i16>().prop_map(i64::from),
        any::<i32>().prop_map(i64::from),
        any::<u32>().prop_map(i64::from),
    ]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let secs = prop_oneof![
        any::<i64>(),
        any::<u32>().prop_map(i64::from),
        0_i64..1 << 34,
        (1_i64 << 34)..1 << 35,
    ];
    (secs, prop_oneof![Just(0), 0_u32..1_000_000_000])
        .prop_map(|(secs, nanos)| Timestamp::new(secs, nanos).unwrap())
}

fn object_id() -> impl Strategy<Value = ObjectId> {
    any::<[u8; 12]>().prop_map(ObjectId::from_bytes)
}

/// Few of them, so that they meet.
fn uuid() -> impl Strategy<Value = Uuid> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(Uuid::from_bytes),
        any::<bool>().prop_map(|bit| Uuid::from_bytes([bit.into(); 16])),
    ]
}

pub(crate) fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        4 => integer().prop_map(Value::Int),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::Float),
        1 => Just(Value::Float(f64::NAN)),
        2 => "\\PC{0,40}".prop_map(Value::String),
        1 => (0_usize..300).prop_map(|len| Value::String("x".repeat(len))),
        1 => vec(any::<u8>(), 0..40).prop_map(Value::Binary),
        1 => (0_usize..300).prop_map(|len| Value::Binary(vec![7; len])),
        1 => timestamp().prop_map(Value::Timestamp),
        1 => object_id().prop_map(Value::ObjectId),
        1 => uuid().prop_map(Value::Uuid),
        1 => (0_i8..100, vec(any::<u8>(), 0..20))
            .prop_filter("these mean something", |(tag, data)| {
                !matches!((tag, data.len()), (7, 12) | (4, 16))
            })
            .prop_map(|(tag, data)| Value::Ext(tag, data)),
    ]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 60, 20, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..20).prop_map(Value::Array),
            vec((name(), inner), 0..20)
                .prop_map(|fields| Value::Document(Document::from_iter(fields))),
        ]
    })
}

pub(crate) fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        integer().prop_map(Value::Int),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,60}".prop_map(Value::String),
        vec(any::<u8>(), 0..60).prop_map(Value::Binary),
        object_id().prop_map(Value::ObjectId),
        uuid().prop_map(Value::Uuid),
        uuid().prop_map(|id| Value::Binary(id.bytes().to_vec())),
    ]
}

/// A document without `_id`.
pub(crate) fn fields() -> impl Strategy<Value = Document> {
    vec((name(), value()), 0..24).prop_map(|fields| {
        fields.into_iter().filter(|(name, _)| name != "_id").collect::<Document>()
    })
}

/// A document with `_id` somewhere among its fields.
pub(crate) fn document() -> impl Strategy<Value = Document> {
    (fields(), id(), any::<prop::sample::Index>()).prop_map(|(fields, id, place)| {
        let place = place.index(fields.len() + 1);
        let mut all: Vec<(String, Value)> = fields.into_iter().collect();
        all.insert(place, ("_id".to_owned(), id));
        all.into_iter().collect()
    })
}

/// The document as it is read back: its id first.
pub(crate) fn id_first(document: &Document) -> Document {
    let id = document.get("_id").map(|id| ("_id", id));
    let rest = document.iter().filter(|(name, _)| *name != "_id");
    id.into_iter().chain(rest).collect()
}
