//! Fields of a type, with errors that say what there is instead.

use super::{ArrayView, DocView, ValueRef};
use crate::error::Result;
use crate::typed_get::{not_found, out_of_range, wrong_type};
use crate::{DamagedDocument, ObjectId, Timestamp, Uuid};

impl DocView {
    /// Returns the text of a field.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::{DocView, Encode, ErrorKind, ObjectId, Timestamp, Uuid, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let mut buffer = Vec::new();
    /// let draft = doc! {
    ///     "_id": 1, "name": "Alice", "age": 31, "height": 1.7, "is_admin": true,
    ///     "key": b"\x01\x02", "tags": ["a"], "address": { "city": "Bern" },
    ///     "born": Timestamp::new(0, 0), "uuid": Uuid::from_bytes([1; 16]),
    ///     "oid": ObjectId::from_bytes([1; 12]),
    /// }
    /// .encode(None, &mut buffer)?;
    /// let user = DocView::from_bytes(draft.record(&buffer));
    /// assert_eq!(user.get_str("name")?, "Alice");
    /// assert_eq!(user.get_i64("age")?, 31);
    /// assert_eq!(user.get_u64("age")?, 31);
    /// assert_eq!(user.get_f64("height")?, 1.7);
    /// assert_eq!(user.get_bool("is_admin")?, true);
    /// assert_eq!(user.get_bytes("key")?, [1, 2]);
    /// assert_eq!(user.get_array("tags")?.len(), 1);
    /// assert_eq!(user.get_document("address")?.get_str("city")?, "Bern");
    /// assert_eq!(user.get_timestamp("born")?, Timestamp::default());
    /// assert_eq!(user.get_uuid("uuid")?, Uuid::from_bytes([1; 16]));
    /// assert_eq!(user.get_object_id("oid")?, ObjectId::from_bytes([1; 12]));
    ///
    /// let error = user.get_i64("name").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::WrongType);
    /// assert_eq!(error.to_string(), "`name` is a string, not an integer");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such field,
    /// [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if it is of another type; null is one.
    /// [`ErrorKind::Damaged`](crate::ErrorKind::Damaged) if the bytes are damaged before it.
    pub fn get_str(&self, name: &str) -> Result<&str> {
        self.typed(name, "a string", |value| value.as_str())
    }

    /// Returns the integer of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str), and
    /// [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if it does not fit into an `i64`.
    pub fn get_i64(&self, name: &str) -> Result<i64> {
        match self.get(name) {
            Some(value @ ValueRef::UInt(_)) => {
                value.as_i64().ok_or_else(|| out_of_range(name, value, "an i64"))
            }
            _ => self.typed(name, "an integer", |value| value.as_i64()),
        }
    }

    /// Returns the integer of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str), and
    /// [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if it is negative.
    pub fn get_u64(&self, name: &str) -> Result<u64> {
        match self.get(name) {
            Some(value @ ValueRef::Int(_)) => {
                value.as_u64().ok_or_else(|| out_of_range(name, value, "a u64"))
            }
            _ => self.typed(name, "an integer", |value| value.as_u64()),
        }
    }

    /// Returns the number of a field; integers beyond 2^53 are rounded.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_f64(&self, name: &str) -> Result<f64> {
        self.typed(name, "a number", |value| value.as_f64())
    }

    /// Returns the boolean of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_bool(&self, name: &str) -> Result<bool> {
        self.typed(name, "a boolean", |value| value.as_bool())
    }

    /// Returns the bytes of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_bytes(&self, name: &str) -> Result<&[u8]> {
        self.typed(name, "binary", |value| value.as_bytes())
    }

    /// Returns the array of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_array(&self, name: &str) -> Result<ArrayView<'_>> {
        self.typed(name, "an array", |value| value.as_array())
    }

    /// Returns the document of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_document(&self, name: &str) -> Result<&DocView> {
        self.typed(name, "a document", |value| value.as_document())
    }

    /// Returns the time of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_timestamp(&self, name: &str) -> Result<Timestamp> {
        self.typed(name, "a timestamp", |value| value.as_timestamp())
    }

    /// Returns the UUID of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_uuid(&self, name: &str) -> Result<Uuid> {
        self.typed(name, "a UUID", |value| value.as_uuid())
    }

    /// Returns the ObjectId of a field.
    ///
    /// # Errors
    ///
    /// Same as [`get_str`](Self::get_str).
    pub fn get_object_id(&self, name: &str) -> Result<ObjectId> {
        self.typed(name, "an ObjectId", |value| value.as_object_id())
    }

    fn typed<'a, T>(
        &'a self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(ValueRef<'a>) -> Option<T>,
    ) -> Result<T> {
        let Some(value) = self.get(name) else {
            // What can't be read is not said to be missing.
            let names: std::result::Result<Vec<&str>, _> =
                self.iter().map(|field| field.map(|(name, _)| name)).collect();
            return Err(match names {
                Ok(names) => not_found(name, names.into_iter()),
                Err(_) => DamagedDocument::default().into(),
            });
        };
        read(value).ok_or_else(|| wrong_type(name, value.value_type(), wanted))
    }
}
