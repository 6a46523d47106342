//! What an update is read from, kept so that a program can add operators to it.
//!
//! A program builds an update step by step. Each step changes the document of operators, and the
//! parser reads the whole when the update is first used. So what is built has the rules, the limits
//! and the messages of what is read, and an array filter may come after the path that names it.

use nanodb_document::{DocView, Document, Value, to_bytes};
use nanodb_msgpack::{RawValue, write_array_len};

use super::{Form, filters, parse};
use crate::error::{Problem, QueryError};
use crate::json::Text;
use crate::limits::check;

/// What an update is read from.
#[derive(Clone)]
pub(super) enum Source {
    /// A document that stands alone, or something refused: nothing can be added.
    Whole,
    /// Operators that have been read, and their array filters.
    Read { operators: Box<[u8]>, filters: Box<[u8]> },
    /// Operators that a program adds.
    Built(Built),
}

/// The operators and array filters that a program has added so far.
#[derive(Clone, Default)]
pub(super) struct Built {
    operators: Document,
    filters: Vec<Document>,
}

impl Source {
    /// Keeps operators and array filters that have been read.
    pub(super) fn read(operators: RawValue<'_>, filters: RawValue<'_>) -> Self {
        match (operators.bytes(), filters.bytes()) {
            (Ok(operators), Ok(filters)) => {
                Self::Read { operators: operators.into(), filters: filters.into() }
            }
            // What has been read is well-formed.
            _ => Self::Whole,
        }
    }

    /// Reads the update.
    pub(super) fn form(&self) -> Result<Form, QueryError> {
        match self {
            Self::Built(built) => built.form(),
            Self::Read { operators, filters } => form(operators, filters),
            // Has been read when it was made.
            Self::Whole => Err(Problem::NoOperators.into()),
        }
    }

    /// Returns the operators, to add to them; none if nothing can be added.
    pub(super) fn built(self) -> Result<Option<Built>, Problem> {
        match self {
            Self::Whole => Ok(None),
            Self::Built(built) => Ok(Some(built)),
            Self::Read { operators, filters } => {
                let filters = RawValue::new(&filters).elements().into_iter().flatten();
                let filters =
                    filters.map(|filter| document(filter.map_err(|_| Problem::Malformed)?));
                let operators = document(RawValue::new(&operators))?;
                Ok(Some(Built { operators, filters: filters.collect::<Result<_, _>>()? }))
            }
        }
    }
}

impl Built {
    /// Adds a change of the field at a path.
    pub(super) fn add(&mut self, operator: &str, path: &str, value: Value) -> Result<(), Problem> {
        match self.fields(operator)?.insert(path, value) {
            None => Ok(()),
            Some(_) => Err(twice(path)),
        }
    }

    /// Adds one of several things that an operator does with the field at a path.
    pub(super) fn add_part(
        &mut self,
        operator: &str,
        path: &str,
        (name, value): (&str, Value),
    ) -> Result<(), Problem> {
        let fields = self.fields(operator)?;
        if !fields.contains_key(path) {
            fields.insert(path, Document::new());
        }
        match fields.get_mut(path).and_then(Value::as_document_mut) {
            Some(parts) if !parts.contains_key(name) => {
                parts.insert(name, value);
                Ok(())
            }
            _ => Err(twice(path)),
        }
    }

    pub(super) fn add_filter(&mut self, filter: Document) {
        self.filters.push(filter);
    }

    /// Returns the fields that an operator changes, to add to them.
    fn fields(&mut self, operator: &str) -> Result<&mut Document, Problem> {
        if !self.operators.contains_key(operator) {
            self.operators.insert(operator, Document::new());
        }
        // Each operator that has been read has a document.
        let fields = self.operators.get_mut(operator).and_then(Value::as_document_mut);
        fields.ok_or(Problem::Malformed)
    }

    fn form(&self) -> Result<Form, QueryError> {
        let Ok(len) = u32::try_from(self.filters.len()) else {
            return Err(Problem::Malformed.into());
        };
        let mut filters = Vec::new();
        write_array_len(&mut filters, len);
        for filter in &self.filters {
            filters.extend_from_slice(&encoded(filter)?);
        }
        form(&encoded(&self.operators)?, &filters)
    }
}

fn form(operators: &[u8], filters: &[u8]) -> Result<Form, QueryError> {
    let (operators, filters) = (RawValue::new(operators), RawValue::new(filters));
    check(filters)?;
    let filters = filters::parse(filters).map_err(|fault| fault.problem)?;
    check(operators)?;
    Ok(parse(operators, filters).map_err(|fault| fault.problem)?)
}

fn encoded(document: &Document) -> Result<Vec<u8>, Problem> {
    to_bytes(document).map_err(|error| Problem::Document { reason: error.to_string() })
}

fn document(value: RawValue<'_>) -> Result<Document, Problem> {
    let bytes = value.bytes().map_err(|_| Problem::Malformed)?;
    DocView::from_bytes(bytes).to_document().map_err(|_| Problem::Malformed)
}

/// Returns the document that a query prints.
pub(super) fn document_of(query: &impl ToString) -> Result<Document, QueryError> {
    let text = query.to_string();
    let text = Text::parse(&text)?;
    Ok(document(text.value())?)
}

/// Why a field can't be changed twice.
fn twice(path: &str) -> Problem {
    Problem::Conflict { path: path.to_owned(), at: path.to_owned() }
}
