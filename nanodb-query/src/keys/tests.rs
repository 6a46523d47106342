//! The bytes of keys, and what has keys.

use super::*;
use crate::Index;
use nanodb_document::{Document, ObjectId, Timestamp, Uuid, Value, doc, to_bytes};

fn bytes(document: &Document) -> Vec<u8> {
    to_bytes(document).unwrap()
}

fn keys_of(index: &Index, document: &Document) -> Result<Vec<Vec<u8>>, KeysError> {
    let mut keys = IndexKeys::default();
    keys.enumerate(&index.spec().unwrap(), &bytes(document))?;
    Ok(keys.iter().map(<[u8]>::to_vec).collect())
}

fn key(value: impl Into<Value>) -> Vec<u8> {
    let keys = keys_of(&Index::ascending("a"), &doc! { "a": value.into() }).unwrap();
    assert_eq!(keys.len(), 1);
    keys.concat()
}

#[test]
fn keys_of_format_1_have_these_bytes_for_ever() {
    assert_eq!(key(Value::Null), b"\x10");
    assert_eq!(key(f64::NAN), b"\x18\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(key(-1), b"\x18\x40\x0f\xff\xff\xff\xff\xff\xff\0\0");
    assert_eq!(key(-0.0), b"\x18\x80\0\0\0\0\0\0\0\0\0");
    assert_eq!(key(5), b"\x18\xc0\x14\0\0\0\0\0\0\0\0");
    assert_eq!(key(5.0), key(5));
    assert_eq!(key((1_i64 << 53) + 1), b"\x18\xc3\x40\0\0\0\0\0\0\0\x01");
    assert_eq!(key("a\0b"), b"\x20a\0\xffb\0\0");
    assert_eq!(key(doc! { "b": true }), b"\x28\x40b\0\0\x40\x01\0");
    assert_eq!(key(false), b"\x40\0");
    assert_eq!(key(Timestamp::new(1, 2).unwrap()), b"\x48\x80\0\0\0\0\0\0\x01\0\0\0\x02");
    // An ObjectId has a bracket between binary and booleans; a UUID is the binary of its bytes.
    assert_eq!(key(Value::Binary(vec![7])), b"\x38\0\0\0\x01\x07");
    assert_eq!(
        key(ObjectId::from_bytes([7; 12])),
        b"\x3c\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07"
    );
    assert_eq!(key(Uuid::from_bytes([7; 16])), key(Value::Binary(vec![7; 16])));
    assert_eq!(key(Uuid::from_bytes([7; 16]))[..6], *b"\x38\0\0\0\x10\x07");
    assert_eq!(key(Value::Array(Vec::new())), b"\x08");
    assert_eq!(key(Value::Array(vec![Value::Array(vec![Value::Null])])), b"\x30\x10\0");
    assert_eq!(key("x".repeat(2_000))[1_016..], 0x0bbb_8649_ecd2_61cc_u64.to_be_bytes());
}

#[test]
fn a_descending_field_has_all_bits_flipped() {
    let index = Index::descending("a").then_ascending("b");
    assert_eq!(keys_of(&index, &doc! { "a": true }).unwrap(), [b"\xbf\xfe\x10"]);
}

fn parallel(first: &str, second: &str) -> Result<Vec<Vec<u8>>, KeysError> {
    Err(KeysError::ParallelArrays { first: first.to_owned(), second: second.to_owned() })
}

#[test]
fn one_array_is_taken_element_by_element_and_two_are_refused() {
    let index = Index::ascending("a.x").then_ascending("a.y").then_ascending("b");
    let document = doc! { "a": [{ "x": true }, { "x": false, "y": true }, 5], "b": true };
    let keys = keys_of(&index, &document).unwrap();
    assert_eq!(
        keys,
        [&b"\x10\x10\x40\x01"[..], b"\x40\0\x40\x01\x40\x01", b"\x40\x01\x10\x40\x01"]
    );
    assert_eq!(keys_of(&index, &doc! { "a": [{ "x": 1 }], "b": [1] }), parallel("a.x", "b"));
    assert_eq!(keys_of(&index, &doc! { "a": [{ "x": [1], "y": [1] }] }), parallel("a.x", "a.y"));
    assert_eq!(keys_of(&index, &doc! { "a": [], "b": [] }), parallel("a.x", "b"));
    assert_eq!(keys_of(&index, &doc! { "a": [], "b": true }).unwrap(), [b"\x10\x10\x40\x01"]);
}

#[test]
fn arrays_are_known_by_the_part_of_the_path_that_led_to_them() {
    let spec = Index::ascending("a.b.c").then_ascending("a.d").spec().unwrap();
    let mut keys = IndexKeys::default();
    let mut multikey = MultikeyPaths::default();
    for (document, parts) in [
        (doc! { "a": { "b": { "c": 1 }, "d": 2 } }, [vec![], vec![]]),
        (doc! { "a": [{ "b": 1 }] }, [vec![0], vec![0]]),
        (doc! { "a": { "b": [{ "c": 1 }] } }, [vec![1], vec![]]),
        (doc! { "a": { "b": { "c": [] }, "d": 1 } }, [vec![2], vec![]]),
        (doc! { "a": { "d": [1] } }, [vec![], vec![1]]),
    ] {
        keys.enumerate(&spec, &bytes(&document)).unwrap();
        let found = [0, 1].map(|field| keys.multikey().parts(field).collect::<Vec<_>>());
        assert_eq!(found, parts, "{document}");
        multikey.add(keys.multikey());
    }
    assert_eq!(multikey.encode(), [2, 0, 1, 0b111, 1, 1, 0b11]);
    assert_eq!(MultikeyPaths::decode(&multikey.encode()), Some((multikey.clone(), &[][..])));
    assert!(!multikey.clone().add(&multikey) && multikey.is_any());
    assert_eq!(MultikeyPaths::decode(&[1, 200, 1, 1]), None);
    assert_eq!(MultikeyPaths::decode(&[1, 0, 17]), None);
}

#[test]
fn a_number_leads_to_an_element_and_to_fields_of_that_name() {
    let index = Index::ascending("a.0");
    let found = |document| keys_of(&index, &document).unwrap();
    assert_eq!(found(doc! { "a": [true, false, 5] }), [b"\x40\x01"]);
    assert_eq!(found(doc! { "a": [[true, false], false] }), [b"\x40\0", b"\x40\x01"]);
    assert_eq!(found(doc! { "a": [true, { "0": false }] }), [b"\x40\0", b"\x40\x01"]);
    assert_eq!(found(doc! { "a": { "0": true } }), [b"\x40\x01"]);
    assert_eq!(found(doc! { "a": [[]] }), [b"\x08"]);
    assert_eq!(found(doc! { "a": [] }), [b"\x10"]);
    let both = Index::ascending("a.0").then_ascending("a.1");
    let keys = keys_of(&both, &doc! { "a": [true, false] }).unwrap();
    assert_eq!(keys, [&b"\x10\x40\0"[..], b"\x40\x01\x10"]);
}

#[test]
fn a_document_has_a_hundred_thousand_keys_at_most() {
    let index = Index::ascending("a");
    let numbers = |count: i64| doc! { "a": Value::Array((0..count).map(Value::from).collect()) };
    assert_eq!(keys_of(&index, &numbers(100_000)).unwrap().len(), INDEX_KEYS_MAX);
    let too_many = Err(KeysError::TooManyIndexKeys { keys_max: INDEX_KEYS_MAX });
    assert_eq!(keys_of(&index, &numbers(100_001)), too_many);
    let again = (0..300_000).map(|number| Value::from(number % 7)).collect();
    assert_eq!(keys_of(&index, &doc! { "a": Value::Array(again) }).unwrap().len(), 7);
    // Ten numbers and all fields: more ways than could be gone.
    let paths: Vec<String> = (0..32).map(|at| format!("a.0.0.0.0.0.0.0.{at}")).collect();
    let index =
        paths.iter().fold(Index::default().name("n"), |index, path| index.then_ascending(path));
    let nested = (0..8).fold(Value::from(1), |inner, _| {
        Value::Array(vec![Value::from(doc! { "0": inner.clone() }), inner])
    });
    let found = keys_of(&index, &doc! { "a": nested });
    assert!(found.is_err() || found.is_ok_and(|keys| keys.len() <= INDEX_KEYS_MAX));
}

#[test]
fn a_key_of_more_than_1024_bytes_is_cut() {
    for len in [1_015, 1_021, 1_022, 1_023, 5_000] {
        let text = "x".repeat(len - 3);
        let found = key(text.as_str());
        let whole = [b"\x20", text.as_bytes(), b"\0\0"].concat();
        if len <= STORED_KEY_BYTES_MAX {
            assert_eq!(found, whole);
        } else {
            assert_eq!(found.len(), STORED_KEY_BYTES_MAX);
            assert_eq!(found[..FAMILY_BYTES], whole[..FAMILY_BYTES]);
        }
    }
    assert_eq!(widened_end(&[1; 1_016]), None);
    assert_eq!(widened_end(&[1; 1_017]).unwrap(), [&[1; 1_015][..], &[2]].concat());
}

#[test]
fn sparse_and_partial_indexes_have_entries_of_some_documents() {
    let sparse = Index::ascending("a.b").then_ascending("c").sparse();
    let count = |index: &Index, document| keys_of(index, &document).unwrap().len();
    assert_eq!(count(&sparse, doc! { "a": [1], "d": 1 }), 0);
    assert_eq!(count(&sparse, doc! { "a": { "b": Value::Null } }), 1);
    assert_eq!(count(&sparse, doc! { "c": 1 }), 1);
    let partial = Index::ascending("a").partial(doc! { "b": { "$gt": 5 } });
    assert_eq!(count(&partial, doc! { "a": 1, "b": 6 }), 1);
    assert_eq!(count(&partial, doc! { "a": 1 }), 0);
}
