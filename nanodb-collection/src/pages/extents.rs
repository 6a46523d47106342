//! Which pages hold a collection's documents, and in which order.
//!
//! A collection owns *extents*: runs of pages, taken as it grows. Pages are used in
//! extent order, and within an extent from the front; the last page in use is the
//! *tail*, where documents are appended. What lies behind the tail was never written
//! and is never read.

use nanodb_pager::{Extent, PageId};

use super::extent_list::ExtentList;

/// The most pages taken at once: 4 MiB.
const EXTENT_PAGES_MAX: u32 = 1024;

/// A new extent has at most one page for so many that the collection has. Keeps what is
/// taken in advance to 1.6 % of a collection.
const PAGES_PER_RESERVED: u32 = 64;

/// The extents of one collection and how far they are in use. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extents {
    pub(crate) list: ExtentList,
    /// How many pages from the first extent's first on are in use.
    pub(crate) used_pages: u64,
    /// All pages of all extents.
    pub(crate) total_pages: u64,
}

impl Extents {
    /// The pages in use, as runs in the order in which they are used.
    pub(crate) fn used(&self) -> impl Iterator<Item = Extent> + '_ {
        let mut left = self.used_pages;
        self.list.iter().map_while(move |extent| {
            let pages = u32::try_from(left).unwrap_or(u32::MAX).min(extent.pages);
            left -= u64::from(pages);
            (pages > 0).then(|| Extent::new(extent.start, pages))
        })
    }

    /// The last page in use.
    pub(crate) fn tail(&self) -> Option<PageId> {
        let unused = self.total_pages.checked_sub(self.used_pages)?;
        let last = self.list.last()?;
        let index = u64::from(last.pages).checked_sub(unused)?.checked_sub(1);
        match index {
            Some(index) => last.page(u32::try_from(index).ok()?),
            // The last extent is untouched: the tail ends the one before it.
            None if self.used_pages > 0 => {
                let before = self.list.iter().rev().nth(1)?;
                before.page(before.pages.checked_sub(1)?)
            }
            None => None,
        }
    }

    /// The page after the tail, if it was taken already.
    pub(crate) fn next_page(&self) -> Option<PageId> {
        let unused = u32::try_from(self.total_pages.checked_sub(self.used_pages)?).ok()?;
        let last = self.list.last()?;
        last.page(last.pages.checked_sub(unused)?)
    }

    /// The pages after the tail, which were taken already.
    pub(crate) fn spare(&self) -> Option<Extent> {
        let start = self.next_page()?;
        let pages = u32::try_from(self.total_pages.checked_sub(self.used_pages)?).ok()?;
        Some(Extent::new(start, pages))
    }

    /// How many pages to take when the extents are used up: 1, 2, 4 and so on.
    pub(crate) fn next_extent_pages(&self) -> u32 {
        let wanted = self.total_pages / u64::from(PAGES_PER_RESERVED);
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1, EXTENT_PAGES_MAX);
        1 << wanted.ilog2()
    }

    /// Adds an extent behind the last, or lengthens that one if they lie side by side. Costs the
    /// same for any number of extents, on average, whoever else holds them.
    pub(crate) fn push(&mut self, extent: Extent) {
        self.total_pages += u64::from(extent.pages);
        if let Some(last) = self.list.last_mut()
            && last.end() == u64::from(extent.start.get())
            && let Some(pages) = last.pages.checked_add(extent.pages)
        {
            last.pages = pages;
            return;
        }
        self.list.push(extent);
    }

    /// Replaces all extents from `index` on. Costs what goes and what comes, and nothing for those
    /// that stay: every commit's edits come here.
    pub(crate) fn replace_from(&mut self, index: usize, extents: &[Extent]) {
        while self.list.len() > index
            && let Some(gone) = self.list.pop()
        {
            self.total_pages -= u64::from(gone.pages);
        }
        self.list.extend(extents.iter().copied());
        self.total_pages += extents.iter().map(|extent| u64::from(extent.pages)).sum::<u64>();
    }

    /// Takes out some of the pages in use, which come by rising number.
    pub(crate) fn remove(&mut self, pages: &[PageId]) {
        let mut left = Self::default();
        for &extent in self.list.iter() {
            let mut start = u64::from(extent.start.get());
            let within = pages.partition_point(|page| u64::from(page.get()) < start);
            let within = pages.get(within..).unwrap_or_default();
            for gone in within.iter().copied().take_while(|&page| extent.contains(page)) {
                left.push_range(start, u64::from(gone.get()));
                start = u64::from(gone.get()) + 1;
                self.used_pages = self.used_pages.saturating_sub(1);
            }
            left.push_range(start, extent.end());
        }
        left.used_pages = self.used_pages;
        *self = left;
    }

    /// Takes out the pages behind the tail.
    pub(crate) fn trim(&mut self) {
        let mut total = self.total_pages;
        while total > self.used_pages
            && let Some(last) = self.list.last_mut()
        {
            let before = total.saturating_sub(u64::from(last.pages));
            if before < self.used_pages {
                // Less than it has.
                last.pages = u32::try_from(self.used_pages - before).unwrap_or(last.pages);
                break;
            }
            self.list.pop();
            total = before;
        }
        self.total_pages = self.used_pages;
    }

    fn push_range(&mut self, start: u64, end: u64) {
        if let (Ok(start), Ok(pages @ 1..)) = (u32::try_from(start), u32::try_from(end - start)) {
            self.push(Extent::new(PageId::new(start), pages));
        }
    }

    /// The pages in use, in order.
    pub(crate) fn pages(&self) -> Pages<'_> {
        Pages { extents: &self.list, position: Position::default(), left: self.used_pages }
    }
}

/// How far a walk over the pages in use has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    extent: usize,
    page: u32,
}

impl Position {
    /// The page here, moving on to the next.
    #[inline]
    pub(crate) fn advance(&mut self, extents: &ExtentList) -> Option<PageId> {
        loop {
            let extent = extents.get(self.extent)?;
            if let Some(page) = extent.page(self.page) {
                self.page += 1;
                return Some(page);
            }
            self.extent += 1;
            self.page = 0;
        }
    }

    /// Moves on over so many pages.
    pub(crate) fn skip(&mut self, extents: &ExtentList, mut count: u64) {
        while let Some(extent) = extents.get(self.extent) {
            let left = u64::from(extent.pages.saturating_sub(self.page));
            if count < left {
                // Less than a page number.
                self.page += u32::try_from(count).unwrap_or_default();
                return;
            }
            count -= left;
            self.extent += 1;
            self.page = 0;
        }
    }
}

/// Iterates over the pages in use; made by [`Extents::pages`].
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    extents: &'a ExtentList,
    position: Position,
    left: u64,
}

impl Iterator for Pages<'_> {
    type Item = PageId;

    fn next(&mut self) -> Option<PageId> {
        self.left = self.left.checked_sub(1)?;
        self.position.advance(self.extents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(start: u32, pages: u32) -> Extent {
        Extent::new(PageId::new(start), pages)
    }

    #[test]
    fn the_tail_follows_the_pages_in_use() {
        let mut extents = Extents::default();
        assert_eq!((extents.tail(), extents.next_page()), (None, None));
        extents.push(extent(10, 1));
        assert_eq!((extents.tail(), extents.next_page()), (None, Some(PageId::new(10))));
        extents.used_pages = 1;
        assert_eq!((extents.tail(), extents.next_page()), (Some(PageId::new(10)), None));
        extents.push(extent(20, 2));
        assert_eq!(
            (extents.tail(), extents.next_page()),
            (Some(PageId::new(10)), Some(PageId::new(20)))
        );
        extents.used_pages = 2;
        assert_eq!(
            (extents.tail(), extents.next_page()),
            (Some(PageId::new(20)), Some(PageId::new(21)))
        );
        extents.used_pages = 3;
        assert_eq!(extents.tail(), Some(PageId::new(21)));
        let pages: Vec<u32> = extents.pages().map(PageId::get).collect();
        assert_eq!(pages, [10, 20, 21]);
    }

    #[test]
    fn a_walk_skips_pages_as_if_it_had_visited_them() {
        let mut extents = ExtentList::default();
        extents.extend([extent(10, 1), extent(20, 5), extent(7, 0), extent(30, 2)]);
        let visit = |mut position: Position| {
            std::iter::from_fn(|| position.advance(&extents)).collect::<Vec<_>>()
        };
        for skipped in 0..12_usize {
            for more in 0..12_usize {
                let mut position = Position::default();
                position.skip(&extents, skipped as u64);
                position.skip(&extents, more as u64);
                let left: Vec<_> =
                    visit(Position::default()).into_iter().skip(skipped + more).collect();
                assert_eq!(visit(position), left);
            }
        }
    }

    #[test]
    fn pages_are_taken_out_wherever_they_lie() {
        let mut extents = Extents::default();
        extents.replace_from(0, &[extent(20, 4), extent(10, 3), extent(30, 2)]);
        extents.used_pages = 8;
        let gone = [10, 12, 21, 22, 30].map(PageId::new);
        extents.remove(&gone);
        assert_eq!(
            extents.list.to_vec(),
            [extent(20, 1), extent(23, 1), extent(11, 1), extent(31, 1)]
        );
        assert_eq!((extents.used_pages, extents.total_pages), (3, 4));
        assert_eq!(
            (extents.tail(), extents.next_page()),
            (Some(PageId::new(11)), Some(PageId::new(31)))
        );
        extents.trim();
        assert_eq!(extents.list.to_vec(), [extent(20, 1), extent(23, 1), extent(11, 1)]);
        assert_eq!((extents.tail(), extents.next_page()), (Some(PageId::new(11)), None));
    }

    #[test]
    fn extents_side_by_side_become_one_and_grow_with_the_collection() {
        let mut extents = Extents::default();
        let mut next = 2;
        let mut sizes = Vec::new();
        for _ in 0..2000 {
            let pages = extents.next_extent_pages();
            sizes.push(pages);
            extents.push(extent(next, pages));
            next += pages;
        }
        assert_eq!(extents.list.len(), 1);
        assert_eq!(sizes[0], 1);
        assert!(sizes.is_sorted());
        assert_eq!(sizes.last(), Some(&EXTENT_PAGES_MAX));
    }
}
