//! What opening a database once has given, until it is closed.
//!
//! All handles that come from one opening share it: clones of the database, collections, snapshots,
//! transactions, scans. Several openings of a file in this process share the [engine](Engine).
//! Closing one of them ends its handles, and the last one that is closed, or whose handles have
//! gone, closes the file.
//!
//! # Who is waited for
//!
//! A call is refused once the opening is closed, or it is *registered* and waited for: all that
//! write, and reads that may take long. Reads of a document are not registered, so that they cost
//! no more than a look at a flag; nor are those that run code of the program's in between. They end
//! with [`EngineError::Closed`] at their next step, and if one wants a page just then that is not
//! in memory, it has that, or the pager tells it that the file is gone.
//!
//! An open transaction holds locks between its calls. Closing ends it: at once if no call of it is
//! under way, else the call itself does when it is over; see
//! [`CallGate`](nanodb_pager::CallGate).

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use nanodb_pager::{CallGate, GatePass};
use parking_lot::Mutex;

use crate::engine::Engine;
use crate::error::{EngineError, Result};

/// What one opening of a database has given.
pub struct Opening {
    gate: CallGate,
    /// Those of the program's own that are not over.
    transactions: Mutex<Vec<Weak<dyn OpenTransaction>>>,
    /// Whether the engine knows that this opening is over. Relaxed: it is set once.
    has_left: AtomicBool,
    // Last: what handles hold must be gone before the engine is.
    engine: Arc<Engine>,
}

/// Whether the file is closed, or others in this process keep it open; returned by
/// `Database::close`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Closed {
    /// The file is closed: it is alone in its directory, and not locked any more.
    File,
    /// So many other openings of it, in this process, keep the file open. Everything is written
    /// into it.
    OthersHoldIt(usize),
}

/// A transaction, as far as it concerns who closes the database.
pub(crate) trait OpenTransaction: Send + Sync {
    /// Ends it unless a call of it is under way, which then does.
    fn end_if_idle(&self);

    /// Ends it. While no call is under way.
    fn end(&self);
}

/// A call under way, which closing waits for.
#[must_use = "the call is over when this is dropped"]
pub struct Call<'a> {
    _pass: GatePass<'a>,
    /// It is counted on its thread.
    _on_this_thread: PhantomData<*const ()>,
}

thread_local! {
    /// How many calls of any database are under way on this thread.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        CALLS.set(CALLS.get().saturating_sub(1));
    }
}

impl Opening {
    /// Begins an opening of an engine that has just been made for it, or
    /// [joined](crate::OpenFiles).
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Arc<Self> {
        Arc::new(Self {
            gate: CallGate::new(),
            transactions: Mutex::default(),
            has_left: AtomicBool::new(false),
            engine,
        })
    }

    /// Returns the engine.
    #[inline]
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Returns the file's path; none if the database is in none.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.engine.pager.path()
    }

    /// Returns an error if it is closed. Costs one load.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`].
    #[inline]
    pub fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(self.closed()) } else { Ok(()) }
    }

    /// Whether it is closed, or about to be: no call is let in any more.
    #[inline]
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.gate.is_shut()
    }

    /// Returns an error if it is closed, or was opened for reading alone.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`], [`EngineError::ReadOnly`].
    #[inline]
    pub fn check_writable(&self) -> Result<()> {
        self.check_open()?;
        self.engine.check_access()
    }

    #[cold]
    pub(crate) fn closed(&self) -> EngineError {
        EngineError::Closed { path: self.path().map(Path::to_owned) }
    }

    /// Registers a call, which closing waits for. It must run no code of the program's that might
    /// wait for another thread.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`].
    #[inline]
    pub fn enter(&self) -> Result<Call<'_>> {
        let Some(_pass) = self.gate.enter() else { return Err(self.closed()) };
        CALLS.set(CALLS.get() + 1);
        Ok(Call { _pass, _on_this_thread: PhantomData })
    }

    /// Runs a call that asks the program from time to time whether to go on. It is registered but
    /// for these times, so the program may close the database then; the call then ends.
    pub(crate) fn enter_in_steps<P, T>(
        &self,
        progress: &mut dyn FnMut(P) -> ControlFlow<()>,
        run: impl FnOnce(&mut dyn FnMut(P) -> ControlFlow<()>) -> Result<T>,
    ) -> Result<T> {
        let mut call = Some(self.enter()?);
        let result = run(&mut |at| {
            drop(call.take());
            let whether = progress(at);
            call = self.enter().ok();
            if call.is_some() { whether } else { ControlFlow::Break(()) }
        });
        // Without a call it was told to stop, whatever it has made of that.
        if call.is_some() { result } else { Err(self.closed()) }
    }

    /// Lists a transaction that is to be ended by closing.
    pub(crate) fn list(&self, transaction: Weak<dyn OpenTransaction>) {
        self.transactions.lock().push(transaction);
    }

    /// Takes a transaction that is over off the list.
    pub(crate) fn unlist<T>(&self, transaction: &Arc<T>) {
        let mut transactions = self.transactions.lock();
        let is_this = |listed: &Weak<_>| ptr::addr_eq(listed.as_ptr(), Arc::as_ptr(transaction));
        if let Some(at) = transactions.iter().position(is_this) {
            transactions.swap_remove(at);
        }
    }

    /// Refuses all calls from now on, waits for those that are under way, ends the transactions,
    /// writes everything into the file, and closes the file if no other opening is left.
    ///
    /// In a fork, a database in memory is closed without waiting: nobody may be there to end a
    /// call. What panics meanwhile, as a storage may, ends the opening all the same.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`] if it was closed before; [`EngineError::CloseWithinCall`] from code
    /// that a call of a database runs on this thread, and [`EngineError::Storage`] in a fork: then
    /// it is as open as before. Other errors of [`EngineError::Storage`] say what could not be
    /// written; it is closed all the same, and the next opening reads the logs.
    pub fn close(&self) -> Result<Closed> {
        if CALLS.get() > 0 {
            // It would wait for itself; or another thread for this one, and this one for that.
            return Err(EngineError::CloseWithinCall);
        }
        self.engine.pager.check_process()?;
        if !self.gate.shut() {
            return Err(self.closed());
        }
        if self.engine.is_inherited() {
            // It has copies of calls that nobody will end, and of locks that nobody will release.
            return Ok(Closed::File);
        }
        // First: calls that are under way may wait for what they hold.
        self.each_transaction(|transaction| transaction.end_if_idle());
        self.gate.wait_until_idle();
        let save = AssertUnwindSafe(|| {
            self.each_transaction(|transaction| transaction.end());
            self.engine.save()
        });
        let saved = match catch_unwind(save) {
            Ok(saved) => saved,
            Err(panic) => {
                // Nobody closes it a second time, so it would stay in the list of open files. What
                // is not in the file is in its logs.
                let let_go = AssertUnwindSafe(|| {
                    if self.leave() == Some(0) {
                        let _ = self.engine.release();
                    }
                });
                let _ = catch_unwind(let_go);
                resume_unwind(panic);
            }
        };
        match self.leave() {
            Some(0) => self.engine.shut().map(|()| Closed::File),
            others => saved.map(|()| Closed::OthersHoldIt(others.unwrap_or_default())),
        }
    }

    fn each_transaction(&self, act: fn(&dyn OpenTransaction)) {
        // Not under the lock: one that is dropped meanwhile takes itself off the list.
        let transactions: Vec<_> =
            self.transactions.lock().iter().filter_map(Weak::upgrade).collect();
        transactions.iter().for_each(|transaction| act(&**transaction));
    }

    /// Tells the engine that this opening is over, and returns how many others there are; none if
    /// it was told before.
    fn leave(&self) -> Option<usize> {
        let is_first = !self.has_left.swap(true, Ordering::Relaxed);
        is_first.then(|| self.engine.leave())
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        // What the process has opened that this one was forked from is open there.
        if self.engine.is_inherited() {
            return;
        }
        // Nobody is left to tell of a failure; `close` is there for who wants to know.
        if self.leave() == Some(0) {
            let _ = self.engine.shut();
        }
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("is_closed", &self.is_closed())
            .field("pager", &self.engine.pager)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
