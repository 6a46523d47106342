//! From any `Serialize` type to stored bytes, and from documents to Rust types.

use std::cell::Cell;

use serde_core::de::{Deserialize, DeserializeOwned};
use serde_core::ser::Serialize;

use super::draft::Draft;
use super::raw::NullId;
use super::{Encode, raw, write_document, write_value};
use crate::codec::{self, CodecError};
use crate::view::decode::decode_value;
use crate::{DocView, Document, DocumentError, IdRef, Result, Value};

/// The most bytes of the buffer that a thread keeps between calls.
const SCRATCH_BYTES_MAX: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A value that is stored by serialising it with serde.
///
/// Structs and maps become documents and `None` becomes null. Enums follow serde's tagging: the
/// variant's name becomes a string, or the only field of a document. Bytes become binary. The
/// format is not human-readable, so types that ask (UUIDs, addresses) choose their binary form.
///
/// Keys of maps become strings: characters, integers, booleans and variants without fields as they
/// are printed, and types that ask in their human-readable form. Floats, options, bytes and
/// containers are refused as keys.
///
/// An `i128` or `u128` becomes an integer, or an error if it is not in the range of `i64` or `u64`.
/// Reading a negative number into a `u128` is an error.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Serialized, doc};
///
/// #[derive(serde::Serialize)]
/// enum Shape { Dot, Circle { radius: f64 } }
///
/// #[derive(serde::Serialize)]
/// struct Drawing { shapes: Vec<Shape>, title: Option<String> }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let drawing = Drawing { shapes: vec![Shape::Dot, Shape::Circle { radius: 2.0 }], title: None };
/// assert_eq!(
///     Serialized(&drawing).to_document()?,
///     doc! { "shapes": ["Dot", { "Circle": { "radius": 2.0 } }], "title": null },
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Serialized<'a, T: ?Sized>(pub &'a T);

impl<T: Serialize + ?Sized> Serialized<'_, T> {
    /// Returns the document that would be stored.
    ///
    /// # Errors
    ///
    /// Same as [`to_document`](crate::to_document).
    pub fn to_document(&self) -> Result<Document> {
        self.with_bytes(|bytes| DocView::parse(bytes)?.to_document())
    }

    /// Encodes as [`Encode`] does, but an `_id` that is null is as if it were not there.
    ///
    /// # Errors
    ///
    /// Same as [`Encode::encode`].
    #[doc(hidden)]
    pub fn encode_without_null_id(
        &self,
        fallback: Option<IdRef<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<Draft> {
        self.with_bytes(|bytes| Ok(raw::encode_with(bytes, fallback, NullId::IsNone, out)?))
    }

    fn with_bytes<R>(&self, read: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
        with_scratch(|scratch| {
            codec::serialize(self.0, scratch).map_err(not_written)?;
            read(scratch)
        })
    }
}

impl<T: Serialize + ?Sized> Encode for Serialized<'_, T> {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        self.with_bytes(|bytes| Ok(raw::encode(bytes, fallback, out)?))
    }
}

pub(crate) fn deserialize_document<T: DeserializeOwned>(
    document: &Document,
) -> Result<T, DocumentError> {
    with_scratch(|scratch| {
        write_document(document, scratch, 1)?;
        deserialize_bytes(scratch)
    })
}

pub(crate) fn deserialize_bytes<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<T, DocumentError> {
    codec::deserialize(bytes).map_err(|error| DocumentError::Deserialize(error.into()))
}

/// Converts a value to one in memory.
pub(crate) fn serialize_value<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    with_scratch(|scratch| {
        codec::serialize(value, scratch).map_err(not_written)?;
        Ok(decode_value(scratch)?)
    })
}

/// Converts a value in memory to another type.
pub(crate) fn deserialize_value<T: DeserializeOwned>(value: &Value) -> Result<T> {
    with_scratch(|scratch| {
        write_value(value, scratch, 0)?;
        Ok(deserialize_bytes(scratch)?)
    })
}

#[cold]
fn not_written(error: CodecError) -> DocumentError {
    if error.is_too_deep() {
        let at_root = DocumentError::too_deep();
        let path = error.path();
        return if path.is_empty() { at_root } else { at_root.at_field(path) };
    }
    DocumentError::Serialize(error.into())
}

/// Lends the thread's buffer, empty. It is taken out of the thread, so that a `Serialize` that
/// calls this again gets a new one.
fn with_scratch<R>(use_it: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    // A destructor of another thread-local may run this after this one is gone.
    let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    scratch.clear();
    let result = use_it(&mut scratch);
    if scratch.capacity() <= SCRATCH_BYTES_MAX {
        let _ = SCRATCH.try_with(|kept| kept.set(scratch));
    }
    result
}
