//! Projections beyond those of the corpus.

use nanodb_query::bytes::{FilterBytes, ProjectionBytes};
use nanodb_query::{ApplyError, Filter, Problem, Projection};

/// Applies a projection to a document, both as JSON; the result as a filter prints it.
fn project(projection: &str, document: &str) -> String {
    let projection = Projection::parse_json(projection).unwrap();
    assert_eq!(projection.to_string().parse::<Projection>().unwrap(), projection);
    let mut out = Vec::new();
    projection.apply(&msgpack(document), &mut out).unwrap();
    show(&out)
}

fn msgpack(json: &str) -> Vec<u8> {
    let value: crate::json::Json = serde_json::from_str(json).unwrap();
    value.to_msgpack()
}

fn show(bytes: &[u8]) -> String {
    Filter::parse(bytes).unwrap().to_string()
}

#[test]
fn slices_take_parts_of_arrays() {
    let document = r#"{"_id": 1, "a": [1, 2, 3, 4], "b": 5}"#;
    for (slice, expected) in [
        ("2", "[1, 2]"),
        ("-3", "[2, 3, 4]"),
        ("0", "[]"),
        ("9", "[1, 2, 3, 4]"),
        ("[1, 2]", "[2, 3]"),
        ("[-3, 2]", "[2, 3]"),
        ("[-9, 1]", "[1]"),
        ("[9, 1]", "[]"),
    ] {
        assert_eq!(
            project(&format!(r#"{{"a": {{"$slice": {slice}}}}}"#), document),
            format!(r#"{{"_id": 1, "a": {expected}, "b": 5}}"#),
        );
    }
    assert_eq!(project(r#"{"b": {"$slice": 1}, "a": 0}"#, document), r#"{"_id": 1, "b": 5}"#);
    assert_eq!(project(r#"{"a": {"$slice": 1}, "_id": 1}"#, document), r#"{"_id": 1, "a": [1]}"#);
    assert_eq!(
        project(r#"{"o.a": {"$slice": 1}, "x": 1}"#, r#"{"o": {"a": [1, 2], "b": 1}, "x": 2}"#),
        r#"{"o": {"a": [1]}, "x": 2}"#
    );
}

#[test]
fn elem_match_takes_the_first_element_that_passes() {
    let document =
        r#"{"_id": 1, "a": [{"q": 1}, {"q": 7, "r": 1}, {"q": 9}], "b": [1, 5, 7], "c": 1}"#;
    assert_eq!(
        project(r#"{"a": {"$elemMatch": {"q": {"$gt": 5}}}}"#, document),
        r#"{"_id": 1, "a": [{"q": 7, "r": 1}]}"#
    );
    assert_eq!(
        project(r#"{"b": {"$elemMatch": {"$gt": 3, "$lt": 7}}, "c": 1, "_id": 0}"#, document),
        r#"{"b": [5], "c": 1}"#
    );
    assert_eq!(project(r#"{"c": {"$elemMatch": {"q": 1}}}"#, document), r#"{"_id": 1}"#);
}

#[test]
fn nested_objects_are_dotted_paths() {
    let document =
        r#"{"_id": 1, "a": {"b": 1, "c": {"d": 2, "e": 3}}, "x": [[{"b": 1, "c": 2}, 5]]}"#;
    assert_eq!(
        project(r#"{"a": {"c": {"d": 1}}}"#, document),
        r#"{"_id": 1, "a": {"c": {"d": 2}}}"#
    );
    assert_eq!(project(r#"{"x.b": 1, "_id": 0}"#, document), r#"{"x": [[{"b": 1}]]}"#);
    assert_eq!(project(r#"{"a": 0, "_id": 0, "x.b": 0}"#, document), r#"{"x": [[{"c": 2}, 5]]}"#);
    assert_eq!(project("{}", r#"{"a": 1}"#), r#"{"a": 1}"#);
    assert_eq!(project(r#"{"_id": 1}"#, document), r#"{"_id": 1}"#);
}

#[test]
fn what_takes_elements_stands_beside_fields_that_are_included_or_excluded() {
    let document = r#"{"_id": 1, "a": [1, 2, 3], "b": [5, 6], "c": 4}"#;
    for (projection, expected) in [
        (r#"{"a": {"$elemMatch": {"$gt": 1}}, "b": 0}"#, r#"{"_id": 1, "a": [2], "c": 4}"#),
        (r#"{"b": 0, "a": {"$elemMatch": {"$gt": 1}}}"#, r#"{"_id": 1, "a": [2], "c": 4}"#),
        (r#"{"a": {"$elemMatch": {"$gt": 9}}, "b": 0}"#, r#"{"_id": 1, "c": 4}"#),
        (r#"{"a": {"$elemMatch": {"$gt": 1}}, "c": 1}"#, r#"{"_id": 1, "a": [2], "c": 4}"#),
        (r#"{"a": {"$elemMatch": {"$gt": 1}}, "_id": 0}"#, r#"{"a": [2]}"#),
        (r#"{"a": {"$elemMatch": {"$gt": 1}}, "_id": 1}"#, r#"{"_id": 1, "a": [2]}"#),
        (r#"{"a": {"$slice": 1}, "c": 1}"#, r#"{"_id": 1, "a": [1], "c": 4}"#),
        (r#"{"a": {"$slice": 1}, "c": 0}"#, r#"{"_id": 1, "a": [1], "b": [5, 6]}"#),
        (r#"{"a": {"$slice": 1}, "_id": 0}"#, r#"{"a": [1], "b": [5, 6], "c": 4}"#),
        (r#"{"a": {"$slice": 1}, "_id": 1}"#, r#"{"_id": 1, "a": [1]}"#),
        // Beside a `$slice`, an `$elemMatch` does not include.
        (
            r#"{"a": {"$slice": 1}, "b": {"$elemMatch": {"$gt": 5}}}"#,
            r#"{"_id": 1, "a": [1], "b": [6], "c": 4}"#,
        ),
        (
            r#"{"a": {"$slice": 1}, "b": {"$elemMatch": {"$gt": 5}}, "_id": 0}"#,
            r#"{"a": [1], "b": [6], "c": 4}"#,
        ),
        (
            r#"{"a": {"$slice": 1}, "b": {"$elemMatch": {"$gt": 5}}, "_id": 1}"#,
            r#"{"_id": 1, "a": [1], "b": [6]}"#,
        ),
        (
            r#"{"a": {"$slice": 1}, "b": {"$elemMatch": {"$gt": 5}}, "c": 1, "_id": 0}"#,
            r#"{"a": [1], "b": [6], "c": 4}"#,
        ),
    ] {
        assert_eq!(project(projection, document), expected, "{projection}");
    }
}

/// What is left of a document that passes a filter, or why nothing is.
fn project_matched(projection: &str, filter: &str, document: &str) -> Result<String, ApplyError> {
    let projection = Projection::parse_json(projection).unwrap();
    assert_eq!(projection.to_string().parse::<Projection>().unwrap(), projection);
    assert!(projection.needs_match());
    let filter = Filter::parse_json(filter).unwrap();
    let document = msgpack(document);
    assert!(filter.matches(&document).unwrap());
    let matched = filter.matched_element(&document).unwrap();
    let mut out = Vec::new();
    projection.apply_matched(&document, matched, &mut out)?;
    Ok(show(&out))
}

#[test]
fn a_dollar_includes_the_element_by_which_the_document_passed() {
    let document =
        r#"{"_id": 1, "a": [{"q": 1, "r": 2}, {"q": 7, "r": 3}], "b": {"c": [4, 5, 6]}, "d": 9}"#;
    for (projection, filter, expected) in [
        (r#"{"a.$": 1}"#, r#"{"a.q": 7}"#, r#"{"_id": 1, "a": [{"q": 7, "r": 3}]}"#),
        (r#"{"a.$": true, "_id": 0}"#, r#"{"a.q": {"$gt": 0}}"#, r#"{"a": [{"q": 1, "r": 2}]}"#),
        (
            r#"{"d": 1, "a.$": 1}"#,
            r#"{"a": {"$elemMatch": {"q": 7, "r": 3}}}"#,
            r#"{"_id": 1, "a": [{"q": 7, "r": 3}], "d": 9}"#,
        ),
        (r#"{"b.c.$": 1}"#, r#"{"b.c": {"$gt": 4}}"#, r#"{"_id": 1, "b": {"c": [5]}}"#),
        (r#"{"a.q.$": 1}"#, r#"{"a.q": 7}"#, r#"{"_id": 1, "a": [{"q": 7}]}"#),
        (r#"{"a.q.$": 1, "a.r": 1}"#, r#"{"a.q": 7}"#, r#"{"_id": 1, "a": [{"q": 7, "r": 3}]}"#),
        // What is no array is taken as it is.
        (r#"{"d.$": 1}"#, r#"{"a.q": 7}"#, r#"{"_id": 1, "d": 9}"#),
        (r#"{"x.$": 1}"#, r#"{"d": 9}"#, r#"{"_id": 1}"#),
    ] {
        assert_eq!(
            project_matched(projection, filter, document).unwrap(),
            expected,
            "{projection}"
        );
    }
    for filter in [r#"{"d": 9}"#, "{}", r#"{"b.c": 6}"#] {
        let error = project_matched(r#"{"a.$": 1}"#, filter, document).unwrap_err();
        let is_it = |error: &ApplyError| match error {
            ApplyError::Query(error) => {
                matches!(error.problem(), Problem::NoMatch { path } if path == "a.$")
            }
            _ => false,
        };
        assert!(is_it(&error), "{error}");
    }
    for refused in [
        r#"{"a.$": 0}"#,
        r#"{"a.$": {"$slice": 1}}"#,
        r#"{"a.$.b": 1}"#,
        r#"{"$": 1}"#,
        r#"{"a.$.$": 1}"#,
        r#"{"a.$": 1, "b.$": 1}"#,
        r#"{"a.$": 1, "b": 0}"#,
        r#"{"b": 0, "a.$": 1}"#,
        r#"{"a.$": 1, "b": {"$elemMatch": {"q": 1}}}"#,
        r#"{"b": {"$elemMatch": {"q": 1}}, "a.$": 1}"#,
        r#"{"a.$": 1, "a": 1}"#,
    ] {
        assert!(Projection::parse_json(refused).is_err(), "{refused}");
    }
}
