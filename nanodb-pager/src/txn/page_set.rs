//! The pages that a transaction has private copies of.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use smallvec::SmallVec;

use super::page::PageMut;
use crate::file::page::Frame;
use crate::hash::RandomState;
use crate::ids::PageId;
use crate::txn::dirty_ranges::DirtyRanges;

/// Up to so many pages are found by looking at each.
const LINEAR_MAX: usize = 8;

/// A private copy of a page.
pub(super) struct PrivatePage {
    pub(super) id: PageId,
    /// Held by nobody else until it is installed.
    pub(super) frame: Arc<Frame>,
    /// The version that was copied; none for a fresh page.
    pub(super) base: Option<Arc<Frame>>,
    /// Whether the page began from zeros in this transaction.
    pub(super) fresh: bool,
    pub(super) dirty: DirtyRanges,
}

impl PrivatePage {
    /// Whether the ranges marked hold every byte that differs from what the log begins from.
    pub(super) fn is_marked(&self) -> bool {
        let before = match &self.base {
            Some(base) if !self.fresh => base.body(),
            _ => Frame::ZERO.body(),
        };
        self.dirty.cover(before, self.frame.body())
    }

    pub(super) fn view(&mut self) -> PageMut<'_> {
        PageMut::new(Arc::make_mut(&mut self.frame), &mut self.dirty)
    }
}

/// Private pages, in the order in which they were begun, found by their numbers.
#[derive(Default)]
pub(super) struct PageSet {
    pages: SmallVec<[PrivatePage; 1]>,
    /// Where a page is in `pages`; only kept when there are more than a few.
    index: Option<HashMap<PageId, usize, RandomState>>,
}

impl PageSet {
    /// The position of a page.
    #[inline]
    pub(super) fn find(&self, page: PageId) -> Option<usize> {
        if self.pages.len() <= LINEAR_MAX {
            return self.pages.iter().position(|private| private.id == page);
        }
        // Whoever appends asks for the last page again and again.
        if self.pages.last().is_some_and(|last| last.id == page) {
            return Some(self.pages.len() - 1);
        }
        self.index.as_ref()?.get(&page).copied()
    }

    /// Adds a page that is not there; returns its position.
    pub(super) fn push(&mut self, page: PrivatePage) -> usize {
        let at = self.pages.len();
        self.pages.push(page);
        if self.pages.len() == LINEAR_MAX + 1 {
            self.index_all();
        } else if self.pages.len() > LINEAR_MAX {
            self.index.get_or_insert_default().insert(self.pages[at].id, at);
        }
        at
    }

    /// Takes all pages out.
    pub(super) fn take(&mut self) -> SmallVec<[PrivatePage; 1]> {
        self.index = None;
        std::mem::take(&mut self.pages)
    }

    /// Leaves out pages that `is_kept` says no of; each is handed to `dropped`.
    pub(super) fn retain(
        &mut self,
        mut is_kept: impl FnMut(usize, &PrivatePage) -> bool,
        mut dropped: impl FnMut(PrivatePage),
    ) {
        let before = self.take();
        for (at, page) in before.into_iter().enumerate() {
            if is_kept(at, &page) {
                self.pages.push(page);
            } else {
                dropped(page);
            }
        }
        self.index_all();
    }

    fn index_all(&mut self) {
        if self.pages.len() > LINEAR_MAX {
            let index = self.index.get_or_insert_default();
            index.extend(self.pages.iter().enumerate().map(|(at, page)| (page.id, at)));
        }
    }
}

impl Deref for PageSet {
    type Target = [PrivatePage];

    #[inline]
    fn deref(&self) -> &[PrivatePage] {
        &self.pages
    }
}

impl DerefMut for PageSet {
    #[inline]
    fn deref_mut(&mut self) -> &mut [PrivatePage] {
        &mut self.pages
    }
}
