//! The documents that a search finds, handed out one by one.
//!
//! They are fetched in portions with the interpreter released, and become `dict`s one by one. A
//! portion begins small, for those who look at the first document only, and grows.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use nanodb::{Cursor, StoredDoc};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::database::Share;
use crate::decode::{self, Decoding};
use crate::failure::{About, Failure};
use crate::process::Held;

/// How many documents the first portion has, and how many a later one has at most.
const PORTION_FIRST: usize = 16;
const PORTION_MAX: usize = 1024;

/// How many bytes of documents a portion has at most, but for the last one.
const PORTION_BYTES_MAX: usize = 1 << 20;

/// What a search finds.
#[pyclass(frozen, module = "nanodb._nanodb")]
pub(crate) struct RawCursor {
    /// Locked with the interpreter held only if it is free, and then for a moment.
    state: Mutex<State>,
    decoding: Decoding,
    // After what it has opened.
    share: Share,
}

struct State {
    /// Until all is fetched, or it is closed.
    found: Option<Held<Cursor>>,
    /// What was fetched.
    ready: Held<VecDeque<StoredDoc>>,
    /// What ended a portion, to be told after it.
    failed: Option<nanodb::Error>,
    portion: usize,
    portion_max: usize,
}

impl State {
    /// Fetches a portion.
    fn fetch(&mut self) -> Result<(), Failure> {
        let ready = self.ready.get_mut()?;
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        let Some(found) = &mut self.found else { return Ok(()) };
        let found = found.get_mut()?;
        let mut bytes = 0;
        for _ in 0..self.portion {
            match found.next() {
                Some(Ok(document)) => {
                    bytes += document.as_bytes().len();
                    ready.push_back(document);
                }
                Some(Err(error)) if ready.is_empty() => return Err(error.into()),
                Some(Err(error)) => {
                    self.failed = Some(error);
                    return Ok(());
                }
                None => {
                    self.found = None;
                    return Ok(());
                }
            }
            if bytes > PORTION_BYTES_MAX {
                break;
            }
        }
        self.portion = (self.portion * 2).min(self.portion_max);
        Ok(())
    }

    fn is_at_end(&self) -> bool {
        self.found.is_none() && self.failed.is_none()
    }
}

impl RawCursor {
    pub(crate) fn new(found: Cursor, batch_size: usize, share: Share) -> Self {
        let (portion, portion_max) = match batch_size {
            0 => (PORTION_FIRST, PORTION_MAX),
            size => (size.min(PORTION_MAX), size.min(PORTION_MAX)),
        };
        let state = State {
            found: Some(Held::new(found)),
            ready: Held::new(VecDeque::new()),
            failed: None,
            portion,
            portion_max,
        };
        Self { state: Mutex::new(state), decoding: share.decoding(), share }
    }

    /// Locks it without waiting.
    fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(state)) => Some(state.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next document.
    fn next(&self, py: Python<'_>) -> Result<Option<StoredDoc>, Failure> {
        // In a fork the lock may be one that nobody gives up.
        self.share.database()?;
        loop {
            if let Some(mut state) = self.try_lock() {
                if let Some(document) = state.ready.get_mut()?.pop_front() {
                    return Ok(Some(document));
                }
                if state.is_at_end() {
                    return Ok(None);
                }
            }
            py.detach(|| {
                let mut state = self.lock();
                match state.ready.get_mut()?.is_empty() {
                    true => state.fetch(),
                    false => Ok(()),
                }
            })?;
        }
    }
}

#[pymethods]
impl RawCursor {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.next(py) {
            Ok(Some(document)) => decode::document(py, &document, self.decoding).map(Some),
            Ok(None) => Ok(None),
            Err(failure) => Err(failure.raise(py, About::Query)),
        }
    }

    /// The next documents, `count` at most; all that are left if there is no count.
    #[pyo3(signature = (count=None))]
    fn take<'py>(&self, py: Python<'py>, count: Option<usize>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        while count.is_none_or(|count| list.len() < count) {
            let Some(document) = self.__next__(py)? else { break };
            list.append(document)?;
            // No code of Python's runs meanwhile, which would see that the user wants it to end.
            if list.len() % PORTION_MAX == 0 {
                py.check_signals()?;
            }
        }
        Ok(list)
    }

    /// Whether there may be more documents.
    #[getter]
    fn alive(&self, py: Python<'_>) -> bool {
        if self.share.database().is_err() {
            return false;
        }
        py.detach(|| {
            let state = self.lock();
            let is_empty = state.ready.get().map_or(true, VecDeque::is_empty);
            !(is_empty && state.is_at_end())
        })
    }

    /// Lets go of what it reads from.
    fn close(&self, py: Python<'_>) {
        if self.share.database().is_err() {
            return;
        }
        py.detach(|| {
            let mut state = self.lock();
            state.found = None;
            state.failed = None;
            if let Ok(ready) = state.ready.get_mut() {
                ready.clear();
            }
        });
    }
}
