//! ObjectIds and UUIDs as text.

use std::fmt;

use crate::hex;

/// The extension type of ObjectIds, the number of the type in BSON; they have 12 bytes.
pub const OBJECT_ID_EXT: i8 = 7;

/// The extension type of UUIDs, the number of the subtype in BSON; they have 16 bytes.
pub const UUID_EXT: i8 = 4;

/// An ObjectId that prints as 24 hexadecimal digits.
///
/// ```
/// use nanodb_msgpack::{ObjectIdText, parse_object_id};
///
/// let bytes = parse_object_id("65a1b2c3d4e5f60718293a4b").unwrap();
/// assert_eq!(ObjectIdText(bytes).to_string(), "65a1b2c3d4e5f60718293a4b");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ObjectIdText(pub [u8; 12]);

/// A UUID that prints as 32 hexadecimal digits and four hyphens.
///
/// ```
/// use nanodb_msgpack::{UuidText, parse_uuid};
///
/// let bytes = parse_uuid("123E4567-e89b-12d3-a456-426614174000").unwrap();
/// assert_eq!(UuidText(bytes).to_string(), "123e4567-e89b-12d3-a456-426614174000");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UuidText(pub [u8; 16]);

impl fmt::Display for ObjectIdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::print(&self.0, f)
    }
}

impl fmt::Display for UuidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

/// Reads 24 hexadecimal digits; `None` for any other text.
#[must_use]
pub fn parse_object_id(text: &str) -> Option<[u8; 12]> {
    hex::parse(text)?.try_into().ok()
}

/// Reads 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12 with hyphens between them; `None` for
/// any other text.
#[must_use]
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let parts = || text.split('-');
    let is_grouped = parts().map(str::len).eq([8, 4, 4, 4, 12]);
    let digits: String = parts().collect();
    if is_grouped { hex::parse(&digits)?.try_into().ok() } else { None }
}
