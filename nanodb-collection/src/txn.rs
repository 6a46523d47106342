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

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_pager::{Durability, WriteTx};

use self::participant::{Participant, commit};
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::lock::owner::LockOwner;
use crate::lock::wait_for_graph::Deadlock;
use crate::scan::Scan;
use crate::write::statement::{Failure, Statement};

/// A transaction as the engine knows it: locked collections, and what was changed in them.
pub struct Txn {
    status: RefCell<Status>,
    /// Set when the locks go: scans over it show nothing any more.
    finished: Arc<AtomicBool>,
    engine: Arc<Engine>,
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
    /// Begins a transaction. Dropping it rolls it back.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        let (parts, owner) = (Vec::new(), LockOwner::current());
        let open = Open { tx: engine.pager.begin(), parts, owner, is_poisoned: false };
        let finished = Arc::new(AtomicBool::new(false));
        Self { status: RefCell::new(Status::Open(open)), finished, engine }
    }

    /// Overrides the database's durability for this transaction; see [`Durability`].
    pub fn set_durability(&self, durability: Durability) {
        if let Status::Open(open) = &mut *self.status.borrow_mut() {
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
    /// [`EngineError::Conflict`] or [`EngineError::TransactionOver`] if it was given up before;
    /// [`EngineError::Storage`]: [`TooLarge`](nanodb_document::ErrorKind::TooLarge),
    /// [`Io`](nanodb_document::ErrorKind::Io) or [`Poisoned`](nanodb_document::ErrorKind::Poisoned). If it is the
    /// last, the changes may turn out to have survived when the file is opened again; else
    /// nothing has changed.
    pub fn commit(self) -> Result<()> {
        match self.status.replace(Status::Over) {
            Status::Open(open) if open.is_poisoned => Err(EngineError::TransactionOver),
            Status::Open(Open { tx, parts, .. }) => commit(tx, parts, || {
                // Release, paired with the acquire in `Scan`.
                self.finished.store(true, Ordering::Release);
            }),
            Status::Conflict { collection, .. } => Err(EngineError::Conflict { collection }),
            Status::Over => Err(EngineError::TransactionOver),
        }
    }

    /// Rolls the transaction back, and waits until what it read is as durable as its writers
    /// asked: the caller is about to learn of it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Storage`].
    pub fn give_up_published(self) -> Result<()> {
        let has_read = match &*self.status.borrow() {
            Status::Open(open) => !open.parts.is_empty(),
            _ => false,
        };
        let engine = Arc::clone(&self.engine);
        drop(self);
        if has_read {
            engine.pager.begin().install(&[])?.publish()?;
        }
        Ok(())
    }

    /// Returns the collection that could not be locked, if the transaction was given up because of
    /// a deadlock, and whether a repetition would deadlock again.
    #[must_use]
    pub fn conflict(&self) -> Option<(String, bool)> {
        match &*self.status.borrow() {
            Status::Conflict { collection, is_hopeless } => {
                Some((collection.clone(), *is_hopeless))
            }
            _ => None,
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
        &self.engine
    }

    /// Makes a scan of a collection as the transaction sees it now. Later changes do not affect it.
    ///
    /// # Errors
    ///
    /// As [`statement`](Self::statement).
    pub fn scan(&self, name: &Arc<str>) -> Result<Scan> {
        let (finished, engine) = (Arc::clone(&self.finished), Arc::clone(&self.engine));
        self.with_part(name, |tx, part| {
            let view = tx.view(part.store().owner);
            Ok(Scan::within(engine, view, finished, (part.store(), name), part.extents()))
        })
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Runs a statement on a collection, which it locks. `run` must not call code of users: the
    /// collection is locked.
    ///
    /// # Errors
    ///
    /// [`EngineError::Conflict`], [`EngineError::TransactionOver`], [`EngineError::CollectionName`],
    /// [`EngineError::Storage`]; what `run` returns.
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
        let mut status = self.status.borrow_mut();
        let open = match &mut *status {
            Status::Open(open) if !open.is_poisoned => open,
            Status::Conflict { collection, .. } => return Err(EngineError::conflict(collection)),
            _ => return Err(EngineError::TransactionOver),
        };
        open.adopt();
        let at = match open.part(&self.engine, name) {
            Ok(at) => at,
            Err(participant::LockFailure::Error(error)) => return Err(error),
            Err(participant::LockFailure::Deadlock(deadlock)) => {
                self.give_up(&mut status, name, &deadlock);
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
                self.end(&mut status, Status::Over);
                Err(error)
            }
        }
    }

    fn give_up(&self, status: &mut Status, name: &str, deadlock: &Deadlock) {
        // If the cycle is closed by a lock of another transaction of this thread, it will
        // be again: that one does not end meanwhile.
        let is_hopeless = match status {
            Status::Open(open) => !open.parts.iter().any(|part| part.closes(deadlock)),
            _ => false,
        };
        self.end(status, Status::Conflict { collection: name.to_owned(), is_hopeless });
    }

    /// Drops all changes and releases all locks.
    fn end(&self, status: &mut Status, how: Status) {
        // Release: paired with the acquire in `Scan`. Before the locks go.
        self.finished.store(true, Ordering::Release);
        *status = how;
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
        // Before the locks go, which are fields.
        self.finished.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_over = self.finished.load(Ordering::Relaxed);
        f.debug_struct("Txn").field("is_over", &is_over).finish_non_exhaustive()
    }
}
