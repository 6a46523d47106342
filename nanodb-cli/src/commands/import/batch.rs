//! Documents of the input in portions.

use std::io::Read;

use nanodb::{Document, ID_FIELD};

use crate::arguments::{Import, OnConflict};
use crate::failure::{Failure, Result};
use crate::json::{Elements, JsonError, Position};

/// A batch is full with this much JSON, however few documents that is. In memory they take
/// several times as much, and there are several batches.
const BATCH_TEXT_SIZE: usize = 4 * 1024 * 1024;

/// Documents that are to be stored at once, and where in the input they begin.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) documents: Vec<Document>,
    pub(super) places: Vec<Position>,
}

impl Batch {
    /// Empties the batch.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (Document, Position)> {
        let Self { documents, places } = std::mem::take(self);
        documents.into_iter().zip(places)
    }
}

/// Reads batch after batch.
pub(super) struct Batches<R> {
    elements: Elements<R>,
    input: String,
    id_field: Option<String>,
    documents_max: usize,
    /// No batch has documents with and without an id: those that have none are given
    /// ids that later ones may bring, and whether an id is taken must be known before.
    separate: bool,
    /// The document that did not go with the last batch.
    left_over: Option<(Document, Position)>,
    /// Why the input could not be read to its end: told once what was read before is stored.
    unread: Option<Failure>,
}

impl<R: Read> Batches<R> {
    pub(super) fn new(elements: Elements<R>, input: String, arguments: &Import) -> Self {
        Self {
            elements,
            input,
            id_field: arguments.id_field.clone(),
            documents_max: arguments.batch_size.get(),
            separate: arguments.on_conflict != OnConflict::Error,
            left_over: None,
            unread: None,
        }
    }

    /// The next batch; `None` at the end. After an error there is no point in going on.
    pub(super) fn next(&mut self) -> Option<Result<Batch>> {
        if let Some(failure) = self.unread.take() {
            return Some(Err(failure));
        }
        match self.read_batch() {
            Ok(batch) if batch.documents.is_empty() => self.unread.take().map(Err),
            result => Some(result),
        }
    }

    fn read_batch(&mut self) -> Result<Batch> {
        let mut batch = Batch::default();
        let mut text_size = 0;
        let mut with_ids = None;
        while batch.documents.len() < self.documents_max && text_size < BATCH_TEXT_SIZE {
            let (document, at) = match self.next_document(&mut text_size) {
                Ok(Some(next)) => next,
                Ok(None) => break,
                // Nothing is wrong with the documents before.
                Err(failure @ Failure::Input { source: JsonError::Read(_), .. }) => {
                    self.unread = Some(failure);
                    break;
                }
                Err(failure) => return Err(failure),
            };
            let has_id = document.contains(ID_FIELD);
            if self.separate && *with_ids.get_or_insert(has_id) != has_id {
                self.left_over = Some((document, at));
                break;
            }
            batch.documents.push(document);
            batch.places.push(at);
        }
        Ok(batch)
    }

    fn next_document(&mut self, text_size: &mut usize) -> Result<Option<(Document, Position)>> {
        if self.left_over.is_some() {
            return Ok(self.left_over.take());
        }
        let fail = |source: JsonError| Failure::Input { name: self.input.clone(), source };
        let Some(element) = self.elements.next().map_err(fail)? else { return Ok(None) };
        *text_size += element.text.len();
        let (mut document, at) = (element.parse().map_err(fail)?, element.at);
        if let Some(field) = &self.id_field {
            name_id(&mut document, field).map_err(|why| Failure::Refused {
                name: self.input.clone(),
                at,
                why,
            })?;
        }
        Ok(Some((document, at)))
    }
}

/// Makes a field the document's `_id`.
fn name_id(document: &mut Document, field: &str) -> Result<(), String> {
    if field == ID_FIELD && document.contains(field) {
        return Ok(());
    }
    let Some(id) = document.remove(field) else {
        return Err(format!("the document has no field {field:?}, which is to be its id"));
    };
    if document.insert(ID_FIELD, id).is_some() {
        return Err(format!("the document has an `_id` besides the field {field:?}"));
    }
    Ok(())
}
