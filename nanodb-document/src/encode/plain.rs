//! Tokens whose first bytes show that they are in stored form, as nearly all in documents are.
//!
//! These functions accept no more than `Token::is_canonical` and `str::from_utf8` do, and often
//! less: all other bytes, wrong ones included, take the slow path. The first bytes are those of the
//! table in `nanodb-msgpack`.

/// Returns what follows the scalar that `bytes` begin with, if it is certainly in stored form.
#[inline]
pub(super) fn after_scalar(bytes: &[u8]) -> Option<&[u8]> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Some(rest),
        0xa0..=0xbf => after_text(usize::from(first & 0x1f), rest),
        0xd9 => {
            let (&len, rest) = rest.split_first()?;
            if len > 0x1f { after_text(usize::from(len), rest) } else { None }
        }
        0xcb => rest.get(8..),
        // Integers that would not fit in half as many bytes.
        0xcc => after_number(rest, |[number]: [u8; 1]| number > 0x7f),
        0xcd => after_number(rest, |[high, _]: [u8; 2]| high != 0),
        0xce => after_number(rest, |[a, b, _, _]: [u8; 4]| a | b != 0),
        0xcf => after_number(rest, |[a, b, c, d, ..]: [u8; 8]| a | b | c | d != 0),
        _ => None,
    }
}

/// Returns the short name that `bytes` begin with, and what follows it.
#[inline]
pub(super) fn split_name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let len = usize::from(first.wrapping_sub(0xa0));
    let (name, rest) = if len < 0x20 { rest.split_at_checked(len)? } else { return None };
    is_ascii(name).then_some((name, rest))
}

#[inline]
fn after_text(len: usize, rest: &[u8]) -> Option<&[u8]> {
    let (text, rest) = rest.split_at_checked(len)?;
    is_ascii(text).then_some(rest)
}

#[inline]
fn after_number<const N: usize>(rest: &[u8], is_long: impl Fn([u8; N]) -> bool) -> Option<&[u8]> {
    let (number, rest) = rest.split_first_chunk()?;
    is_long(*number).then_some(rest)
}

/// Same as in the standard library, with at most two loads for a name.
#[inline]
fn is_ascii(text: &[u8]) -> bool {
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let bits = if let Some(end) = text.last_chunk() {
        let (words, _) = text.as_chunks();
        let words = words.iter().map(|word| u64::from_ne_bytes(*word));
        words.fold(u64::from_ne_bytes(*end), |all, word| all | word)
    } else if let (Some(start), Some(end)) = (text.first_chunk(), text.last_chunk()) {
        u64::from(u32::from_ne_bytes(*start) | u32::from_ne_bytes(*end))
    } else {
        u64::from(text.iter().fold(0, |all, byte| all | byte))
    };
    bits & HIGH == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use nanodb_msgpack::{Cursor, Token};

    /// Bytes that often begin with a whole token, and often with one that is not in stored form.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let payload = prop_oneof![Just(0_u8), Just(0x7f), Just(0x80), Just(0xff), 0..=0xff_u8];
        (any::<u8>(), prop::collection::vec(payload, 0..80))
            .prop_map(|(first, rest)| [vec![first], rest].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn it_says_no_more_than_the_slow_way(bytes in bytes()) {
            if let Some(rest) = after_scalar(&bytes) {
                let mut cursor = Cursor::new(&bytes);
                let token = cursor.read();
                prop_assert_eq!(cursor.rest(), rest);
                let Some(token) = token else { return Err(TestCaseError::fail("no token")) };
                prop_assert!(token.is_canonical(&bytes[..bytes.len() - rest.len()]));
                if let Token::String(text) = token {
                    prop_assert!(text.is_ascii());
                }
                prop_assert!(!matches!(token, Token::Array(_) | Token::Map(_)));
            }
            if let Some((name, rest)) = split_name(&bytes) {
                let mut cursor = Cursor::new(&bytes);
                prop_assert_eq!(cursor.read(), Some(Token::String(name)));
                prop_assert_eq!(cursor.rest(), rest);
                prop_assert!(name.is_ascii());
            }
        }

        #[test]
        fn ascii_is_told(text in prop::collection::vec(prop_oneof![9 => 0..0x80_u8, 1 => any::<u8>()], 0..40)) {
            prop_assert_eq!(is_ascii(&text), text.is_ascii());
        }
    }
}
