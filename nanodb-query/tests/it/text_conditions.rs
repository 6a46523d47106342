//! Conditions on text: they find what the methods of strings of the same names find.

use nanodb_document::{doc, to_bytes};
use nanodb_query::bytes::FilterBytes;
use nanodb_query::{Filter, Problem, field};
use proptest::prelude::*;

use super::HasProblem as _;

/// Text full of characters that mean something in an expression.
fn text() -> impl Strategy<Value = String> {
    let letters = proptest::sample::select(
        r"abAB.^$|?*+()[]{}\/#-_ é😀zQE&~<>=!:,'%@`"
            .chars()
            .chain("\n\"\0".chars())
            .collect::<Vec<_>>(),
    );
    proptest::collection::vec(letters, 0..6).prop_map(|letters| letters.into_iter().collect())
}

fn matches(filter: &Filter, text: &str) -> bool {
    filter.matches(&to_bytes(&doc! { "a": text }).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn they_find_what_strings_find(wanted in text(), before in text(), after in text()) {
        let a = || field("a");
        for stored in [format!("{before}{wanted}{after}"), before, after] {
            let conditions = [
                (a().contains(&wanted), stored.contains(&wanted)),
                (a().starts_with(&wanted), stored.starts_with(&wanted)),
                (a().ends_with(&wanted), stored.ends_with(&wanted)),
            ];
            for (filter, found) in conditions {
                prop_assert_eq!(matches(&filter, &stored), found, "{} in {:?}", filter, stored);
                let read: Filter = filter.to_string().parse().unwrap();
                prop_assert_eq!(&read, &filter);
                prop_assert_eq!(matches(&read, &stored), found);
                // The same by an automaton.
                let either = filter.clone().ignoring_case();
                prop_assert!(!found || matches(&either, &stored), "{}", either);
                prop_assert!(!found || matches(&either, &stored.to_uppercase()) || wanted.contains('ß'));
            }
        }
    }

    /// Whatever an expression is, a group around it means the same, and is no plain text.
    #[test]
    fn an_expression_that_is_a_text_means_what_the_automaton_says(
        pattern in text(),
        texts in proptest::collection::vec(text(), 1..5),
        options in proptest::sample::select(vec!["", "s", "u", "su", "m", "i"]),
        (start, end) in (
            proptest::sample::select(vec!["", "^", "\\A"]),
            proptest::sample::select(vec!["", "\\z", "$"]),
        ),
    ) {
        let pattern = format!("{start}{pattern}{end}");
        let plain = field("a").regex(&pattern, options);
        let group = field("a").regex(&format!("(?:{pattern})"), options);
        if plain.check().is_err() || group.check().is_err() {
            return Ok(());
        }
        for text in texts.iter().chain([&pattern]) {
            prop_assert_eq!(matches(&plain, text), matches(&group, text), "{:?} in {:?}", pattern, text);
        }
    }
}

#[test]
fn an_element_of_an_array_counts_and_other_types_do_not() {
    let filter = field("a").contains("x");
    for (document, found) in [
        (doc! { "a": ["b", "axb"] }, true),
        (doc! { "a": ["b", 5] }, false),
        (doc! { "a": 5 }, false),
        (doc! { "b": "x" }, false),
    ] {
        assert_eq!(filter.matches(&to_bytes(&document).unwrap()).unwrap(), found, "{document}");
    }
}

#[test]
fn the_case_of_letters_is_ignored_wherever_there_is_text() {
    let a = || field("a");
    let element = || field("a").contains("y");
    for (filter, text) in
        [
            (a().contains("x"), r#"{"a": {"$regex": "x", "$options": "i"}}"#),
            (a().regex("x", "s"), r#"{"a": {"$regex": "x", "$options": "si"}}"#),
            (a().regex("x", "i"), r#"{"a": {"$regex": "x", "$options": "i"}}"#),
            (
                a().contains("x").or(field("b").ends_with("z")).and(field("c").eq("X")),
                r#"{"c": "X", "$or": [{"a": {"$regex": "x", "$options": "i"}}, {"b": {"$regex": "z\\z", "$options": "i"}}]}"#,
            ),
            (!a().contains("x"), r#"{"$nor": [{"a": {"$regex": "x", "$options": "i"}}]}"#),
            (
                field("b").elem_match(element()),
                r#"{"b": {"$elemMatch": {"a": {"$regex": "y", "$options": "i"}}}}"#,
            ),
            (
                r#"{"a": {"$in": [1, {"$regularExpression": {"pattern": "x", "options": ""}}]}}"#
                    .parse()
                    .unwrap(),
                r#"{"a": {"$in": [1, {"$regularExpression": {"pattern": "x", "options": "i"}}]}}"#,
            ),
            (
                r#"{"a": {"$not": {"$regex": "x"}}, "b": {"$elemMatch": {"$regex": "x"}}}"#
                    .parse()
                    .unwrap(),
                r#"{"a": {"$not": {"$regex": "x", "$options": "i"}}, "b": {"$elemMatch": {"$regex": "x", "$options": "i"}}}"#,
            ),
        ]
    {
        let either = filter.ignoring_case();
        assert_eq!(either, text.parse().unwrap(), "{either}");
        assert_eq!(either.clone().ignoring_case(), either);
    }
    let filter = a().starts_with("straße").ignoring_case();
    assert!(matches(&filter, "STRAßE 5") && !matches(&filter, "die Straße"));
}

#[test]
fn a_filter_without_text_is_not_said_to_ignore_case() {
    for filter in
        [Filter::all(), field("a").eq("x"), field("a").is_in(["x"]).or(field("b").gt("x"))]
    {
        let refused = filter.ignoring_case();
        let error = refused.check().unwrap_err();
        assert!(matches!(error.problem(), Problem::NoText), "{error}");
        assert!(refused.matches(b"\x80").is_err() && !refused.is_all());
    }
    // The first problem stays.
    let long = field(&"a.".repeat(200)).contains("x");
    assert_eq!(long.clone().ignoring_case(), long);
}

#[test]
fn text_has_the_limits_of_expressions() {
    let long = "x".repeat(32_765);
    for filter in
        [field("a").contains(&long), field("a").starts_with(&long), field("a").ends_with(&long)]
    {
        let error = filter.check().unwrap_err();
        assert!(error.to_string().ends_with("it is longer than 32764 bytes"), "{error}");
    }
    let many = (0..51).fold(Filter::all(), |all, n| all.and(field(&format!("f{n}")).contains("x")));
    assert!(matches!(many.check().unwrap_err().problem(), Problem::TooManyRegexes { .. }));
}
