//! The background thread: one for the process, however many files are open.
//!
//! It makes checkpoints that commits have made due, and flushes what relaxed commits have
//! left in memory. It begins with the first thing to do and ends when nothing is left,
//! so an idle process has none, and there is nothing to shut down.
//!
//! # Invariants
//!
//! 1. The queue holds a file only until its last handle goes: [`leave`] takes it out.
//! 2. A file that is worked on is in `busy`, and the thread's hold on it is given up before
//!    it leaves `busy`. So after `leave` the caller holds the file alone.
//! 3. Nothing else is locked while `QUEUE` is.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::pager::Shared;

/// What there is to do for a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    Checkpoint,
    Flush,
}

static QUEUE: Mutex<Queue> =
    Mutex::new(Queue { waiting: Vec::new(), busy: Vec::new(), running: false });

/// Told when the queue or `busy` changes.
static CHANGED: Condvar = Condvar::new();

struct Queue {
    waiting: Vec<Waiting>,
    busy: Vec<Weak<Shared>>,
    /// Whether the thread is there.
    running: bool,
}

struct Waiting {
    shared: Arc<Shared>,
    task: Task,
    due: Instant,
}

/// Has something done after `delay`; `false` if there can be no thread to do it.
pub(crate) fn ask(shared: &Arc<Shared>, task: Task, delay: Duration) -> bool {
    let mut queue = QUEUE.lock();
    let due = Instant::now() + delay;
    if !queue.running {
        let thread = std::thread::Builder::new().name("nanodb".to_owned());
        if thread.spawn(run).is_err() {
            return false;
        }
        queue.running = true;
    }
    queue.waiting.push(Waiting { shared: Arc::clone(shared), task, due });
    drop(queue);
    CHANGED.notify_all();
    true
}

/// Returns when the background holds nothing of a file any more. For its last handle.
pub(crate) fn leave(shared: &Arc<Shared>) {
    let mut queue = QUEUE.lock();
    let before = queue.waiting.len();
    queue.waiting.retain(|waiting| !Arc::ptr_eq(&waiting.shared, shared));
    if queue.waiting.len() < before {
        CHANGED.notify_all();
    }
    while queue.busy.iter().any(|busy| busy.as_ptr() == Arc::as_ptr(shared)) {
        CHANGED.wait(&mut queue);
    }
}

/// Does what relaxed commits wait for and is due. A checkpoint calls it now and then, since it
/// may take longer than they were promised.
pub(crate) fn flush_due() {
    loop {
        let mut queue = QUEUE.lock();
        let now = Instant::now();
        let due = |waiting: &Waiting| waiting.task == Task::Flush && waiting.due <= now;
        let Some(at) = queue.waiting.iter().position(due) else { return };
        let next = queue.take(at);
        drop(queue);
        work(next);
    }
}

fn run() {
    let mut queue = QUEUE.lock();
    loop {
        let next = queue.waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.due);
        let Some((at, due)) = next.map(|(at, waiting)| (at, waiting.due)) else {
            queue.running = false;
            return;
        };
        if due > Instant::now() {
            CHANGED.wait_until(&mut queue, due);
            continue;
        }
        let next = queue.take(at);
        drop(queue);
        work(next);
        queue = QUEUE.lock();
    }
}

impl Queue {
    fn take(&mut self, at: usize) -> Waiting {
        let next = self.waiting.swap_remove(at);
        self.busy.push(Arc::downgrade(&next.shared));
        next
    }
}

fn work(next: Waiting) {
    let Waiting { shared, task, .. } = next;
    let leaving = Leaving(Arc::downgrade(&shared));
    // The layer above's folder may panic; the thread serves others too.
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match task {
        Task::Checkpoint => shared.catch_up(),
        Task::Flush => shared.flush(),
    }));
    if done.is_err() {
        shared.panicked();
    }
    drop(shared);
    drop(leaving);
}

/// Takes a file out of `busy`.
struct Leaving(Weak<Shared>);

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut queue = QUEUE.lock();
        if let Some(at) = queue.busy.iter().position(|busy| busy.ptr_eq(&self.0)) {
            queue.busy.swap_remove(at);
        }
        drop(queue);
        CHANGED.notify_all();
    }
}
