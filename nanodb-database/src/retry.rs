//! Running a transaction again until it meets no conflict.
//!
//! A transaction that loses a deadlock has released all locks, so the others go on. The next
//! attempt begins by locking the collections that were refused, in the order of their names, before
//! it holds anything else: it waits until the others are done, and does not deadlock with them
//! again. Once it has met all collections that it uses, it locks them in an order that forms no
//! cycle with other transactions that do the same.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::transaction::Transaction;
use nanodb_collection::{EngineError, Opening};

pub(crate) fn write<T, E: From<Error>>(
    opening: &Opening,
    begin: impl Fn() -> Transaction,
    mut run: impl FnMut(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    let mut refused: BTreeSet<String> = BTreeSet::new();
    loop {
        let transaction = begin();
        let locked: Result<(), EngineError> =
            refused.iter().try_for_each(|name| transaction.txn.lock(name));
        let result = match locked {
            Ok(()) => Some(run(&transaction)),
            Err(EngineError::Conflict { .. }) => None,
            Err(error) => return Err(Error::from(error).into()),
        };
        match (transaction.txn.conflict(), result) {
            (Some((collection, false)), _) => {
                refused.insert(collection);
            }
            (Some((collection, true)), None) => {
                return Err(Error::from(EngineError::Conflict { collection }).into());
            }
            (_, Some(Ok(value))) => {
                transaction.commit()?;
                return Ok(value);
            }
            (_, Some(Err(error))) => {
                transaction.txn.give_up_published().map_err(Error::from)?;
                return Err(error);
            }
            // Locking is refused by a conflict alone, which has been seen to, or is not told of any
            // more.
            (None, None) => {
                opening.check_open().map_err(Error::from)?;
                return Err(Error::from(EngineError::TransactionOver).into());
            }
        }
    }
}
