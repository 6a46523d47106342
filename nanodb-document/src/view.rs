//! A stored document, read in place.

pub(crate) mod decode;
mod print;
#[cfg(feature = "serde")]
mod serde_impl;
mod typed_get;
mod value_ref;

use std::str;

use bytemuck::TransparentWrapper;
#[cfg(feature = "serde")]
use serde_core::de::Deserialize;

pub use self::value_ref::{ArrayView, Elements, ValueRef};

use self::value_ref::{step_into, step_into_map};
use crate::document_error::Damage;
use crate::encode::raw::validate;
#[cfg(feature = "serde")]
use crate::encode::serde::deserialize_bytes;
use crate::{Document, DocumentError, Error, IdRef, record_key};
use nanodb_msgpack::Cursor;

/// A document as MessagePack bytes, read in place.
///
/// A look-up steps over the fields before the one it is for. Nothing else is decoded, and nothing
/// is allocated. The first field, `_id`, costs a few nanoseconds, each further one about three.
///
/// The bytes are not trusted: wrong ones give `None` or an error when they are read, never a panic.
/// [`parse`](Self::parse) checks all of them at once.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{DocView, Encode, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let alice = doc! { "_id": 1, "name": "Alice", "address": { "lines": ["a", "b"] } };
/// let mut buffer = Vec::new();
/// let draft = alice.encode(None, &mut buffer)?;
///
/// let view = DocView::from_bytes(draft.record(&buffer));
/// assert_eq!(view.id(), Some(1.into()));
/// assert_eq!(view.get_path("address.lines.1").and_then(|line| line.as_str()), Some("b"));
/// assert_eq!(view.get("age"), None);
/// assert!(view.contains_key("name") && !view.contains_key("age"));
/// assert_eq!(view.keys().collect::<nanodb::Result<Vec<_>>>()?, ["_id", "name", "address"]);
/// assert_eq!(view.to_document()?, alice);
///
/// #[derive(serde::Deserialize)]
/// struct User<'a> { name: &'a str }
/// let user: User<'_> = view.deserialize()?;
/// assert_eq!(user.name, "Alice");
/// # Ok(())
/// # }
/// ```
#[derive(TransparentWrapper)]
#[repr(transparent)]
pub struct DocView([u8]);

impl DocView {
    /// Returns a view of `bytes`, without reading them.
    #[must_use]
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> &Self {
        Self::wrap_ref(bytes)
    }

    /// Returns a view of `bytes`, after checking all of them.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the bytes break a rule of documents. An `_id` is
    /// not required, nor that it is the first field.
    pub fn parse(bytes: &[u8]) -> Result<&Self, Error> {
        validate(bytes)?;
        Ok(Self::from_bytes(bytes))
    }

    /// Returns the document's bytes.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        let len = Cursor::new(&self.0).read_map_len().unwrap_or(0);
        usize::try_from(len).unwrap_or(usize::MAX)
    }

    /// Returns whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the id, or `None` if the first field is not an `_id` of a type that ids can have. In
    /// every stored document it is.
    #[must_use]
    #[inline]
    pub fn id(&self) -> Option<IdRef<'_>> {
        record_key(&self.0).and_then(IdRef::from_key)
    }

    /// Returns the value of a field; dots in `name` are part of the name.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        let mut cursor = Cursor::new(&self.0);
        step_into_map(&mut cursor, name.as_bytes())?;
        ValueRef::read(&mut cursor)
    }

    /// Returns the value that a dotted path leads to: names of fields, and indexes of arrays
    /// (decimal digits without a leading zero), as in `"items.0.name"`.
    ///
    /// A field whose name contains a dot is found by [`get`](Self::get).
    #[must_use]
    #[inline]
    pub fn get_path(&self, path: &str) -> Option<ValueRef<'_>> {
        let mut cursor = Cursor::new(&self.0);
        if path.as_bytes().contains(&b'.') {
            for step in path.split('.') {
                step_into(&mut cursor, step)?;
            }
        } else {
            step_into_map(&mut cursor, path.as_bytes())?;
        }
        ValueRef::read(&mut cursor)
    }

    /// Returns whether there is a field with this name.
    #[must_use]
    #[inline]
    pub fn contains_key(&self, name: &str) -> bool {
        step_into_map(&mut Cursor::new(&self.0), name.as_bytes()).is_some()
    }

    /// Returns an iterator over the names of the fields, in order. It costs as much as one over the
    /// fields.
    #[must_use]
    pub fn keys(&self) -> Keys<'_> {
        Keys(self.iter())
    }

    /// Returns an iterator over the fields, in order.
    #[must_use]
    pub fn iter(&self) -> Fields<'_> {
        let mut cursor = Cursor::new(&self.0);
        match cursor.read_map_len() {
            Some(left) => Fields { size: self.0.len(), cursor, left, damaged: false },
            None => Fields { size: self.0.len(), cursor, left: 0, damaged: true },
        }
    }

    /// Decodes the whole document.
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::ErrorKind::Damaged), if the bytes are damaged: they are not MessagePack,
    /// or break a rule of documents.
    pub fn to_document(&self) -> Result<Document, Error> {
        Ok(decode::decode_document(&self.0).map_err(Damage)?)
    }

    /// Reads the document as a Rust type, which may borrow its strings and bytes from it.
    ///
    /// # Errors
    ///
    /// [`WrongType`](crate::ErrorKind::WrongType), if the document does not have the shape of `T`;
    /// [`Damaged`](crate::ErrorKind::Damaged), if that is because its bytes are damaged.
    #[cfg(feature = "serde")]
    pub fn deserialize<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        deserialize_bytes(&self.0).map_err(|error| match validate(&self.0) {
            Ok(()) => error.into(),
            Err(rule) => Damage(rule).into(),
        })
    }
}

impl AsRef<DocView> for DocView {
    fn as_ref(&self) -> &DocView {
        self
    }
}

impl<'a> IntoIterator for &'a DocView {
    type Item = Result<(&'a str, ValueRef<'a>), Error>;
    type IntoIter = Fields<'a>;

    fn into_iter(self) -> Fields<'a> {
        self.iter()
    }
}

impl TryFrom<&DocView> for Document {
    type Error = Error;

    fn try_from(view: &DocView) -> Result<Self, Error> {
        view.to_document()
    }
}

/// An iterator over the fields of a [`DocView`]. Damaged bytes give an error, and end it.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    size: usize,
    cursor: Cursor<'a>,
    left: u32,
    /// The bytes are not a map: reported once.
    damaged: bool,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(&'a str, ValueRef<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.damaged) {
            return Some(Err(Damage(DocumentError::Malformed { offset: 0 }).into()));
        }
        self.left = self.left.checked_sub(1)?;
        let offset = self.size - self.cursor.rest().len();
        let field = self.read();
        if field.is_none() {
            self.left = 0;
        }
        Some(field.ok_or_else(|| Damage(DocumentError::Malformed { offset }).into()))
    }
}

/// An iterator over the names of the fields of a [`DocView`]; made by [`DocView::keys`]. Damaged
/// bytes give an error, and end it.
#[derive(Clone, Debug)]
pub struct Keys<'a>(Fields<'a>);

impl<'a> Iterator for Keys<'a> {
    type Item = Result<&'a str, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|field| field.map(|(name, _)| name))
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Option<(&'a str, ValueRef<'a>)> {
        let name = str::from_utf8(self.cursor.read_string_bytes()?).ok()?;
        Some((name, ValueRef::read(&mut self.cursor)?))
    }
}
