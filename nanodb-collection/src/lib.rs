//! Documents and collections on top of pages, slots and the id index.

mod document;
pub mod encoding;
mod id;
mod value;

pub use self::document::{
    ArrayView, DOCUMENT_DEPTH_MAX, DOCUMENT_SIZE_MAX, DocView, Document, DocumentError, Draft,
    Elements, Encode, FIELD_NAME_SIZE_MAX, Fields, IntoIter, Iter, IterMut, Serialized, ValueRef,
};
pub use self::id::{ID_FIELD, ID_SIZE_MAX, Id, IdRef, Key, record_has_key, record_key};
pub use self::value::{Timestamp, Value, ValueType, from_document, to_document};
