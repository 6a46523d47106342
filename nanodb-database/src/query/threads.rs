//! Looking at documents on several threads.
//!
//! A scan is cut into parts of pages, which threads take one after the other. The threads are begun
//! and ended within one call, the calling one among them, so that none is left when it returns,
//! however that is. An iterator that is asked for documents looks at some parts in such a *round*,
//! and hands out what they had before the next: in the order in which one thread would have found
//! them.

use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_query::Filter;
use parking_lot::Mutex;

use super::find::matches;
use crate::error::Result;
use nanodb_collection::Scan;
use nanodb_collection::StoredDoc;

/// More threads than that are not begun.
const THREADS_MAX: usize = 64;

/// How many parts each thread has in a round, so that none waits long for another.
const PARTS_PER_THREAD: usize = 2;

/// The most pages in a part: 1 MiB.
const PART_PAGES_MAX: u64 = 256;

/// The pages of the first parts, lest a search that ends soon looks at much.
const PART_PAGES_MIN: u64 = 4;

/// On how many threads a search looks at documents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threads(usize);

impl Threads {
    pub(super) const ONE: Self = Self(1);

    pub(super) fn new(count: usize) -> Self {
        Self(count.clamp(1, THREADS_MAX))
    }

    pub(super) fn is_one(self) -> bool {
        self.0 == 1
    }

    /// Does `work` on all parts; returns what it makes of them, in their order.
    fn run<P: Send, R: Send>(
        self,
        parts: impl Iterator<Item = P> + Send,
        work: impl Fn(P) -> R + Sync,
    ) -> Vec<R> {
        let parts = Mutex::new(parts.enumerate());
        let done = Mutex::new(Vec::new());
        let run = || {
            loop {
                let next = parts.lock().next();
                let Some((number, part)) = next else { return };
                let made = work(part);
                done.lock().push((number, made));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.0 {
                let builder = std::thread::Builder::new().name("nanodb search".to_owned());
                // Fewer threads do all the work as well.
                if builder.spawn_scoped(scope, run).is_err() {
                    break;
                }
            }
            run();
        });
        let mut done = done.into_inner();
        done.sort_unstable_by_key(|&(number, _)| number);
        done.into_iter().map(|(_, made)| made).collect()
    }

    /// Returns how many of the documents that are left match.
    pub(super) fn count(self, cursor: &mut Scan, filter: &Filter) -> Result<u64> {
        let share = cursor.pages_left() / (self.0 * PARTS_PER_THREAD) as u64;
        let pages = share.clamp(1, PART_PAGES_MAX);
        let has_failed = AtomicBool::new(false);
        // Relaxed: it merely spares work.
        let parts = std::iter::from_fn(|| match has_failed.load(Ordering::Relaxed) {
            false => cursor.split(pages),
            true => None,
        });
        let counts = self.run(parts, |mut part| {
            let mut count = 0;
            let counted = part.next_that(|document| {
                count += u64::from(matches(filter, document)?);
                Ok(false)
            });
            if counted.is_err() {
                has_failed.store(true, Ordering::Relaxed);
            }
            counted.map(|_| count)
        });
        counts.into_iter().sum()
    }
}

/// The rounds of a search.
#[derive(Debug)]
pub(super) struct ParallelScan {
    threads: Threads,
    /// How many pages the next parts have.
    pages: u64,
}

/// What was made of one part.
pub(super) struct Part<T> {
    /// Of the documents that were wanted, in order, and of what could not be read.
    pub(super) made: T,
    /// How many documents were looked at.
    pub(super) examined: u64,
}

impl ParallelScan {
    pub(super) fn new(threads: Threads) -> Self {
        Self { threads, pages: PART_PAGES_MIN }
    }

    pub(super) fn are_needed(&self) -> bool {
        !self.threads.is_one()
    }

    /// Does `work` on the next parts, as long as it does not say that they are enough; what it
    /// makes of each, in order. Nothing at the end.
    pub(super) fn next<R: Send>(
        &mut self,
        cursor: &mut Scan,
        work: impl Fn(Scan, &AtomicBool) -> R + Sync,
    ) -> Vec<R> {
        let pages = self.pages;
        self.pages = (pages * 2).min(PART_PAGES_MAX);
        let is_enough = AtomicBool::new(false);
        // Relaxed: it merely spares work. Parts behind one that is enough are not wanted, and parts
        // before it have been taken by then.
        let parts = std::iter::from_fn(|| match is_enough.load(Ordering::Relaxed) {
            false => cursor.split(pages),
            true => None,
        });
        let parts = parts.take(self.threads.0 * PARTS_PER_THREAD);
        self.threads.run(parts, |part| work(part, &is_enough))
    }

    /// The documents of the next parts that pass, made into what is wanted of them by `finish`; of
    /// each part at most `enough`. An error stands where the documents would be that could not be
    /// read.
    pub(super) fn find(
        &mut self,
        cursor: &mut Scan,
        filter: &Filter,
        enough: u64,
        finish: impl Fn(StoredDoc) -> Result<StoredDoc> + Sync,
    ) -> Vec<Part<Vec<Result<StoredDoc>>>> {
        self.next(cursor, |mut part, is_enough| {
            let (mut made, mut examined, mut count) = (Vec::new(), 0, 0);
            while count < enough {
                let next = part.next_that(|document| {
                    examined += 1;
                    matches(filter, document)
                });
                let Some(found) = next.transpose() else { break };
                count += u64::from(found.is_ok());
                made.push(found.and_then(&finish));
            }
            if count >= enough {
                is_enough.store(true, Ordering::Relaxed);
            }
            Part { made, examined }
        })
    }
}
