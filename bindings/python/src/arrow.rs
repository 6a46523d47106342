//! From stored documents to tables of Apache Arrow, without objects of Python's in between.
//!
//! A table has a type for each column, documents have none: the search runs twice, over the same
//! state of the collection. The first pass finds out what the fields hold ([`shape`]), from which
//! their types follow ([`types`]). The second fills columns ([`column`]) and hands them out in
//! batches ([`stream`]), through the C data interface: whoever reads them takes the memory over.

mod column;
mod names;
mod shape;
mod stream;
mod types;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use nanodb::{Cursor, ReadCollection};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

pub(crate) use self::types::Mixed;

use self::shape::Shape;
use self::stream::Batches;
use crate::database::Share;
use crate::failure::{About, Failure, make, plain};
use crate::query::Search;

/// Why documents become no table.
#[derive(Debug)]
pub(crate) enum Refused {
    /// A stored document can't be read.
    Damaged(String),
    /// A field, named by its path, holds what no column does.
    Field { path: String, text: String },
    /// There are too many fields.
    Fields(String),
}

impl Refused {
    #[cold]
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Damaged(text) => plain(py, "damaged", About::Document, &text),
            Self::Fields(text) => plain(py, "too_large", About::Query, &text),
            Self::Field { path, text } => {
                let details = PyDict::new(py);
                let made = details
                    .set_item("path", path)
                    .and_then(|()| make(py, "wrong_type", About::Query, &text, Some(&details)));
                made.unwrap_or_else(|failed| failed)
            }
        }
    }

    /// The text of the error, for who reads a stream that fails half-way.
    fn into_text(self) -> String {
        match self {
            Self::Damaged(text) | Self::Fields(text) | Self::Field { text, .. } => text,
        }
    }
}

/// A search that was run once, to learn what it finds, and begins again.
pub(crate) struct Found {
    shape: Shape,
    again: Cursor,
}

/// Runs a search once and starts it again. The collection must not change between the two.
pub(crate) fn run_twice(
    search: &Search,
    collection: &impl ReadCollection,
) -> nanodb::Result<Result<Found, Refused>> {
    let mut shape = Shape::default();
    for document in search.in_any_order(collection).run()? {
        if let Err(refused) = shape.add(&document?) {
            return Ok(Err(refused));
        }
    }
    Ok(Ok(Found { shape, again: search.of(collection).run()? }))
}

impl Found {
    /// Returns the stream in a capsule, as `__arrow_c_stream__` has to.
    pub(crate) fn into_capsule<'py>(
        self,
        py: Python<'py>,
        mixed: Mixed,
        share: Share,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = types::schema(&self.shape, mixed, share.decoding().tz_aware);
        let schema = schema.map_err(|refused| refused.raise(py))?;
        let batches = Batches::new(schema, self.again, share);
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

/// Raises why a search ended, of which the engine knows or this module.
pub(crate) fn raise_either(
    py: Python<'_>,
    found: Result<Result<Found, Refused>, Failure>,
) -> PyResult<Found> {
    let found = found.map_err(|failure| failure.raise(py, About::Query))?;
    found.map_err(|refused| refused.raise(py))
}
