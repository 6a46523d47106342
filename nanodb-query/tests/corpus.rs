//! Queries and updates whose right answers are known.
//!
//! Reads every `.jsonl` and `.jsonl.gz` in the folder that the environment variable
//! `NANODB_CORPUS` names, else in `tests/data`; tests/data/README.md has the format. Not a test of
//! the usual harness, so that its last line is always `N passed, N failed, N skipped`.

// Without the usual harness clippy takes this for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "data/cases.rs"]
mod cases;
#[path = "it/json.rs"]
mod json;

use std::collections::HashMap;
use std::process::ExitCode;

use cases::Outcome;
use json::Json;
use nanodb_msgpack::{RawValue, compare};
use nanodb_query::bytes::{FilterBytes, ProjectionBytes, SortBytes, UpdateBytes};
use nanodb_query::{Filter, Projection, Sort, Update, UpdateContext};

/// Sets of documents by their number.
type Datasets = HashMap<String, Vec<Vec<u8>>>;

fn main() -> ExitCode {
    cases::run(Datasets::new, judge)
}

fn judge(case: &Json, datasets: &mut Datasets) -> Outcome {
    let kind = case.get("kind").and_then(Json::as_str).unwrap_or_default();
    Outcome::Answered(match kind.strip_prefix("hand-").unwrap_or(kind) {
        "dataset" => {
            let documents = case.get("docs").expect("docs").documents();
            datasets.insert(case.get("ds").expect("ds").to_string(), documents);
            return Outcome::NoCase;
        }
        "query" | "sort" => match (case.get("docs"), case.get("ds")) {
            (Some(documents), _) => run_query(case, &documents.documents()),
            (None, Some(number)) => match datasets.get(&number.to_string()) {
                Some(documents) => run_query(case, documents),
                None => Err(format!("no dataset {number}")),
            },
            (None, None) => Err("no documents".to_owned()),
        },
        "projection" => run_projection(case),
        "update" => run_update(case),
        _ => return Outcome::Skipped,
    })
}

fn run_query(case: &Json, documents: &[Vec<u8>]) -> Result<(), String> {
    let filter = parse_filter(case.get("filter").ok_or("no filter")?)?;
    let mut found = Vec::new();
    for document in documents {
        if filter.matches(document).map_err(|error| error.to_string())? {
            found.push(document.as_slice());
        }
    }
    let sort = parse_sort(case.get("sort"))?;
    found.sort_by_cached_key(|document| sort.key(document).expect("a document"));
    let count = |name| case.get(name).and_then(Json::as_usize).unwrap_or(0);
    let limit = if count("limit") == 0 { usize::MAX } else { count("limit") };
    let found: Vec<&[u8]> = found.into_iter().skip(count("skip")).take(limit).collect();

    let id = |document: &&[u8]| {
        RawValue::new(document).field("_id").unwrap().unwrap().bytes().unwrap().to_vec()
    };
    let mut ids: Vec<Vec<u8>> = found.iter().map(id).collect();
    let mut expected = case.get("expected").ok_or("no expectation")?.documents();
    let ordered = case.get("ordered").map_or(case.get("sort").is_some(), Json::is_true);
    if !ordered {
        ids.sort_by(|a, b| by_value(a, b));
        expected.sort_by(|a, b| by_value(a, b));
    }
    check_equal(&ids, &expected)?;

    let Some(projection) = case.get("projection") else { return Ok(()) };
    let projection = parse_projection(projection)?;
    let mut projected = project(&projection, &found)?;
    let mut expected = case.get("expectedDocs").ok_or("no documents expected")?.documents();
    if !ordered {
        projected.sort_by(|a, b| by_value(a, b));
        expected.sort_by(|a, b| by_value(a, b));
    }
    check_equal(&projected, &expected)
}

fn run_projection(case: &Json) -> Result<(), String> {
    let projection = parse_projection(case.get("projection").ok_or("no projection")?)?;
    let document = case.get("doc").ok_or("no document")?.to_msgpack();
    let expected = case.get("expected").ok_or("no expectation")?.to_msgpack();
    check_equal(&project(&projection, &[&document])?, &[expected])
}

fn project(projection: &Projection, documents: &[&[u8]]) -> Result<Vec<Vec<u8>>, String> {
    let apply = |document: &&[u8]| {
        let mut out = Vec::new();
        projection.apply(document, &mut out).map_err(|error| error.to_string()).map(|()| out)
    };
    documents.iter().map(apply).collect()
}

fn run_update(case: &Json) -> Result<(), String> {
    let document = case.get("doc").ok_or("no document")?.to_msgpack();
    let is_error = case.get("error").is_some_and(Json::is_true);
    let update = match parse_update(case.get("update").ok_or("no update")?) {
        Ok(update) => update,
        Err(_) if is_error => return Ok(()),
        Err(message) => return Err(message),
    };
    let mut new = Vec::new();
    let changed = update.apply(&document, &UpdateContext::default(), &mut new);
    match (changed, case.get("expected")) {
        (Err(_), _) if is_error && new.is_empty() => Ok(()),
        (Err(error), _) => Err(error.to_string()),
        (Ok(_), None) => Err(format!("found {}", json::show(&[new]))),
        (Ok(changed), Some(expected)) => {
            if case.get("noop").is_some_and(|noop| noop.is_true() == changed) {
                return Err(format!("changed: {changed}"));
            }
            let new = if changed { new } else { document };
            check_equal(&[in_their_order(&new)], &[in_their_order(&expected.to_msgpack())])
        }
    }
}

/// A document with the fields first whose names are whole numbers, as those are that were written
/// by JavaScript.
fn in_their_order(document: &[u8]) -> Vec<u8> {
    fn order(value: &mut rmpv::Value) {
        match value {
            rmpv::Value::Map(fields) => {
                fields.sort_by_key(|(name, _)| name.as_str().unwrap().parse().unwrap_or(u32::MAX));
                fields.iter_mut().for_each(|(_, value)| order(value));
            }
            rmpv::Value::Array(elements) => elements.iter_mut().for_each(order),
            _ => {}
        }
    }
    let mut value = rmpv::decode::read_value(&mut &document[..]).unwrap();
    order(&mut value);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &value).unwrap();
    bytes
}

/// Parses an update from MessagePack and from text, and what it prints. One without operators is a
/// replacement.
fn parse_update(json: &Json) -> Result<Update, String> {
    let operators = json.to_string().starts_with("{\"$");
    let parsed = if operators { Update::parse } else { <Update as UpdateBytes>::replacement };
    let from_text = if operators { Update::parse_json } else { Update::replacement_json };
    let update = parsed(&json.to_msgpack()).map_err(|error| error.to_string())?;
    let from_text = from_text(&json.to_string()).map_err(|error| error.to_string())?;
    let printed = update.to_string();
    let again = Update::parse_json(&printed).map_err(|error| format!("{printed}: {error}"))?;
    if update == from_text && update == again {
        Ok(update)
    } else {
        Err(format!("printed {printed}"))
    }
}

fn parse_projection(json: &Json) -> Result<Projection, String> {
    let projection = Projection::parse(&json.to_msgpack()).map_err(|error| error.to_string())?;
    let printed = projection.to_string();
    let again = Projection::parse_json(&printed).map_err(|error| format!("{printed}: {error}"))?;
    if projection == again { Ok(projection) } else { Err(format!("printed {printed}")) }
}

fn by_value(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    compare(RawValue::new(a), RawValue::new(b)).unwrap()
}

/// Values must be equal, numbers by value.
fn check_equal(found: &[Vec<u8>], expected: &[Vec<u8>]) -> Result<(), String> {
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            compare(RawValue::new(found), RawValue::new(expected)).unwrap().is_eq()
        });
    if same { Ok(()) } else { Err(format!("found {}", json::show(found))) }
}

/// Parses a filter from MessagePack and from text, and what it prints.
fn parse_filter(json: &Json) -> Result<Filter, String> {
    let filter = Filter::parse(&json.to_msgpack()).map_err(|error| error.to_string())?;
    let from_text = Filter::parse_json(&json.to_string()).map_err(|error| error.to_string())?;
    let printed = filter.to_string();
    let again = Filter::parse_json(&printed).map_err(|error| format!("{printed}: {error}"))?;
    if filter == from_text && filter == again {
        Ok(filter)
    } else {
        Err(format!("printed {printed}"))
    }
}

/// `[[path, 1], ...]`.
fn parse_sort(json: Option<&Json>) -> Result<Sort, String> {
    let mut sort = Sort::default();
    for pair in json.and_then(Json::as_array).unwrap_or_default() {
        let path = pair.as_array().and_then(|pair| pair.first()).and_then(Json::as_str);
        let path = path.ok_or("a path")?;
        sort = if pair.to_string().ends_with("-1]") {
            sort.then_descending(path)
        } else {
            sort.then_ascending(path)
        };
    }
    let again: Sort = sort.to_string().parse().map_err(|error| format!("{error}"))?;
    assert_eq!(sort, again);
    Ok(sort)
}
