//! Streams of bits, the lowest of each byte first.

/// Writes to bytes that are zero.
pub(super) struct BitWriter<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Appends the low `count` bits of `value`, which has no others; at most 32. What does not
    /// fit is left out.
    #[inline]
    pub(super) fn put(&mut self, value: u32, count: u32) {
        let mut rest = u64::from(value) << (self.at % 8);
        let bytes = (self.at % 8 + count as usize).div_ceil(8);
        for byte in self.bytes.iter_mut().skip(self.at / 8).take(bytes) {
            *byte |= rest.to_le_bytes()[0];
            rest >>= 8;
        }
        self.at += count as usize;
    }

    /// Appends `count` ones and a zero.
    pub(super) fn put_ones(&mut self, mut count: u32) {
        while count >= 32 {
            self.put(u32::MAX, 32);
            count -= 32;
        }
        self.put((1 << count) - 1, count + 1);
    }
}

/// Reads what a [`BitWriter`] wrote.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next 57 bits at least; zeros behind the end.
    #[inline]
    fn peek(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match rest.first_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            None => {
                let mut word = [0; 8];
                word.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
                u64::from_le_bytes(word)
            }
        };
        word >> (self.at % 8)
    }

    /// The next `count` bits, at most 32; `None` if there are fewer.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let end = self.at + count as usize;
        if end > self.bytes.len() * 8 {
            return None;
        }
        let value = self.peek() & ((1 << count) - 1);
        self.at = end;
        u32::try_from(value).ok()
    }

    /// How many ones come before the next zero, which is passed over; `None` if the bytes end
    /// before.
    #[inline]
    pub(super) fn take_ones(&mut self) -> Option<u32> {
        let mut ones = 0;
        loop {
            let found = self.peek().trailing_ones().min(56);
            self.at += found as usize;
            ones += found;
            if found < 56 {
                break;
            }
        }
        self.at += 1;
        (self.at <= self.bytes.len() * 8).then_some(ones)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(values in prop::collection::vec((any::<u32>(), 0..=32_u32, 0..200_u32), 0..40)) {
            let mut bytes = vec![0; 4000];
            let mut writer = BitWriter::new(&mut bytes);
            let low = |value: u32, count: u32| u32::try_from(u64::from(value) & ((1 << count) - 1)).unwrap();
            for &(value, count, ones) in &values {
                writer.put(low(value, count), count);
                writer.put_ones(ones);
            }
            let end = writer.at;
            bytes.truncate(end.div_ceil(8));
            let mut reader = BitReader::new(&bytes);
            for (value, count, ones) in values {
                prop_assert_eq!(reader.take(count), Some(low(value, count)));
                prop_assert_eq!(reader.take_ones(), Some(ones));
            }
            prop_assert_eq!(reader.take(8), None);
        }

        #[test]
        fn ones_without_an_end_are_refused(len in 0..40_usize) {
            prop_assert_eq!(BitReader::new(&vec![0xff; len]).take_ones(), None);
        }
    }
}
