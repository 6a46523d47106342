//! `[name]` and `[index]`, to read and to set.

use std::ops::{Index, IndexMut};

use super::Value;
use crate::document::Document;

static NULL: Value = Value::Null;

/// Returns the field or element, or null if there is none.
impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }
}

/// Returns the element, or null if there is none.
impl Index<usize> for Value {
    type Output = Value;

    fn index(&self, index: usize) -> &Value {
        self.as_array().and_then(|elements| elements.get(index)).unwrap_or(&NULL)
    }
}

/// Returns the field, or null if there is none.
impl Index<&str> for Document {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }
}

/// Returns the field, which is null at first if there was none.
impl IndexMut<&str> for Document {
    fn index_mut(&mut self, name: &str) -> &mut Value {
        self.entry(name).or_default()
    }
}

/// Returns the field, which is null at first if there was none. Null becomes a document.
///
/// # Panics
///
/// If the value is neither a document nor null; [`Value::get_path_mut`] and
/// [`Document::set_path`] never panic.
impl IndexMut<&str> for Value {
    #[expect(clippy::panic, reason = "as with any index: there is no value to return")]
    fn index_mut(&mut self, name: &str) -> &mut Value {
        if self.is_null() {
            *self = Self::Document(Document::new());
        }
        match self {
            Self::Document(document) => &mut document[name],
            other => panic!("{} has no field `{name}`", other.value_type().with_article()),
        }
    }
}

/// Returns the element.
///
/// # Panics
///
/// If the value is not an array, or has no such element; [`Value::get_path_mut`] never panics.
impl IndexMut<usize> for Value {
    #[expect(clippy::panic, reason = "as with any index: there is no value to return")]
    fn index_mut(&mut self, index: usize) -> &mut Value {
        match self {
            Self::Array(elements) => &mut elements[index],
            other => panic!("{} has no elements", other.value_type().with_article()),
        }
    }
}
