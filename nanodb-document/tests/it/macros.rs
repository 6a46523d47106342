//! `doc!`, `array!` and what a document does in memory.

use nanodb_document::{Document, Id, Timestamp, Value, array, doc};

#[test]
fn doc_takes_literals_expressions_and_nesting() {
    fn three() -> i32 {
        3
    }
    let list = vec!["x", "y"];
    let key = "computed";
    let document = doc! {
        "int": 1,
        "negative": -1,
        "sum": 1 + 2 * three(),
        "call": list.len(),
        "block": if list.is_empty() { "empty" } else { "full" },
        "null": null,
        "none": None::<i32>,
        "some": Some("thing"),
        "nested": { "a": { "b": [] }, },
        "array": [1, "two", null, [-3.5], { "x": [null,], }, three()],
        "vec": list.clone(),
        "bytes": Value::Binary(vec![1]),
        "id": Id::from("abc"),
        "time": Timestamp::default(),
        (key): true,
        (format!("{key} too")): 'c',
    };
    assert_eq!(document.len(), 16);
    assert_eq!(document["sum"], 7);
    assert_eq!(document["call"], 2_usize);
    assert_eq!(document["block"], "full");
    assert_eq!(document["none"], Value::Null);
    assert_eq!(document["some"], "thing");
    assert_eq!(document.get_path("nested.a.b"), Some(&Value::Array(vec![])));
    assert_eq!(document["array"][1], "two");
    assert_eq!(document["array"][3][0], -3.5);
    assert_eq!(document["array"][4]["x"], Value::from(array![null]));
    assert_eq!(document["computed too"], "c");
    assert_eq!(document["missing"]["deeper"][3], Value::Null);
    let names: Vec<&str> = document.keys().take(3).collect();
    assert_eq!(names, ["int", "negative", "sum"]);
}

#[test]
fn long_documents_do_not_exhaust_the_macro() {
    let document = doc! {
        "a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10,
        "k": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
        "l": 1, "m": 2, "n": 3, "o": 4, "p": 5, "q": 6, "r": 7, "s": 8, "t": 9, "u": 10,
    };
    assert_eq!(document.len(), 21);
}

#[test]
fn fields_keep_their_place_when_replaced() {
    let mut document = doc! { "a": 1, "b": 2, "c": 3 };
    assert_eq!(document.insert("b", "two"), Some(2.into()));
    assert_eq!(document.insert("d", 4), None);
    assert_eq!(document, doc! { "a": 1, "b": "two", "c": 3, "d": 4 });
    assert_eq!(document.remove("a"), Some(1.into()));
    assert_eq!(document.remove("a"), None);
    document.extend([("c", 30), ("e", 5)]);
    assert_eq!(document, doc! { "b": "two", "c": 30, "d": 4, "e": 5 });
    if let Some(value) = document.get_mut("e") {
        *value = Value::Null;
    }
    document.retain(|_, value| !value.is_null());
    assert_eq!(document.keys().collect::<Vec<_>>(), ["b", "c", "d"]);
    let doubled: Document = document.into_iter().rev().collect();
    assert_eq!(doubled.keys().collect::<Vec<_>>(), ["d", "c", "b"]);
}

#[test]
fn equality_sees_order_and_tells_integers_from_floats() {
    assert_ne!(doc! { "a": 1, "b": 2 }, doc! { "b": 2, "a": 1 });
    assert_ne!(Value::from(5), Value::from(5.0));
    assert_eq!(Value::Int(5), Value::UInt(5));
    assert_eq!(Value::Float(f64::NAN), Value::Float(-f64::NAN));
    assert_eq!(Value::Float(0.0), Value::Float(-0.0));
    assert_ne!(Value::Int(-1), Value::UInt(u64::MAX));
}

#[test]
fn debug_and_display_are_readable() {
    let document = doc! { "a": ["x\n\"", 1, 1.0], "b": { "c": null } };
    assert_eq!(document.to_string(), r#"{"a": ["x\n\"", 1, 1.0], "b": {"c": null}}"#);
    assert_eq!(format!("{document:?}"), document.to_string());
    let pretty = "{\n    \"a\": [\n        \"x\\n\\\"\",\n        1,\n        1.0,\n    ],\n    \
                  \"b\": {\n        \"c\": null,\n    },\n}";
    assert_eq!(format!("{document:#?}"), pretty);
}
