//! A collection's pages by their numbers, for whoever goes over them from the last to the first.
//!
//! [`Extents`] has extents in the order in which they were taken. Looking for a page by its
//! number there goes through all of them, which is too much for each step of a walk. So a writer
//! keeps the same pages here, as the runs that lie side by side; from the first walk on, for
//! most collections see none.

use std::sync::OnceLock;

use nanodb_pager::{Extent, PageId};

use crate::pages::extent_set::ExtentSet;
use crate::pages::extents::Extents;

/// The pages of all extents of one collection, those behind the tail included; none before somebody
/// asks.
#[derive(Debug, Default)]
pub(crate) struct PageOrder(OnceLock<ExtentSet>);

impl PageOrder {
    fn pages(&self, extents: &Extents) -> &ExtentSet {
        self.0.get_or_init(|| {
            let mut pages = ExtentSet::default();
            extents.list.iter().for_each(|&extent| pages.insert(extent));
            pages
        })
    }

    /// Up to `count` pages in use with numbers below `below`: the last ones, from the last on.
    pub(crate) fn last_below(&self, extents: &Extents, below: u32, count: usize) -> Vec<PageId> {
        let spare = extents.spare();
        let runs = self.pages(extents).iter_below(below);
        let pages = runs.flat_map(|run| (0..run.pages).rev().filter_map(move |at| run.page(at)));
        let in_use = |page: &PageId| spare.is_none_or(|spare| !spare.contains(*page));
        pages.filter(in_use).take(count).collect()
    }

    /// Whether a page is in use.
    pub(crate) fn contains(&self, extents: &Extents, page: PageId) -> bool {
        self.pages(extents).contains(page)
            && extents.spare().is_none_or(|spare| !spare.contains(page))
    }

    /// The collection has come to have these pages.
    pub(crate) fn insert(&mut self, extent: Extent) {
        if let Some(pages) = self.0.get_mut() {
            pages.insert(extent);
        }
    }

    /// The collection does not have these pages any more.
    pub(crate) fn remove(&mut self, extent: Extent) {
        if let Some(pages) = self.0.get_mut() {
            pages.remove(extent);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extent(start: u32, pages: u32) -> Extent {
        Extent::new(PageId::new(start), pages)
    }

    #[test]
    fn the_last_pages_in_use_before_a_page_are_found() {
        let mut extents = Extents::default();
        extents.replace_from(0, &[extent(20, 3), extent(10, 3), extent(30, 4)]);
        extents.used_pages = 8;
        let order = PageOrder::default();
        let below = |below, count| -> Vec<u32> {
            order.last_below(&extents, below, count).into_iter().map(PageId::get).collect()
        };
        assert_eq!(below(u32::MAX, 4), [31, 30, 22, 21]);
        assert_eq!(below(22, 3), [21, 20, 12]);
        assert_eq!(below(11, 3), [10]);
        assert!(below(10, 3).is_empty());
    }

    proptest! {
        #[test]
        fn it_follows_the_layout(
            steps in prop::collection::vec((0..4_u8, 0..40_u32, 1..6_u32), 1..40),
            below in 0..60_u32,
            count in 0..20_usize,
        ) {
            let (mut extents, mut order) = (Extents::default(), PageOrder::default());
            // From here on it must keep up.
            order.pages(&extents);
            for (step, start, pages) in steps {
                match step {
                    0 => {
                        let own = extents.list.iter();
                        let taken = own.flat_map(|e| u64::from(e.start.get())..e.end());
                        let end = u64::from(start + pages);
                        if extents.spare().is_none_or(|spare| spare.pages == 0)
                            && !taken.into_iter().any(|page| u64::from(start) <= page && page < end)
                        {
                            extents.push(extent(start, pages));
                            order.insert(extent(start, pages));
                        }
                    }
                    1 => extents.used_pages = extents.total_pages.min(extents.used_pages + u64::from(pages)),
                    2 => {
                        let gone: Vec<PageId> =
                            extents.pages().filter(|page| page.get() % 7 == start % 7).collect();
                        let mut gone = gone;
                        gone.sort_unstable();
                        extents.remove(&gone);
                        gone.iter().for_each(|page| order.remove(Extent::new(*page, 1)));
                    }
                    _ => {
                        extents.spare().into_iter().for_each(|spare| order.remove(spare));
                        extents.trim();
                    }
                }
            }
            let mut expected: Vec<PageId> =
                extents.pages().filter(|page| page.get() < below).collect();
            expected.sort_unstable();
            expected.reverse();
            for page in 0..60 {
                let page = PageId::new(page);
                prop_assert_eq!(order.contains(&extents, page), extents.pages().any(|own| own == page));
            }
            expected.truncate(count);
            prop_assert_eq!(order.last_below(&extents, below, count), expected);
        }
    }
}
