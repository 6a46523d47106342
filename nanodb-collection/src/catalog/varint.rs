//! Unsigned numbers in as many bytes as they need (LEB128).
//!
//! Seven bits a byte, the lowest first; the top bit says that another byte follows.
//! Edits and the manifest are made of such numbers and of text with its length in front.

/// The most bytes that a `u64` takes.
const SIZE_MAX: usize = 10;

/// Appends `number`.
pub(crate) fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        let [low, ..] = number.to_le_bytes();
        out.push(low | 0x80);
        number >>= 7;
    }
    let [last, ..] = number.to_le_bytes();
    out.push(last);
}

/// Appends `text` with its length in front.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    write(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads numbers from the front of bytes. `None` where they end too early or a number
/// does not fit its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left: no count of things that take a byte each can be larger.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    /// The bytes that were read since; `later` comes from this reader.
    pub(crate) fn before(&self, later: &Self) -> &'a [u8] {
        let len = self.rest.len().saturating_sub(later.rest.len());
        self.rest.get(..len).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Option<u64> {
        // Nearly all are short.
        let (number, rest) = match *self.rest {
            [a, ref rest @ ..] if a < 0x80 => (u64::from(a), rest),
            [a, b, ref rest @ ..] if b < 0x80 => (u64::from(a & 0x7f) | u64::from(b) << 7, rest),
            [a, b, c, ref rest @ ..] if c < 0x80 => {
                let low = u64::from(a & 0x7f) | u64::from(b & 0x7f) << 7;
                (low | u64::from(c) << 14, rest)
            }
            _ => return self.long(),
        };
        self.rest = rest;
        Some(number)
    }

    fn long(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for index in 0..SIZE_MAX {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shift = 7 * index;
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        u32::try_from(self.u64()?).ok()
    }

    pub(crate) fn usize(&mut self) -> Option<usize> {
        usize::try_from(self.u64()?).ok()
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Bytes with their length in front.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.usize()?;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_have_the_bytes_the_format_promises() {
        for (number, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut out = Vec::new();
            write(&mut out, number);
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn a_number_beyond_64_bits_is_refused() {
        assert_eq!(Reader::new(&[0xff; 11]).u64(), None);
        let mut bytes = [0xff; 10];
        bytes[9] = 2;
        assert_eq!(Reader::new(&bytes).u64(), None);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(numbers in prop::collection::vec((any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift), 0..20)) {
            let mut out = Vec::new();
            numbers.iter().for_each(|&number| write(&mut out, number));
            let mut reader = Reader::new(&out);
            for number in numbers {
                prop_assert_eq!(reader.u64(), Some(number));
            }
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut reader = Reader::new(&bytes);
            while reader.text().is_some() {}
        }
    }
}
