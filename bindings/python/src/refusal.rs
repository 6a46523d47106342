//! Why an object can't be stored, and where it is.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure::{About, make};

/// Why a walk over an object ended early.
pub(crate) enum Refusal {
    /// Python's code must be run, and the walk was not ready for that: it begins again.
    Careful,
    /// The object can't be stored.
    Refused(Box<Refused>),
    /// Code of Python's has raised an exception.
    Raised(PyErr),
}

/// What can't be stored.
pub(crate) struct Refused {
    /// From the object outward: the steps that lead to it.
    steps: Vec<Step>,
    /// Which class the exception is of.
    kind: &'static str,
    reason: String,
}

enum Step {
    Field(String),
    Index(usize),
}

impl From<PyErr> for Refusal {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl Refusal {
    #[cold]
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self::of("invalid", reason.into())
    }

    /// An integer that has more than 64 bits.
    #[cold]
    pub(crate) fn integer() -> Self {
        let reason = "an int must be from -2**63 to 2**64 - 1; store a larger one as a str";
        Self::of("integer", reason.to_owned())
    }

    #[cold]
    pub(crate) fn document_too_large(bytes: usize) -> Self {
        let max = nanodb::DOCUMENT_BYTES_MAX;
        let reason = format!("the document takes {bytes} bytes, more than the {max} allowed");
        Self::of("document_too_large", reason)
    }

    fn of(kind: &'static str, reason: String) -> Self {
        Self::Refused(Box::new(Refused { steps: Vec::new(), kind, reason }))
    }

    /// Adds the field that leads here.
    #[cold]
    pub(crate) fn at_field(mut self, name: &str) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.steps.push(Step::Field(name.to_owned()));
        }
        self
    }

    /// Adds the index that leads here.
    #[cold]
    pub(crate) fn at_index(mut self, index: usize) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.steps.push(Step::Index(index));
        }
        self
    }

    /// Makes the exception; `what` is the collection, or what else the walk began at.
    #[cold]
    pub(crate) fn raise(self, py: Python<'_>, what: &str, about: About) -> PyErr {
        let refused = match self {
            Self::Raised(error) => return error,
            // The careful walk never ends so.
            Self::Careful => Box::new(Refused {
                steps: Vec::new(),
                kind: "invalid",
                reason: "the value can't be read".to_owned(),
            }),
            Self::Refused(refused) => refused,
        };
        refused.raise(py, what, about).unwrap_or_else(|failed| failed)
    }
}

impl Refused {
    fn raise(&self, py: Python<'_>, what: &str, about: About) -> PyResult<PyErr> {
        let (mut place, mut path) = (what.to_owned(), String::new());
        for step in self.steps.iter().rev() {
            if !path.is_empty() {
                path.push('.');
            }
            match step {
                Step::Field(name) => {
                    if !place.is_empty() {
                        place.push('.');
                    }
                    place.push_str(name);
                    path.push_str(name);
                }
                Step::Index(index) => {
                    place.push_str(&format!("[{index}]"));
                    path.push_str(&index.to_string());
                }
            }
        }
        let details = PyDict::new(py);
        if !path.is_empty() {
            details.set_item("path", path)?;
        }
        let text = match place.is_empty() {
            true => self.reason.clone(),
            false => format!("{place}: {}", self.reason),
        };
        make(py, self.kind, about, &text, Some(&details))
    }
}
