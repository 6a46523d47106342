//! A page whose every change is watched.

use std::ops::Range;

use nanodb_page::{PageError, PageMut, PageRef, RecordKind, SlotId};

pub(crate) type Page<'a> = PageMut<'a, &'a mut dyn FnMut(Range<usize>)>;

/// Owns a body and checks, after each change, what every change promises.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) body: Vec<u8>,
}

impl Watched {
    pub(crate) fn new(body_len: usize) -> Self {
        // Not zero, so that reliance on fresh memory shows.
        let mut body = vec![0xA5; body_len];
        PageMut::format(&mut body, |_| ()).unwrap();
        Self { body }
    }

    pub(crate) fn view(&self) -> PageRef<'_> {
        PageRef::parse(&self.body).unwrap()
    }

    /// Makes one change to a page parsed afresh. Bytes outside of the reported ranges
    /// must be as before, and the page must verify.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Page<'_>) -> T) -> T {
        let (answer, _) = self.change_reporting(change);
        self.view().verify().unwrap();
        answer
    }

    /// As [`change`](Self::change), for bodies that need not be sound.
    pub(crate) fn change_reporting<T>(
        &mut self,
        change: impl FnOnce(&mut Page<'_>) -> T,
    ) -> (T, Vec<Range<usize>>) {
        let mut expected = self.body.clone();
        let mut ranges = Vec::new();
        let mut report = |range: Range<usize>| ranges.push(range);
        let answer = change(&mut PageMut::parse(&mut self.body, &mut report as _).unwrap());
        for range in &ranges {
            expected[range.clone()].copy_from_slice(&self.body[range.clone()]);
        }
        assert_eq!(self.body, expected, "bytes outside of {ranges:?} changed");
        (answer, ranges)
    }

    pub(crate) fn insert(&mut self, bytes: &[u8]) -> Option<SlotId> {
        self.change(|page| page.insert(RecordKind::Document, &[bytes])).unwrap()
    }

    pub(crate) fn replace(&mut self, slot: u16, bytes: &[u8]) -> Result<bool, PageError> {
        self.change(|page| page.replace(id(slot), RecordKind::Document, &[bytes]))
    }

    pub(crate) fn remove(&mut self, slot: u16) -> bool {
        self.change(|page| page.remove(id(slot))).unwrap()
    }

    pub(crate) fn get(&self, slot: u16) -> Option<&[u8]> {
        self.view().get(id(slot)).unwrap().map(|record| record.bytes)
    }
}

pub(crate) fn id(slot: u16) -> SlotId {
    SlotId::new(slot).unwrap()
}
