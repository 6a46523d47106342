//! A set of pages, kept as the runs that lie side by side.
//!
//! A collection keeps its overflow pages in one: documents take and give them back in
//! any order, and dropping the collection gives back whole runs.

use std::collections::BTreeMap;

use nanodb_pager::{Extent, PageId};

/// Pages by their numbers; runs that touch are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtentSet {
    /// First page to the number of the page behind the last.
    ends: BTreeMap<u32, u64>,
    page_count: u64,
}

impl ExtentSet {
    /// Adds all pages of `extent`, whether or not some are there already.
    pub(crate) fn insert(&mut self, extent: Extent) {
        if extent.pages == 0 {
            return;
        }
        let (mut start, mut end) = (extent.start.get(), extent.end());
        if let Some((&before, &before_end)) = self.ends.range(..=start).next_back()
            && before_end >= u64::from(start)
        {
            start = before;
            end = end.max(before_end);
        }
        while let Some((&next, &next_end)) = self.ends.range(start..).next()
            && u64::from(next) <= end
        {
            end = end.max(next_end);
            self.take(next);
        }
        self.put(start, end);
    }

    /// Takes out all pages of `extent`, as far as they are there.
    pub(crate) fn remove(&mut self, extent: Extent) {
        let (start, end) = (extent.start.get(), extent.end());
        if extent.pages == 0 {
            return;
        }
        if let Some((&before, &before_end)) = self.ends.range(..start).next_back()
            && before_end > u64::from(start)
        {
            self.put(before, u64::from(start));
            if before_end > end
                && let Ok(behind) = u32::try_from(end)
            {
                self.put(behind, before_end);
            }
        }
        while let Some((&next, &next_end)) = self.ends.range(start..).next()
            && u64::from(next) < end
        {
            self.take(next);
            if next_end > end
                && let Ok(behind) = u32::try_from(end)
            {
                self.put(behind, next_end);
            }
        }
    }

    pub(crate) fn contains(&self, page: PageId) -> bool {
        let before = self.ends.range(..=page.get()).next_back();
        before.is_some_and(|(_, &end)| u64::from(page.get()) < end)
    }

    /// The runs, by page number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Extent> + '_ {
        self.ends.iter().map(|(&start, &end)| {
            let pages = u32::try_from(end - u64::from(start)).unwrap_or(u32::MAX);
            Extent::new(PageId::new(start), pages)
        })
    }

    /// The runs of the pages below that one, from the last to the first.
    pub(crate) fn iter_below(&self, below: u32) -> impl Iterator<Item = Extent> + '_ {
        self.ends.range(..below).rev().map(move |(&start, &end)| {
            let end = end.min(u64::from(below));
            let pages = u32::try_from(end - u64::from(start)).unwrap_or(u32::MAX);
            Extent::new(PageId::new(start), pages)
        })
    }

    pub(crate) fn run_count(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn page_count(&self) -> u64 {
        self.page_count
    }

    fn put(&mut self, start: u32, end: u64) {
        self.take(start);
        self.ends.insert(start, end);
        self.page_count += end - u64::from(start);
    }

    fn take(&mut self, start: u32) {
        if let Some(end) = self.ends.remove(&start) {
            self.page_count -= end - u64::from(start);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn runs_agree_with_a_set_of_pages(
            steps in prop::collection::vec((any::<bool>(), 0_u32..60, 0_u32..20), 0..60),
        ) {
            let (mut runs, mut model) = (ExtentSet::default(), BTreeSet::new());
            for (insert, start, pages) in steps {
                let extent = Extent::new(PageId::new(start), pages);
                if insert {
                    runs.insert(extent);
                    model.extend(start..start + pages);
                } else {
                    runs.remove(extent);
                    model.retain(|page| !(start..start + pages).contains(page));
                }
                let listed: Vec<u32> = runs
                    .iter()
                    .flat_map(|run| run.start.get()..run.start.get() + run.pages)
                    .collect();
                prop_assert_eq!(&listed, &model.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(runs.page_count(), model.len() as u64);
                for page in 0..90 {
                    prop_assert_eq!(runs.contains(PageId::new(page)), model.contains(&page));
                }
                let apart = runs.iter().collect::<Vec<_>>();
                prop_assert!(apart.windows(2).all(|w| w[0].end() < u64::from(w[1].start.get())));
            }
        }
    }

    #[test]
    fn the_last_page_number_has_room() {
        let mut runs = ExtentSet::default();
        runs.insert(Extent::new(PageId::new(u32::MAX), 1));
        runs.insert(Extent::new(PageId::new(u32::MAX - 1), 1));
        assert!(runs.contains(PageId::new(u32::MAX)));
        runs.remove(Extent::new(PageId::new(u32::MAX - 1), 2));
        assert_eq!(runs.page_count(), 0);
    }
}
