//! Paths on stored bytes against paths on values.

use nanodb_document::{DocView, Document, Value, doc};
use proptest::prelude::*;

use super::any::{self, cases, id_first};
use super::encode;

/// The plain reading of a path: one step after the other on owned values.
fn walk(document: &Document, path: &str) -> Option<Value> {
    let mut value = Value::Document(document.clone());
    for step in path.split('.') {
        value = match value {
            Value::Document(document) => {
                document.into_iter().find(|(name, _)| name == step).map(|(_, value)| value)?
            }
            Value::Array(elements) => {
                let index: usize = step.parse().ok()?;
                (index.to_string() == step).then(|| elements.get(index).cloned())??
            }
            _ => return None,
        };
    }
    Some(value)
}

/// Every path that leads somewhere, names with dots in them left out.
fn all_paths(value: &Value, prefix: &str, paths: &mut Vec<String>) {
    let mut step = |name: &str, value: &Value| {
        let path = format!("{prefix}{name}");
        paths.push(path.clone());
        all_paths(value, &format!("{path}."), paths);
    };
    match value {
        Value::Document(document) => {
            for (name, value) in document.iter().filter(|(name, _)| !name.contains('.')) {
                step(name, value);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                step(&index.to_string(), element);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn every_path_into_a_document_leads_to_its_value(document in any::document()) {
        let record = encode(&document).unwrap();
        let view = DocView::from_bytes(&record);
        let mut paths = Vec::new();
        all_paths(&Value::Document(document.clone()), "", &mut paths);
        for path in paths {
            let expected = walk(&document, &path);
            prop_assert!(expected.is_some(), "{}", path);
            let found = view.get_path(&path).map(|value| value.to_value().unwrap());
            prop_assert_eq!(&found, &expected, "{}", path);
            prop_assert_eq!(document.get_path(&path), expected.as_ref(), "{}", path);
        }
    }

    #[test]
    fn random_paths_are_read_alike(
        document in any::document(),
        steps in prop::collection::vec(any::name(), 1..5),
    ) {
        let record = encode(&document).unwrap();
        let path = steps.join(".");
        let expected = walk(&id_first(&document), &path);
        let found = DocView::from_bytes(&record).get_path(&path);
        prop_assert_eq!(found.map(|value| value.to_value().unwrap()), expected.clone());
        prop_assert_eq!(document.get_path(&path), expected.as_ref());
    }
}

#[test]
fn a_name_with_a_dot_is_found_as_a_field_and_not_by_a_path() {
    let record = encode(&doc! { "a.b": 1, "a": { "c": 2 } }).unwrap();
    let view = DocView::from_bytes(&record);
    assert_eq!(view.get_path("a.b"), None);
    assert_eq!(view.get("a.b").unwrap(), 1);
    assert_eq!(view.get_path("a.c").unwrap(), 2);
}

#[test]
fn an_index_is_digits_without_a_leading_zero() {
    let record = encode(&doc! { "a": [10, 20], "m": { "01": 7 } }).unwrap();
    let view = DocView::from_bytes(&record);
    assert_eq!(view.get_path("a.1").unwrap(), 20);
    for path in ["a.01", "a.+1", "a.-1", "a.2", "a.", "a.18446744073709551616", "a.1.0"] {
        assert_eq!(view.get_path(path), None, "{path}");
    }
    assert_eq!(view.get_path("m.01").unwrap(), 7);
}

#[test]
fn the_empty_name_is_a_name() {
    let record = encode(&doc! { "": { "": 5 } }).unwrap();
    let view = DocView::from_bytes(&record);
    assert_eq!(view.get_path(".").unwrap(), 5);
    assert!(view.get_path("").unwrap().as_document().is_some());
}
