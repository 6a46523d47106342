//! What an index can do for a search, against the filter and the sort themselves: whatever matches
//! has a key in the bounds, and what the bounds cover is what matches.

mod cases;

use std::collections::BTreeSet;

use nanodb_query::bytes::{FilterBytes, SortBytes};
use nanodb_query::plan::{self, IndexBounds, KeyPosition};
use nanodb_query::{
    Filter, Index, IndexKeys, IndexSpec, MultikeyPaths, STORED_KEY_BYTES_MAX, Sort, field,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use self::cases::{Case, case, related_filters};
use crate::generate::msgpack;

/// `NANODB_TEST_LONG` makes it long, `NANODB_CASES` any number.
fn config(cases: u32) -> Config {
    let long = std::env::var_os("NANODB_TEST_LONG").map(|_| 10_000_000);
    let given = std::env::var("NANODB_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = given.or(long).unwrap_or(cases);
    Config { cases, max_global_rejects: u32::MAX, ..Config::default() }
}

/// The keys of documents, what arrays they have together, and the documents.
struct Indexed {
    spec: IndexSpec,
    multikey: MultikeyPaths,
    documents: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

impl Indexed {
    /// Leaves out documents that the index refuses.
    fn new(spec: &IndexSpec, documents: &[rmpv::Value]) -> Self {
        let mut indexed =
            Self { spec: spec.clone(), multikey: MultikeyPaths::default(), documents: Vec::new() };
        let mut keys = IndexKeys::default();
        for document in documents {
            let bytes = msgpack(document);
            if keys.enumerate(spec, &bytes).is_ok() {
                indexed.multikey.add(keys.multikey());
                let own = keys.iter().map(<[u8]>::to_vec).collect();
                indexed.documents.push((bytes, own));
            }
        }
        indexed
    }
}

fn is_inside(bounds: &IndexBounds, key: &[u8]) -> bool {
    bounds.position(key, &mut Vec::new()) == KeyPosition::Inside
}

/// The rules of `plan.rs`: superset, presence, exactness; and that seeking loses nothing.
fn check(case: &Case) -> Result<(), TestCaseError> {
    let (Ok(filter), Ok(spec)) = (Filter::parse(&msgpack(&case.filter)), case.index().spec())
    else {
        return Err(TestCaseError::reject("a filter or an index that is refused"));
    };
    let indexed = Indexed::new(&spec, &case.documents);
    let Ok(alternatives) = plan::index_bounds(&filter, &spec, &indexed.multikey) else {
        return Ok(());
    };
    prop_assert!(!alternatives.is_empty());
    let all: BTreeSet<&[u8]> =
        indexed.documents.iter().flat_map(|(_, keys)| keys.iter().map(Vec::as_slice)).collect();
    for bounds in &alternatives {
        let ranges = [bounds.scan_ranges(64), bounds.scan_ranges(2)];
        for (document, keys) in &indexed.documents {
            let matches = filter.matches(document).unwrap();
            let within: Vec<bool> = keys.iter().map(|key| is_inside(bounds, key)).collect();
            let in_ranges = |key: &Vec<u8>| {
                ranges.iter().all(|ranges| ranges.iter().any(|range| range.contains(key)))
            };
            if matches {
                prop_assert!(!keys.is_empty(), "{filter} matches {document:02x?}: no entry");
                let is_found = keys.iter().zip(&within).any(|(key, is)| *is && in_ranges(key));
                prop_assert!(is_found, "{filter}: lost {document:02x?}, {bounds:?}");
            }
            if bounds.covers_filter() && keys.iter().all(|key| key.len() < STORED_KEY_BYTES_MAX) {
                prop_assert_eq!(within.contains(&true), matches, "{}: {:?}", filter, bounds);
                prop_assert!(keys.len() < 2);
            }
            for (key, is_within) in keys.iter().zip(within) {
                // What is known of a cut key may not be enough.
                let is_whole = key.len() < STORED_KEY_BYTES_MAX;
                prop_assert!(!(is_whole && is_within) || in_ranges(key), "{key:02x?}: {ranges:?}");
            }
        }
        for ranges in &ranges {
            let is_sorted = ranges.windows(2).all(|pair| pair[0].end <= pair[1].start);
            prop_assert!(is_sorted, "{ranges:?}");
        }
        check_seeking(bounds, &all)?;
    }
    check_order(case, &filter, &indexed, &alternatives)
}

/// Reading by seeking finds the keys inside.
fn check_seeking(bounds: &IndexBounds, all: &BTreeSet<&[u8]>) -> Result<(), TestCaseError> {
    let expected: Vec<&[u8]> = all.iter().copied().filter(|key| is_inside(bounds, key)).collect();
    let (mut found, mut next, mut at) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(key) = all.iter().copied().find(|key| **key >= *at) {
        match bounds.position(key, &mut next) {
            KeyPosition::Inside => {
                found.push(key);
                at = [key, &[0]].concat();
            }
            KeyPosition::Before => {
                prop_assert!(*next > *key, "no further than {key:02x?}");
                at.clone_from(&next);
            }
            KeyPosition::After => break,
        }
    }
    prop_assert_eq!(found, expected);
    Ok(())
}

/// Documents in the order of their first entries are in the order of the sort.
fn check_order(
    case: &Case,
    filter: &Filter,
    indexed: &Indexed,
    alternatives: &[IndexBounds],
) -> Result<(), TestCaseError> {
    let sort = case.sort();
    for bounds in alternatives {
        let Ok(order) = plan::sort_order(&sort, &indexed.spec, &indexed.multikey, bounds) else {
            continue;
        };
        let matching = indexed.documents.iter().filter(|(document, keys)| {
            filter.matches(document).unwrap()
                && keys.iter().all(|key| key.len() < STORED_KEY_BYTES_MAX)
        });
        let mut first: Vec<(Vec<u8>, Vec<u8>)> = matching
            .map(|(document, keys)| {
                let mut within: Vec<&[u8]> = keys
                    .iter()
                    .filter(|key| is_inside(bounds, key))
                    .map(|key| behind(key, order.prefix, &indexed.spec))
                    .collect();
                within.sort_unstable();
                let first = if order.reverse { within.last() } else { within.first() };
                (first.unwrap().to_vec(), sort.key(document).unwrap())
            })
            .collect();
        first.sort_by(|(a, _), (b, _)| if order.reverse { b.cmp(a) } else { a.cmp(b) });
        let is_sorted = first.windows(2).all(|pair| pair[0].1 <= pair[1].1);
        prop_assert!(is_sorted, "{sort} by {} within {bounds:?}", indexed.spec);
    }
    Ok(())
}

/// The rest of a key after some fields.
fn behind<'k>(key: &'k [u8], fields: usize, spec: &IndexSpec) -> &'k [u8] {
    spec.fields().iter().take(fields).fold(key, |key, field| {
        &key[nanodb_msgpack::key_len(key, field.is_descending()).unwrap()..]
    })
}

fn run<T: std::fmt::Debug>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    check: impl Fn(&T) -> Result<(), TestCaseError>,
) {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/bounds.rs");
    let config = Config { source_file: Some(source), ..config(cases) };
    if let Err(error) = TestRunner::new(config).run(&strategy, |case| check(&case)) {
        panic!("{error}");
    }
}

#[test]
fn whatever_matches_has_a_key_within_the_bounds() {
    run(6_000, case(), check);
}

#[test]
fn what_a_filter_implies_matches_whatever_it_matches() {
    let strategy = (related_filters(), prop::collection::vec(cases::document(), 1..4));
    run(5_000, strategy, |((filter, other), documents)| {
        let (Ok(filter), Ok(other)) =
            (Filter::parse(&msgpack(filter)), Filter::parse(&msgpack(other)))
        else {
            return Err(TestCaseError::reject("a filter that is refused"));
        };
        if plan::implies(&filter, &other) {
            for document in documents {
                let bytes = msgpack(document);
                let both = (filter.matches(&bytes).unwrap(), other.matches(&bytes).unwrap());
                prop_assert!(both != (true, false), "{filter} and {other}: {document}");
            }
        }
        Ok(())
    });
}

#[test]
fn the_key_of_a_sort_is_the_least_key_of_an_index_or_the_greatest() {
    let strategy = (cases::document(), cases::name_path(), any::<bool>());
    run(5_000, strategy, |(document, path, descending)| {
        let bytes = msgpack(document);
        let (index, sort) = match descending {
            true => (Index::descending(path), Sort::descending(path)),
            false => (Index::ascending(path), Sort::ascending(path)),
        };
        let (spec, mut least) = (index.spec().unwrap(), None::<Vec<u8>>);
        nanodb_query::for_each_key(&spec, &bytes, &mut MultikeyPaths::default(), &mut |key| {
            if least.as_deref().is_none_or(|least| key < least) {
                least = Some(key.to_vec());
            }
            Ok(())
        })
        .unwrap();
        prop_assert_eq!(least.unwrap(), sort.key(&bytes).unwrap());
        Ok(())
    });
}

#[test]
fn a_compound_key_has_a_part_for_each_field() {
    run(5_000, case(), |case| {
        let Ok(spec) = case.index().spec() else {
            return Err(TestCaseError::reject("an index that is refused"));
        };
        for document in &case.documents {
            let bytes = msgpack(document);
            let listed = nanodb_query::for_each_key(
                &spec,
                &bytes,
                &mut MultikeyPaths::default(),
                &mut |key| {
                    assert_eq!(behind(key, spec.fields().len(), &spec), [0_u8; 0]);
                    Ok(())
                },
            );
            prop_assert!(listed.is_ok() || spec.fields().len() > 1);
        }
        Ok(())
    });
}

fn spec(text: &str) -> IndexSpec {
    Index::parse_json(text).unwrap().spec().unwrap()
}

fn json(text: &str) -> Vec<u8> {
    msgpack(&serde_json::from_str::<crate::json::Json>(text).unwrap().to_rmpv())
}

/// The bounds of an index over documents.
fn bounds(
    index: &str,
    filter: &str,
    documents: &[&str],
) -> Result<Vec<IndexBounds>, plan::NotUsed> {
    let spec = spec(index);
    let (mut keys, mut multikey) = (IndexKeys::default(), MultikeyPaths::default());
    for document in documents {
        keys.enumerate(&spec, &json(document)).unwrap();
        multikey.add(keys.multikey());
    }
    plan::index_bounds(&Filter::parse_json(filter).unwrap(), &spec, &multikey)
}

/// Checks that a document that matches has a key within all bounds.
#[track_caller]
fn finds(index: &str, filter: &str, document: &str) {
    let bytes = json(document);
    assert!(Filter::parse_json(filter).unwrap().matches(&bytes).unwrap(), "no match");
    let mut keys = IndexKeys::default();
    keys.enumerate(&spec(index), &bytes).unwrap();
    for bounds in bounds(index, filter, &[document]).unwrap() {
        let ranges = bounds.scan_ranges(64);
        let in_range = |key: &[u8]| ranges.iter().any(|range| range.contains(key));
        let found = keys.iter().any(|key| is_inside(&bounds, key) && in_range(key));
        assert!(found, "{filter} by {index} does not find {document}: {bounds:?}");
    }
}

/// Whether something is narrowed.
fn is_narrowed(index: &str, filter: &str, documents: &[&str]) -> bool {
    bounds(index, filter, documents).unwrap()[0].why_not_narrowed().is_none()
}

const A: &str = r#"{"key": {"a": 1}}"#;
const AB: &str = r#"{"key": {"a": 1, "b": 1}}"#;
const X_AND_Y: &str = r#"{"key": {"a.x": 1, "a.y": 1}}"#;

#[test]
fn a_path_with_a_number_is_never_exact() {
    let index = r#"{"key": {"a.0": 1}}"#;
    finds(index, r#"{"a.0": {"$ne": 5}}"#, r#"{"a": [[5]]}"#);
    assert!(!is_narrowed(index, r#"{"a.0": {"$ne": 5}}"#, &[]));
}

#[test]
fn two_conditions_on_a_path_through_arrays_may_mean_two_elements() {
    finds(A, r#"{"a": {"$gt": 4, "$lt": 3}}"#, r#"{"a": [1, 5]}"#);
    finds(A, r#"{"a": {"$all": [1, 5]}}"#, r#"{"a": [1, 5]}"#);
    finds(A, r#"{"a": {"$not": {"$not": {"$gt": 4, "$lt": 3}}}}"#, r#"{"a": [1, 5]}"#);
    assert_eq!(bounds(A, r#"{"a": {"$gt": 4, "$lt": 3}}"#, &[r#"{"a": [1]}"#]).unwrap().len(), 2);
    assert!(bounds(A, r#"{"a": {"$gt": 4, "$lt": 3}}"#, &[]).unwrap()[0].is_empty());
}

#[test]
fn one_element_serves_all_of_an_elem_match() {
    let with_arrays = [r#"{"a": [1]}"#];
    let filter = r#"{"a": {"$elemMatch": {"$gt": 4, "$lt": 3}}}"#;
    assert!(bounds(A, filter, &with_arrays).unwrap()[0].is_empty());
    let filter = r#"{"a": {"$elemMatch": {"x": 1, "y": 2}}}"#;
    let joint = &bounds(X_AND_Y, filter, &[r#"{"a": [{"x": 1}]}"#]).unwrap()[0];
    assert_eq!(
        (joint.field(0).unwrap().points(), joint.field(1).unwrap().points()),
        (Some(1), Some(1))
    );
    finds(X_AND_Y, filter, r#"{"a": [{"x": 1}, {"y": 2}, {"y": 2, "x": 1}]}"#);
}

#[test]
fn an_elem_match_asks_elements_that_are_arrays_which_an_index_lacks() {
    let filter = r#"{"a": {"$elemMatch": {"0": 5}}}"#;
    finds(r#"{"key": {"a.0": 1}}"#, filter, r#"{"a": [7, [5]]}"#);
    finds(r#"{"key": {"a.x": 1}}"#, r#"{"a": {"$elemMatch": {"x": null}}}"#, r#"{"a": [[5]]}"#);
}

#[test]
fn two_fields_below_an_array_are_bounded_one_at_a_time() {
    let filter = r#"{"a.x": 1, "a.y": 2}"#;
    finds(X_AND_Y, filter, r#"{"a": [{"x": 1}, {"y": 2}]}"#);
    let one = bounds(X_AND_Y, filter, &[r#"{"a": [{"x": 1}]}"#]).unwrap();
    assert_eq!(one.len(), 2);
    assert!(one.iter().all(|bounds| (0..2).any(|at| bounds.field(at).unwrap().is_all())));
    // An array in one and a scalar in the other.
    let both = &bounds(AB, r#"{"a": 1, "b": 2}"#, &[r#"{"a": [1], "b": 2}"#]).unwrap()[0];
    assert!((0..2).all(|at| both.field(at).unwrap().points() == Some(1)));
}

#[test]
fn only_exact_bounds_are_turned_round() {
    finds(A, r#"{"a": {"$not": {"$regex": "^a.c"}}}"#, r#"{"a": "abd"}"#);
    finds(A, r#"{"a": {"$not": {"$mod": [2, 0]}}}"#, r#"{"a": 3}"#);
    finds(A, r#"{"a": {"$ne": [1]}}"#, r#"{"a": [1, 2]}"#);
    finds(A, r#"{"a": {"$not": {"$type": "int"}}}"#, r#"{"a": 1.5}"#);
    // Null is the key of what a path does not lead to.
    finds(r#"{"key": {"a.b": 1}}"#, r#"{"a.b": {"$ne": null}}"#, r#"{"a": [1]}"#);
    assert!(is_narrowed(A, r#"{"a": {"$ne": null}}"#, &[]));
    assert!(!is_narrowed(A, r#"{"a": {"$ne": null}}"#, &[r#"{"a": [1]}"#]));
}

#[test]
fn nan_is_below_no_number() {
    let nan = r#"{"a": {"$numberDouble": "NaN"}}"#;
    let keys = bounds(A, r#"{"a": {"$lt": 5}}"#, &[]).unwrap();
    assert!(!keys[0].field(0).unwrap().contains(&[0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    let equal = bounds(A, nan, &[]).unwrap();
    assert!(equal[0].field(0).unwrap().contains(&[0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    let none = bounds(A, r#"{"a": {"$gt": {"$numberDouble": "NaN"}}}"#, &[]).unwrap();
    assert!(none[0].is_empty());
}

#[test]
fn comparisons_stay_within_the_bracket() {
    for (filter, above) in [
        (r#"{"a": {"$gt": 5}}"#, 0x20),
        (r#"{"a": {"$gte": "a"}}"#, 0x28),
        (r#"{"a": {"$gt": {}}}"#, 0x30),
        (r#"{"a": {"$gt": false}}"#, 0x48),
    ] {
        let bounds = bounds(A, filter, &[]).unwrap();
        let [only] = bounds[0].field(0).unwrap().ranges() else { panic!("{bounds:?}") };
        assert_eq!(only.end, [above], "{filter}");
    }
}

#[test]
fn an_array_is_found_by_its_first_element() {
    finds(A, r#"{"a": [5]}"#, r#"{"a": [5]}"#);
    finds(A, r#"{"a": [5]}"#, r#"{"a": [[5]]}"#);
    finds(A, r#"{"a": []}"#, r#"{"a": []}"#);
    finds(A, r#"{"a": {"$in": [[], [[1], 2]]}}"#, r#"{"a": [[1], 2]}"#);
    assert_eq!(
        bounds(A, r#"{"a": {"$gt": [5]}}"#, &[]).unwrap()[0].why_not_narrowed(),
        Some(&plan::NotUsed::ArrayOperand { path: "a".to_owned(), operator: "$gt" }),
    );
}

#[test]
fn a_number_in_a_path_is_an_index_and_a_name() {
    let index = r#"{"key": {"a.0": 1}}"#;
    finds(index, r#"{"a.0": 5}"#, r#"{"a": [{"0": 5}]}"#);
    finds(index, r#"{"a.0": 5}"#, r#"{"a": [5]}"#);
    finds(index, r#"{"a.0": null}"#, r#"{"a": [1, {}]}"#);
    finds(r#"{"key": {"a.0.b": 1}}"#, r#"{"a.0.b": null}"#, r#"{"a": [[{"b": 1}]]}"#);
}

#[test]
fn a_regular_expression_narrows_by_what_every_match_begins_with() {
    let points =
        |filter: &str| bounds(A, filter, &[]).unwrap()[0].field(0).unwrap().ranges().to_vec();
    let all = points(r#"{"a": {"$type": "string"}}"#);
    for filter in [
        r#"{"a": {"$regex": "^ab|c"}}"#,
        r#"{"a": {"$regex": "^ab", "$options": "m"}}"#,
        r#"{"a": {"$regex": "^a?b*"}}"#,
        r#"{"a": {"$regex": "(?:^)?ab"}}"#,
        r#"{"a": {"$regex": "ab"}}"#,
        r#"{"a": {"$regex": "^"}}"#,
    ] {
        assert_eq!(points(filter), all, "{filter}");
    }
    assert_eq!(points(r#"{"a": {"$regex": "^ab"}}"#).len(), 1);
    assert_eq!(points(r#"{"a": {"$regex": "^(ab|cd)"}}"#).len(), 2);
    assert_eq!(points(r#"{"a": {"$regex": "^ab", "$options": "i"}}"#).len(), 4);
    finds(A, r#"{"a": {"$regex": "^ab", "$options": "i"}}"#, r#"{"a": "Abc"}"#);
    finds(A, r#"{"a": {"$regex": "^ab", "$options": "m"}}"#, r#"{"a": "c\nab"}"#);
    finds(A, r#"{"a": {"$regex": "^ab|c"}}"#, r#"{"a": "xc"}"#);
    finds(A, r#"{"a": {"$regex": "^a\\x00b"}}"#, "{\"a\": \"a\\u0000bc\"}");
}

#[test]
fn a_descending_field_is_bounded_in_its_own_direction() {
    let index = r#"{"key": {"a": -1, "b": 1}}"#;
    finds(index, r#"{"a": {"$gt": 1, "$lt": 9}, "b": {"$ne": 3}}"#, r#"{"a": 5, "b": 2}"#);
    let ranges = bounds(index, r#"{"a": {"$in": [1, 2]}}"#, &[]).unwrap()[0].scan_ranges(64);
    assert!(ranges.len() == 2 && ranges[0].start < ranges[1].start);
}

#[test]
fn a_sparse_index_is_used_if_the_documents_that_it_lacks_do_not_match() {
    let index = r#"{"key": {"a": 1}, "sparse": true}"#;
    for (filter, is_used) in [
        (r#"{"a": 5}"#, true),
        (r#"{"a": {"$exists": true}}"#, true),
        (r#"{"a": {"$ne": null}}"#, true),
        (r#"{"a": {"$ne": 5}}"#, false),
        (r#"{"a": null}"#, false),
        (r#"{"a": {"$exists": false}}"#, false),
        (r#"{"a": {"$in": [1, null]}}"#, false),
        ("{}", false),
    ] {
        let used = bounds(index, filter, &[]);
        assert_eq!(used.is_ok(), is_used, "{filter}");
        assert!(is_used || used == Err(plan::NotUsed::Sparse));
    }
    let two = r#"{"key": {"a": 1, "b": 1}, "sparse": true}"#;
    assert!(bounds(two, r#"{"b": 5}"#, &[]).is_ok());
}

#[test]
fn a_sparse_index_lacks_keys_of_documents_that_it_has() {
    let (index, document) = (r#"{"key": {"a.b": 1}, "sparse": true}"#, r#"{"a": [{"b": 2}, {}]}"#);
    finds(index, r#"{"a.b": {"$eq": 2, "$lte": null}}"#, document);
    finds(index, r#"{"a.b": {"$eq": null, "$exists": true}}"#, document);
    let (spec, mut keys) = (spec(index), IndexKeys::default());
    keys.enumerate(&spec, &json(document)).unwrap();
    assert_eq!(keys.len(), 1);
    // Null is its least key, and is not there.
    let all = &bounds(index, r#"{"a.b": {"$exists": true}}"#, &[document]).unwrap()[0];
    let order = plan::sort_order(&Sort::ascending("a.b"), &spec, keys.multikey(), all);
    assert_eq!(order, Err(plan::NotUsed::SortMultikey { path: "a.b".to_owned() }));
}

#[test]
fn a_partial_index_is_used_if_the_filter_implies_its_own() {
    let index = r#"{"key": {"a": 1}, "partialFilterExpression": {"b": {"$gt": 5}}}"#;
    assert!(bounds(index, r#"{"a": 1, "b": {"$gte": 6}}"#, &[]).is_ok());
    assert_eq!(
        bounds(index, r#"{"a": 1, "b": {"$gt": 4}}"#, &[]),
        Err(plan::NotUsed::Partial { condition: r#"{"b": {"$gt": 5}}"#.to_owned() }),
    );
    let covered = bounds(index, r#"{"a": 1, "b": {"$gt": 5}}"#, &[]).unwrap();
    assert!(covered[0].covers_filter());
    let more = bounds(index, r#"{"a": 1, "b": {"$gt": 6}}"#, &[]).unwrap();
    assert!(!more[0].covers_filter());
}

#[test]
fn conditions_imply_each_other_by_their_values() {
    let implies = |filter: &str, other: &str| {
        plan::implies(&Filter::parse_json(filter).unwrap(), &Filter::parse_json(other).unwrap())
    };
    for (filter, other, expected) in [
        (r#"{"a": 5}"#, r#"{"a": {"$gt": 3}}"#, true),
        (r#"{"a": {"$gt": 3}}"#, r#"{"a": 5}"#, false),
        (r#"{"a": {"$gt": 3}}"#, r#"{"a": {"$gte": 3}}"#, true),
        (r#"{"a": {"$gte": 3}}"#, r#"{"a": {"$gt": 3}}"#, false),
        (r#"{"a": {"$in": [1, 2]}}"#, r#"{"a": {"$in": [1, 2, 3]}}"#, true),
        (r#"{"a": {"$in": [1, 4]}}"#, r#"{"a": {"$in": [1, 2, 3]}}"#, false),
        (r#"{"a": 5}"#, r#"{"a": {"$exists": true}}"#, true),
        (r#"{"a": null}"#, r#"{"a": {"$exists": true}}"#, false),
        (r#"{"a": {"$ne": null}}"#, r#"{"a": {"$exists": true}}"#, true),
        (r#"{"a.b": {"$ne": null}}"#, r#"{"a.b": {"$exists": true}}"#, false),
        (r#"{"a": {"$regex": "^x"}}"#, r#"{"a": {"$type": "string"}}"#, true),
        (r#"{"a": null}"#, r#"{"a": {"$type": "null"}}"#, false),
        (r#"{"a": {"$type": "int"}}"#, r#"{"a": {"$type": "number"}}"#, true),
        (r#"{"a": {"$gt": 1}}"#, r#"{"a": {"$type": "int"}}"#, false),
        (r#"{"a": {"$all": [1, 9]}}"#, r#"{"a": {"$gt": 5}}"#, true),
        (r#"{"a": {"$elemMatch": {"$gt": 5, "$lt": 7}}}"#, r#"{"a": {"$lt": 8}}"#, true),
        (r#"{"a": {"$not": {"$lt": 5}}}"#, r#"{"a": {"$gte": 5}}"#, false),
        (r#"{"a": 1, "b": 2}"#, r#"{"$or": [{"a": 3}, {"b": 2}]}"#, true),
        (r#"{"$or": [{"a": 1}, {"a": 2}]}"#, r#"{"a": {"$gt": 0}}"#, true),
        (r#"{"$or": [{"a": 1}, {"a": -2}]}"#, r#"{"a": {"$gt": 0}}"#, false),
        (r#"{"$or": [{"a": 1}, {"b": 2}]}"#, r#"{"$or": [{"b": {"$lt": 5}}, {"a": 1}]}"#, true),
        (r#"{"b": 1}"#, r#"{"a": {"$exists": true}}"#, false),
        ("{}", "{}", true),
    ] {
        assert_eq!(implies(filter, other), expected, "{filter} and {other}");
    }
}

#[test]
fn keys_that_are_cut_are_taken_by_families() {
    let text = |end: &str| "x".repeat(1_012) + end;
    let index = A;
    // Of each family some keys are cut, with any hashes.
    for number in 10..40 {
        let document = format!(r#"{{"a": "{}"}}"#, text(&format!("mmm{number}mmmmmmmmmmmm")));
        for (operator, other) in [("$gt", "mmm0"), ("$lt", "mmmz"), ("$gte", "mmm0mmmmmmmmmmmm")] {
            let filter = format!(r#"{{"a": {{"{operator}": "{}"}}}}"#, text(other));
            finds(index, &filter, &document);
        }
    }
    let long = format!(r#"{{"a": "{}"}}"#, text("mmmmmmmmmmmmmmmmmm"));
    finds(index, &long, &long);
    // What lies behind the cut counts as within.
    finds(AB, r#"{"b": 5}"#, &format!(r#"{{"a": "{}", "b": 5}}"#, text("mmmmmmmmmmm")));
    // A stored key of a whole key is looked for as such.
    let bounds = bounds(index, &long, &[]).unwrap();
    let [only] = bounds[0].scan_ranges(64).try_into().unwrap();
    assert!(only.contains(&only.start) && only.end == [&only.start[..], &[0]].concat());
}

#[test]
fn an_order_is_that_of_the_index_after_its_points() {
    let order = |sort: &str, filter: &str, documents: &[&str]| {
        let index = r#"{"key": {"a": 1, "b": -1, "c": 1}}"#;
        let spec = spec(index);
        let (mut keys, mut multikey) = (IndexKeys::default(), MultikeyPaths::default());
        for document in documents {
            keys.enumerate(&spec, &json(document)).unwrap();
            multikey.add(keys.multikey());
        }
        let bounds = &bounds(index, filter, documents).unwrap()[0];
        plan::sort_order(&Sort::parse_json(sort).unwrap(), &spec, &multikey, bounds)
    };
    let by = |reverse, prefix, points| Ok(plan::OrderedBy { reverse, prefix, points });
    assert_eq!(order(r#"{"a": 1}"#, "{}", &[]), by(false, 0, 1));
    assert_eq!(order(r#"{"a": -1, "b": 1}"#, "{}", &[]), by(true, 0, 1));
    assert_eq!(order(r#"{"a": 1, "b": 1}"#, "{}", &[]), Err(plan::NotUsed::SortDirections));
    assert_eq!(order(r#"{"b": 1}"#, "{}", &[]), Err(plan::NotUsed::SortFields));
    assert_eq!(order(r#"{"b": 1}"#, r#"{"a": 5}"#, &[]), by(true, 1, 1));
    assert_eq!(order(r#"{"b": 1, "a": 1}"#, r#"{"a": 5}"#, &[]), by(true, 1, 1));
    assert_eq!(order(r#"{"b": 1}"#, r#"{"a": {"$in": [1, 2]}}"#, &[]), by(true, 1, 2));
    assert_eq!(order(r#"{"a": 1, "c": 1}"#, r#"{"b": 5}"#, &[]), by(false, 0, 1));
    assert_eq!(order(r#"{"a": 1}"#, "{}", &[r#"{"a": [1]}"#]), by(false, 0, 1));
    assert_eq!(
        order(r#"{"a": 1}"#, r#"{"a": {"$gt": 1}}"#, &[r#"{"a": [1]}"#]),
        Err(plan::NotUsed::SortMultikey { path: "a".to_owned() }),
    );
}

#[test]
fn branches_are_bounded_together_and_apart() {
    let filter = r#"{"$or": [{"a": 1}, {"a": {"$gt": 5}, "c": 2}]}"#;
    finds(A, filter, r#"{"a": 7, "c": 2}"#);
    assert!(is_narrowed(A, filter, &[]));
    assert!(!is_narrowed(A, r#"{"$or": [{"a": 1}, {"b": 1}]}"#, &[]));
    assert!(is_narrowed(A, r#"{"$nor": [{"a": 1}, {"b": 1, "c": 1}]}"#, &[]));
    let branches = plan::branches(&Filter::parse_json(filter).unwrap());
    assert_eq!(branches[0][1], field("a").gt(5).and(field("c").eq(2)));
}
