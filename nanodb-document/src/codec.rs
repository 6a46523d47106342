//! From Rust types to the bytes of documents and back, through serde.
//!
//! ```text
//! serde's type                     bytes
//! -------------------------------  ---------------------------------------------------------
//! bool, integers, i128, u128       boolean, integer; refused outside i64::MIN..=u64::MAX
//! f32, f64                         float of eight bytes
//! char, str                        string
//! bytes                            binary
//! none, unit                       null
//! unit struct                      the empty array
//! some, newtype struct             the value within
//! seq, tuple, tuple struct         array
//! map, struct                      map; what its keys may be: `key`
//! unit variant                     string, the variant's name
//! other variants                   map of one field, named as the variant
//! newtype struct `_ExtStruct`      extension: see `ext`
//! ```
//!
//! The format is not human-readable: types that ask, as UUIDs and addresses do, choose their binary
//! form. serde's adapters, for `flatten` and tagged enums, say otherwise of it: see
//! [`for_people`](crate::for_people). Every token is in its shortest form. What is read need not
//! be: documents are checked where they come in, not here, and here wrong bytes are an error as
//! well.

mod de;
mod error;
mod ext;
mod key;
mod ser;

use serde_core::de::Deserialize;
use serde_core::ser::Serialize;

pub use self::error::CodecError;
pub(crate) use self::key::{ID_KEY_STRUCT_NAME, id_of_text};

use nanodb_msgpack::Cursor;

/// Appends a value.
pub(crate) fn serialize<T: Serialize + ?Sized>(
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    value.serialize(ser::ValueSerializer::new(out))
}

/// Reads the value that `bytes` begin with.
pub(crate) fn deserialize<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, CodecError> {
    T::deserialize(de::ValueDeserializer::new(&mut Cursor::new(bytes)))
}

#[cfg(test)]
mod tests;
