//! Transactions: changes to several collections that happen as a whole or not at all.
//!
//! A transaction locks a collection when it first reads or writes it, and keeps the lock
//! until its commit is installed, or it is rolled back. Statements work on private copies of
//! pages and on numbers of the transaction's own; a commit installs all of it at once:
//!
//! ```text
//! install pages and one note for all collections; for each collection: add index entries,
//! bring its books up to date; release all locks; make it durable; publish
//! ```
//!
//! Locks go before the commit is durable. Another transaction may then read what is not
//! published yet; its own commit is published after this one, or never, even if it wrote
//! nothing: so nobody learns of what is lost later.
//!
//! A write outside of a transaction goes the same way, with one collection and one
//! statement; see [`Collection`](crate::Collection).

mod collection;
mod part;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_pager::{Durability, WriteTx};

pub use self::collection::TransactionCollection;
pub(crate) use self::part::commit_one;
use self::part::{Part, commit};
use crate::change::Change;
use crate::database::Shared;
use crate::error::{Error, Result};
use crate::lock::Party;
use crate::store::Failure;
use crate::waits::Deadlock;

/// Changes to any number of collections that happen as a whole or not at all; begun by
/// [`Database::begin_write`](crate::Database::begin_write), or by
/// [`Database::write`](crate::Database::write) for the time of a closure.
///
/// Write transactions are serializable: their outcome is as if they had run one after the
/// other. A transaction locks each collection when it first reads or writes it, and others
/// that want it wait until this one is over; readers outside of transactions do not.
/// Where two wait for each other, one gets [`Error::Conflict`] and is rolled back.
///
/// Dropping a transaction rolls it back. It may be handed to another thread.
///
/// ```
/// use nanodb_collection::{Database, doc};
///
/// # fn main() -> Result<(), nanodb_collection::Error> {
/// let db = Database::in_memory()?;
/// let tx = db.begin_write();
/// tx.collection("users").insert(doc! { "_id": "alice" })?;
/// tx.collection("log").insert(doc! { "what": "alice came" })?;
/// assert!(tx.collection("users").contains("alice")?);
/// assert_eq!(db.collection("users").count(), 0);
/// tx.commit()?;
/// assert_eq!(db.collection("users").count(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a transaction that is dropped does nothing"]
pub struct Transaction {
    status: RefCell<Status>,
    /// Set when the locks go: cursors over it show nothing any more.
    over: Arc<AtomicBool>,
    db: Arc<Shared>,
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
    parts: Vec<Part>,
    /// The thread that used it last.
    party: Party,
    /// Whether a statement has begun and not ended as it should.
    is_halfway: bool,
}

impl Transaction {
    pub(crate) fn new(db: Arc<Shared>) -> Self {
        let (parts, party) = (Vec::new(), Party::current());
        let open = Open { tx: db.pager.begin(), parts, party, is_halfway: false };
        let over = Arc::new(AtomicBool::new(false));
        Self { status: RefCell::new(Status::Open(open)), over, db }
    }

    /// The collection of that name. It is locked when it is first read or written; the
    /// first document that is inserted makes it, if there is none.
    pub fn collection(&self, name: &str) -> TransactionCollection<'_> {
        TransactionCollection::new(self, name)
    }

    /// Asks for another promise than the database's; see [`Durability`].
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
    /// [`Error::Conflict`] or [`Error::TransactionOver`] if it was given up before;
    /// [`Error::Storage`]: [`TooLarge`](crate::ErrorKind::TooLarge),
    /// [`Io`](crate::ErrorKind::Io) or [`Poisoned`](crate::ErrorKind::Poisoned). If it is the
    /// last, the changes may turn out to have survived when the file is opened again; else
    /// nothing has changed.
    pub fn commit(self) -> Result<()> {
        match self.status.replace(Status::Over) {
            Status::Open(open) if open.is_halfway => Err(Error::TransactionOver),
            Status::Open(Open { tx, parts, .. }) => commit(tx, parts, &self.over),
            Status::Conflict { collection, .. } => Err(Error::Conflict { collection }),
            Status::Over => Err(Error::TransactionOver),
        }
    }

    /// Gives up all changes. Dropping the transaction does the same.
    ///
    /// What it has read may not be durable yet, and others may not see it yet: commit a
    /// transaction that only reads.
    pub fn rollback(self) {}

    /// Gives up all changes, and waits until what was read is as durable as its writers
    /// asked, for the caller is about to learn of it.
    pub(crate) fn give_up_published(self) -> Result<()> {
        let has_read = match &*self.status.borrow() {
            Status::Open(open) => !open.parts.is_empty(),
            _ => false,
        };
        let db = Arc::clone(&self.db);
        drop(self);
        if has_read {
            db.pager.begin().install(&[])?.publish()?;
        }
        Ok(())
    }

    /// The collection that could not be locked, if that was why the transaction was given
    /// up, and whether it would be the same the next time.
    pub(crate) fn conflict(&self) -> Option<(String, bool)> {
        match &*self.status.borrow() {
            Status::Conflict { collection, is_hopeless } => {
                Some((collection.clone(), *is_hopeless))
            }
            _ => None,
        }
    }

    /// Locks a collection, if it is not locked yet.
    pub(crate) fn lock(&self, name: &str) -> Result<()> {
        self.statement(name, |_| Ok(()))
    }

    /// Runs a statement on a collection, locked. No code of the caller's runs in it.
    fn statement<T>(
        &self,
        name: &str,
        run: impl FnOnce(&mut Change<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        self.with_part(name, |tx, part| run(&mut part.change(tx)?))
    }

    fn with_part<T>(
        &self,
        name: &str,
        run: impl FnOnce(&mut WriteTx, &mut Part) -> Result<T, Failure>,
    ) -> Result<T> {
        let mut status = self.status.borrow_mut();
        let open = match &mut *status {
            Status::Open(open) if !open.is_halfway => open,
            Status::Conflict { collection, .. } => return Err(Error::conflict(collection)),
            _ => return Err(Error::TransactionOver),
        };
        open.adopt();
        let at = match open.part(&self.db, name) {
            Ok(at) => at,
            Err(part::Refused::Error(error)) => return Err(error),
            Err(part::Refused::Deadlock(deadlock)) => {
                self.give_up(&mut status, name, &deadlock);
                return Err(Error::conflict(name));
            }
        };
        let Open { tx, parts, is_halfway, .. } = open;
        let Some(part) = parts.get_mut(at) else { return Err(Error::TransactionOver) };
        // Also for a panic: what it leaves behind must not be committed.
        *is_halfway = true;
        match run(tx, part) {
            Ok(value) => {
                *is_halfway = false;
                Ok(value)
            }
            Err(Failure::Refused(error)) => {
                *is_halfway = false;
                Err(error)
            }
            Err(Failure::Halfway(error)) => {
                self.end(&mut status, Status::Over);
                Err(error)
            }
        }
    }

    fn give_up(&self, status: &mut Status, name: &str, deadlock: &Deadlock) {
        // If the circle is closed by a lock of another transaction of this thread, it will
        // be again: that one does not end meanwhile.
        let is_hopeless = match status {
            Status::Open(open) => !open.parts.iter().any(|part| part.closes(deadlock)),
            _ => false,
        };
        self.end(status, Status::Conflict { collection: name.to_owned(), is_hopeless });
    }

    /// Drops all changes and releases all locks.
    fn end(&self, status: &mut Status, how: Status) {
        // Release: paired with the acquire in `Cursor`. Before the locks go.
        self.over.store(true, Ordering::Release);
        *status = how;
    }
}

impl Open {
    /// Says that the calling thread has the transaction now.
    fn adopt(&mut self) {
        let party = Party::current();
        if party != self.party {
            self.party = party;
            self.parts.iter().for_each(|part| part.hand_over(party));
        }
    }

    /// Which part a collection is, locking it if it is none yet.
    fn part(&mut self, db: &Shared, name: &str) -> Result<usize, part::Refused> {
        if let Some(at) = self.parts.iter().position(|part| part.name() == name) {
            return Ok(at);
        }
        self.parts.push(Part::lock(db, name, self.party)?);
        Ok(self.parts.len() - 1)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Before the locks go, which are fields.
        self.over.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_over = self.over.load(Ordering::Relaxed);
        f.debug_struct("Transaction").field("is_over", &is_over).finish_non_exhaustive()
    }
}
