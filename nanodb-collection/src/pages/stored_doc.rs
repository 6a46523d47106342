//! A document that was read.

use std::fmt;
use std::ops::{Deref, Range};

use nanodb_index::RecordId;
use nanodb_pager::{PageGuard, PageId};
#[cfg(feature = "serde")]
use serde_core::de::{Deserialize, DeserializeOwned};

use nanodb_document::{DamagedDocument, DocView, Document, Draft, Encode, Error, IdRef};
#[cfg(feature = "serde")]
use nanodb_document::{ErrorBuilder, ErrorKind, ErrorParts};

use crate::error::{OfDocument, Result};
use crate::pages::records::RecordSpan;

/// A stored document, which is kept readable as long as this exists.
///
/// Reads like a [`DocView`], straight from the page in memory that holds it: nothing is copied or
/// decoded. It stays the same whatever is written later. Each one keeps a page of 4 KiB in memory:
/// turn documents that you keep for long into a [`Document`](nanodb_document::Document) or a type
/// of your own.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let users = Database::in_memory()?.collection("users");
/// users.insert(doc! { "_id": 7, "name": "Alice" })?;
/// if let Some(alice) = users.get(7)? {
///     assert_eq!(alice.get_str("name")?, "Alice");
///     assert_eq!(alice.to_document()?, doc! { "_id": 7, "name": "Alice" });
/// }
/// # Ok(())
/// # }
/// ```
pub struct StoredDoc(Bytes);

enum Bytes {
    /// On one page.
    Page { guard: PageGuard, record: RecordSpan },
    /// Put together from several, or a part of one.
    Assembled {
        bytes: Box<[u8]>,
        /// The record that it begins in, if it is a whole one.
        record: Option<RecordId>,
    },
}

impl StoredDoc {
    #[inline]
    pub(crate) fn on_page(guard: PageGuard, record: RecordSpan) -> Self {
        Self(Bytes::Page { guard, record })
    }

    pub(crate) fn assembled(bytes: Vec<u8>, record: RecordId) -> Self {
        Self(Bytes::Assembled { bytes: bytes.into(), record: Some(record) })
    }

    /// Returns the record that it was read from; none if it was made of a document.
    #[doc(hidden)]
    pub fn record_id(&self) -> Option<RecordId> {
        match &self.0 {
            Bytes::Page { guard, record } => Some(record.on(guard.id())),
            Bytes::Assembled { record, .. } => *record,
        }
    }

    /// Whether all of it is on one page.
    #[doc(hidden)]
    pub fn is_on_one_page(&self) -> bool {
        matches!(self.0, Bytes::Page { .. })
    }

    /// Makes a document of bytes that were computed, of a projection for example.
    #[doc(hidden)]
    pub fn made(bytes: Vec<u8>) -> Self {
        Self(Bytes::Assembled { bytes: bytes.into(), record: None })
    }

    /// Decodes the document.
    ///
    /// # Errors
    ///
    /// [`Damaged`](nanodb_document::ErrorKind::Damaged) if its bytes are not what was stored, with
    /// its id and page as far as they are known.
    pub fn to_document(&self) -> Result<Document, Error> {
        DocView::to_document(self).map_err(|damage| self.blame("", damage))
    }

    /// Decodes the document to a Rust type, which may borrow from it.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct User<'a> {
    ///     name: &'a str,
    /// }
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 7, "name": "Alice" })?;
    /// let alice = users.get(7)?.expect("inserted above");
    /// assert_eq!(alice.deserialize::<User<'_>>()?.name, "Alice");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`WrongType`](nanodb_document::ErrorKind::WrongType) if it does not have the shape of `T`:
    /// the error names the document, and the [path](Error::path) of the field. Same as
    /// [`to_document`](Self::to_document).
    #[cfg(feature = "serde")]
    pub fn deserialize<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        self.to_type("")
    }

    /// Decodes the document to a Rust type. The error tells a document of another shape from a
    /// damaged one.
    #[cfg(feature = "serde")]
    #[doc(hidden)]
    pub fn to_typed<T: DeserializeOwned>(&self, collection: &str) -> Result<T, Error> {
        self.to_type(collection)
    }

    #[cfg(feature = "serde")]
    fn to_type<'a, T: Deserialize<'a>>(&'a self, collection: &str) -> Result<T, Error> {
        DocView::deserialize(self).map_err(|error| match error.kind() {
            ErrorKind::WrongType => self.is_no::<T>(collection, error),
            _ => self.blame(collection, error),
        })
    }

    /// Says which document does not have the shape of a type, and where and why.
    #[cfg(feature = "serde")]
    #[cold]
    fn is_no<T>(&self, collection: &str, error: Error) -> Error {
        let mut text = match self.id() {
            Some(id) => format!("document {id}"),
            None => "a document without an id".to_owned(),
        };
        if !collection.is_empty() {
            text = format!("{text} of collection {collection:?}");
        }
        let why = error.internal().and_then(|internal| internal.source());
        let why = why.map_or_else(|| error.to_string(), ToString::to_string);
        text = format!("{text} is no `{}`: {why}", std::any::type_name::<T>());
        let mut builder = ErrorBuilder::new(error.kind(), text);
        if let Some(path) = error.path() {
            builder = builder.path(path);
        }
        if let Some(id) = self.id() {
            builder = builder.id(id);
        }
        if !collection.is_empty() {
            builder = builder.collection(collection);
        }
        match error.into_internal() {
            Some(internal) => builder.source(internal).into(),
            None => builder.into(),
        }
    }

    /// Adds to an error which document it is of.
    #[cold]
    #[doc(hidden)]
    pub fn blame<E: OfDocument>(&self, collection: &str, error: E) -> E {
        let page = self.record_id().map(|record| PageId::new(record.page));
        error.of_document(collection, self, page)
    }
}

/// What was read is stored again, in another collection for example, without being decoded.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let db = Database::in_memory()?;
/// let (users, archive) = (db.collection("users"), db.collection("archive"));
/// users.insert(doc! { "_id": 1, "name": "Alice" })?;
/// if let Some(alice) = users.get(1)? {
///     archive.insert(&alice)?;
/// }
/// assert!(archive.contains(1)?);
/// # Ok(())
/// # }
/// ```
impl Encode for StoredDoc {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft, Error> {
        DocView::encode(self, fallback, out).map_err(|error| {
            let is_damaged = DocView::parse(self.as_bytes()).is_err();
            if is_damaged { self.blame("", DamagedDocument::default().into()) } else { error }
        })
    }
}

/// Serialises as the decoded document would; damaged bytes are an error.
#[cfg(feature = "serde")]
impl serde_core::Serialize for StoredDoc {
    fn serialize<S: serde_core::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        DocView::serialize(self, serializer)
    }
}

impl Deref for StoredDoc {
    type Target = DocView;

    #[inline]
    fn deref(&self) -> &DocView {
        DocView::from_bytes(match &self.0 {
            // It was found on this very page.
            Bytes::Page { guard, record } => record.bytes(guard.body()),
            Bytes::Assembled { bytes, .. } => bytes,
        })
    }
}

impl AsRef<DocView> for StoredDoc {
    fn as_ref(&self) -> &DocView {
        self
    }
}

impl Clone for StoredDoc {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Bytes::Page { guard, record } => Bytes::Page { guard: guard.clone(), record: *record },
            Bytes::Assembled { bytes, record } => {
                Bytes::Assembled { bytes: bytes.clone(), record: *record }
            }
        })
    }
}

impl fmt::Debug for StoredDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_document() {
            Ok(document) => fmt::Debug::fmt(&document, f),
            Err(error) => write!(f, "StoredDoc({error})"),
        }
    }
}

impl fmt::Display for StoredDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_document() {
            Ok(document) => fmt::Display::fmt(&document, f),
            Err(error) => write!(f, "({error})"),
        }
    }
}

/// Where `part` lies within `whole`, which it is a part of.
#[inline]
pub(crate) fn range_within(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    start..start.wrapping_add(part.len())
}

/// Looks up ids one by one, until `is_enough` returns true for a document.
pub fn until<I, E>(
    ids: impl IntoIterator<Item = I>,
    get: impl Fn(I) -> Result<Option<StoredDoc>, E>,
    mut is_enough: impl FnMut(&StoredDoc) -> bool,
) -> Result<Vec<StoredDoc>, E> {
    let mut found = Vec::new();
    for id in ids {
        let Some(document) = get(id)? else { continue };
        let is_last = is_enough(&document);
        found.push(document);
        if is_last {
            break;
        }
    }
    Ok(found)
}
