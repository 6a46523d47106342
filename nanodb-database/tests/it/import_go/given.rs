//! The files that the program itself has written.

use std::collections::BTreeMap;

use nanodb_database::{Database, Document, ErrorKind, GoImportOptions, Id, Value};

use super::{Contents, floats, sorted, strictly};

pub(super) const HASH: &[u8] = include_bytes!("../../data/go-program/go-hash.db");
pub(super) const TREE: &[u8] = include_bytes!("../../data/go-program/go-btree.db");

const HASH_EXPECTED: &str = include_str!("../../data/go-program/go-hash.expected.json");
const TREE_EXPECTED: &str = include_str!("../../data/go-program/go-btree.expected.json");

/// What the program answered, as documents: numbers other than ids are floats.
pub(super) fn expected(json: &str) -> Contents {
    let mut contents = Contents::new();
    for (name, documents) in Document::parse_json(json).unwrap() {
        let documents = documents.into_array().unwrap().into_iter().map(|document| {
            let document = document.into_document().unwrap();
            let id = match document["_id"] {
                Value::Int(id) => Id::from(id),
                Value::UInt(id) => Id::from(id),
                ref other => panic!("{other:?}"),
            };
            let fields = document.into_iter().map(|(name, value)| match name.as_str() {
                "_id" => (name, value),
                _ => (name, floats(value)),
            });
            (id, sorted(fields.collect()))
        });
        contents.insert(name, documents.collect());
    }
    contents
}

#[test]
fn both_files_of_the_program_have_exactly_the_expected_contents() {
    for (file, json, users) in [(HASH, HASH_EXPECTED, 257), (TREE, TREE_EXPECTED, 275)] {
        let expected = expected(json);
        let counts: BTreeMap<_, _> =
            expected.iter().map(|(name, all)| (name.as_str(), all.len())).collect();
        assert_eq!(counts, [("empty", 0), ("movies", 60), ("users", users)].into());
        let imported = strictly(file).unwrap();
        assert_eq!(imported, expected);
        // Equal is not enough: integers would equal the floats.
        for document in imported.values().flat_map(BTreeMap::values) {
            assert!(!format!("{document:?}").is_empty());
            let is_integer = |value: &Value| matches!(value, Value::Int(_) | Value::UInt(_));
            assert!(document.iter().all(|(name, value)| name == "_id" || !is_integer(value)));
        }
    }
}

#[test]
fn a_file_is_imported_by_its_path_and_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("old.db");
    std::fs::write(&old, HASH).unwrap();
    let db = Database::open(directory.path().join("new.nanodb")).unwrap();
    let report = db.import_go(&old).unwrap();
    assert_eq!((report.documents(), report.collections.len()), (317, 3));
    assert_eq!(super::contents(&db), expected(HASH_EXPECTED));
    assert!(db.check().unwrap().is_clean());
    assert_eq!(std::fs::read(&old).unwrap(), HASH);

    // What is there is not mixed with what comes.
    let error = db.import_go(&old).unwrap_err();
    assert_eq!((error.kind(), error.collection()), (ErrorKind::AlreadyExists, Some("users")));
    assert_eq!(super::contents(&db), expected(HASH_EXPECTED));
    db.close().unwrap();
}

#[test]
fn what_is_no_file_of_the_program_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let db = Database::in_memory().unwrap();
    let import = || db.import_go(&path).unwrap_err();
    assert_eq!(import().kind(), ErrorKind::Io);
    for (bytes, why) in [
        (&b""[..], "not a file of the Go program"),
        (b"AAMN", "not a file of the Go program"),
        (&[b'x'; 9000], "not a file of the Go program"),
        (b"AAMN\x02\0\0\x10\0\0\0\0\0\0\0\0\0\0", "of version 2"),
        (b"AAMN\x01\0\0\x20\0\0\0\0\0\0\0\0\0\0", "pages of 8192 bytes"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = import();
        assert_eq!((error.kind(), error.file()), (ErrorKind::NotADatabase, Some(&*path)));
        assert!(error.to_string().contains(why), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let ours = Database::open(&path).unwrap();
    ours.collection("c").insert(nanodb_database::doc! {}).unwrap();
    ours.checkpoint().unwrap();
    // Open here, closed, and by itself.
    let ours_again = ours.import_go(&path).unwrap_err();
    assert_eq!(ours_again.kind(), ErrorKind::NotADatabase);
    assert!(import().to_string().contains("a file of this library"), "{}", import());
    ours.close().unwrap();
    assert!(import().to_string().contains("a file of this library"), "{}", import());
}

#[test]
fn a_database_that_is_read_only_or_closed_imports_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join("old"), directory.path().join("new"));
    std::fs::write(&old, TREE).unwrap();
    let db = Database::open(&new).unwrap();
    db.clone().close().unwrap();
    assert_eq!(db.import_go(&old).unwrap_err().kind(), ErrorKind::Closed);
    let db = Database::options().read_only(true).open(&new).unwrap();
    let error = db.import_go_with(&old, &GoImportOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
}
