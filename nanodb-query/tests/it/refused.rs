//! What is refused, by text and by programs alike: no query falls back on null, on everything, or
//! on fewer operands.

use nanodb_document::{Value, doc};
use nanodb_query::bytes::{FilterBytes, ProjectionBytes, SortBytes, UpdateBytes};
use nanodb_query::{
    ApplyError, DEPTH_MAX, FieldName, Filter, Problem, Projection, QUERY_NODES_MAX,
    QUERY_REGEXES_MAX, Sort, Update, UpdateContext, UpdateError, field,
};

use super::HasProblem as _;

const EMPTY: &[u8] = b"\x80";

/// The problem of a filter, which every use of it must say.
fn problem(filter: &Filter) -> Problem {
    let problem = filter.check().unwrap_err().problem().clone();
    let is_it = |error: ApplyError| matches!(error, ApplyError::Query(error) if *error.problem() == problem);
    assert!(is_it(filter.matches(EMPTY).unwrap_err()));
    assert!(is_it(filter.matched_element(EMPTY).unwrap_err()));
    assert!(!filter.is_all());
    assert!(filter.wanted_ids().is_none());
    let update = Update::parse_json(r#"{"$set": {"a": 1}}"#).unwrap();
    let mut out = Vec::new();
    let upserted = update.upsert(filter, &UpdateContext::default(), &mut out).unwrap_err();
    assert!(matches!(upserted, UpdateError::Filter(error) if *error.problem() == problem));
    assert!(out.is_empty());
    assert!(Update::upserted_id(filter).is_err());
    // Nor is what it prints taken for another filter.
    assert!(Filter::parse_json(&filter.to_string()).is_err());
    problem
}

/// A value that no document can hold.
fn unsayable() -> Value {
    Value::Ext(-1, b"no time".to_vec())
}

#[test]
fn a_value_that_can_not_be_encoded_makes_every_condition_an_error() {
    let a = || field("a");
    let conditions: [fn(FieldName) -> Filter; 9] = [
        |a| a.eq(unsayable()),
        |a| a.ne(unsayable()),
        |a| a.gt(unsayable()),
        |a| a.gte(unsayable()),
        |a| a.lt(unsayable()),
        |a| a.lte(unsayable()),
        |a| a.is_in([Value::from(1), unsayable()]),
        |a| a.not_in([unsayable(), Value::from(1)]),
        |a| a.all([Value::from(1), unsayable()]),
    ];
    let good = || field("b").eq(1);
    for condition in conditions {
        let bad = || condition(a());
        let combined = [
            bad(),
            bad().and(good()),
            good().and(bad()),
            bad().or(good()),
            good().or(good()).or(bad()),
            !bad(),
            field("c").elem_match(bad()),
            field("c").elem_match(!good().and(bad())),
        ];
        for filter in combined {
            assert!(matches!(problem(&filter), Problem::Value { .. }), "{filter}");
        }
    }
    let nested = field("a").eq(vec![vec![Value::from(1)], vec![unsayable()]]);
    assert!(matches!(problem(&nested), Problem::Value { .. }));
    let some = field("a").eq(Some(unsayable()));
    assert!(matches!(problem(&some), Problem::Value { .. }));
}

#[test]
fn a_builder_has_the_limits_of_text() {
    let long = "a.".repeat(DEPTH_MAX) + "a";
    let numbers = "0.".repeat(11) + "a";
    for path in [&long, &numbers] {
        for filter in [field(path).eq(1), field(path).exists(false), field(path).ne(1)] {
            assert!(matches!(problem(&filter), Problem::PathTooLong { .. }));
        }
        for filter in [
            field(path).regex("a", ""),
            field(path).is_type("int"),
            field(path).remainder(2, 1),
            // The path comes first.
            field(path).is_type("none"),
            field(path).remainder(0, 1),
        ] {
            assert!(matches!(problem(&filter), Problem::PathTooLong { .. }));
        }
        let sort = Sort::ascending("b").then_descending(path);
        assert!(sort.check().is_err() && sort.key(EMPTY).is_err() && !sort.is_empty());
        assert!(Sort::parse_json(&sort.to_string()).is_err());
    }
    let values = 0..i64::try_from(QUERY_NODES_MAX).unwrap();
    let is_too_many = |filter: &Filter| matches!(problem(filter), Problem::TooManyNodes { .. });
    assert!(is_too_many(&field("a").is_in(values.clone())));
    assert!(is_too_many(&field("a").eq(values.clone().collect::<Vec<_>>())));
    let or =
        values.clone().fold(field("a").eq(-1), |filter, value| filter.or(field("a").eq(value)));
    assert!(is_too_many(&or));
    let few = 0..4_000_i64;
    assert!(field("a").is_in(few.clone()).check().is_ok());
    let or = few.fold(field("a").eq(-1), |filter, value| filter.or(field("a").eq(value)));
    assert_eq!(or.to_string().parse::<Filter>().unwrap(), or);

    let regex = |number: usize| field("a").regex(&format!("^{number}"), "i");
    let some = (1..QUERY_REGEXES_MAX).map(regex).fold(regex(0), Filter::or);
    assert_eq!(some.to_string().parse::<Filter>().unwrap(), some);
    let more = some.or(regex(QUERY_REGEXES_MAX));
    assert!(matches!(problem(&more), Problem::TooManyRegexes { .. }));
}

#[test]
fn a_builder_with_a_wrong_operand_is_the_error_of_every_use() {
    for (filter, text) in [
        (field("a").is_type("integer"), "`$type` on `a` takes the name of a type"),
        (field("a").regex("a", "g"), "`$options` on `a` takes letters of `imsxu`"),
        (field("a").regex("(a", ""), "the regular expression `(a` on `a` is refused"),
        (field("a").remainder(0, 1), "`$mod` on `a` takes a divisor that is not 0"),
    ] {
        for filter in [filter.clone(), field("b").eq(1).and(filter.clone()), !filter] {
            let error = filter.check().unwrap_err();
            assert!(error.to_string().starts_with(text), "{error}");
            problem(&filter);
        }
    }
}

#[test]
fn a_condition_on_a_field_with_the_name_of_an_operator_is_refused() {
    for name in ["$comment", "$gt", "$or", "$where", "$", "$a.b"] {
        let filter = field(name).eq(1);
        let refused = Problem::OperatorAsField { name: name.to_owned() };
        assert_eq!(problem(&filter), refused);
        assert_eq!(problem(&field("a").eq(1).or(filter.clone())), refused);
        assert_eq!(problem(&field("a").elem_match(filter.clone())), refused);
        // It would take away every element.
        let pull = Update::new().pull_matching("a", filter);
        assert!(pull.check().is_err(), "{pull}");
    }
    field("a.$b").eq(1).check().unwrap();
}

#[test]
fn a_built_sort_has_the_limits_of_text() {
    let problem = |sort: &Sort| {
        assert!(Sort::parse_json(&sort.to_string()).is_err());
        sort.key(EMPTY).unwrap_err();
        sort.check().unwrap_err().problem().clone()
    };
    let first = Sort::ascending("0");
    let most = (1..QUERY_NODES_MAX - 1).fold(first, |sort, n| sort.then_ascending(&n.to_string()));
    assert_eq!(most.to_string().parse::<Sort>().unwrap(), most);
    let more = most.then_descending("a");
    assert!(matches!(problem(&more), Problem::TooManyNodes { .. }));
    // Less later on does not help.
    assert!(matches!(problem(&more.then_ascending("b")), Problem::TooManyNodes { .. }));
}

#[test]
fn a_built_projection_has_the_limits_of_text() {
    type Build = fn(Vec<&str>) -> Projection;
    let builders: [Build; 2] =
        [|paths| Projection::include(paths), |paths| Projection::exclude(paths)];
    let names: Vec<String> = (0..QUERY_NODES_MAX - 1).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for build in builders {
        let problem = |paths| {
            let refused = build(paths);
            let error = refused.check().unwrap_err();
            // Every use is the error, and less later on does not help.
            for refused in [refused.clone(), refused.without_id()] {
                assert!(Projection::parse_json(&refused.to_string()).is_err());
                assert_eq!(refused.check().unwrap_err().problem(), error.problem());
                assert!(refused.apply(EMPTY, &mut Vec::new()).is_err() && !refused.is_all());
            }
            error.problem().clone()
        };
        // As text, `a.$` is another projection.
        for path in ["a.$", "$a", "a.$b.c"] {
            let refused = problem(vec![path]);
            assert!(matches!(refused, Problem::Unsupported { operator, .. } if operator == path));
        }
        assert!(matches!(problem(vec!["a", "a"]), Problem::PathCollision { .. }));
        assert!(matches!(problem(vec!["a.b", "a"]), Problem::PathCollision { .. }));
        assert!(matches!(problem(names.clone()), Problem::TooManyNodes { .. }));
        let most = build(names[1..].to_vec());
        for projection in [most.clone(), most.without_id()] {
            assert_eq!(projection.to_string().parse::<Projection>().unwrap(), projection);
        }
    }
}

#[test]
fn nesting_is_bounded_however_a_filter_is_put_together() {
    let wraps: [fn(Filter) -> Filter; 4] = [
        |filter| field("a").elem_match(filter),
        |filter| !filter,
        |filter| field("b").eq(1).or(filter),
        |filter| field("a").elem_match(field("a").gt(1).and(field("a").gt(2)).and(filter)),
    ];
    for wrap in wraps {
        let mut filter = field("a").eq(1);
        let mut depth = 0;
        while filter.check().is_ok() {
            assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
            filter = wrap(filter);
            depth += 1;
        }
        assert!((20..=DEPTH_MAX).contains(&depth), "{depth}");
        assert!(matches!(problem(&filter), Problem::TooDeep { .. }));
    }
    // As deep as a thread's stack would not bear.
    let deep = (0..1_000_000).fold(field("a").eq(1), |filter, _| field("a").elem_match(filter));
    assert!(matches!(problem(&deep), Problem::TooDeep { .. }));
    let mut value = Value::from(1);
    for _ in 0..DEPTH_MAX {
        value = vec![value].into();
    }
    assert!(matches!(problem(&field("a").eq(value)), Problem::TooDeep { .. }));
}

#[test]
fn what_compares_takes_no_regular_expression() {
    let forms = [
        r#"{"$regularExpression": {"pattern": "^pa", "options": "i"}}"#,
        r#"{"$regex": "^pa"}"#,
        r#"{"$regex": "^pa", "$options": "i"}"#,
    ];
    for operator in ["$ne", "$gt", "$gte", "$lt", "$lte", "$eq"] {
        for form in forms {
            for text in [
                format!(r#"{{"s": {{"{operator}": {form}}}}}"#),
                format!(r#"{{"s": {{"$not": {{"{operator}": {form}}}}}}}"#),
                format!(r#"{{"r": {{"$elemMatch": {{"{operator}": {form}}}}}}}"#),
                format!(r#"{{"$or": [{{"a": 1}}, {{"s": {{"{operator}": {form}}}}}]}}"#),
            ] {
                let error = Filter::parse_json(&text).unwrap_err();
                let is_it = matches!(
                    error.problem(),
                    Problem::RegexOperand { operator: found, .. } if found == operator
                );
                assert!(is_it, "{text}: {error}");
                assert!(error.to_string().contains("`$not`"), "{error}");
            }
        }
    }
    // {"$regex": "x"}
    let regex = Value::from(doc! { "$regex": "x" });
    let built =
        [field("s").ne(regex.clone()), field("s").eq(regex.clone()), field("s").is_in([regex])];
    for filter in built {
        assert!(matches!(problem(&filter), Problem::RegexOperand { .. }));
    }
    let not = r#"{"s": {"$not": {"$regularExpression": {"pattern": "^pa", "options": "i"}}}}"#;
    let filter = Filter::parse_json(not).unwrap();
    // {"s": "paid"}, {"s": "open"}
    assert!(!filter.matches(b"\x81\xa1s\xa4paid").unwrap());
    assert!(filter.matches(b"\x81\xa1s\xa4open").unwrap());
}

#[test]
fn a_replacement_has_no_operators() {
    let is_refused = |error: nanodb_query::Error| matches!(error.problem(), Problem::OperatorInReplacement { name } if name == "$set");
    for text in [r#"{"$set": {"x": 1}}"#, r#"{"a": 1, "$set": {"x": 1}}"#] {
        assert!(is_refused(Update::replacement_json(text).unwrap_err()));
        let with = format!(r#"{{"$replaceWith": {text}}}"#);
        assert!(is_refused(Update::parse_json(&with).unwrap_err()));
    }
    // {"a": 1, "$set": 1}
    assert!(is_refused(
        <Update as UpdateBytes>::replacement(b"\x82\xa1a\x01\xa4$set\x01").unwrap_err().into()
    ));
    assert!(is_refused(
        Update::check_replacement(b"\x82\xa1a\x01\xa4$set\x01").unwrap_err().into()
    ));
    // Further down it is a name as any other.
    Update::replacement_json(r#"{"a": {"$set": 1}}"#).unwrap();
}

#[test]
fn a_value_that_begins_like_an_operator_and_is_none_is_refused_unless_it_is_meant() {
    let is_refused = |error: nanodb_query::Error| {
        assert!(error.position().is_some());
        matches!(error.problem(), Problem::UnknownForm { name } if name == "$foo")
    };
    for value in [r#"{"$foo": 1}"#, r#"{"$foo": 1, "b": 2}"#, r#"[1, {"b": {"$foo": 1}}]"#] {
        for text in [
            format!(r#"{{"a": {{"$eq": {value}}}}}"#),
            format!(r#"{{"a": {{"$ne": {value}}}}}"#),
            format!(r#"{{"a": {{"$gte": {value}}}}}"#),
            format!(r#"{{"a": {{"b": {value}}}}}"#),
            format!(r#"{{"$or": [{{"a": {{"$elemMatch": {{"$ne": {value}}}}}}}]}}"#),
        ] {
            assert!(is_refused(Filter::parse_json(&text).unwrap_err()), "{text}");
        }
        for text in [
            format!(r#"{{"$set": {{"a": {value}}}}}"#),
            format!(r#"{{"$push": {{"a": {{"$each": [{value}]}}}}}}"#),
            format!(r#"{{"$replaceWith": {{"a": {value}}}}}"#),
            format!(r#"{{"$mergePatch": {{"a": [{value}]}}}}"#),
        ] {
            assert!(is_refused(Update::parse_json(&text).unwrap_err()), "{text}");
        }
    }
    let meant = Filter::parse_json(r#"{"a": {"$eq": {"$literal": {"$foo": 1}}}}"#).unwrap();
    assert_eq!(meant.to_string().parse::<Filter>().unwrap(), meant);
    // {"a": {"$foo": 1}}
    assert!(meant.matches(b"\x81\xa1a\x81\xa4$foo\x01").unwrap());
    // Operators and references are taken as they are, as in MongoDB.
    for text in [r#"{"a": {"$eq": {"$gt": 1}}}"#, r#"{"a": {"$eq": {"$ref": "c", "$id": 1}}}"#] {
        Filter::parse_json(text).unwrap();
    }
}

/// As bytes it is the same as a document of operators.
#[test]
fn a_literal_is_refused_where_it_would_be_taken_for_operators() {
    let is_refused = |error: nanodb_query::Error, text: &str| {
        let at = text.find("{\"$literal\"").unwrap();
        assert_eq!(error.position().unwrap().offset, at, "{text}");
        assert!(matches!(error.problem(), Problem::LiteralOfOperators { .. }), "{text}: {error}");
    };
    let literal = r#"{"$literal": {"$gt": 5}}"#;
    for text in [
        format!(r#"{{"a": {literal}}}"#),
        format!(r#"{{"a": {{"$not": {literal}}}}}"#),
        format!(r#"{{"a": {{"$elemMatch": {literal}}}}}"#),
        format!(r#"{{"a": {{"$elemMatch": {{"b": {literal}}}}}}}"#),
        format!(r#"{{"a": {{"$all": [{{"$elemMatch": {literal}}}]}}}}"#),
        format!(r#"{{"$or": [{{"b": 1}}, {{"$and": [{{"a": {literal}}}]}}]}}"#),
        r#"{"a": {"$all": [{"$literal": {"$elemMatch": {"b": 1}}}]}}"#.to_owned(),
        r#"{"$or": [{"$literal": {"$or": [{"a": 1}]}}]}"#.to_owned(),
    ] {
        is_refused(Filter::parse_json(&text).unwrap_err(), &text);
    }
    for text in [
        format!(r#"{{"$pull": {{"a": {literal}}}}}"#),
        format!(r#"{{"$pull": {{"a": {{"b": {literal}}}}}}}"#),
        r#"{"$push": {"a": {"$literal": {"$each": [1]}}}}"#.to_owned(),
        r#"{"$addToSet": {"a": {"$literal": {"$each": [1]}}}}"#.to_owned(),
    ] {
        is_refused(Update::parse_json(&text).unwrap_err(), &text);
    }
    let filters = format!(r#"[{{"e": {literal}}}]"#);
    let update = r#"{"$set": {"a.$[e]": 1}}"#;
    is_refused(Update::parse_json_with_filters(update, &filters).unwrap_err(), &filters);
    // What takes a value takes any.
    for text in [
        format!(r#"{{"a": {{"$eq": {literal}}}}}"#),
        format!(r#"{{"a": {{"$not": {{"$ne": {literal}}}}}}}"#),
        format!(r#"{{"a": {{"b": {literal}}}}}"#),
    ] {
        let parsed = Filter::parse_json(&text).unwrap();
        assert_eq!(parsed.to_string().parse::<Filter>().unwrap(), parsed);
    }
    for text in [
        format!(r#"{{"$set": {{"a": {literal}}}}}"#),
        format!(r#"{{"$push": {{"a": {{"$each": [{literal}]}}}}}}"#),
        format!(r#"{{"$pull": {{"a": {{"$eq": {literal}}}}}}}"#),
    ] {
        let parsed = Update::parse_json(&text).unwrap();
        assert_eq!(Update::parse_json(&parsed.to_string()).unwrap(), parsed);
    }
}
