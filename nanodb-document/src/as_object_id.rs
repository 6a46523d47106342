//! Fields of the crate bson's type, stored as ObjectIds.
//!
//! ```
//! # extern crate nanodb_document as nanodb;
//! use bson::oid::ObjectId;
//! use nanodb::{Value, from_document, to_document};
//!
//! #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
//! struct User {
//!     #[serde(rename = "_id", with = "nanodb::as_object_id")]
//!     id: ObjectId,
//!     #[serde(with = "nanodb::as_object_id::option", default)]
//!     parent: Option<ObjectId>,
//! }
//!
//! # fn main() -> nanodb::Result<()> {
//! let user = User { id: ObjectId::from_bytes([1; 12]), parent: None };
//! let document = to_document(&user)?;
//! assert_eq!(document["_id"], Value::from(user.id));
//! assert_eq!(from_document::<User>(&document)?, user);
//! # Ok(())
//! # }
//! ```

use bson::oid::ObjectId as Oid;
use serde_core::de::{Deserialize, Deserializer};
use serde_core::ser::{Serialize, Serializer};

use crate::ObjectId;

/// Writes an ObjectId.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(id: &Oid, serializer: S) -> Result<S::Ok, S::Error> {
    ObjectId::from(*id).serialize(serializer)
}

/// Reads an ObjectId.
///
/// # Errors
///
/// Those of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Oid, D::Error> {
    ObjectId::deserialize(deserializer).map(Into::into)
}

/// The same for fields that may be null.
pub mod option {
    use super::{Deserialize, Deserializer, ObjectId, Oid, Serialize, Serializer};

    /// Writes an ObjectId, or null.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(id: &Option<Oid>, serializer: S) -> Result<S::Ok, S::Error> {
        id.map(ObjectId::from).serialize(serializer)
    }

    /// Reads an ObjectId, or null.
    ///
    /// # Errors
    ///
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Oid>, D::Error> {
        Ok(Option::<ObjectId>::deserialize(deserializer)?.map(Into::into))
    }
}
