//! A group being laid out anew, before any reader sees it.
//!
//! Entries are placed in the order of their homes, beginning behind a bucket that nothing
//! is displaced past. So an entry is displaced by no more than those that must be, and a
//! window is too small only where keys are not as even as hashes.

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
    /// Lays out the entries of a group of that depth; `reject` gets those without room.
    pub(super) fn new(
        depth: u32,
        buckets: u32,
        with_uppers: bool,
        entries: &[(Key, Entry)],
        mut reject: impl FnMut(Key, Entry),
    ) -> Self {
        let size = buckets as usize;
        let mut image = Self {
            words: vec![[VACANT; LINE_WORDS]; size],
            uppers: vec![[0; LINE_WORDS]; if with_uppers { size } else { 0 }],
            fill: vec![0; size],
            count: 0,
        };
        let home = |key: Key| key.home(depth, buckets) as usize;

        // `ends[home]` entries have that home or one before it.
        let mut ends = vec![0usize; size];
        entries.iter().for_each(|&(key, _)| ends[home(key)] += 1);
        let first_home = first_home(&ends);
        let mut end = 0;
        for home in ends.iter_mut() {
            end += *home;
            *home = end;
        }
        let mut first_entry = 0;
        if let Some(before) = first_home.checked_sub(1) {
            first_entry = ends[before];
        }
        let mut sorted = vec![(Key::from_bits(0), None); entries.len()];
        for &(key, entry) in entries.iter().rev() {
            let end = &mut ends[home(key)];
            *end -= 1;
            sorted[*end] = (key, Some(entry));
        }

        let (last, first) = sorted.split_at(first_entry);
        for &(key, entry) in first.iter().chain(last) {
            let Some(entry) = entry else { continue };
            if !image.insert(home(key), key, entry) {
                reject(key, entry);
            }
        }
        image
    }

    fn insert(&mut self, home: usize, key: Key, entry: Entry) -> bool {
        let buckets = self.words.len();
        let mut position = home;
        for _ in 0..buckets.min(WINDOW as usize) {
            let word = usize::from(self.fill[position]);
            if word < LINE_WORDS {
                self.words[position][word] = entry.word();
                if let Some(uppers) = self.uppers.get_mut(position) {
                    uppers[word] = key.upper();
                }
                self.fill[position] += 1;
                self.count += 1;
                return true;
            }
            position = if position + 1 == buckets { 0 } else { position + 1 };
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

/// A bucket that no entry is displaced to from before it, given the entries of each home;
/// the first bucket if there is none.
fn first_home(counts: &[usize]) -> usize {
    let mut backlog = 0usize;
    let mut found = 0;
    // Twice round: the second time with what the first leaves over at its end.
    for (bucket, count) in (0..counts.len()).zip(counts).chain((0..counts.len()).zip(counts)) {
        if backlog == 0 {
            found = bucket;
        }
        backlog = (backlog + count).saturating_sub(LINE_WORDS);
    }
    found
}
