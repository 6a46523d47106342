#![doc = include_str!("../README.md")]
//!
//! # The rules
//!
//! [`Document`] owns its fields; programs build and change it. [`DocView`] reads a stored
//! document's bytes in place. [`Encode`] turns the one into the other and enforces every rule about
//! documents:
//!
//! ```text
//! rule                                          limit                     breaking it is
//! --------------------------------------------  ------------------------  ------------------
//! a document is a map, its names UTF-8 strings                            NotADocument,
//!   (the empty one, dots, dollars, spaces: all                            NameNotString,
//!   stored as they are)                                                   NotUtf8
//! no map names a field twice                                              DuplicateField
//! a name's length                               FIELD_NAME_BYTES_MAX       NameTooLong
//! maps and arrays within each other             DOCUMENT_DEPTH_MAX        TooDeep
//! the encoded document                          DOCUMENT_BYTES_MAX         TooLarge
//! `_id` is an integer (5.0 is 5), a string, binary, an                    IdType
//!   ObjectId or a UUID
//! `_id` as a key                                ID_BYTES_MAX               IdTooLarge
//! an extension of type -1 is a timestamp                                  BadTimestamp
//! ```
//!
//! The stored form is MessagePack (see `nanodb-msgpack`): a map whose first field is `_id`, and
//! then the other fields in the order in which they were given. Every integer, length and header is
//! in its shortest form and every float has eight bytes, so equal documents are equal bytes.
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | `timestamp`, `object_id`, `uuid` | values that JSON has no type for |
//! | `document`, `value`, `id` | what programs hold |
//! | `view` | stored documents, read in place |
//! | `codec` | Rust types as bytes, through serde |
//! | `encode` | from any of them to stored bytes, by the rules above |
//! | `json`, `msgpack` | from and to JSON, and bytes |
//! | `error`, `document_error` | the error that all calls return; what breaks a rule, within this crate |

#[cfg(all(feature = "serde", feature = "bson"))]
pub mod as_object_id;
#[cfg(feature = "serde")]
pub mod as_timestamp;
#[cfg(all(feature = "serde", feature = "uuid"))]
pub mod as_uuid;
#[cfg(feature = "serde")]
mod codec;
mod document;
mod document_error;
mod encode;
mod error;
#[cfg(feature = "serde")]
mod ext;
#[cfg(feature = "serde")]
mod for_people;
mod foreign;
#[cfg(feature = "serde")]
mod forms;
mod hash;
mod id;
#[cfg(feature = "json")]
pub mod json;
mod leaf_text;
mod msgpack;
mod object_id;
mod path;
#[cfg(feature = "serde")]
mod scalar_serde;
mod seen_names;
mod timestamp;
mod typed_get;
mod uuid;
mod value;
mod view;

#[cfg(feature = "serde")]
pub use self::codec::CodecError;
pub use self::document::Document;
pub use self::document::entry::{Entry, OccupiedEntry, VacantEntry};
pub use self::document::fields::{IntoIter, Iter, IterMut};
pub use self::document_error::DocumentError;
pub use self::encode::draft::Draft;
pub use self::encode::rules::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, FIELD_NAME_BYTES_MAX};
#[cfg(feature = "serde")]
pub use self::encode::serde::Serialized;
pub use self::encode::{Encode, to_bytes, value_to_bytes};
pub use self::error::{Error, ErrorBuilder, ErrorKind, ErrorParts, Result};
pub use self::id::{
    AsId, DamagedDocument, ID_BYTES_MAX, ID_FIELD, Id, IdRef, Key, record_has_key, record_key,
    same_key, with_hashed_key,
};
pub use self::object_id::ObjectId;
pub use self::path::array_index;
pub use self::timestamp::Timestamp;
pub use self::uuid::Uuid;
#[cfg(feature = "serde")]
pub use self::value::serde_impl::{from_document, from_value, ser, to_document, to_value};
pub use self::value::{__value, IntoValue, Value, ValueType};
pub use self::view::{ArrayView, DocView, Elements, Fields, Keys, ValueRef};
