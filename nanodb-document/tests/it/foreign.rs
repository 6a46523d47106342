//! Other crates' types: from and to ours, as values, ids and fields.

#![allow(
    clippy::needless_borrow,
    clippy::needless_borrows_for_generic_args,
    reason = "references are what is tested"
)]

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nanodb_document::{
    AsId, Document, Encode, Error, ErrorKind, Id, IdRef, IntoValue, ObjectId, Timestamp, Uuid,
    Value, array, doc, from_document, from_value, to_document,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::any::{self, cases};
use super::encode;

/// From the years -9999 to 9999, and beyond.
fn timestamp() -> impl Strategy<Value = Timestamp> {
    let secs = prop_oneof![
        3 => -377_705_116_800_i64..=253_402_300_799,
        1 => any::<i64>(),
        1 => -5_i64..5,
    ];
    (secs, 0_u32..1_000_000_000).prop_map(|(secs, nanos)| Timestamp::new(secs, nanos).unwrap())
}

/// A time that its type holds comes back from it as the same; another is an error.
fn comes_back<T>(time: Timestamp) -> Result<(), TestCaseError>
where
    T: TryFrom<Timestamp, Error = Error> + Clone + IntoValue,
    Timestamp: From<T>,
{
    match T::try_from(time) {
        Ok(theirs) => {
            prop_assert_eq!(Timestamp::from(theirs.clone()), time);
            prop_assert_eq!(theirs.into_value(), Value::Timestamp(time));
        }
        Err(error) => {
            prop_assert_eq!(error.kind(), ErrorKind::Invalid);
            prop_assert!(error.to_string().contains("is out of the range of"), "{}", error);
            prop_assert!(time.secs().unsigned_abs() > 200_000_000_000);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn times_of_other_crates_come_back(time in timestamp()) {
        comes_back::<chrono::DateTime<chrono::Utc>>(time)?;
        comes_back::<time::OffsetDateTime>(time)?;
        comes_back::<time::UtcDateTime>(time)?;
        comes_back::<jiff::Timestamp>(time)?;
    }

    #[test]
    fn documents_come_back_from_serde_json(document in any::document()) {
        prop_assume!(!has_dollar(&document.clone().into()));
        let json = serde_json::Value::try_from(document.clone()).unwrap();
        prop_assert_eq!(json.to_string().len() > 1, true);
        let back = Document::try_from(json.clone()).unwrap();
        // Fields of its objects have an order of their own.
        prop_assert_eq!(sorted(back.into()), sorted(document.clone().into()));
        prop_assert_eq!(encode(&json).is_ok(), true);
        let value = Value::from(document);
        let json = serde_json::Value::try_from(value.clone()).unwrap();
        prop_assert_eq!(sorted(Value::try_from(&json).unwrap()), sorted(value));
    }

    #[test]
    fn what_bson_holds_comes_back_from_it(document in any::document()) {
        match bson::Document::try_from(document.clone()) {
            Ok(theirs) => {
                prop_assert_eq!(Document::try_from(&theirs).unwrap(), document.clone());
                prop_assert_eq!(encode(&theirs).unwrap(), encode(&document).unwrap());
            }
            Err(error) => {
                let at = document.get_path(error.path().unwrap());
                // A name with a dot is no step of a path.
                if let Some(value) = at {
                    prop_assert!(
                        matches!(value, Value::UInt(_) | Value::Timestamp(_) | Value::Ext(..)
                            | Value::Document(_) | Value::Array(_)),
                        "{}", value
                    );
                }
            }
        }
    }
}

/// Whether a name begins with a dollar: sorted to the front it would be taken for a form.
fn has_dollar(value: &Value) -> bool {
    match value {
        Value::Document(document) => {
            document.iter().any(|(name, value)| name.starts_with('$') || has_dollar(value))
        }
        Value::Array(elements) => elements.iter().any(has_dollar),
        _ => false,
    }
}

/// Fields sorted, at every level.
fn sorted(value: Value) -> Value {
    match value {
        Value::Document(document) => {
            let mut document: Document =
                document.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            document.sort_keys();
            document.into()
        }
        Value::Array(elements) => elements.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Clone + Into<SystemTime> + TryFrom<SystemTime, Error: std::fmt::Display>")]
struct Event<T> {
    #[serde(with = "nanodb_document::as_timestamp")]
    at: T,
    #[serde(with = "nanodb_document::as_timestamp::option", default)]
    until: Option<T>,
}

fn is_stored_as_a_timestamp<T>(at: T)
where
    T: Clone + Into<SystemTime> + TryFrom<SystemTime, Error: std::fmt::Display>,
    T: PartialEq + Debug,
{
    let event = Event { at: at.clone(), until: Some(at.clone()) };
    let document = to_document(&event).unwrap();
    assert_eq!(document["at"], Value::from(at.into()));
    assert_eq!(document["until"], document["at"]);
    assert_eq!(from_document::<Event<T>>(&document).unwrap(), event);
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event<T>>(&text).unwrap(), event);
}

#[test]
fn fields_of_other_crates_times_are_timestamps() {
    let system = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    is_stored_as_a_timestamp(system);
    is_stored_as_a_timestamp(chrono::DateTime::<chrono::Utc>::from(system));
    is_stored_as_a_timestamp(time::OffsetDateTime::from(system));
    is_stored_as_a_timestamp(time::UtcDateTime::from(system));
    is_stored_as_a_timestamp(jiff::Timestamp::try_from(system).unwrap());
    let zoned = jiff::Timestamp::try_from(system).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    assert_eq!(Value::from(&zoned), Value::from(system));
    assert_eq!(Value::from(zoned), Value::from(system));
    let far = doc! { "at": Timestamp::new(1 << 50, 0).unwrap() };
    for error in [
        from_document::<Event<chrono::DateTime<chrono::Utc>>>(&far).unwrap_err(),
        from_document::<Event<time::OffsetDateTime>>(&far).unwrap_err(),
    ] {
        assert_eq!(error.path(), Some("at"), "an error, and not a panic of their crates");
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Ids {
    #[serde(with = "nanodb_document::as_uuid")]
    uuid: uuid::Uuid,
    plain: uuid::Uuid,
    #[serde(with = "nanodb_document::as_object_id")]
    oid: bson::oid::ObjectId,
    #[serde(with = "nanodb_document::as_uuid::option", default)]
    no_uuid: Option<uuid::Uuid>,
    #[serde(with = "nanodb_document::as_object_id::option", default)]
    no_oid: Option<bson::oid::ObjectId>,
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Document {
    let document = to_document(value).unwrap();
    assert_eq!(&from_document::<T>(&document).unwrap(), value);
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    document
}

#[test]
fn ids_of_other_crates_are_ids() {
    let theirs = uuid::Uuid::from_bytes([7; 16]);
    let ours = Uuid::from_bytes([7; 16]);
    assert_eq!(Uuid::from(theirs), ours);
    assert_eq!(uuid::Uuid::from(ours), theirs);
    assert_eq!(theirs.as_id(), IdRef::Uuid(ours));
    assert_eq!((&theirs).as_id(), Id::from(theirs).as_ref());
    assert_eq!(doc! { "_id": theirs }["_id"], Value::Uuid(ours));
    assert_eq!(uuid::Uuid::try_from(&Id::from(ours)).unwrap(), theirs);
    assert_eq!(uuid::Uuid::try_from(Id::from([7_u8; 16])).unwrap(), theirs);
    let error = uuid::Uuid::try_from(Id::from(5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert_eq!(error.to_string(), "the id 5 is not a UUID");

    let theirs = bson::oid::ObjectId::from_bytes([8; 12]);
    let ours = ObjectId::from_bytes([8; 12]);
    assert_eq!(theirs.as_id(), IdRef::ObjectId(ours));
    assert_eq!(Value::from(theirs), Value::ObjectId(ours));
    assert_eq!(bson::oid::ObjectId::from(ours), theirs);
    assert_eq!(Id::from(bson::Uuid::from_bytes([7; 16])), Id::from([7_u8; 16]));

    let ids = Ids {
        uuid: uuid::Uuid::from_bytes([1; 16]),
        plain: uuid::Uuid::from_bytes([2; 16]),
        oid: bson::oid::ObjectId::from_bytes([3; 12]),
        no_uuid: None,
        no_oid: None,
    };
    let document = round_trip(&ids);
    assert_eq!((&document["no_uuid"], &document["no_oid"]), (&Value::Null, &Value::Null));
    let both = Ids { no_uuid: Some(ids.uuid), no_oid: Some(ids.oid), ..ids };
    let both = round_trip(&both);
    assert_eq!((&both["no_uuid"], &both["no_oid"]), (&both["uuid"], &both["oid"]));
    assert_eq!(document["uuid"], Value::Uuid(Uuid::from_bytes([1; 16])));
    assert_eq!(document["plain"], Value::Binary(vec![2; 16]));
    assert_eq!(document["oid"], Value::ObjectId(ObjectId::from_bytes([3; 12])));
}

#[derive(Debug, PartialEq, Deserialize)]
struct EachUuid {
    ours: Uuid,
    plain: uuid::Uuid,
    #[serde(with = "nanodb_document::as_uuid")]
    as_uuid: uuid::Uuid,
}

#[test]
fn uuids_are_read_from_uuids_and_from_their_sixteen_bytes() {
    let theirs = uuid::Uuid::from_bytes([7; 16]);
    let expected = EachUuid { ours: theirs.into(), plain: theirs, as_uuid: theirs };
    for stored in [Value::from(theirs), Value::Binary(vec![7; 16])] {
        let document = doc! { "ours": &stored, "plain": &stored, "as_uuid": &stored };
        assert_eq!(from_document::<EachUuid>(&document).unwrap(), expected, "{stored}");
    }
    for stored in [
        Value::Binary(vec![7; 15]),
        Value::Binary(vec![7; 17]),
        Value::Ext(5, vec![7; 16]),
        Value::from(Timestamp::new(5, 0).unwrap()),
        Value::from(ObjectId::from_bytes([7; 12])),
        Value::from(7),
    ] {
        for name in ["ours", "plain", "as_uuid"] {
            let mut document = doc! { "ours": theirs, "plain": theirs, "as_uuid": theirs };
            document.insert(name, stored.clone());
            let error = from_document::<EachUuid>(&document).unwrap_err();
            assert_eq!((error.kind(), error.path()), (ErrorKind::WrongType, Some(name)));
        }
    }
    // Sixteen bytes are no other extension.
    let bytes = Value::Binary(vec![7; 16]);
    assert!(from_value::<Timestamp>(&bytes).is_err());
    assert!(from_value::<ObjectId>(&bytes).is_err());
}

#[test]
fn values_of_serde_json_are_read_with_their_forms() {
    let json = serde_json::json!({ "at": { "$date": "1970-01-01T00:00:05Z" }, "n": [1, 2.5] });
    let expected = doc! { "at": Timestamp::new(5, 0).unwrap(), "n": [1, 2.5] };
    assert_eq!(Document::try_from(json.clone()).unwrap(), expected);
    assert_eq!(encode(&json).unwrap(), encode(&expected).unwrap());
    // In `doc!` as it is, or with its forms.
    assert_eq!(nanodb_document::ser(&json).get_path("at.$date").unwrap(), "1970-01-01T00:00:05Z");
    let with_forms = doc! { "v": Value::try_from(json).unwrap() };
    assert_eq!(with_forms, doc! { "v": expected });
    let wrong = serde_json::json!({ "at": { "$dat": 5 } });
    let error = Document::try_from(wrong).unwrap_err();
    assert!(error.to_string().contains("unknown form `$dat`"), "{error}");
    assert!(Document::try_from(serde_json::json!([1])).is_err());
    let refused = doc! { "a": nanodb_document::ser(i128::MAX) };
    assert_eq!(serde_json::Value::try_from(refused).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn what_bson_and_documents_do_not_share_is_an_error_with_its_path() {
    let decimal = bson::Bson::Decimal128(bson::Decimal128::from_bytes([0; 16]));
    let theirs = bson::doc! { "a": [1, { "b": decimal }] };
    let error = Document::try_from(theirs).unwrap_err();
    assert_eq!(error.to_string(), "a Decimal128 of BSON is no value here at `a.1.b`");
    assert_eq!((error.kind(), error.path()), (ErrorKind::Invalid, Some("a.1.b")));
    for value in [
        Value::from(u64::MAX),
        Value::from(Timestamp::new(0, 1).unwrap()),
        Value::from(Timestamp::new(i64::MAX, 0).unwrap()),
        Value::Ext(5, vec![]),
        nanodb_document::ser(i128::MAX),
    ] {
        let error = bson::Document::try_from(doc! { "a": [value] }).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Invalid, Some("a.0")));
    }
    let mut deep = bson::Bson::Null;
    for _ in 0..200 {
        deep = bson::Bson::Array(vec![deep]);
    }
    assert!(Value::try_from(deep).is_err());
    let shared = bson::doc! {
        "int": 5_i32, "long": 1_i64 << 40, "double": 1.5, "text": "a", "flag": true, "none": null,
        "time": bson::DateTime::from_millis(5), "list": [1, "b"],
        "binary": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![1] },
    };
    let ours = doc! {
        "int": 5, "long": 1_i64 << 40, "double": 1.5, "text": "a", "flag": true, "none": null,
        "time": Timestamp::from_millis(5), "list": array![1, "b"], "binary": b"\x01",
    };
    assert_eq!(Document::try_from(shared.clone()).unwrap(), ours);
    assert_eq!(bson::Document::try_from(ours.clone()).unwrap(), shared);
    let mut buffer = Vec::new();
    assert!(shared.encode(None, &mut buffer).is_ok());
}
