//! What serde refuses, on every way out.

#![allow(
    clippy::needless_borrow,
    clippy::needless_borrows_for_generic_args,
    reason = "references are what is tested"
)]

use std::collections::BTreeMap;

use nanodb_document::{
    Document, Encode, Error, ErrorKind, Id, Serialized, Value, array, doc, from_value, ser,
    to_bytes, to_value, value_to_bytes,
};
use serde::Serialize;

#[derive(Serialize)]
struct Wide {
    list: Vec<i128>,
}

fn refused() -> Value {
    ser(Wide { list: vec![1, i128::MAX] })
}

const REASON: &str =
    "`list.1`: the integer 170141183460469231731687303715884105727 can't be stored";

#[track_caller]
fn says_why(error: &Error, path: Option<&str>) {
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains(REASON), "{error}");
    assert_eq!(error.path(), path);
}

#[test]
fn what_can_be_serialised_is_the_value() {
    #[derive(Serialize)]
    enum Priority {
        High,
    }
    assert_eq!(ser(Priority::High), "High");
    assert_eq!(ser(&Priority::High), "High");
    assert_eq!(ser(Some(5)), 5);
    assert_eq!(ser(BTreeMap::from([(1, "a")])), Value::from(doc! { "1": "a" }));
    assert_eq!(doc! { "p": ser(Priority::High) }, doc! { "p": "High" });
    assert_eq!(to_value(&[1, 2]).unwrap(), Value::from(array![1, 2]));
    assert_eq!(from_value::<(i8, i8)>(&array![1, 2].into()).unwrap(), (1, 2));
}

#[test]
fn what_cannot_is_refused_early_by_to_value() {
    let error = to_value(&Wide { list: vec![1, i128::MAX] }).unwrap_err();
    says_why(&error, Some("list.1"));
}

#[test]
fn what_cannot_is_refused_with_the_reason_on_every_way_out() {
    let document = doc! { "_id": 1, "a": [{ "b": refused() }] };
    let path = Some("a.0.b");
    says_why(&document.encode(None, &mut Vec::new()).unwrap_err(), path);
    says_why(&Serialized(&document).encode(None, &mut Vec::new()).unwrap_err(), path);
    says_why(&Serialized(&document).to_document().unwrap_err(), path);
    says_why(&to_bytes(&document).unwrap_err(), path);
    says_why(&to_value(&document).unwrap_err(), path);
    says_why(&from_value::<Document>(&document.clone().into()).unwrap_err(), path);
    says_why(&document.to_json().unwrap_err(), path);
    says_why(&value_to_bytes(&array![refused()].into(), &mut Vec::new()).unwrap_err(), Some("0"));
    let text = serde_json::to_string(&document).unwrap_err().to_string();
    assert!(text.contains(REASON), "{text}");
    let text = serde_json::to_value(&document).unwrap_err().to_string();
    assert!(text.contains(REASON), "{text}");
    assert_eq!(Id::try_from(refused()).unwrap_err().kind(), ErrorKind::Invalid);
    let general = rmpv::Value::try_from(document.clone()).unwrap_err();
    says_why(&general, path);
}

#[test]
fn a_reason_is_never_the_data_of_a_timestamp() {
    struct Fails(usize);
    impl Serialize for Fails {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("x".repeat(self.0)))
        }
    }
    for len in 0..20 {
        assert!(doc! { "a": ser(Fails(len)) }.to_json().is_err(), "{len}");
    }
}

#[test]
fn an_id_says_why_it_is_refused() {
    let integer = "the integer 170141183460469231731687303715884105727 can't be stored";
    let document = doc! { "_id": ser(i128::MAX) };
    for error in [
        Id::try_from(ser(i128::MAX)).unwrap_err(),
        document.encode(None, &mut Vec::new()).unwrap_err(),
        Serialized(&document).encode(None, &mut Vec::new()).unwrap_err(),
        to_bytes(&document).unwrap_err(),
    ] {
        assert!(error.to_string().contains(integer), "{error}");
        assert_eq!((error.kind(), error.path()), (ErrorKind::Invalid, Some("_id")));
    }
}

#[test]
fn the_reason_is_said_once() {
    let error = doc! { "n": ser(i128::MAX) }.encode(None, &mut Vec::new()).unwrap_err();
    let text = error.to_string();
    let beginning = "the value at `n` can't be stored: the integer 170141183460469231731687303715";
    assert!(text.starts_with(beginning), "{text}");
}
