//! Transactions: changes to several collections that happen as a whole or not at all.
//!
//! A transaction locks a collection when it first reads or writes it, and keeps the lock
//! until its commit is installed, or it is rolled back. Statements work on private copies of
//! pages and on numbers of the transaction's own; a commit installs all of it at once:
//!
//! ```text
//! install pages and the edits of all collections; for each collection: add index entries,
//! bring its books up to date; release all locks; make it durable; publish
//! ```
//!
//! Locks go before the commit is durable. Another transaction may then read what is not
//! published yet; its own commit is published after this one, or never, even if it wrote
//! nothing: so nobody learns of what is lost later.
//!
//! A write outside of a transaction goes the same way, with one collection and one
//! statement; see [`write`](crate::write).

pub(crate) mod participant;

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_pager::{Durability, WriteTx};
use parking_lot::Mutex;

use self::participant::{Participant, commit};
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::lock::owner::LockOwner;
use crate::lock::wait_for_graph::Deadlock;
use crate::opening::{Call, OpenTransaction, Opening};
use crate::scan::{Scan, ScannedTransaction};
use crate::write::statement::{Failure, Statement};

/// A transaction as the engine knows it: locked collections, and what was changed in them.
pub struct Txn {
    cell: Arc<TxnCell>,
    /// Whether it is part of a call that closing waits for. Else each statement is a call of its
    /// own, and closing ends the transaction in between.
    is_within_call: bool,
    /// A thread uses it at a time.
    _not_shared: PhantomData<Cell<()>>,
    opening: Arc<Opening>,
}

/// What scans over a transaction, and who closes the database, may look at.
struct TxnCell {
    /// Set when the locks go: scans over it show nothing any more.
    finished: AtomicBool,
    /// Locked by its calls, one at a time, and by who closes the database.
    status: Mutex<Status>,
}

#[expect(clippy::large_enum_variant, reason = "one for each transaction, and open nearly always")]
enum Status {
    Open(Open),
    /// Given up because of a deadlock.
    Conflict {
        collection: String,
        is_hopeless: bool,
    },
    Over,
}

/// What a transaction holds as long as it is not over.
struct Open {
    tx: WriteTx,
    parts: Vec<Participant>,
    /// The thread that used it last.
    owner: LockOwner,
    /// Whether a statement has begun and not ended as it should.
    is_poisoned: bool,
}

impl Txn {
    /// Begins a transaction. Dropping it rolls it back, and so does closing.
    #[must_use]
    pub fn new(opening: Arc<Opening>) -> Self {
        let txn = Self::begin(opening, false);
        let cell: Arc<dyn OpenTransaction> = txn.cell.clone();
        txn.opening.list(Arc::downgrade(&cell));
        if txn.opening.is_closed() {
            // Who closes it may have looked at the list before.
            txn.cell.end();
        }
        txn
    }

    /// Begins one that is over before the call is.
    #[must_use]
    pub fn within(_: &Call<'_>, opening: Arc<Opening>) -> Self {
        Self::begin(opening, true)
    }

    fn begin(opening: Arc<Opening>, is_within_call: bool) -> Self {
        let (parts, owner) = (Vec::new(), LockOwner::current());
        let open = Open { tx: opening.engine().pager.begin(), parts, owner, is_poisoned: false };
        let (finished, status) = (AtomicBool::new(false), Mutex::new(Status::Open(open)));
        let cell = Arc::new(TxnCell { finished, status });
        Self { cell, is_within_call, _not_shared: PhantomData, opening }
    }

    /// Registers a call of it, unless it is part of one.
    fn enter(&self) -> Result<Option<TxnCall<'_>>> {
        if self.is_within_call {
            return Ok(None);
        }
        Ok(Some(TxnCall { call: Some(self.opening.enter()?), txn: self }))
    }

    /// Returns an error if the database is closed, unless it is part of a call that closing waits
    /// for.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`](crate::EngineError::Closed).
    pub fn check_open(&self) -> Result<()> {
        if self.is_within_call { Ok(()) } else { self.opening.check_open() }
    }

    /// Overrides the database's durability for this transaction; see [`Durability`].
    pub fn set_durability(&self, durability: Durability) {
        let Ok(_call) = self.enter() else { return };
        if let Status::Open(open) = &mut *self.cell.status.lock() {
            open.tx.set_durability(durability);
        }
    }

    /// Makes all changes durable, as far as was asked, and visible to others, all at once.
    ///
    /// A transaction that changed nothing waits until what it has read is as durable as
    /// its writers asked.
    ///
    /// # Errors
    ///
    /// [`EngineError::Conflict`] or [`EngineError::TransactionOver`] if it was given up before, or
    /// [`EngineError::Closed`]; [`EngineError::Storage`]:
    /// [`TooLarge`](nanodb_document::ErrorKind::TooLarge), [`Io`](nanodb_document::ErrorKind::Io)
    /// or [`Poisoned`](nanodb_document::ErrorKind::Poisoned). If it is the last, the changes may
    /// turn out to have survived when the file is opened again; else nothing has changed.
    pub fn commit(self) -> Result<()> {
        let _call = self.enter()?;
        let status = mem::replace(&mut *self.cell.status.lock(), Status::Over);
        match status {
            Status::Open(open) if open.is_poisoned => {
                self.cell.finish();
                Err(EngineError::TransactionOver)
            }
            Status::Open(Open { tx, parts, .. }) => commit(tx, parts, || self.cell.finish()),
            Status::Conflict { collection, .. } => Err(EngineError::Conflict { collection }),
            Status::Over => Err(self.over()),
        }
    }

    /// Rolls the transaction back, and waits until what it read is as durable as its writers
    /// asked: the caller is about to learn of it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Storage`].
    pub fn give_up_published(self) -> Result<()> {
        let opening = Arc::clone(&self.opening);
        let _call = match self.is_within_call {
            true => None,
            false => match opening.enter() {
                Ok(call) => Some(call),
                // Who closes it waits for those whose commits it has read.
                Err(_) => return Ok(()),
            },
        };
        let has_read = match &*self.cell.status.lock() {
            Status::Open(open) => !open.parts.is_empty(),
            _ => false,
        };
        drop(self);
        if has_read {
            opening.engine().pager.begin().install(&[])?.publish()?;
        }
        Ok(())
    }

    /// Returns the collection that could not be locked, if the transaction was given up because of
    /// a deadlock, and whether a repetition would deadlock again; none once the database is closed.
    #[must_use]
    pub fn conflict(&self) -> Option<(String, bool)> {
        let _call = self.enter().ok()?;
        match &*self.cell.status.lock() {
            Status::Conflict { collection, is_hopeless } => {
                Some((collection.clone(), *is_hopeless))
            }
            _ => None,
        }
    }

    /// Why it is over: closing may have ended it just before this call had it.
    #[cold]
    fn over(&self) -> EngineError {
        match self.check_open() {
            Ok(()) => EngineError::TransactionOver,
            Err(closed) => closed,
        }
    }

    /// Locks a collection, unless the transaction has locked it before.
    ///
    /// # Errors
    ///
    /// As [`statement`](Self::statement).
    pub fn lock(&self, name: &str) -> Result<()> {
        self.statement(name, |_| Ok(()))
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Arc<Engine> {
        self.opening.engine()
    }

    /// Returns the opening whose transaction it is.
    pub fn opening(&self) -> &Arc<Opening> {
        &self.opening
    }

    /// Makes a scan of a collection as the transaction sees it now. Later changes do not affect it.
    ///
    /// # Errors
    ///
    /// As [`statement`](Self::statement).
    pub fn scan(&self, name: &Arc<str>) -> Result<Scan> {
        self.with_part(name, |tx, part| {
            let (opening, view) = (Arc::clone(&self.opening), tx.view(part.store().owner));
            let transaction: Arc<dyn ScannedTransaction> = self.cell.clone();
            Ok(Scan::within(opening, view, transaction, (part.store(), name), part.extents()))
        })
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.cell.is_over()
    }

    /// Runs a statement on a collection, which it locks. `run` must not call code of users: the
    /// collection is locked.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`], [`EngineError::Conflict`], [`EngineError::TransactionOver`],
    /// [`EngineError::CollectionName`], [`EngineError::Storage`]; what `run` returns.
    pub fn statement<T>(
        &self,
        name: &str,
        run: impl FnOnce(&mut Statement<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        self.with_part(name, |tx, part| run(&mut part.change(tx)?))
    }

    fn with_part<T>(
        &self,
        name: &str,
        run: impl FnOnce(&mut WriteTx, &mut Participant) -> Result<T, Failure>,
    ) -> Result<T> {
        // Dropped after the lock: see there.
        let _call = self.enter()?;
        let mut status = self.cell.status.lock();
        let open = match &mut *status {
            Status::Open(open) if !open.is_poisoned => open,
            Status::Conflict { collection, .. } => return Err(EngineError::conflict(collection)),
            _ => return Err(self.over()),
        };
        open.adopt();
        let at = match open.part(self.engine(), name) {
            Ok(at) => at,
            Err(participant::LockFailure::Error(error)) => return Err(error),
            Err(participant::LockFailure::Deadlock(deadlock)) => {
                self.cell.give_up(&mut status, name, &deadlock);
                return Err(EngineError::conflict(name));
            }
        };
        let Open { tx, parts, is_poisoned, .. } = open;
        let Some(part) = parts.get_mut(at) else { return Err(EngineError::TransactionOver) };
        // Also for a panic: what it leaves behind must not be committed.
        *is_poisoned = true;
        match run(tx, part) {
            Ok(value) => {
                *is_poisoned = false;
                Ok(value)
            }
            Err(Failure::Refused(error)) => {
                *is_poisoned = false;
                Err(error)
            }
            Err(Failure::Halfway(error)) => {
                self.cell.end_as(&mut status, Status::Over);
                Err(error)
            }
        }
    }
}

impl TxnCell {
    /// Says that the locks go. Before they do.
    fn finish(&self) {
        // Release, paired with the acquire in `is_over`.
        self.finished.store(true, Ordering::Release);
    }

    fn give_up(&self, status: &mut Status, name: &str, deadlock: &Deadlock) {
        // If the cycle is closed by a lock of another transaction of this thread, it will
        // be again: that one does not end meanwhile.
        let is_hopeless = match status {
            Status::Open(open) => !open.parts.iter().any(|part| part.closes(deadlock)),
            _ => false,
        };
        self.end_as(status, Status::Conflict { collection: name.to_owned(), is_hopeless });
    }

    /// Drops all changes and releases all locks.
    fn end_as(&self, status: &mut Status, how: Status) {
        self.finish();
        *status = how;
    }

    fn end_open(&self, status: &mut Status) {
        if matches!(status, Status::Open(_)) {
            self.end_as(status, Status::Over);
        }
    }
}

impl OpenTransaction for TxnCell {
    fn end_if_idle(&self) {
        // Whoever has it locked is in a call, and looks when that is over; or drops it.
        if let Some(mut status) = self.status.try_lock() {
            self.end_open(&mut status);
        }
    }

    fn end(&self) {
        self.end_open(&mut self.status.lock());
    }
}

impl ScannedTransaction for TxnCell {
    fn is_over(&self) -> bool {
        // Acquire, paired with the release before the locks go: who reads what another has
        // changed since sees it.
        self.finished.load(Ordering::Acquire)
    }
}

/// A call of a transaction, which ends it if the database was closed meanwhile. It must be over
/// when nothing of the transaction is locked any more.
struct TxnCall<'a> {
    call: Option<Call<'a>>,
    txn: &'a Txn,
}

impl Drop for TxnCall<'_> {
    fn drop(&mut self) {
        // First: who closes it has seen that this call is over, or this sees that it is closed.
        drop(self.call.take());
        if self.txn.opening.is_closed() {
            self.txn.cell.end();
        }
    }
}

impl Open {
    /// Says that the calling thread has the transaction now.
    fn adopt(&mut self) {
        let owner = LockOwner::current();
        if owner != self.owner {
            self.owner = owner;
            self.parts.iter().for_each(|part| part.transfer_to(owner));
        }
    }

    /// Which part a collection is, locking it if it is none yet.
    fn part(&mut self, db: &Engine, name: &str) -> Result<usize, participant::LockFailure> {
        if let Some(at) = self.parts.iter().position(|part| part.name() == name) {
            return Ok(at);
        }
        self.parts.push(Participant::lock(db, name, self.owner)?);
        Ok(self.parts.len() - 1)
    }
}

impl Drop for Txn {
    fn drop(&mut self) {
        // A scan over it may keep the cell; what it holds goes now.
        self.cell.finish();
        self.cell.end();
        if !self.is_within_call {
            self.opening.unlist(&self.cell);
        }
    }
}

impl fmt::Debug for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_over = self.cell.finished.load(Ordering::Relaxed);
        f.debug_struct("Txn").field("is_over", &is_over).finish_non_exhaustive()
    }
}
