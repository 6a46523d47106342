//! Ids: equality, order, and every type that becomes one.

use std::collections::{BTreeSet, HashSet};

use nanodb_document::{Document, Id, IdRef, Key, doc, record_has_key, record_key};
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
fn integers_are_one_id_whatever_they_came_from() {
    let ids = [Id::from(7_u8), Id::from(7_i64), Id::from(7_u64), Id::UInt(7), Id::Int(7)];
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1);
    assert_eq!(ids.iter().map(Id::to_key).collect::<HashSet<Key>>().len(), 1);
}

#[test]
fn ids_order_as_numbers_then_strings_then_binary() {
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
    ];
    let sorted: Vec<Id> =
        ordered.iter().rev().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(sorted, ordered);
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
