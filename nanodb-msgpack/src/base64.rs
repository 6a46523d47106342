//! Base64 as in RFC 4648: the standard alphabet, with padding.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const PADDING: u8 = b'=';

/// Returns the text of `bytes`.
///
/// ```
/// assert_eq!(nanodb_msgpack::base64::encode(b"\x01\x02\x03\xff"), "AQID/w==");
/// ```
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            let digit = bits >> (18 - 6 * position) & 0x3f;
            let is_digit = position as usize <= group.len();
            let digit = usize::try_from(digit).ok().and_then(|digit| ALPHABET.get(digit));
            text.push(char::from(*digit.filter(|_| is_digit).unwrap_or(&PADDING)));
        }
    }
    text
}

/// Returns the bytes of a text, or `None` if it is not base64, its padding is not whole, or bits
/// that mean nothing are set: every value has one text.
///
/// ```
/// use nanodb_msgpack::base64::decode;
///
/// assert_eq!(decode("AQID/w=="), Some(vec![1, 2, 3, 255]));
/// assert_eq!(decode("AQID/w"), None);
/// assert_eq!(decode("AQID/x=="), None);
/// ```
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(groups.len() * 3);
    for (index, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|&&byte| byte == PADDING).count();
        let is_last = index + 1 == groups.len();
        if padding > 2 || padding > 0 && !is_last {
            return None;
        }
        let digits = group.iter().take(4 - padding).map(|&byte| digit(byte));
        let mut bits = digits.chain(std::iter::repeat_n(Some(0), padding));
        let bits = bits.try_fold(0_u32, |bits, digit| Some(bits << 6 | digit?))?;
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (kept, dropped) = decoded.split_at_checked(3 - padding)?;
        if dropped.iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 4648.
    #[test]
    fn known_texts_are_written_and_read() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn every_length_and_every_digit_comes_back() {
        let all: Vec<u8> =
            (0..=255).cycle().take(1_000).map(|byte: u8| byte.wrapping_mul(7)).collect();
        for len in 0..all.len() {
            assert_eq!(decode(&encode(&all[..len])).as_deref(), Some(&all[..len]));
        }
        for (index, byte) in ALPHABET.iter().enumerate() {
            assert_eq!(digit(*byte), u32::try_from(index).ok());
        }
        assert_eq!((0..=255).filter(|&byte| digit(byte).is_some()).count(), 64);
    }

    #[test]
    fn every_value_has_one_text() {
        for text in [
            "Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "=", "====", "A===", "Zh==", "Zm9=",
            "Zg==Zg==", "Zm-v", "Zm_v", "Zm 9v", "Zm9v\n", "Zm9é",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
