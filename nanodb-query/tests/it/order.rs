//! The order over all values: total, as the plain one, and as the keys.

use nanodb_msgpack::{RawValue, compare, encode_key};
use nanodb_query::Sort;
use nanodb_query::bytes::SortBytes;
use proptest::prelude::*;

use crate::generate::{document, map, msgpack, path, scalar, value};
use crate::plain;

fn key(bytes: &[u8]) -> Vec<u8> {
    let mut key = Vec::new();
    encode_key(Some(RawValue::new(bytes)), &mut key).unwrap();
    key
}

fn no_array() -> impl Strategy<Value = rmpv::Value> {
    prop_oneof![scalar(), document()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn values_keys_and_decoded_values_compare_alike(a in value(), b in value()) {
        let (x, y) = (msgpack(&a), msgpack(&b));
        let order = compare(RawValue::new(&x), RawValue::new(&y)).unwrap();
        prop_assert_eq!(order, plain::compare(&a, &b), "{} and {}", a, b);
        prop_assert_eq!(order.reverse(), compare(RawValue::new(&y), RawValue::new(&x)).unwrap());
        prop_assert_eq!(key(&x).cmp(&key(&y)), order, "keys of {} and {}", a, b);
    }

    #[test]
    fn the_order_is_transitive(values in prop::collection::vec(value(), 3)) {
        let mut bytes: Vec<Vec<u8>> = values.iter().map(msgpack).collect();
        let order = |a: &[u8], b: &[u8]| compare(RawValue::new(a), RawValue::new(b)).unwrap();
        bytes.sort_by(|a, b| order(a, b));
        prop_assert!(order(&bytes[0], &bytes[2]).is_le());
        prop_assert!(order(&bytes[0], &bytes[1]).is_le() && order(&bytes[1], &bytes[2]).is_le());
    }

    #[test]
    fn no_key_begins_another(a in value(), b in value()) {
        let (a, b) = (key(&msgpack(&a)), key(&msgpack(&b)));
        prop_assert!(a == b || !a.starts_with(&b));
    }

    #[test]
    fn a_single_sorted_value_sorts_as_itself_up_and_down(a in no_array(), b in no_array()) {
        let order = plain::compare(&a, &b);
        let (x, y) = (msgpack(&map([("v", a)])), msgpack(&map([("v", b)])));
        let keys = |sort: Sort| sort.key(&x).unwrap().cmp(&sort.key(&y).unwrap());
        prop_assert_eq!(keys(Sort::ascending("v")), order);
        prop_assert_eq!(keys(Sort::descending("v")), order.reverse());
    }

    #[test]
    fn a_sort_prints_what_it_is_read_from(document in document(), path in path()) {
        let sort = Sort::ascending(&path).then_descending("z");
        prop_assert_eq!(&sort.to_string().parse::<Sort>().unwrap(), &sort);
        prop_assert!(!sort.key(&msgpack(&document)).unwrap().is_empty());
    }
}
