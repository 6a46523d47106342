//! Reading the documents of the input in batches.

use std::io::Read;

use nanodb::{Document, ID_FIELD};

use super::rejects::Rejects;
use super::typed::{read_dates, read_id};
use crate::arguments::{IdType, Import};
use crate::failure::{Failure, Result};
use crate::json::{Elements, JsonError, Position};

/// A batch is full with this much JSON, even with few documents. In memory they take several times
/// as much, and there are several batches.
const BATCH_TEXT_SIZE: usize = 4 * 1024 * 1024;

/// Documents that are stored at once, and where in the input they begin.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) documents: Vec<Document>,
    pub(super) places: Vec<Position>,
    /// The text of each in the input, if rejects are written.
    pub(super) texts: Vec<Box<[u8]>>,
}

impl Batch {
    /// Empties the batch.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Part> {
        let Self { documents, places, texts } = std::mem::take(self);
        let texts = texts.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        documents.into_iter().zip(places).zip(texts).map(|((document, at), text)| Part {
            document,
            at,
            text,
        })
    }

    pub(super) fn push(&mut self, part: Part) {
        self.documents.push(part.document);
        self.places.push(part.at);
        self.texts.extend(part.text);
    }
}

/// One document of the input.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) document: Document,
    pub(super) at: Position,
    pub(super) text: Option<Box<[u8]>>,
}

/// Reads one batch after the other.
pub(super) struct Batches<R> {
    elements: Elements<R>,
    input: String,
    id_field: Option<String>,
    id_type: Option<IdType>,
    dates: Vec<String>,
    documents_max: usize,
    rejects: Option<Rejects>,
    /// The reason why the input ended early: reported once the documents before it are stored.
    unread: Option<Failure>,
}

impl<R: Read> Batches<R> {
    pub(super) fn new(
        elements: Elements<R>,
        input: String,
        arguments: &Import,
        rejects: Option<Rejects>,
    ) -> Self {
        Self {
            elements,
            input,
            id_field: arguments.id_field.clone(),
            id_type: arguments.id_type,
            dates: arguments.dates.clone(),
            documents_max: arguments.batch_size.get(),
            rejects,
            unread: None,
        }
    }

    /// Returns the next batch, or `None` at the end. Must not be called again after an error.
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
        while batch.documents.len() < self.documents_max && text_size < BATCH_TEXT_SIZE {
            let part = match self.next_document(&mut text_size) {
                Ok(Some(next)) => next,
                Ok(None) => break,
                // The documents before are valid.
                Err(failure @ Failure::Input { source: JsonError::Read(_), .. }) => {
                    self.unread = Some(failure);
                    break;
                }
                Err(failure) => return Err(failure),
            };
            batch.push(part);
        }
        Ok(batch)
    }

    fn next_document(&mut self, text_size: &mut usize) -> Result<Option<Part>> {
        loop {
            let why = match self.read_document(text_size) {
                Ok(next) => return Ok(next),
                Err(why) => why,
            };
            let Some(rejects) = self.rejects.clone() else { return Err(why.failure) };
            let text = match why.scope {
                FailureScope::Element => self.elements.shorten_last(),
                FailureScope::Line if self.elements.are_lines() => {
                    self.elements.skip_line().map_err(|e| input_failure(&self.input, e))?
                }
                FailureScope::Line | FailureScope::Input => return Err(why.failure),
            };
            rejects.write(&text, &why.failure)?;
        }
    }

    fn read_document(&mut self, text_size: &mut usize) -> Result<Option<Part>, ReadFailure> {
        let Self { elements, input, id_field, id_type, dates, rejects, .. } = self;
        let fail = |scope, source: JsonError| {
            let scope =
                if matches!(source, JsonError::Read(_)) { FailureScope::Input } else { scope };
            ReadFailure { scope, failure: input_failure(input, source) }
        };
        let next = elements.next().map_err(|error| fail(FailureScope::Line, error))?;
        let Some(element) = next else { return Ok(None) };
        *text_size += element.text.len();
        let at = element.at;
        let mut document = element.parse().map_err(|error| fail(FailureScope::Element, error))?;
        let named = id_field.as_ref().map_or(Ok(()), |field| name_id(&mut document, field));
        let mut typed = |id_type: &_| read_id(&mut document, *id_type);
        let typed = named.and_then(|()| id_type.as_ref().map_or(Ok(()), &mut typed));
        let mut dated = || dates.iter().try_for_each(|path| read_dates(&mut document, path));
        typed.and_then(|()| dated()).map_err(|why| ReadFailure {
            scope: FailureScope::Element,
            failure: Failure::Refused { name: input.clone(), at, why },
        })?;
        let text = rejects.is_some().then(|| element.text.into());
        Ok(Some(Part { document, at, text }))
    }
}

/// The reason why a document could not be read, and how much of the input is lost with it.
struct ReadFailure {
    scope: FailureScope,
    failure: Failure,
}

enum FailureScope {
    /// An element is not a document, or not one for this collection.
    Element,
    /// No element begins here.
    Line,
    /// Nothing more can be read.
    Input,
}

fn input_failure(input: &str, source: JsonError) -> Failure {
    Failure::Input { name: input.to_owned(), source }
}

/// Renames a field to `_id`.
fn name_id(document: &mut Document, field: &str) -> Result<(), String> {
    if field == ID_FIELD && document.contains_key(field) {
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
