//! The life of a write, told once: lock, statement, commit.
//!
//! ```text
//! lock the collection      Catalog::reserve, NameBinding::lock
//! begin                    the id index at hand, private copies of pages, an empty write set
//! statement                changes the copies and the write set, or is refused: `statement`,
//!                          which stores records (`records`) on pages with free space (`placement`)
//! install and apply        `commit`: all of it is in the log's order now, for the next writer
//! unlock
//! publish                  durable, as far as was asked, and visible to readers
//! ```
//!
//! A call outside of a transaction does all of that here, in [`run`]. A transaction keeps what
//! [`run`] has on its stack for each collection that it has locked.

pub(crate) mod commit;
mod placement;
mod records;
mod relocate;
pub(crate) mod statement;
pub(crate) mod write_set;

use std::ops::DerefMut;
use std::sync::Arc;

use nanodb_pager::{Durability, Pager, WriteTx};
use smallvec::smallvec;

use self::commit::{Change, Commit, Part};
use self::statement::{Failure, Statement};
use self::write_set::WriteSet;
use crate::catalog::binding::NameBinding;
use crate::catalog::reservation::NameReservation;
use crate::catalog::{Catalog, ReserveOutcome};
use crate::error::Result;
use crate::id_index::LoadedIndex;
use crate::lock::owner::LockOwner;
use crate::store::CollectionState;

/// A statement whose result its caller keeps: one type for all, so that what runs them is compiled
/// once, and not again in each crate that has a statement of its own.
type AnyStatement<'a> = dyn FnMut(&mut Statement<'_>) -> Result<(), Failure> + 'a;

/// Runs one statement on a collection that is locked, as a transaction of its own.
///
/// If nothing has changed, waits until what was found is as durable as its writers asked.
fn run(
    binding: &Arc<NameBinding>,
    mut held: impl DerefMut<Target = CollectionState>,
    reservation: Option<NameReservation>,
    statement: &mut AnyStatement<'_>,
) -> Result<()> {
    let store = &binding.store;
    let index = store.index_for_writer()?;
    store.remove_retired(index, &mut held);
    let mut tx = store.pager.begin();
    let mut write_set = WriteSet::new(&held);
    let done = statement(&mut Statement::new(store, index, &held, &mut tx, &mut write_set));
    if write_set.changed && done.is_ok() {
        commit_one(tx, binding, held, reservation, write_set)?;
    } else if matches!(done, Ok(()) | Err(Failure::Refused(_))) {
        // What was found may not be published yet.
        drop(reservation);
        drop(held);
        tx.install(&[])?.publish()?;
    }
    Ok(done?)
}

/// Runs a statement on the collection of that name, which is made if there is none, as a
/// transaction of its own; returns what the name means, too, if that is not what it was `known`
/// to mean.
///
/// # Errors
///
/// What the statement returns; [`EngineError::CollectionName`], [`EngineError::Conflict`],
/// [`EngineError::Storage`].
///
/// [`EngineError::CollectionName`]: crate::EngineError::CollectionName
/// [`EngineError::Conflict`]: crate::EngineError::Conflict
/// [`EngineError::Storage`]: crate::EngineError::Storage
pub(crate) fn run_or_make(
    catalog: &Catalog,
    name: &str,
    known: Option<&Arc<NameBinding>>,
    statement: &mut AnyStatement<'_>,
) -> Result<Option<Arc<NameBinding>>> {
    let owner = LockOwner::current();
    if let Some(binding) = known
        && let Some(held) = binding.lock(owner)?
    {
        run(binding, held, None, statement)?;
        return Ok(None);
    }
    loop {
        match catalog.reserve(name, owner)? {
            ReserveOutcome::New(binding, reservation, held) => {
                run(&binding, held, Some(reservation), statement)?;
                return Ok(Some(binding));
            }
            ReserveOutcome::Taken(binding) => {
                let Some(held) = binding.lock(owner)? else { continue };
                run(&binding, held, None, statement)?;
                return Ok(Some(binding));
            }
        }
    }
}

/// The same on a collection that exists; if it does not, the statement is not run.
///
/// # Errors
///
/// As [`run_or_make`].
pub(crate) fn run_existing(
    catalog: &Catalog,
    name: &str,
    known: Option<&Arc<NameBinding>>,
    statement: &mut AnyStatement<'_>,
) -> Result<Option<Arc<NameBinding>>> {
    let owner = LockOwner::current();
    if let Some(binding) = known
        && let Some(held) = binding.lock(owner)?
    {
        run(binding, held, None, statement)?;
        return Ok(None);
    }
    while let Some(binding) = catalog.names.current(name) {
        let Some(held) = binding.lock(owner)? else { continue };
        run(&binding, held, None, statement)?;
        return Ok(Some(binding));
    }
    Ok(None)
}

/// Runs a statement of ours on a collection that is locked: nothing is lost with it if it is, so
/// nobody waits for the disk.
pub(crate) fn run_unasked<T>(
    pager: &Pager,
    binding: &Arc<NameBinding>,
    mut held: impl DerefMut<Target = CollectionState>,
    index: &LoadedIndex,
    may_use_reserve: bool,
    statement: impl FnOnce(&mut Statement<'_>) -> Result<T>,
) -> Result<T> {
    let store = &binding.store;
    store.remove_retired(index, &mut held);
    let mut tx = pager.begin();
    if may_use_reserve {
        tx.may_use_reserve();
    }
    tx.set_durability(Durability::Buffered);
    let mut write_set = WriteSet::new(&held);
    let done = statement(&mut Statement::new(store, index, &held, &mut tx, &mut write_set))?;
    if write_set.changed {
        commit_one(tx, binding, held, None, write_set)?;
    } else {
        // What was learned of the pages stays.
        write_set.apply(&mut held);
    }
    Ok(done)
}

#[inline]
fn commit_one(
    tx: WriteTx,
    binding: &Arc<NameBinding>,
    held: impl DerefMut<Target = CollectionState>,
    reservation: Option<NameReservation>,
    write_set: WriteSet,
) -> Result<()> {
    let part = Part { change: Change::Written(write_set, reservation), held, binding };
    Commit::install(tx, smallvec![part], || ())?.publish()
}
