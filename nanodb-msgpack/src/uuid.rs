//! UUIDs: sixteen bytes that print with hyphens.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::{Ext, IdTextError, hex, serialize_ext};

/// A UUID. It is stored as an extension of type 4, the number of the subtype in BSON, and is
/// otherwise the same value as the binary of its sixteen bytes.
///
/// ```
/// # extern crate nanodb_msgpack as nanodb;
/// use nanodb::Uuid;
///
/// # fn main() -> Result<(), nanodb::IdTextError> {
/// let id: Uuid = "123e4567-e89b-12d3-a456-426614174000".parse()?;
/// assert_eq!(id.bytes()[..2], [0x12, 0x3e]);
/// assert_eq!(id.to_string(), "123e4567-e89b-12d3-a456-426614174000");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The extension type of UUIDs.
    pub const EXT_TYPE: i8 = 4;

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

    /// Reads the data of an extension of type [`EXT_TYPE`](Self::EXT_TYPE); `None` if it does not
    /// have 16 bytes.
    #[must_use]
    pub fn from_ext(data: &[u8]) -> Option<Self> {
        data.try_into().ok().map(Self)
    }
}

/// Prints 32 hexadecimal digits and four hyphens.
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Uuid {
    type Err = IdTextError;

    fn from_str(text: &str) -> Result<Self, IdTextError> {
        let parts = || text.split('-');
        let is_grouped = parts().map(str::len).eq([8, 4, 4, 4, 12]);
        let digits: String = parts().collect();
        let bytes = hex::parse(&digits).and_then(|bytes| Self::from_ext(&bytes));
        bytes
            .filter(|_| is_grouped)
            .ok_or(IdTextError { expected: "a UUID like 123e4567-e89b-12d3-a456-426614174000" })
    }
}

impl Serialize for Uuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_ext(serializer, Self::EXT_TYPE, &self.0)
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ext(tag, data) = Ext::deserialize(deserializer)?;
        let id = if tag == Self::EXT_TYPE { Self::from_ext(&data) } else { None };
        id.ok_or_else(|| D::Error::custom("an extension that is no UUID"))
    }
}
