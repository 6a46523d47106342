//! Iterating over the fields and elements of a query that is known to be well-formed.

use nanodb_msgpack::{Cursor, RawValue};

/// A field of a query, and where it begins.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: RawValue<'a>,
    /// The bytes from the name on.
    pub(crate) tail: &'a [u8],
}

/// Returns the fields of a document that is known to be well-formed.
pub(crate) fn entries(document: RawValue<'_>) -> impl Iterator<Item = Entry<'_>> {
    let mut cursor = Cursor::new(document.tail());
    let len = cursor.read_map_len().unwrap_or(0);
    (0..len).map_while(move |_| {
        let tail = cursor.rest();
        let name = str::from_utf8(cursor.read_string_bytes()?).ok()?;
        let value = RawValue::new(cursor.rest());
        cursor.skip()?;
        Some(Entry { name, value, tail })
    })
}

/// Returns the elements of an array that is known to be well-formed.
pub(crate) fn elements(array: RawValue<'_>) -> impl Iterator<Item = RawValue<'_>> {
    array.elements().into_iter().flatten().map_while(Result::ok)
}
