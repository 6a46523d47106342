//! Keys of documents: what an index has entries of.
//!
//! For a path the enumerator yields:
//!
//! ```text
//! the path leads to               keys
//! ------------------------------  ---------------------------------------------------------------
//! a value                         its key
//! nothing, or on from a scalar    the key of null
//! an array at its end             that of each element, as a whole; of an empty array its own (08)
//! an array on the way             each element that is a document: goes on there; any other
//!                                 element, and an empty array: null
//! a number, in an array that is   the element of that index goes on, and every element that is a
//! long enough                     document is asked for a field of that name
//! ```
//!
//! Keys are [`encode_key`](nanodb_msgpack::encode_key)'s, one after the other for the fields of a
//! compound index, those of descending fields with all bits flipped. Fields below the same array
//! take their keys from the same element; two arrays beside each other are refused. A sparse index
//! has no key of which every part is of something missing.
//!
//! The rules are wider than those of filters (`path.rs`) and of sorts (`sort.rs`): whatever a
//! filter looks at, other than a whole array, has a key here. Of a path without numbers, the key of
//! a sort is the least of these keys, or the greatest. Sorts keep a walk of their own: they want
//! one key and no list, and their numbers lead to one element only.
//!
//! # Invariants
//!
//! 1. A document has a key for every index that has entries of it: at least one of null. A sparse
//!    index has entries of a document if and only if one of its fields exists.
//! 2. Keys are sorted and different, as they are stored.
//! 3. A bit of [`MultikeyPaths`] is set for each part of a path at which an array was met.

mod cut;
mod multikey;
mod walk;

use std::fmt;

pub use self::cut::{FAMILY_BYTES, STORED_KEY_BYTES_MAX, stored_key};
pub(crate) use self::cut::{successor, widened_end};
pub use self::multikey::MultikeyPaths;
pub use self::walk::for_each_key;
use crate::error::ApplyError;
use crate::index_spec::IndexSpec;
use crate::path::{AtEnd, walk as walk_path};
use nanodb_document::{Error, ErrorBuilder, ErrorKind};
use nanodb_msgpack::{Malformed, RawValue};

/// The most keys of one document in one index.
pub const INDEX_KEYS_MAX: usize = 100_000;

/// The reason why a document has no keys for an index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysError {
    /// The bytes of the document are not valid MessagePack, or the partial filter can't be used.
    Apply(ApplyError),
    /// Two fields of the index lead to arrays, neither of them within the other.
    ParallelArrays {
        /// The path of the one field.
        first: String,
        /// The path of the other.
        second: String,
    },
    /// The document has too many keys, or they take too long to list.
    TooManyIndexKeys {
        /// The limit, [`INDEX_KEYS_MAX`].
        keys_max: usize,
    },
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply(error) => fmt::Display::fmt(error, f),
            Self::ParallelArrays { first, second } => write!(
                f,
                "`{first}` and `{second}` are both arrays, and one index can't have both of a \
                 document"
            ),
            Self::TooManyIndexKeys { keys_max } => {
                write!(f, "the document has more than {keys_max} keys in one index")
            }
        }
    }
}

impl std::error::Error for KeysError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Apply(error) => error.source(),
            Self::ParallelArrays { .. } | Self::TooManyIndexKeys { .. } => None,
        }
    }
}

impl From<Malformed> for KeysError {
    fn from(error: Malformed) -> Self {
        Self::Apply(error.into())
    }
}

impl From<ApplyError> for KeysError {
    fn from(error: ApplyError) -> Self {
        Self::Apply(error)
    }
}

impl From<KeysError> for Error {
    #[cold]
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Apply(error) => error.into(),
            error => ErrorBuilder::telling(ErrorKind::Invalid, error).into(),
        }
    }
}

impl IndexSpec {
    /// Returns whether the index has entries of a document: whether it matches the partial filter,
    /// or a field of a sparse index exists.
    ///
    /// ```
    /// use nanodb_query::Index;
    ///
    /// let sparse = Index::ascending("a").sparse().spec()?;
    /// assert!(sparse.has_entries_of(b"\x81\xa1a\xc0")?); // {"a": null}
    /// assert!(!sparse.has_entries_of(b"\x80")?);
    /// # Ok::<(), nanodb_query::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeysError::Apply`], if the document is not valid MessagePack.
    pub fn has_entries_of(&self, document: &[u8]) -> Result<bool, KeysError> {
        if let Some(partial) = self.partial() {
            return Ok(partial.matches(document)?);
        }
        if !self.is_sparse() {
            return Ok(true);
        }
        for field in self.fields() {
            let document = RawValue::new(document);
            let mut exists = |value: Option<RawValue<'_>>| Ok(value.is_some());
            if walk_path(document, field.path().parts(), AtEnd::Whole, &mut exists)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The keys of one document for one index, as they are stored: sorted, each once.
///
/// It keeps its memory: one value serves many documents.
///
/// ```
/// use nanodb_query::{Index, IndexKeys};
///
/// let spec = Index::ascending("a").spec()?;
/// let mut keys = IndexKeys::default();
/// // {"a": [true, false, true]}
/// keys.enumerate(&spec, b"\x81\xa1a\x93\xc3\xc2\xc3")?;
/// assert_eq!(keys.iter().collect::<Vec<_>>(), [[0x40, 0], [0x40, 1]]);
/// assert!(keys.multikey().is_multikey(0));
/// # Ok::<(), nanodb_query::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct IndexKeys {
    bytes: Vec<u8>,
    /// Where each key begins and ends.
    spans: Vec<(u32, u32)>,
    multikey: MultikeyPaths,
    scratch: walk::Scratch,
}

impl IndexKeys {
    /// Lists the keys of a document, in place of those before; none if the index has no entries of
    /// it.
    ///
    /// Costs a walk to each field, and for each key its bytes and its part of a sort.
    ///
    /// # Errors
    ///
    /// [`KeysError`]; there are no keys then.
    pub fn enumerate(&mut self, spec: &IndexSpec, document: &[u8]) -> Result<(), KeysError> {
        self.clear();
        let listed = self.list(spec, document);
        if listed.is_err() {
            self.clear();
        }
        listed
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.multikey.clear();
    }

    fn list(&mut self, spec: &IndexSpec, document: &[u8]) -> Result<(), KeysError> {
        if let Some(partial) = spec.partial()
            && !partial.matches(document)?
        {
            return Ok(());
        }
        let Self { bytes, spans, multikey, scratch } = self;
        walk::walk(spec, document, scratch, multikey, &mut |key| {
            add(bytes, spans, key);
            if spans.len() > 2 * INDEX_KEYS_MAX {
                sort(bytes, spans);
            }
            if spans.len() > 2 * INDEX_KEYS_MAX { Err(too_many()) } else { Ok(()) }
        })?;
        sort(bytes, spans);
        if spans.len() > INDEX_KEYS_MAX { Err(too_many()) } else { Ok(()) }
    }

    /// Returns the keys in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spans.iter().map(|&span| at(&self.bytes, span))
    }

    /// Returns how many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns whether the index has no entries of the document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns the parts of paths at which the document has arrays.
    #[must_use]
    pub fn multikey(&self) -> &MultikeyPaths {
        &self.multikey
    }
}

fn too_many() -> KeysError {
    KeysError::TooManyIndexKeys { keys_max: INDEX_KEYS_MAX }
}

fn at(bytes: &[u8], (start, end): (u32, u32)) -> &[u8] {
    bytes.get(start as usize..end as usize).unwrap_or_default()
}

/// Adds a key as it is stored, unless it is the last one.
fn add(bytes: &mut Vec<u8>, spans: &mut Vec<(u32, u32)>, key: &[u8]) {
    let start = bytes.len();
    cut::append(key, bytes);
    // At most 20 million keys of 1,024 bytes, of which equal ones in a row are not kept.
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let span = (offset(start), offset(bytes.len()));
    if spans.last().is_some_and(|&last| at(bytes, last) == at(bytes, span)) {
        bytes.truncate(start);
    } else {
        spans.push(span);
    }
}

/// Sorts the keys and leaves each once. The bytes of the others stay: they are few, or it is the
/// last time.
fn sort(bytes: &[u8], spans: &mut Vec<(u32, u32)>) {
    if spans.len() < 2 {
        return;
    }
    spans.sort_unstable_by(|&a, &b| at(bytes, a).cmp(at(bytes, b)));
    spans.dedup_by(|a, b| at(bytes, *a) == at(bytes, *b));
}

#[cfg(test)]
mod tests;
