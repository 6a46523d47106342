//! Values within values, found by dotted paths, and put there.

use super::Document;
use crate::error::{Error, ErrorBuilder, ErrorKind, Result};
use crate::path::array_index;
use crate::value::{IntoValue, Value};

impl Document {
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

    /// Returns the value that a dotted path leads to, to be changed in place; see
    /// [`get_path`](Self::get_path).
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::doc;
    ///
    /// let mut order = doc! { "items": [{ "name": "tea" }] };
    /// if let Some(name) = order.get_path_mut("items.0.name") {
    ///     *name = "milk".into();
    /// }
    /// assert_eq!(order, doc! { "items": [{ "name": "milk" }] });
    /// ```
    #[must_use]
    pub fn get_path_mut(&mut self, path: &str) -> Option<&mut Value> {
        match path.split_once('.') {
            None => self.get_mut(path),
            Some((name, rest)) => self.get_mut(name)?.get_path_mut(rest),
        }
    }

    /// Sets the value that a dotted path leads to, and returns the old one, if there was one.
    ///
    /// Documents that are missing on the way are made. An array grows by one element at its end.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::{ErrorKind, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let mut order = doc! { "items": ["tea"] };
    /// order.set_path("address.city", "Bern")?;
    /// order.set_path("items.1", "milk")?;
    /// assert_eq!(order.set_path("items.0", "salt")?, Some("tea".into()));
    /// assert_eq!(order, doc! { "items": ["salt", "milk"], "address": { "city": "Bern" } });
    ///
    /// let error = order.set_path("items.0.price", 5).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::WrongType);
    /// assert_eq!(error.to_string(), "`items.0` is a string, which has no fields");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongType`] if the path leads through a value that is neither a document nor an
    /// array, or through an array by a name, [`ErrorKind::NotFound`] if it leads beyond the end of
    /// an array. The document is then as it was before.
    pub fn set_path(&mut self, path: &str, value: impl IntoValue) -> Result<Option<Value>> {
        let (name, rest) = split(path);
        let Some(at) = self.get_mut(name) else {
            self.fields.push((name.to_owned(), nested(rest, value.into_value())));
            return Ok(None);
        };
        set(at, rest, value.into_value()).map_err(|problem| problem.into_error(path))
    }

    /// Removes the field or the element that a dotted path leads to, and returns its value; the
    /// ones after it move up.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::doc;
    ///
    /// let mut order = doc! { "items": ["tea", "milk"], "address": { "city": "Bern" } };
    /// assert_eq!(order.remove_path("items.0"), Some("tea".into()));
    /// assert_eq!(order.remove_path("address.city"), Some("Bern".into()));
    /// assert_eq!(order.remove_path("address.city"), None);
    /// assert_eq!(order, doc! { "items": ["milk"], "address": {} });
    /// ```
    pub fn remove_path(&mut self, path: &str) -> Option<Value> {
        let Some((parent, last)) = path.rsplit_once('.') else { return self.remove(path) };
        match self.get_path_mut(parent)? {
            Value::Document(document) => document.remove(last),
            Value::Array(elements) => {
                let index = usize::try_from(array_index(last)?).ok()?;
                (index < elements.len()).then(|| elements.remove(index))
            }
            _ => None,
        }
    }
}

impl Value {
    /// Returns the value below this one that a dotted path leads to; see [`Document::get_path`].
    #[must_use]
    pub fn get_path(&self, path: &str) -> Option<&Value> {
        let mut value = self;
        for step in path.split('.') {
            value = match value {
                Self::Document(document) => document.get(step)?,
                Self::Array(elements) => elements.get(usize::try_from(array_index(step)?).ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Returns the value below this one that a dotted path leads to, to be changed in place.
    #[must_use]
    pub fn get_path_mut(&mut self, path: &str) -> Option<&mut Value> {
        let mut value = self;
        for step in path.split('.') {
            value = match value {
                Self::Document(document) => document.get_mut(step)?,
                Self::Array(elements) => {
                    elements.get_mut(usize::try_from(array_index(step)?).ok()?)?
                }
                _ => return None,
            };
        }
        Some(value)
    }
}

/// Splits the first step off a path.
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)))
}

/// Returns documents around `value` for the steps of a path.
fn nested(path: Option<&str>, value: Value) -> Value {
    let Some(path) = path else { return value };
    path.rsplit('.').fold(value, |within, name| Value::Document(Document::from([(name, within)])))
}

/// The reason why a path can't be set.
struct Problem {
    /// What is left of the path at the value that is in the way.
    rest: String,
    kind: ErrorKind,
    /// What the value is.
    text: String,
}

impl Problem {
    #[cold]
    fn into_error(self, path: &str) -> Error {
        let size = path.len().saturating_sub(self.rest.len() + 1);
        let before = path.get(..size).unwrap_or(path);
        ErrorBuilder::new(self.kind, format!("`{before}` {}", self.text)).path(before).into()
    }
}

/// Sets what is left of a path below `at`, which is there.
fn set(
    mut at: &mut Value,
    mut path: Option<&str>,
    value: Value,
) -> std::result::Result<Option<Value>, Problem> {
    while let Some(here) = path {
        let (step, rest) = split(here);
        path = rest;
        let problem = |kind, text| Problem { rest: here.to_owned(), kind, text };
        match at {
            Value::Document(document) => {
                let Some(index) = document.position(step) else {
                    document.fields.push((step.to_owned(), nested(rest, value)));
                    return Ok(None);
                };
                at = &mut document.fields[index].1;
            }
            Value::Array(elements) => {
                let Some(index) = array_index(step).and_then(|index| usize::try_from(index).ok())
                else {
                    let text = format!("is an array, which has no element `{step}`");
                    return Err(problem(ErrorKind::WrongType, text));
                };
                let len = elements.len();
                if index > len {
                    let text = format!("has {len} elements, and none to come before {index}");
                    return Err(problem(ErrorKind::NotFound, text));
                }
                if index == len {
                    elements.push(nested(rest, value));
                    return Ok(None);
                }
                at = &mut elements[index];
            }
            other => {
                let text = format!("is {}, which has no fields", other.value_type().with_article());
                return Err(problem(ErrorKind::WrongType, text));
            }
        }
    }
    Ok(Some(std::mem::replace(at, value)))
}
