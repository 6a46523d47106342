//! An open database.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nanodb::{Closed, Database, Durability, Options};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::collection::{RawCollection, Source};
use crate::decode::Decoding;
use crate::encode::Ids;
use crate::failure::{About, Failure, plain};
use crate::process::Held;
use crate::snapshot::RawSnapshot;
use crate::transaction::RawTransaction;

/// An opening of a database, which all handles that come from it share.
pub(crate) struct Opened {
    database: Held<Database>,
    /// Where the file is, which a fork may be told, too.
    path: Option<PathBuf>,
    pub(crate) ids: Ids,
    pub(crate) decoding: Decoding,
}

/// A share of an opening. The last one closes the database, and Python's other threads need not
/// wait for that.
pub(crate) struct Share(Option<Arc<Opened>>);

impl Share {
    fn new(opened: Opened) -> Self {
        Self(Some(Arc::new(opened)))
    }

    #[inline]
    pub(crate) fn database(&self) -> Result<&Database, Failure> {
        self.opened()?.database.get()
    }

    /// What it was opened with.
    #[inline]
    pub(crate) fn opened(&self) -> Result<&Opened, Failure> {
        self.0.as_deref().ok_or(Failure::Released("database"))
    }

    /// How stored values become Python's.
    #[inline]
    pub(crate) fn decoding(&self) -> Decoding {
        self.0.as_ref().map_or(Decoding { tz_aware: true }, |opened| opened.decoding)
    }
}

impl Clone for Share {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let is_last = self.0.as_ref().is_some_and(|opened| Arc::strong_count(opened) == 1);
        if is_last {
            let opened = &mut self.0;
            // The interpreter may be about to end; then it is dropped as it is.
            Python::try_attach(|py| py.detach(|| drop(opened.take())));
        }
    }
}

/// Opens the database in a file, or one in memory if there is no path.
///
/// `options` has the names of the Rust library's options; what each does is said in the package.
#[pyfunction]
pub(crate) fn open(
    py: Python<'_>,
    path: Option<PathBuf>,
    options: &Bound<'_, PyDict>,
    ids: &str,
    tz_aware: bool,
) -> PyResult<RawDatabase> {
    let ids = match ids {
        "objectid" => Ids::ObjectId,
        "integer" => Ids::Integer,
        other => return Err(unknown(py, "ids", other, "\"objectid\" or \"integer\"")),
    };
    let mut chosen = Database::options();
    for (name, value) in options
        .items()
        .iter()
        .map(|pair| pair.extract())
        .collect::<PyResult<Vec<(String, Bound<'_, PyAny>)>>>()?
    {
        if value.is_none() {
            continue;
        }
        chosen = choose(chosen, &name, &value).map_err(|error| about_option(py, &name, error))?;
    }
    let opened = py.detach(|| match path {
        Some(path) => chosen.open(path),
        None => chosen.in_memory(),
    });
    let database = opened.map_err(|error| Failure::from(error).raise(py, About::Database))?;
    let path = database.path().map(ToOwned::to_owned);
    let decoding = Decoding { tz_aware };
    let opened = Opened { database: Held::new(database), path, ids, decoding };
    Ok(RawDatabase { share: Share::new(opened) })
}

/// Sets one option.
fn choose(chosen: Options, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Options> {
    let py = value.py();
    Ok(match name {
        "cache_bytes_max" => chosen.cache_bytes_max(value.extract()?),
        "index_bytes_max" => chosen.index_bytes_max(value.extract()?),
        "durability" => chosen.durability(durability(py, &value.extract::<String>()?)?),
        "log_bytes_max" => chosen.log_bytes_max(value.extract()?),
        "transaction_bytes_max" => chosen.transaction_bytes_max(value.extract()?),
        "file_bytes_max" => chosen.file_bytes_max(value.extract()?),
        "relaxed_flush_interval" => chosen.relaxed_flush_interval(seconds(name, value)?),
        "background" => chosen.background(value.extract()?),
        "create" => chosen.create(value.extract()?),
        "allow_missing_log" => chosen.allow_missing_log(value.extract()?),
        "read_only" => chosen.read_only(value.extract()?),
        "lock_timeout" => chosen.lock_timeout(seconds(name, value)?),
        other => {
            let text = format!("there is no option `{other}`");
            return Err(plain(py, "configuration", About::Database, &text));
        }
    })
}

/// Says which option has a value of a wrong class or size.
#[cold]
fn about_option(py: Python<'_>, name: &str, error: PyErr) -> PyErr {
    let text = format!("`{name}`: {}", error.value(py));
    if error.is_instance_of::<PyTypeError>(py) {
        PyTypeError::new_err(text)
    } else if error.is_instance_of::<PyOverflowError>(py) {
        PyOverflowError::new_err(text)
    } else {
        error
    }
}

/// Reads a time in seconds.
fn seconds(option: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value.extract()?).map_err(|_| {
        let text = format!("`{option}` must be a number of seconds from 0");
        plain(value.py(), "configuration", About::Database, &text)
    })
}

#[cold]
fn unknown(py: Python<'_>, option: &str, value: &str, expected: &str) -> PyErr {
    let text = format!("`{option}` must be {expected}, not {value:?}");
    plain(py, "configuration", About::Database, &text)
}

/// Reads a durability.
pub(crate) fn durability(py: Python<'_>, name: &str) -> PyResult<Durability> {
    match name {
        "immediate" => Ok(Durability::Immediate),
        "buffered" => Ok(Durability::Buffered),
        "relaxed" => Ok(Durability::Relaxed),
        other => {
            let expected = "\"immediate\", \"buffered\" or \"relaxed\"";
            Err(unknown(py, "durability", other, expected))
        }
    }
}

/// An open database.
#[pyclass(frozen, module = "nanodb._nanodb")]
pub(crate) struct RawDatabase {
    share: Share,
}

impl RawDatabase {
    /// Runs a call with the interpreter released.
    fn call<T: Send>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&Database) -> nanodb::Result<T> + Send,
    ) -> PyResult<T> {
        let done = (|| {
            let database = self.share.database()?;
            py.detach(|| run(database)).map_err(Failure::from)
        })();
        done.map_err(|failure| failure.raise(py, About::Database))
    }
}

#[pymethods]
impl RawDatabase {
    /// Where the file is; none if the database is in memory.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.share.opened().ok()?.path.clone()
    }

    fn collection(&self, py: Python<'_>, name: String) -> PyResult<RawCollection> {
        let made = (|| {
            let collection = self.share.database()?.collection(&name);
            let source = Source::Collection(Box::new(Held::new(collection)));
            Ok(RawCollection::new(name, source, self.share.clone()))
        })();
        made.map_err(|failure: Failure| failure.raise(py, About::Database))
    }

    /// The collections, by name, with their counts.
    fn collections(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        let collections = self.call(py, Database::collections)?;
        Ok(collections.into_iter().map(|info| (info.name, info.count)).collect())
    }

    fn drop_collection(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.call(py, |database| database.drop_collection(name))
    }

    fn rename_collection(&self, py: Python<'_>, from: &str, to: &str) -> PyResult<()> {
        self.call(py, |database| database.rename_collection(from, to))
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<RawSnapshot> {
        let made = RawSnapshot::new(&self.share, py);
        made.map_err(|failure| failure.raise(py, About::Database))
    }

    #[pyo3(signature = (durability=None))]
    fn begin(&self, py: Python<'_>, durability: Option<&str>) -> PyResult<RawTransaction> {
        let durability = durability.map(|name| self::durability(py, name)).transpose()?;
        let begun = RawTransaction::new(&self.share, durability);
        begun.map_err(|failure| failure.raise(py, About::Database))
    }

    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, Database::sync)
    }

    fn checkpoint(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, Database::checkpoint)
    }

    /// Compacts the file; `progress` is called with the round, the pages done and all pages, and
    /// ends it by returning false. Returns whether it was done to the end.
    #[pyo3(signature = (progress=None))]
    fn compact(&self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<bool> {
        let mut raised = None;
        let done = self.call(py, |database| match &progress {
            None => database.compact().map(|()| true),
            Some(progress) => database
                .compact_with(|at| ask(progress, (at.round, at.pages_done, at.pages), &mut raised))
                .map(|done| done.is_continue()),
        });
        raised.map_or(done, Err)
    }

    /// Checks the file; `progress` is called with the pages done and all pages, and ends it by
    /// returning false. Returns the report, or none if it was ended.
    #[pyo3(signature = (progress=None))]
    fn check<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let mut raised = None;
        let report = self.call(py, |database| match &progress {
            None => database.check().map(Some),
            Some(progress) => database
                .check_with(|at| ask(progress, (at.pages_done, at.pages), &mut raised))
                .map(ControlFlow::continue_value),
        });
        let Some(report) = raised.map_or(report, Err)? else { return Ok(None) };
        let problems = PyList::empty(py);
        for problem in &report.problems {
            let entry = PyDict::new(py);
            entry.set_item("collection", problem.collection.as_deref())?;
            entry.set_item("page", problem.page)?;
            entry.set_item("text", problem.to_string())?;
            problems.append(entry)?;
        }
        let dict = PyDict::new(py);
        dict.set_item("clean", report.is_clean())?;
        dict.set_item("collections", report.collections)?;
        dict.set_item("documents", report.documents)?;
        dict.set_item("pages", report.pages)?;
        dict.set_item("problems", problems)?;
        Ok(Some(dict))
    }

    /// Figures of the file and of each collection.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.call(py, Database::stats)?;
        let collections = PyDict::new(py);
        for collection in &stats.collections {
            let entry = PyDict::new(py);
            entry.set_item("count", collection.count)?;
            entry.set_item("pages", collection.pages)?;
            entry.set_item("reserved_pages", collection.reserved_pages)?;
            entry.set_item("overflow_pages", collection.overflow_pages)?;
            entry.set_item("index_bytes", collection.index_bytes)?;
            collections.set_item(&collection.name, entry)?;
        }
        let dict = PyDict::new(py);
        dict.set_item("file_bytes", stats.file_bytes)?;
        dict.set_item("page_count", stats.page_count)?;
        dict.set_item("free_pages", stats.free_pages)?;
        dict.set_item("cached_bytes", stats.cached_bytes)?;
        dict.set_item("dirty_bytes", stats.dirty_bytes)?;
        dict.set_item("older_bytes", stats.older_bytes)?;
        dict.set_item("spilled_bytes", stats.spilled_bytes)?;
        dict.set_item("log_bytes", stats.log_bytes)?;
        dict.set_item("checkpoints", stats.checkpoints)?;
        dict.set_item("collections", collections)?;
        Ok(dict)
    }

    /// What opening the file found.
    fn open_report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let report = self.call(py, |database| Ok(database.open_report()))?;
        let dict = PyDict::new(py);
        dict.set_item("clean", report.clean)?;
        dict.set_item("commits_replayed", report.commits_replayed)?;
        dict.set_item("bytes_replayed", report.bytes_replayed)?;
        dict.set_item("log_lost", report.log_lost)?;
        dict.set_item("free_map_lost", report.free_map_lost)?;
        dict.set_item("seconds", report.duration.as_secs_f64())?;
        Ok(dict)
    }

    /// Closes the database; returns how many other openings in this process keep the file open.
    fn close(&self, py: Python<'_>) -> PyResult<usize> {
        let closed = self.call(py, |database| database.clone().close())?;
        Ok(match closed {
            Closed::OthersHoldIt(others) => others,
            _ => 0,
        })
    }

    /// Whether calls still work.
    #[getter]
    fn is_open(&self) -> bool {
        self.share.database().is_ok_and(|database| database.collections().is_ok())
    }
}

/// Calls a function of Python's that decides whether to go on.
fn ask<'a>(
    progress: &'a Py<PyAny>,
    at: impl for<'py> pyo3::call::PyCallArgs<'py>,
    raised: &mut Option<PyErr>,
) -> ControlFlow<()> {
    let answer = Python::attach(|py| {
        let answer = progress.bind(py).call1(at)?;
        // What returns nothing goes on.
        PyResult::Ok(answer.is_none() || answer.is_truthy()?)
    });
    match answer {
        Ok(true) => ControlFlow::Continue(()),
        Ok(false) => ControlFlow::Break(()),
        Err(error) => {
            *raised = Some(error);
            ControlFlow::Break(())
        }
    }
}
