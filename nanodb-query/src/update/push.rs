//! What `$push` adds to an array, and where.

use std::fmt;

use nanodb_document::{Document, IntoValue, Value};

use crate::error::QueryError;
use crate::{IntoSort, Sort};

/// The elements that [`Update::push_with`](crate::Update::push_with) adds to an array, and what is
/// done with the array then: `$push` with its modifiers.
///
/// Whatever the order of the calls, elements are inserted first, then the array is sorted, then
/// cut.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::{Push, Sort, Update};
///
/// let scores = Push::each([7, 9]).sort_descending().slice(3);
/// assert_eq!(
///     Update::new().push_with("scores", scores).to_string(),
///     r#"{"$push": {"scores": {"$each": [7, 9], "$sort": -1, "$slice": 3}}}"#,
/// );
/// let first = Push::each(["new"]).position(0);
/// assert_eq!(
///     Update::new().push_with("tags", first).to_string(),
///     r#"{"$push": {"tags": {"$each": ["new"], "$position": 0}}}"#,
/// );
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is handed to `Update::push_with`"]
pub struct Push {
    modifiers: Document,
    /// The problem of the sort.
    refused: Option<QueryError>,
}

impl Push {
    /// Returns the addition of these elements at the end of the array: `$each`.
    pub fn each<V: IntoValue>(values: impl IntoIterator<Item = V>) -> Self {
        let mut modifiers = Document::new();
        let values = values.into_iter().map(IntoValue::into_value).collect();
        modifiers.insert("$each", Value::Array(values));
        Self { modifiers, refused: None }
    }

    /// Inserts the elements before the one with this index, counted from the end of the array if
    /// negative: `$position`.
    pub fn position(self, index: i64) -> Self {
        self.with("$position", index)
    }

    /// Sorts the array, whose elements are documents, by their fields: `$sort`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::{Push, Sort, Update, doc};
    ///
    /// # mod nanodb { pub use nanodb_query::*; pub use nanodb_document::doc; }
    /// let player = doc! { "name": "Ada", "score": 5 };
    /// let best = Push::each([player]).sort(Sort::descending("score")).slice(10);
    /// assert!(Update::new().push_with("players", best).check().is_ok());
    /// ```
    pub fn sort(mut self, sort: impl IntoSort) -> Self {
        match to_document(&sort.into_sort()) {
            Ok(sort) => self.with("$sort", sort),
            Err(error) => {
                self.refused.get_or_insert(error);
                self
            }
        }
    }

    /// Sorts the elements of the array themselves, the least first: `$sort` with 1.
    pub fn sort_ascending(self) -> Self {
        self.with("$sort", 1)
    }

    /// Sorts the elements of the array themselves, the greatest first: `$sort` with -1.
    pub fn sort_descending(self) -> Self {
        self.with("$sort", -1)
    }

    /// Keeps the first elements, this many, or the last ones if it is negative: `$slice`.
    pub fn slice(self, count: i64) -> Self {
        self.with("$slice", count)
    }

    /// Sets a modifier; the last call counts.
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.modifiers.insert(name, value);
        self
    }

    pub(super) fn into_value(self) -> Result<Value, QueryError> {
        self.refused.map_or(Ok(self.modifiers.into()), Err)
    }
}

fn to_document(sort: &Sort) -> Result<Document, QueryError> {
    sort.checked()?;
    super::source::document_of(sort)
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Push").field(&self.modifiers).finish()
    }
}
