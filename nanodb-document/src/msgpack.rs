//! Documents and values from and to MessagePack bytes, as they are: they get no id, and keep their
//! order.

use crate::error::Result;
use crate::view::decode::{decode_document, decode_value};
use crate::{Document, Value, to_bytes, value_to_bytes};

impl Document {
    /// Reads a document from MessagePack: one map, in any of its forms.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::{Document, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let alice = doc! { "name": "Alice", "age": 30 };
    /// let bytes = alice.to_msgpack()?;
    /// assert_eq!(bytes, b"\x82\xa4name\xa5Alice\xa3age\x1e");
    /// assert_eq!(Document::from_msgpack(&bytes)?, alice);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the bytes are not MessagePack, or break a rule of
    /// documents.
    pub fn from_msgpack(bytes: &[u8]) -> Result<Self> {
        Ok(decode_document(bytes)?)
    }

    /// Writes this document as MessagePack; see [`from_msgpack`](Self::from_msgpack).
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// # use nanodb::doc;
    /// # fn main() -> nanodb::Result<()> {
    /// assert_eq!(doc! { "a": [true, 0.5] }.to_msgpack()?, b"\x81\xa1a\x92\xc3\xcb\x3f\xe0\0\0\0\0\0\0");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the document breaks a rule.
    pub fn to_msgpack(&self) -> Result<Vec<u8>> {
        to_bytes(self)
    }
}

impl Value {
    /// Reads a value from MessagePack, as within a document.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::Value;
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let bytes = Value::from("Alice").to_msgpack()?;
    /// assert_eq!(bytes, b"\xa5Alice");
    /// assert_eq!(Value::from_msgpack(&bytes)?, "Alice");
    /// assert!(Value::from_msgpack(b"\xa5Alice\xc0").is_err()); // two values
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the bytes are not MessagePack of one value, or
    /// break a rule of documents.
    pub fn from_msgpack(bytes: &[u8]) -> Result<Self> {
        Ok(decode_value(bytes)?)
    }

    /// Writes this value as MessagePack; see [`from_msgpack`](Self::from_msgpack).
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// # use nanodb::Value;
    /// # fn main() -> nanodb::Result<()> {
    /// assert_eq!(Value::from(vec![1, 300]).to_msgpack()?, b"\x92\x01\xcd\x01\x2c");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the value breaks a rule of documents.
    pub fn to_msgpack(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        value_to_bytes(self, &mut out)?;
        Ok(out)
    }
}
