//! JSON in and out, as the Go program had it.
//!
//! It took any JSON object for a document. Names with a dollar in front are stored as they are, but
//! for the forms of values that JSON lacks, such as `{"$date": ...}`.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, RandomState};
use std::os::raw::c_char;
use std::sync::atomic::{AtomicU64, Ordering};

use nanodb::json::{self, Decimals, ReadOptions};
use nanodb::{DocView, Document, Draft, Encode, ID_FIELD, IdRef};
use nanodb_msgpack::json::elements_to_msgpack;
use nanodb_msgpack::{Cursor, RawValue};

use crate::failure::{Failure, Result};
use crate::memory::{Growing, copy_out};
use crate::output::append_json;

const READ: ReadOptions =
    ReadOptions::new().operators(true).replace_surrogates(true).decimals(Decimals::Double);

/// A document that is to be inserted. It has no id: one that it brings is left out.
#[derive(Debug)]
pub(super) struct New<'a>(Cow<'a, [u8]>);

impl New<'_> {
    pub(super) fn parse(text: &str) -> Result<Self> {
        Self::from_msgpack(Cow::Owned(json::document_to_msgpack(text.as_bytes(), &READ)?))
    }
}

impl<'a> New<'a> {
    fn from_msgpack(bytes: Cow<'a, [u8]>) -> Result<Self> {
        if DocView::from_bytes(&bytes).get(ID_FIELD).is_none() {
            return Ok(Self(bytes));
        }
        let mut document = Document::from_msgpack(&bytes)?;
        document.remove(ID_FIELD);
        Ok(Self(Cow::Owned(document.to_msgpack()?)))
    }

    /// The same, with an id chosen here.
    pub(super) fn with_id(&self, id: i64) -> WithId<'_> {
        WithId { document: self, id }
    }
}

/// The documents of a JSON array, read as a whole: each one's memory is a part of it.
#[derive(Debug)]
pub(super) struct NewDocuments(Vec<u8>);

impl NewDocuments {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let read = elements_to_msgpack(text.as_bytes(), &READ);
        Ok(Self(read.map_err(|error| Failure::invalid(error.to_string()))?))
    }

    pub(super) fn documents(&self) -> Result<Vec<New<'_>>> {
        let mut cursor = Cursor::new(&self.0);
        let documents =
            (0..cursor.read_array_len().unwrap_or(0)).map(|_| match cursor.take_value() {
                Some(bytes) if RawValue::new(bytes).is_map() => {
                    New::from_msgpack(Cow::Borrowed(bytes))
                }
                _ => Err(Failure::invalid("an element of the array is no document")),
            });
        documents.collect()
    }
}

impl Encode for New<'_> {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> nanodb::Result<Draft> {
        DocView::from_bytes(&self.0).encode(fallback, out)
    }
}

/// A new document and its id.
#[derive(Debug)]
pub(super) struct WithId<'a> {
    document: &'a New<'a>,
    id: i64,
}

impl Encode for WithId<'_> {
    fn encode(&self, _fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> nanodb::Result<Draft> {
        self.document.encode(Some(self.id.into()), out)
    }
}

/// Returns an id at random, of 52 bits: for collections that the Go program has given ids beyond
/// 2^53, behind which none can be counted.
pub(super) fn random_id() -> i64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // Keyed by the system.
    let hash = RandomState::new().hash_one(count);
    i64::try_from(hash >> 12).unwrap_or(1).max(1)
}

/// Reads a patch: the fields that are to be set.
pub(super) fn patch(text: &str) -> Result<Document> {
    let bytes = json::document_to_msgpack(text.as_bytes(), &READ)?;
    let mut patch = Document::from_msgpack(&bytes)?;
    patch.remove(ID_FIELD);
    Ok(patch)
}

/// Sets the fields of a patch, each as a whole.
pub(super) fn merge(document: &mut Document, patch: &Document) {
    for (name, value) in patch {
        document.insert(name, value.clone());
    }
}

/// Returns a document as the caller's text.
pub(super) fn text_of(document: &DocView) -> Result<*mut c_char> {
    // Mostly it is not much longer.
    let mut text = Vec::with_capacity(2 * document.as_bytes().len());
    append_json(document, &mut text)?;
    Ok(copy_out(&text)?.data)
}

/// A JSON array of documents. There is no zero byte in JSON, so that what ends with one is all of
/// it.
#[derive(Debug)]
pub(super) struct Array {
    text: Growing,
    count: usize,
    /// The document that is being written; kept to reuse its memory.
    document: Vec<u8>,
}

impl Array {
    pub(super) fn new() -> Self {
        Self { text: Growing::new(), count: 0, document: Vec::new() }
    }

    pub(super) fn push(&mut self, document: &DocView) -> Result<()> {
        self.document.clear();
        self.document.push(if self.count == 0 { b'[' } else { b',' });
        append_json(document, &mut self.document)?;
        self.text.push(&self.document)?;
        self.count += 1;
        Ok(())
    }

    /// Hands the text to the caller.
    pub(super) fn finish(mut self) -> Result<*mut c_char> {
        self.text.push(if self.count == 0 { b"[]" } else { b"]" })?;
        Ok(self.text.finish()?.data)
    }
}
