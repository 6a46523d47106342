//! Work in the background, for all files of the process: checkpoints that commits have made due,
//! and flushes of what relaxed commits have left in memory.
//!
//! One thread, the *dispatcher*, owns the list of tasks. It receives from three channels: requests
//! of handles, the end of tasks, and the time at which the next task may begin; for each task that
//! it begins it starts a thread. It ends when nothing waits and nothing runs. So a file at work
//! needs two threads, an idle process has none, and there is nothing to shut down.
//!
//! A disk that is slow, or does not answer at all, delays the files that are on it. Some tasks
//! of a kind run at once, and when these keep another one waiting for the kind's
//! patience, one more is begun; so every task is begun after at most that time for each that
//! waits before it, whatever the other files' disks do.
//!
//! # Invariants
//!
//! 1. The dispatcher holds a file only until its last handle goes: [`leave`] takes it off the list.
//! 2. A file that is worked on is in `running`, and a thread's hold on it is given up before the
//!    dispatcher hears that the task has ended. So after `leave` the caller holds the file alone.
//! 3. Under the lock of `DISPATCHER` threads only send, which never waits, and start a thread.
//! 4. A dispatcher ends under that lock, and only if nothing has been sent that it has not
//!    received: no request is lost.
//! 5. Of one file one task of a kind is worked on: there are never more than two threads for
//!    a file that is open, and the dispatcher.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, at, bounded, never, select, unbounded};
use parking_lot::Mutex;

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

/// Where requests go, if there is a dispatcher.
static DISPATCHER: Mutex<Option<Sender<Request>>> = Mutex::new(None);

/// What handles ask of the dispatcher.
enum Request {
    Begin(QueuedTask),
    /// To take a file off the list. It answers by dropping the sender, once no task of it runs.
    Leave(Weak<Shared>, Sender<()>),
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
}

/// Has something done after `delay`; `false` if there can be no thread to do it.
pub(crate) fn ask(shared: &Arc<Shared>, task: Task, delay: Duration) -> bool {
    let due = Instant::now() + delay;
    let request = Request::Begin(QueuedTask { shared: Arc::clone(shared), task, due });
    let mut dispatcher = DISPATCHER.lock();
    if dispatcher.is_none() {
        *dispatcher = start_dispatcher();
    }
    dispatcher.as_ref().is_some_and(|requests| requests.send(request).is_ok())
}

/// Returns when the background holds nothing of a file any more. For its last handle.
pub(crate) fn leave(shared: &Arc<Shared>) {
    let (left, wait) = bounded(0);
    {
        let dispatcher = DISPATCHER.lock();
        // Without one nothing waits and nothing runs.
        let Some(requests) = &*dispatcher else { return };
        if requests.send(Request::Leave(Arc::downgrade(shared), left)).is_err() {
            return;
        }
    }
    // Nothing is ever sent: it ends when the other side is dropped.
    let _ = wait.recv();
}

fn start_dispatcher() -> Option<Sender<Request>> {
    let (sender, requests) = unbounded();
    let thread = std::thread::Builder::new().name("nanodb".to_owned());
    thread.spawn(move || Dispatcher::new(requests).run()).is_ok().then_some(sender)
}

/// The list of tasks, and who is told what.
struct Dispatcher {
    requests: Receiver<Request>,
    ended: Receiver<EndedTask>,
    /// For the threads that work.
    ends: Sender<EndedTask>,
    queued: Vec<QueuedTask>,
    running: Vec<RunningTask>,
    /// Files whose last handles wait for the tasks that run.
    leaving: Vec<(Weak<Shared>, Sender<()>)>,
}

impl Dispatcher {
    fn new(requests: Receiver<Request>) -> Self {
        let (ends, ended) = unbounded();
        Self { requests, ended, ends, queued: Vec::new(), running: Vec::new(), leaving: Vec::new() }
    }

    fn run(mut self) {
        while !self.may_end() {
            let next = self.first_to_begin();
            let begins = next.map_or_else(never, |(begins, _)| at(begins));
            select! {
                recv(self.requests) -> request => match request {
                    Ok(request) => self.serve(request),
                    // The static keeps the other side for as long as this runs.
                    Err(_) => return,
                },
                recv(self.ended) -> task => task.into_iter().for_each(|task| self.end(&task)),
                recv(begins) -> _ => next.into_iter().for_each(|(_, at)| self.begin(at)),
            }
        }
    }

    /// Returns whether there is nothing left to do; then there is no dispatcher any more.
    fn may_end(&self) -> bool {
        if !self.queued.is_empty() || !self.running.is_empty() {
            return false;
        }
        let mut dispatcher = DISPATCHER.lock();
        let may_end = self.requests.is_empty();
        if may_end {
            *dispatcher = None;
        }
        may_end
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Begin(task) => self.queued.push(task),
            Request::Leave(shared, left) => {
                self.queued.retain(|queued| !is_of(&shared, &queued.shared));
                self.leaving.push((shared, left));
                self.answer();
            }
        }
    }

    /// Lets those go who wait for nothing any more.
    fn answer(&mut self) {
        let running = &self.running;
        let is_held = |shared: &Weak<Shared>| running.iter().any(|task| task.shared.ptr_eq(shared));
        self.leaving.retain(|(shared, _)| is_held(shared));
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

    fn begin(&mut self, at: usize) {
        let QueuedTask { shared, task, .. } = self.queued.swap_remove(at);
        let (file, since) = (Arc::downgrade(&shared), Instant::now());
        self.running.push(RunningTask { shared: file, task, since });
        let work = Work { shared: Arc::clone(&shared), task, ends: self.ends.clone() };
        let thread = std::thread::Builder::new().name("nanodb".to_owned());
        if thread.spawn(move || work.run()).is_err() {
            // There can be no thread: what waits does so until this is done.
            Work { shared, task, ends: self.ends.clone() }.run();
        }
    }

    fn end(&mut self, ended: &EndedTask) {
        let is_this = |running: &RunningTask| {
            running.shared.ptr_eq(&ended.shared) && running.task == ended.task
        };
        if let Some(at) = self.running.iter().position(is_this) {
            self.running.swap_remove(at);
        }
        self.answer();
    }
}

fn is_of(file: &Weak<Shared>, shared: &Arc<Shared>) -> bool {
    file.as_ptr() == Arc::as_ptr(shared)
}

/// A task on its way to the thread that works on it.
struct Work {
    shared: Arc<Shared>,
    task: Task,
    ends: Sender<EndedTask>,
}

/// A task that no thread works on any more.
struct EndedTask {
    shared: Weak<Shared>,
    task: Task,
}

impl Work {
    fn run(self) {
        let Self { shared, task, ends } = self;
        // The layer above's hooks may panic; the dispatcher serves others too.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match task {
            Task::Checkpoint => shared.catch_up(),
            Task::Flush => shared.flush(),
        }));
        if done.is_err() {
            shared.panicked();
        }
        let ended = EndedTask { shared: Arc::downgrade(&shared), task };
        drop(shared);
        // The dispatcher runs as long as this is in its list.
        let _ = ends.send(ended);
    }
}
