//! A transaction on a thread of its own, told step by step what to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use nanodb::{Database, ErrorKind, Result, Transaction};

type Step = Box<dyn FnOnce(&Transaction) + Send>;

/// A transaction; rolled back, if it is neither committed nor rolled back.
pub(super) struct Session {
    steps: Sender<Step>,
    end: Sender<bool>,
    thread: JoinHandle<Result<()>>,
    /// Set right before the transaction is told to end.
    ending: Arc<AtomicBool>,
}

/// A step that was begun.
#[must_use]
pub(super) struct Pending<T> {
    result: Receiver<(T, bool)>,
    blocker: Arc<AtomicBool>,
}

impl Session {
    pub(super) fn begin(db: &Database) -> Self {
        let db = db.clone();
        let (steps, to_do) = channel::<Step>();
        let (end, how) = channel();
        let thread = spawn(move || {
            let tx = db.begin_write();
            to_do.iter().for_each(|step| step(&tx));
            match how.recv() {
                Ok(true) => tx.commit(),
                _ => Ok(()),
            }
        });
        Self { steps, end, thread, ending: Arc::default() }
    }

    /// Takes a step, which must not have to wait for another transaction.
    pub(super) fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Transaction) -> T + Send + 'static,
    ) -> T {
        let (done, result) = channel();
        self.steps.send(Box::new(move |tx| done.send(step(tx)).unwrap())).unwrap();
        // For ever, if it waits.
        result.recv_timeout(Duration::from_secs(60)).expect("a step that needs not wait")
    }

    /// Takes a step that has to wait until `blocker` ends, and leaves it waiting.
    ///
    /// That it waits shows in that it is not done by now, and when it is, `blocker` has been
    /// told to end. However slow the threads are, a step that does wait is never taken for
    /// one that does not.
    pub(super) fn wait_for<T: Send + 'static>(
        &self,
        blocker: &Self,
        step: impl FnOnce(&Transaction) -> T + Send + 'static,
    ) -> Pending<T> {
        wait_for(blocker, |job| self.steps.send(job).unwrap(), step)
    }

    /// Takes a step that would close a circle of waiting transactions: with it, this one gives
    /// up all that it has done and locked.
    pub(super) fn conflict_in<T: Send + 'static>(
        self,
        step: impl FnOnce(&Transaction) -> Result<T> + Send + 'static,
    ) {
        self.ending.store(true, Ordering::SeqCst);
        let refused = self.run(|tx| step(tx).err().map(|error| error.kind()));
        assert_eq!(refused, Some(ErrorKind::Conflict));
        assert_eq!(self.commit().unwrap_err().kind(), ErrorKind::Conflict);
    }

    pub(super) fn commit(self) -> Result<()> {
        self.end(true)
    }

    pub(super) fn rollback(self) {
        self.end(false).unwrap();
    }

    fn end(self, commit: bool) -> Result<()> {
        let Self { steps, end, thread, ending } = self;
        // SeqCst: so that whoever got on because of the end sees it.
        ending.store(true, Ordering::SeqCst);
        end.send(commit).unwrap();
        drop(steps);
        thread.join().unwrap()
    }
}

/// The same for a call outside of transactions, on a thread of its own.
pub(super) fn call_waits_for<T: Send + 'static>(
    blocker: &Session,
    call: impl FnOnce() -> T + Send + 'static,
) -> Pending<T> {
    let start = |job: Box<dyn FnOnce(&()) + Send>| drop(spawn(move || job(&())));
    wait_for(blocker, start, move |()| call())
}

fn wait_for<A: ?Sized, T: Send + 'static>(
    blocker: &Session,
    start: impl FnOnce(Box<dyn FnOnce(&A) + Send>),
    step: impl FnOnce(&A) -> T + Send + 'static,
) -> Pending<T> {
    let (done, result) = channel();
    let ending = Arc::clone(&blocker.ending);
    start(Box::new(move |argument| {
        let value = step(argument);
        done.send((value, ending.load(Ordering::SeqCst))).unwrap();
    }));
    let pending = Pending { result, blocker: Arc::clone(&blocker.ending) };
    pending.assert_waits();
    pending
}

impl<T> Pending<T> {
    /// That it still waits.
    pub(super) fn assert_waits(&self) {
        assert!(!self.blocker.load(Ordering::SeqCst), "it is over what this waits for");
        let early = self.result.recv_timeout(Duration::from_millis(5));
        assert_eq!(early.err(), Some(RecvTimeoutError::Timeout), "it does not wait");
    }

    /// What became of it, once it need not wait any more.
    pub(super) fn done(self) -> T {
        let (value, blocker_ended) = self
            .result
            .recv_timeout(Duration::from_secs(60))
            .expect("nothing to wait for any more");
        assert!(blocker_ended, "it did not wait");
        value
    }
}
