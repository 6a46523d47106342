//! Work in the background, for all files of the process: checkpoints that commits have made due,
//! and flushes of what relaxed commits have left in memory.
//!
//! One thread keeps *watch*: it waits for the task that is due first. When it takes that one and others
//! wait, it starts a thread that keeps watch in its place; when it is done it keeps watch again,
//! or ends if somebody does. So one file at work needs a thread or two, an idle process has none,
//! and there is nothing to shut down.
//!
//! A disk that is slow, or does not answer at all, holds up the files that are on it. Some tasks
//! of a kind are worked on at once, and when these keep another one waiting for the kind's
//! patience, one more is begun; so every task is begun after at most that time for each that
//! waits before it, whatever the other files' disks do.
//!
//! # Invariants
//!
//! 1. The queue holds a file only until its last handle goes: [`leave`] takes it out.
//! 2. A file that is worked on is in `busy`, and a thread's hold on it is given up before
//!    it leaves `busy`. So after `leave` the caller holds the file alone.
//! 3. Nothing else is locked while `QUEUE` is.
//! 4. Of one file one task of a kind is worked on: there are never more than two threads for
//!    a file that is open, and one that keeps watch.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::shared::Shared;

/// What there is to do for a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    Checkpoint,
    Flush,
}

impl Task {
    /// How many of the kind are worked on at once before patience is needed. Checkpoints of several
    /// files mostly share a disk, and each takes memory.
    fn at_once(self) -> usize {
        match self {
            Self::Checkpoint => 1,
            Self::Flush => 4,
        }
    }

    /// After how long one more is begun although so many are worked on. A commit that can't wait
    /// for its checkpoint makes it itself; nobody but the background flushes.
    fn patience(self) -> Duration {
        match self {
            Self::Checkpoint => Duration::from_secs(1),
            Self::Flush => Duration::from_millis(50),
        }
    }
}

static QUEUE: Mutex<Queue> =
    Mutex::new(Queue { waiting: Vec::new(), busy: Vec::new(), watched: false });

/// Told when the queue or `busy` changes.
static CHANGED: Condvar = Condvar::new();

struct Queue {
    waiting: Vec<QueuedTask>,
    busy: Vec<RunningTask>,
    /// Whether a thread keeps watch.
    watched: bool,
}

struct QueuedTask {
    shared: Arc<Shared>,
    task: Task,
    due: Instant,
}

/// A task that is worked on.
struct RunningTask {
    shared: Weak<Shared>,
    task: Task,
    since: Instant,
}

/// Has something done after `delay`; `false` if there can be no thread to do it.
pub(crate) fn ask(shared: &Arc<Shared>, task: Task, delay: Duration) -> bool {
    let mut queue = QUEUE.lock();
    let due = Instant::now() + delay;
    queue.watched = queue.watched || start_watch();
    if !queue.watched {
        return false;
    }
    queue.waiting.push(QueuedTask { shared: Arc::clone(shared), task, due });
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
    while queue.busy.iter().any(|busy| busy.is_of(shared)) {
        CHANGED.wait(&mut queue);
    }
}

fn start_watch() -> bool {
    std::thread::Builder::new().name("nanodb".to_owned()).spawn(watch).is_ok()
}

fn watch() {
    let mut queue = QUEUE.lock();
    while !queue.waiting.is_empty() {
        let Some((begins, at)) = queue.first_to_begin() else {
            CHANGED.wait(&mut queue);
            continue;
        };
        if begins > Instant::now() {
            CHANGED.wait_until(&mut queue, begins);
            continue;
        }
        let next = queue.take(at);
        // If there can be no other thread, what waits does so until this one is back.
        queue.watched = !queue.waiting.is_empty() && start_watch();
        drop(queue);
        work(next);
        queue = QUEUE.lock();
        if queue.watched {
            return;
        }
        queue.watched = true;
    }
    queue.watched = false;
}

impl Queue {
    /// The task that may be begun first, and when; none if all wait for others of their files.
    fn first_to_begin(&self) -> Option<(Instant, usize)> {
        let begins = |(at, waiting)| Some((self.begins(waiting)?, at));
        self.waiting.iter().enumerate().filter_map(begins).min()
    }

    fn begins(&self, waiting: &QueuedTask) -> Option<Instant> {
        let QueuedTask { shared, task, due } = waiting;
        let same = self.busy.iter().filter(|busy| busy.task == *task);
        if same.clone().any(|busy| busy.is_of(shared)) {
            return None;
        }
        if same.clone().count() < task.at_once() {
            return Some(*due);
        }
        let last = same.fold(*due, |last, busy| last.max(busy.since));
        Some(last + task.patience())
    }

    fn take(&mut self, at: usize) -> QueuedTask {
        let next = self.waiting.swap_remove(at);
        let (shared, task) = (Arc::downgrade(&next.shared), next.task);
        self.busy.push(RunningTask { shared, task, since: Instant::now() });
        next
    }
}

impl RunningTask {
    fn is_of(&self, shared: &Arc<Shared>) -> bool {
        self.shared.as_ptr() == Arc::as_ptr(shared)
    }
}

fn work(next: QueuedTask) {
    let QueuedTask { shared, task, .. } = next;
    let leaving = RunningTaskGuard { shared: Arc::downgrade(&shared), task };
    // The layer above's hooks may panic; the thread serves others too.
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

/// Takes a task out of `busy`.
struct RunningTaskGuard {
    shared: Weak<Shared>,
    task: Task,
}

impl Drop for RunningTaskGuard {
    fn drop(&mut self) {
        let mut queue = QUEUE.lock();
        let is_this =
            |busy: &RunningTask| busy.shared.ptr_eq(&self.shared) && busy.task == self.task;
        if let Some(at) = queue.busy.iter().position(is_this) {
            queue.busy.swap_remove(at);
        }
        drop(queue);
        CHANGED.notify_all();
    }
}
