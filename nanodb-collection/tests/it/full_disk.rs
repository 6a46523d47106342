//! What is still possible on a disk that is full.

use std::sync::Arc;

use nanodb_collection::{Database, Durability, ErrorKind, doc};
use nanodb_sim::SimStorage;

#[test]
fn documents_can_be_deleted_on_a_full_disk() {
    let storage = SimStorage::new();
    let open = || {
        Database::options()
            .durability(Durability::Buffered)
            .open_on(Arc::new(storage.clone()))
            .unwrap()
    };
    let db = open();
    let users = db.collection("users");
    let insert = || users.insert(doc! { "text": "x".repeat(500) });
    insert().unwrap();
    storage.set_capacity(Some(storage.total_len() + 200_000));
    let refused = (0..1000).find_map(|_| insert().err()).unwrap();
    assert_eq!(refused.kind(), ErrorKind::Io);
    let count = users.count();
    assert!(count > 100);

    for id in 1..=50 {
        assert!(users.delete(id).unwrap());
    }
    let deleted = db.write(|tx| {
        let users = tx.collection("users");
        (51..=80).try_for_each(|id| users.delete(id).map(drop))
    });
    deleted.unwrap();
    assert!(insert().is_err() && users.replace(90, doc! { "text": "y" }).is_err());
    assert!(db.drop_collection("users").unwrap());
    drop((users, db));
    storage.set_capacity(None);
    assert_eq!(open().collection("users").count(), 0);
}
