//! How much of a string stands for itself in JSON.

/// The bytes that are looked at in one step.
const BLOCK: usize = 8;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = ONES * b'"' as u64;
const BACKSLASHES: u64 = ONES * b'\\' as u64;
const SPACES: u64 = ONES * b' ' as u64;

/// Returns how many bytes come before the first quotation mark, backslash or control character: all
/// if there is none.
#[inline]
pub(super) fn plain_len(text: &[u8]) -> usize {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        let special = special_bits(u64::from_le_bytes(*block));
        if special != 0 {
            // Borrows run upwards from a special byte, so the lowest one is exact.
            return index * BLOCK + special.trailing_zeros() as usize / BLOCK;
        }
    }
    let plain = rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len());
    text.len() - rest.len() + plain
}

/// Returns a number whose lowest bit is in the first special byte; 0 if no byte is special.
#[inline]
fn special_bits(block: u64) -> u64 {
    let zeros = |block: u64| block.wrapping_sub(ONES);
    let found = block.wrapping_sub(SPACES) | zeros(block ^ QUOTES) | zeros(block ^ BACKSLASHES);
    found & !block & HIGH_BITS
}

#[inline]
fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for first in 0..=u8::MAX {
            for second in [0, b' ', b'!', b'"', b'#', b'[', b'\\', b']', b'z', 0x7f, 0x80, 0xff] {
                for len in 1..20 {
                    for at in 0..len {
                        let mut text = vec![b'z'; len];
                        text[at] = first;
                        let later = (at + 1 + usize::from(second) % 3).min(len - 1);
                        if later > at {
                            text[later] = second;
                        }
                        let expected = text.iter().position(|&byte| is_special(byte));
                        assert_eq!(plain_len(&text), expected.unwrap_or(len), "{text:?}");
                    }
                }
            }
        }
    }
}
