//! A document in memory: named values in order.

mod builder;
pub(crate) mod entry;
pub(crate) mod fields;
mod paths;
mod typed_get;

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
/// use nanodb::{Document, Value, doc};
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
/// assert!(alice.contains_key("name") && !alice.is_empty());
/// assert_eq!(alice.get("name").and_then(|name| name.as_str()), Some("Alice"));
/// if let Some(name) = alice.get_mut("name") {
///     *name = "Bob".into();
/// }
/// assert_eq!(alice.keys().collect::<Vec<_>>(), ["name"]);
/// for (name, value) in alice.iter() {
///     println!("{name}: {value}");
/// }
///
/// // A field that is not there reads as null, and is made by setting it.
/// assert!(alice["age"].is_null());
/// alice["age"] = 31.into();
/// assert_eq!(alice.first(), Some(("name", &"Bob".into())));
/// assert_eq!(alice.last(), Some(("age", &31.into())));
/// alice.sort_keys();
/// assert_eq!(alice.values().collect::<Vec<_>>(), [&31.into(), &Value::from("Bob")]);
/// for value in alice.values_mut() {
///     value.take();
/// }
/// let mut more = doc! { "a": 1, "age": 32 };
/// alice.append(&mut more);
/// assert_eq!(alice, doc! { "age": 32, "name": null, "a": 1 });
/// assert_eq!(alice.remove_entry("age"), Some(("age".to_owned(), 32.into())));
/// assert_eq!(alice.clone().into_values().collect::<Vec<_>>(), [Value::Null, 1.into()]);
/// assert_eq!(alice.into_keys().collect::<Vec<_>>(), ["name", "a"]);
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

    /// Returns whether there is a field with this name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
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

    /// Removes a field and returns its name and its value; the fields after it move up.
    pub fn remove_entry(&mut self, name: &str) -> Option<(String, Value)> {
        self.position(name).map(|index| self.fields.remove(index))
    }

    /// Moves all fields of another document into this one; a field of the same name gets the value
    /// of the other. The cost is linear in the number of fields.
    pub fn append(&mut self, other: &mut Self) {
        self.extend(std::mem::take(other));
    }

    /// Sorts the fields by name, byte by byte. Documents within stay as they are.
    pub fn sort_keys(&mut self) {
        self.fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    }

    /// Removes all fields.
    pub fn clear(&mut self) {
        self.fields.clear();
    }

    /// Keeps only the fields for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.fields.retain_mut(|(name, value)| keep(name, value));
    }

    /// Returns the first field.
    #[must_use]
    pub fn first(&self) -> Option<(&str, &Value)> {
        self.fields.first().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the last field.
    #[must_use]
    pub fn last(&self) -> Option<(&str, &Value)> {
        self.fields.last().map(|(name, value)| (name.as_str(), value))
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
