//! What is wrong with a query is named, and where.

use nanodb_query::bytes::FilterBytes;
use nanodb_query::{Filter, Problem, Projection, Sort, TypeBracket};

use super::HasProblem as _;

#[test]
fn errors_name_operator_and_path_and_point_at_the_place() {
    let cases = [
        (r#"{"a": {"$foo": 1}}"#, "unknown operator `$foo` on `a` at line 1, column 8"),
        ("{\"a\": 1,\n \"$foo\": 1}", "unknown operator `$foo` at line 2, column 2"),
        (
            r#"{"a": {"$in": 5}}"#,
            "`$in` on `a` takes an array of values or regular expressions, not a number at line 1, column 15",
        ),
        (
            r#"{"$or": []}"#,
            "`$or` takes an array of filters that is not empty, not an array at line 1, column 9",
        ),
        (
            r#"{"$or": [{"a": 1}, 2]}"#,
            "`$or` takes an array of filters that is not empty, not a number at line 1, column 20",
        ),
        (
            r#"{"a": {"$gt": 1, "b": 2}}"#,
            "`b` can't stand beside operators on `a` at line 1, column 18",
        ),
        (
            r#"{"a": {"$mod": [0, 1]}}"#,
            "`$mod` on `a` takes an array of a divisor, not 0, and a remainder, not an array at line 1, column 16",
        ),
        (
            r#"{"a": {"$size": -1}}"#,
            "`$size` on `a` takes a whole number from 0, not a number at line 1, column 17",
        ),
        (
            r#"{"a": {"$regex": "("}}"#,
            "the regular expression `(` on `a` is refused: the group that begins at byte 0 is not closed at line 1, column 18",
        ),
        (r#"{"a": {"$options": "i"}}"#, "unknown operator `$options` on `a` at line 1, column 8"),
        (
            r#"{"a": {"$type": "what"}}"#,
            "`$type` on `a` takes the name or number of a type, or an array of such, not a string at line 1, column 17",
        ),
        (
            r#"{"a": {"$eq": {"$date": "soon"}}}"#,
            "`$date` must be a string like 2023-11-14T22:13:20.5Z, or milliseconds since 1970 at line 1, column 15",
        ),
        (r#"{"a": 1, "a": 2}"#, "the field `a` occurs twice at line 1, column 10"),
        (r#"[]"#, "a filter must be a document, not an array at line 1, column 1"),
        ("{\"a\":\n  1,}", "trailing comma at line 2, column 5"),
        (r#"{"$where": "true"}"#, "`$where` is not supported at line 1, column 2"),
        (r#"{"a": {"$expr": 1}}"#, "`$expr` is not supported on `a` at line 1, column 8"),
    ];
    for (text, message) in cases {
        assert_eq!(Filter::parse_json(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn places_are_right_within_arrays_and_after_escapes() {
    let text = "{\"\\u00fc\\n\": {\"$all\": [ 1,\n\t{\"$eq\": 1} ] } }";
    let error = Filter::parse_json(text).unwrap_err();
    let position = error.position().unwrap();
    assert_eq!((position.line, position.column), (2, 2));
    assert_eq!(text.as_bytes()[position.offset], b'{');
    assert!(matches!(
        error.problem(),
        Problem::Operand { operator, path, found: TypeBracket::Document, .. }
            if operator == "$all" && path == "\u{fc}\n"
    ));
}

#[test]
fn sorts_and_projections_say_what_is_wrong_with_them() {
    let sort = |text| Sort::parse_json(text).unwrap_err().to_string();
    assert_eq!(sort(r#"{"a": 2}"#), "`a` must be sorted by 1 or -1 at line 1, column 7");
    let projection = |text| Projection::parse_json(text).unwrap_err().to_string();
    assert_eq!(
        projection(r#"{"a": 1, "b": 0}"#),
        "the projection of `b` can't stand beside the others: fields are either included or \
         excluded at line 1, column 10"
    );
    assert_eq!(
        projection(r#"{"a": 1, "a.b": 1}"#),
        "the paths `a` and `a.b` collide at line 1, column 10"
    );
    assert_eq!(
        projection(r#"{"a.$": 0}"#),
        "`a.$` takes 1, and `$` only at its end, not a number at line 1, column 9"
    );
}

#[test]
fn a_name_that_comes_twice_is_refused_in_messagepack_too() {
    // {"a": {"b": 1, "b": 2}}
    for (bytes, name) in
        [(&b"\x81\xa1a\x82\xa1b\x01\xa1b\x02"[..], "b"), (b"\x82\xa1a\x01\xa1a\x02", "a")]
    {
        let error = Filter::parse(bytes).unwrap_err();
        assert!(
            matches!(error.problem(), Problem::DuplicateField { name: found } if found == name)
        );
    }
}
