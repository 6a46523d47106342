//! Calls and who shuts the gate, in every order.

use std::sync::Arc;

use nanodb_loom::{every_interleaving, thread};

use super::CallGate;
use crate::sync::{AtomicBool, AtomicUsize, Condvar, Mutex, Ordering};

/// Something that calls use, and that is gone once the gate is shut and nobody is in it.
#[derive(Default)]
struct Resource {
    gate: CallGate,
    /// Relaxed, both: only the gate orders them.
    is_gone: AtomicBool,
    uses: AtomicUsize,
}

impl Resource {
    /// Whether the call was let in.
    fn call(&self) -> bool {
        let Some(_call) = self.gate.enter() else {
            assert!(self.gate.is_shut(), "refused, and not shut");
            return false;
        };
        assert!(!self.is_gone.load(Ordering::Relaxed), "a call is under way and not waited for");
        self.uses.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn close(&self) -> usize {
        assert!(self.gate.shut());
        self.gate.wait_until_idle();
        self.is_gone.store(true, Ordering::Relaxed);
        self.uses.load(Ordering::Relaxed)
    }
}

#[test]
fn a_call_is_refused_or_waited_for() {
    every_interleaving(|| {
        let resource = Arc::new(Resource::default());
        let callers = [0; 2].map(|_| {
            let resource = Arc::clone(&resource);
            thread::spawn(move || usize::from(resource.call()))
        });
        let seen = resource.close();
        let used: usize = callers.map(|caller| caller.join().unwrap()).into_iter().sum();
        assert_eq!(seen, used, "what a call has done is not seen");
        assert!(!resource.call(), "a call that comes later is let in");
    });
}

/// A transaction with one lock, which it takes in a statement and keeps after it.
#[derive(Default)]
struct Transaction {
    gate: CallGate,
    /// Whether it holds the lock. Locked while a statement runs.
    status: Mutex<bool>,
    is_locked: Mutex<bool>,
    unlocked: Condvar,
}

impl Transaction {
    fn statement(&self) {
        let Some(call) = self.gate.enter() else { return };
        {
            let mut status = self.status.lock();
            self.wait_for_the_lock();
            *status = true;
        }
        drop(call);
        if self.gate.is_shut() {
            self.end(&mut self.status.lock());
        }
    }

    /// A write of another, which waits for the lock.
    fn write(&self) {
        let Some(_call) = self.gate.enter() else { return };
        self.wait_for_the_lock();
        self.unlock();
    }

    fn close(&self) {
        assert!(self.gate.shut());
        if let Some(mut status) = self.status.try_lock() {
            self.end(&mut status);
        }
        self.gate.wait_until_idle();
        self.end(&mut self.status.lock());
    }

    fn end(&self, status: &mut bool) {
        if std::mem::take(status) {
            self.unlock();
        }
    }

    fn wait_for_the_lock(&self) {
        let mut is_locked = self.is_locked.lock();
        while *is_locked {
            self.unlocked.wait(&mut is_locked);
        }
        *is_locked = true;
    }

    fn unlock(&self) {
        *self.is_locked.lock() = false;
        self.unlocked.notify_one();
    }
}

/// Otherwise who shuts the gate waits for the write, and that for the transaction, whose
/// statements are refused.
#[test]
fn what_a_transaction_holds_between_its_calls_is_given_up_by_one_of_the_two() {
    every_interleaving(|| {
        let transaction = Arc::new(Transaction::default());
        let callers: [fn(&Transaction); 2] = [Transaction::statement, Transaction::write];
        let callers = callers.map(|call| {
            let transaction = Arc::clone(&transaction);
            thread::spawn(move || call(&transaction))
        });
        transaction.close();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        assert!(!*transaction.status.lock() && !*transaction.is_locked.lock());
    });
}
