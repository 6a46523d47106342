//! Fields of the crate uuid's type, stored as UUIDs.
//!
//! Without this they are binary of their sixteen bytes: the same value to queries, and the same id,
//! but printed as binary. Either is read from both.
//!
//! ```
//! # extern crate nanodb_document as nanodb;
//! use nanodb::{Value, from_document, to_document};
//!
//! #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
//! struct User {
//!     #[serde(rename = "_id", with = "nanodb::as_uuid")]
//!     id: uuid::Uuid,
//!     #[serde(with = "nanodb::as_uuid::option", default)]
//!     parent: Option<uuid::Uuid>,
//! }
//!
//! # fn main() -> nanodb::Result<()> {
//! let user = User { id: uuid::Uuid::from_bytes([1; 16]), parent: None };
//! let document = to_document(&user)?;
//! assert_eq!(document["_id"], Value::from(user.id));
//! assert_eq!(from_document::<User>(&document)?, user);
//! # Ok(())
//! # }
//! ```

use serde_core::de::{Deserialize, Deserializer};
use serde_core::ser::{Serialize, Serializer};

use crate::Uuid;

/// Writes a UUID.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(id: &::uuid::Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    Uuid::from(*id).serialize(serializer)
}

/// Reads a UUID.
///
/// # Errors
///
/// Those of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<::uuid::Uuid, D::Error> {
    Uuid::deserialize(deserializer).map(Into::into)
}

/// The same for fields that may be null.
pub mod option {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Uuid};

    /// Writes a UUID, or null.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        id: &Option<::uuid::Uuid>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        id.map(Uuid::from).serialize(serializer)
    }

    /// Reads a UUID, or null.
    ///
    /// # Errors
    ///
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<::uuid::Uuid>, D::Error> {
        Ok(Option::<Uuid>::deserialize(deserializer)?.map(Into::into))
    }
}
