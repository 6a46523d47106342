//! Integers of 128 bits in Rust types are integers in documents.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;

use nanodb_document::{
    DocView, Document, DocumentError, Timestamp, Value, array, doc, from_document, to_document,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{encode, rule};

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
struct Newtype(i128);

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
struct Tuple(i128, u128, String);

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
enum Choice {
    Nothing,
    One(i128),
    Two(i128, u128),
    Named { wide: u128, narrow: u8 },
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
struct All {
    signed: i128,
    unsigned: u128,
    some: Option<i128>,
    none: Option<u128>,
    list: Vec<u128>,
    pair: (i128, bool),
    map: BTreeMap<String, i128>,
    unit: Unit,
    newtype: Newtype,
    tuple: Tuple,
    choices: Vec<Choice>,
    boxed: Box<Option<Vec<Option<u128>>>>,
    // What else there is goes the same way as before.
    value: Value,
    time: Timestamp,
    character: char,
    float: f32,
    bytes: Vec<u8>,
}

fn all(signed: i128, unsigned: u128) -> All {
    All {
        signed,
        unsigned,
        some: Some(signed),
        none: None,
        list: vec![0, unsigned],
        pair: (signed, true),
        map: BTreeMap::from([("a".to_owned(), signed), ("b".to_owned(), -1)]),
        unit: Unit,
        newtype: Newtype(signed),
        tuple: Tuple(signed, unsigned, "t".to_owned()),
        choices: vec![
            Choice::Nothing,
            Choice::One(signed),
            Choice::Two(signed, unsigned),
            Choice::Named { wide: unsigned, narrow: 7 },
        ],
        boxed: Box::new(Some(vec![None, Some(unsigned)])),
        value: array![Value::Binary(vec![1; 16]), 1.5, Value::Ext(7, vec![1, 2])].into(),
        time: Timestamp::new(5, 6).unwrap(),
        character: 'ß',
        float: 1.5,
        bytes: vec![1, 2, 3],
    }
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Document {
    let document = to_document(value).unwrap();
    assert_eq!(&from_document::<T>(&document).unwrap(), value);
    let record = encode(&nanodb_document::Serialized(value)).unwrap();
    assert_eq!(&DocView::from_bytes(&record).deserialize::<T>().unwrap(), value);
    document
}

#[test]
fn wide_integers_come_back_from_wherever_they_are() {
    let signed = [0, 1, -1, 127, -128, 1 << 40, i64::MIN.into(), i64::MAX.into(), u64::MAX.into()];
    for signed in signed {
        for unsigned in [0, 1, 255, 1 << 40, i64::MAX as u128, u64::MAX.into()] {
            let document = round_trip(&all(signed, unsigned));
            assert_eq!(document["value"][0], Value::Binary(vec![1; 16]));
            assert_eq!(document["time"], Value::Timestamp(Timestamp::new(5, 6).unwrap()));
        }
    }
}

#[test]
fn wide_integers_are_stored_as_any_other_integers() {
    let document = round_trip(&all(-5, 6));
    assert_eq!(document["signed"], Value::from(-5));
    assert_eq!(document["some"], Value::from(-5));
    assert_eq!(document["list"], Value::from(array![0, 6]));
    assert_eq!(document["map"], Value::from(doc! { "a": -5, "b": -1 }));
    assert_eq!(document["newtype"], Value::from(-5));
    assert_eq!(document["tuple"], Value::from(array![-5, 6, "t"]));
    let choices = array!["Nothing", { "One": -5 }, { "Two": [-5, 6] },
        { "Named": { "wide": 6, "narrow": 7 } }];
    assert_eq!(document["choices"], Value::from(choices));

    #[derive(Serialize)]
    struct Wide {
        _id: u128,
    }
    #[derive(Serialize)]
    struct Narrow {
        _id: u8,
    }
    let encoded = |value: &dyn Fn() -> Document| encode(&value()).unwrap();
    let wide = encoded(&|| to_document(&Wide { _id: 5 }).unwrap());
    assert_eq!(wide, encoded(&|| to_document(&Narrow { _id: 5 }).unwrap()));
}

#[test]
fn integers_beyond_64_bits_are_refused_and_the_range_is_named() {
    let too_wide: [(&str, nanodb_document::Result<Document>); 6] = [
        ("-9223372036854775809", to_document(&all(i128::from(i64::MIN) - 1, 0))),
        ("18446744073709551616", to_document(&all(i128::from(u64::MAX) + 1, 0))),
        ("18446744073709551616", to_document(&all(0, u128::from(u64::MAX) + 1))),
        (&u128::MAX.to_string(), to_document(&BTreeMap::from([("a", Some(u128::MAX))]))),
        (&i128::MIN.to_string(), to_document(&BTreeMap::from([("a", [i128::MIN])]))),
        (&i128::MAX.to_string(), to_document(&BTreeMap::from([("a", Choice::One(i128::MAX))]))),
    ];
    for (number, result) in too_wide {
        let error = result.unwrap_err();
        assert!(error.to_string().contains(number), "{error}");
        let error = rule(error);
        assert!(matches!(error, DocumentError::Serialize(_)), "{error:?}");
        let text = error.source().unwrap().to_string();
        for part in [number, "from -9223372036854775808 to 18446744073709551615"] {
            assert!(text.contains(part), "{text}");
        }
    }
}

/// As all were stored at a time.
#[test]
fn sixteen_bytes_of_binary_are_still_read_as_a_wide_integer() {
    let stored = doc! { "wide": Value::Binary((-7_i128).to_be_bytes().to_vec()) };
    let read: BTreeMap<String, i128> = from_document(&stored).unwrap();
    assert_eq!(read["wide"], -7);
}

#[test]
fn a_negative_integer_is_no_unsigned_one_wherever_it_is() {
    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "it is for its type")]
    enum Within {
        Newtype(u128),
        Tuple(u128, u128),
        Struct { wide: u128 },
    }
    fn refused<T: DeserializeOwned + Debug>(value: impl Into<Value>) {
        let error = from_document::<BTreeMap<String, T>>(&doc! { "a": value.into() }).unwrap_err();
        let text = rule(error).source().unwrap().to_string();
        assert!(text.contains("integer `-5`, expected an integer from 0 on"), "{text}");
    }
    refused::<u128>(-5);
    refused::<Option<u128>>(-5);
    refused::<Vec<u128>>(array![1, -5]);
    refused::<(u128, u128)>(array![1, -5]);
    refused::<BTreeMap<String, u128>>(doc! { "b": -5 });
    refused::<Within>(doc! { "Newtype": -5 });
    refused::<Within>(doc! { "Tuple": [1, -5] });
    refused::<Within>(doc! { "Struct": { "wide": -5 } });
    let read = |value: Value| from_document::<BTreeMap<String, u128>>(&doc! { "a": value });
    assert_eq!(read(u64::MAX.into()).unwrap()["a"], u64::MAX.into());
    assert_eq!(read(Value::Binary(vec![0xFF; 16])).unwrap()["a"], u128::MAX);
    for other in [Value::from(1.5), "5".into(), Value::Null, Value::Binary(vec![0; 15])] {
        let error = rule(read(other.clone()).unwrap_err());
        assert!(matches!(error, DocumentError::Deserialize(_)), "{other}: {error:?}");
    }
}
