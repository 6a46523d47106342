//! UUIDs: sixteen bytes that print with hyphens.

use std::fmt;
use std::str::FromStr;

use nanodb_msgpack::{UUID_EXT, UuidText, parse_uuid};

use crate::error::{Error, ErrorBuilder, ErrorKind};

/// A UUID. It is stored as an extension of type 4, the number of the subtype in BSON, and is
/// otherwise the same value as the binary of its sixteen bytes.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::Uuid;
///
/// # fn main() -> nanodb::Result<()> {
/// let id: Uuid = "123e4567-e89b-12d3-a456-426614174000".parse()?;
/// assert_eq!(id.bytes()[..2], [0x12, 0x3e]);
/// assert_eq!(id.to_string(), "123e4567-e89b-12d3-a456-426614174000");
/// assert_eq!(Uuid::from_bytes(*id.bytes()), id);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The extension type of UUIDs.
    #[doc(hidden)]
    pub const EXT_TYPE: i8 = UUID_EXT;

    /// Returns the UUID with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Uuid {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Uuid {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Prints 32 hexadecimal digits and four hyphens.
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&UuidText(self.0), f)
    }
}

/// Reads 32 hexadecimal digits in five groups with hyphens between them.
impl FromStr for Uuid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_uuid(text).map(Self).ok_or_else(|| {
            let text = format!("{text:?} is not a UUID like 123e4567-e89b-12d3-a456-426614174000");
            ErrorBuilder::new(ErrorKind::Invalid, text).into()
        })
    }
}
