//! Ids: equality, order, and every type that becomes one.

use std::collections::{BTreeSet, HashSet};

use nanodb_document::{
    Document, Id, IdRef, Key, ObjectId, Uuid, Value, doc, record_has_key, record_key, same_key,
    with_hashed_key,
};
use proptest::prelude::*;

use super::any::{self, cases};
use super::encode;

fn find<'a>(id: impl Into<IdRef<'a>>) -> Id {
    id.into().to_owned()
}

#[test]
fn look_ups_take_integers_strings_bytes_and_ids() {
    assert_eq!(find(5), Id::Int(5));
    assert_eq!(find(5_u64), Id::Int(5));
    assert_eq!(find(5_usize), Id::Int(5));
    assert_eq!(find(-5_i8), Id::Int(-5));
    assert_eq!(find(u64::MAX), Id::UInt(u64::MAX));
    assert_eq!(find("a"), Id::String("a".into()));
    assert_eq!(find(&String::from("a")), Id::String("a".into()));
    assert_eq!(find(&b"a"[..]), Id::Binary(vec![b'a']));
    assert_eq!(find(b"a"), Id::Binary(vec![b'a']));
    assert_eq!(find(&[0_u8; 16]), Id::Binary(vec![0; 16]));
    assert_eq!(find(&vec![1_u8]), Id::Binary(vec![1]));
    assert_eq!(find(&Id::from("a")), Id::from("a"));
    assert_eq!(find(IdRef::from("a")), Id::from("a"));
}

#[test]
fn an_id_is_read_by_its_type_and_equal_ids_read_alike() {
    let (object_id, uuid) = (ObjectId::from([2; 12]), Uuid::from([1; 16]));
    assert_eq!((object_id.as_ref(), uuid.as_ref()), (&[2_u8; 12][..], &[1_u8; 16][..]));
    type Read<'a> = (
        Option<i64>,
        Option<u64>,
        Option<&'a str>,
        Option<&'a [u8]>,
        Option<ObjectId>,
        Option<Uuid>,
    );
    let bytes = [1_u8; 16];
    let rows: [(Id, Read<'_>); 9] = [
        (Id::Int(5), (Some(5), Some(5), None, None, None, None)),
        (Id::UInt(5), (Some(5), Some(5), None, None, None, None)),
        (Id::Int(-5), (Some(-5), None, None, None, None, None)),
        (Id::from(u64::MAX), (None, Some(u64::MAX), None, None, None, None)),
        (Id::from("5"), (None, None, Some("5"), None, None, None)),
        (Id::from(&bytes[..3]), (None, None, None, Some(&bytes[..3]), None, None)),
        (Id::from(bytes), (None, None, None, Some(&bytes), None, Some(uuid))),
        (Id::from(uuid), (None, None, None, Some(&bytes), None, Some(uuid))),
        (Id::from(object_id), (None, None, None, None, Some(object_id), None)),
    ];
    for (id, expected) in rows {
        let owned: Read<'_> =
            (id.as_i64(), id.as_u64(), id.as_str(), id.as_bytes(), id.as_object_id(), id.as_uuid());
        assert_eq!(owned, expected, "{id}");
        let id = id.as_ref();
        let borrowed: Read<'_> =
            (id.as_i64(), id.as_u64(), id.as_str(), id.as_bytes(), id.as_object_id(), id.as_uuid());
        assert_eq!(borrowed, expected, "{id}");
    }
}

#[test]
fn integers_are_one_id_whatever_they_came_from() {
    let ids = [Id::from(7_u8), Id::from(7_i64), Id::from(7_u64), Id::UInt(7), Id::Int(7)];
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1);
    assert_eq!(ids.iter().map(Id::to_key).collect::<HashSet<Key>>().len(), 1);
}

#[test]
fn ids_order_as_numbers_then_strings_then_binary_then_object_ids() {
    let ordered = [
        Id::from(i64::MIN),
        Id::from(-1),
        Id::from(0),
        Id::from(i64::MAX),
        Id::from(u64::MAX),
        Id::from(""),
        Id::from("a"),
        Id::from("b"),
        Id::Binary(vec![]),
        Id::Binary(vec![0]),
        Id::from(Uuid::from_bytes([1; 16])),
        Id::Binary(vec![2]),
        Id::from(ObjectId::from_bytes([0; 12])),
        Id::from(ObjectId::from_bytes([1; 12])),
    ];
    let sorted: Vec<Id> =
        ordered.iter().rev().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(sorted, ordered);
}

#[test]
fn a_uuid_is_the_id_of_its_bytes_and_is_read_as_it_came() {
    let uuid = Uuid::from_bytes([0xab; 16]);
    let (id, bytes) = (Id::from(uuid), Id::Binary(vec![0xab; 16]));
    assert_eq!(id, bytes);
    assert_eq!(HashSet::from([id.clone(), bytes.clone()]).len(), 1);
    assert_eq!(id.to_key(), bytes.to_key());
    assert_ne!(id.to_string(), bytes.to_string());
    let records = [id.clone(), bytes].map(|id| encode(&doc! { "_id": id }).unwrap());
    for record in &records {
        assert!(record_has_key(record, &id.to_key()));
        assert!(!record_has_key(record, &Id::Binary(vec![0xac; 16]).to_key()));
        let key = record_key(record).unwrap();
        assert!(records.iter().all(|other| record_has_key(other, key)));
        assert!(same_key(key, &id.to_key()));
        with_hashed_key(key, |key| assert_eq!(key, &*id.to_key()));
    }
    let [stored, _] = &records;
    let read = nanodb_document::DocView::from_bytes(stored).to_document().unwrap();
    assert_eq!(read["_id"], Value::Uuid(uuid));
    assert_eq!(
        read.to_json().unwrap(),
        r#"{"_id":{"$uuid":"abababab-abab-abab-abab-abababababab"}}"#
    );
    // An extension of another length is none of both.
    for ext in [Value::Ext(4, vec![0; 15]), Value::Ext(7, vec![0; 16]), Value::Ext(5, vec![0; 16])]
    {
        assert!(encode(&doc! { "_id": ext }).is_err());
    }
}

#[test]
fn a_whole_number_with_a_point_is_the_integer() {
    for (number, id) in [(1.0_f64, 1_i64), (-0.0, 0), (2.1e9, 2_100_000_000)] {
        assert_eq!(encode(&doc! { "_id": number }).unwrap(), encode(&doc! { "_id": id }).unwrap());
        assert_eq!(doc! { "_id": number }.id(), Some(id.into()));
        let rmpv = rmpv::Value::Map(vec![("_id".into(), number.into())]);
        assert_eq!(encode(&rmpv).unwrap(), encode(&doc! { "_id": id }).unwrap());
        let mut raw = vec![0x81, 0xa3, b'_', b'i', b'd', 0xcb];
        raw.extend(number.to_be_bytes());
        let view = nanodb_document::DocView::from_bytes(&raw);
        assert_eq!(
            encode(&nanodb_document::Document::try_from(view).unwrap()).unwrap(),
            encode(&doc! { "_id": id }).unwrap()
        );
        let mut out = Vec::new();
        let draft = nanodb_document::Encode::encode(view, None, &mut out).unwrap();
        assert_eq!(draft.record(&out), encode(&doc! { "_id": id }).unwrap());
    }
    for number in [1.5, f64::NAN, f64::INFINITY, 1e300] {
        assert!(encode(&doc! { "_id": number }).is_err(), "{number}");
    }
}

#[test]
fn records_that_do_not_begin_with_an_id_have_no_key() {
    assert_eq!(record_key(&[]), None);
    assert_eq!(record_key(&[0x80]), None);
    assert_eq!(record_key(&[0x81, 0xa1, b'a', 1]), None);
    assert_eq!(record_key(&[0x81, 0xa3, b'_', b'i', b'd', 0x91, 1]), None);
    assert!(!record_has_key(&[0x81, 0xa3, b'_', b'i', b'd', 1], &[]));
}

#[test]
fn keys_are_found_behind_every_size_of_map_header() {
    for fields in [1, 14, 15, 16, 1000, 70_000] {
        let mut document: Document = (0..fields).map(|n| (format!("f{n}"), n)).collect();
        document.insert("_id", "key");
        let record = encode(&document).unwrap();
        assert_eq!(record_key(&record), Some(&*IdRef::from("key").to_key()), "{fields} fields");
        assert!(record_has_key(&record, &IdRef::from("key").to_key()));

        document.remove("_id");
        let mut buffer = Vec::new();
        let mut draft = nanodb_document::Encode::encode(&document, None, &mut buffer).unwrap();
        draft.assign_id(300, &mut buffer);
        assert_eq!(draft.key(&buffer), Some(&*IdRef::from(300).to_key()), "{fields} fields");
    }
}

#[test]
fn ids_survive_serde() {
    for id in [Id::from(-5), Id::from(u64::MAX), Id::from("a"), Id::from([1_u8, 2])] {
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<Id>(&json).unwrap(), id);
        let record = encode(&doc! { "_id": id.clone() }).unwrap();
        #[derive(serde::Deserialize)]
        struct OnlyId {
            _id: Id,
        }
        let only: OnlyId = nanodb_document::DocView::from_bytes(&record).deserialize().unwrap();
        assert_eq!(only._id, id);
    }
    for id in [Id::from(ObjectId::from_bytes([7; 12])), Id::from(Uuid::from_bytes([4; 16]))] {
        let record = encode(&doc! { "_id": id.clone() }).unwrap();
        #[derive(serde::Deserialize, serde::Serialize)]
        struct OnlyId {
            _id: Id,
        }
        let only: OnlyId = nanodb_document::DocView::from_bytes(&record).deserialize().unwrap();
        assert_eq!(only._id.to_string(), id.to_string());
        assert_eq!(encode(&nanodb_document::Serialized(&only)).unwrap(), record);
    }
    assert_eq!(serde_json::from_str::<Id>("2.0").unwrap(), Id::from(2));
    assert!(serde_json::from_str::<Id>("1.5").is_err());
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn equal_ids_and_only_they_have_equal_keys(a in any::id(), b in any::id()) {
        let (a, b) = (Id::try_from(a).unwrap(), Id::try_from(b).unwrap());
        prop_assert_eq!(a == b, a.to_key() == b.to_key());
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(Id::from_key(&a.to_key()), Some(a.clone()));
        prop_assert_eq!(Key::from_slice(&a.to_key()), a.to_key());
    }
}
