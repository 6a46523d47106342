//! Whatever may be a root, in a file that does not say which is.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::file::stream;
use crate::hash::RandomState;
use crate::ids::{PageId, PageKind, Seq};
use crate::salvage::Salvage;

/// The streams of a file, the newest first, one at a time.
///
/// Takes some 40 bytes of memory for each page of a stream, and the bytes of one stream; each page
/// is read twice, whatever the pages say. Pages of one stream were written by one checkpoint, so a
/// chain ends where a page of another is; and a page that two chains claim counts for the first.
pub(super) struct Roots<'a> {
    salvage: &'a Salvage,
    /// Pages that no chain has had: the commit that wrote each, and the page that follows.
    left: HashMap<PageId, (Seq, PageId), RandomState>,
    /// The first pages of chains, the newest last.
    first: Vec<(Seq, PageId)>,
    /// Why pages could not be read again that could be read before.
    failed: Vec<Error>,
}

impl<'a> Roots<'a> {
    pub(super) fn of(salvage: &'a Salvage) -> Self {
        let mut left = HashMap::default();
        let mut failed = Vec::new();
        for found in salvage.pages().iter().filter(|found| found.kind == PageKind::STREAM) {
            match salvage.page(found.page) {
                Ok(guard) => {
                    left.insert(found.page, (found.seq, stream::split(guard.body()).0));
                }
                Err(error) => failed.push(error),
            }
        }
        let follows = |&(seq, next): &(Seq, PageId)| {
            left.get(&next).is_some_and(|&(written, _)| written == seq).then_some(next)
        };
        let followers: HashSet<PageId, RandomState> = left.values().filter_map(follows).collect();
        let mut first: Vec<(Seq, PageId)> = left
            .iter()
            .filter(|(page, _)| !followers.contains(page))
            .map(|(&page, &(seq, _))| (seq, page))
            .collect();
        first.sort_unstable();
        Self { salvage, left, first, failed }
    }

    fn read(&mut self, seq: Seq, first: PageId) -> Result<Vec<u8>> {
        let (mut bytes, mut next) = (Vec::new(), first);
        while let Some(&(written, after)) = self.left.get(&next)
            && written == seq
        {
            self.left.remove(&next);
            let guard = self.salvage.page(next)?;
            bytes.extend_from_slice(stream::split(guard.body()).1);
            next = after;
        }
        Ok(bytes)
    }
}

impl Iterator for Roots<'_> {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.pop() {
            return Some(Err(error));
        }
        let (seq, first) = self.first.pop()?;
        Some(self.read(seq, first))
    }
}
