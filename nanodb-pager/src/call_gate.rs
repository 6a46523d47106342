//! A gate that calls pass while something is open: once it is shut, a call is refused, or it was
//! under way and is waited for.
//!
//! The calls are counted in the same word that says whether the gate is shut. All changes of one
//! word come in one order: a call that is counted before the gate is shut is waited for, and one
//! that is counted later finds out by that very count. There is no time in between.
//!
//! Who only wants to know whether it is shut looks at a flag of its own, which is written once:
//! calls of other threads don't take its cache line away.
//!
//! # What a call leaves behind
//!
//! A call may leave something behind that it alone would clean up in a later call: a transaction
//! that holds locks between its statements. Who shuts the gate cleans up what no call is using
//! just then, and whoever uses it looks whether the gate is shut *after* its call is over: one of
//! the two does it. For either the call left before the gate was shut, and is seen to have, or it
//! left later, and sees that.

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicBool, AtomicUsize, Condvar, Mutex, Ordering};

/// Lets calls pass until it is shut, and then waits for those that are under way.
///
/// ```
/// use nanodb_pager::CallGate;
///
/// let gate = CallGate::new();
/// let call = gate.enter().expect("it is open");
/// drop(call);
/// assert!(gate.shut());
/// gate.wait_until_idle();
/// assert!(gate.enter().is_none() && gate.is_shut());
/// ```
#[derive(Debug, Default)]
pub struct CallGate {
    /// Release by who shuts it, acquire by who looks: set before the gate is shut.
    is_shut: AtomicBool,
    /// [`SHUT`], and [`CALL`] for each call under way.
    calls: CachePadded<AtomicUsize>,
    /// Locked by the call that leaves last, after it is shut, to tell who waits.
    leaving: Mutex<()>,
    idle: Condvar,
}

const SHUT: usize = 1;
const CALL: usize = 2;

/// A call under way; over when it is dropped.
#[derive(Debug)]
#[must_use = "the call is over when this is dropped"]
pub struct GatePass<'a>(&'a CallGate);

impl CallGate {
    /// Returns a gate that is open.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether it is shut. Costs one load.
    #[inline]
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Acquire)
    }

    /// Registers a call, which who shuts the gate waits for; none once it is shut.
    #[inline]
    pub fn enter(&self) -> Option<GatePass<'_>> {
        // Callers who are refused again and again would else keep who waits from seeing none.
        if self.is_shut() {
            return None;
        }
        // Acquire, paired with the release in `shut`: who is refused sees that it is shut.
        let before = self.calls.fetch_add(CALL, Ordering::Acquire);
        // One that is refused was counted, and leaves like any other.
        let pass = GatePass(self);
        (before & SHUT == 0).then_some(pass)
    }

    /// Shuts the gate: no call passes any more. Returns false if it was shut before.
    pub fn shut(&self) -> bool {
        self.is_shut.store(true, Ordering::Release);
        // Acquire, paired with the release of calls that leave: what those have done that left
        // before is seen. Release: those that leave later see the flag.
        self.calls.fetch_or(SHUT, Ordering::AcqRel) & SHUT == 0
    }

    /// Returns when no call is under way any more. For who has [shut](Self::shut) the gate, on a
    /// thread that is in no call itself.
    pub fn wait_until_idle(&self) {
        let mut leaving = self.leaving.lock();
        // Acquire, paired with the release of calls that leave: what they have done is seen.
        while self.calls.load(Ordering::Acquire) >= CALL {
            self.idle.wait(&mut leaving);
        }
    }

    #[cold]
    fn tell_that_it_is_idle(&self) {
        // Who waits has looked before and sleeps, or looks again after this.
        drop(self.leaving.lock());
        self.idle.notify_all();
    }
}

impl Drop for GatePass<'_> {
    #[inline]
    fn drop(&mut self) {
        // Release: see `shut` and `wait_until_idle`. Acquire: one that leaves after the gate was
        // shut sees that it is.
        let before = self.0.calls.fetch_sub(CALL, Ordering::AcqRel);
        if before == SHUT + CALL {
            self.0.tell_that_it_is_idle();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(all(test, loom))]
mod interleavings;
