//! Loading a part of the index while a commit that a checkpoint has saved is not published.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use nanodb_index::KeyHash;
use nanodb_pager::InstalledCommit;
use nanodb_sim::{CallKind, Failure, Fault};

use super::*;
use crate::error::EngineError;
use crate::lock::LockGuard;
use crate::lock::owner::LockOwner;
use crate::store::CollectionState;
use crate::write::commit::apply;
use crate::write::statement::Statement;
use crate::write::write_set::WriteSet;
use nanodb_document::Id;

/// For a reader that is about to give a wrong answer. One that waits as it should loses no more by
/// it.
const EARLY: Duration = Duration::from_millis(100);

/// A database that was opened anew: nothing of its index is in memory.
fn reopened() -> (Database, Collection, SimStorage) {
    let file = SimStorage::new();
    let open = || Database::options().background(false).open_on(Arc::new(file.clone())).unwrap();
    let db = open();
    db.collection("a").insert_many((0..10_000).map(|id| sized(id, 40))).unwrap();
    db.close().unwrap();
    let db = open();
    let a = db.collection("a");
    (db, a, file)
}

/// Moves document 1, as far as installing the commit, and sees to it that its group is absent.
fn install_move(
    store: &Store,
    held: &LockGuard<'_, CollectionState>,
) -> (InstalledCommit, WriteSet) {
    let index = store.index_for_writer().unwrap();
    let mut tx = store.pager.begin();
    let mut write_set = WriteSet::new(held);
    let key = Id::from(1).to_key();
    let mut statement = Statement::new(store, index, held, &mut tx, &mut write_set);
    let mut buffer = Vec::new();
    let draft = nanodb_document::Encode::encode(&sized(1, 3000), None, &mut buffer).unwrap();
    assert!(statement.replace(&key, draft.record(&buffer)).unwrap());
    let mut edits = Vec::new();
    write_set.encode(held, store.owner, &mut edits);
    let installed = tx.install(&edits).unwrap();
    let hash = store.hash(&key);
    let another = KeyHash::from_bits(hash.bits() ^ 1 << 31);
    while index.ids.write().drop_one(another) {}
    assert!(index.ids.absent_range(hash).is_some());
    (installed, write_set)
}

#[test]
fn a_document_whose_move_is_in_a_checkpoint_before_it_is_published_is_found() {
    let (db, a, _) = reopened();
    let store = store(&db, "a");
    let mut held = store.state.lock(LockOwner::current()).unwrap();
    let (installed, write_set) = install_move(&store, &held);
    // The committer is held up here. A checkpoint is made meanwhile ...
    db.checkpoint().unwrap();
    assert!(db.engine().pager.published() < installed.seq());
    std::thread::scope(|scope| {
        // ... and a reader asks for the document.
        let (found, is_found) = channel();
        let a = &a;
        scope.spawn(move || found.send(a.contains(1).unwrap()).unwrap());
        let early = is_found.recv_timeout(EARLY);
        // The committer goes on.
        apply(&store, &mut held, write_set, installed.seq());
        drop(held);
        installed.publish().unwrap();
        store.clean_up();
        let found = match early {
            Err(RecvTimeoutError::Timeout) => is_found.recv(),
            early => early.map_err(|_| std::sync::mpsc::RecvError),
        };
        assert_eq!(found, Ok(true));
    });
    assert!(a.contains(1).unwrap());
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_document_whose_move_is_in_a_checkpoint_and_never_published_is_found() {
    let (db, a, file) = reopened();
    let store = store(&db, "a");
    let held = store.state.lock(LockOwner::current()).unwrap();
    let (installed, write_set) = install_move(&store, &held);
    db.checkpoint().unwrap();
    // Another committer fails, and nothing is published any more.
    file.set_fault(Fault::once(0, Failure::Device).of(CallKind::Sync));
    assert!(db.collection("b").insert(sized(1, 10)).is_err());
    drop((installed, write_set, held));
    assert!(a.contains(1).unwrap());
    assert_eq!(a.get(1).unwrap().unwrap().to_document().unwrap(), sized(1, 40));
    assert!((0..10_000).step_by(97).all(|id| a.contains(id).unwrap()));
}

/// No part of the index is loaded: what was found knows where it is.
#[test]
fn what_a_transaction_has_found_is_replaced_and_deleted_without_a_look_up() {
    let (db, a, _) = reopened();
    let store = store(&db, "a");
    let transaction = crate::Txn::new(Arc::clone(db.opening()));
    let mut scan = transaction.scan(&"a".into()).unwrap();
    let (mut buffer, mut seen) = (Vec::new(), 0);
    while let Some(found) = scan.next_that(|_| Ok::<_, EngineError>(true)).unwrap() {
        let id = found.id().map(nanodb_document::IdRef::to_owned).unwrap();
        let done = transaction.statement("a", |statement| match seen % 100 {
            0 => statement.delete_found(&found),
            1 => {
                buffer.clear();
                let new = doc! { "_id": id, "new": true };
                let draft = nanodb_document::Encode::encode(&new, None, &mut buffer).unwrap();
                statement.replace_found(&found, draft.record(&buffer))
            }
            _ => Ok(true),
        });
        assert!(done.unwrap());
        seen += 1;
    }
    drop(scan);
    transaction.commit().unwrap();
    let loaded_bytes = || store.built_index().unwrap().ids.loaded_bytes();
    assert_eq!((seen, a.count(), loaded_bytes()), (10_000, 9900, 0));
    assert!(!a.contains(0).unwrap() && a.get(1).unwrap().unwrap().get("new").is_some());
    assert!(loaded_bytes() > 0);
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}
