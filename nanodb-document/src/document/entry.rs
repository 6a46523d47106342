//! One field of a document, which may be there or not.

use super::Document;
use crate::value::{IntoValue, Value};

/// A field of a [`Document`], found or not; made by [`Document::entry`].
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Entry, Value, doc};
///
/// let mut page = doc! { "visits": 1 };
/// page.entry("visits").and_modify(|visits| *visits = 2.into()).or_insert(1);
/// page.entry("title").or_insert_with(|| "untitled".into());
/// page.entry("tags").or_default();
/// assert_eq!(page, doc! { "visits": 2, "title": "untitled", "tags": null });
/// assert_eq!(page.entry("likes").key(), "likes");
///
/// if let Entry::Occupied(tags) = page.entry("tags") {
///     assert_eq!(tags.remove(), Value::Null);
/// }
/// assert_eq!(page.len(), 2);
/// ```
#[derive(Debug)]
pub enum Entry<'d> {
    /// The field is there.
    Occupied(OccupiedEntry<'d>),
    /// There is no such field.
    Vacant(VacantEntry<'d>),
}

/// A field that is there; see [`Entry`].
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Entry, doc};
///
/// let mut page = doc! { "visits": 1, "title": "Home" };
/// if let Entry::Occupied(mut visits) = page.entry("visits") {
///     assert_eq!(visits.key(), "visits");
///     assert_eq!(visits.get().as_i64(), Some(1));
///     *visits.get_mut() = 2.into();
///     assert_eq!(visits.insert(3), 2);
///     *visits.into_mut() = 4.into();
/// }
/// if let Entry::Occupied(title) = page.entry("title") {
///     assert_eq!(title.remove_entry(), ("title".to_owned(), "Home".into()));
/// }
/// assert_eq!(page, doc! { "visits": 4 });
/// if let Entry::Occupied(visits) = page.entry("visits") {
///     assert_eq!(visits.remove(), 4);
/// }
/// ```
#[derive(Debug)]
pub struct OccupiedEntry<'d> {
    document: &'d mut Document,
    /// Where the field is.
    index: usize,
}

/// A field that is not there; see [`Entry`].
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Entry, doc};
///
/// let mut page = doc! { "visits": 1 };
/// if let Entry::Vacant(title) = page.entry("title") {
///     assert_eq!(title.key(), "title");
///     title.insert("Home");
/// }
/// assert_eq!(page, doc! { "visits": 1, "title": "Home" });
/// ```
#[derive(Debug)]
pub struct VacantEntry<'d> {
    document: &'d mut Document,
    name: String,
}

impl Document {
    /// Returns a field, to be read, set or removed with one look-up.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::{Document, Value};
    ///
    /// let mut counts = Document::new();
    /// for word in ["a", "b", "a"] {
    ///     let count = counts.entry(word).or_insert(0);
    ///     *count = (count.as_i64().unwrap_or(0) + 1).into();
    /// }
    /// assert_eq!(counts.to_string(), r#"{"a": 2, "b": 1}"#);
    /// ```
    pub fn entry(&mut self, name: impl Into<String>) -> Entry<'_> {
        let name = name.into();
        match self.position(&name) {
            Some(index) => Entry::Occupied(OccupiedEntry { document: self, index }),
            None => Entry::Vacant(VacantEntry { document: self, name }),
        }
    }
}

impl<'d> Entry<'d> {
    /// Returns the name of the field.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Occupied(entry) => entry.key(),
            Self::Vacant(entry) => entry.key(),
        }
    }

    /// Calls `modify` with the value, if the field is there.
    #[must_use]
    pub fn and_modify(mut self, modify: impl FnOnce(&mut Value)) -> Self {
        if let Self::Occupied(entry) = &mut self {
            modify(entry.get_mut());
        }
        self
    }

    /// Returns the value, after inserting this one if the field is not there.
    pub fn or_insert(self, value: impl IntoValue) -> &'d mut Value {
        match self {
            Self::Occupied(entry) => entry.into_mut(),
            Self::Vacant(entry) => entry.insert(value),
        }
    }

    /// Returns the value, after inserting what `make` returns if the field is not there.
    pub fn or_insert_with(self, make: impl FnOnce() -> Value) -> &'d mut Value {
        match self {
            Self::Occupied(entry) => entry.into_mut(),
            Self::Vacant(entry) => entry.insert(make()),
        }
    }

    /// Returns the value, after inserting null if the field is not there.
    pub fn or_default(self) -> &'d mut Value {
        self.or_insert(Value::Null)
    }
}

impl<'d> OccupiedEntry<'d> {
    /// Returns the name of the field.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.document.fields[self.index].0
    }

    /// Returns the value.
    #[must_use]
    pub fn get(&self) -> &Value {
        &self.document.fields[self.index].1
    }

    /// Returns the value, to be changed in place.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut Value {
        &mut self.document.fields[self.index].1
    }

    /// Returns the value, to be changed in place for as long as the document is borrowed.
    #[must_use]
    pub fn into_mut(self) -> &'d mut Value {
        &mut self.document.fields[self.index].1
    }

    /// Sets the value, and returns the old one.
    pub fn insert(&mut self, value: impl IntoValue) -> Value {
        std::mem::replace(self.get_mut(), value.into_value())
    }

    /// Removes the field, and returns its value.
    #[must_use]
    pub fn remove(self) -> Value {
        self.remove_entry().1
    }

    /// Removes the field, and returns its name and its value.
    #[must_use]
    pub fn remove_entry(self) -> (String, Value) {
        self.document.fields.remove(self.index)
    }
}

impl<'d> VacantEntry<'d> {
    /// Returns the name that the field would have.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.name
    }

    /// Adds the field at the end of the document, and returns its value.
    pub fn insert(self, value: impl IntoValue) -> &'d mut Value {
        let fields = &mut self.document.fields;
        &mut fields.push_mut((self.name, value.into_value())).1
    }
}
