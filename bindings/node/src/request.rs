//! What JavaScript asks with: a document, whose fields are arguments.

use nanodb::{DocView, Document, ValueRef};

use crate::failure::{Failure, Result};

/// A request's arguments, read in place.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a>(&'a DocView);

impl<'a> Request<'a> {
    /// Returns the arguments that these bytes hold.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(DocView::from_bytes(bytes))
    }

    /// Returns an argument, unless it is missing or null.
    fn get(self, name: &str) -> Option<ValueRef<'a>> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Returns a document as it lies there; what stores it checks it.
    pub(crate) fn view(self, name: &str) -> Result<&'a DocView> {
        self.get(name).and_then(|value| value.as_document()).ok_or_else(|| Failure::request(name))
    }

    /// Returns a document.
    pub(crate) fn document(self, name: &str) -> Result<Document> {
        Ok(self.view(name)?.to_document()?)
    }

    /// Returns a document, if there is one.
    pub(crate) fn optional_document(self, name: &str) -> Result<Option<Document>> {
        self.get(name).map(|_| self.document(name)).transpose()
    }

    /// Returns the bytes of an array, if there is one.
    pub(crate) fn optional_array(self, name: &str) -> Result<Option<&'a [u8]>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let array = value.as_array().ok_or_else(|| Failure::request(name))?;
        Ok(Some(array.as_bytes()))
    }

    /// Returns a text.
    pub(crate) fn text(self, name: &str) -> Result<&'a str> {
        self.optional_text(name).ok_or_else(|| Failure::request(name))
    }

    /// Returns a text, if there is one.
    pub(crate) fn optional_text(self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(|value| value.as_str())
    }

    /// Returns whether a flag is set.
    pub(crate) fn flag(self, name: &str) -> bool {
        self.get(name).and_then(|value| value.as_bool()).unwrap_or(false)
    }

    /// Returns a flag, if it is given.
    pub(crate) fn optional_flag(self, name: &str) -> Option<bool> {
        self.get(name).and_then(|value| value.as_bool())
    }

    /// Returns a number, if there is one.
    pub(crate) fn number(self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let wrong = || Failure::invalid(format!("`{name}` must be an integer of 0 or more"));
        value.as_u64().map(Some).ok_or_else(wrong)
    }
}

/// Splits a list of documents, each of which follows its length in four bytes, big-endian.
pub(crate) fn documents(mut bytes: &[u8]) -> Result<Vec<&DocView>> {
    let mut documents = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk().ok_or_else(|| Failure::request("a length"))?;
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let (document, rest) =
            rest.split_at_checked(len).ok_or_else(|| Failure::request("a document"))?;
        documents.push(DocView::from_bytes(document));
        bytes = rest;
    }
    Ok(documents)
}
