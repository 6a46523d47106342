//! The batches of a table, each made when it is asked for.
//!
//! Whoever reads them may do so on any thread, with the interpreter held or released: nothing of
//! Python's is needed.

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use nanodb::Cursor;
use nanodb_msgpack::Cursor as Bytes;

use super::column::Documents;
use super::shape::damaged;
use crate::database::Share;
use crate::process::Held;

/// How many rows a batch has at most.
const ROWS_MAX: usize = 10_000;

/// How many values a batch has at most, null ones included, but for batches of few rows.
const VALUES_MAX: usize = 1 << 22;
const FEW_ROWS: usize = 64;

/// How many bytes of documents a batch has at most, but for its last document. A column has far
/// less text than its offsets of 32 bits can tell.
const BYTES_MAX: usize = 16 << 20;

/// A search whose documents become rows.
pub(super) struct Batches {
    schema: SchemaRef,
    rows: Option<Documents>,
    rows_max: usize,
    /// Until all are read, or reading failed.
    found: Option<Held<Cursor>>,
    // After what it has opened.
    _share: Share,
}

impl Batches {
    pub(super) fn new(schema: SchemaRef, found: Cursor, share: Share) -> Self {
        let columns = schema.flattened_fields().len().max(1);
        let rows_max = (VALUES_MAX / columns).clamp(FEW_ROWS, ROWS_MAX);
        let rows = Documents::new(schema.fields());
        Self { schema, rows, rows_max, found: Some(Held::new(found)), _share: share }
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let Some(found) = &mut self.found else { return Ok(None) };
        let Ok(found) = found.get_mut() else {
            return Err(failed("the search was begun by the process that this one is a fork of"));
        };
        let Some(rows) = &mut self.rows else { return Err(failed("a type is not known")) };
        let mut bytes = 0;
        while rows.len() < self.rows_max && bytes < BYTES_MAX {
            let Some(document) = found.next() else { break };
            let document = document.map_err(|error| ArrowError::ExternalError(error.into()))?;
            let mut cursor = Bytes::new(document.as_bytes());
            let appended = cursor.read_map_len().and_then(|len| rows.append(&mut cursor, len));
            if appended.is_none() {
                return Err(failed(&damaged(&document).into_text()));
            }
            bytes += document.as_bytes().len();
        }
        match rows.len() {
            0 => Ok(None),
            _ => rows.finish_batch(&self.schema).map(Some),
        }
    }
}

#[cold]
fn failed(text: &str) -> ArrowError {
    ArrowError::ExternalError(text.into())
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batch().transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.found = None;
        }
        batch
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}
