//! JSON in and out, as the Go program had it.
//!
//! It took any JSON object for a document. Names with a dollar in front are stored as they are, but
//! for the forms of values that JSON lacks, such as `{"$date": ...}`.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use nanodb::json::{self, Decimals, ReadOptions, WriteOptions};
use nanodb::{DocView, Document, Draft, Encode, ID_FIELD, IdRef};

use crate::failure::Result;

const READ: ReadOptions =
    ReadOptions::new().operators(true).replace_surrogates(true).decimals(Decimals::Double);

/// A document that is to be inserted. It has no id: one that it brings is left out.
#[derive(Debug)]
pub(super) struct New(Vec<u8>);

impl New {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let bytes = json::document_to_msgpack(text.as_bytes(), &READ)?;
        if DocView::from_bytes(&bytes).get(ID_FIELD).is_none() {
            return Ok(Self(bytes));
        }
        let mut document = Document::from_msgpack(&bytes)?;
        document.remove(ID_FIELD);
        Ok(Self(document.to_msgpack()?))
    }

    /// The same, with an id chosen here.
    pub(super) fn with_id(&self, id: i64) -> WithId<'_> {
        WithId { document: self, id }
    }
}

impl Encode for New {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> nanodb::Result<Draft> {
        DocView::from_bytes(&self.0).encode(fallback, out)
    }
}

/// A new document and its id.
#[derive(Debug)]
pub(super) struct WithId<'a> {
    document: &'a New,
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

/// A JSON array of documents.
#[derive(Debug)]
pub(super) struct Array(String);

impl Array {
    pub(super) fn new() -> Self {
        Self("[".to_owned())
    }

    pub(super) fn push(&mut self, document: &DocView) -> Result<()> {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        Ok(document.write_json(&WriteOptions::new(), &mut self.0)?)
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push(']');
        self.0
    }
}
