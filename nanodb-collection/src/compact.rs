//! Giving space back: all documents move as far to the front of the file as they can.
//!
//! For each collection the pages are looked at once, then documents move off pages that are to go:
//! those behind the place where the file would end if there were no gaps in it, and sparse ones, the last of them
//! first, into the room of those before. A few pages at a time: each step is a small transaction, so
//! readers and writers go on. Pages that have become empty go back to the file, whose end the
//! next checkpoint cuts off. What is given back can be used only after a checkpoint, so there are
//! several rounds, as long as they gain something.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use nanodb_index::Place;
use nanodb_pager::{Durability, PageId};

use crate::catalog::Binding;
use crate::change::{Change, Pending};
use crate::database::Shared;
use crate::error::Result;
use crate::lock::Party;
use crate::room::Class;
use crate::transaction::commit_one;

/// How many times the whole file is gone through at most.
const ROUNDS_MAX: u32 = 4;

/// A round that gains less than such a part of the file was the last.
const GAIN_PART: u32 = 64;

/// So many pages are looked at, or emptied, with the collection locked.
const STEP_PAGES: usize = 16;

/// How far [`Database::compact_with`](crate::Database::compact_with) has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CompactProgress {
    /// The round, from 1 up. There are four at most.
    pub round: u32,
    /// Pages that this round has dealt with.
    pub pages_done: u64,
    /// Pages that it has to deal with, as far as is known.
    pub pages: u64,
    /// Bytes that the file has.
    pub file_bytes: u64,
}

type Progress<'a> = &'a mut dyn FnMut(CompactProgress) -> ControlFlow<()>;

/// Moves documents to the front and cuts the file.
pub(crate) fn run(shared: &Shared, progress: Progress<'_>) -> Result<ControlFlow<()>> {
    for round in 1..=ROUNDS_MAX {
        shared.pager.checkpoint()?;
        let before = shared.pager.stats()?;
        let mut step = Step {
            shared,
            progress: &mut *progress,
            at: CompactProgress {
                round,
                pages_done: 0,
                pages: u64::from(before.page_count - before.free_pages),
                file_bytes: before.file_bytes,
            },
            end: PageId::new(before.page_count - before.free_pages),
        };
        for binding in shared.catalog.names.all_published() {
            if step.collection(&binding)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // What has become empty can be used after this one, and the index move there with the next.
        shared.pager.checkpoint()?;
        shared.pager.checkpoint_anew()?;
        let after = shared.pager.stats()?;
        let gained = before.page_count.saturating_sub(after.page_count);
        if gained <= before.page_count / GAIN_PART {
            break;
        }
    }
    Ok(ControlFlow::Continue(()))
}

struct Step<'a> {
    shared: &'a Shared,
    progress: Progress<'a>,
    at: CompactProgress,
    /// Where the file would end if there were no gaps.
    end: PageId,
}

/// What is known of a collection's pages.
#[derive(Default)]
struct Survey {
    /// Pages that documents are to leave, and the bytes on them.
    sources: Vec<(PageId, usize)>,
    /// The documents that begin on each of them, or have a piece there.
    documents: HashMap<PageId, Vec<Place>, ahash::RandomState>,
    /// Those that have a page of their own behind the end.
    behind: Vec<Place>,
}

impl Step<'_> {
    fn tell(&mut self, pages: usize) -> ControlFlow<()> {
        self.at.pages_done += pages as u64;
        (self.progress)(self.at)
    }

    /// Does something to a collection in a transaction; false if it is gone.
    fn change(
        &self,
        binding: &Arc<Binding>,
        change: impl FnOnce(&mut Change<'_>) -> Result<()>,
    ) -> Result<bool> {
        let Some(mut held) = binding.lock(Party::current())? else { return Ok(false) };
        let store = &binding.store;
        let index = store.index_for_writer()?;
        store.remove_retired(index, &mut held);
        let mut tx = self.shared.pager.begin();
        tx.give_space_back();
        // Nothing is lost with a move that is.
        tx.set_durability(Durability::Buffered);
        let mut pending = Pending::new(&held);
        let writer = &*held;
        change(&mut Change { store, index, writer, tx: &mut tx, pending: &mut pending })?;
        if pending.changed {
            commit_one(tx, binding, held, None, pending)?;
        }
        Ok(true)
    }

    fn collection(&mut self, binding: &Arc<Binding>) -> Result<ControlFlow<()>> {
        self.change(binding, |change| change.give_back())?;
        let mut survey = Survey::default();
        let state = binding.store.published(|state| state.cloned());
        let pages: Vec<PageId> = state.iter().flat_map(|state| state.layout.pages()).collect();
        for pages in pages.chunks(STEP_PAGES) {
            let end = self.end;
            let Some(mut held) = binding.lock(Party::current())? else { break };
            let index = binding.store.index_for_writer()?;
            let mut tx = self.shared.pager.begin();
            let mut pending = Pending::new(&held);
            let change = Change {
                store: &binding.store,
                index,
                writer: &held,
                tx: &mut tx,
                pending: &mut pending,
            };
            let classes = survey.look(&change, pages, end);
            classes.into_iter().for_each(|(page, class)| held.room.set(page, class));
            drop(held);
            if self.tell(pages.len()).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.shift(binding, survey)
    }

    /// Moves documents off the pages that are to go.
    fn shift(&mut self, binding: &Arc<Binding>, mut survey: Survey) -> Result<ControlFlow<()>> {
        let end = self.end;
        survey.sources.sort_unstable_by(|a, b| b.cmp(a));
        self.at.pages += survey.sources.len() as u64;
        for places in std::mem::take(&mut survey.behind).chunks(STEP_PAGES) {
            self.change(binding, |change| {
                change.move_before(end)?;
                places.iter().try_for_each(|&place| change.relocate(place).map(|_| ()))
            })?;
            if self.tell(0).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        for sources in survey.sources.chunks(STEP_PAGES) {
            let mut done = false;
            self.change(binding, |change| {
                for &(source, bytes) in sources {
                    if source < end && change.room_before(source) < bytes {
                        done = true;
                        break;
                    }
                    change.move_before(source)?;
                    for &place in survey.documents.get(&source).into_iter().flatten() {
                        change.relocate(place)?;
                    }
                    if change.is_stuck() {
                        done = true;
                        break;
                    }
                }
                Ok(())
            })?;
            if self.tell(sources.len()).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if done {
                break;
            }
        }
        self.change(binding, |change| change.give_back())?;
        Ok(ControlFlow::Continue(()))
    }
}

impl Survey {
    /// Looks at some pages; returns what room they have. Those that are damaged stay where they are.
    fn look(&mut self, change: &Change<'_>, pages: &[PageId], end: PageId) -> Vec<(u32, Class)> {
        let mut classes = Vec::with_capacity(pages.len());
        for &page in pages {
            let Ok(found) = change.survey(page) else { continue };
            if change.is_fill(page) {
                classes.push((page.get(), Class::None));
            } else {
                classes.push((page.get(), found.class));
            }
            if page >= end || found.class != Class::None {
                self.sources.push((page, found.live_bytes));
            }
            for (place, pieces) in found.documents {
                let slotted = |page: &PageId| change.is_slotted(*page);
                if pieces.iter().any(|piece| *piece >= end && !slotted(piece)) {
                    self.behind.push(place);
                }
                if let Some(fragments) = pieces.iter().position(slotted) {
                    for &piece in pieces.get(fragments..).unwrap_or_default() {
                        self.documents.entry(piece).or_default().push(place);
                    }
                }
                if page >= end || found.class != Class::None {
                    self.documents.entry(page).or_default().push(place);
                }
            }
        }
        classes
    }
}
