//! A collection: of a database, a snapshot or a transaction.

use std::sync::Arc;

use nanodb::{AccessPath, Collection, DocView, SnapshotCollection, StoredDoc};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

use crate::arrow::{self, Mixed};
use crate::bulk::{Bulk, Documents, Inserted, is_refusal};
use crate::cursor::RawCursor;
use crate::database::Share;
use crate::decode;
use crate::encode::{self, EncodedId, Ids, Syntax, id_of};
use crate::failure::{About, Failure};
use crate::process::Held;
use crate::query::{self, Search, only_id};
use crate::scalars::id_to_python;
use crate::transaction::Shared;
use crate::write::{Change, FindAndModify, Modified, Modify};

/// What a collection is read from and written to.
pub(crate) enum Source {
    Collection(Box<Held<Collection>>),
    Snapshot(Box<Held<SnapshotCollection>>),
    Transaction(Arc<Shared>),
}

/// A collection of a database, a snapshot or a transaction.
#[pyclass(frozen, module = "nanodb._nanodb")]
pub(crate) struct RawCollection {
    name: String,
    source: Source,
    // After what it has opened.
    share: Share,
}

/// Calls a verb that reads, on whatever the collection is of.
macro_rules! read {
    ($this:expr, $py:expr, $about:expr, |$collection:ident| $verb:expr) => {
        match &$this.source {
            Source::Collection(held) => {
                held.get().and_then(|$collection| $py.detach(|| $verb).map_err(Failure::from))
            }
            Source::Snapshot(held) => {
                held.get().and_then(|$collection| $py.detach(|| $verb).map_err(Failure::from))
            }
            Source::Transaction(shared) => $py.detach(|| {
                shared.run(|transaction| {
                    let $collection = &transaction.collection(&$this.name);
                    $verb
                })
            }),
        }
        .map_err(|failure| failure.raise($py, $about))
    };
}

/// Calls a verb that writes.
macro_rules! write {
    ($this:expr, $py:expr, $about:expr, |$collection:ident| $verb:expr) => {
        match &$this.source {
            Source::Collection(held) => {
                held.get().and_then(|$collection| $py.detach(|| $verb).map_err(Failure::from))
            }
            Source::Snapshot(_) => Err(Failure::Snapshot),
            Source::Transaction(shared) => $py.detach(|| {
                shared.run(|transaction| {
                    let $collection = &transaction.collection(&$this.name);
                    $verb
                })
            }),
        }
        .map_err(|failure| failure.raise($py, $about))
    };
}

/// Calls verbs that must be within one transaction: that of the collection, or one of their own.
macro_rules! write_within {
    ($this:expr, $py:expr, $about:expr, |$collection:ident| $verb:expr) => {
        match &$this.source {
            Source::Collection(held) => held.get().and_then(|_| {
                let database = $this.share.database()?;
                let run = || {
                    database.write(|transaction| {
                        let $collection = &transaction.collection(&$this.name);
                        $verb
                    })
                };
                $py.detach(run).map_err(Failure::from)
            }),
            Source::Snapshot(_) => Err(Failure::Snapshot),
            Source::Transaction(shared) => $py.detach(|| {
                shared.run(|transaction| {
                    let $collection = &transaction.collection(&$this.name);
                    $verb
                })
            }),
        }
        .map_err(|failure: Failure| failure.raise($py, $about))
    };
}

impl RawCollection {
    pub(crate) fn new(name: String, source: Source, share: Share) -> Self {
        Self { name, source, share }
    }

    fn ids(&self, py: Python<'_>) -> PyResult<Ids> {
        let opened = self.share.opened();
        Ok(opened.map_err(|failure| failure.raise(py, About::Database))?.ids)
    }

    fn to_dict<'py>(
        &self,
        py: Python<'py>,
        document: Option<StoredDoc>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        document.map(|document| decode::document(py, &document, self.share.decoding())).transpose()
    }

    fn document(&self, py: Python<'_>, document: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let bytes = encode::document(document, Syntax::Document);
        bytes.map_err(|refusal| refusal.raise(py, &self.name, About::Document))
    }

    fn modify(&self, py: Python<'_>, modify: &Modify, about: About) -> PyResult<Modified> {
        match modify.takes_steps() {
            false => write!(self, py, about, |collection| modify.run(collection)),
            true => write_within!(self, py, about, |collection| modify.run_within(collection)),
        }
    }
}

/// The counts of an update, and the id of what it inserted.
type Counts<'py> = (u64, u64, Option<Bound<'py, PyAny>>);

fn counts<'py>(py: Python<'py>, modified: &Modified) -> PyResult<Counts<'py>> {
    let id = modified.upserted.as_ref().map(|id| id_to_python(py, id)).transpose()?;
    Ok((modified.matched, modified.modified, id))
}

#[pymethods]
impl RawCollection {
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Inserts a document and returns its id, which the document has then.
    fn insert_one<'py>(
        &self,
        py: Python<'py>,
        document: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut bytes = Vec::with_capacity(256);
        let id = encode::new_document(document, self.ids(py)?, &mut bytes);
        let id = id.map_err(|refusal| refusal.raise(py, &self.name, About::Document))?;
        let inserted = write!(self, py, About::Document, |collection| {
            collection.insert(DocView::from_bytes(&bytes))
        })?;
        match id {
            EncodedId::Known(id) if !id.is_instance_of::<pyo3::types::PyFloat>() => Ok(id),
            EncodedId::Known(_) => id_to_python(py, &inserted),
            EncodedId::Assigned => {
                let id = id_to_python(py, &inserted)?;
                if let Ok(dict) = document.cast::<PyDict>() {
                    dict.set_item(pyo3::intern!(py, "_id"), &id)?;
                }
                Ok(id)
            }
        }
    }

    /// Inserts documents. Returns their ids, and the errors of those that were refused: position,
    /// kind, text, and the id if it is taken.
    fn insert_many<'py>(
        &self,
        py: Python<'py>,
        documents: &Bound<'py, PyAny>,
        ordered: bool,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
        let encoded = Documents::new(documents, self.ids(py)?, &self.name)?;
        let inserted = if encoded.is_empty() {
            Inserted::default()
        } else {
            let bytes = encoded.bytes();
            // Nearly always all can be inserted, at once. If not, one by one finds out which.
            let all_or_none = write!(self, py, About::Document, |collection| {
                match bytes.insert(collection) {
                    Ok(ids) => Ok(Some(ids)),
                    Err(error) if is_refusal(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            })?;
            match all_or_none {
                Some(ids) => Inserted::of(ids),
                None => write_within!(self, py, About::Document, |collection| {
                    bytes.insert_one_by_one(collection, ordered)
                })?,
            }
        };
        let ids = encoded.ids(py, &inserted.ids)?;
        for (position, document) in documents.try_iter()?.enumerate() {
            let stored = inserted.ids.get(position).is_some_and(Option::is_some);
            if stored && encoded.is_assigned(position) {
                let document = document?;
                if let Ok(dict) = document.cast::<PyDict>() {
                    dict.set_item(pyo3::intern!(py, "_id"), ids.get_item(position)?)?;
                }
            }
        }
        let errors = inserted.errors(py)?;
        Ok((ids, errors))
    }

    /// Returns the document with this id.
    fn get<'py>(
        &self,
        py: Python<'py>,
        id: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let id = id_of(id, &self.name)?;
        let found = read!(self, py, About::Query, |collection| collection.get(&id))?;
        self.to_dict(py, found)
    }

    /// Whether there is a document with this id.
    fn contains(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = id_of(id, &self.name)?;
        read!(self, py, About::Query, |collection| collection.contains(&id))
    }

    /// Stores a document under an id; returns whether it took another's place.
    fn put(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyAny>,
        document: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let id = id_of(id, &self.name)?;
        let bytes = self.document(py, document)?;
        write!(self, py, About::Document, |collection| {
            collection.put(&id, DocView::from_bytes(&bytes))
        })
    }

    /// Deletes the document with this id.
    fn remove(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = id_of(id, &self.name)?;
        write!(self, py, About::Document, |collection| collection.delete(&id))
    }

    /// How many documents there are, without looking at them.
    fn len(&self, py: Python<'_>) -> PyResult<u64> {
        read!(self, py, About::Query, |collection| collection.count())
    }

    /// How many documents match, after `skip` and `limit`.
    fn count(
        &self,
        py: Python<'_>,
        filter: Option<&Bound<'_, PyAny>>,
        skip: u64,
        limit: u64,
    ) -> PyResult<u64> {
        let search = Search::new(filter, None, None, (skip, limit))?;
        read!(self, py, About::Query, |collection| search.of(collection).count())
    }

    /// Returns the first document that a search finds.
    fn find_one<'py>(
        &self,
        py: Python<'py>,
        filter: Option<&Bound<'py, PyAny>>,
        projection: Option<&Bound<'py, PyAny>>,
        sort: Option<&Bound<'py, PyAny>>,
        skip: u64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let id = filter.and_then(only_id).filter(|_| projection.is_none() && skip == 0);
        let found = match id {
            Some(id) => {
                if let Some(sort) = sort {
                    query::sort(sort)?;
                }
                read!(self, py, About::Query, |collection| collection.get(&id))?
            }
            None => {
                let search = Search::new(filter, sort, projection, (skip, 0))?;
                read!(self, py, About::Query, |collection| search.of(collection).first())?
            }
        };
        self.to_dict(py, found)
    }

    /// Starts a search.
    #[pyo3(signature = (filter, projection, sort, skip, limit, batch_size, threads))]
    #[allow(clippy::too_many_arguments, reason = "they are those of a search")]
    fn find(
        &self,
        py: Python<'_>,
        filter: Option<&Bound<'_, PyAny>>,
        projection: Option<&Bound<'_, PyAny>>,
        sort: Option<&Bound<'_, PyAny>>,
        skip: u64,
        limit: u64,
        batch_size: usize,
        threads: usize,
    ) -> PyResult<RawCursor> {
        let mut search = Search::new(filter, sort, projection, (skip, limit))?;
        search.threads = threads;
        let found = read!(self, py, About::Query, |collection| search.of(collection).run())?;
        Ok(RawCursor::new(found, batch_size, self.share.clone()))
    }

    /// Runs a search, whose documents become the rows of a table: a stream of Arrow's C data
    /// interface, in a capsule.
    #[pyo3(signature = (filter, projection, sort, skip, limit, threads, mixed))]
    #[allow(clippy::too_many_arguments, reason = "they are those of a search")]
    fn arrow<'py>(
        &self,
        py: Python<'py>,
        filter: Option<&Bound<'py, PyAny>>,
        projection: Option<&Bound<'py, PyAny>>,
        sort: Option<&Bound<'py, PyAny>>,
        skip: u64,
        limit: u64,
        threads: usize,
        mixed: &str,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let mixed = Mixed::from_name(py, mixed)?;
        let mut search = Search::new(filter, sort, projection, (skip, limit))?;
        search.threads = threads;
        let found = match &self.source {
            Source::Collection(held) => held.get().and_then(|_| {
                let database = self.share.database()?;
                py.detach(|| {
                    let snapshot = database.snapshot().collection(&self.name);
                    arrow::run_twice(&search, &snapshot).map_err(Failure::from)
                })
            }),
            Source::Snapshot(held) => held.get().and_then(|collection| {
                py.detach(|| arrow::run_twice(&search, collection).map_err(Failure::from))
            }),
            Source::Transaction(shared) => py.detach(|| {
                shared.run(|transaction| {
                    arrow::run_twice(&search, &transaction.collection(&self.name))
                })
            }),
        };
        arrow::raise_either(py, found)?.into_capsule(py, mixed, self.share.clone())
    }

    /// Runs a search to its end, and returns what it did.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        filter: Option<&Bound<'py, PyAny>>,
        projection: Option<&Bound<'py, PyAny>>,
        sort: Option<&Bound<'py, PyAny>>,
        skip: u64,
        limit: u64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let search = Search::new(filter, sort, projection, (skip, limit))?;
        let explain = read!(self, py, About::Query, |collection| {
            search.of(collection).explain_analyze()
        })?;
        let dict = PyDict::new(py);
        match explain.plan.access_path {
            AccessPath::IdLookup { count } => {
                dict.set_item("access_path", "id_lookup")?;
                dict.set_item("ids", count)?;
            }
            _ => dict.set_item("access_path", "collection_scan")?,
        }
        dict.set_item("documents_examined", explain.documents_examined)?;
        dict.set_item("documents_returned", explain.documents_returned)?;
        dict.set_item("temporary_bytes", explain.temporary_bytes)?;
        dict.set_item("text", explain.to_string())?;
        Ok(dict)
    }

    /// Returns the values at a path, each once.
    fn distinct<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        filter: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let filter = query::filter(filter)?;
        let values = read!(self, py, About::Query, |collection| collection.distinct(key, &filter))?;
        let list = PyList::empty(py);
        for value in &values {
            list.append(decode::value(py, value, self.share.decoding())?)?;
        }
        Ok(list)
    }

    /// Returns the values at a path, and how many documents have each.
    fn count_by<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        filter: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let filter = query::filter(filter)?;
        let values = read!(self, py, About::Query, |collection| collection.count_by(key, &filter))?;
        let list = PyList::empty(py);
        for (value, count) in &values {
            list.append((decode::value(py, value, self.share.decoding())?, *count))?;
        }
        Ok(list)
    }

    /// Updates one document that matches, or all. Returns how many matched and were changed, and
    /// the id of what was inserted.
    fn update<'py>(
        &self,
        py: Python<'py>,
        filter: &Bound<'py, PyAny>,
        update: &Bound<'py, PyAny>,
        array_filters: Option<&Bound<'py, PyList>>,
        many: bool,
        upsert: bool,
    ) -> PyResult<Counts<'py>> {
        let change = Change::Update(query::update(update, array_filters)?);
        let filter = query::filter(Some(filter))?;
        let new_id = (!query::names_id(update)).then_some(self.ids(py)?);
        let modify = Modify { filter, change, many, upsert, new_id };
        counts(py, &self.modify(py, &modify, About::Update)?)
    }

    /// Replaces one document that matches.
    fn replace<'py>(
        &self,
        py: Python<'py>,
        filter: &Bound<'py, PyAny>,
        replacement: &Bound<'py, PyAny>,
        upsert: bool,
    ) -> PyResult<Counts<'py>> {
        let change = Change::Replace(self.document(py, replacement)?);
        let filter = query::filter(Some(filter))?;
        let new_id = (!query::names_id(replacement)).then_some(self.ids(py)?);
        let modify = Modify { filter, change, many: false, upsert, new_id };
        counts(py, &self.modify(py, &modify, About::Update)?)
    }

    /// Deletes one document that matches, or all; returns how many.
    fn delete(&self, py: Python<'_>, filter: &Bound<'_, PyAny>, many: bool) -> PyResult<u64> {
        let filter = query::filter(Some(filter))?;
        let modify = Modify { filter, change: Change::Delete, many, upsert: false, new_id: None };
        Ok(self.modify(py, &modify, About::Query)?.deleted)
    }

    /// Changes one document that matches and returns it. The change is an update, a replacement, or
    /// neither: then it is deleted.
    #[allow(clippy::too_many_arguments, reason = "they are those of a search and of a change")]
    #[pyo3(signature = (filter, update, replacement, array_filters, projection, sort, upsert, new))]
    fn find_and_modify<'py>(
        &self,
        py: Python<'py>,
        filter: &Bound<'py, PyAny>,
        update: Option<&Bound<'py, PyAny>>,
        replacement: Option<&Bound<'py, PyAny>>,
        array_filters: Option<&Bound<'py, PyList>>,
        projection: Option<&Bound<'py, PyAny>>,
        sort: Option<&Bound<'py, PyAny>>,
        upsert: bool,
        new: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let change = match (update, replacement) {
            (Some(update), _) => Change::Update(query::update(update, array_filters)?),
            (None, Some(replacement)) => Change::Replace(self.document(py, replacement)?),
            (None, None) => Change::Delete,
        };
        let named = update.or(replacement).is_none_or(query::names_id);
        let new_id = (!named).then_some(self.ids(py)?);
        let filter = query::filter(Some(filter))?;
        let find = FindAndModify {
            modify: Modify { filter, change, many: false, upsert, new_id },
            sort: sort.map(query::sort).transpose()?,
            projection: projection.map(query::projection).transpose()?,
            returns_new: new,
        };
        let document = match upsert {
            false => write!(self, py, About::Update, |collection| find.run(collection)),
            true => {
                write_within!(self, py, About::Update, |collection| find.run_within(collection))
            }
        }?;
        self.to_dict(py, document)
    }

    /// Makes several writes, as one transaction. Returns what they did, and the errors of those
    /// that were refused.
    fn bulk_write<'py>(
        &self,
        py: Python<'py>,
        operations: &Bound<'py, PyList>,
        ordered: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let bulk = Bulk::new(operations, ordered, self.ids(py)?, &self.name)?;
        let done = write_within!(self, py, About::Update, |collection| bulk.run(collection))?;
        done.to_python(py)
    }
}
