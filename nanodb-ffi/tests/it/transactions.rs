//! Transactions and snapshots.

use nanodb_ffi::*;

use crate::c::{Coll, Db, Failed, call, text};

struct Tx(nanodb_transaction);

impl Tx {
    fn begin(db: &Db) -> Self {
        let mut transaction = nanodb_transaction::default();
        call!(nanodb_db_begin(db.0, &mut transaction)).unwrap();
        Self(transaction)
    }

    fn collection(&self, name: &str) -> Result<Coll, Failed> {
        let mut collection = nanodb_collection::default();
        let (name, len) = (name.as_ptr().cast(), name.len());
        call!(nanodb_transaction_collection(self.0, name, len, &mut collection))?;
        Ok(Coll(collection))
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        nanodb_transaction_free(self.0);
    }
}

#[test]
fn what_a_transaction_does_is_seen_when_it_is_committed() {
    let db = Db::in_memory();
    let users = db.collection("users");
    let tx = Tx::begin(&db);
    let within = tx.collection("users").unwrap();
    assert_eq!(within.insert_many("[{}, {}]").unwrap(), "[1,2]");
    assert_eq!(
        within.update_one(r#"{"_id": 1}"#, r#"{"$set": {"a": 1}}"#, "").unwrap(),
        (1, 1, None)
    );
    assert!(within.delete_i64(2).unwrap());
    assert_eq!(within.find("", "").unwrap().all().unwrap(), r#"[{"_id":1,"a":1}]"#);
    assert_eq!(users.count().unwrap(), 0);
    call!(nanodb_transaction_set_durability(tx.0, c"relaxed".as_ptr())).unwrap();
    call!(nanodb_transaction_commit(tx.0)).unwrap();
    assert_eq!(users.get("1").unwrap().unwrap(), r#"{"_id":1,"a":1}"#);

    for over in [
        within.count().unwrap_err(),
        within.insert("{}").unwrap_err(),
        call!(nanodb_transaction_commit(tx.0)).unwrap_err(),
        call!(nanodb_transaction_rollback(tx.0)).unwrap_err(),
        tx.collection("users").err().unwrap(),
    ] {
        assert_eq!(over.status, NANODB_TRANSACTION_OVER);
    }
}

#[test]
fn a_transaction_that_is_rolled_back_or_freed_has_done_nothing() {
    let db = Db::in_memory();
    let tx = Tx::begin(&db);
    let within = tx.collection("users").unwrap();
    within.insert("{}").unwrap();
    call!(nanodb_transaction_rollback(tx.0)).unwrap();
    drop(tx);
    let tx = Tx::begin(&db);
    let also = tx.collection("users").unwrap();
    also.insert("{}").unwrap();
    // Although the collection is not freed.
    drop(tx);
    assert_eq!(db.collection("users").count().unwrap(), 0);
    assert_eq!(also.count().unwrap_err().status, NANODB_TRANSACTION_OVER);
    let wrong = call!(nanodb_transaction_set_durability(Tx::begin(&db).0, c"none".as_ptr()));
    assert_eq!(wrong.unwrap_err().status, NANODB_INVALID);
}

#[test]
fn a_deadlock_is_a_conflict_and_can_be_repeated() {
    let db = Db::in_memory();
    let tx = Tx::begin(&db);
    tx.collection("a").unwrap().insert("{}").unwrap();
    // Of the same thread: it would wait for itself.
    let conflict = db.collection("a").insert("{}").unwrap_err();
    assert_eq!(conflict.status, NANODB_CONFLICT);
    call!(nanodb_transaction_commit(tx.0)).unwrap();
    db.collection("a").insert("{}").unwrap();
    assert_eq!(db.collection("a").count().unwrap(), 2);
}

#[test]
fn threads_share_a_transaction_one_call_at_a_time() {
    let db = Db::in_memory();
    let tx = Tx::begin(&db);
    let within = tx.collection("all").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    within.insert("{}").unwrap();
                }
            });
        }
    });
    assert_eq!(within.count().unwrap(), 200);
    call!(nanodb_transaction_commit(tx.0)).unwrap();
    assert_eq!(db.collection("all").count().unwrap(), 200);
}

#[test]
fn a_snapshot_stays_as_it_was_and_is_not_written_to() {
    let db = Db::in_memory();
    let users = db.collection("users");
    users.insert(r#"{"a": 1}"#).unwrap();
    let mut snapshot = nanodb_snapshot::default();
    call!(nanodb_db_snapshot(db.0, &mut snapshot)).unwrap();
    users.insert(r#"{"a": 2}"#).unwrap();
    let (mut collection, name) = (nanodb_collection::default(), "users");
    call!(nanodb_snapshot_collection(snapshot, name.as_ptr().cast(), name.len(), &mut collection))
        .unwrap();
    let before = Coll(collection);
    let mut all = nanodb_buf::default();
    call!(nanodb_snapshot_collections(snapshot, NANODB_JSON, &mut all)).unwrap();
    assert_eq!(text(all).unwrap(), r#"[{"name":"users","count":1}]"#);
    nanodb_snapshot_free(snapshot);
    assert_eq!(before.count().unwrap(), 1);
    assert_eq!(before.get("1").unwrap().unwrap(), r#"{"_id":1,"a":1}"#);
    assert_eq!(before.get("2").unwrap(), None);
    assert_eq!(
        before.find(r#"{"a": {"$gt": 0}}"#, "").unwrap().all().unwrap(),
        r#"[{"_id":1,"a":1}]"#
    );
    for refused in [
        before.insert("{}").unwrap_err(),
        before.delete_i64(1).unwrap_err(),
        before.update_one("", r#"{"$set": {"a": 3}}"#, "").unwrap_err(),
    ] {
        assert_eq!(refused.status, NANODB_READ_ONLY);
    }
}
