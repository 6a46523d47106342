//! A document in memory: named values in order.

mod builder;
pub(crate) mod fields;

use crate::id::{ID_FIELD, IdRef};
use crate::seen_names::SeenNames;
use crate::value::Value;

/// Named values in order.
///
/// Names are unique; fields keep the order in which they were first inserted. Looking
/// a name up compares it with each in turn, which for the dozen fields of an ordinary
/// document beats hashing.
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
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    fields: Vec<(String, Value)>,
}

impl Document {
    /// A document without fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// A document without fields and with room for so many.
    #[must_use]
    pub fn with_capacity(fields: usize) -> Self {
        Self { fields: Vec::with_capacity(fields) }
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The value of the field of this name; dots in `name` are part of the name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).and_then(|index| self.fields.get(index)).map(|(_, value)| value)
    }

    /// The value of the field of this name, to be changed in place.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let index = self.position(name)?;
        self.fields.get_mut(index).map(|(_, value)| value)
    }

    /// The value that a dotted path leads to: names of fields, and indexes of arrays.
    ///
    /// A name that has a dot in it can't be reached this way. An index is decimal
    /// digits without a leading zero.
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

    /// Whether there is a field of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets a field. One of that name is replaced where it stands, and its former
    /// value returned; else the field is added at the end.
    ///
    /// Looks at every name: to build a document of very many fields, collect it.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        if let Some(old) = self.get_mut(&name) {
            return Some(std::mem::replace(old, value));
        }
        self.fields.push((name, value));
        None
    }

    /// Takes a field out; those after it move up.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).map(|index| self.fields.remove(index).1)
    }

    /// Takes all fields out.
    pub fn clear(&mut self) {
        self.fields.clear();
    }

    /// Keeps the fields that `keep` says true for.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.fields.retain_mut(|(name, value)| keep(name, value));
    }

    /// The id: `_id`, if there is one and it is of a type that ids can have.
    #[must_use]
    pub fn id(&self) -> Option<IdRef<'_>> {
        self.get(ID_FIELD).and_then(|value| IdRef::try_from(value).ok())
    }

    /// A document of these fields, or the name that they hold twice.
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
