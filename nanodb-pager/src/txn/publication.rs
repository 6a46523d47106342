//! Making commits visible, in order.
//!
//! Commits are installed in order, and readers look at the published one. Between
//! the two a committer does what must be done before anybody sees its commit (the
//! layer above adds index entries); some take longer than others. A commit is
//! published when all before it are, and `publish` returns only then, so that a
//! thread always sees what it has itself committed.
//!
//! A commit that could not be made durable is never published, nor is any after it:
//! [`Publication::halt`] tells those who wait.

use std::collections::BTreeSet;

use crossbeam_utils::CachePadded;

use crate::ids::Seq;
use crate::sync::{AtomicU64, Condvar, Mutex, Ordering};

pub(crate) struct Publication {
    /// Release on writing, under `ready`; acquire on reading: who reads a commit's
    /// number sees the versions it installed and what its committer did before.
    /// On a cache line of its own: every read of a page looks at it, and commits change what lies
    /// beside it.
    published: CachePadded<AtomicU64>,
    /// Commits that may be published but have one before them that may not yet.
    ready: Mutex<Ready>,
    advanced: Condvar,
}

#[derive(Default)]
struct Ready {
    commits: BTreeSet<Seq>,
    halted: bool,
}

impl Publication {
    pub(crate) fn new(published: Seq) -> Self {
        Self {
            published: CachePadded::new(AtomicU64::new(published.get())),
            ready: Mutex::default(),
            advanced: Condvar::new(),
        }
    }

    #[inline]
    pub(crate) fn published(&self) -> Seq {
        Seq::new(self.published.load(Ordering::Acquire))
    }

    /// Declares `seq` fit to be seen, without waiting. Does nothing once halted.
    pub(crate) fn declare(&self, seq: Seq) {
        let mut ready = self.ready.lock();
        if ready.halted {
            return;
        }
        let mut published = self.published();
        if seq != published.next() {
            ready.commits.insert(seq);
            return;
        }
        published = seq;
        while ready.commits.remove(&published.next()) {
            published = published.next();
        }
        self.published.store(published.get(), Ordering::Release);
        drop(ready);
        self.advanced.notify_all();
    }

    /// Returns when `seq` is published: `true`, or never will be: `false`.
    pub(crate) fn wait(&self, seq: Seq) -> bool {
        if self.published() >= seq {
            return true;
        }
        let mut ready = self.ready.lock();
        while self.published() < seq {
            if ready.halted {
                return false;
            }
            self.advanced.wait(&mut ready);
        }
        true
    }

    /// Lets nobody wait any more for commits that cannot be published.
    pub(crate) fn halt(&self) {
        self.ready.lock().halted = true;
        self.advanced.notify_all();
    }
}

#[cfg(all(test, loom))]
mod interleavings;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_commit_waits_for_those_before_it() {
        let publication = Publication::new(Seq::new(4));
        publication.declare(Seq::new(6));
        publication.declare(Seq::new(7));
        assert_eq!(publication.published(), Seq::new(4));
        publication.declare(Seq::new(5));
        assert_eq!(publication.published(), Seq::new(7));
        assert!(publication.wait(Seq::new(7)));
        publication.halt();
        assert!(!publication.wait(Seq::new(8)));
    }

    #[test]
    fn nothing_is_published_any_more_once_halted() {
        let publication = Publication::new(Seq::new(4));
        publication.declare(Seq::new(6));
        publication.halt();
        publication.declare(Seq::new(5));
        assert_eq!(publication.published(), Seq::new(4));
        assert!(publication.wait(Seq::new(4)) && !publication.wait(Seq::new(5)));
    }

    #[test]
    fn many_threads_end_with_all_published() {
        let publication = Arc::new(Publication::new(Seq::ZERO));
        let threads = (0..4_u64).map(|thread| {
            let publication = Arc::clone(&publication);
            std::thread::spawn(move || {
                for round in 0..500 {
                    let seq = Seq::new(1 + round * 4 + thread);
                    publication.declare(seq);
                    assert!(publication.wait(seq));
                }
            })
        });
        threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(publication.published(), Seq::new(2000));
    }
}
