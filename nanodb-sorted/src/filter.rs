//! Filters: which keys a run or a chunk certainly does not have.
//!
//! A blocked Bloom filter. A key's hash chooses one block of 64 bytes, a cache line, and in it one
//! bit in each of its eight words. With 10 bits a key, some 1.2 % of the keys that are not there
//! seem to be.
//!
//! ```text
//! hash   XXH3-64 of the key, seed 0
//! block  the upper 32 bits of the hash, times the number of blocks, divided by 2^32
//! bits   of word i: bit ((low * SALT[i]) mod 2^32) / 2^26, where `low` is the lower 32 bits
//! ```
//!
//! A page of a filter (kind 22) has 63 blocks:
//!
//! ```text
//! offset  size  field     meaning
//! ------  ----  --------  ---------------------------------------------------------
//!      0     4  index     number of the index within its collection
//!      4     4  number    the page's number within the filter, from 0
//!      8    24  reserved  zero
//!     32  4032  blocks    63 blocks of eight words of 8 bytes; behind the last block
//!                         of the filter, zeros
//! ```
//!
//! With the page's header of 32 bytes in front, no block lies in two cache lines.

use twox_hash::XxHash3_64;

use crate::BODY_LEN;
use crate::bytes::{u32_at, u64_at};
use crate::error::Damage;

pub(crate) const BLOCKS_PER_PAGE: u32 = 63;
const HEADER_SIZE: usize = 32;
const BLOCK_SIZE: usize = 64;
const BITS_PER_KEY: u64 = 10;
const BLOCK_BITS: u64 = 512;

/// Odd numbers without a pattern: those of Parquet's split block filter.
const SALT: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// The hash of a key, by which filters are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FilterHash(u64);

impl FilterHash {
    #[inline]
    pub(crate) fn of(key: &[u8]) -> Self {
        Self(XxHash3_64::oneshot(key))
    }

    /// The upper half, by which filters in memory are asked: it is kept for each operation.
    #[inline]
    pub(crate) fn upper(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or(0)
    }

    /// A hash of which the upper half is known; the lower half is made of it.
    #[inline]
    pub(crate) fn of_upper(upper: u32) -> Self {
        let mixed = u64::from(upper).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        Self(u64::from(upper) << 32 | mixed)
    }

    /// The block of a filter that has so many.
    #[inline]
    fn block(self, blocks: u32) -> u32 {
        let product = (self.0 >> 32) * u64::from(blocks);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    /// The bits to be set, one in each word of a block.
    #[inline]
    fn bits(self) -> [u64; 8] {
        let low = u32::try_from(self.0 & 0xffff_ffff).unwrap_or(0);
        SALT.map(|salt| 1 << (low.wrapping_mul(salt) >> 26))
    }

    /// The page of a filter that is to be asked, and where on it.
    #[inline]
    pub(crate) fn place(self, blocks: u32) -> (u32, usize) {
        let block = self.block(blocks);
        (block / BLOCKS_PER_PAGE, (block % BLOCKS_PER_PAGE) as usize)
    }
}

/// A filter in memory.
#[derive(Debug)]
pub(crate) struct Filter {
    blocks: Vec<[u64; 8]>,
}

impl Filter {
    /// Makes a filter for at most so many keys.
    pub(crate) fn new(keys_max: u64) -> Self {
        let wanted = (keys_max * BITS_PER_KEY).div_ceil(BLOCK_BITS).clamp(1, 1 << 31);
        // A multiple of a power of two, so that it can be folded; at most 1/32 more than wanted.
        let step = 1 << (64 - wanted.leading_zeros()).saturating_sub(6);
        let blocks = usize::try_from(wanted.next_multiple_of(step)).unwrap_or(1);
        Self { blocks: vec![[0; 8]; blocks] }
    }

    pub(crate) fn blocks(&self) -> u32 {
        u32::try_from(self.blocks.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK_SIZE
    }

    #[inline]
    pub(crate) fn insert(&mut self, hash: FilterHash) {
        let block = hash.block(self.blocks()) as usize;
        if let Some(block) = self.blocks.get_mut(block) {
            block.iter_mut().zip(hash.bits()).for_each(|(word, bit)| *word |= bit);
        }
    }

    #[inline]
    pub(crate) fn may_contain(&self, hash: FilterHash) -> bool {
        let block = self.blocks.get(hash.block(self.blocks()) as usize);
        block.is_none_or(|block| contains(*block, hash))
    }

    /// Halves the filter as long as that leaves enough bits for so many keys.
    ///
    /// Half the number of blocks makes of two neighbours one: what a hash chooses is its product
    /// with that number, less the lower bits.
    pub(crate) fn fold(&mut self, keys: u64) {
        while self.blocks.len().is_multiple_of(2)
            && self.blocks.len() as u64 / 2 * BLOCK_BITS >= keys * BITS_PER_KEY
        {
            let pairs = self.blocks.as_chunks::<2>().0.iter();
            self.blocks = pairs
                .map(|[left, right]| std::array::from_fn(|word| left[word] | right[word]))
                .collect();
        }
    }

    /// How many pages the filter takes.
    pub(crate) fn pages(&self) -> u32 {
        self.blocks().div_ceil(BLOCKS_PER_PAGE)
    }

    /// Writes a page of the filter into a body.
    pub(crate) fn encode(&self, index: u32, number: u32, body: &mut [u8; BODY_LEN]) {
        body.fill(0);
        let first = (number * BLOCKS_PER_PAGE) as usize;
        let words = self.blocks.iter().skip(first).take(BLOCKS_PER_PAGE as usize).flatten();
        let (header, blocks) = body.split_at_mut(HEADER_SIZE);
        for (place, word) in header.as_chunks_mut::<4>().0.iter_mut().zip([index, number]) {
            *place = word.to_le_bytes();
        }
        for (place, word) in blocks.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
    }
}

#[inline]
fn contains(block: [u64; 8], hash: FilterHash) -> bool {
    // Without a branch for each word, so that they are looked at together.
    block.iter().zip(hash.bits()).fold(0, |missing, (word, bit)| missing | (bit & !word)) == 0
}

/// Returns whether a block of a page says that a key may be there.
///
/// # Errors
///
/// If the body is not that of this page of the index's filter.
pub(crate) fn page_may_contain(
    body: &[u8],
    index: u32,
    number: u32,
    block: usize,
    hash: FilterHash,
) -> Result<bool, Damage> {
    if body.len() != BODY_LEN {
        return Err(Damage::Length);
    }
    if u32_at(body, 0) != Some(index) {
        return Err(Damage::Index);
    }
    if u32_at(body, 4) != Some(number) {
        return Err(Damage::Header);
    }
    let at = HEADER_SIZE + BLOCK_SIZE * block;
    let words = std::array::from_fn(|word| u64_at(body, at + 8 * word));
    match words {
        [Some(a), Some(b), Some(c), Some(d), Some(e), Some(f), Some(g), Some(h)] => {
            Ok(contains([a, b, c, d, e, f, g, h], hash))
        }
        _ => Err(Damage::Offset),
    }
}

/// Checks what [`page_may_contain`] does, and what it passes over.
pub(crate) fn verify_page(body: &[u8], index: u32, number: u32) -> Result<(), Damage> {
    page_may_contain(body, index, number, 0, FilterHash(0))?;
    let reserved = body.get(8..HEADER_SIZE).unwrap_or(&[]);
    if reserved.iter().all(|&byte| byte == 0) { Ok(()) } else { Err(Damage::Header) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(range: std::ops::Range<u32>) -> impl Iterator<Item = FilterHash> {
        range.map(|key| FilterHash::of(&key.to_be_bytes()))
    }

    #[test]
    fn what_was_inserted_is_found_and_little_else() {
        for (keys_max, keys) in [(1, 1), (300, 300), (20_000, 20_000), (1_000_000, 5_000)] {
            let mut filter = Filter::new(keys_max);
            hashes(0..keys).for_each(|hash| filter.insert(hash));
            filter.fold(keys.into());
            assert!(filter.bytes() <= keys as usize * 10 / 8 * 23 / 10 + 64, "{}", filter.bytes());
            assert!(hashes(0..keys).all(|hash| filter.may_contain(hash)));
            let wrong = hashes(keys..keys + 100_000).filter(|hash| filter.may_contain(*hash));
            assert!(wrong.count() < 2_000, "{keys}");

            let mut body = [0; BODY_LEN];
            for hash in hashes(0..keys).chain(hashes(keys..2 * keys)) {
                let (number, block) = hash.place(filter.blocks());
                assert!(number < filter.pages());
                if hash == FilterHash::of(&0_u32.to_be_bytes()) || hash.0.is_multiple_of(100) {
                    filter.encode(9, number, &mut body);
                    verify_page(&body, 9, number).unwrap();
                    let found = page_may_contain(&body, 9, number, block, hash).unwrap();
                    assert_eq!(found, filter.may_contain(hash));
                }
            }
        }
    }

    #[test]
    fn hash_and_bits_are_those_of_the_format() {
        let hash = FilterHash::of(b"");
        assert_eq!(hash, FilterHash(0x2d06_8005_38d3_94c2));
        assert_eq!(hash.block(1_000), 175);
        assert_eq!(hash.bits().map(u64::trailing_zeros), BITS_OF_NOTHING);
    }

    const BITS_OF_NOTHING: [u32; 8] = [36, 6, 10, 0, 0, 21, 16, 14];

    #[test]
    fn a_page_of_another_filter_is_refused() {
        let mut body = [0; BODY_LEN];
        Filter::new(10).encode(1, 0, &mut body);
        let hash = FilterHash::of(b"a");
        assert_eq!(page_may_contain(&body, 2, 0, 0, hash), Err(Damage::Index));
        assert_eq!(page_may_contain(&body, 1, 1, 0, hash), Err(Damage::Header));
        assert_eq!(page_may_contain(&body, 1, 0, 63, hash), Err(Damage::Offset));
        assert_eq!(page_may_contain(&body[1..], 1, 0, 0, hash), Err(Damage::Length));
    }
}
