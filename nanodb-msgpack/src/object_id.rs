//! ObjectIds, the ids that MongoDB assigns: twelve bytes.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::{Ext, hex, serialize_ext};

/// An ObjectId, twelve bytes. It is stored as an extension of type 7, the number of the type in
/// BSON.
///
/// ```
/// # extern crate nanodb_msgpack as nanodb;
/// use nanodb::ObjectId;
///
/// # fn main() -> Result<(), nanodb::IdTextError> {
/// let id: ObjectId = "65a1b2c3d4e5f60718293a4b".parse()?;
/// assert_eq!(id.bytes()[..2], [0x65, 0xa1]);
/// assert_eq!(id.to_string(), "65a1b2c3d4e5f60718293a4b");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 12]);

/// The error of a text that is not an ObjectId, or not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTextError {
    pub(crate) expected: &'static str,
}

impl fmt::Display for IdTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}", self.expected)
    }
}

impl std::error::Error for IdTextError {}

impl ObjectId {
    /// The extension type of ObjectIds.
    pub const EXT_TYPE: i8 = 7;

    /// Returns the ObjectId with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// Returns its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 12] {
        &self.0
    }

    /// Reads the data of an extension of type [`EXT_TYPE`](Self::EXT_TYPE); `None` if it does not
    /// have 12 bytes.
    #[must_use]
    pub fn from_ext(data: &[u8]) -> Option<Self> {
        data.try_into().ok().map(Self)
    }
}

/// Prints 24 hexadecimal digits.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::print(&self.0, f)
    }
}

impl FromStr for ObjectId {
    type Err = IdTextError;

    fn from_str(text: &str) -> Result<Self, IdTextError> {
        let bytes = hex::parse(text).and_then(|bytes| Self::from_ext(&bytes));
        bytes.ok_or(IdTextError { expected: "24 hexadecimal digits" })
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_ext(serializer, Self::EXT_TYPE, &self.0)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ext(tag, data) = Ext::deserialize(deserializer)?;
        let id = if tag == Self::EXT_TYPE { Self::from_ext(&data) } else { None };
        id.ok_or_else(|| D::Error::custom("an extension that is no ObjectId"))
    }
}
