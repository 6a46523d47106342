//! The anomalies that remain, each the consequence of reading outside of the transaction
//! that writes, or of not asking for one moment.

use nanodb::{ErrorKind, StoredDoc};

use super::session::{Session, call_waits_for};
use super::{all, doc, get, in_one_collection, in_two_collections, set, value, values};

#[test]
fn what_was_read_outside_may_be_out_of_date_when_a_transaction_writes_it_back() {
    in_one_collection(|db| {
        let test = db.collection("test");
        let one = value(test.get(1).unwrap()).unwrap();
        let other = value(test.get(1).unwrap()).unwrap();
        db.write(|tx| set(tx, "test", 1, one + 1)).unwrap();
        // Without noticing; to read inside is what helps.
        db.write(|tx| set(tx, "test", 1, other + 1)).unwrap();
        assert_eq!(value(test.get(1).unwrap()), Some(11), "one addition is lost");
    });
}

#[test]
fn what_was_read_from_a_snapshot_does_not_keep_others_from_writing_so_writes_may_be_skewed() {
    in_two_collections(|db| {
        let snapshot = db.snapshot();
        let read = |name, id| value(snapshot.collection(name).get(id).unwrap());
        // Two who each give way as long as the other is there, as both see.
        assert_eq!((read("a", 1), read("b", 2)), (Some(10), Some(20)));
        db.write(|tx| set(tx, "a", 1, 0)).unwrap();
        assert_eq!((read("a", 1), read("b", 2)), (Some(10), Some(20)));
        db.write(|tx| set(tx, "b", 2, 0)).unwrap();
        assert_eq!((all(db, "a"), all(db, "b")), (vec![(1, 0)], vec![(2, 0)]));
    });
}

#[test]
fn a_snapshot_is_older_than_now_and_a_cursor_and_a_document_are_too() {
    in_one_collection(|db| {
        let test = db.collection("test");
        let snapshot = db.snapshot().collection("test");
        let (cursor, document) = (test.iter().unwrap(), test.get(1).unwrap());
        test.replace(1, doc(1, 11)).unwrap();
        test.insert(doc(3, 30)).unwrap();
        test.delete(2).unwrap();
        assert_eq!(all(db, "test"), [(1, 11), (3, 30)]);
        assert_eq!(values(snapshot.iter().unwrap()), [(1, 10), (2, 20)]);
        assert_eq!(values(cursor), [(1, 10), (2, 20)]);
        assert_eq!(value(document), Some(10));
    });
}

#[test]
fn two_reads_outside_are_of_two_moments_and_many_in_one_call_of_one() {
    in_one_collection(|db| {
        let test = db.collection("test");
        let first = value(test.get(1).unwrap());
        db.write(|tx| {
            set(tx, "test", 1, 12)?;
            set(tx, "test", 2, 18)
        })
        .unwrap();
        let second = value(test.get(2).unwrap());
        assert_eq!((first, second), (Some(10), Some(18)), "a sum that there never was");
        let both = test.get_many([1, 2]).unwrap();
        let both: Vec<_> = both.into_iter().map(|found: Option<StoredDoc>| value(found)).collect();
        assert_eq!(both, [Some(12), Some(18)]);
    });
}

#[test]
fn a_transaction_begins_with_its_first_access_to_each_collection_and_not_before() {
    in_two_collections(|db| {
        let session = Session::begin(db);
        db.write(|tx| set(tx, "a", 1, 11)).unwrap();
        assert_eq!(session.run(|tx| get(tx, "a", 1)).unwrap(), Some(11));
        // Serializable, this transaction coming second, although its first read was first.
        db.write(|tx| set(tx, "b", 2, 21)).unwrap();
        assert_eq!(session.run(|tx| get(tx, "b", 2)).unwrap(), Some(21));
        session.commit().unwrap();
    });
}

#[test]
fn a_handle_of_the_database_shows_a_transaction_nothing_of_what_it_has_done_itself() {
    in_one_collection(|db| {
        let outside = db.collection("test");
        db.write(|tx| {
            set(tx, "test", 1, 11)?;
            assert_eq!(value(outside.get(1)?), Some(10));
            assert_eq!(get(tx, "test", 1)?, Some(11));
            // And writing by it would be waiting for oneself.
            assert_eq!(outside.delete(1).unwrap_err().kind(), ErrorKind::Conflict);
            Ok::<_, nanodb::Error>(())
        })
        .unwrap();
        assert_eq!(value(outside.get(1).unwrap()), Some(11));
    });
}

#[test]
fn single_writes_wait_for_a_transaction_and_readers_do_not() {
    in_one_collection(|db| {
        let session = Session::begin(db);
        session.run(|tx| set(tx, "test", 1, 11)).unwrap();
        let test = db.collection("test");
        let (replacing, deleting) = (test.clone(), test.clone());
        let replacing = call_waits_for(&session, move || replacing.replace(1, doc(1, 12)));
        let deleting = call_waits_for(&session, move || deleting.delete(2));
        db.collection("other").insert(doc(1, 1)).unwrap();
        assert_eq!((test.count().unwrap(), all(db, "test")), (2, vec![(1, 10), (2, 20)]));
        replacing.assert_waits();
        deleting.assert_waits();
        session.commit().unwrap();
        assert!(replacing.done().unwrap() && deleting.done().unwrap());
        assert_eq!(all(db, "test"), [(1, 12)]);
    });
}
