//! The page that documents are appended to is damaged: it costs the documents on it and nothing
//! else.

use std::sync::Arc;

use nanodb_database::{Database, ErrorKind, doc};
use nanodb_pager::PAGE_SIZE;
use nanodb_sim::SimStorage;

/// Where a page's kind stands, and the kind of pages with documents.
const KIND_AT: usize = 24;
const SLOTTED: u8 = 16;

/// A thousand documents, the last page of which has lost a bit.
fn damaged() -> SimStorage {
    let storage = SimStorage::new();
    let db = Database::options().background(false).open_on(Arc::new(storage.clone())).unwrap();
    let all = db.collection("all");
    all.insert_many((1..=1000).map(|n| doc! { "n": n, "pad": "p".repeat(150) })).unwrap();
    db.close().unwrap();
    let mut bytes = storage.contents();
    let is_slotted = |&page: &usize| bytes[page * PAGE_SIZE + KIND_AT] == SLOTTED;
    let last = (2..bytes.len() / PAGE_SIZE).rev().find(is_slotted).unwrap();
    bytes[last * PAGE_SIZE + 3000] ^= 1;
    storage.set_contents(bytes);
    storage
}

fn open(storage: &SimStorage) -> Database {
    Database::options().background(false).open_on(Arc::new(storage.clone())).unwrap()
}

#[test]
fn a_damaged_tail_page_does_not_keep_new_documents_out() {
    let storage = damaged();
    let mut errors = Vec::new();
    let mut note = |what: &str, result: Result<(), nanodb_database::Error>| {
        errors.extend(result.err().map(|error| format!("{what}: {error}")));
    };
    for round in 0..3 {
        let db = open(&storage);
        let all = db.collection("all");
        for id in 0..5 {
            note("insert", all.insert(doc! { "_id": 10_000 + 10 * round + id }).map(drop));
        }
        // Room elsewhere, and everything that might help.
        for id in 1..=300 {
            let _ = all.delete(id + 300 * round);
        }
        note("insert after deletions", all.insert(doc! { "_id": 20_000 + round }).map(drop));
        let larger = doc! { "pad": "p".repeat(3000) };
        note("an update that must move", all.replace(950, larger).map(drop));
        note("compact", db.compact());
    }
    assert!(errors.is_empty(), "{} errors: {errors:#?}", errors.len());
}

#[test]
fn what_was_on_a_damaged_tail_page_is_told_of_and_all_else_is_there() {
    let storage = damaged();
    let db = open(&storage);
    let all = db.collection("all");
    // Small, spilled, several at once, and in a transaction.
    all.insert(doc! { "_id": 2001, "pad": "p".repeat(100) }).unwrap();
    drop((all, db));
    let db = open(&storage);
    let all = db.collection("all");
    all.insert(doc! { "_id": 2002, "pad": "p".repeat(50_000) }).unwrap();
    all.insert_many((2003..2103).map(|id| doc! { "_id": id, "pad": "p".repeat(400) })).unwrap();
    db.write(|tx| tx.collection("all").insert(doc! { "_id": 2200 })).unwrap();
    assert!((2001..2103).all(|id| all.get(id).unwrap().is_some()));

    let lost: Vec<i64> = (1..=1000)
        .filter(|&id| match all.get(id) {
            Ok(found) => {
                assert!(found.is_some(), "{id} is missing");
                false
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Damaged);
                true
            }
        })
        .collect();
    assert!((1..40).contains(&lost.len()), "{lost:?}");
    assert!(lost.iter().all(|&id| all.insert(doc! { "_id": id }).is_err()));
}
