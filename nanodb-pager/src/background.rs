//! Work in the background, for all files of the process: checkpoints that commits have made due,
//! and flushes of what relaxed commits have left in memory.
//!
//! One thread keeps *watch*: it waits for the task that is due first. When it takes that one and
//! others are queued, it starts a thread that keeps watch in its place. When it is done it keeps
//! watch again, or ends if another thread does. So one file at work needs a thread or two, an idle
//! process has none, and there is nothing to shut down.
//!
//! A disk that is slow, or does not answer at all, delays the files that are on it. Some tasks
//! of a kind run at once, and when these keep another one waiting for the kind's
//! patience, one more is begun; so every task is begun after at most that time for each that
//! waits before it, whatever the other files' disks do.
//!
//! Threads wait on channels: the watch for a wake-up until the next task is due, and the last
//! handle of a file for the end of its tasks, each of which has a channel whose sender its thread
//! drops last. The list itself is under a lock and not the property of one thread: then a last
//! handle takes its file off the list itself, also where no thread could be started or a disk does
//! not answer.
//!
//! # Invariants
//!
//! 1. The list holds a file only until its last handle goes: [`leave`] takes it off.
//! 2. A file that is worked on is in `running`, and a thread's hold on it is given up before the
//!    task's channel closes. So after `leave` the caller holds the file alone.
//! 3. Under the lock of `BACKGROUND` threads only send wake-ups, which never waits, and start a
//!    thread.
//! 4. Whatever changes the list wakes the watch, whose channel keeps one wake-up until it looks: no
//!    task is forgotten.
//! 5. Of one file one task of a kind is worked on: there are never more than two threads for
//!    a file that is open, and one that keeps watch.
//! 6. A forked process has a copy of the list, which one of its parent's threads may have locked,
//!    and none of the threads. It begins with a list of its own, and neither locks nor drops its
//!    parent's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{ArcMutexGuard, Mutex, RawMutex};

use crate::process::PerProcess;
use crate::shared::Shared;

/// What there is to do for a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    Checkpoint,
    Flush,
}

impl Task {
    /// Returns how many of the kind run at once before patience is needed. Checkpoints of several
    /// files mostly share a disk, and each takes memory.
    fn at_once(self) -> usize {
        match self {
            Self::Checkpoint => 1,
            Self::Flush => 4,
        }
    }

    /// Returns after how long one more is begun although that many run. A commit that can't wait
    /// for its checkpoint makes it itself; nobody but the background flushes.
    fn patience(self) -> Duration {
        match self {
            Self::Checkpoint => Duration::from_secs(1),
            Self::Flush => Duration::from_millis(50),
        }
    }
}

static BACKGROUND: PerProcess<Mutex<Background>> = PerProcess::new();

/// The list of tasks, and who looks after it.
#[derive(Default)]
struct Background {
    queued: Vec<QueuedTask>,
    running: Vec<RunningTask>,
    /// Wakes the thread that keeps watch, if one does.
    watch: Option<Sender<()>>,
}

struct QueuedTask {
    shared: Arc<Shared>,
    task: Task,
    due: Instant,
}

/// A task that a thread works on.
struct RunningTask {
    shared: Weak<Shared>,
    task: Task,
    since: Instant,
    /// Closed when the thread has let the file go.
    ended: Receiver<()>,
}

/// Has something done after `delay`; `false` if there can be no thread to do it.
pub(crate) fn ask(shared: &Arc<Shared>, task: Task, delay: Duration) -> bool {
    let due = Instant::now() + delay;
    let mut background = lock();
    if background.watch.is_none() {
        background.watch = start_watch();
    }
    if background.watch.is_none() {
        return false;
    }
    background.queued.push(QueuedTask { shared: Arc::clone(shared), task, due });
    background.wake();
    true
}

/// Returns when the background holds nothing of a file any more. For its last handle.
pub(crate) fn leave(shared: &Arc<Shared>) {
    let running: Vec<Receiver<()>> = {
        let mut background = lock();
        background.queued.retain(|queued| !Arc::ptr_eq(&queued.shared, shared));
        background.wake();
        let of_file = background.running.iter().filter(|running| is_of(&running.shared, shared));
        of_file.map(|running| running.ended.clone()).collect()
    };
    for ended in running {
        // Nothing is ever sent: it returns when the other side is dropped.
        let _ = ended.recv();
    }
}

/// Locks the list of this process.
fn lock() -> ArcMutexGuard<RawMutex, Background> {
    BACKGROUND.get().lock_arc()
}

fn start_watch() -> Option<Sender<()>> {
    // One wake-up says as much as many.
    let (wake, wakes) = bounded(1);
    let own = wake.clone();
    let thread = std::thread::Builder::new().name("nanodb".to_owned());
    thread.spawn(move || watch(&own, &wakes)).is_ok().then_some(wake)
}

/// Does what is queued, the task that may begin first before the others.
fn watch(wake: &Sender<()>, wakes: &Receiver<()>) {
    let mut background = lock();
    while !background.queued.is_empty() {
        let next = background.first_to_begin();
        let Some((_, at)) = next.filter(|&(begins, _)| begins <= Instant::now()) else {
            drop(background);
            // Either way it looks again, and `wake` keeps the channel open.
            let _ = match next {
                Some((begins, _)) => wakes.recv_deadline(begins).is_ok(),
                None => wakes.recv().is_ok(),
            };
            background = lock();
            continue;
        };
        let work = background.begin(at);
        // If there can be no other thread, what waits does so until this one is back.
        background.watch = if background.queued.is_empty() { None } else { start_watch() };
        drop(background);
        work.run();
        background = lock();
        if background.watch.is_some() {
            return;
        }
        background.watch = Some(wake.clone());
    }
    background.watch = None;
}

impl Background {
    fn wake(&self) {
        if let Some(watch) = &self.watch {
            // If it is full, the watch has not looked since the last one.
            let _ = watch.try_send(());
        }
    }

    /// Returns when the task that may be begun first begins, and its place in the list; none if
    /// all wait for others of their files.
    fn first_to_begin(&self) -> Option<(Instant, usize)> {
        let begins = |(at, queued)| Some((self.begins(queued)?, at));
        self.queued.iter().enumerate().filter_map(begins).min()
    }

    fn begins(&self, queued: &QueuedTask) -> Option<Instant> {
        let QueuedTask { shared, task, due } = queued;
        let same = self.running.iter().filter(|running| running.task == *task);
        if same.clone().any(|running| is_of(&running.shared, shared)) {
            return None;
        }
        if same.clone().count() < task.at_once() {
            return Some(*due);
        }
        let last = same.fold(*due, |last, running| last.max(running.since));
        Some(last + task.patience())
    }

    /// Takes a task off the list, to be run by the thread that asks.
    fn begin(&mut self, at: usize) -> Work {
        let QueuedTask { shared, task, .. } = self.queued.swap_remove(at);
        let (end, ended) = bounded(0);
        let file = Arc::downgrade(&shared);
        self.running.push(RunningTask { shared: file, task, since: Instant::now(), ended });
        Work { shared, task, end }
    }

    fn end(&mut self, shared: &Weak<Shared>, task: Task) {
        let is_this = |running: &RunningTask| running.shared.ptr_eq(shared) && running.task == task;
        if let Some(at) = self.running.iter().position(is_this) {
            self.running.swap_remove(at);
        }
        self.wake();
    }
}

fn is_of(file: &Weak<Shared>, shared: &Arc<Shared>) -> bool {
    file.as_ptr() == Arc::as_ptr(shared)
}

/// A task in the hands of the thread that works on it.
struct Work {
    shared: Arc<Shared>,
    task: Task,
    /// Dropped last.
    end: Sender<()>,
}

impl Work {
    fn run(self) {
        let Self { shared, task, end } = self;
        // The layer above's hooks may panic; the thread serves others too.
        let done = catch_unwind(AssertUnwindSafe(|| match task {
            Task::Checkpoint => shared.catch_up(),
            Task::Flush => shared.flush(),
        }));
        if done.is_err() {
            shared.panicked();
        }
        let file = Arc::downgrade(&shared);
        drop(shared);
        lock().end(&file, task);
        drop(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the list of its parent it would wait for threads that it does not have: for those that
    /// work, and for the one that has the list locked.
    #[test]
    fn a_forked_process_begins_with_an_empty_list_and_without_a_watch() {
        let (watch, wakes) = bounded(1);
        let (end, ended) = bounded(0);
        let of_process = PerProcess::<Mutex<Background>>::new();
        let mut background = of_process.of(1).lock_arc();
        background.watch = Some(watch);
        background.running.push(RunningTask {
            shared: Weak::new(),
            task: Task::Checkpoint,
            since: Instant::now(),
            ended,
        });
        drop(background);
        let background = of_process.of(1).lock_arc();
        assert_eq!((background.running.len(), background.watch.is_some()), (1, true));
        let child = of_process.of(2);
        let of_child = child.try_lock().expect("nobody has it locked");
        assert_eq!((of_child.running.len(), of_child.watch.is_some()), (0, false));
        // The parent's is as it was: nothing of it was dropped.
        assert_eq!(background.running.len(), 1);
        drop((end, wakes));
    }
}
