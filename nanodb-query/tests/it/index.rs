//! Indexes as programs and documents describe them.

use nanodb_document::{Document, doc};
use nanodb_query::{
    INDEX_EXPIRE_AFTER_MAX, Index, IndexProblem, IndexSpec, Problem, QueryError, field,
};

use crate::HasProblem as _;

fn problem(text: &str) -> IndexProblem {
    match Index::parse_json(text).unwrap_err().problem() {
        Problem::Index(problem) => problem.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mongodbs_own_document_describes_what_a_builder_does() {
    for (text, built, name) in [
        (
            r#"{"key": {"city": 1, "age": -1.0}}"#,
            Index::ascending("city").then_descending("age"),
            "city_1_age_-1",
        ),
        (
            r#"{"v": 2, "key": {"a": 1}, "name": "n", "unique": true}"#,
            Index::ascending("a").unique().name("n"),
            "n",
        ),
        (
            r#"{"key": {"a.b": 1}, "sparse": true, "background": true}"#,
            Index::ascending("a.b").sparse(),
            "a.b_1",
        ),
        (
            r#"{"key": {"due": 1}, "partialFilterExpression": {"open": true, "n": {"$gt": 5}}}"#,
            Index::ascending("due").partial(field("open").eq(true).and(field("n").gt(5))),
            "due_1",
        ),
        (
            r#"{"key": {"seen": 1}, "expireAfterSeconds": 0}"#,
            Index::ascending("seen").expire_after(0),
            "seen_1",
        ),
    ] {
        let index = Index::parse_json(text).unwrap();
        assert_eq!(index, built, "{text}");
        let spec = index.spec().unwrap();
        assert_eq!(spec.name(), name);
        assert_eq!(Index::parse_json(&spec.to_string()).unwrap(), built, "{spec}");
        assert_eq!(IndexSpec::decode(&spec.encode()).unwrap(), spec);
        assert_eq!(Index::from(spec), built);
    }
}

#[test]
fn documents_and_names_are_indexes_too() {
    assert_eq!(Index::from("age"), Index::ascending("age"));
    let document: Document = doc! { "key": { "age": -1 }, "unique": true };
    assert_eq!(Index::from(&document), Index::descending("age").unique());
    let refused = Index::from(doc! { "key": { "age": "text" } });
    assert_eq!(refused.spec().unwrap_err().to_string(), "`text` is not supported in an index");
    assert!(Index::parse_json(&refused.to_string()).is_err());
}

#[test]
fn what_is_refused_is_named() {
    let not_supported = |what: &str| IndexProblem::NotSupported { what: what.to_owned() };
    for (text, expected) in [
        (r#"{"key": {"a": "text"}}"#, not_supported("`text`")),
        (r#"{"key": {"a": "2dsphere"}}"#, not_supported("`2dsphere`")),
        (r#"{"key": {"a": "hashed"}}"#, not_supported("`hashed`")),
        (r#"{"key": {"$**": 1}}"#, not_supported("a wildcard")),
        (r#"{"key": {"a.$**": 1}}"#, not_supported("a wildcard")),
        (r#"{"key": {"a": 1}, "collation": {"locale": "de"}}"#, not_supported("`collation`")),
        (
            r#"{"key": {"a": 1}, "uniq": true}"#,
            IndexProblem::UnknownOption { name: "uniq".to_owned() },
        ),
        (r#"{"key": {}}"#, IndexProblem::NoFields),
        (r#"{}"#, IndexProblem::NoFields),
        (r#"{"key": {"a..b": 1}}"#, IndexProblem::Path { path: "a..b".to_owned() }),
        (r#"{"key": {"a.$b": 1}}"#, IndexProblem::Path { path: "a.$b".to_owned() }),
        (
            r#"{"key": {"a": 1}, "sparse": true, "partialFilterExpression": {}}"#,
            IndexProblem::SparseAndPartial,
        ),
        (r#"{"key": {"a": 1, "b": 1}, "expireAfterSeconds": 5}"#, IndexProblem::ExpiresByFields),
        (
            r#"{"key": {"a": 1}, "expireAfterSeconds": 2147483648}"#,
            IndexProblem::ExpireAfter { seconds_max: INDEX_EXPIRE_AFTER_MAX },
        ),
        (
            r#"{"key": {"a": 1}, "name": ""}"#,
            IndexProblem::Name { name: String::new(), bytes_max: 255 },
        ),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
    for text in [
        r#"{"key": {"a": 2}}"#,
        r#"{"key": {"a": true}}"#,
        r#"{"key": [1]}"#,
        r#"{"key": {"a": 1}, "unique": 1}"#,
        r#"{"key": {"a": 1}, "expireAfterSeconds": -1}"#,
        r#"{"key": {"a": 1}, "expireAfterSeconds": 1.5}"#,
        r#"{"key": {"a": 1}, "name": 5}"#,
        r#"{"key": {"a": 1}, "partialFilterExpression": {"a": {"$gtt": 5}}}"#,
        r#"[1]"#,
    ] {
        assert!(Index::parse_json(text).is_err(), "{text}");
    }
    let twice = Index::ascending("a").then_descending("a").spec().unwrap_err();
    assert_eq!(twice.to_string(), "the index names the field `a` twice");
}

#[test]
fn a_partial_filter_has_operators_that_can_be_implied() {
    for (filter, operator) in [
        (r#"{"a": {"$regex": "^a"}}"#, "$regex"),
        (r#"{"a": {"$in": [{"$regularExpression": {"pattern": "a", "options": ""}}]}}"#, "$regex"),
        (r#"{"a": {"$not": {"$gt": 5}}}"#, "$not"),
        (r#"{"a": {"$ne": 5}}"#, "$ne"),
        (r#"{"a": {"$nin": [5]}}"#, "$nin"),
        (r#"{"a": {"$exists": false}}"#, "$exists: false"),
        (r#"{"a": {"$size": 5}}"#, "$size"),
        (r#"{"a": {"$mod": [5, 0]}}"#, "$mod"),
        (r#"{"a": {"$bitsAnySet": 5}}"#, "$bitsAnySet"),
        (r#"{"a": {"$all": [5]}}"#, "$all"),
        (r#"{"a": {"$elemMatch": {"$gt": 5}}}"#, "$elemMatch"),
        (r#"{"$nor": [{"a": 5}]}"#, "$nor"),
        (r#"{"$or": [{"a": 5}, {"a": {"$ne": 5}}]}"#, "$ne"),
    ] {
        let text = format!(r#"{{"key": {{"a": 1}}, "partialFilterExpression": {filter}}}"#);
        match problem(&text) {
            IndexProblem::PartialOperator { operator: found, .. } => assert_eq!(found, operator),
            other => panic!("{filter}: {other:?}"),
        }
    }
    for filter in [
        r#"{"a": {"$eq": 5}, "b": {"$gt": 1, "$lte": {"x": [1]}}, "c": {"$exists": true}}"#,
        r#"{"$or": [{"a": {"$in": [1, "x", null]}}, {"$and": [{"b": 1}, {"a": {"$type": ["int", "null"]}}]}]}"#,
        r#"{"a": {"$date": "2024-01-01T00:00:00Z"}, "b": {"$eq": {"$literal": {"$x": 1}}}}"#,
    ] {
        let text = format!(r#"{{"key": {{"a": 1}}, "partialFilterExpression": {filter}}}"#);
        let spec = Index::parse_json(&text).unwrap().spec().unwrap();
        assert_eq!(IndexSpec::decode(&spec.encode()).unwrap(), spec, "{filter}");
    }
    let error = Index::ascending("a").partial(doc! { "a": { "$gtt": 5 } }).spec().unwrap_err();
    assert_eq!(error.to_string(), "unknown operator `$gtt` on `a`");
}

#[test]
fn an_index_has_32_fields_and_a_name_of_255_bytes_at_most() {
    let of = |count: usize| {
        let paths: Vec<String> = (0..count).map(|at| format!("f{at}")).collect();
        paths.iter().fold(Index::default().name("n"), |index, path| index.then_ascending(path))
    };
    assert_eq!(of(32).spec().unwrap().fields().len(), 32);
    assert_eq!(of(33).spec().unwrap_err().to_string(), "an index has at most 32 fields");
    let named = |len: usize| Index::ascending("a").name(&"n".repeat(len)).spec();
    assert!(named(255).is_ok() && named(256).is_err());
    // The name that is made of the paths may be too long; then one must be given.
    let long = Index::ascending(&"p".repeat(254));
    assert!(long.spec().is_err() && long.name("p").spec().is_ok());
}

#[test]
fn errors_say_where_in_the_text() {
    let text = "{\"key\": {\"a\": 1},\n  \"collation\": {}}";
    let error = Index::parse_json(text).unwrap_err();
    assert_eq!(error.to_string(), "`collation` is not supported in an index at line 2, column 3");
    let _: QueryError = IndexSpec::parse(&[0x80]).unwrap_err();
}
