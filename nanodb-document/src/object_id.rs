//! ObjectIds, the ids that MongoDB assigns: twelve bytes.

mod generate;

use std::fmt;
use std::str::FromStr;

use nanodb_msgpack::{OBJECT_ID_EXT, ObjectIdText, parse_object_id};

use crate::error::{Error, ErrorBuilder, ErrorKind};

/// An ObjectId, twelve bytes. It is stored as an extension of type 7, the number of the type in
/// BSON.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::ObjectId;
///
/// # fn main() -> nanodb::Result<()> {
/// let id: ObjectId = "65a1b2c3d4e5f60718293a4b".parse()?;
/// assert_eq!(id.bytes()[..2], [0x65, 0xa1]);
/// assert_eq!(id.to_string(), "65a1b2c3d4e5f60718293a4b");
/// assert_eq!(ObjectId::from_bytes(*id.bytes()), id);
/// assert_eq!(id.timestamp(), "2024-01-12T21:44:35Z".parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 12]);

impl ObjectId {
    /// The extension type of ObjectIds.
    #[doc(hidden)]
    pub const EXT_TYPE: i8 = OBJECT_ID_EXT;

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
}

impl From<[u8; 12]> for ObjectId {
    fn from(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for ObjectId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Prints 24 hexadecimal digits.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ObjectIdText(self.0), f)
    }
}

/// Reads 24 hexadecimal digits.
impl FromStr for ObjectId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_object_id(text).map(Self).ok_or_else(|| {
            let text = format!("{text:?} is not 24 hexadecimal digits");
            ErrorBuilder::new(ErrorKind::Invalid, text).into()
        })
    }
}
