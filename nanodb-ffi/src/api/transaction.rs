//! Transactions.

use std::os::raw::c_char;

use super::entry;
use crate::objects::{Target, insert_collection, remove_transaction, with_transaction};
use crate::options::durability;
use crate::types::{
    NANODB_NUL_TERMINATED, nanodb_collection, nanodb_error, nanodb_status, nanodb_transaction,
};

/// Returns the collection of that name in a transaction. It has all verbs; what they do is seen by
/// others when the transaction is committed.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_transaction_collection(
    transaction: nanodb_transaction,
    name: *const c_char,
    name_len: usize,
    collection: *mut nanodb_collection,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(collection)?;
        let name = arguments.text(name, name_len, "the name")?;
        let open = with_transaction(transaction, |open| {
            open.with(|_| Ok(()))?;
            Ok(open.clone())
        })?;
        out.set(insert_collection(Target::Transaction(open, name.into()))?);
        Ok(())
    })
}

/// Sets what the transaction survives once it is committed: "immediate", "buffered" or "relaxed".
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_transaction_set_durability(
    transaction: nanodb_transaction,
    name: *const c_char,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let name = arguments.text(name, NANODB_NUL_TERMINATED, "the durability")?;
        let wanted = durability(name)?;
        with_transaction(transaction, |open| {
            open.with(|transaction| {
                transaction.set_durability(wanted);
                Ok(())
            })
        })
    })
}

/// Makes all changes visible to others, at once, and durable. The transaction is over, whatever is
/// returned; its handle, and those of its collections, are still to be freed.
///
/// After `NANODB_CONFLICT` nothing has changed: begin again.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_transaction_commit(
    transaction: nanodb_transaction,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |_arguments| {
        let open = with_transaction(transaction, |open| Ok(open.clone()))?;
        Ok(open.take()?.commit()?)
    })
}

/// Discards all changes. The transaction is over; its handle, and those of its collections, are
/// still to be freed.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_transaction_rollback(
    transaction: nanodb_transaction,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |_arguments| {
        let open = with_transaction(transaction, |open| Ok(open.clone()))?;
        open.take()?.rollback();
        Ok(())
    })
}

/// Frees the handle of a transaction, and rolls back one that is not over.
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_transaction_free(transaction: nanodb_transaction) {
    super::freeing(|| {
        // Its collections may keep it alive.
        if let Ok(open) = with_transaction(transaction, |open| Ok(open.clone())) {
            drop(open.take());
        }
        remove_transaction(transaction);
    });
}
