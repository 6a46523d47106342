//! Cursors hand out what there is, in batches.

use std::ptr;

use nanodb_ffi::*;

use crate::c::{Db, bytes, call};

#[test]
fn a_cursor_hands_out_as_many_as_are_asked_for_until_the_end() {
    let db = Db::in_memory();
    let all = db.collection("all");
    let documents: String = (0..2500).map(|n| format!("{{\"_id\":{n}}}")).collect();
    all.insert_many(&documents).unwrap();
    for cursor in [all.scan().unwrap(), all.find("", "").unwrap()] {
        assert_eq!(cursor.next(2).unwrap(), (Some(r#"[{"_id":0},{"_id":1}]"#.to_owned()), 2));
        assert_eq!(cursor.next(0).unwrap().1, 1000);
        assert_eq!(cursor.next(usize::MAX).unwrap().1, 1498);
        for _ in 0..2 {
            assert_eq!(cursor.next(10).unwrap(), (None, 0));
        }
    }
}

#[test]
fn a_batch_of_large_documents_ends_early() {
    let db = Db::in_memory();
    let all = db.collection("all");
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(1_500_000));
    for _ in 0..5 {
        all.insert(&large).unwrap();
    }
    let cursor = all.scan().unwrap();
    assert_eq!(cursor.next(0).unwrap().1, 3);
    assert_eq!(cursor.next(0).unwrap().1, 2);
    assert_eq!(cursor.next(0).unwrap().1, 0);
}

#[test]
fn documents_come_as_an_array_of_messagepack_too() {
    let db = Db::in_memory();
    let all = db.collection("all");
    all.insert_many("[{}, {}]").unwrap();
    let cursor = all.scan().unwrap();
    let (mut out, mut count) = (nanodb_buf::default(), 0);
    call!(nanodb_cursor_next(cursor.0, 0, NANODB_MSGPACK, &mut out, &mut count)).unwrap();
    assert_eq!(bytes(out).unwrap(), b"\xdd\x00\x00\x00\x02\x81\xa3_id\x01\x81\xa3_id\x02");
    assert_eq!(count, 2);
}

#[test]
fn a_cursor_of_a_closed_database_or_a_finished_transaction_says_so() {
    let db = Db::in_memory();
    let all = db.collection("all");
    all.insert_many("[{}, {}, {}]").unwrap();
    let mut transaction = nanodb_transaction::default();
    call!(nanodb_db_begin(db.0, &mut transaction)).unwrap();
    let mut within = nanodb_collection::default();
    call!(nanodb_transaction_collection(transaction, "all".as_ptr().cast(), 3, &mut within))
        .unwrap();
    let within = crate::c::Coll(within);
    let (of_transaction, of_db) = (within.scan().unwrap(), all.find("", "").unwrap());
    assert_eq!(of_transaction.next(1).unwrap().1, 1);
    call!(nanodb_transaction_commit(transaction)).unwrap();
    let over = of_transaction.next(1);
    // What is on the page that it has is handed out still.
    assert!(over.is_ok() || over.unwrap_err().status == NANODB_TRANSACTION_OVER);
    nanodb_transaction_free(transaction);

    assert_eq!(of_db.next(1).unwrap().1, 1);
    db.close().unwrap();
    assert_eq!(of_db.next(1).unwrap_err().status, NANODB_CLOSED);
    assert_eq!(all.scan().err().unwrap().status, NANODB_CLOSED);
    let mut count = 0;
    let error = ptr::null_mut();
    // SAFETY: without an error to fill in.
    assert_eq!(unsafe { nanodb_count(all.0, &mut count, error) }, NANODB_CLOSED);
}

#[test]
fn damage_is_told_once_and_what_lies_before_and_behind_it_is_handed_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let db = Db::open(&path, "").unwrap();
    let all = db.collection("all");
    // Documents that share pages, and lie on one each.
    let line = "x".repeat(250);
    let documents: String = (0..300).map(|n| format!("{{\"_id\":{n},\"a\":\"{line}\"}}")).collect();
    all.insert_many(&documents).unwrap();
    db.close().unwrap();
    let mut file = std::fs::read(&path).unwrap();
    // The page of a document in the middle.
    let id = b"\xa3_id\xcc\x96\xa1a";
    let at = file.windows(id.len()).position(|bytes| bytes == id).unwrap() / 4096;
    file[at * 4096 + 2000] ^= 1;
    std::fs::write(&path, file).unwrap();

    let db = Db::open(&path, "").unwrap();
    let all = db.collection("all");
    for cursor in [all.scan().unwrap(), all.find("", "").unwrap()] {
        let before = cursor.next(usize::MAX).unwrap().1;
        let failed = cursor.next(usize::MAX).unwrap_err();
        assert_eq!(failed.status, NANODB_DAMAGED);
        assert!(failed.details.contains(&format!("\"page\":{at}")), "{failed:?}");
        let behind = cursor.next(usize::MAX).unwrap().1;
        assert!(before > 0 && behind > 0 && (280..300).contains(&(before + behind)));
        assert_eq!(cursor.next(usize::MAX).unwrap().1, 0);
    }
}
