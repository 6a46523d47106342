//! A group being laid out anew, before any reader sees it.
//!
//! Entries are placed in the order of their homes, beginning behind a bucket that nothing
//! is displaced past. So an entry is displaced by no more than those that must be, and a
//! window is too small only where keys are not as even as hashes. How many entries each
//! home has says where each goes; nothing is sorted.

use crate::cache_lines::LINE_WORDS;
use crate::group::{VACANT, WINDOW};
use crate::key_hash::{Entry, KeyHash};

/// The words that a group is going to have.
///
/// Built in ordinary memory, where filling a bucket is cheap, and then written to
/// segments in one go, which also wipes what those held before.
#[derive(Debug)]
pub(super) struct Image {
    words: Vec<[u64; LINE_WORDS]>,
    uppers: Vec<[u16; LINE_WORDS]>,
    count: u16,
}

impl Image {
    /// Lays out the entries of a group of that depth; `reject` gets those without room.
    pub(super) fn new(
        depth: u32,
        buckets: u32,
        with_uppers: bool,
        entries: &[(KeyHash, Entry)],
        mut reject: impl FnMut(KeyHash, Entry),
    ) -> Self {
        let size = buckets as usize;
        let mut image = Self {
            words: vec![[VACANT; LINE_WORDS]; size],
            uppers: vec![[0; LINE_WORDS]; if with_uppers { size } else { 0 }],
            count: 0,
        };
        let home = |key: KeyHash| key.home(depth, buckets) as usize;
        let mut counts = vec![0; size];
        entries.iter().for_each(|&(key, _)| counts[home(key)] += 1);

        if let Some(mut next) = first_words(&counts) {
            for &(key, entry) in entries {
                let word = &mut next[home(key)];
                image.set(*word / LINE_WORDS % size, *word % LINE_WORDS, key, entry);
                *word += 1;
            }
        } else {
            for &(key, entry) in entries {
                if !image.insert(home(key), key, entry) {
                    reject(key, entry);
                }
            }
        }
        image
    }

    fn set(&mut self, position: usize, word: usize, key: KeyHash, entry: Entry) {
        self.words[position][word] = entry.word();
        if let Some(uppers) = self.uppers.get_mut(position) {
            uppers[word] = key.upper();
        }
        self.count += 1;
    }

    /// Puts an entry into the first free word of its window.
    fn insert(&mut self, home: usize, key: KeyHash, entry: Entry) -> bool {
        let buckets = self.words.len();
        for distance in 0..buckets.min(WINDOW as usize) {
            let position = (home + distance) % buckets;
            let free = self.words[position].iter().position(|&word| word == VACANT);
            if let Some(word) = free {
                self.set(position, word, key, entry);
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

/// For each home the word at which its entries begin, counted on past the group's end
/// where they go round; `None` if some would come to lie outside their window.
fn first_words(counts: &[usize]) -> Option<Vec<usize>> {
    let buckets = counts.len();
    let window = buckets.min(WINDOW as usize);
    let first = first_home(counts);
    let mut words = vec![0; buckets];
    let mut next = 0;
    for home in first..first + buckets {
        next = next.max(home * LINE_WORDS);
        words[home % buckets] = next;
        next += counts[home % buckets];
        if next > (home + window).min(first + buckets) * LINE_WORDS {
            return None;
        }
    }
    Some(words)
}

/// A bucket that no entry is displaced to from before it, given the entries of each home;
/// any bucket if there is none.
fn first_home(counts: &[usize]) -> usize {
    let mut backlog = 0usize;
    let mut found = 0;
    // Twice round: the second time with what the first leaves over at its end.
    for (home, count) in counts.iter().chain(counts).enumerate() {
        if backlog == 0 {
            found = home;
        }
        backlog = (backlog + count).saturating_sub(LINE_WORDS);
    }
    found % counts.len().max(1)
}
