//! Documents and values in serde's formats for people: the same forms as in our own JSON.

use std::collections::BTreeMap;

use nanodb_document::{
    DocView, Document, Id, ObjectId, Timestamp, Uuid, Value, ValueRef, array, doc, from_document,
    to_document,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::any::{self, cases, id_first};
use super::encode;

/// Without NaN and the infinities, which `serde_json::Value` can't hold as floats.
fn finite(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::Array(elements) => elements.iter().all(finite),
        Value::Document(document) => document.values().all(finite),
        _ => true,
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn every_document_comes_back_from_serde_json_and_from_our_own(document in any::document()) {
        let text = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Document>(&text).unwrap(), &document);
        prop_assert_eq!(&Document::parse_json(&text).unwrap(), &document);
        let ours = document.to_json().unwrap();
        prop_assert_eq!(&serde_json::from_str::<Document>(&ours).unwrap(), &document);
        // The same but for spaces, and for how floats are written.
        if document.values().all(finite) {
            let (theirs, ours): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(&text).unwrap(), serde_json::from_str(&ours).unwrap());
            prop_assert_eq!(theirs, ours);
        }
        let record = encode(&document).unwrap();
        let view = DocView::from_bytes(&record);
        let stored = id_first(&document);
        prop_assert_eq!(
            serde_json::to_string(view).unwrap(),
            serde_json::to_string(&stored).unwrap()
        );
    }

    #[test]
    fn every_value_comes_back_from_serde_json(value in any::value()) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
    }

    #[test]
    fn every_id_comes_back_from_serde_json(id in any::id()) {
        let id = Id::try_from(id).unwrap();
        let text = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Id>(&text).unwrap(), &id);
    }
}

#[test]
fn values_that_json_lacks_are_forms() {
    let document = doc! {
        "binary": b"\x01\x02\x03",
        "time": Timestamp::new(1_700_000_000, 500_000_000).unwrap(),
        "oid": ObjectId::from_bytes([1; 12]),
        "uuid": Uuid::from_bytes([1; 16]),
        "nan": f64::NAN,
        "inf": [f64::INFINITY, f64::NEG_INFINITY],
        "ext": Value::Ext(5, vec![1]),
        "literal": { "$date": "soon" },
        "reference": { "$ref": "c", "$id": 5 },
    };
    let text = serde_json::to_string(&document).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"binary":{"$binary":{"base64":"AQID","subType":"00"}},"#,
            r#""time":{"$date":"2023-11-14T22:13:20.5Z"},"#,
            r#""oid":{"$oid":"010101010101010101010101"},"#,
            r#""uuid":{"$uuid":"01010101-0101-0101-0101-010101010101"},"#,
            r#""nan":{"$numberDouble":"NaN"},"#,
            r#""inf":[{"$numberDouble":"Infinity"},{"$numberDouble":"-Infinity"}],"#,
            r#""ext":{"$ext":{"type":5,"base64":"AQ=="}},"#,
            r#""literal":{"$literal":{"$date":"soon"}},"#,
            r#""reference":{"$ref":"c","$id":5}}"#,
        ),
    );
    assert_eq!(text, document.to_json().unwrap());
    assert_eq!(serde_json::from_str::<Document>(&text).unwrap(), document);
    // The document itself stands for itself.
    let root = doc! { "$date": "soon" };
    assert_eq!(serde_json::to_string(&root).unwrap(), r#"{"$date":"soon"}"#);
    assert_eq!(serde_json::from_str::<Document>(r#"{"$date":"soon"}"#).unwrap(), root);
    let value = Value::from(root);
    assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"$literal":{"$date":"soon"}}"#);
}

#[test]
fn other_forms_are_read_and_wrong_ones_refused() {
    for (text, expected) in [
        (r#"{"$numberLong": "5"}"#, Value::Int(5)),
        (r#"{"$numberInt": "5"}"#, Value::Int(5)),
        (r#"{"$numberDouble": "5.0"}"#, Value::Float(5.0)),
        (r#"{"$date": {"$numberLong": "5"}}"#, Timestamp::from_millis(5).into()),
        (r#"{"$date": -5}"#, Timestamp::from_millis(-5).into()),
        (r#"{"$binary": "AQID", "$type": "00"}"#, Value::Binary(vec![1, 2, 3])),
        (r#"{"$symbol": "a"}"#, "a".into()),
        (r#"{"$literal": {"$literal": 1}}"#, doc! { "$literal": 1 }.into()),
        (r#"{"$literal": {}}"#, doc! {}.into()),
    ] {
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expected, "{text}");
    }
    for (text, reason) in [
        (r#"{"$dat": 5}"#, "unknown form `$dat`"),
        (r#"{"$date": "soon"}"#, "`$date` must be"),
        (r#"{"$date": 5, "a": 6}"#, "`$date` must be"),
        (r#"{"$literal": {}, "a": 6}"#, "`$literal` must be the only field"),
        (r#"{"$literal": 5}"#, "expected a map"),
        (r#"{"$minKey": 1}"#, "`$minKey` is no value here"),
        (r#"{"$oid": "1"}"#, "`$oid` must be"),
    ] {
        let error = serde_json::from_str::<Value>(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        let within = format!("{{\"a\": [{text}]}}");
        assert!(serde_json::from_str::<Document>(&within).is_err(), "{within}");
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Alone {
    time: Timestamp,
    oid: ObjectId,
    uuid: Uuid,
    id: Id,
    free: Value,
    nested: Document,
}

fn alone() -> Alone {
    Alone {
        time: Timestamp::new(5, 0).unwrap(),
        oid: ObjectId::from_bytes([1; 12]),
        uuid: Uuid::from_bytes([1; 16]),
        id: Id::from([1_u8]),
        free: Uuid::from_bytes([2; 16]).into(),
        nested: doc! { "at": Timestamp::new(6, 0).unwrap() },
    }
}

#[test]
fn alone_they_are_text_which_is_read_back_and_so_are_the_forms() {
    let text = serde_json::to_string(&alone()).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"time":"1970-01-01T00:00:05Z","oid":"010101010101010101010101","#,
            r#""uuid":"01010101-0101-0101-0101-010101010101","#,
            r#""id":{"$binary":{"base64":"AQ==","subType":"00"}},"#,
            r#""free":{"$uuid":"02020202-0202-0202-0202-020202020202"},"#,
            r#""nested":{"at":{"$date":"1970-01-01T00:00:06Z"}}}"#,
        ),
    );
    assert_eq!(serde_json::from_str::<Alone>(&text).unwrap(), alone());
    // As the JSON of the stored document has them.
    let stored = to_document(&alone()).unwrap().to_json().unwrap();
    assert!(stored.contains(r#""time":{"$date":"#), "{stored}");
    assert_eq!(serde_json::from_str::<Alone>(&stored).unwrap(), alone());
    for wrong in [r#""soon""#, "5", r#"{"$oid": "010101010101010101010101"}"#, "{}", "[1, [2]]"] {
        assert!(serde_json::from_str::<Timestamp>(wrong).is_err(), "{wrong}");
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Within(Inner),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Inner {
    Fields { at: Timestamp, id: Uuid },
    Pair(Timestamp, Value),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Alone,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// serde's adapters say of any format that it is for people.
#[test]
fn within_serdes_adapters_documents_are_not_for_people() {
    for inner in [
        Inner::Fields { at: Timestamp::new(5, 6).unwrap(), id: Uuid::from_bytes([1; 16]) },
        Inner::Pair(Timestamp::new(5, 6).unwrap(), Value::Binary(vec![1])),
    ] {
        let tagged = Tagged::Within(inner);
        let document = to_document(&tagged).unwrap();
        assert!(!document.to_string().contains("1970-01-01T00:00:05.000000006Z\""), "{document}");
        assert_eq!(from_document::<Tagged>(&document).unwrap(), tagged);
        let text = serde_json::to_string(&tagged).unwrap();
        assert_eq!(serde_json::from_str::<Tagged>(&text).unwrap(), tagged, "{text}");
    }
    let schema = doc! { "$schema": "draft", "type": "object" };
    let rest = BTreeMap::from([("schema".to_owned(), schema.into())]);
    let flat = Flat { inner: alone(), rest };
    let document = to_document(&flat).unwrap();
    assert_eq!(document["time"].as_timestamp(), Timestamp::new(5, 0));
    assert_eq!(document.get_path("schema.$schema").unwrap(), &"draft");
    assert_eq!(from_document::<Flat>(&document).unwrap(), flat);
    let text = serde_json::to_string(&flat).unwrap();
    assert_eq!(serde_json::from_str::<Flat>(&text).unwrap(), flat, "{text}");
}

/// A part that is stored as a text of JSON.
#[derive(Debug, PartialEq)]
struct Packed<T>(T);

impl<T: Serialize> Serialize for Packed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(&self.0).unwrap())
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Packed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A part that is stored as the text of a document, in a format for people.
#[derive(Debug, PartialEq)]
struct Printed<T>(T);

impl<T: Serialize> Serialize for Printed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_document(&self.0).unwrap().to_string())
    }
}

#[test]
fn json_that_is_made_while_the_codec_runs_is_json() {
    fn is_packed<T>(value: T)
    where
        T: Serialize + serde::de::DeserializeOwned + std::fmt::Debug + PartialEq,
    {
        let text = serde_json::to_string(&value).unwrap();
        let packed = BTreeMap::from([("v", Packed(value))]);
        let document = to_document(&packed).unwrap();
        assert_eq!(document["v"], text);
        let back = from_document::<BTreeMap<String, Packed<T>>>(&document).unwrap();
        assert_eq!(back["v"], packed["v"]);
    }
    let schema = doc! { "$schema": "draft", "at": Timestamp::new(5, 0).unwrap() };
    is_packed(alone());
    is_packed(schema.clone());
    is_packed(Tagged::Within(Inner::Pair(Timestamp::new(5, 6).unwrap(), b"\x01".into())));
    is_packed(Flat {
        inner: alone(),
        rest: BTreeMap::from([("schema".to_owned(), schema.into())]),
    });
    // The other way round the codec is no JSON, and JSON is it again afterwards.
    let (time, uuid) = (Timestamp::new(5, 0).unwrap(), Uuid::from_bytes([1; 16]));
    let text = serde_json::to_string(&(Printed(doc! { "at": time }), time, uuid)).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"["{\"at\": t'1970-01-01T00:00:05Z'}","1970-01-01T00:00:05Z","#,
            r#""01010101-0101-0101-0101-010101010101"]"#,
        ),
    );
}

#[test]
fn ids_as_keys_come_back_or_are_refused() {
    let object_id: ObjectId = "65f1c0ffee00000000000001".parse().unwrap();
    let uuid: Uuid = "65f1c0ff-ee00-0000-0000-000000000001".parse().unwrap();
    let keys = [
        Id::from(5),
        Id::from(-5),
        Id::from(0),
        Id::from(i64::MIN),
        Id::from(u64::MAX),
        Id::from("text"),
        Id::from(""),
        Id::from("-"),
        Id::from("-0"),
        Id::from("05"),
        Id::from("5.0"),
        Id::from("18446744073709551616"),
        Id::from("65F1C0FFEE00000000000001"),
        Id::from(object_id),
        Id::from(uuid),
    ];
    let map: BTreeMap<Id, u8> = keys.iter().cloned().zip(0..).collect();
    let document = to_document(&map).unwrap();
    assert_eq!((document.len(), &document["5"]), (keys.len(), &Value::from(0)));
    assert_eq!(from_document::<BTreeMap<Id, u8>>(&document).unwrap(), map);
    for (key, reason) in [
        (Id::from("5"), "the id \"5\" is a key of a map"),
        (Id::from(object_id.to_string()), "use keys of the type `String`"),
        (Id::from(uuid.to_string()), "use keys of the type `String`"),
        (Id::from([1_u8]), "a key of a map is bytes"),
    ] {
        let map = BTreeMap::from([(key.clone(), 1)]);
        let error = to_document(&BTreeMap::from([("a", map)])).unwrap_err();
        assert!(error.to_string().contains(reason), "{key}: {error}");
        assert_eq!(error.path(), Some("a"));
    }
    // Elsewhere a string is itself.
    let list = BTreeMap::from([("a".to_owned(), vec![Id::from("5"), Id::from(5)])]);
    let document = to_document(&list).unwrap();
    assert_eq!(from_document::<BTreeMap<String, Vec<Id>>>(&document).unwrap(), list);
}

#[test]
fn damaged_views_are_errors() {
    let bytes = [0x81, 0xa1, b'a', 0x92, 1];
    assert!(serde_json::to_string(DocView::from_bytes(&bytes)).is_err());
    let value = ValueRef::from_bytes(&[0x81, 0xa1, b'a', 0x81, 0xff, 1]).unwrap();
    assert!(serde_json::to_string(&value).is_err());
    assert_eq!(serde_json::to_string(&Value::from(array![1])).unwrap(), "[1]");
}
