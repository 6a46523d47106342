//! Updates that a program builds: the same as text, and refused where text is.

use nanodb_document::{DocView, Document, Value, doc, to_bytes};
use nanodb_query::bytes::{FilterBytes, ProjectionBytes, SortBytes, UpdateBytes};
use nanodb_query::{
    Filter, IntoFilter, IntoProjection, IntoSort, IntoUpdate, Problem, Projection, Push,
    QUERY_NODES_MAX, Sort, Update, UpdateContext, UpdateError, field,
};

use super::HasProblem as _;

/// The problem of an update, which every use of it must say.
fn problem(update: &Update) -> Problem {
    let error = update.check().unwrap_err();
    let mut out = vec![7];
    let is_it = |failed: UpdateError| matches!(failed, UpdateError::Refused(it) if it.problem() == error.problem());
    assert!(is_it(update.apply(b"\x80", &UpdateContext::default(), &mut out).unwrap_err()));
    let all = Filter::all();
    assert!(is_it(update.upsert(&all, &UpdateContext::default(), &mut out).unwrap_err()));
    assert_eq!(out, [7]);
    assert!(!update.needs_match());
    assert_eq!(update.array_filters().to_string(), "[]");
    // Nor is what it prints taken for another update.
    assert!(Update::parse_json(&update.to_string()).is_err());
    assert_eq!(*update, update.clone());
    error.problem().clone()
}

#[test]
fn each_method_writes_its_operator() {
    let new = Update::new;
    let of_two = doc! { "x": 1, "y": 2 };
    for (built, text) in [
        (new().set("a", 1), r#"{"$set": {"a": 1}}"#),
        (new().set("a", of_two.clone()), r#"{"$set": {"a": {"x": 1, "y": 2}}}"#),
        (new().set("a", None::<i32>), r#"{"$set": {"a": null}}"#),
        (new().set_on_insert("a", "x"), r#"{"$setOnInsert": {"a": "x"}}"#),
        (new().unset("a"), r#"{"$unset": {"a": ""}}"#),
        (new().inc("a", -1), r#"{"$inc": {"a": -1}}"#),
        (new().mul("a", 1.5), r#"{"$mul": {"a": 1.5}}"#),
        (new().min("a", 1), r#"{"$min": {"a": 1}}"#),
        (new().max("a", "z"), r#"{"$max": {"a": "z"}}"#),
        (new().current_date("a"), r#"{"$currentDate": {"a": true}}"#),
        (new().rename("a", "b.c"), r#"{"$rename": {"a": "b.c"}}"#),
        (new().bit_and("a", 6), r#"{"$bit": {"a": {"and": 6}}}"#),
        (new().bit_or("a", 6).bit_xor("a", 1), r#"{"$bit": {"a": {"or": 6, "xor": 1}}}"#),
        (new().push("a", 1), r#"{"$push": {"a": 1}}"#),
        (new().push_each("a", [1, 2]), r#"{"$push": {"a": {"$each": [1, 2]}}}"#),
        (
            new().push_with("a", Push::each([1]).slice(-2).position(0).sort_ascending()),
            r#"{"$push": {"a": {"$each": [1], "$position": 0, "$sort": 1, "$slice": -2}}}"#,
        ),
        (
            new().push_with("a", Push::each([of_two]).sort(doc! { "x": 1, "y": -1 })),
            r#"{"$push": {"a": {"$each": [{"x": 1, "y": 2}], "$sort": {"x": 1, "y": -1}}}}"#,
        ),
        (new().add_to_set("a", 1), r#"{"$addToSet": {"a": 1}}"#),
        (new().add_each_to_set("a", ["x", "y"]), r#"{"$addToSet": {"a": {"$each": ["x", "y"]}}}"#),
        (new().pull("a", 1), r#"{"$pull": {"a": 1}}"#),
        (new().pull("a", doc! { "x": 1 }), r#"{"$pullAll": {"a": [{"x": 1}]}}"#),
        (new().pull_matching("a", doc! { "x": 1 }), r#"{"$pull": {"a": {"x": 1}}}"#),
        (
            new().pull_matching(
                "a",
                field("x").lt(1).or(field("y").eq(Value::from(doc! { "$x": 1 }))),
            ),
            r#"{"$pull": {"a": {"$or": [{"x": {"$lt": 1}}, {"y": {"$eq": {"$literal": {"$x": 1}}}}]}}}"#,
        ),
        (new().pull_all("a", [1, 2]), r#"{"$pullAll": {"a": [1, 2]}}"#),
        (new().pop_first("a"), r#"{"$pop": {"a": -1}}"#),
        (new().pop_last("a"), r#"{"$pop": {"a": 1}}"#),
        (
            new().set("a", 1).inc("b", 1).set("c.d", 2).push("e", 3),
            r#"{"$set": {"a": 1, "c.d": 2}, "$inc": {"b": 1}, "$push": {"e": 3}}"#,
        ),
    ] {
        let parsed = Update::parse_json(text).unwrap();
        assert_eq!(built, parsed, "{text}");
        assert_eq!(built.to_string(), parsed.to_string());
        built.check().unwrap();
    }
}

#[test]
fn a_value_is_a_value_even_if_it_looks_like_operators() {
    let like = || doc! { "$each": [1] };
    let mut out = Vec::new();
    for update in [
        Update::new().set("a", like()).push("b", like()).add_to_set("c", like()),
        Update::new().set("a", like()).push_each("b", [like()]).add_each_to_set("c", [like()]),
    ] {
        out.clear();
        assert!(update.apply(b"\x80", &UpdateContext::default(), &mut out).unwrap());
        let document = nanodb_document::DocView::from_bytes(&out).to_document().unwrap();
        assert_eq!(document, doc! { "a": (like()), "b": [(like())], "c": [(like())] });
        assert_eq!(Update::parse_json(&update.to_string()).unwrap(), update);
    }
    // Would match nothing, and was meant to match something.
    let text = Update::new().pull("a", doc! { "$gt": 5 }).check().unwrap_err().to_string();
    let wanted =
        "`$pull` on `a` takes a value here, and a filter in `pull_matching`, not a document";
    assert_eq!(text, wanted);
}

#[test]
fn what_text_refuses_a_built_update_refuses_too() {
    let new = Update::new;
    let twice = || Problem::Conflict { path: "a".into(), at: "a".into() };
    assert_eq!(problem(&new()), Problem::NoOperators);
    assert_eq!(problem(&new().set("a", 1).set("a", 2)), twice());
    assert_eq!(problem(&new().bit_or("a", 1).bit_or("a", 2)), twice());
    assert_eq!(problem(&new().set("a", 1).inc("a", 2)), twice());
    assert_eq!(problem(&new().push("a", 1).push("a", 2)), twice());
    for refused in [
        new().inc("a", "x"),
        new().mul("a", None::<i32>),
        new().set("", 1).set(&"a.".repeat(200), 1),
        new().rename("a", "$b"),
        new().push_with("a", Push::each([1]).sort(doc! { "b": 2 })),
        new().push_with("a", Push::each([1]).sort(Sort::default())),
        new().pull_matching("a", field(&"a.".repeat(200)).eq(1)),
        new().pull_matching("a", doc! { "$gtt": 1 }),
        new().set("a", 1).array_filter(doc! { "x": 1 }),
        new().set("a.$[x]", 1),
        new().set("a.$[x]", 1).array_filter(Filter::all()),
        new().push_each("a", 0..=QUERY_NODES_MAX as u64),
        doc! { "n": 1 }.into_update(),
        doc! {}.into_update(),
    ] {
        problem(&refused);
    }
    // Once a step is refused, no later one makes the update another one.
    let refused = new().set("a", 1).set("a", 2);
    assert_eq!(problem(&refused.clone().unset("b")), twice());
    assert_eq!(problem(&refused.array_filter(field("x").eq(1))), twice());
}

#[test]
fn an_array_filter_may_come_after_the_path_that_names_it() {
    let first = Update::new().set("a.$[x].b", 1);
    assert!(first.check().is_err());
    let update = first.array_filter(field("x.c").gt(5));
    update.check().unwrap();
    let filters = r#"[{"x.c": {"$gt": 5}}]"#;
    let text = r#"{"$set": {"a.$[x].b": 1}}"#;
    assert_eq!(update, Update::parse_json_with_filters(text, filters).unwrap());
    assert_eq!(update.array_filters().to_string(), filters);
    // And a path may come after its filter, in an update that was read.
    let more = update.inc("n", 1);
    assert_eq!(more.to_string(), r#"{"$set": {"a.$[x].b": 1}, "$inc": {"n": 1}}"#);
    assert_eq!(more.array_filters().to_string(), filters);
}

#[test]
fn operators_can_be_added_to_an_update_that_was_read() {
    let read = Update::parse_json(r#"{"$set": {"a": {"$literal": {"$date": 1}}}}"#).unwrap();
    let more = read.clone().set("b", 1).inc("c", 2);
    let text = r#"{"$set": {"a": {"$literal": {"$date": 1}}, "b": 1}, "$inc": {"c": 2}}"#;
    assert_eq!(more, Update::parse_json(text).unwrap());
    assert_eq!(problem(&read.unset("a")), Problem::Conflict { path: "a".into(), at: "a".into() });
    let read = Update::try_from(doc! { "$inc": { "a": 1 } }).unwrap();
    assert_eq!(read.inc("b", 1).to_string(), r#"{"$inc": {"a": 1, "b": 1}}"#);
    // A whole document stands alone, as in text.
    for text in [r#"{"$replaceWith": {"a": 1}}"#, r#"{"$mergePatch": {"a": 1}}"#] {
        let alone = Update::parse_json(text).unwrap();
        let refused = problem(&alone.set("b", 1));
        let operator = text[2..].split('"').next().unwrap().to_owned();
        assert_eq!(refused, Problem::UnknownOperator { operator, path: String::new() });
    }
}

#[test]
fn a_document_is_a_query_or_the_error_of_every_use() {
    let two = doc! { "a": { "$gte": 18 } };
    assert_eq!((&two).into_filter(), field("a").gte(18));
    assert_eq!(two.into_filter(), field("a").gte(18));
    assert!(doc! {}.into_filter().is_all());
    assert_eq!(doc! { "$set": { "a": 1 } }.into_update(), Update::new().set("a", 1));
    assert_eq!(doc! { "a": 1, "b": -1 }.into_sort(), Sort::ascending("a").then_descending("b"));
    assert!(doc! {}.into_sort().is_empty());
    let included = Projection::include(["a", "b.c"]);
    assert_eq!(doc! { "a": 1, "b.c": 1 }.into_projection(), included);
    assert_eq!(["a", "b.c"].into_projection(), included);
    let names = ["a".to_owned(), "b.c".to_owned()];
    for projection in [
        (&["a", "b.c"]).into_projection(),
        ["a", "b.c"][..].into_projection(),
        vec!["a", "b.c"].into_projection(),
        names[..].into_projection(),
        names.to_vec().into_projection(),
        (&names.to_vec()).into_projection(),
    ] {
        assert_eq!(projection, included);
    }
    assert!(doc! {}.into_projection().is_all());

    let filter = doc! { "a": { "$gtt": 18 } }.into_filter();
    assert_eq!(filter.check().unwrap_err().to_string(), "unknown operator `$gtt` on `a`");
    assert!(!filter.is_all() && filter.matches(b"\x80").is_err());
    let sort = doc! { "a": 2 }.into_sort();
    assert_eq!(sort.check().unwrap_err().to_string(), "`a` must be sorted by 1 or -1");
    assert!(!sort.is_empty() && sort.key(b"\x80").is_err());
    for projection in [doc! { "a": 1, "b": 0 }.into_projection(), ["a", "a.b"].into_projection()] {
        let error = projection.check().unwrap_err();
        assert!(!projection.is_all() && !projection.needs_match());
        let mut out = Vec::new();
        let applied = projection.apply(b"\x80", &mut out).unwrap_err();
        assert_eq!((applied.to_string(), out), (error.to_string(), Vec::new()));
        assert!(Projection::parse_json(&projection.to_string()).is_err());
    }
    // A value that no document can hold is not left out.
    let deep = (0..200).fold(Document::new(), |below, _| doc! { "a": (below) });
    assert!((&deep).into_filter().check().is_err());
    assert!((&deep).into_projection().check().is_err());
    assert!(doc! { "$set": (deep) }.into_update().check().is_err());
}

#[test]
fn an_update_whose_operator_has_no_fields_prints_text_that_is_read_back() {
    for text in [r#"{"$unset": {}}"#, r#"{"$set": {}, "$inc": {}}"#] {
        let update = Update::parse_json(text).unwrap();
        assert_eq!(update.to_string(), r#"{"$set": {}}"#);
        assert_eq!(update.to_string().parse::<Update>().unwrap(), update);
        assert!(!update.apply(b"\x80", &UpdateContext::default(), &mut Vec::new()).unwrap());
    }
}

#[test]
fn a_whole_document_is_built_as_it_is_read() {
    let document = || doc! { "_id": 5, "a": { "b": [1, 2] } };
    let replacement = Update::replacement(document());
    assert_eq!(replacement, Update::replacement_json(r#"{"_id": 5, "a": {"b": [1, 2]}}"#).unwrap());
    let document = document();
    assert_eq!(Update::replacement(&document), replacement);
    let bytes = to_bytes(&document).unwrap();
    assert_eq!(Update::replacement(DocView::from_bytes(&bytes)), replacement);
    // An id that it does not have it does not get.
    for (without, text) in [(doc! {}, "{}"), (doc! { "a": 0 }, r#"{"a": 0}"#)] {
        let replacement = Update::replacement(&without);
        assert_eq!(replacement, Update::replacement_json(text).unwrap());
        assert_eq!(replacement.to_string(), format!(r#"{{"$replaceWith": {text}}}"#));
    }
    problem(&Update::replacement(doc! { "_id": [1] }));
    let patch = Update::merge_patch(doc! { "a": null, "b": { "c": 1 } });
    assert_eq!(patch, Update::merge_patch_json(r#"{"a": null, "b": {"c": 1}}"#).unwrap());
    // As deep as a document may nest.
    let deep = |levels| (1..levels).fold(doc! {}, |below: Document, _| doc! { "a": below });
    Update::replacement(deep(100)).check().unwrap();
    problem(&Update::replacement(deep(101)));
    let refused = problem(&Update::replacement(doc! { "$set": { "a": 1 } }));
    assert_eq!(refused, Problem::OperatorInReplacement { name: "$set".into() });
    let number = <Update as UpdateBytes>::replacement(b"\x05").unwrap_err();
    assert!(matches!(number.problem(), Problem::NotADocument { .. }));
    assert!(matches!(problem(&Update::merge_patch([1])), Problem::NotADocument { .. }));
    problem(&replacement.set("b", 1));
    problem(&Update::new().set("b", 1).clone().set("b", 2));
}
