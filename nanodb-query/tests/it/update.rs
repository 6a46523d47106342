//! Updates beyond those of the corpus.

use nanodb_query::bytes::{FilterBytes, UpdateBytes};
use nanodb_query::{
    DEPTH_MAX, Filter, Problem, Timestamp, TypeBracket, UPDATE_STEPS_MAX, Update, UpdateContext,
    UpdateError, field,
};

use proptest::prelude::*;

use crate::generate;
use crate::json::Json;
use crate::plain_update;

use super::HasProblem as _;

fn config() -> ProptestConfig {
    let long = std::env::var_os("NANODB_TEST_LONG").is_some();
    ProptestConfig { cases: if long { 500_000 } else { 5_000 }, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes_are_changed_as_decoded_values_are(update in generate::update(), documents in prop::collection::vec(generate::document(), 1..6)) {
        let parsed = Update::parse(&generate::msgpack(&update));
        if plain_update::conflicts(&update) {
            let error = parsed.unwrap_err();
            let is_conflict = matches!(error.problem(), Problem::Conflict { .. });
            prop_assert!(is_conflict, "{} of {}", error, update);
            return Ok(());
        }
        let parsed = parsed.unwrap();
        for document in documents {
            let bytes = generate::msgpack(&document);
            let mut out = Vec::new();
            let found = parsed.apply(&bytes, &UpdateContext::default(), &mut out);
            match (plain_update::apply(&update, &document), found) {
                (Ok(expected), Ok(changed)) => {
                    prop_assert_eq!(changed, out != bytes && !out.is_empty());
                    let new = if changed { &out } else { &bytes };
                    prop_assert_eq!(
                        show(new), show(&generate::msgpack(&expected)), "{} on {}", update, document
                    );
                }
                (Err(_), Err(_)) => prop_assert!(out.is_empty()),
                (expected, found) => prop_assert!(
                    false, "{:?}, not {:?}: {} on {}", found, expected, update, document
                ),
            }
        }
    }

    #[test]
    fn what_an_update_prints_is_read_back_as_the_same(update in generate::update()) {
        let Ok(parsed) = Update::parse(&generate::msgpack(&update)) else { return Ok(()) };
        let printed = parsed.to_string();
        let again = Update::parse_json(&printed).unwrap();
        prop_assert_eq!(&again, &parsed);
        prop_assert_eq!(again.to_string(), printed);
    }
}

fn msgpack(json: &str) -> Vec<u8> {
    serde_json::from_str::<Json>(json).unwrap().to_msgpack()
}

fn show(bytes: &[u8]) -> String {
    let value = rmpv::decode::read_value(&mut &bytes[..]).unwrap();
    value.to_string()
}

fn apply_with(
    update: &Update,
    document: &str,
    context: &UpdateContext,
) -> Result<String, UpdateError> {
    let document = msgpack(document);
    // What stands in the buffer before is left alone.
    let mut out = vec![7];
    let changed = update.apply(&document, context, &mut out);
    let new = out.split_off(1);
    assert_eq!(out, [7]);
    match changed {
        Ok(true) => {
            assert_ne!(new, document);
            nanodb_query::RawValue::new(&new).verify().unwrap();
            Ok(show(&new))
        }
        Ok(false) => {
            assert!(new.is_empty());
            Ok(show(&document))
        }
        Err(error) => {
            assert!(new.is_empty());
            Err(error)
        }
    }
}

/// Applies an update to a document, both as JSON.
fn apply(update: &str, document: &str) -> Result<String, UpdateError> {
    apply_filtered(update, "[]", document)
}

fn apply_filtered(update: &str, filters: &str, document: &str) -> Result<String, UpdateError> {
    let update = Update::parse_json_with_filters(update, filters).unwrap();
    let printed = (update.to_string(), update.array_filters().to_string());
    assert_eq!(Update::parse_json_with_filters(&printed.0, &printed.1).unwrap(), update);
    apply_with(&update, document, &UpdateContext::default())
}

/// Asserts what becomes of a document.
fn assert_makes(update: &str, document: &str, expected: &str) {
    assert_eq!(apply(update, document).unwrap(), show(&msgpack(expected)), "{update}");
}

#[test]
fn pushes_have_a_position_an_order_and_a_length() {
    for (push, expected) in [
        (r#"{"$each": [9, 8], "$position": 1}"#, "[3, 9, 8, 1, 2]"),
        (r#"{"$each": [9], "$position": -1}"#, "[3, 1, 9, 2]"),
        (r#"{"$each": [9], "$position": -9}"#, "[9, 3, 1, 2]"),
        (r#"{"$each": [9], "$position": 9}"#, "[3, 1, 2, 9]"),
        (r#"{"$each": [0], "$sort": 1}"#, "[0, 1, 2, 3]"),
        (r#"{"$each": [], "$sort": -1}"#, "[3, 2, 1]"),
        (r#"{"$each": [9], "$slice": 2}"#, "[3, 1]"),
        (r#"{"$each": [9], "$slice": -2}"#, "[2, 9]"),
        (r#"{"$each": [9], "$slice": 0}"#, "[]"),
        (r#"{"$each": [0, 9], "$sort": 1, "$slice": -3, "$position": 0}"#, "[2, 3, 9]"),
    ] {
        assert_makes(
            &format!(r#"{{"$push": {{"a": {push}}}}}"#),
            r#"{"a": [3, 1, 2], "b": 1}"#,
            &format!(r#"{{"a": {expected}, "b": 1}}"#),
        );
    }
    assert_makes(
        r#"{"$push": {"a": {"$each": [{"x": 1}, 5], "$sort": {"x": -1, "y": 1}}}}"#,
        r#"{"a": [{"x": 1, "y": 2}, {"x": [9]}, {"x": 2}, {"y": 1}]}"#,
        r#"{"a": [{"x": [9]}, {"x": 2}, {"x": 1}, {"x": 1, "y": 2}, 5, {"y": 1}]}"#,
    );
    let many = (0..40).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_makes(
        &format!(r#"{{"$push": {{"a": {{"$each": [{many}]}}}}}}"#),
        r#"{"a": [], "z": 0}"#,
        &format!(r#"{{"a": [{many}], "z": 0}}"#),
    );
}

#[test]
fn sets_of_many_values_are_kept_as_those_of_few_are() {
    assert_makes(
        r#"{"$addToSet": {"a": {"$each": [1, 2.0, 3, 9, 9.0, "x", null, [1]]}}}"#,
        r#"{"a": [1.0, 2, 2, "y", [1.0]]}"#,
        r#"{"a": [1.0, 2, 2, "y", [1.0], 3, 9, "x", null]}"#,
    );
    assert_makes(
        r#"{"$pullAll": {"a": [1, 2, {"b": 1}], "c": [1, 2, 3, 4, 5, 6]}}"#,
        r#"{"a": [1.0, 3, {"b": 1}, {"b": 1, "c": 2}], "c": [0, 1, 6, 7]}"#,
        r#"{"a": [3, {"b": 1, "c": 2}], "c": [0, 7]}"#,
    );
    assert_makes(
        r#"{"$pull": {"a": {"$gt": 4}, "b": {"$regularExpression": {"pattern": "^x", "options": ""}}, "c": [5]}}"#,
        r#"{"a": [[5], 9, 3, "z"], "b": ["xy", "y"], "c": [5, [5]]}"#,
        r#"{"a": [3, "z"], "b": ["y"], "c": [5]}"#,
    );
}

#[test]
fn bits_and_numbers_stay_integers_while_they_can() {
    assert_makes(
        r#"{"$bit": {"a": {"and": 10}, "b": {"or": 5, "xor": 1}, "c": {"or": 6}}}"#,
        r#"{"a": 12, "b": 8}"#,
        r#"{"a": 8, "b": 12, "c": 6}"#,
    );
    assert_makes(
        r#"{"$inc": {"a": 1, "b": -1}, "$mul": {"c": 2, "d": 1.5}}"#,
        r#"{"a": 9223372036854775807, "b": 9223372036854775808, "c": 9223372036854775807, "d": 3}"#,
        r#"{"a": 9223372036854775808, "b": 9223372036854775807, "c": 18446744073709551614, "d": 4.5}"#,
    );
    for update in [r#"{"$inc": {"a": 1}}"#, r#"{"$mul": {"a": -1}}"#] {
        let error = apply(update, r#"{"a": 18446744073709551615}"#).unwrap_err();
        assert!(matches!(&error, UpdateError::Overflow { path, .. } if path == "a"), "{error}");
    }
    let error = apply(r#"{"$bit": {"a": {"and": 1}}}"#, r#"{"a": 1.0}"#).unwrap_err();
    assert_eq!(error.to_string(), "`$bit` on `a` needs an integer, and the field is a number");
}

#[test]
fn the_clock_is_handed_in() {
    let update =
        Update::parse_json(r#"{"$currentDate": {"a": true, "b": {"$type": "date"}}}"#).unwrap();
    let now = Timestamp::new(5, 0).unwrap();
    let context = UpdateContext { now, ..UpdateContext::default() };
    let mut out = Vec::new();
    assert!(update.apply(b"\x81\xa1a\x01", &context, &mut out).unwrap());
    assert_eq!(out, b"\x82\xa1a\xd6\xff\0\0\0\x05\xa1b\xd6\xff\0\0\0\x05");
}

#[test]
fn the_matched_element_is_that_of_the_filter() {
    for (filter, document, expected) in [
        (r#"{"a": 5}"#, r#"{"a": [1, 5, 5]}"#, Some(1)),
        (r#"{"a": 5}"#, r#"{"a": 5}"#, None),
        (r#"{"a": {"$ne": 5}}"#, r#"{"a": [1]}"#, None),
        (r#"{"a.b": {"$gt": 3}}"#, r#"{"a": [{"b": 1}, {"c": 9}, {"b": 4}]}"#, Some(2)),
        (r#"{"a.b": 4}"#, r#"{"a": [{"b": [1]}, {"b": [3, 4]}]}"#, Some(1)),
        (r#"{"o.a": {"$in": [7]}}"#, r#"{"o": {"a": [0, 7]}}"#, Some(1)),
        (
            r#"{"a": {"$elemMatch": {"b": 1, "c": 2}}}"#,
            r#"{"a": [{"b": 1}, {"b": 1, "c": 2}]}"#,
            Some(1),
        ),
        (r#"{"a": {"$elemMatch": {"$gt": 1, "$lt": 3}}}"#, r#"{"a": [0, 5, 2]}"#, Some(2)),
        (r#"{"$or": [{"x": 1}, {"a": 2}]}"#, r#"{"a": [1, 2]}"#, Some(1)),
        (r#"{"a": {"$all": [1, 2]}}"#, r#"{"a": [0, 2, 1]}"#, Some(1)),
        (r#"{"a": 1, "b": 2}"#, r#"{"a": [1], "b": [0, 0, 2]}"#, Some(2)),
        (r#"{"a": {"$size": 2}}"#, r#"{"a": [1, 2]}"#, None),
    ] {
        let filter = Filter::parse_json(filter).unwrap();
        let document = msgpack(document);
        assert!(filter.matches(&document).unwrap(), "{filter}");
        assert_eq!(filter.matched_element(&document).unwrap(), expected, "{filter}");
    }
}

#[test]
fn a_dollar_is_the_matched_element() {
    let update = Update::parse_json(r#"{"$set": {"a.$.b": 5}, "$inc": {"n": 1}}"#).unwrap();
    assert!(update.needs_match());
    assert!(!Update::parse_json(r#"{"$set": {"a.$[].b": 5}}"#).unwrap().needs_match());
    let document = r#"{"a": [{"b": 1}, {"b": 2, "c": 3}], "n": 1}"#;
    let context = UpdateContext { matched: Some(1), ..UpdateContext::default() };
    assert_eq!(
        apply_with(&update, document, &context).unwrap(),
        show(&msgpack(r#"{"a": [{"b": 1}, {"b": 5, "c": 3}], "n": 2}"#))
    );
    let error = apply_with(&update, document, &UpdateContext::default()).unwrap_err();
    assert_eq!(error, UpdateError::NoMatch { path: "a.$.b".to_owned() });
    let both = Update::parse_json(r#"{"$set": {"a.$.b": 5, "a.1.b": 6}}"#).unwrap();
    let error = apply_with(&both, document, &context).unwrap_err();
    assert_eq!(error, UpdateError::Conflict { path: "a.1.b".to_owned(), at: "1.b".to_owned() });
}

#[test]
fn brackets_are_all_elements_or_those_that_pass() {
    assert_makes(
        r#"{"$inc": {"a.$[]": 10}, "$set": {"b.$[].c.$[]": 0}}"#,
        r#"{"a": [1, 2], "b": [{"c": [1]}, {"c": []}, {"c": [1, 2]}]}"#,
        r#"{"a": [11, 12], "b": [{"c": [0]}, {"c": []}, {"c": [0, 0]}]}"#,
    );
    let makes = |update, filters, document, expected| {
        assert_eq!(apply_filtered(update, filters, document).unwrap(), show(&msgpack(expected)));
    };
    makes(
        r#"{"$mul": {"a.$[big].q": 2}, "$unset": {"a.$[x].r": ""}}"#,
        r#"[{"big.q": {"$gte": 5}}, {"x.r": {"$exists": true}, "x.q": {"$lt": 9}}]"#,
        r#"{"a": [{"q": 5}, {"q": 1, "r": 1}, {"q": 9, "r": 2}, {"q": 8, "r": 1}]}"#,
        r#"{"a": [{"q": 10}, {"q": 1}, {"q": 18, "r": 2}, {"q": 16}]}"#,
    );
    makes(
        r#"{"$set": {"a.$[e]": 0}}"#,
        r#"[{"$or": [{"e": {"$gt": 5}}, {"e": 1}]}]"#,
        r#"{"a": [1, 2, 6]}"#,
        r#"{"a": [0, 2, 0]}"#,
    );
    let error = apply_filtered(
        r#"{"$set": {"a.$[e]": 0, "a.$[]": 1}}"#,
        r#"[{"e": 1}]"#,
        r#"{"a": [2, 1]}"#,
    );
    assert!(matches!(error.unwrap_err(), UpdateError::Conflict { path, .. } if path == "a.$[]"));
    for document in [r#"{"b": 1}"#, r#"{"a": {"b": 1}}"#] {
        let error = apply(r#"{"$set": {"a.$[].b": 1}}"#, document).unwrap_err();
        assert!(matches!(error, UpdateError::Target { operator: "$set", .. }), "{error}");
    }
}

#[test]
fn brackets_do_not_stand_for_more_elements_than_there_is_memory_for() {
    let len = u32::try_from(UPDATE_STEPS_MAX).unwrap() + 1;
    let mut document = b"\x81\xa1a".to_vec();
    nanodb_msgpack::write_array_len(&mut document, len);
    document.resize(document.len() + len as usize, 0);
    let update = Update::parse_json(r#"{"$inc": {"a.$[]": 1}}"#).unwrap();
    let error = update.apply(&document, &UpdateContext::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(error, UpdateError::TooManySteps { steps_max: UPDATE_STEPS_MAX });
}

#[test]
fn what_is_renamed_is_no_element_and_not_put_into_one() {
    for (rename, through) in [
        (r#"{"a.0": "b"}"#, "a.0"),
        (r#"{"a.0.x": "b"}"#, "a.0.x"),
        (r#"{"n": "a.0"}"#, "a.0"),
        (r#"{"n": "a.5.x"}"#, "a.5.x"),
    ] {
        let update = format!(r#"{{"$rename": {rename}}}"#);
        let error = apply(&update, r#"{"a": [{"x": 1}], "n": 1}"#).unwrap_err();
        assert!(
            matches!(&error, UpdateError::RenameInArray { through: found, .. } if found == through),
            "{error}"
        );
    }
    assert_makes(
        r#"{"$rename": {"a": "o.p.a"}}"#,
        r#"{"a": [1], "o": {}}"#,
        r#"{"o": {"p": {"a": [1]}}}"#,
    );
    assert_makes(r#"{"$rename": {"x.y": "a.b"}}"#, r#"{"a": 1}"#, r#"{"a": 1}"#);
    let error = apply(r#"{"$rename": {"a.b": "c"}}"#, r#"{"a": 1}"#).unwrap_err();
    assert_eq!(error.to_string(), "`$rename` on `a.b` can't create `b` in a number");
}

#[test]
fn an_id_stays() {
    for update in [
        r#"{"$set": {"_id": 2}}"#,
        r#"{"$unset": {"_id": ""}}"#,
        r#"{"$inc": {"_id": 1}}"#,
        r#"{"$rename": {"_id": "x"}}"#,
        r#"{"$rename": {"a": "_id"}}"#,
        r#"{"$mergePatch": {"_id": null}}"#,
        r#"{"$mergePatch": {"_id": {"x": 1}}}"#,
        r#"{"$replaceWith": {"_id": 2}}"#,
    ] {
        assert_eq!(apply(update, r#"{"_id": 1, "a": 5}"#), Err(UpdateError::ChangesId), "{update}");
    }
    assert_eq!(
        apply(r#"{"$set": {"_id.x": 2}}"#, r#"{"_id": {"x": 1}}"#),
        Err(UpdateError::ChangesId)
    );
    let document = r#"{"_id": 1, "a": 5}"#;
    assert_makes(r#"{"$set": {"_id": 1.0}}"#, document, document);
    assert_makes(r#"{"$set": {"_id": 1.0, "a": 6}}"#, document, r#"{"_id": 1, "a": 6}"#);
    assert_makes(r#"{"$replaceWith": {"b": 1}}"#, document, r#"{"_id": 1, "b": 1}"#);
    assert_makes(r#"{"$replaceWith": {"b": 1, "_id": 1.0}}"#, document, r#"{"_id": 1, "b": 1}"#);
}

/// The examples of RFC 7396, appendix A, whose target is a document.
#[test]
fn merge_patches_are_those_of_the_rfc() {
    for (document, patch, expected) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        (r#"{"x":1}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"x":1,"a":{"bb":{}}}"#),
        (r#"{"a":[1]}"#, r#"{"a":{"0":{}}}"#, r#"{"a":{"0":{}}}"#),
        (r#"{"a.b":1}"#, r#"{"a.b":2,"$c":3}"#, r#"{"a.b":2,"$c":3}"#),
    ] {
        let update = Update::merge_patch_json(patch).unwrap();
        assert_eq!(update, <Update as UpdateBytes>::merge_patch(&msgpack(patch)).unwrap());
        assert_eq!(update, update.to_string().parse().unwrap());
        let found = apply_with(&update, document, &UpdateContext::default()).unwrap();
        assert_eq!(found, show(&msgpack(expected)), "{patch} on {document}");
    }
}

#[test]
fn an_upsert_inserts_what_the_filter_names() {
    let upsert = |filter: &str, update: &str| {
        let (filter, update) = (Filter::parse_json(filter), Update::parse_json(update));
        let mut out = Vec::new();
        update.unwrap().upsert(&filter.unwrap(), &UpdateContext::default(), &mut out)?;
        Ok::<_, UpdateError>(show(&out))
    };
    for (filter, update, expected) in [
        (
            r#"{"a": 1, "_id": 7, "b": {"$gt": 5}}"#,
            r#"{"$inc": {"a": 1}}"#,
            r#"{"_id": 7, "a": 2}"#,
        ),
        (
            r#"{"a.b": {"$eq": 1}, "$and": [{"a.c": 2}]}"#,
            r#"{"$setOnInsert": {"d": 3}}"#,
            r#"{"a": {"b": 1, "c": 2}, "d": 3}"#,
        ),
        (r#"{"$or": [{"a": 1}, {"b": 1}]}"#, r#"{"$unset": {"a": ""}}"#, "{}"),
        (r#"{"a": {"$in": [1, 2]}}"#, r#"{"$push": {"a": 2}}"#, r#"{"a": [2]}"#),
        (r#"{"a": {"$in": [1]}}"#, r#"{"$inc": {"a": 2}}"#, r#"{"a": 3}"#),
        (r#"{"a": {"$all": [1]}}"#, r#"{"$set": {"b": 2}}"#, r#"{"a": 1, "b": 2}"#),
        (r#"{"a": 1, "_id": 2}"#, r#"{"$replaceWith": {"b": 1}}"#, r#"{"_id": 2, "b": 1}"#),
        (r#"{"a": 1}"#, r#"{"$mergePatch": {"a": null, "b": 1}}"#, r#"{"b": 1}"#),
    ] {
        assert_eq!(upsert(filter, update).unwrap(), show(&msgpack(expected)), "{filter}");
    }
    let error = upsert(r#"{"a": 1, "$and": [{"a": 2}]}"#, r#"{"$set": {"b": 1}}"#).unwrap_err();
    assert!(matches!(error, UpdateError::Conflict { .. }), "{error}");
    assert_eq!(upsert(r#"{"_id": 1}"#, r#"{"$set": {"_id": 2}}"#), Err(UpdateError::ChangesId));
    assert_makes(r#"{"$setOnInsert": {"a.b": 1}}"#, r#"{"a": 1}"#, r#"{"a": 1}"#);
}

#[test]
fn errors_say_which_operator_path_and_place() {
    for (update, message) in [
        (r#"{"$foo": {"a": 1}}"#, "unknown operator `$foo` at line 1, column 2"),
        (
            r#"{"a": 1}"#,
            "unknown operator `a`: an update's names are operators such as `$set`; to replace a \
             document use `replace_one` or `Update::replacement` at line 1, column 2",
        ),
        ("{}", "an update must have operators at line 1, column 1"),
        ("[]", "an update must be a document, not an array at line 1, column 1"),
        (r#"{"$set": 5}"#, "`$set` takes a document of fields, not a number at line 1, column 10"),
        (
            r#"{"$inc": {"a": "x"}}"#,
            "`$inc` on `a` takes a number, not a string at line 1, column 16",
        ),
        (
            "{\"$set\": {\"a\": 1},\n \"$inc\": {\"a.b\": 1}}",
            "updating the path `a.b` would create a conflict at `a` at line 2, column 11",
        ),
        (
            r#"{"$rename": {"a": "a.b"}}"#,
            "updating the path `a.b` would create a conflict at `a` at line 1, column 14",
        ),
        (r#"{"$set": {"a..b": 1}}"#, "the path `a..b` has an empty name at line 1, column 11"),
        (r#"{"$set": {"$a": 1}}"#, "the path `$a` begins with `$` at line 1, column 11"),
        (
            r#"{"$set": {"a.$b": 1}}"#,
            "the path `a.$b` has a name that begins with `$` at line 1, column 11",
        ),
        (
            r#"{"$set": {"a.$[b]": 1}}"#,
            "the path `a.$[b]` has a `$[id]` without an array filter of that name at line 1, column 11",
        ),
        (
            r#"{"$set": {"a.$.b.$": 1}}"#,
            "the path `a.$.b.$` has `$` twice, and only one element was matched at line 1, column 11",
        ),
        (
            r#"{"$unset": {"a.$[].b.$.c.$": 1}}"#,
            "the path `a.$[].b.$.c.$` has `$` twice, and only one element was matched at line 1, column 13",
        ),
        (r#"{"$pop": {"a": 2}}"#, "`$pop` on `a` takes 1 or -1, not a number at line 1, column 16"),
        (
            r#"{"$push": {"a": {"$slice": 1}}}"#,
            "`$push` on `a` takes `$each` beside its modifiers, not a document at line 1, column 17",
        ),
        (
            r#"{"$push": {"a": {"$each": [], "$foo": 1}}}"#,
            "unknown operator `$foo` on `a` at line 1, column 31",
        ),
        (
            r#"{"$push": {"a": {"$each": 1}}}"#,
            "`$each` on `a` takes an array of values, not a number at line 1, column 27",
        ),
        (r#"{"$pull": {"a": {"$foo": 1}}}"#, "unknown operator `$foo` on `a` at line 1, column 18"),
        (
            r#"{"$rename": {"a": "b.$"}}"#,
            "`$rename` on `a` takes paths without `$`, not a string at line 1, column 19",
        ),
    ] {
        assert_eq!(Update::parse_json(update).unwrap_err().to_string(), message, "{update}");
    }
    for (filters, message) in [
        (
            r#"{"e": 1}"#,
            "a list of array filters must be an array, not a document at line 1, column 1",
        ),
        (
            r#"[{"e": 1, "f": 1}]"#,
            "an array filter must be about the fields of one name at line 1, column 2",
        ),
        (
            r#"[{"E": 1}]"#,
            "an array filter `E` must begin with a lower case letter and have letters and digits at line 1, column 2",
        ),
        (r#"[{"e": 1}, {"e.x": 1}]"#, "an array filter `e` is there twice at line 1, column 12"),
    ] {
        let error = Update::parse_json_with_filters(r#"{"$set": {"a.$[e]": 1}}"#, filters);
        assert_eq!(error.unwrap_err().to_string(), message);
    }
    let error =
        Update::parse_json_with_filters(r#"{"$set": {"a": 1}}"#, r#"[{"e": 1}]"#).unwrap_err();
    assert!(
        matches!(error.problem(), Problem::ArrayFilter { identifier, .. } if identifier == "e")
    );
}

#[test]
fn what_cannot_be_applied_changes_nothing() {
    for (update, document, expected) in [
        (
            r#"{"$set": {"n": 1, "a.b": 1}}"#,
            r#"{"a": 5}"#,
            "`$set` on `a.b` can't create `b` in a number",
        ),
        (
            r#"{"$set": {"a.b.c": 1}}"#,
            r#"{"a": [1]}"#,
            "`$set` on `a.b.c` can't create `b` in an array",
        ),
        (
            r#"{"$push": {"a.b": 1}}"#,
            r#"{"a": 5}"#,
            "`$push` on `a.b` can't create `b` in a number",
        ),
        (
            r#"{"$inc": {"a": 1}}"#,
            r#"{"a": "x"}"#,
            "`$inc` on `a` needs a number, and the field is a string",
        ),
    ] {
        assert_eq!(apply(update, document).unwrap_err().to_string(), expected);
    }
    assert_eq!(
        apply(r#"{"$push": {"a.x": 1}}"#, r#"{"a": {"x": null}}"#),
        Err(UpdateError::Target {
            operator: "$push",
            path: "a.x".to_owned(),
            expected: "an array",
            found: TypeBracket::Null
        })
    );
    assert_makes(r#"{"$unset": {"a.b.c": "", "a.0.x": ""}}"#, r#"{"a": [1]}"#, r#"{"a": [1]}"#);
}

#[test]
fn documents_become_neither_too_large_nor_too_deep() {
    let context = UpdateContext { bytes_max: 50, ..UpdateContext::default() };
    let too_large = Err(UpdateError::TooLarge { bytes_max: 50 });
    for update in [
        r#"{"$set": {"a.4000000000": 1}}"#.to_owned(),
        format!(r#"{{"$set": {{"b": "{}"}}}}"#, "x".repeat(50)),
        format!(r#"{{"$push": {{"a": "{}"}}}}"#, "x".repeat(50)),
        format!(r#"{{"$replaceWith": {{"b": "{}"}}}}"#, "x".repeat(50)),
        format!(r#"{{"$set": {{"a.$[]": "{}"}}}}"#, "x".repeat(20)),
    ] {
        let update = Update::parse_json(&update).unwrap();
        assert_eq!(apply_with(&update, r#"{"a": [1, 2, 3]}"#, &context), too_large);
    }
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let document = format!(r#"{{"a": {}, "b": {{"c": 1}}}}"#, deep(DEPTH_MAX - 1));
    let too_deep = Err(UpdateError::TooDeep { depth_max: DEPTH_MAX });
    assert_eq!(apply(r#"{"$rename": {"a": "b.c"}}"#, &document), too_deep);
    assert!(apply(r#"{"$rename": {"a": "c"}}"#, &document).is_ok());
    let set = |path: &str, levels| format!(r#"{{"$set": {{"{path}": {}}}}}"#, deep(levels));
    assert!(apply(&set("b.c", DEPTH_MAX - 3), &document).is_ok());
    assert_eq!(apply(&set("b.c.d.e", DEPTH_MAX - 3), r#"{"b": {"c": {}}}"#), too_deep);
}

#[test]
fn more_fields_than_a_short_header_says_are_counted_in_a_longer_one() {
    let fields = |range: std::ops::Range<u32>| {
        range.map(|n| format!(r#""f{n}": {n}"#)).collect::<Vec<_>>().join(", ")
    };
    let all = |range| format!("{{{}}}", fields(range));
    assert_makes(&format!(r#"{{"$set": {{{}}}}}"#, fields(10..40)), &all(0..15), &all(0..40));
    let names: Vec<String> = (5..40).map(|n| format!(r#""f{n}": """#)).collect();
    assert_makes(&format!(r#"{{"$unset": {{{}}}}}"#, names.join(", ")), &all(0..40), &all(0..5));
    assert!(field("a").eq(1).matched_element(b"\x80").unwrap().is_none());
}

fn shown(document: &str) -> String {
    show(&serde_json::from_str::<Json>(document).unwrap().to_msgpack())
}

/// What an update makes of a document, both as JSON, or why not.
fn updated(update: &str, document: &str) -> Result<String, UpdateError> {
    let document = serde_json::from_str::<Json>(document).unwrap().to_msgpack();
    let mut out = Vec::new();
    let changed = Update::parse_json(update).unwrap().apply(
        &document,
        &UpdateContext::default(),
        &mut out,
    )?;
    Ok(show(if changed { &out } else { &document }))
}

#[test]
fn digits_on_the_path_of_an_update_are_an_index_whatever_zeros_stand_before() {
    let document = r#"{"_id": 1, "x": [true, 7, {"r": [1]}]}"#;
    let same = [
        (r#"{"$set": {"x.00": false}}"#, r#"{"$set": {"x.0": false}}"#),
        (r#"{"$unset": {"x.01": 1}}"#, r#"{"$unset": {"x.1": 1}}"#),
        (r#"{"$inc": {"x.001": 1}}"#, r#"{"$inc": {"x.1": 1}}"#),
        (r#"{"$set": {"x.04": 1}}"#, r#"{"$set": {"x.4": 1}}"#),
        (r#"{"$inc": {"x.02.r.$[]": 1}}"#, r#"{"$inc": {"x.2.r.$[]": 1}}"#),
        (r#"{"$push": {"x.02.r": 1}}"#, r#"{"$push": {"x.2.r": 1}}"#),
    ];
    for (zeros, plain) in same {
        assert_ne!(
            updated(zeros, document).unwrap(),
            updated("{\"$unset\": {\"b\": 1}}", document).unwrap()
        );
        assert_eq!(updated(zeros, document), updated(plain, document), "{zeros}");
    }
    // In a document it is a name.
    assert_eq!(
        updated(r#"{"$set": {"x.00": 1}}"#, r#"{"x": {"0": 2}}"#).unwrap(),
        r#"{"x": {"0": 2, "00": 1}}"#
    );
    let twice = updated(r#"{"$set": {"x.0": 1, "x.00": 2}}"#, document).unwrap_err();
    assert!(matches!(twice, UpdateError::Conflict { .. }), "{twice}");
    let large = updated(r#"{"$set": {"x.4294967294": 1}}"#, document).unwrap_err();
    assert!(matches!(large, UpdateError::TooLarge { .. }), "{large}");
    let huge = updated(r#"{"$set": {"x.99999999999": 1}}"#, document).unwrap_err();
    assert!(matches!(huge, UpdateError::NotViable { .. }), "{huge}");
}

#[test]
fn an_array_is_filled_up_with_so_many_nulls_and_no_more() {
    use nanodb_query::UPDATE_NULLS_MAX;
    for (index, fits) in [(UPDATE_NULLS_MAX + 1, true), (UPDATE_NULLS_MAX + 2, false)] {
        for path in [format!("x.{index}"), format!("x.{index}.y")] {
            let result = updated(&format!(r#"{{"$set": {{"{path}": 2}}}}"#), r#"{"x": [1]}"#);
            match result {
                Ok(_) => assert!(fits),
                Err(UpdateError::TooManyNulls { count, path: found, .. }) => {
                    assert!(!fits && count == index - 1 && found == path);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn what_takes_elements_away_changes_nothing_where_its_path_leads_nowhere() {
    let operators = [
        r#"{"$pop": {"PATH": 1}}"#,
        r#"{"$pull": {"PATH": 1}}"#,
        r#"{"$pull": {"PATH": {"$gt": 1}}}"#,
        r#"{"$pullAll": {"PATH": [1, 2]}}"#,
        r#"{"$unset": {"PATH": 1}}"#,
    ];
    for operator in operators {
        for document in
            [r#"{"a": null}"#, r#"{"a": 5}"#, r#"{"a": "x"}"#, r#"{"a": [1, 2]}"#, r#"{}"#]
        {
            for path in ["a.b", "a.b.c", "a.name.0"] {
                let update = operator.replace("PATH", path);
                assert_eq!(updated(&update, document).unwrap(), shown(document), "{update}");
            }
        }
    }
    // At its end there must be an array.
    for document in [r#"{"a": null}"#, r#"{"a": 5}"#] {
        for operator in &operators[..4] {
            let update = operator.replace("PATH", "a");
            assert!(
                matches!(updated(&update, document), Err(UpdateError::Target { .. })),
                "{update}"
            );
        }
    }
}

/// The document that an upsert inserts.
fn upserted(filter: &str) -> Result<String, UpdateError> {
    let filter = Filter::parse_json(filter).unwrap();
    let update = Update::parse_json(r#"{"$set": {"n": 1}}"#).unwrap();
    let mut out = Vec::new();
    update.upsert(&filter, &UpdateContext::default(), &mut out)?;
    Ok(show(&out))
}

#[test]
fn an_upsert_takes_a_value_wherever_the_filter_leaves_no_other() {
    let one = r#"{"x": 1, "n": 1}"#;
    for filter in [
        r#"{"x": 1}"#,
        r#"{"x": {"$eq": 1}}"#,
        r#"{"x": {"$in": [1]}}"#,
        r#"{"x": {"$in": [1, 1.0]}}"#,
        r#"{"x": {"$all": [1]}}"#,
        r#"{"$and": [{"x": 1}]}"#,
        r#"{"$and": [{"x": {"$in": [1]}}, {"x": {"$gt": 0}}]}"#,
        r#"{"$or": [{"x": 1}]}"#,
        r#"{"$or": [{"x": {"$eq": 1}}]}"#,
        r#"{"$or": [{"$and": [{"x": {"$all": [1]}}]}]}"#,
        r#"{"x": {"$all": [1, {"$regularExpression": {"pattern": "a"}}]}}"#,
    ] {
        assert_eq!(upserted(filter).unwrap(), one, "{filter}");
    }
    for filter in [
        r#"{"x": {"$in": [1, 2]}}"#,
        r#"{"x": {"$in": []}}"#,
        r#"{"x": {"$in": [{"$regularExpression": {"pattern": "a"}}]}}"#,
        r#"{"x": {"$in": [1, {"$regularExpression": {"pattern": "a"}}]}}"#,
        r#"{"x": {"$all": [{"$regularExpression": {"pattern": "a"}}]}}"#,
        r#"{"x": {"$regex": "a"}}"#,
        r#"{"x": {"$elemMatch": {"$eq": 1}}}"#,
        r#"{"x": {"$all": [{"$elemMatch": {"$eq": 1}}]}}"#,
        r#"{"x": {"$not": {"$eq": 1}}}"#,
        r#"{"x": {"$ne": 1}}"#,
        r#"{"x": {"$gt": 1}}"#,
        r#"{"$or": [{"x": 1}, {"x": 1}]}"#,
        r#"{"$nor": [{"x": 1}]}"#,
    ] {
        assert_eq!(upserted(filter).unwrap(), r#"{"n": 1}"#, "{filter}");
    }
    for filter in [
        r#"{"x": {"$all": [1, 2]}}"#,
        r#"{"x": {"$all": [1, 1]}}"#,
        r#"{"$and": [{"x": 1}, {"x": 1}]}"#,
        r#"{"$and": [{"x": {"$eq": 1}}, {"x": 2}]}"#,
        r#"{"x": {"$in": [1]}, "x.y": 1}"#,
        r#"{"x": 1, "$or": [{"x": {"$in": [2]}}]}"#,
    ] {
        assert!(matches!(upserted(filter), Err(UpdateError::Conflict { .. })), "{filter}");
    }
    assert_eq!(upserted(r#"{"x.y": {"$in": ["b"]}}"#).unwrap(), r#"{"x": {"y": "b"}, "n": 1}"#);
}
