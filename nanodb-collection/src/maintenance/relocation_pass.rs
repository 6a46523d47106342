//! Going over the pages of one collection, from the last of the file to the first, and moving
//! documents off those that are to go.
//!
//! To go are the pages behind the place where the file would end if there were no gaps in it, and
//! sparse ones, as long as there is free space before them. A document leaves with all of its
//! pieces if one of them lies on such a page. Where its pieces are is known only from its head, so
//! every page is looked at.

use std::ops::DerefMut;
use std::sync::Arc;

use nanodb_pager::{BODY_SIZE, PageId, Pager};

use crate::catalog::binding::NameBinding;
use crate::error::Result;
use crate::id_index::LoadedIndex;
use crate::pages::free_space::SpaceClass;
use crate::store::CollectionState;
use crate::write;
use crate::write::statement::Statement;

/// So many pages are looked at with the collection locked.
const STEP_PAGES: usize = 16;

/// A step is over when so many bytes of documents were moved.
const STEP_BYTES: usize = 256 * 1024;

/// How far the walk over a collection has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// Where the file would end if there were no gaps.
    end: PageId,
    /// The pages before this one are still to be looked at.
    below: u32,
    /// Whether sparse pages are to go, too: not once there was no space for what was on one.
    sparse: bool,
    /// Whether it may use what is kept back for those who free space, as where somebody waits for
    /// it.
    uses_reserve: bool,
}

/// What a step has done.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Step {
    /// Pages that were dealt with.
    pub(crate) pages: usize,
    /// Bytes of documents that were moved.
    pub(crate) moved_bytes: usize,
    /// Whether there was no free space further in front: what was freed has to become free first.
    pub(crate) is_stuck: bool,
    /// Whether nothing is left to do.
    pub(crate) is_last: bool,
}

impl Walk {
    pub(crate) fn new(end: PageId, uses_reserve: bool) -> Self {
        Self { end, below: u32::MAX, sparse: true, uses_reserve }
    }

    /// Looks at a few more pages of a collection, which is locked, and moves documents off them.
    ///
    /// After an error nothing has been moved, and the next step goes on behind these pages.
    pub(crate) fn step(
        &mut self,
        pager: &Pager,
        binding: &Arc<NameBinding>,
        mut held: impl DerefMut<Target = CollectionState>,
        index: &LoadedIndex,
    ) -> Result<Step> {
        binding.store.remove_retired(index, &mut held);
        let pages = held.order.last_below(&held.extents, self.below, STEP_PAGES);
        let Some(&last) = pages.last() else {
            return Ok(Step { is_last: true, ..Step::default() });
        };
        self.below = last.get();
        let mut step = Step::default();
        write::run_unasked(pager, binding, held, index, self.uses_reserve, |statement| {
            for page in pages {
                if !self.empty(statement, page, &mut step)? {
                    // Documents may be left on it.
                    self.below = page.get().saturating_add(1);
                    break;
                }
                step.pages += 1;
            }
            Ok(())
        })?;
        Ok(step)
    }

    /// Moves the documents off one page that are to leave it; false if it came to an end before.
    fn empty(
        &mut self,
        statement: &mut Statement<'_>,
        page: PageId,
        step: &mut Step,
    ) -> Result<bool> {
        // One that is damaged stays as it is.
        let Ok(found) = statement.survey(page) else { return Ok(true) };
        let class = if statement.is_fill(page) { SpaceClass::None } else { found.class };
        statement.note_class(page, class);
        for (record_id, pieces) in found.documents {
            let goes = |page, bytes| page >= self.end || self.is_to_go(statement, page, bytes);
            let pieces = pieces.into_iter().filter(|&piece| goes(piece, BODY_SIZE));
            let own = goes(page, found.live_bytes).then_some(page);
            let Some(first) = pieces.chain(own).min() else { continue };
            statement.move_before(first)?;
            step.moved_bytes += statement.relocate(record_id)?;
            if statement.take_stuck() {
                step.is_stuck = first >= self.end;
                self.sparse = false;
            }
            if step.is_stuck || step.moved_bytes >= STEP_BYTES {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a page is sparse, and there is space for so many bytes before it.
    fn is_to_go(&self, statement: &Statement<'_>, page: PageId, bytes: usize) -> bool {
        self.sparse
            && statement.is_slotted(page)
            && statement.class(page) != SpaceClass::None
            && statement.space_before(page) >= bytes
    }
}

/// Looks at some more of the pages whose free space is not known; whether there were any.
pub(crate) fn scan_pages(
    pager: &Pager,
    binding: &Arc<NameBinding>,
    held: impl DerefMut<Target = CollectionState>,
    index: &LoadedIndex,
) -> bool {
    let seen = write::run_unasked(pager, binding, held, index, false, |statement| {
        Ok(statement.scan_pages(STEP_PAGES))
    });
    seen.is_ok_and(|seen| seen > 0)
}

/// Has a collection that is empty and not in use keep no page. What fails leaves it as it is.
pub(crate) fn release_empty_pages(pager: &Pager, binding: &Arc<NameBinding>) {
    if let (Some(held), Some(index)) = (binding.try_lock(), binding.store.index_at_hand())
        && held.count == 0
        && held.extents.used_pages > 0
    {
        // Nothing depends on it, and whoever writes next is told of a failed write.
        let _ = write::run_unasked(pager, binding, held, index, false, |statement| {
            statement.release_all()
        });
    }
}

/// Gives the pages that documents have left back to the file: not in the commit that they leave
/// in.
pub(crate) fn release_pages(
    pager: &Pager,
    binding: &Arc<NameBinding>,
    held: impl DerefMut<Target = CollectionState>,
    index: &LoadedIndex,
) -> Result<()> {
    write::run_unasked(pager, binding, held, index, false, |statement| statement.release_pages())
}
