//! Projections beyond those of the corpus.

use nanodb_query::{Filter, Projection};

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
