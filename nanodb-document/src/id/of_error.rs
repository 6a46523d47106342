//! Ids in errors, and the error of a document that is damaged.

use std::fmt;

use super::{Id, IdRef};
use crate::error::{Error, ErrorBuilder, ErrorKind};

impl Error {
    /// Returns the id of the document that the text names.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        Id::from_key(self.id_bytes()?)
    }
}

impl ErrorBuilder {
    /// Sets the document's id.
    pub fn id(self, id: IdRef<'_>) -> Self {
        let mut bytes = Vec::new();
        id.write_stored(&mut bytes);
        self.id_bytes(&bytes)
    }
}

/// A document of which the stored bytes are not what was stored: which one, as far as that is
/// known.
#[derive(Clone, Copy, Debug, Default)]
pub struct DamagedDocument<'a> {
    /// The collection; empty where it is not known.
    pub collection: &'a str,
    /// The document's id.
    pub id: Option<IdRef<'a>>,
    /// The number of the page that it begins on.
    pub page: Option<u32>,
}

impl fmt::Display for DamagedDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "the document with the id {id}")?,
            None => f.write_str("a document")?,
        }
        if !self.collection.is_empty() {
            write!(f, " in collection {:?}", self.collection)?;
        }
        if let Some(page) = self.page {
            write!(f, ", on page {page},")?;
        }
        f.write_str(" is damaged: its bytes are not what was stored; replace or delete it")
    }
}

impl From<DamagedDocument<'_>> for Error {
    #[cold]
    fn from(damaged: DamagedDocument<'_>) -> Self {
        let DamagedDocument { collection, id, page } = damaged;
        let mut builder = ErrorBuilder::new(ErrorKind::Damaged, damaged.to_string());
        if !collection.is_empty() {
            builder = builder.collection(collection);
        }
        if let Some(id) = id {
            builder = builder.id(id);
        }
        if let Some(page) = page {
            builder = builder.page(page);
        }
        if collection.is_empty() && id.is_none() && page.is_none() {
            builder = builder.unnamed_damage();
        }
        builder.into()
    }
}
