//! A group being laid out anew, before any reader sees it.

use crate::group::{VACANT, WINDOW};
use crate::key::{Entry, Key};
use crate::lines::LINE_WORDS;

/// The words that a group is going to have.
///
/// Built in ordinary memory, where filling a bucket is cheap, and then written to
/// segments in one go, which also wipes what those held before.
#[derive(Debug)]
pub(super) struct Image {
    words: Vec<[u64; LINE_WORDS]>,
    uppers: Vec<[u16; LINE_WORDS]>,
    fill: Vec<u8>,
    count: u16,
}

impl Image {
    pub(super) fn new(buckets: u32, with_uppers: bool) -> Self {
        let buckets = buckets as usize;
        Self {
            words: vec![[VACANT; LINE_WORDS]; buckets],
            uppers: vec![[0; LINE_WORDS]; if with_uppers { buckets } else { 0 }],
            fill: vec![0; buckets],
            count: 0,
        }
    }

    /// Puts an entry where look-ups in a group of that depth find it; false if there is
    /// no room.
    pub(super) fn insert(&mut self, depth: u32, key: Key, entry: Entry) -> bool {
        let buckets = self.words.len();
        let window = buckets.min(WINDOW as usize);
        let home = key.home(depth, u32::try_from(buckets).unwrap_or_default()) as usize;
        for distance in 0..window {
            let position =
                if home + distance < buckets { home + distance } else { home + distance - buckets };
            let Some(fill) = self.fill.get_mut(position) else { return false };
            let word = usize::from(*fill);
            if word < LINE_WORDS {
                *fill += 1;
                self.count += 1;
                self.words[position][word] = entry.word();
                if let Some(uppers) = self.uppers.get_mut(position) {
                    uppers[word] = key.upper();
                }
                return true;
            }
        }
        false
    }

    pub(super) fn words(&self) -> &[[u64; LINE_WORDS]] {
        &self.words
    }

    pub(super) fn count(&self) -> u16 {
        self.count
    }

    pub(super) fn into_uppers(self) -> Vec<u16> {
        self.uppers.into_flattened()
    }
}
