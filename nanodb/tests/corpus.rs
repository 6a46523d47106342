//! Queries and updates whose right answers are known, on stored documents.
//!
//! Reads every `.jsonl` and `.jsonl.gz` in the folder that the environment variable `NANODB_CORPUS`
//! names, else in `nanodb-query/tests/data`, whose README has the format. Not a test of the usual
//! harness, so that its last line is always `N passed, N failed, N skipped`.

// Without the usual harness clippy takes this for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../nanodb-query/tests/data/cases.rs"]
mod cases;
#[path = "../../nanodb-query/tests/it/json.rs"]
mod json;

use std::collections::HashMap;
use std::process::ExitCode;

use cases::Outcome;
use json::Json;
use nanodb::{
    Collection, Database, DocView, Document, Filter, Projection, Sort, Update, Value, field,
};
use serde::{Deserialize, Deserializer};

/// A database, and the collections in it by the numbers of their datasets.
struct Stored {
    db: Database,
    datasets: HashMap<String, Collection>,
}

/// A case as it stands. Read as a document at once, its operators would be unknown forms.
struct Case(Document);

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Json::deserialize(deserializer)?.to_msgpack();
        let document = DocView::parse(&bytes).and_then(DocView::to_document);
        document.map(Self).map_err(serde::de::Error::custom)
    }
}

fn main() -> ExitCode {
    let begin = || Stored { db: Database::in_memory().unwrap(), datasets: HashMap::new() };
    cases::run(begin, judge)
}

fn judge(Case(case): &Case, Stored { db, datasets }: &mut Stored) -> Outcome {
    let kind = case.get("kind").and_then(Value::as_str).unwrap_or_default();
    Outcome::Answered(match kind.strip_prefix("hand-").unwrap_or(kind) {
        "dataset" => {
            let name = case.get("ds").expect("ds").to_string();
            let collection = store(db, &name, case.get("docs"));
            datasets.insert(name, collection);
            return Outcome::NoCase;
        }
        "query" | "sort" => {
            let name = case.get("ds").map(ToString::to_string);
            let own = || store(db, "own", case.get("docs"));
            let collection = name.map_or_else(own, |name| datasets[&name].clone());
            let answer = query(&collection, case);
            db.drop_collection("own").unwrap();
            answer
        }
        "projection" => project(&db.collection("one"), case),
        "update" => update(&db.collection("one"), case),
        _ => return Outcome::Skipped,
    })
}

fn store(db: &Database, name: &str, documents: Option<&Value>) -> Collection {
    let collection = db.collection(name);
    let documents = documents.and_then(Value::as_array).expect("docs");
    let documents = documents.iter().map(|document| document.as_document().unwrap());
    collection.insert_many(documents).unwrap();
    collection
}

fn part<'c, T: TryFrom<&'c Document, Error = nanodb::Error>>(
    case: &'c Document,
    name: &str,
) -> Result<T, String> {
    let document = case.get(name).and_then(Value::as_document).ok_or("no document")?;
    T::try_from(document).map_err(|error| error.to_string())
}

fn query(collection: &Collection, case: &Document) -> Result<(), String> {
    let mut sort = Sort::default();
    for pair in case.get("sort").and_then(Value::as_array).unwrap_or_default() {
        let [path, direction] = pair.as_array().unwrap() else { panic!("{pair:?}") };
        let path = path.as_str().unwrap();
        sort = match direction.as_i64() {
            Some(1) => sort.then_ascending(path),
            _ => sort.then_descending(path),
        };
    }
    let is_ordered = case.get("ordered").map_or(!sort.is_empty(), |it| it.as_bool() == Some(true));
    let count = |name| case.get(name).and_then(Value::as_u64).filter(|&count| count > 0);
    let mut find = collection
        .find(part::<Filter>(case, "filter")?)
        .sort(sort)
        .skip(count("skip").unwrap_or(0))
        .limit(count("limit").unwrap_or(u64::MAX));
    let expect = |name| case.get(name).and_then(Value::as_array).map(<[Value]>::to_vec);

    let ids = documents(find.clone())?.into_iter().map(|mut one| one.remove("_id").unwrap());
    let found = find.clone().count().map_err(|error| error.to_string())?;
    let expected = expect("expected").expect("ids");
    if found != expected.len() as u64 {
        return Err(format!("counted {found}"));
    }
    check_equal(ids.collect(), expected, is_ordered)?;
    if case.contains_key("projection") {
        find = find.projection(part::<Projection>(case, "projection")?);
        let found = documents(find)?.into_iter().map(Value::Document).collect();
        check_equal(found, expect("expectedDocs").expect("documents"), is_ordered)?;
    }
    Ok(())
}

fn documents(find: nanodb::Find<'_>) -> Result<Vec<Document>, String> {
    let found = find.run().map_err(|error| error.to_string())?;
    found.map(|one| Ok(one.unwrap().to_document().unwrap())).collect()
}

fn project(collection: &Collection, case: &Document) -> Result<(), String> {
    let id = insert(collection, case);
    let find = collection.find(field("_id").eq(&id));
    let found = documents(find.projection(part::<Projection>(case, "projection")?))?;
    collection.delete(&id).unwrap();
    let found = found.into_iter().map(Value::Document).collect();
    check_equal(found, vec![case.get("expected").unwrap().clone()], true)
}

fn insert(collection: &Collection, case: &Document) -> nanodb::Id {
    collection.insert(case.get("doc").and_then(Value::as_document).unwrap()).unwrap()
}

fn update(collection: &Collection, case: &Document) -> Result<(), String> {
    let is_error = case.get("error").and_then(Value::as_bool) == Some(true);
    let id = insert(collection, case);
    let before = collection.get(&id).unwrap().unwrap().to_document().unwrap();
    let filter = field("_id").eq(&id);
    let change = case.get("update").and_then(Value::as_document).expect("an update");
    let is_replacement = change.iter().all(|(name, _)| !name.starts_with('$'));
    let done = if is_replacement {
        collection.replace_one(filter, change)
    } else {
        Update::try_from(change).and_then(|change| collection.update_one(filter, &change))
    };
    let after = collection.get(&id).unwrap().unwrap().to_document().unwrap();
    collection.delete(&id).unwrap();
    match done {
        Err(_) if is_error && after == before => Ok(()),
        Err(error) => Err(format!("{error}: {:?}", std::error::Error::source(&error))),
        Ok(_) if is_error => Err(format!("found {after}")),
        Ok(done) => {
            let noop = case.get("noop").and_then(Value::as_bool);
            if noop.is_some_and(|noop| noop == (done.modified == 1)) {
                return Err(format!("modified {}", done.modified));
            }
            let expected = case.get("expected").expect("a document").clone();
            check_equal(vec![Value::Document(after)], vec![expected], true)
        }
    }
}

/// Values must be equal, numbers by value.
fn check_equal(
    mut found: Vec<Value>,
    mut expected: Vec<Value>,
    is_ordered: bool,
) -> Result<(), String> {
    for values in [&mut found, &mut expected] {
        values.iter_mut().for_each(normalise);
        if !is_ordered {
            values.sort_by_key(ToString::to_string);
        }
    }
    if found == expected { Ok(()) } else { Err(format!("found {found:?}")) }
}

/// Whole floats become integers. Fields named by whole numbers come first, as in JavaScript, by
/// which what is expected was written.
fn normalise(value: &mut Value) {
    match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            *value = format!("{number:.0}").parse::<i64>().unwrap().into();
        }
        Value::Array(elements) => elements.iter_mut().for_each(normalise),
        Value::Document(document) => {
            let mut fields: Vec<(String, Value)> = std::mem::take(document).into_iter().collect();
            fields.sort_by_key(|(name, _)| name.parse().unwrap_or(u32::MAX));
            fields.iter_mut().for_each(|(_, value)| normalise(value));
            document.extend(fields);
        }
        _ => {}
    }
}
