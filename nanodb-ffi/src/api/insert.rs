//! Inserting documents.

use std::cell::Cell;
use std::os::raw::c_void;

use nanodb::{Draft, Encode, Id, IdRef, WriteCollection};

use super::entry;
use crate::failure::{Failure, Result};
use crate::objects::{with_collection, writing};
use crate::output::{self, List};
use crate::part::{Format, Given};
use crate::types::{nanodb_buf, nanodb_collection, nanodb_error, nanodb_format, nanodb_status};

/// Inserts a document. One without `_id` gets the next integer as its id.
///
/// `id`, which may be null, is the document's id, in the format of the call.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_insert(
    collection: nanodb_collection,
    document: *const c_void,
    document_len: usize,
    format: nanodb_format,
    id: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(id)?;
        let format = Format::new(format)?;
        let document = arguments.encoded(document, document_len, format, "the document")?;
        let document = Given::new(document, format)?;
        let id = with_collection(
            collection,
            |target| writing!(target, collection => Ok(collection.insert(document)?)),
        )?;
        if let Some(out) = out {
            out.set(output::id(&id, format)?);
        }
        Ok(())
    })
}

/// Inserts documents, all or none: an array of them, or one after the other. This is much faster
/// than one by one; of a large file, insert a thousand documents at a time, for example.
///
/// `ids`, which may be null, is an array of their ids in the same order.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_insert_many(
    collection: nanodb_collection,
    documents: *const c_void,
    documents_len: usize,
    format: nanodb_format,
    ids: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(ids)?;
        let format = Format::new(format)?;
        let documents = arguments.encoded(documents, documents_len, format, "the documents")?;
        let documents = Given::many(documents, format)?;
        let ids = with_collection(
            collection,
            |target| writing!(target, collection => insert_all(collection, &documents)),
        )?;
        if let Some(out) = out {
            let mut list = List::new(format);
            for id in &ids {
                list.push(|output| output.id(id.as_ref()))?;
            }
            out.set(list.finish()?);
        }
        Ok(())
    })
}

fn insert_all(collection: &impl WriteCollection, documents: &[Given<'_>]) -> Result<Vec<Id>> {
    let refused = Cell::new(None);
    let numbered = documents.iter().enumerate().map(|(number, document)| Numbered {
        number,
        document,
        refused: &refused,
    });
    collection.insert_many(numbered).map_err(|error| match refused.get() {
        Some(number) => Failure::Document(number, error),
        None => Failure::Database(error),
    })
}

/// A document that says which of several it is, if it is refused.
struct Numbered<'a> {
    number: usize,
    document: &'a Given<'a>,
    refused: &'a Cell<Option<usize>>,
}

impl Encode for Numbered<'_> {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> nanodb::Result<Draft> {
        let encoded = self.document.encode(fallback, out);
        if encoded.is_err() {
            self.refused.set(Some(self.number));
        }
        encoded
    }
}
