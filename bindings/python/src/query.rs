//! The arguments of searches and changes, from Python's objects.

use nanodb::{Error, Filter, Find, Id, Projection, ReadCollection, Sort, Update};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString};

use crate::encode::{self, Syntax, find_id};
use crate::failure::{About, Failure};
use crate::scalars::ObjectId;

/// Writes a document of MongoDB's language.
fn bytes(value: &Bound<'_, PyAny>, what: &str, about: About) -> PyResult<Vec<u8>> {
    let bytes = encode::document(value, Syntax::Query);
    bytes.map_err(|refusal| refusal.raise(value.py(), what, about))
}

/// Takes what was read, or raises why it could not be.
fn read<T>(py: Python<'_>, about: About, read: Result<T, Error>) -> PyResult<T> {
    read.map_err(|error| Failure::from(error).raise(py, about))
}

/// Reads a filter; none is one that all documents match.
pub(crate) fn filter(value: Option<&Bound<'_, PyAny>>) -> PyResult<Filter> {
    let Some(value) = value else { return Ok(Filter::all()) };
    let parsed = Filter::from_msgpack(&bytes(value, "filter", About::Query)?);
    read(value.py(), About::Query, parsed)
}

/// Returns the id that a filter asks for and nothing else: it is looked up without a search.
///
/// A float may be equal to an id, too, and is left to the search.
pub(crate) fn only_id(filter: &Bound<'_, PyAny>) -> Option<Id> {
    let dict = filter.cast_exact::<PyDict>().ok().filter(|dict| dict.len() == 1)?;
    let id = dict.get_item(pyo3::intern!(filter.py(), "_id")).ok()??;
    let is_plain = id.is_exact_instance_of::<PyInt>()
        || id.is_exact_instance_of::<PyString>()
        || id.is_exact_instance_of::<ObjectId>()
        || id.is_exact_instance_of::<PyBytes>();
    // One that can't be read is refused by the search.
    if is_plain { find_id(&id).ok()? } else { None }
}

/// Reads an update, with its array filters.
pub(crate) fn update(
    value: &Bound<'_, PyAny>,
    array_filters: Option<&Bound<'_, PyList>>,
) -> PyResult<Update> {
    let update = bytes(value, "update", About::Update)?;
    let parsed = match array_filters {
        None => Update::from_msgpack(&update),
        Some(filters) => {
            let filters = encode::array(filters, Syntax::Query);
            let raise = |refusal: crate::refusal::Refusal| {
                refusal.raise(value.py(), "array_filters", About::Update)
            };
            Update::from_msgpack_with_filters(&update, &filters.map_err(raise)?)
        }
    };
    read(value.py(), About::Update, parsed)
}

/// What a search is to return, and of which documents.
pub(crate) struct Search {
    pub(crate) filter: Filter,
    pub(crate) sort: Option<Sort>,
    pub(crate) projection: Option<Projection>,
    pub(crate) skip: u64,
    pub(crate) limit: u64,
    pub(crate) threads: usize,
}

impl Search {
    pub(crate) fn new(
        filter: Option<&Bound<'_, PyAny>>,
        sort: Option<&Bound<'_, PyAny>>,
        projection: Option<&Bound<'_, PyAny>>,
        (skip, limit): (u64, u64),
    ) -> PyResult<Self> {
        Ok(Self {
            filter: self::filter(filter)?,
            sort: sort.map(self::sort).transpose()?,
            projection: projection.map(self::projection).transpose()?,
            skip,
            limit,
            threads: 1,
        })
    }

    /// Prepares it for a collection, if the order of what it finds does not matter.
    pub(crate) fn in_any_order<'c>(&self, collection: &'c impl ReadCollection) -> Find<'c> {
        let find = ReadCollection::find(collection, &self.filter).threads(self.threads);
        // The order decides which documents are skipped.
        match (&self.projection, self.skip, self.limit) {
            (Some(projection), 0, 0) => find.projection(projection),
            (None, 0, 0) => find,
            _ => self.of(collection),
        }
    }

    /// Prepares it for a collection.
    pub(crate) fn of<'c>(&self, collection: &'c impl ReadCollection) -> Find<'c> {
        let mut find = ReadCollection::find(collection, &self.filter).skip(self.skip);
        find = find.limit(self.limit).threads(self.threads);
        if let Some(sort) = &self.sort {
            find = find.sort(sort);
        }
        if let Some(projection) = &self.projection {
            find = find.projection(projection);
        }
        find
    }
}

/// Reads an order.
pub(crate) fn sort(value: &Bound<'_, PyAny>) -> PyResult<Sort> {
    let parsed = Sort::from_msgpack(&bytes(value, "sort", About::Query)?);
    read(value.py(), About::Query, parsed)
}

/// Reads which fields are wanted.
pub(crate) fn projection(value: &Bound<'_, PyAny>) -> PyResult<Projection> {
    let parsed = Projection::from_msgpack(&bytes(value, "projection", About::Query)?);
    read(value.py(), About::Query, parsed)
}

/// Whether an update or a replacement names `_id`: then that is the id of what it inserts.
pub(crate) fn names_id(update: &Bound<'_, PyAny>) -> bool {
    let Ok(dict) = update.cast::<PyDict>() else { return false };
    let has_id = |value: &Bound<'_, PyAny>| {
        value.cast::<PyDict>().is_ok_and(|dict| dict.contains("_id").unwrap_or(false))
    };
    has_id(update) || dict.values().iter().any(|fields| has_id(&fields))
}
