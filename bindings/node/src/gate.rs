//! Which collections the transactions of this process hold.
//!
//! An asynchronous transaction takes its steps in threads of libuv's pool, of which there are four.
//! A write that waits there for a collection that a transaction holds keeps such a thread; when all
//! are kept, the transaction cannot take its next step, and everything stands still. So nobody
//! waits in the pool: before a step or a write begins, JavaScript asks here, and waits itself.
//!
//! Writes that had begun when a transaction first asked may still wait for it. There are fewer of
//! them than threads, since the transaction's own step runs in one; and none begins after it.
//!
//! Transactions that wait for each other are found here, since the engine does not see them wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// A collection: the file's name, and its own.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key(Arc<str>, Arc<str>);

impl Key {
    /// Returns the key of a collection.
    pub(crate) fn new(file: &Arc<str>, collection: &str) -> Self {
        Self(Arc::clone(file), collection.into())
    }
}

/// What becomes of who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Answer {
    /// It may begin.
    Begin = 0,
    /// A transaction of the same thread of JavaScript holds the collection.
    HeldHere = 1,
    /// One of another thread does.
    HeldElsewhere = 2,
    /// It would wait for a transaction that waits for it.
    Deadlock = 3,
}

#[derive(Clone, Copy)]
struct Holder {
    transaction: u64,
    thread: u32,
}

#[derive(Default)]
struct Gates {
    held: HashMap<Key, Holder>,
    /// What each transaction waits for.
    waiting: HashMap<u64, Key>,
}

static GATES: LazyLock<Mutex<Gates>> = LazyLock::new(Mutex::default);

/// How many collections are held, so that who asks needs no lock as long as it is none. It is
/// written under the lock. A transaction that raises it and a write that reads it at the same
/// moment begin at the same moment, which is allowed; so it orders nothing.
static HELD: AtomicUsize = AtomicUsize::new(0);

static NEXT_TRANSACTION: AtomicU64 = AtomicU64::new(1);

/// Returns a number for a transaction, which no other has.
pub(crate) fn next_transaction() -> u64 {
    // Only that it differs matters.
    NEXT_TRANSACTION.fetch_add(1, Ordering::Relaxed)
}

fn gates() -> MutexGuard<'static, Gates> {
    // What a panic left behind is whole: each change is one step of a map.
    GATES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a write outside of transactions may begin.
pub(crate) fn ask(key: &Key, thread: u32) -> Answer {
    // See `HELD`.
    if HELD.load(Ordering::Relaxed) == 0 {
        return Answer::Begin;
    }
    match gates().held.get(key) {
        None => Answer::Begin,
        Some(holder) if holder.thread == thread => Answer::HeldHere,
        Some(_) => Answer::HeldElsewhere,
    }
}

/// Returns whether a step of a transaction may begin; if so, the transaction holds the collection.
pub(crate) fn hold(key: &Key, transaction: u64, thread: u32) -> Answer {
    let mut gates = gates();
    let Some(holder) = gates.held.get(key).copied() else {
        gates.waiting.remove(&transaction);
        gates.held.insert(key.clone(), Holder { transaction, thread });
        HELD.store(gates.held.len(), Ordering::Relaxed);
        return Answer::Begin;
    };
    if holder.transaction == transaction {
        return Answer::Begin;
    }
    if waits_for(&gates, holder.transaction, transaction) {
        gates.waiting.remove(&transaction);
        return Answer::Deadlock;
    }
    gates.waiting.insert(transaction, key.clone());
    if holder.thread == thread { Answer::HeldHere } else { Answer::HeldElsewhere }
}

/// Returns whether a transaction waits for another, itself or through those that it waits for.
fn waits_for(gates: &Gates, mut transaction: u64, other: u64) -> bool {
    // There is no cycle, since nobody is let into one; but a bound costs nothing.
    for _ in 0..=gates.waiting.len() {
        let holder = gates.waiting.get(&transaction).and_then(|key| gates.held.get(key));
        match holder {
            Some(holder) if holder.transaction == other => return true,
            Some(holder) => transaction = holder.transaction,
            None => return false,
        }
    }
    true
}

/// Lets go of what a transaction holds.
pub(crate) fn release(transaction: u64) {
    let mut gates = gates();
    gates.waiting.remove(&transaction);
    gates.held.retain(|_, holder| holder.transaction != transaction);
    HELD.store(gates.held.len(), Ordering::Relaxed);
}
