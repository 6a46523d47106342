//! Which types may be sent to other threads, and shared with them.

use nanodb::{
    BulkOperation, Collection, Cursor, Database, Document, Error, Filter, Find, FindOneAndModify,
    Id, Options, Projection, Scan, ScanIter, Snapshot, SnapshotCollection, Sort, StoredDoc,
    Transaction, TransactionCollection, TypedCollection, TypedCursor, TypedFind,
    TypedFindOneAndModify, TypedScanIter, Update, Value, WithIds,
};

fn can_be_sent<T: Send>() {}
fn can_be_shared<T: Send + Sync>() {}

#[test]
fn handles_and_values_are_shared_between_threads_and_transactions_go_from_one_to_another() {
    can_be_shared::<Database>();
    can_be_shared::<Collection>();
    can_be_shared::<TypedCollection<String>>();
    // Whatever the type is.
    can_be_shared::<TypedCollection<std::rc::Rc<String>>>();
    can_be_shared::<Snapshot>();
    can_be_shared::<SnapshotCollection>();
    can_be_shared::<TypedCollection<String, SnapshotCollection>>();
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
    can_be_sent::<ScanIter>();
    can_be_sent::<TypedScanIter<String>>();
    can_be_sent::<Cursor>();
    can_be_sent::<TypedCursor<String>>();
    can_be_sent::<WithIds<TypedCursor<String>>>();
    can_be_sent::<BulkOperation<'_>>();
}

/// Has two implementations for what can be sent, and one for anything else: only of the latter it
/// is clear which one is meant.
trait SendOrNot<T> {
    fn is_not_send() {}
}

impl<T: ?Sized> SendOrNot<()> for T {}

impl<T: ?Sized + Send> SendOrNot<u8> for T {}

/// A transaction is used by one thread at a time, so that what waits for it is known. What refers
/// to one stays with the thread that has it: a collection within it, and what is prepared by one.
#[test]
fn what_may_refer_to_a_transaction_stays_on_its_thread() {
    <&Transaction as SendOrNot<_>>::is_not_send();
    <TransactionCollection<'_> as SendOrNot<_>>::is_not_send();
    <TypedCollection<String, TransactionCollection<'_>> as SendOrNot<_>>::is_not_send();
    <Find<'_> as SendOrNot<_>>::is_not_send();
    <TypedFind<'_, String> as SendOrNot<_>>::is_not_send();
    <FindOneAndModify<'_> as SendOrNot<_>>::is_not_send();
    <TypedFindOneAndModify<'_, String> as SendOrNot<_>>::is_not_send();
}
