//! Opening, closing, and what is left of it.

use nanodb_ffi::*;

use crate::c::{Db, call};

#[test]
fn what_was_written_is_there_when_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let db = Db::open(&path, "").unwrap();
    let users = db.collection("users");
    users.insert(r#"{"name": "Ann"}"#).unwrap();
    assert_eq!(db.close().unwrap(), 0);
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    // The handles are there until they are freed.
    assert_eq!(db.close().unwrap_err().status, NANODB_CLOSED);
    assert_eq!(users.count().unwrap_err().status, NANODB_CLOSED);
    let mut transaction = nanodb_transaction::default();
    let begun = call!(nanodb_db_begin(db.0, &mut transaction));
    if begun.is_ok() {
        let mut collection = nanodb_collection::default();
        call!(nanodb_transaction_collection(transaction, "a".as_ptr().cast(), 1, &mut collection))
            .unwrap();
        let within = crate::c::Coll(collection);
        assert_eq!(within.count().unwrap_err().status, NANODB_CLOSED);
        nanodb_transaction_free(transaction);
    }

    let db = Db::open(&path, r#"{"create": false}"#).unwrap();
    assert_eq!(db.collection("users").get("1").unwrap().unwrap(), r#"{"_id":1,"name":"Ann"}"#);
}

#[test]
fn a_file_that_is_opened_twice_is_closed_with_the_second() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let (first, second) = (Db::open(&path, "").unwrap(), Db::open(&path, "").unwrap());
    first.collection("a").insert("{}").unwrap();
    assert_eq!(first.close().unwrap(), 1);
    assert_eq!(second.collection("a").count().unwrap(), 1);
    assert_eq!(second.close().unwrap(), 0);
}

#[test]
fn options_are_taken_and_unknown_ones_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let all = r#"{"create": true, "read_only": false, "allow_missing_log": false, "lock_timeout_ms": 10,
        "durability": "relaxed", "relaxed_flush_interval_ms": 100, "background": false,
        "cache_bytes_max": 1048576, "index_bytes_max": 1048576, "log_bytes_max": 1048576,
        "transaction_bytes_max": 1048576, "file_bytes_max": 10485760}"#;
    let db = Db::open(&path, all).unwrap();
    db.collection("a").insert("{}").unwrap();
    db.close().unwrap();
    for wrong in [
        r#"{"cache": 5}"#,
        r#"{"create": 1}"#,
        r#"{"durability": "none"}"#,
        r#"{"lock_timeout_ms": -1}"#,
        "5",
        "{}}",
    ] {
        assert_eq!(Db::open(&path, wrong).err().unwrap().status, NANODB_INVALID, "{wrong}");
    }
    let db = Db::open(&path, r#"{"read_only": true}"#).unwrap();
    assert_eq!(db.collection("a").count().unwrap(), 1);
    assert_eq!(db.collection("a").insert("{}").unwrap_err().status, NANODB_READ_ONLY);
    assert_eq!(Db::open(&path, "").err().unwrap().status, NANODB_LOCKED);
    let missing = Db::open(&directory.path().join("none"), r#"{"create": false}"#).err().unwrap();
    assert_eq!(missing.status, NANODB_IO);
    assert!(missing.details.contains(r#""os_error":2"#), "{missing:?}");
    std::fs::write(directory.path().join("text"), "This is no database.").unwrap();
    let other = Db::open(&directory.path().join("text"), "").err().unwrap();
    assert_eq!(other.status, NANODB_NOT_A_DATABASE);
}

#[test]
fn closing_waits_for_calls_of_other_threads_and_ends_those_that_come_later() {
    for _ in 0..20 {
        let db = Db::in_memory();
        let all = db.collection("all");
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut done = 0;
                        loop {
                            match all.insert("{}") {
                                Ok(_) => done += 1,
                                Err(failed) => break (done, failed.status),
                            }
                        }
                    })
                })
                .collect();
            std::thread::sleep(std::time::Duration::from_millis(2));
            db.close().unwrap();
            for thread in threads {
                assert_eq!(thread.join().unwrap().1, NANODB_CLOSED);
            }
        });
    }
}
