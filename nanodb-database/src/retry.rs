//! Running a transaction until it meets no conflict.
//!
//! Whoever gives way has released everything, so those it was in the way of go on. The
//! next time it locks what it was refused first, and in the order of names, before it
//! holds anything else: so it waits until they have passed, rather than getting in
//! their way again; and once it knows all collections that it uses, it takes them in an
//! order that makes no circle with others which do so, too.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::transaction::Transaction;
use nanodb_collection::Engine;

pub(crate) fn write<T, E: From<Error>>(
    db: &Arc<Engine>,
    mut run: impl FnMut(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    let mut refused: BTreeSet<String> = BTreeSet::new();
    loop {
        let transaction = Transaction::new(Arc::clone(db));
        let locked: Result<()> = refused.iter().try_for_each(|name| transaction.txn.lock(name));
        let result = match locked {
            Ok(()) => Some(run(&transaction)),
            Err(Error::Conflict { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        match (transaction.txn.conflict(), result) {
            (Some((collection, false)), _) => {
                refused.insert(collection);
            }
            (Some((collection, true)), None) => return Err(Error::Conflict { collection }.into()),
            (_, Some(Ok(value))) => {
                transaction.commit()?;
                return Ok(value);
            }
            (_, Some(Err(error))) => {
                transaction.txn.give_up_published()?;
                return Err(error);
            }
            // Locking is refused by a conflict alone, which has been seen to.
            (None, None) => return Err(Error::TransactionOver.into()),
        }
    }
}
