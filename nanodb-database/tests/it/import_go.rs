//! Files of the Go program: imported as they were, and damage found.
//!
//! `tests/data/go-program` has a file of either version, written by the program itself, and what it
//! answered when it was asked for everything.

mod damage;
mod given;
mod model;
mod repeated;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_database::{Database, Document, Error, GoImportOptions, GoImportReport, Id, Value};
use nanodb_sim::SimStorage;

/// Collections, and in them documents by id, with their fields in the order of the names.
type Contents = BTreeMap<String, BTreeMap<Id, Document>>;

fn contents(db: &Database) -> Contents {
    let mut all = Contents::new();
    for info in db.collections().unwrap() {
        let documents = all.entry(info.name.clone()).or_default();
        for document in db.collection(&info.name).iter().unwrap() {
            let document = document.unwrap();
            let id = document.id().unwrap().to_owned();
            let document = document.to_document().unwrap();
            assert_eq!(document.keys().next(), Some("_id"));
            documents.insert(id, sorted(document));
        }
        assert_eq!(documents.len() as u64, info.count);
    }
    all
}

/// The document with the fields of all documents in it in the order of their names.
fn sorted(document: Document) -> Document {
    let fields: BTreeMap<String, Value> = document.into_iter().collect();
    fields.into_iter().map(|(name, value)| (name, sorted_value(value))).collect()
}

fn sorted_value(value: Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.into_iter().map(sorted_value).collect()),
        Value::Document(document) => Value::Document(sorted(document)),
        other => other,
    }
}

/// Imports a file, which must stay as it is.
fn import(file: &[u8], options: &GoImportOptions) -> (Database, Result<GoImportReport, Error>) {
    let storage = SimStorage::from_contents(file.to_vec());
    let db = Database::in_memory().unwrap();
    let report = db.import_go_on(Arc::new(storage.clone()), options);
    assert!(storage.files() == SimStorage::from_contents(file.to_vec()).files());
    match &report {
        Ok(report) => {
            let counts = contents(&db).into_iter().map(|(name, all)| (name, all.len() as u64));
            let reported = report.collections.iter().map(|one| (one.name.clone(), one.documents));
            assert_eq!(counts.collect::<BTreeMap<_, _>>(), reported.collect());
        }
        Err(_) => assert!(db.collections().unwrap().is_empty(), "something was imported"),
    }
    (db, report)
}

fn strictly(file: &[u8]) -> Result<Contents, Error> {
    let (db, report) = import(file, &GoImportOptions::new());
    report.map(|report| {
        assert!(report.is_complete());
        contents(&db)
    })
}

fn skipping(file: &[u8]) -> (Contents, GoImportReport) {
    let (db, report) = import(file, &GoImportOptions::new().skip_damaged(true));
    (contents(&db), report.unwrap())
}

/// The value with each number in it a float, as the Go program has them.
fn floats(value: Value) -> Value {
    match value {
        Value::Int(number) => Value::Float(number as f64),
        Value::Array(values) => Value::Array(values.into_iter().map(floats).collect()),
        Value::Document(fields) => {
            Value::Document(fields.into_iter().map(|(name, value)| (name, floats(value))).collect())
        }
        other => other,
    }
}
