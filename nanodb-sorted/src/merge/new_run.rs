//! Making one run of chunks and runs.

use super::MergeCursor;
use crate::operation::Effect;
use crate::pages::{NewPages, Pages};
use crate::run::{Run, RunBuilder};

/// Makes one run of all that an [`IndexView`](crate::IndexView) has: a flush, if that is a delta,
/// or a merge of runs.
///
/// Goes on in steps, so that a thread can do other things in between. What is read must stay as it
/// is meanwhile.
#[derive(Debug)]
pub struct RunMerge<P: Pages> {
    cursor: MergeCursor<P>,
    builder: RunBuilder,
    drops_removals: bool,
}

impl<P: Pages> RunMerge<P> {
    pub(crate) fn new(cursor: MergeCursor<P>, builder: RunBuilder, drops_removals: bool) -> Self {
        Self { cursor, builder, drops_removals }
    }

    /// Merges at most so many entries more; returns whether there may be others.
    ///
    /// # Errors
    ///
    /// Whatever reading or writing a page fails with. Then the merge is to be given up.
    pub fn advance<W: NewPages<Error = P::Error>>(
        &mut self,
        pages: &mut W,
        entries_max: usize,
    ) -> Result<bool, P::Error> {
        for _ in 0..entries_max {
            if !self.cursor.next_entry()? {
                return Ok(false);
            }
            let effect = self.cursor.effect();
            let effect = match self.drops_removals {
                false => effect,
                true if effect.is_there() => Effect::Added,
                true => continue,
            };
            if let Some((key, record)) = self.cursor.entry() {
                self.builder.push(pages, key, record, effect)?;
            }
        }
        Ok(true)
    }

    /// Returns how many pages have been written.
    pub fn pages(&self) -> u64 {
        self.builder.pages()
    }

    /// Merges what is left and returns the run; `None` if nothing is left of all entries.
    ///
    /// # Errors
    ///
    /// As those of [`advance`](Self::advance).
    pub fn finish<W: NewPages<Error = P::Error>>(
        mut self,
        pages: &mut W,
    ) -> Result<Option<Run>, P::Error> {
        while self.advance(pages, usize::MAX)? {}
        self.builder.finish(pages)
    }
}
