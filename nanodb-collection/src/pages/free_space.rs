//! Which pages of a collection have free space worth filling again.
//!
//! Kept in memory only. Writers list a page when what they delete from it frees space, and take
//! it off when they begin to fill it. After opening nothing is known: then the pages that were
//! there are scanned, a few for each page that is asked for, so that opening costs nothing and a
//! writer never waits for long. What is listed is a hint, looked at again before it is used.

use std::collections::BTreeSet;
use std::ops::Bound;

use nanodb_page::PageRef;
use nanodb_pager::{BODY_SIZE, PageId};

use crate::pages::extents::Position;

/// How much free space a page has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum SpaceClass {
    /// Not worth a look: less than a quarter.
    None,
    Quarter,
    Half,
    /// It has no record.
    Empty,
}

impl SpaceClass {
    /// From the most free space to the least.
    const ALL: [Self; 3] = [Self::Empty, Self::Half, Self::Quarter];

    pub(crate) fn of(slots: &PageRef<'_>) -> Self {
        match slots.free_bytes() {
            _ if slots.is_empty() => Self::Empty,
            free if free >= BODY_SIZE / 2 => Self::Half,
            free if free >= BODY_SIZE / 4 => Self::Quarter,
            _ => Self::None,
        }
    }

    /// How many bytes a page of this class takes at least.
    fn bytes_min(self) -> usize {
        match self {
            Self::None => 0,
            Self::Quarter => BODY_SIZE / 4,
            Self::Half => BODY_SIZE / 2,
            Self::Empty => BODY_SIZE,
        }
    }
}

/// The pages with free space, as of the installed commits.
#[derive(Debug, Default)]
pub(crate) struct FreeSpaceMap {
    empty: BTreeSet<u32>,
    half: BTreeSet<u32>,
    quarter: BTreeSet<u32>,
    /// Where documents go; none: to the tail.
    pub(crate) fill: Option<PageId>,
    /// How far the scan has come.
    pub(crate) position: Position,
    /// How many pages are left to scan.
    pub(crate) unscanned: u64,
}

impl FreeSpaceMap {
    /// Returns the map of a collection of whose pages none has been scanned.
    pub(crate) fn unscanned(pages: u64) -> Self {
        Self { unscanned: pages, ..Self::default() }
    }

    fn of(&self, class: SpaceClass) -> Option<&BTreeSet<u32>> {
        match class {
            SpaceClass::None => None,
            SpaceClass::Quarter => Some(&self.quarter),
            SpaceClass::Half => Some(&self.half),
            SpaceClass::Empty => Some(&self.empty),
        }
    }

    /// Notes how much free space a page has.
    pub(crate) fn set(&mut self, page: u32, class: SpaceClass) {
        for (set, of) in [
            (&mut self.empty, SpaceClass::Empty),
            (&mut self.half, SpaceClass::Half),
            (&mut self.quarter, SpaceClass::Quarter),
        ] {
            if of == class {
                set.insert(page);
            } else {
                set.remove(&page);
            }
        }
    }

    pub(crate) fn empty_pages(&self) -> &BTreeSet<u32> {
        &self.empty
    }

    /// What is known of a page.
    pub(crate) fn class(&self, page: u32) -> SpaceClass {
        let mut classes = SpaceClass::ALL.into_iter();
        let found = classes.find(|&class| self.of(class).is_some_and(|set| set.contains(&page)));
        found.unwrap_or(SpaceClass::None)
    }

    /// How many whole pages all this space comes to, at least.
    pub(crate) fn whole_pages(&self) -> u64 {
        let bytes = |class: SpaceClass| class.bytes_min() * self.of(class).map_or(0, BTreeSet::len);
        (SpaceClass::ALL.into_iter().map(bytes).sum::<usize>() / BODY_SIZE) as u64
    }

    /// How many bytes the pages before that one take, at least; not counted further than a
    /// page's.
    pub(crate) fn bytes_before(&self, page: u32) -> usize {
        let mut bytes = 0;
        for class in SpaceClass::ALL {
            for _ in self.of(class).into_iter().flat_map(|set| set.range(..page)) {
                if bytes >= BODY_SIZE {
                    return bytes;
                }
                bytes += class.bytes_min();
            }
        }
        bytes
    }

    /// The pages with space for `bytes`, for sure; those with the least first.
    pub(crate) fn least_free(&self, bytes: usize) -> impl Iterator<Item = u32> + '_ {
        let fitting =
            SpaceClass::ALL.into_iter().rev().filter(move |class| class.bytes_min() >= bytes);
        fitting.filter_map(|class| self.of(class)).flatten().copied()
    }

    /// The pages with free space from `from` on, those with the most first; in each class the first
    /// ones of the file first.
    pub(crate) fn most_free(
        &self,
        from: SearchStart,
    ) -> impl Iterator<Item = (SpaceClass, u32)> + '_ {
        SpaceClass::ALL.into_iter().filter(move |&class| class <= from.class).flat_map(
            move |class| {
                let lower = match from.after {
                    Some(after) if class == from.class => Bound::Excluded(after),
                    _ => Bound::Unbounded,
                };
                let pages = self.of(class).map(|set| set.range((lower, Bound::Unbounded)));
                pages.into_iter().flatten().map(move |&page| (class, page))
            },
        )
    }
}

/// How far a change has come in [`FreeSpaceMap::most_free`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchStart {
    pub(crate) class: SpaceClass,
    pub(crate) after: Option<u32>,
}

impl SearchStart {
    pub(crate) const START: Self = Self { class: SpaceClass::Empty, after: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_space() -> FreeSpaceMap {
        let mut free_space = FreeSpaceMap::default();
        for (page, class) in [
            (9, SpaceClass::Quarter),
            (5, SpaceClass::Half),
            (7, SpaceClass::Empty),
            (3, SpaceClass::Empty),
            (4, SpaceClass::None),
        ] {
            free_space.set(page, class);
        }
        free_space
    }

    #[test]
    fn the_pages_with_most_free_space_come_first_and_in_front_of_the_file() {
        let mut free_space = free_space();
        let all = |free_space: &FreeSpaceMap, from| {
            free_space.most_free(from).map(|(_, page)| page).collect::<Vec<_>>()
        };
        assert_eq!(all(&free_space, SearchStart::START), [3, 7, 5, 9]);
        assert_eq!(
            all(&free_space, SearchStart { class: SpaceClass::Empty, after: Some(3) }),
            [7, 5, 9]
        );
        assert_eq!(all(&free_space, SearchStart { class: SpaceClass::Half, after: Some(5) }), [9]);
        free_space.set(3, SpaceClass::Quarter);
        free_space.set(7, SpaceClass::None);
        assert_eq!(all(&free_space, SearchStart::START), [5, 3, 9]);
    }

    #[test]
    fn the_tightest_page_that_is_sure_to_do_is_found() {
        let free_space = free_space();
        let all = |bytes| free_space.least_free(bytes).collect::<Vec<_>>();
        assert_eq!(all(100), [9, 5, 3, 7]);
        assert_eq!(all(BODY_SIZE / 4 + 1), [5, 3, 7]);
        assert_eq!(all(BODY_SIZE / 2 + 1), [3, 7]);
    }
}
