//! What programs give as values and as ids, and what it becomes.

#![allow(
    clippy::needless_borrow,
    clippy::needless_borrows_for_generic_args,
    reason = "references are what is tested"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use nanodb_document::{
    AsId, DocView, ErrorKind, Id, IdRef, IntoValue, ObjectId, Timestamp, Uuid, Value, ValueRef,
    array, doc,
};

/// Both by `doc!` and as an argument.
#[track_caller]
fn becomes(value: impl IntoValue, expected: Value) {
    assert_eq!(doc! { "v": value }["v"], expected);
}

fn ints(numbers: &[i64]) -> Value {
    numbers.iter().copied().map(Value::Int).collect()
}

#[test]
fn references_become_what_their_values_become() {
    becomes(&5_i8, Value::Int(5));
    becomes(&-5_i16, Value::Int(-5));
    becomes(&5_i32, Value::Int(5));
    becomes(&5_i64, Value::Int(5));
    becomes(&5_isize, Value::Int(5));
    becomes(&5_u8, Value::Int(5));
    becomes(&5_u16, Value::Int(5));
    becomes(&5_u32, Value::Int(5));
    becomes(&u64::MAX, Value::UInt(u64::MAX));
    becomes(&5_usize, Value::Int(5));
    becomes(&1.5_f64, Value::Float(1.5));
    becomes(&true, Value::Bool(true));
    becomes(&'ß', Value::String("ß".to_owned()));
    becomes(&"text", Value::String("text".to_owned()));
    becomes(&String::from("text"), Value::String("text".to_owned()));
    becomes(&Some(5), Value::Int(5));
    becomes(&None::<&str>, Value::Null);
    becomes(&vec!["a"], array!["a"].into());
    becomes(&["a", "b"], array!["a", "b"].into());
    let time = UNIX_EPOCH + Duration::from_secs(5);
    let timestamp = Timestamp::new(5, 0).unwrap();
    becomes(&time, Value::Timestamp(timestamp));
    becomes(&timestamp, Value::Timestamp(timestamp));
    let (uuid, oid) = (Uuid::from_bytes([1; 16]), ObjectId::from_bytes([2; 12]));
    becomes(&uuid, Value::Uuid(uuid));
    becomes(&oid, Value::ObjectId(oid));
    becomes(&doc! { "a": 1 }, Value::Document(doc! { "a": 1 }));
    becomes(&Value::Null, Value::Null);
}

#[test]
fn a_four_byte_float_becomes_the_eight_byte_one_of_equal_value() {
    becomes(0.1_f32, Value::Float(f64::from(0.1_f32)));
    becomes(&0.1_f32, Value::Float(f64::from(0.1_f32)));
    assert_ne!(Value::from(0.1_f32), Value::from(0.1));
}

#[test]
fn shared_and_borrowed_text_is_text() {
    becomes(Arc::<str>::from("a"), "a".into());
    becomes(Rc::<str>::from("a"), "a".into());
    becomes(Box::<str>::from("a"), "a".into());
    becomes(Cow::Borrowed("a"), "a".into());
}

#[test]
fn slices_of_bytes_are_binary_and_other_lists_of_bytes_are_arrays() {
    let binary = Value::Binary(vec![1, 2]);
    becomes(&[1_u8, 2][..], binary.clone());
    becomes(&[1_u8, 2], binary.clone());
    becomes(b"\x01\x02", binary.clone());
    becomes([1_u8, 2], ints(&[1, 2]));
    becomes(vec![1_u8, 2], ints(&[1, 2]));
    becomes(&vec![1_u8, 2], ints(&[1, 2]));
    becomes([&[1_u8, 2][..]], Value::Array(vec![binary]));
    // As with ids.
    assert_eq!(Value::from(&[1_u8, 2]), Value::from(Id::from(&[1_u8, 2])));
}

#[test]
fn lists_of_anything_are_arrays() {
    becomes(&[1, 2][..], ints(&[1, 2]));
    becomes(&[1, 2], ints(&[1, 2]));
    becomes(&[Some(1), None][..], array![1, null].into());
    becomes(&["a".to_owned()], array!["a"].into());
    becomes(&[vec![1], vec![2]], array![[1], [2]].into());
    becomes((1, "two"), array![1, "two"].into());
    becomes((1, 2.5, "three", true, (), [6]), array![1, 2.5, "three", true, null, [6]].into());
    becomes(vec![("a", 1), ("b", 2)], array![["a", 1], ["b", 2]].into());
    becomes((1..4).collect::<Value>(), ints(&[1, 2, 3]));
}

#[test]
fn maps_are_documents_and_those_without_an_order_are_sorted() {
    let expected = Value::Document(doc! { "a": 1, "b": 2, "c": 3 });
    let sorted = BTreeMap::from([("c", 3), ("a", 1), ("b", 2)]);
    let hashed: HashMap<String, i32> =
        sorted.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
    becomes(&sorted, expected.clone());
    becomes(sorted, expected.clone());
    becomes(&hashed, expected.clone());
    becomes(hashed, expected);
}

#[test]
fn ids_are_given_by_value_and_by_reference() {
    #[track_caller]
    fn is(id: impl AsId, expected: IdRef<'_>) {
        assert_eq!(id.as_id(), expected);
        assert_eq!((&id).as_id(), expected);
        assert_eq!((&&id).as_id(), expected);
    }
    is(5_i8, IdRef::Int(5));
    is(-5_i64, IdRef::Int(-5));
    is(5_usize, IdRef::Int(5));
    is(u64::MAX, IdRef::UInt(u64::MAX));
    is("a", IdRef::String("a"));
    is(String::from("a"), IdRef::String("a"));
    is(Box::<str>::from("a"), IdRef::String("a"));
    is(Arc::<str>::from("a"), IdRef::String("a"));
    is(Cow::Borrowed("a"), IdRef::String("a"));
    is([0_u8; 16], IdRef::Binary(&[0; 16]));
    is(vec![1_u8], IdRef::Binary(&[1]));
    is(&[1_u8][..], IdRef::Binary(&[1]));
    is(Id::from("a"), IdRef::String("a"));
    is(IdRef::Int(5), IdRef::Int(5));
    is(Uuid::from_bytes([1; 16]), IdRef::Uuid(Uuid::from_bytes([1; 16])));
    is(ObjectId::from_bytes([1; 12]), IdRef::ObjectId(ObjectId::from_bytes([1; 12])));
    let text: &str = "a";
    assert_eq!(AsId::as_id(text), IdRef::String("a"));
    let all = [Id::from(1), Id::from(2)].iter().map(|id| id.as_id().to_owned()).collect::<Vec<_>>();
    assert_eq!(all, [Id::from(1), Id::from(2)]);
}

#[test]
fn a_field_of_a_stored_document_is_a_value() {
    let document = doc! {
        "_id": 1, "n": 5, "big": u64::MAX, "f": 5.0, "s": "text", "list": [1, { "a": 2 }],
        "inner": { "b": [3] }, "at": Timestamp::new(5, 0), "none": null,
    };
    let record = super::encode(&document).unwrap();
    let view = DocView::from_bytes(&record);
    let mut copy = doc! {};
    for field in view {
        let (name, value) = field.unwrap();
        becomes(value, document[name].clone());
        becomes(&value, document[name].clone());
        copy.insert(name, value);
    }
    assert_eq!(copy, document);
    assert_eq!(doc! { "n": view.get("n"), "x": view.get("x") }, doc! { "n": 5, "x": null });

    let get = |name| view.get(name).unwrap();
    assert!(get("n") == 5_i8 && get("n") == 5_u64 && get("n") == 5_usize);
    assert!(get("n") == 5 && get("n") != -5 && get("n") != 5.0 && get("n") != "5");
    assert!(get("big") == u64::MAX && get("big") != -1 && get("big") != i64::MAX);
    assert!(get("f") == 5.0 && get("f") != 5 && get("f") != 5_u8);
    let owned = String::from("text");
    assert!(get("s") == "text" && get("s") == owned && get("s") != String::new());
    assert!(get("none") != 0 && get("list") != 1 && get("inner") != "b");
}

#[test]
fn a_stored_value_that_is_damaged_is_refused_wherever_it_is_used() {
    let damaged = ValueRef::from_bytes(&[0x91, 0x81, 0xff, 1]).unwrap();
    let document = doc! { "_id": 1, "copy": damaged };
    let error = super::encode(&document).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Invalid, Some("copy")));
    assert!(error.to_string().contains("a document is damaged"), "{error}");
    assert!(document.to_json().is_err());
}
