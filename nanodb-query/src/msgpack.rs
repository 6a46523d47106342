//! Filters, updates, sorts and projections from MessagePack bytes, as programs hold them that speak
//! it: an interface for other languages, a server. They are read as a document of the same content.

use nanodb_document::Error;

use crate::{Filter, Projection, Sort, Update};

impl Filter {
    /// Reads a filter from MessagePack: one map.
    ///
    /// ```
    /// # mod nanodb { pub use nanodb_document::{Result, doc}; pub use nanodb_query::*; }
    /// use nanodb::{Filter, doc, field};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let bytes = doc! { "age": { "$gte": 18 } }.to_msgpack()?;
    /// assert_eq!(Filter::from_msgpack(&bytes)?, field("age").gte(18));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error says what is wrong, and at which
    /// path.
    pub fn from_msgpack(document: &[u8]) -> Result<Self, Error> {
        Ok(Self::parse(document)?)
    }
}

impl Update {
    /// Reads an update from MessagePack: one map.
    ///
    /// ```
    /// # mod nanodb { pub use nanodb_document::{Result, doc}; pub use nanodb_query::*; }
    /// use nanodb::{Update, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let bytes = doc! { "$inc": { "age": 1 } }.to_msgpack()?;
    /// assert_eq!(Update::from_msgpack(&bytes)?, Update::new().inc("age", 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Filter::from_msgpack`].
    pub fn from_msgpack(document: &[u8]) -> Result<Self, Error> {
        Ok(Self::parse(document)?)
    }

    /// Reads an update from MessagePack, and from an array the filters that its `$[id]` refer to;
    /// see [`parse_json_with_filters`](Self::parse_json_with_filters).
    ///
    /// ```
    /// # mod nanodb { pub use nanodb_document::{Result, Value, array, doc}; pub use nanodb_query::*; }
    /// use nanodb::{Update, Value, array, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let update = doc! { "$set": { "items.$[big].sale": true } }.to_msgpack()?;
    /// let filters = Value::from(array![{ "big.qty": { "$gt": 5 } }]).to_msgpack()?;
    /// Update::from_msgpack_with_filters(&update, &filters)?;
    /// assert!(Update::from_msgpack(&update).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Filter::from_msgpack`].
    pub fn from_msgpack_with_filters(document: &[u8], array_filters: &[u8]) -> Result<Self, Error> {
        Ok(Self::parse_with_filters(document, array_filters)?)
    }
}

impl Sort {
    /// Reads a sort from MessagePack: one map.
    ///
    /// ```
    /// # mod nanodb { pub use nanodb_document::{Result, doc}; pub use nanodb_query::*; }
    /// use nanodb::{Sort, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let bytes = doc! { "age": -1 }.to_msgpack()?;
    /// assert_eq!(Sort::from_msgpack(&bytes)?, Sort::descending("age"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Filter::from_msgpack`].
    pub fn from_msgpack(document: &[u8]) -> Result<Self, Error> {
        Ok(Self::parse(document)?)
    }
}

impl Projection {
    /// Reads a projection from MessagePack: one map.
    ///
    /// ```
    /// # mod nanodb { pub use nanodb_document::{Result, doc}; pub use nanodb_query::*; }
    /// use nanodb::{Projection, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let bytes = doc! { "age": 1 }.to_msgpack()?;
    /// assert_eq!(Projection::from_msgpack(&bytes)?, Projection::include(["age"]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Filter::from_msgpack`].
    pub fn from_msgpack(document: &[u8]) -> Result<Self, Error> {
        Ok(Self::parse(document)?)
    }
}
