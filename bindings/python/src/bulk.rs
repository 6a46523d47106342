//! Several writes in one call, which goes on or ends at the first that is refused, as MongoDB's
//! drivers say.
//!
//! The engine's own bulk writes are all or nothing. These are one transaction as well, and readers
//! see all of it at once; but a write that is refused does not undo those before it.

use std::ops::Range;

use nanodb::{DocView, Error, ErrorKind, Id, Result, TransactionCollection, WriteCollection};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::encode::{self, EncodedId, Ids};
use crate::failure::{About, name_of};
use crate::query;
use crate::scalars::id_to_python;
use crate::write::{Change, Modified, Modify};

/// One write.
enum Operation {
    /// A document, as a part of the buffer.
    Insert(Range<usize>),
    Modify(Modify),
}

/// Writes, read from Python's objects.
pub(crate) struct Bulk {
    operations: Vec<Operation>,
    /// The documents to be inserted.
    buffer: Vec<u8>,
    ordered: bool,
}

/// What they have done.
#[derive(Default)]
pub(crate) struct Done {
    inserted: u64,
    matched: u64,
    modified: u64,
    deleted: u64,
    upserted: Vec<(usize, Id)>,
    /// Those that were refused, by position.
    errors: Vec<(usize, Error)>,
}

/// Whether other writes can go on after such an error, which is about one document.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::DuplicateId | ErrorKind::Invalid)
}

impl Bulk {
    /// Reads operations: tuples that begin with what is to be done.
    pub(crate) fn new(
        operations: &Bound<'_, PyList>,
        ordered: bool,
        ids: Ids,
        collection: &str,
    ) -> PyResult<Self> {
        let mut bulk = Self { operations: Vec::new(), buffer: Vec::new(), ordered };
        for (position, operation) in operations.iter().enumerate() {
            let operation = operation.cast_into::<PyTuple>()?;
            let what: String = operation.get_item(0)?.extract()?;
            let place = format!("{collection}: operation {position}");
            let operation = bulk.read(&what, &operation, ids, &place)?;
            bulk.operations.push(operation);
        }
        Ok(bulk)
    }

    fn read(
        &mut self,
        what: &str,
        operation: &Bound<'_, PyTuple>,
        ids: Ids,
        place: &str,
    ) -> PyResult<Operation> {
        let py = operation.py();
        if what == "insert" {
            let start = self.buffer.len();
            let document = operation.get_item(1)?;
            let encoded = encode::new_document(&document, ids, &mut self.buffer);
            encoded.map_err(|refusal| refusal.raise(py, place, About::Document))?;
            return Ok(Operation::Insert(start..self.buffer.len()));
        }
        let filter = query::filter(Some(&operation.get_item(1)?))?;
        let flag = |index| -> PyResult<bool> { operation.get_item(index)?.extract() };
        let (change, many, upsert, named) = match what {
            "update" => {
                let update = operation.get_item(2)?;
                let filters = operation.get_item(3)?;
                let filters = filters.cast::<PyList>().ok();
                let change = Change::Update(query::update(&update, filters)?);
                (change, flag(4)?, flag(5)?, query::names_id(&update))
            }
            "replace" => {
                let document = operation.get_item(2)?;
                let bytes = encode::document(&document, encode::Syntax::Document);
                let bytes = bytes.map_err(|refusal| refusal.raise(py, place, About::Document))?;
                (Change::Replace(bytes), false, flag(3)?, query::names_id(&document))
            }
            _ => (Change::Delete, flag(2)?, false, true),
        };
        let new_id = (!named).then_some(ids);
        Ok(Operation::Modify(Modify { filter, change, many, upsert, new_id }))
    }

    /// Carries them out within a transaction.
    pub(crate) fn run(&self, collection: &TransactionCollection<'_>) -> Result<Done> {
        let mut done = Done::default();
        for (position, operation) in self.operations.iter().enumerate() {
            match self.run_one(collection, operation) {
                Ok(modified) => done.add(position, modified, operation),
                Err(error) if is_refusal(&error) => {
                    done.errors.push((position, error));
                    if self.ordered {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn run_one(
        &self,
        collection: &TransactionCollection<'_>,
        operation: &Operation,
    ) -> Result<Modified> {
        match operation {
            Operation::Insert(range) => {
                let document = self.buffer.get(range.clone()).unwrap_or_default();
                collection.insert(DocView::from_bytes(document))?;
                Ok(Modified::default())
            }
            Operation::Modify(modify) => modify.run_within(collection),
        }
    }
}

impl Done {
    fn add(&mut self, position: usize, modified: Modified, operation: &Operation) {
        self.inserted += u64::from(matches!(operation, Operation::Insert(_)));
        self.matched += modified.matched;
        self.modified += modified.modified;
        self.deleted += modified.deleted;
        self.upserted.extend(modified.upserted.map(|id| (position, id)));
    }

    pub(crate) fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let upserted = PyDict::new(py);
        for (position, id) in &self.upserted {
            upserted.set_item(position, id_to_python(py, id)?)?;
        }
        let dict = PyDict::new(py);
        dict.set_item("inserted", self.inserted)?;
        dict.set_item("matched", self.matched)?;
        dict.set_item("modified", self.modified)?;
        dict.set_item("deleted", self.deleted)?;
        dict.set_item("upserted", upserted)?;
        dict.set_item("errors", errors_to_python(py, &self.errors)?)?;
        Ok(dict)
    }
}

/// Errors by position, with kind, text, and the id that is taken if that is why.
fn errors_to_python<'py>(
    py: Python<'py>,
    errors: &[(usize, Error)],
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (position, error) in errors {
        let is_taken = error.kind() == ErrorKind::DuplicateId;
        let id = error.id().filter(|_| is_taken).map(|id| id_to_python(py, &id)).transpose()?;
        list.append((position, name_of(error.kind()), error.to_string(), id))?;
    }
    Ok(list)
}

/// Documents to be inserted, encoded one after the other.
pub(crate) struct Documents<'py> {
    buffer: Vec<u8>,
    ranges: Vec<Range<usize>>,
    ids: Vec<EncodedId<'py>>,
}

impl<'py> Documents<'py> {
    pub(crate) fn new(documents: &Bound<'py, PyAny>, ids: Ids, collection: &str) -> PyResult<Self> {
        let py = documents.py();
        let mut all = Self { buffer: Vec::new(), ranges: Vec::new(), ids: Vec::new() };
        for (position, document) in documents.try_iter()?.enumerate() {
            let document = document?;
            let start = all.buffer.len();
            let id = encode::new_document(&document, ids, &mut all.buffer);
            let id = id.map_err(|refusal| {
                refusal.at_index(position).raise(py, collection, About::Document)
            })?;
            all.ranges.push(start..all.buffer.len());
            all.ids.push(id);
        }
        Ok(all)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The bytes, apart from what is Python's.
    pub(crate) fn bytes(&self) -> Encoded<'_> {
        Encoded { buffer: &self.buffer, ranges: &self.ranges }
    }

    /// The ids: those that were given, or made, or assigned.
    pub(crate) fn ids(
        &self,
        py: Python<'py>,
        assigned: &[Option<Id>],
    ) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for (position, id) in self.ids.iter().enumerate() {
            match (id, assigned.get(position)) {
                (EncodedId::Known(id), _) => list.append(id)?,
                (EncodedId::Assigned, Some(Some(id))) => list.append(id_to_python(py, id)?)?,
                (EncodedId::Assigned, _) => list.append(py.None())?,
            }
        }
        Ok(list)
    }

    /// Where an id was assigned.
    pub(crate) fn is_assigned(&self, position: usize) -> bool {
        matches!(self.ids.get(position), Some(EncodedId::Assigned))
    }
}

/// The bytes of documents.
#[derive(Clone, Copy)]
pub(crate) struct Encoded<'a> {
    buffer: &'a [u8],
    ranges: &'a [Range<usize>],
}

impl<'a> Encoded<'a> {
    fn views(self) -> impl Iterator<Item = &'a DocView> {
        let view = |range: &Range<usize>| {
            DocView::from_bytes(self.buffer.get(range.clone()).unwrap_or_default())
        };
        self.ranges.iter().map(view)
    }

    /// Inserts all or none.
    pub(crate) fn insert(self, collection: &impl WriteCollection) -> Result<Vec<Option<Id>>> {
        Ok(collection.insert_many(self.views())?.into_iter().map(Some).collect())
    }

    /// Inserts those that can be, up to the first that can't if they are ordered.
    pub(crate) fn insert_one_by_one(
        self,
        collection: &TransactionCollection<'_>,
        ordered: bool,
    ) -> Result<Inserted> {
        let mut inserted = Inserted::default();
        for (position, document) in self.views().enumerate() {
            match collection.insert(document) {
                Ok(id) => inserted.ids.push(Some(id)),
                Err(error) if is_refusal(&error) => {
                    inserted.ids.push(None);
                    inserted.errors.push((position, error));
                    if ordered {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(inserted)
    }
}

/// What has become of documents.
#[derive(Default)]
pub(crate) struct Inserted {
    /// The ids of those that are stored, by position.
    pub(crate) ids: Vec<Option<Id>>,
    errors: Vec<(usize, Error)>,
}

impl Inserted {
    pub(crate) fn of(ids: Vec<Option<Id>>) -> Self {
        Self { ids, errors: Vec::new() }
    }

    pub(crate) fn errors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        errors_to_python(py, &self.errors)
    }
}
