//! Hexadecimal digits, and UUIDs of them.

use std::fmt::{self, Write};

/// The bytes of an even number of hexadecimal digits.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

/// Reads `123e4567-e89b-12d3-a456-426614174000`.
pub(super) fn parse(text: &str) -> Option<[u8; 16]> {
    let mut digits = String::with_capacity(32);
    let parts: Vec<&str> = text.split('-').collect();
    if parts.iter().map(|part| part.len()).ne([8, 4, 4, 4, 12]) {
        return None;
    }
    digits.extend(parts);
    hex(&digits)?.try_into().ok()
}

/// Prints digits in lower case.
pub(super) fn print_hex(bytes: &[u8], out: &mut dyn Write) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

/// Prints a UUID as [`parse`] reads it.
pub(super) fn print(bytes: &[u8; 16], out: &mut dyn Write) -> fmt::Result {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.write_char('-')?;
        }
        write!(out, "{byte:02x}")?;
    }
    Ok(())
}
