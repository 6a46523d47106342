//! There is one dialect of JSON: a value in a query is read as it is in a document, or refused with
//! the same words.

use nanodb_document::{Document, to_bytes};
use nanodb_query::bytes::UpdateBytes;
use nanodb_query::{Update, UpdateContext};

/// A document of the field `a`, read from its text: its bytes, or what is wrong.
fn as_document(value: &str) -> Result<Vec<u8>, String> {
    let document = Document::parse_json(&format!(r#"{{"a": {value}}}"#));
    document.map(|document| to_bytes(&document).unwrap()).map_err(|error| without_place(&error))
}

/// The same document, made by an update.
fn as_query(value: &str) -> Result<Vec<u8>, String> {
    let update = Update::parse_json(&format!(r#"{{"$set": {{"a": {value}}}}}"#));
    let update = update.map_err(|error| without_place(&error))?;
    let mut out = Vec::new();
    update.apply(b"\x80", &UpdateContext::default(), &mut out).unwrap();
    Ok(out)
}

/// The text of an error up to its place, which differs.
fn without_place(error: &impl ToString) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap().to_owned()
}

#[test]
fn a_value_in_a_query_is_the_one_in_a_document() {
    let values = [
        "null",
        "[true, 5, 5.0, -0.0, 18446744073709551615, 18446744073709551616, 1e3]",
        r#"{"b": {"c": "\u00e9\ud83d\ude00\n"}}"#,
        r#"{"$numberInt": "5"}"#,
        r#"{"$numberLong": "-9223372036854775808"}"#,
        r#"{"$numberDouble": "-Infinity"}"#,
        r#"{"$date": "2023-11-14T22:13:20.5+02:00"}"#,
        r#"{"$date": {"$numberLong": "-1"}}"#,
        r#"{"$binary": "AQID", "$type": "00"}"#,
        r#"{"$binary": {"base64": "AQID", "subType": "00"}}"#,
        r#"{"$binary": {"base64": "EjRWeBI0VngSNFZ4EjRWeA==", "subType": "04"}}"#,
        r#"{"$uuid": "123e4567-e89b-12d3-a456-426614174000"}"#,
        r#"{"$oid": "65a1b2c3d4e5f60718293a4b"}"#,
        r#"{"$ext": {"type": 5, "base64": ""}}"#,
        r#"{"$literal": {"$date": "soon"}}"#,
        r#"{"$literal": {"$literal": {"$literal": {"$date": "soon"}}}}"#,
        r#"{"$symbol": "a"}"#,
        r#"{"$undefined": true}"#,
        r#"{"$ref": "c", "$id": 1}"#,
    ];
    for value in values {
        assert_eq!(as_query(value), as_document(value), "{value}");
        assert!(as_query(value).is_ok(), "{value}");
    }
}

#[test]
fn a_value_is_refused_in_a_query_as_it_is_in_a_document() {
    let values = [
        r#"{"$literal": {}, "b": 1}"#,
        r#"{"$literal": 5}"#,
        r#"{"$literal": {"$literal": {"$date": "soon"}}}"#,
        r#"{"$date": "soon"}"#,
        r#"{"$date": "2023-11-14T22:13:20Z", "b": 1}"#,
        r#"{"$oid": "65"}"#,
        r#"{"$numberInt": "5.5"}"#,
        r#"{"$numberDecimal": "1.5"}"#,
        r#"{"$minKey": 1}"#,
        r#"{"b": 1, "b": 2}"#,
        r#"{"$date": "2023-11-14T22:13:20Z", "$date": "2023-11-14T22:13:20Z"}"#,
        r#""\ud83d""#,
        "NaN",
        "1e999",
        "[1,]",
        "tru",
    ];
    for value in values {
        let error = as_query(value).expect_err(value);
        assert_eq!(Err(error), as_document(value), "{value}");
    }
}
