//! What can happen to a file's bytes between two runs.
//!
//! Each case is a [`Damage`], a small value to be applied to the sound file and named
//! when a test fails. The functions list the cases of one sort, some all there are, some
//! as many as asked for from a seed.
//!
//! ```
//! use nanodb_sim::damage;
//!
//! let file = vec![7_u8; 8192];
//! for damage in damage::truncations(file.len()).chain(damage::swapped_pages(file.len())) {
//!     let damaged = damage.apply(&file);
//!     assert!(damaged.len() <= file.len(), "{damage:?}");
//! }
//! ```

use std::ops::Range;

use nanodb_pager::PAGE_SIZE;

use crate::random::Random;

/// One way to damage a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// This bit, counted from the file's start, is inverted.
    FlippedBit {
        /// Which bit: bit `n % 8` of byte `n / 8`.
        bit: usize,
    },
    /// The file ends here.
    Truncated {
        /// How many bytes are left.
        len: usize,
    },
    /// Two pages have changed places.
    SwappedPages {
        /// One of them.
        first: usize,
        /// The other.
        second: usize,
    },
    /// A page lies in another one's place too.
    DuplicatedPage {
        /// The page.
        from: usize,
        /// Where else it lies.
        to: usize,
    },
    /// A page is all zeros.
    ZeroedPage {
        /// The page.
        page: usize,
    },
    /// A few bytes are something else.
    RandomBytes {
        /// What decides which bytes, how many, and what they are.
        seed: u64,
    },
    /// Nothing is as it was, sometimes but the first bytes.
    RandomFile {
        /// What decides how long the file is, what is kept and what the rest is.
        seed: u64,
    },
}

/// Returns every bit in these bytes, flipped one at a time.
pub fn flipped_bits(bytes: Range<usize>) -> impl Iterator<Item = Damage> {
    (bytes.start * 8..bytes.end * 8).map(|bit| Damage::FlippedBit { bit })
}

/// Returns every shorter length at a boundary of a page or half a page, and one byte beside it.
pub fn truncations(len: usize) -> impl Iterator<Item = Damage> {
    (0..=len)
        .step_by(PAGE_SIZE / 2)
        .flat_map(|at| at.saturating_sub(1)..=at + 1)
        .filter(move |&at| at < len)
        .map(|len| Damage::Truncated { len })
}

/// Returns every pair of pages, swapped.
pub fn swapped_pages(len: usize) -> impl Iterator<Item = Damage> {
    let pages = len / PAGE_SIZE;
    (0..pages).flat_map(move |first| {
        (first + 1..pages).map(move |second| Damage::SwappedPages { first, second })
    })
}

/// Returns every page in every other page's place.
pub fn duplicated_pages(len: usize) -> impl Iterator<Item = Damage> {
    let pages = len / PAGE_SIZE;
    (0..pages).flat_map(move |from| {
        (0..pages).filter(move |&to| to != from).map(move |to| Damage::DuplicatedPage { from, to })
    })
}

/// Returns every page, zeroed.
pub fn zeroed_pages(len: usize) -> impl Iterator<Item = Damage> {
    (0..len / PAGE_SIZE).map(|page| Damage::ZeroedPage { page })
}

/// Returns `count` cases with a few bytes changed.
pub fn random_bytes(seed: u64, count: usize) -> impl Iterator<Item = Damage> {
    let mut random = Random::new(seed);
    (0..count).map(move |_| Damage::RandomBytes { seed: random.next_u64() })
}

/// Returns `count` cases with another file altogether.
pub fn random_files(seed: u64, count: usize) -> impl Iterator<Item = Damage> {
    let mut random = Random::new(seed);
    (0..count).map(move |_| Damage::RandomFile { seed: random.next_u64() })
}

impl Damage {
    /// Returns what `file` is after the damage. Pages and bits that it does not have stay as they
    /// are.
    pub fn apply(self, file: &[u8]) -> Vec<u8> {
        let mut bytes = file.to_vec();
        match self {
            Self::FlippedBit { bit } => {
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Truncated { len } => bytes.truncate(len),
            Self::SwappedPages { first, second } => {
                put(&mut bytes, first, page(file, second));
                put(&mut bytes, second, page(file, first));
            }
            Self::DuplicatedPage { from, to } => put(&mut bytes, to, page(file, from)),
            Self::ZeroedPage { page } => put(&mut bytes, page, &[0; PAGE_SIZE]),
            Self::RandomBytes { seed } => {
                let mut random = Random::new(seed);
                for _ in 0..=random.below(4) {
                    let start = random.below(bytes.len());
                    let end = (start + 1 + random.below(64)).min(bytes.len());
                    if let Some(range) = bytes.get_mut(start..end) {
                        random.fill(range);
                    }
                }
            }
            Self::RandomFile { seed } => {
                let mut random = Random::new(seed);
                bytes.resize(random.below(2 * file.len() + 1), 0);
                let kept = [0, 4, 48, 128, PAGE_SIZE, 2 * PAGE_SIZE][random.below(6)];
                if let Some(rest) = bytes.get_mut(kept..) {
                    random.fill(rest);
                }
            }
        }
        bytes
    }
}

/// Returns a page of the file, or nothing if it has none of that number.
fn page(file: &[u8], number: usize) -> &[u8] {
    file.chunks_exact(PAGE_SIZE).nth(number).unwrap_or_default()
}

fn put(bytes: &mut [u8], number: usize, page: &[u8]) {
    if let Some(target) = bytes.chunks_exact_mut(PAGE_SIZE).nth(number)
        && page.len() == PAGE_SIZE
    {
        target.copy_from_slice(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut file = vec![0; 4 * PAGE_SIZE];
        Random::new(1).fill(&mut file);
        file
    }

    #[test]
    fn every_case_changes_the_file_and_does_so_again() {
        let file = file();
        let len = file.len();
        let cases = flipped_bits(0..64)
            .chain(truncations(len))
            .chain(swapped_pages(len))
            .chain(duplicated_pages(len))
            .chain(zeroed_pages(len))
            .chain(random_bytes(2, 50))
            .chain(random_files(3, 50));
        let mut count = 0;
        for damage in cases {
            let damaged = damage.apply(&file);
            assert_ne!(damaged, file, "{damage:?}");
            assert_eq!(damaged, damage.apply(&file));
            count += 1;
        }
        assert_eq!(count, 512 + 24 + 6 + 12 + 4 + 100);
    }
}
