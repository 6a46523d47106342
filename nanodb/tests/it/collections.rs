//! Collections by name: many of them, dropped, renamed, refused.

use nanodb::{COLLECTION_NAME_BYTES_MAX, Database, ErrorKind, Id, doc};

#[test]
fn hundreds_of_collections_are_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    // Long names, so that the list of them takes many pages.
    let name = |number: u64| format!("{number:03}-{}", "n".repeat(200));
    let db = Database::open(&path).unwrap();
    for number in 0..400 {
        let documents = (0..=number % 7).map(|index| doc! { "index": index });
        db.collection(&name(number)).insert_many(documents).unwrap();
    }
    for number in (0..400).step_by(10) {
        assert!(db.drop_collection(&name(number)).unwrap());
    }
    db.close().unwrap();

    let db = Database::open(&path).unwrap();
    let listed = db.collections().unwrap();
    assert_eq!(listed.len(), 360);
    assert!(listed.is_sorted_by(|a, b| a.name < b.name));
    for number in 0..400 {
        let expected = if number % 10 == 0 { 0 } else { number % 7 + 1 };
        let collection = db.collection(&name(number));
        assert_eq!(collection.count().unwrap(), expected);
        assert_eq!(collection.iter().unwrap().count() as u64, expected);
    }
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.collections, 360);
}

#[test]
fn a_collection_is_made_by_its_first_document_alone() {
    let db = Database::in_memory().unwrap();
    let users = db.collection("users");
    assert_eq!(users.count().unwrap(), 0);
    assert!(users.get(1).unwrap().is_none());
    assert!(!users.replace(1, doc! {}).unwrap());
    assert!(!users.delete(1).unwrap());
    assert!(users.scan().unwrap().next().unwrap().is_none());
    assert!(users.insert_many(Vec::<nanodb::Document>::new()).unwrap().is_empty());
    assert!(users.insert(doc! { "_id": 1.5 }).is_err());
    assert!(db.collections().unwrap().is_empty());

    users.insert(doc! {}).unwrap();
    assert_eq!(db.collections().unwrap().len(), 1);
}

#[test]
fn names_have_limits() {
    let db = Database::in_memory().unwrap();
    let longest = "n".repeat(COLLECTION_NAME_BYTES_MAX);
    db.collection(&longest).insert(doc! {}).unwrap();
    for name in ["", "a\0b", &"n".repeat(COLLECTION_NAME_BYTES_MAX + 1)] {
        let error = db.collection(name).insert(doc! {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains("cannot name a collection"), "{error}");
        assert!(error.to_string().contains("255"));
        assert!(db.rename_collection(&longest, name).is_err());
    }
    assert_eq!(db.collections().unwrap().len(), 1);
}

#[test]
fn handles_follow_the_name_when_collections_are_renamed_or_dropped() {
    let db = Database::in_memory().unwrap();
    let (old, new) = (db.collection("old"), db.collection("new"));
    old.insert(doc! { "_id": 1 }).unwrap();
    assert_eq!((old.count().unwrap(), new.count().unwrap()), (1, 0));

    db.rename_collection("old", "new").unwrap();
    assert_eq!((old.count().unwrap(), new.count().unwrap()), (0, 1));
    assert!(new.contains(1).unwrap() && !old.contains(1).unwrap());
    assert!(!old.delete(1).unwrap());

    old.insert(doc! { "_id": 2 }).unwrap();
    assert_eq!((old.count().unwrap(), new.count().unwrap()), (1, 1));
    let error = db.rename_collection("old", "new").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let error = db.rename_collection("none", "other").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    assert!(db.drop_collection("new").unwrap());
    assert_eq!((old.count().unwrap(), new.count().unwrap()), (1, 0));
    // A new collection of that name begins anew.
    assert_eq!(new.insert(doc! {}).unwrap(), 1.into());
    assert!(db.check().unwrap().is_clean());
}

#[test]
fn what_was_handed_out_survives_dropping_the_collection() {
    let db = Database::in_memory().unwrap();
    let users = db.collection("users");
    users.insert_many((0..500).map(|n| doc! { "n": n, "pad": "p".repeat(100) })).unwrap();
    let kept = users.get(7).unwrap().unwrap();
    let mut cursor = users.scan().unwrap();
    cursor.next().unwrap();
    db.drop_collection("users").unwrap();
    // Whoever comes next may take the pages, but not from under these two.
    db.collection("others").insert_many((0..500).map(|n| doc! { "other": n })).unwrap();

    assert_eq!(kept.get("n").unwrap().as_i64(), Some(6));
    let mut left = 0;
    while let Some(user) = cursor.next().unwrap() {
        assert!(user.get("n").is_some());
        left += 1;
    }
    assert_eq!(left, 499);
}

#[test]
fn ids_are_never_assigned_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    {
        let users = Database::open(&path).unwrap().collection("users");
        assert_eq!(users.insert(doc! {}).unwrap(), 1.into());
        assert_eq!(users.insert(doc! { "_id": 10 }).unwrap(), 10.into());
        assert_eq!(users.insert(doc! {}).unwrap(), 11.into());
        assert_eq!(users.insert(doc! { "_id": -5 }).unwrap(), (-5).into());
        assert!(users.delete(11).unwrap());
    }
    let users = Database::open(&path).unwrap().collection("users");
    assert_eq!(users.insert(doc! {}).unwrap(), 12.into());

    // Above what a JavaScript number counts nothing is assigned, nor counted in.
    assert_eq!(users.insert(doc! { "_id": (1_i64 << 53) }).unwrap(), (1_i64 << 53).into());
    assert_eq!(users.insert(doc! {}).unwrap(), 13.into());
    users.insert(doc! { "_id": ((1_i64 << 53) - 1) }).unwrap();
    let error = users.insert(doc! {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    users.insert(doc! { "_id": "still possible" }).unwrap();
}

#[test]
fn a_failed_insert_many_changes_nothing() {
    let db = Database::in_memory().unwrap();
    let users = db.collection("users");
    users.insert(doc! { "_id": "taken" }).unwrap();
    let before = db.stats().unwrap().page_count;
    for last in [doc! { "_id": "taken" }, doc! { "_id": 3 }, doc! { "_id": "twice" }] {
        let mut documents = vec![doc! { "_id": "twice" }];
        documents.extend((0..500).map(|n| doc! { "n": n, "pad": "p".repeat(n * 20) }));
        documents.push(last.clone());
        let error = users.insert_many(&documents).unwrap_err();
        assert_eq!((error.kind(), error.collection()), (ErrorKind::DuplicateId, Some("users")));
        assert_eq!(error.id().as_ref().map(Id::as_ref), last.id());
        assert_eq!(users.count().unwrap(), 1);
        assert!(!users.contains("twice").unwrap());
    }
    assert_eq!(users.insert(doc! {}).unwrap(), 1.into());
    assert!(db.check().unwrap().is_clean());
    let _ = before;
}

#[test]
fn a_replacement_keeps_the_id() {
    let users = Database::in_memory().unwrap().collection("users");
    users.insert(doc! { "_id": 1 }).unwrap();
    let error = users.replace(1, doc! { "_id": 2 }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "the document has the id 2, but is to replace the one with the id 1",
    );
    assert!(users.replace(1_u8, doc! { "_id": 1_u64, "n": 1 }).unwrap());
    let stored = users.get(1).unwrap().unwrap().to_document().unwrap();
    assert_eq!(stored, doc! { "_id": 1, "n": 1 });
}
