//! Values through JSON and back.

use nanodb_document::json::{Layout, WriteOptions};
use nanodb_document::{DocView, Document, Encode, ErrorParts, Timestamp, Value, doc};
use nanodb_msgpack::json::JsonError;
use proptest::prelude::*;

use super::any::document;

fn parse(text: &str) -> Result<Document, String> {
    Document::parse_json(text).map_err(|error| {
        let cause: &JsonError = error.internal().unwrap().downcast_ref().unwrap();
        assert_eq!(error.position(), Some(cause.position()));
        format!("{}: {}", cause.position(), cause.problem())
    })
}

fn print(document: &Document) -> String {
    let mut stored = Vec::new();
    let draft = document.encode(Some(1.into()), &mut stored).unwrap();
    let view = DocView::from_bytes(draft.record(&stored));
    let mut pretty = String::new();
    view.write_json(&WriteOptions::new().layout(Layout::Lines), &mut pretty).unwrap();
    assert_eq!(parse(&pretty), Ok(view.to_document().unwrap()));
    let text = view.to_json().unwrap();
    assert_eq!(view.to_document().unwrap().to_json().unwrap(), text);
    text
}

/// Prints `value` as the field `v`, and reads it back.
fn round(value: impl Into<Value>) -> (String, Value) {
    let text = print(&doc! { "_id": 1, "v": (value.into()) });
    let value = parse(&text).unwrap_or_else(|error| panic!("{error}: {text}")).remove("v").unwrap();
    (text, value)
}

fn assert_round(value: impl Into<Value>, json: &str) {
    let value = value.into();
    assert_eq!(round(value.clone()), (format!("{{\"_id\":1,\"v\":{json}}}"), value));
}

#[test]
fn a_text_is_read_by_parse() {
    let document: Document = r#"{"a": [1, {"$date": "1970-01-01T00:00:05Z"}]}"#.parse().unwrap();
    assert_eq!(document, doc! { "a": [1, Timestamp::new(5, 0)] });
    let value: Value = r#"{"$date": "1970-01-01T00:00:05Z"}"#.parse().unwrap();
    assert_eq!(value, Value::from(Timestamp::new(5, 0)));
    assert!("[1]".parse::<Document>().is_err() && "1 2".parse::<Value>().is_err());
    assert!("1, 2".parse::<Value>().is_err() && "".parse::<Value>().is_err());
    let pretty = "{\n  \"a\": 1\n}";
    assert_eq!(Value::from(doc! { "a": 1 }).to_json_pretty().unwrap(), pretty);
    let bytes = nanodb_document::to_bytes(&doc! { "v": { "a": 1 } }).unwrap();
    let stored = DocView::from_bytes(&bytes).get("v").unwrap();
    assert_eq!(stored.to_json_pretty().unwrap(), pretty);
    assert_eq!(stored.to_json().unwrap(), "{\"a\":1}");
}

#[test]
fn a_text_that_ends_too_early_is_incomplete_and_a_wrong_one_is_not() {
    let text =
        r#"{"a": [1.5, true, null, "\u00e9\n", {"$date": "1970-01-01T00:00:05Z"}], "b": {}}"#;
    for end in 0..text.len() {
        let error = Document::parse_json(&text[..end]).unwrap_err();
        assert!(error.is_incomplete(), "{}: {error}", &text[..end]);
    }
    for wrong in
        ["{} {}", "[1]", "{,", "{\"a\" 1", "{\"a\": tru}", "{\"a\": 1,}", "{\"a\": {\"$dat\": 1"]
    {
        let error = Document::parse_json(wrong).unwrap_err();
        assert!(!error.is_incomplete(), "{wrong}: {error}");
    }
    assert!(!Document::new().get_str("a").unwrap_err().is_incomplete());
}

proptest! {
    #[test]
    fn every_document_survives_json(document in document()) {
        let text = document.to_json().unwrap();
        prop_assert_eq!(parse(&text), Ok(document), "{}", text);
    }
}

#[test]
fn every_type_of_value_survives_json() {
    assert_round((), "null");
    assert_round(true, "true");
    assert_round(5, "5");
    assert_round(5.0, "5.0");
    assert_round(-0.0, "-0.0");
    assert_round(1e300, "1e300");
    assert_round(i64::MIN, "-9223372036854775808");
    assert_round(u64::MAX, "18446744073709551615");
    assert_round("a\"\n\u{1}é\u{1f600}", "\"a\\\"\\n\\u0001é\u{1f600}\"");
    assert_round(Value::Binary(vec![1, 2, 255]), r#"{"$binary":{"base64":"AQL/","subType":"00"}}"#);
    assert_round(Value::Binary(vec![]), r#"{"$binary":{"base64":"","subType":"00"}}"#);
    assert_round(
        Timestamp::new(1_700_000_000, 500_000_000).unwrap(),
        r#"{"$date":"2023-11-14T22:13:20.5Z"}"#,
    );
    assert_round(Value::Ext(5, vec![1]), r#"{"$ext":{"type":5,"base64":"AQ=="}}"#);
    assert_round(Value::Ext(-128, vec![]), r#"{"$ext":{"type":-128,"base64":""}}"#);
    assert_round(f64::NAN, r#"{"$numberDouble":"NaN"}"#);
    assert_round(f64::INFINITY, r#"{"$numberDouble":"Infinity"}"#);
    assert_round(f64::NEG_INFINITY, r#"{"$numberDouble":"-Infinity"}"#);
    assert_round(doc! { "z": 1, "a": [1.5, { "": null }] }, r#"{"z":1,"a":[1.5,{"":null}]}"#);
}

#[test]
fn floats_come_back_to_the_last_bit() {
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let float = f64::from_bits(bits);
        let (text, back) = round(float);
        let back = back.as_f64().unwrap();
        assert!(back.to_bits() == bits || float.is_nan() && back.is_nan(), "{text}");
    }
}

#[test]
fn documents_that_look_like_forms_survive_json() {
    assert_round(doc! { "$date": "soon" }, r#"{"$literal":{"$date":"soon"}}"#);
    assert_round(doc! { "$binary": 5 }, r#"{"$literal":{"$binary":5}}"#);
    assert_round(
        doc! { "$literal": { "$ext": { "$numberDouble": "NaN" } } },
        r#"{"$literal":{"$literal":{"$literal":{"$ext":{"$literal":{"$numberDouble":"NaN"}}}}}}"#,
    );
    assert_round(
        doc! { "$literal": { "$date": "x" }, "b": 1 },
        r#"{"$literal":{"$literal":{"$literal":{"$date":"x"}},"b":1}}"#,
    );
    assert_round(doc! { "$date": "x", "b": 1 }, r#"{"$literal":{"$date":"x","b":1}}"#);
    assert_round(doc! { "$gt": 5 }, r#"{"$literal":{"$gt":5}}"#);
    assert_round(doc! { "b": 1, "$date": "x" }, r#"{"b":1,"$date":"x"}"#);
    assert_round(doc! { "$ref": "c", "$id": 1 }, r#"{"$ref":"c","$id":1}"#);
    assert_round(
        doc! { "$literal": [(f64::NAN), { "$date": 1 }] },
        r#"{"$literal":{"$literal":[{"$numberDouble":"NaN"},{"$literal":{"$date":1}}]}}"#,
    );
}

#[test]
fn a_document_itself_is_never_a_form() {
    assert_eq!(parse(r#"{"$date":"soon"}"#), Ok(doc! { "$date": "soon" }));
    let id = Value::Binary(vec![1, 2, 3]);
    assert_eq!(
        print(&doc! { "_id": (id.clone()) }),
        r#"{"_id":{"$binary":{"base64":"AQID","subType":"00"}}}"#
    );
    assert_eq!(parse(r#"{"_id":{"$binary":"AQID"}}"#), Ok(doc! { "_id": id }));
}

#[test]
fn forms_that_make_no_sense_are_refused_with_their_place() {
    for (value, message) in [
        (r#"{"$date":"soon"}"#, "`$date` must be"),
        (r#"{"$date":5.5}"#, "`$date` must be"),
        (r#"{"$oidd":5}"#, "unknown form `$oidd`"),
        (r#"{"$binary":"%"}"#, "`$binary` must be"),
        (r#"{"$binary":{"base64":"AQ==","subType":"04"}}"#, "`$binary` must be"),
        (r#"{"$ext":{"type":128,"base64":""}}"#, "`$ext` must be"),
        (r#"{"$ext":{"type":-1,"base64":""}}"#, "`$ext` must be"),
        (r#"{"$float":"5"}"#, "`$float` must be"),
        (r#"{"$literal":5}"#, "`$literal` must be"),
        (r#"{"$literal":{},"b":1}"#, "`$literal` must be"),
    ] {
        let error = parse(&format!("{{\"a\":\n[{value}]}}")).unwrap_err();
        assert!(error.starts_with("line 2, column "), "{error}");
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn binary_is_read_from_what_other_tools_write_too() {
    let parsed = parse(r#"{"a":{"$binary":{"base64":"AQ==","subType":"00"}}}"#);
    assert_eq!(parsed, Ok(doc! { "a": (Value::Binary(vec![1])) }));
}

#[test]
fn numbers_that_no_integer_holds_are_floats() {
    let parsed = parse(r#"{"a":18446744073709551616,"b":-9223372036854775809,"c":-0,"d":1E2}"#);
    let expected = doc! {
        "a": 18_446_744_073_709_551_616.0, "b": (-9_223_372_036_854_775_809.0), "c": (-0.0), "d": 100.0,
    };
    assert_eq!(parsed, Ok(expected));
}

#[test]
fn a_field_named_twice_is_an_error() {
    let error = parse("{\"a\":1,\n\"b\":{\"x\":1,\"x\":2}}").unwrap_err();
    assert_eq!(error, "line 2, column 12: the field `x` occurs twice");
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(parse(&deep).unwrap_err().contains("deeper than 100 levels"));
}

#[test]
fn a_value_alone_is_read_as_within_a_document_and_its_errors_have_their_place() {
    for (text, expected) in [
        ("5", Value::Int(5)),
        (" \"a\" ", "a".into()),
        (r#"{"$numberLong": "5"}"#, Value::Int(5)),
        (r#"[1, {"a": null}]"#, nanodb_document::array![1, { "a": null }].into()),
        (r#"{"$literal": {"$date": 1}}"#, doc! { "$date": 1 }.into()),
    ] {
        let value = Value::parse_json(text).unwrap();
        assert_eq!(value, expected, "{text}");
        assert_eq!(Value::parse_json(&value.to_json().unwrap()).unwrap(), expected);
    }
    for (text, column) in [
        ("1, 2", None),
        ("", None),
        ("]", None),
        ("[1", None),
        ("{\"$dat\": 1}", Some(1)),
        ("[1, x]", Some(5)),
    ] {
        let error = Value::parse_json(text).unwrap_err();
        let position = error.position().unwrap();
        assert!(position.offset <= text.len() + 2, "{text}: {position:?}");
        if let Some(column) = column {
            assert_eq!((position.line, position.column), (1, column), "{text}: {error}");
        }
    }
}
