//! A document in memory: named values in order.

mod builder;
pub(crate) mod fields;

use crate::id::{ID_FIELD, IdRef};
use crate::seen_names::SeenNames;
use crate::value::Value;

/// A document in memory: named values in order.
///
/// Names are unique, and fields keep the order in which they were first inserted. A look-up
/// compares the name with each one in turn; for the dozen fields of an ordinary document that is
/// faster than hashing.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Document, doc};
///
/// let mut alice = Document::new();
/// alice.insert("name", "Alice");
/// alice.insert("age", 30);
/// alice.insert("age", 31);
/// assert_eq!(alice, doc! { "name": "Alice", "age": 31 });
/// assert_eq!(alice.to_string(), r#"{"name": "Alice", "age": 31}"#);
/// assert_eq!(alice.remove("age"), Some(31.into()));
/// assert_eq!(alice.len(), 1);
///
/// assert!(alice.contains("name") && !alice.is_empty());
/// assert_eq!(alice.get("name").and_then(|name| name.as_str()), Some("Alice"));
/// if let Some(name) = alice.get_mut("name") {
///     *name = "Bob".into();
/// }
/// assert_eq!(alice.names().collect::<Vec<_>>(), ["name"]);
/// for (name, value) in alice.iter() {
///     println!("{name}: {value}");
/// }
/// alice.clear();
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    fields: Vec<(String, Value)>,
}

impl Document {
    /// Returns a document without fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// Returns a document without fields, with space for `fields` of them.
    #[must_use]
    pub fn with_capacity(fields: usize) -> Self {
        Self { fields: Vec::with_capacity(fields) }
    }

    /// Returns the number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Returns whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns the value of a field; dots in `name` are part of the name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).and_then(|index| self.fields.get(index)).map(|(_, value)| value)
    }

    /// Returns the value of a field, to be changed in place.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let index = self.position(name)?;
        self.fields.get_mut(index).map(|(_, value)| value)
    }

    /// Returns the value that a dotted path leads to, through names of fields and indexes of
    /// arrays.
    ///
    /// A field whose name contains a dot can't be reached this way. An index is decimal digits
    /// without a leading zero.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::doc;
    ///
    /// let order = doc! { "items": [{ "name": "tea" }, { "name": "milk" }] };
    /// assert_eq!(order.get_path("items.1.name").unwrap(), &"milk");
    /// assert_eq!(order.get_path("items.01.name"), None);
    /// assert_eq!(order.get_path("items.name"), None);
    /// ```
    #[must_use]
    pub fn get_path(&self, path: &str) -> Option<&Value> {
        match path.split_once('.') {
            None => self.get(path),
            Some((name, rest)) => self.get(name)?.get_path(rest),
        }
    }

    /// Returns whether there is a field with this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets a field. If one with this name exists, its value is replaced and returned; otherwise
    /// the field is added at the end.
    ///
    /// Compares the name with every other: to build a document of thousands of fields, collect it
    /// from an iterator.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        if let Some(old) = self.get_mut(&name) {
            return Some(std::mem::replace(old, value));
        }
        self.fields.push((name, value));
        None
    }

    /// Removes a field and returns its value; the fields after it move up.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).map(|index| self.fields.remove(index).1)
    }

    /// Removes all fields.
    pub fn clear(&mut self) {
        self.fields.clear();
    }

    /// Keeps only the fields for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.fields.retain_mut(|(name, value)| keep(name, value));
    }

    /// Returns the id: the field `_id`, if it exists and is of a type that ids can have.
    #[must_use]
    pub fn id(&self) -> Option<IdRef<'_>> {
        self.get(ID_FIELD).and_then(|value| IdRef::try_from(value).ok())
    }

    /// Returns a document of these fields, or the first name that occurs twice.
    pub(crate) fn from_distinct(fields: Vec<(String, Value)>) -> Result<Self, String> {
        let mut seen = SeenNames::new();
        let twice = fields.iter().find(|(name, _)| !seen.insert(name.as_bytes()));
        if let Some((name, _)) = twice {
            return Err(name.clone());
        }
        drop(seen);
        Ok(Self { fields })
    }

    pub(crate) fn as_slice(&self) -> &[(String, Value)] {
        &self.fields
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(other, _)| other == name)
    }
}
