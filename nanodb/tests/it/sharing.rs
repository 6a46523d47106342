//! One file, opened more than once.

use std::thread;

use nanodb::{Database, ErrorKind, doc};

#[test]
fn opening_a_file_twice_shares_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let one = Database::open(&path).unwrap();
    one.collection("users").insert(doc! { "_id": 1 }).unwrap();
    let two = Database::open(dir.path().join(".").join("data.nanodb")).unwrap();
    assert!(two.collection("users").contains(1).unwrap());
    #[cfg(unix)]
    {
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let three = Database::open(&link).unwrap();
        three.collection("users").insert(doc! { "_id": 3 }).unwrap();
        assert!(one.collection("users").contains(3).unwrap());
    }
    one.close().unwrap();
    two.collection("users").insert(doc! { "_id": 2 }).unwrap();
    two.close().unwrap();
    let users = Database::open(&path).unwrap().collection("users");
    assert!(users.contains(2).unwrap());
}

#[test]
fn a_file_stays_open_as_long_as_anything_of_it_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let users = Database::open(&path).unwrap().collection("users");
    users.insert_many((0..100).map(|n| doc! { "n": n })).unwrap();
    let mut cursor = users.scan().unwrap();
    drop(users);
    let again = Database::open(&path).unwrap();
    assert_eq!(again.collection("users").count().unwrap(), 100);
    drop(again);
    assert!(cursor.next().unwrap().is_some());
    drop(cursor);
    let again = Database::open(&path).unwrap();
    assert_eq!(again.collection("users").iter().unwrap().count(), 100);
}

#[test]
fn threads_that_open_and_drop_the_same_file_never_find_it_locked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            thread::spawn(move || {
                for _ in 0..50 {
                    let db = Database::open(&path).unwrap();
                    db.collection("all").insert(doc! {}).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(Database::open(&path).unwrap().collection("all").count().unwrap(), 200);
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("text");
    std::fs::write(&path, "not a database ".repeat(1000)).unwrap();
    let error = Database::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADatabase);
    assert!(error.to_string().contains("text"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 15_000);

    let missing = dir.path().join("missing");
    let error = Database::options().create(false).open(&missing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(!missing.exists());
}
