//! Errors of documents, as this crate knows them within itself.

use std::error::Error as StdError;
use std::fmt;

#[cfg(feature = "serde")]
use crate::CodecError;
use crate::error::{Error, ErrorBuilder, ErrorKind};
use crate::{
    DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DamagedDocument, FIELD_NAME_BYTES_MAX, ID_BYTES_MAX,
    ValueType,
};

/// The reason why a document can't be stored, or its bytes can't be read.
///
/// A `path` leads from the document to the place: names and array indexes joined by dots. It is
/// empty for the document itself.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{DocumentError, Encode, ErrorParts, ValueType, doc};
///
/// let error = doc! { "_id": 1.5 }.encode(None, &mut Vec::new()).unwrap_err();
/// let cause = error.internal().and_then(|cause| cause.downcast_ref());
/// assert!(matches!(cause, Some(DocumentError::IdType { found: ValueType::Float })));
/// assert_eq!(
///     error.to_string(),
///     "`_id` must be an integer, a string, binary, an ObjectId or a UUID, not float",
/// );
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum DocumentError {
    /// The value is not a map, as a document must be.
    NotADocument {
        /// The type of what was given instead.
        found: ValueType,
    },
    /// The encoded document exceeds the limit.
    TooLarge {
        /// The bytes that it takes.
        size: usize,
        /// The limit, [`DOCUMENT_BYTES_MAX`].
        max: usize,
    },
    /// A single value exceeds the limit on documents.
    ValueTooLarge {
        /// The path of the value.
        path: String,
        /// The bytes that it takes.
        size: usize,
        /// The limit, [`DOCUMENT_BYTES_MAX`].
        max: usize,
    },
    /// Maps and arrays nest too deep.
    TooDeep {
        /// The first map or array that is too deep.
        path: String,
        /// The limit, [`DOCUMENT_DEPTH_MAX`].
        max: usize,
    },
    /// A field's name is too long.
    NameTooLong {
        /// The map that contains the field.
        path: String,
        /// The bytes of the name.
        size: usize,
        /// The limit, [`FIELD_NAME_BYTES_MAX`].
        max: usize,
    },
    /// A map's key is not a string.
    NameNotString {
        /// The map that contains the key.
        path: String,
        /// The type of the key.
        found: ValueType,
    },
    /// A string, or a field's name, is not UTF-8.
    NotUtf8 {
        /// The string, or the map whose field has that name.
        path: String,
    },
    /// A map names a field twice.
    DuplicateField {
        /// The field.
        path: String,
    },
    /// The `_id` is of a type that ids can't have.
    IdType {
        /// The type of the value.
        found: ValueType,
    },
    /// The `_id` takes too many bytes.
    IdTooLarge {
        /// The bytes that it takes.
        size: usize,
        /// The limit, [`ID_BYTES_MAX`].
        max: usize,
    },
    /// An extension of type -1 that is not one of MessagePack's three timestamps.
    BadTimestamp {
        /// The path of the value.
        path: String,
        /// The number of bytes of its data.
        size: usize,
    },
    /// A value that could not be serialised, made by [`ser`](crate::ser).
    Refused {
        /// The path of the value.
        path: String,
        /// Why it could not be serialised.
        reason: String,
    },
    /// The bytes are not valid MessagePack, or end too early.
    Malformed {
        /// The offset of the value that can't be read.
        offset: usize,
    },
    /// The chosen JSON format has no form for a value.
    NoJson(nanodb_msgpack::json::WriteError),
    /// Bytes follow the document.
    TrailingBytes {
        /// How many bytes.
        size: usize,
    },
    /// A Rust value could not be serialised.
    Serialize(Box<dyn StdError + Send + Sync>),
    /// The document does not have the shape of the requested Rust type.
    Deserialize(Box<dyn StdError + Send + Sync>),
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADocument { found } => write!(f, "a document must be a map, not {found}"),
            Self::TooLarge { size, max } => {
                write!(f, "the document takes {size} bytes encoded, more than the {max} allowed")
            }
            Self::ValueTooLarge { path, size, max } => write!(
                f,
                "the value at `{path}` takes {size} bytes, more than the {max} allowed for a \
                 document"
            ),
            Self::TooDeep { path, max } => {
                write!(f, "the document nests deeper than {max} levels at `{path}`")
            }
            Self::NameTooLong { path, size, max } => write!(
                f,
                "a field's name in `{path}` takes {size} bytes, more than the {max} allowed"
            ),
            Self::NameNotString { path, found } => {
                write!(f, "a key of the map at `{path}` is {found}, not a string")
            }
            Self::NotUtf8 { path } => write!(f, "a string at `{path}` is not UTF-8"),
            Self::DuplicateField { path } => write!(f, "the field `{path}` occurs twice"),
            Self::IdType { found } => write!(
                f,
                "`_id` must be an integer, a string, binary, an ObjectId or a UUID, not {found}"
            ),
            Self::IdTooLarge { size, max } => {
                write!(f, "`_id` takes {size} bytes encoded, more than the {max} allowed")
            }
            Self::Refused { path, reason } => {
                write!(f, "the value at `{path}` can't be stored: {reason}")
            }
            Self::BadTimestamp { path, size } => write!(
                f,
                "the extension of type -1 at `{path}`, {size} bytes long, is not a timestamp"
            ),
            Self::Malformed { offset } => {
                write!(f, "not MessagePack, or cut off, at byte {offset}")
            }
            Self::NoJson(inner) => fmt::Display::fmt(inner, f),
            Self::TrailingBytes { size } => write!(f, "{size} bytes follow the document"),
            Self::Serialize(_) => write!(f, "could not serialise the value"),
            Self::Deserialize(_) => {
                write!(f, "the document does not have the shape of the type asked for")
            }
        }
    }
}

impl StdError for DocumentError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NoJson(inner) => inner.source(),
            Self::Serialize(source) => Some(&**source),
            Self::Deserialize(source) => Some(&**source),
            _ => None,
        }
    }
}

impl DocumentError {
    pub(crate) fn too_deep() -> Self {
        Self::TooDeep { path: String::new(), max: DOCUMENT_DEPTH_MAX }
    }

    pub(crate) fn too_large(size: usize) -> Self {
        Self::TooLarge { size, max: DOCUMENT_BYTES_MAX }
    }

    pub(crate) fn value_too_large(size: usize) -> Self {
        Self::ValueTooLarge { path: String::new(), size, max: DOCUMENT_BYTES_MAX }
    }

    pub(crate) fn name_too_long(size: usize) -> Self {
        Self::NameTooLong { path: String::new(), size, max: FIELD_NAME_BYTES_MAX }
    }

    pub(crate) fn id_too_large(size: usize) -> Self {
        Self::IdTooLarge { size, max: ID_BYTES_MAX }
    }

    pub(crate) fn name_not_string(found: ValueType) -> Self {
        Self::NameNotString { path: String::new(), found }
    }

    pub(crate) fn not_utf8() -> Self {
        Self::NotUtf8 { path: String::new() }
    }

    pub(crate) fn duplicate_field(name: impl Into<String>) -> Self {
        Self::DuplicateField { path: name.into() }
    }

    pub(crate) fn bad_timestamp(data: &[u8]) -> Self {
        Self::BadTimestamp { path: String::new(), size: data.len() }
    }

    #[cold]
    pub(crate) fn refused(reason: &str) -> Self {
        Self::Refused { path: String::new(), reason: reason.to_owned() }
    }

    /// Adds the field `name` to the front of the path.
    ///
    /// Paths are built on the way back up, so that valid documents pay nothing for them.
    #[cold]
    pub(crate) fn at_field(mut self, name: &str) -> Self {
        if let Some(path) = self.path_mut() {
            if !path.is_empty() {
                path.insert(0, '.');
            }
            path.insert_str(0, name);
        }
        self
    }

    /// Adds the element `index` to the front of the path.
    #[cold]
    pub(crate) fn at_index(self, index: impl ToString) -> Self {
        self.at_field(&index.to_string())
    }

    /// Returns the path of the place; `None` for the document itself.
    fn path(&self) -> Option<&str> {
        let path = match self {
            Self::ValueTooLarge { path, .. }
            | Self::TooDeep { path, .. }
            | Self::NameTooLong { path, .. }
            | Self::NameNotString { path, .. }
            | Self::NotUtf8 { path }
            | Self::DuplicateField { path }
            | Self::Refused { path, .. }
            | Self::BadTimestamp { path, .. } => path.as_str(),
            Self::IdType { .. } | Self::IdTooLarge { .. } => "_id",
            Self::NoJson(nanodb_msgpack::json::WriteError::Unheld { path, .. }) => path.as_str(),
            #[cfg(feature = "serde")]
            Self::Serialize(cause) | Self::Deserialize(cause) => {
                cause.downcast_ref().map_or("", CodecError::path)
            }
            _ => "",
        };
        (!path.is_empty()).then_some(path)
    }

    fn path_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::ValueTooLarge { path, .. }
            | Self::TooDeep { path, .. }
            | Self::NameTooLong { path, .. }
            | Self::NameNotString { path, .. }
            | Self::NotUtf8 { path }
            | Self::DuplicateField { path }
            | Self::Refused { path, .. }
            | Self::BadTimestamp { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// A rule that the bytes of a stored document break, which kept all rules when it was stored.
#[derive(Debug)]
pub(crate) struct Damage(pub(crate) DocumentError);

impl From<Damage> for Error {
    #[cold]
    fn from(Damage(rule): Damage) -> Self {
        let path = rule.path().map(str::to_owned);
        let text = DamagedDocument::default().to_string();
        let builder = ErrorBuilder::new(ErrorKind::Damaged, text).unnamed_damage().because(rule);
        match path {
            Some(path) => builder.path(&path).into(),
            None => builder.into(),
        }
    }
}

impl From<DocumentError> for Error {
    #[cold]
    fn from(error: DocumentError) -> Self {
        let kind = match error {
            DocumentError::Deserialize(_) => ErrorKind::WrongType,
            _ => ErrorKind::Invalid,
        };
        let path = error.path().map(str::to_owned);
        let builder = ErrorBuilder::telling(kind, error);
        match path {
            Some(path) => builder.path(&path).into(),
            None => builder.into(),
        }
    }
}
