//! What a check says of an index that is wrong.

use nanodb_index::{KeyHash, RecordId};

use super::{CheckReport, ProblemKind};
use crate::testing::Database;
use nanodb_document::{IdRef, Key, doc};

fn hash(db: &Database, id: i64) -> KeyHash {
    let binding = db.engine().catalog.names.published("a").unwrap();
    binding.store.hash(&Key::new(IdRef::Int(id)))
}

/// What is found once `spoil` has had the index.
fn found(spoil: impl Fn(&Database, &nanodb_index::IdIndex)) -> CheckReport {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((1..=5000).map(|id| doc! { "_id": id })).unwrap();
    a.delete(77).unwrap();
    assert!(db.check().unwrap().is_clean());
    let binding = db.engine().catalog.names.published("a").unwrap();
    spoil(&db, &binding.store.built_index().unwrap().ids);
    let report = db.check().unwrap();
    assert_eq!((report.documents, report.collections), (4999, 1));
    report
}

fn record_of(db: &Database, index: &nanodb_index::IdIndex, id: i64) -> RecordId {
    index.look_up(hash(db, id), Some).unwrap().unwrap()
}

#[test]
fn an_entry_that_is_missing_is_a_document_that_is_not_found() {
    let report = found(|db, index| {
        let record_id = record_of(db, index, 4000);
        assert!(index.write().remove(hash(db, 4000), record_id));
    });
    let [problem] = &report.problems[..] else { panic!("{report}") };
    assert_eq!(problem.kind, ProblemKind::NotFoundById { id: "4000".to_owned() });
}

#[test]
fn entries_that_are_too_many_are_counted() {
    let report = found(|db, index| {
        let record_id = record_of(db, index, 5);
        // Of a document that is gone, of none, and one twice.
        index.write().insert(hash(db, 77), record_id);
        index.write().insert(hash(db, 5), RecordId { page: record_id.page, slot: 900 });
        index.write().insert(hash(db, 5), record_id);
    });
    let [problem] = &report.problems[..] else { panic!("{report}") };
    assert_eq!(problem.kind, ProblemKind::IndexLen { entries: 5002, documents: 4999 });
}

#[test]
fn a_key_is_compared_in_one_part_of_all() {
    for parts in [1, 2, 3, 7] {
        let mut entries = super::index::Entries::new((parts - 1) * super::index::ENTRIES_MAX);
        let (mut next, mut turns) = (0, 0);
        loop {
            let (first, last) = entries.keys();
            assert_eq!(u64::from(first), next);
            next = u64::from(last) + 1;
            turns += 1;
            if !entries.advance() {
                break;
            }
        }
        assert_eq!((turns, next), (parts, 1 << 32));
    }
}
