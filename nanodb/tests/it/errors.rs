//! An error of nearly every kind, as a program meets it: its text says each reason once, and the
//! errors about a file name it.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fs;
use std::path::Path;

use nanodb::{Database, Document, Error, Filter, Update, doc, field};

/// The texts of an error, and of what is behind it.
fn chain(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut link = error.source();
    while let Some(source) = link {
        texts.push(source.to_string());
        link = source.source();
    }
    texts
}

/// Errors about documents, values, queries and collections.
fn of_requests() -> Vec<Error> {
    let db = Database::in_memory().unwrap();
    let (users, other) = (db.collection("users"), db.collection("other"));
    users.insert(doc! { "_id": 1, "name": "Ada", "n": 300 }).unwrap();
    other.insert(doc! { "_id": (1_i64 << 53) - 1 }).unwrap();
    let stored = users.get(1).unwrap().unwrap();
    let long = "n".repeat(nanodb::FIELD_NAME_BYTES_MAX + 1);
    let mut errors = vec![
        users.insert(doc! { "_id": 1.5 }).unwrap_err(),
        users.insert(doc! { "_id": "i".repeat(600) }).unwrap_err(),
        users.insert(doc! { "text": "t".repeat(17 << 20) }).unwrap_err(),
        users.insert(doc! { "n": nanodb::ser(u128::MAX) }).unwrap_err(),
        users.insert(doc! { (long.as_str()): 1 }).unwrap_err(),
        users.insert(doc! { "_id": 1 }).unwrap_err(),
        users.replace(1, doc! { "_id": 2 }).unwrap_err(),
        users.find(doc! { "a": { "$gtt": 1 } }).run().unwrap_err(),
        users.find(doc! {}).sort(doc! { "a": 2 }).run().unwrap_err(),
        users.find(doc! {}).projection(doc! { "a": 1, "b": 0 }).run().unwrap_err(),
        users.update_many(doc! {}, doc! { "n": 1 }).unwrap_err(),
        users.update_many(doc! {}, doc! { "$inc": { "name": 1 } }).unwrap_err(),
        users.update_many(doc! {}, Update::new().set("_id", 5)).unwrap_err(),
        Filter::parse_json(r#"{"a": {"$gt": "#).unwrap_err(),
        Filter::parse_json(r#"{"$or": 1}"#).unwrap_err(),
        Update::parse_json(r#"{"$set": {"a": {"$date": "soon"}}}"#).unwrap_err(),
        users.find(field("name").regex("(a", "")).run().unwrap_err(),
        Document::parse_json(r#"{"a": {"$dat": 5}}"#).unwrap_err(),
        Document::parse_json(r#"{"a": "#).unwrap_err(),
        "soon".parse::<nanodb::Timestamp>().unwrap_err(),
        "1".parse::<nanodb::ObjectId>().unwrap_err(),
        "1".parse::<nanodb::Uuid>().unwrap_err(),
        stored.get_str("none").unwrap_err(),
        stored.get_str("n").unwrap_err(),
        stored.deserialize::<Vec<u8>>().unwrap_err(),
        stored.to_document().unwrap().get_str("none").unwrap_err(),
        nanodb::from_document::<(u8,)>(&doc! { "a": [300] }).unwrap_err(),
        nanodb::to_value(&u128::MAX).unwrap_err(),
        db.rename_collection("none", "new").unwrap_err(),
        db.rename_collection("users", "other").unwrap_err(),
        db.collection("").insert(doc! {}).unwrap_err(),
        other.insert(doc! {}).unwrap_err(),
    ];
    let bulk = [nanodb::BulkOperation::insert(doc! { "_id": 1 })];
    errors.push(users.bulk_write(bulk).unwrap_err());
    let tx = db.begin_write();
    tx.collection("users").insert(doc! {}).unwrap();
    errors.push(users.insert(doc! {}).unwrap_err());
    drop(tx);
    db.close().unwrap();
    errors.push(users.insert(doc! {}).unwrap_err());
    errors
}

/// Errors about the file of this path, which does not exist.
fn of_files(path: &Path) -> Vec<Error> {
    let open = || Database::options();
    let fill = |db: &Database| {
        let all = db.collection("all");
        let lines = |n: i32| doc! { "n": n, "pad": "p".repeat(150) };
        (0..10_000).try_for_each(|n| all.insert(lines(n)).map(drop))
    };
    let limited = open().file_bytes_max(256 * 1024).open(path).unwrap();
    let mut errors = vec![fill(&limited).unwrap_err()];
    limited.close().unwrap();

    let read_only = open().read_only(true).open(path).unwrap();
    errors.push(read_only.collection("all").insert(doc! {}).unwrap_err());
    errors.push(Database::open(path).unwrap_err());
    read_only.clone().close().unwrap();
    errors.push(read_only.collection("all").get(1).unwrap_err());

    // A file without its log, and a log without its file.
    let other = path.with_extension("other");
    let db = Database::open(path).unwrap();
    db.collection("all").insert(doc! { "late": true }).unwrap();
    fs::copy(path, &other).unwrap();
    errors.push(Database::open(&other).unwrap_err());
    db.close().unwrap();

    let mut bytes = fs::read(path).unwrap();
    let (start, end) = (2000, bytes.len());
    for at in (start..end).step_by(4096).skip(2) {
        bytes[at] ^= 1;
    }
    fs::write(path, &bytes).unwrap();
    let damaged = Database::open(path).and_then(|db| {
        let found = db.collection("all").find(doc! { "n": 7 }).count();
        db.close()?;
        found
    });
    errors.push(damaged.unwrap_err());
    fs::write(&other, &bytes[..bytes.len() - 5000]).unwrap();
    errors.push(Database::open(&other).unwrap_err());
    fs::write(&other, "no database at all".repeat(1000)).unwrap();
    errors.push(Database::open(&other).unwrap_err());
    errors.push(Database::open(path.join("below a file")).unwrap_err());
    errors.push(Database::open(path.parent().unwrap()).unwrap_err());
    errors
}

#[test]
fn every_text_says_each_reason_once_and_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let of_files = of_files(&directory.path().join("data.nanodb"));
    let place = directory.path().display().to_string();
    for error in &of_files {
        // Of damage the page is said; there may be many openings of a file.
        if error.page().is_none() {
            assert!(error.to_string().contains(&place), "{error:?}");
            assert!(
                error.file().is_some_and(|file| file.starts_with(directory.path())),
                "{error:#?}"
            );
        }
    }
    let mut kinds = BTreeSet::new();
    for error in of_requests().iter().chain(&of_files) {
        let chain = chain(error);
        for (at, text) in chain.iter().enumerate() {
            assert!(!text.is_empty() && !text.ends_with('.'), "{chain:?}");
            let before = &chain[..at];
            assert!(before.iter().all(|said| !said.contains(text)), "said twice: {chain:?}");
        }
        let text = &chain[0];
        for part in text.split(": ").filter(|part| part.len() > 12) {
            assert_eq!(text.matches(part).count(), 1, "`{part}` twice in: {text}");
        }
        assert!(format!("{error:?}").starts_with(&format!("{error} [{:?}]", error.kind())));
        kinds.insert(format!("{:?}", error.kind()));
    }
    let expected = [
        "AlreadyExists",
        "Closed",
        "Conflict",
        "Damaged",
        "DuplicateId",
        "Exhausted",
        "Invalid",
        "Io",
        "Locked",
        "Misplaced",
        "NotADatabase",
        "NotFound",
        "QuotaExceeded",
        "ReadOnly",
        "WrongType",
    ];
    for kind in expected {
        assert!(kinds.contains(kind), "none is {kind}: {kinds:?}");
    }
    assert!(kinds.len() >= expected.len());
}
