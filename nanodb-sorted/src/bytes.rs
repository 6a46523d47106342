//! Comparing and reading bytes.

use crate::error::Damage;

/// Returns how many bytes two slices share at the front.
#[inline]
pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut shared = 0;
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return shared + (differing.trailing_zeros() / 8) as usize;
        }
        shared += 8;
    }
    let (a, b) = (a.get(shared..).unwrap_or(&[]), b.get(shared..).unwrap_or(&[]));
    shared + a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Returns how many of `len` bytes from an offset on are those of another slice.
///
/// Up to eight are compared at once, if there are so many on both sides.
#[inline]
pub(crate) fn common_prefix_at(bytes: &[u8], at: usize, len: usize, other: &[u8]) -> usize {
    let bytes = bytes.get(at..).unwrap_or(&[]);
    if let (Some(a), Some(b)) = (bytes.first_chunk::<8>(), other.first_chunk::<8>())
        && len <= 8
    {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        return (differing.trailing_zeros() as usize / 8).min(len);
    }
    common_prefix(bytes.get(..len).unwrap_or(bytes), other)
}

/// Returns how many bytes two slices share at the end.
#[inline]
pub(crate) fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// Returns the first eight bytes as a number, with zeros for those that are missing.
///
/// Of two byte strings the one with the smaller head is the smaller one. Equal heads say nothing.
#[inline]
pub(crate) fn head(bytes: &[u8]) -> u64 {
    if let Some(first) = bytes.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    let mut padded = [0; 8];
    padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(padded)
}

#[inline]
pub(crate) fn u16_at(body: &[u8], at: usize) -> Option<u16> {
    body.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

#[inline]
pub(crate) fn u32_at(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[inline]
pub(crate) fn u64_at(body: &[u8], at: usize) -> Option<u64> {
    body.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The number of an array of big-endian heads, which begins at `at`.
#[inline]
pub(crate) fn head_at(body: &[u8], at: usize, number: usize) -> u64 {
    let bytes = body.get(at + 8 * number..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Returns how many of the first `count` numbers of a rising sequence are below one.
///
/// The step is a conditional move, not a branch: which way a search goes is not predictable.
#[inline]
pub(crate) fn count_below(count: usize, mut is_below: impl FnMut(usize) -> bool) -> usize {
    if count == 0 {
        return 0;
    }
    let (mut base, mut size) = (0, count);
    while size > 1 {
        let half = size / 2;
        base = if is_below(base + half) { base + half } else { base };
        size -= half;
    }
    base + usize::from(is_below(base))
}

/// Reads the part of a page's body that ends at a given place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    /// Begins at an offset of the body; nothing at or behind `end` is read.
    #[inline]
    pub(crate) fn new(body: &'b [u8], at: usize, end: usize) -> Result<Self, Damage> {
        let bytes = body.get(..end).ok_or(Damage::Offset)?;
        if at > end { Err(Damage::Offset) } else { Ok(Self { bytes, at }) }
    }

    /// Begins at the front of all bytes.
    #[inline]
    pub(crate) fn whole(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'b [u8], Damage> {
        let end = self.at.checked_add(len).ok_or(Damage::Offset)?;
        let taken = self.bytes.get(self.at..end).ok_or(Damage::Offset)?;
        self.at = end;
        Ok(taken)
    }

    /// Reads a LEB128 number of at most five bytes in its shortest form.
    #[inline]
    pub(crate) fn leb(&mut self) -> Result<u64, Damage> {
        let &first = self.bytes.get(self.at).ok_or(Damage::Number)?;
        self.at += 1;
        if first < 0x80 { Ok(first.into()) } else { self.leb_rest(first) }
    }

    /// Reads two numbers, quickly if both have one byte.
    #[inline]
    pub(crate) fn pair(&mut self) -> Result<(u64, u64), Damage> {
        match self.bytes.get(self.at..).and_then(|bytes| bytes.first_chunk()) {
            Some(&[a, b]) if (a | b) < 0x80 => {
                self.at += 2;
                Ok((a.into(), b.into()))
            }
            _ => Ok((self.leb()?, self.leb()?)),
        }
    }

    fn leb_rest(&mut self, first: u8) -> Result<u64, Damage> {
        let mut number = u64::from(first & 0x7f);
        for shift in [7, 14, 21, 28] {
            let &byte = self.bytes.get(self.at).ok_or(Damage::Number)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if byte == 0 { Err(Damage::Number) } else { Ok(number) };
            }
        }
        Err(Damage::Number)
    }

    /// Reads a number that counts or measures something on the page.
    #[inline]
    pub(crate) fn len(&mut self) -> Result<usize, Damage> {
        usize::try_from(self.leb()?).map_err(|_| Damage::Number)
    }

    /// Passes over a number without looking at its value.
    #[inline]
    pub(crate) fn skip_leb(&mut self) -> Result<(), Damage> {
        self.leb().map(drop)
    }
}

/// Returns how many bytes [`put_leb`] appends for a number.
#[inline]
pub(crate) const fn leb_len(number: u64) -> usize {
    // Seven bits a byte: 9/64 is close enough to 1/7 for all numbers that occur.
    ((63 - (number | 1).leading_zeros()) as usize * 9 + 73) / 64
}

/// Appends a number as LEB128.
#[inline]
pub(crate) fn put_leb(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Turns a number with a sign into one without: 0, -1, 1, -2 become 0, 1, 2, 3.
#[inline]
pub(crate) const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

#[inline]
pub(crate) const fn from_zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(number in 0..1_u64 << 35, signed in any::<i32>()) {
            let mut out = Vec::new();
            put_leb(number, &mut out);
            prop_assert_eq!(out.len(), leb_len(number));
            let mut reader = Reader::new(&out, 0, out.len()).unwrap();
            prop_assert_eq!(reader.leb(), Ok(number));
            prop_assert!(reader.is_at_end());
            prop_assert_eq!(from_zigzag(zigzag(signed.into())), i64::from(signed));
        }

        #[test]
        fn heads_are_in_the_order_of_the_bytes(
            a in prop::collection::vec(0..3_u8, 0..12),
            b in prop::collection::vec(0..3_u8, 0..12),
        ) {
            if head(&a) != head(&b) {
                prop_assert_eq!(head(&a).cmp(&head(&b)), a.cmp(&b));
            }
            let shared = common_prefix(&a, &b);
            prop_assert_eq!(&a[..shared], &b[..shared]);
            prop_assert!(a.get(shared).is_none() || a.get(shared) != b.get(shared));
            let shared = common_suffix(&a, &b);
            prop_assert_eq!(&a[a.len() - shared..], &b[b.len() - shared..]);
        }

        #[test]
        fn as_many_are_below_as_a_walk_counts(
            mut numbers in prop::collection::vec(0..20_u32, 0..40),
            wanted in 0..21_u32,
        ) {
            numbers.sort_unstable();
            let counted = numbers.iter().filter(|&&number| number < wanted).count();
            prop_assert_eq!(count_below(numbers.len(), |at| numbers[at] < wanted), counted);
        }
    }

    #[test]
    fn lengths_of_numbers_are_exact_at_each_power_of_two() {
        for bits in 0..63 {
            for number in [(1_u64 << bits) - 1, 1 << bits] {
                let mut out = Vec::new();
                put_leb(number, &mut out);
                assert_eq!(out.len(), leb_len(number), "{number}");
            }
        }
    }

    #[test]
    fn numbers_in_a_longer_form_are_refused() {
        for bytes in [&[0x80, 0][..], &[0x80], &[0xff; 6], &[]] {
            let mut reader = Reader::new(bytes, 0, bytes.len()).unwrap();
            assert_eq!(reader.leb(), Err(Damage::Number));
        }
    }
}
