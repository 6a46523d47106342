//! Committers and readers in every order.

use std::sync::Arc;

use nanodb_loom::{every_interleaving, thread};

use super::Publication;
use crate::ids::Seq;
use crate::sync::{AtomicBool, Ordering};

/// Commits, each of which does something before it is declared.
#[derive(Clone)]
struct Commits {
    publication: Arc<Publication>,
    /// Relaxed: only the publication orders them.
    done: Arc<[AtomicBool; 2]>,
}

impl Commits {
    fn new() -> Self {
        let done = std::array::from_fn(|_| AtomicBool::new(false));
        Self { publication: Arc::new(Publication::new(Seq::ZERO)), done: Arc::new(done) }
    }

    fn declare(&self, number: usize) {
        self.done[number - 1].store(true, Ordering::Relaxed);
        self.publication.declare(Seq::new(number as u64));
    }

    /// Returns the newest commit that is seen, having seen what all up to it did.
    fn read(&self) -> u64 {
        let seen = self.publication.published().get();
        for number in 0..usize::try_from(seen).unwrap() {
            assert!(self.done[number].load(Ordering::Relaxed), "{seen} is seen without {number}");
        }
        seen
    }
}

#[test]
fn who_sees_a_commit_sees_what_it_and_all_before_it_did() {
    every_interleaving(|| {
        let commits = Commits::new();
        let committers = [1, 2].map(|number| {
            let commits = commits.clone();
            thread::spawn(move || {
                commits.declare(number);
                assert!(commits.publication.wait(Seq::new(number as u64)));
                assert!(commits.read() >= number as u64, "its own commit is not seen");
            })
        });
        let before = commits.read();
        assert!(commits.read() >= before);
        committers.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(commits.read(), 2);
    });
}

#[test]
fn a_commit_that_failed_holds_up_all_later_ones_and_those_who_wait_are_told() {
    every_interleaving(|| {
        let commits = Commits::new();
        let later = {
            let commits = commits.clone();
            thread::spawn(move || {
                commits.declare(2);
                assert!(!commits.publication.wait(Seq::new(2)));
            })
        };
        let reader = {
            let commits = commits.clone();
            thread::spawn(move || assert_eq!(commits.read(), 0))
        };
        // What must be done before the first is declared fails.
        commits.publication.halt();
        assert!(!commits.publication.wait(Seq::new(1)));
        later.join().unwrap();
        reader.join().unwrap();
        assert_eq!(commits.read(), 0);
    });
}

#[test]
fn nothing_becomes_visible_once_somebody_was_told_that_it_will_not() {
    every_interleaving(|| {
        let commits = Commits::new();
        let committer = {
            let commits = commits.clone();
            thread::spawn(move || commits.declare(1))
        };
        let failing = {
            let commits = commits.clone();
            thread::spawn(move || commits.publication.halt())
        };
        let visible = commits.publication.wait(Seq::new(1));
        assert_eq!(commits.read(), u64::from(visible));
        committer.join().unwrap();
        failing.join().unwrap();
        assert_eq!(commits.read(), u64::from(visible));
    });
}
