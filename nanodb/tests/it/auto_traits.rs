//! Which types may be sent to other threads, and shared with them.

use nanodb::{
    BulkOperation, Collection, Cursor, Database, Document, Error, Filter, Id, Options, Projection,
    Scan, Snapshot, SnapshotCollection, Sort, StoredDoc, Transaction, TypedCollection, Update,
    Value,
};

fn can_be_sent<T: Send>() {}
fn can_be_shared<T: Send + Sync>() {}

#[test]
fn handles_and_values_are_shared_between_threads_and_transactions_go_from_one_to_another() {
    can_be_shared::<Database>();
    can_be_shared::<Collection>();
    can_be_shared::<TypedCollection<String>>();
    can_be_shared::<Snapshot>();
    can_be_shared::<SnapshotCollection>();
    can_be_shared::<StoredDoc>();
    can_be_shared::<Options>();
    can_be_shared::<Error>();
    can_be_shared::<Document>();
    can_be_shared::<Value>();
    can_be_shared::<Id>();
    can_be_shared::<Filter>();
    can_be_shared::<Sort>();
    can_be_shared::<Projection>();
    can_be_shared::<Update>();
    can_be_sent::<Transaction>();
    can_be_sent::<Scan>();
    can_be_sent::<Cursor>();
    can_be_sent::<BulkOperation<'_>>();
}
