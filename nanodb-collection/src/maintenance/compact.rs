//! Giving space back: all documents move as far to the front of the file as they can.
//!
//! Each collection is [walked over](relocation) from its last page to its first, a few pages at a
//! time: each step is a small transaction, so readers and writers go on. Pages that have become
//! empty go back to the file, whose end the next checkpoint cuts off. What is given back can be
//! used only after a checkpoint, so there are several rounds, as long as they gain something.
//!
//! On a full disk it does not begin. In a file at its limit there may be no space for what is to
//! move first: then it stays where it is, and what has space moves.

use std::ops::ControlFlow;
use std::sync::Arc;

use nanodb_pager::PageId;

use crate::catalog::binding::NameBinding;
use crate::engine::Engine;
use nanodb_document::ErrorKind;

use crate::error::Result;
use crate::lock::owner::LockOwner;
use crate::maintenance::relocation_pass::{self, Walk, release_pages, scan_pages};
use crate::opening::Opening;

/// How many times the whole file is gone through at most.
const ROUNDS_MAX: u32 = 4;

/// A round that gains less than such a part of the file was the last.
const GAIN_PART: u32 = 64;

/// How often the walk over a collection waits for what it has freed.
const STUCK_MAX: u32 = 8;

/// The log has room for so many bytes before it begins: those of two steps.
const LOG_BYTES: u64 = 512 * 1024;

/// How far a compaction has got; passed to the callback of `Database::compact_with`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CompactProgress {
    /// The round, from 1 up. There are four at most.
    pub round: u32,
    /// Pages that this round has dealt with.
    pub pages_done: u64,
    /// Pages that it has to deal with: those with documents when it began.
    pub pages: u64,
    /// Bytes that the file has.
    pub file_bytes: u64,
}

type Progress<'a> = &'a mut dyn FnMut(CompactProgress) -> ControlFlow<()>;

impl Opening {
    /// Moves documents toward the front and truncates the file, until `progress` stops it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`](crate::EngineError::Closed), also if `progress` closes the database;
    /// [`EngineError::Storage`](crate::EngineError::Storage),
    /// [`EngineError::DamagedPage`](crate::EngineError::DamagedPage),
    /// [`EngineError::Conflict`](crate::EngineError::Conflict).
    pub fn compact_with(
        &self,
        progress: &mut dyn FnMut(CompactProgress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        self.enter_in_steps(progress, |progress| run(self.engine(), progress))
    }

    /// The same, not stopped by anybody, as one call that closing waits for.
    ///
    /// # Errors
    ///
    /// As [`compact_with`](Self::compact_with).
    pub fn compact(&self) -> Result<()> {
        let _call = self.enter()?;
        run(self.engine(), &mut |_| ControlFlow::Continue(())).map(drop)
    }
}

/// Moves documents to the front and cuts the file.
fn run(engine: &Engine, progress: Progress<'_>) -> Result<ControlFlow<()>> {
    engine.check_access()?;
    let _alone = engine.shrinker.pause();
    engine.pager.make_room_in_logs(LOG_BYTES)?;
    for round in 1..=ROUNDS_MAX {
        engine.pager.checkpoint()?;
        let before = engine.pager.stats()?;
        let collections = engine.catalog.names.all_published();
        let mut step = Step {
            engine,
            progress: &mut *progress,
            at: CompactProgress { round, pages_done: 0, pages: 0, file_bytes: before.file_bytes },
            until: 0,
            end: PageId::new(before.page_count - before.free_pages),
        };
        step.at.pages = collections.iter().map(|binding| pages_of(binding)).sum();
        for binding in &collections {
            if step.see(binding)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            step.release_pages(binding)?;
        }
        let counts: Vec<u64> = collections.iter().map(|binding| pages_of(binding)).collect();
        step.at.pages = counts.iter().sum();
        for (binding, pages) in collections.iter().zip(counts) {
            step.until += pages;
            if step.collection(binding)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // What has become empty can be used after this one, and the index move there with the next.
        engine.pager.checkpoint()?;
        engine.pager.checkpoint_always()?;
        let after = engine.pager.stats()?;
        let gained = before.page_count.saturating_sub(after.page_count);
        if gained <= before.page_count / GAIN_PART {
            break;
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// How many pages with documents a collection has.
fn pages_of(binding: &NameBinding) -> u64 {
    binding.store.published(|state| state.map_or(0, |state| state.extents.used_pages))
}

struct Step<'a> {
    engine: &'a Engine,
    progress: Progress<'a>,
    at: CompactProgress,
    /// How many pages are done when the collection that it is at is.
    until: u64,
    /// Where the file would end if there were no gaps.
    end: PageId,
}

impl Step<'_> {
    /// More pages of a collection are done: not all that it has, of which some are new.
    fn tell(&mut self, pages: usize) -> ControlFlow<()> {
        self.at.pages_done = self.until.min(self.at.pages_done + pages as u64);
        (self.progress)(self.at)
    }

    /// Looks at the pages that nobody has seen since the database was opened: the free space in
    /// them is where documents can go.
    fn see(&mut self, binding: &Arc<NameBinding>) -> Result<ControlFlow<()>> {
        while let Some(held) = binding.lock(LockOwner::current())? {
            let index = binding.store.index_for_writer()?;
            if !scan_pages(&self.engine.pager, binding, held, index) {
                break;
            }
            if self.tell(0).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Gives back what documents have left.
    fn release_pages(&self, binding: &Arc<NameBinding>) -> Result<()> {
        let Some(held) = binding.lock(LockOwner::current())? else { return Ok(()) };
        release_pages(&self.engine.pager, binding, held, binding.store.index_for_writer()?)
    }

    fn collection(&mut self, binding: &Arc<NameBinding>) -> Result<ControlFlow<()>> {
        let mut walk = Walk::new(self.end, true);
        let mut stuck = 0;
        loop {
            let Some(held) = binding.lock(LockOwner::current())? else { break };
            let index = binding.store.index_for_writer()?;
            let step = match walk.step(&self.engine.pager, binding, held, index) {
                Err(error) if error.kind() == ErrorKind::QuotaExceeded => {
                    relocation_pass::Step { is_stuck: true, ..relocation_pass::Step::default() }
                }
                step => step?,
            };
            if self.tell(step.pages).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            stuck += u32::from(step.is_stuck);
            if step.is_last || stuck > STUCK_MAX {
                break;
            }
            if step.is_stuck {
                self.engine.pager.checkpoint()?;
            }
        }
        self.release_pages(binding)?;
        self.at.pages_done = self.until;
        Ok(self.tell(0))
    }
}
