//! Iterating over a document's fields, and collecting them.

use std::{slice, vec};

use super::Document;
use super::builder::Builder;
use crate::value::Value;

/// An iterator over the fields of a [`Document`], in order.
#[derive(Clone, Debug)]
pub struct Iter<'a>(slice::Iter<'a, (String, Value)>);

/// An iterator over the fields of a [`Document`], in order, with mutable values.
#[derive(Debug)]
pub struct IterMut<'a>(slice::IterMut<'a, (String, Value)>);

/// An iterator that takes a [`Document`] apart, field by field, in order.
#[derive(Debug)]
pub struct IntoIter(vec::IntoIter<(String, Value)>);

impl Document {
    /// Returns an iterator over the fields, in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.fields.iter())
    }

    /// Returns an iterator over the fields, in order, with mutable values.
    #[must_use]
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut(self.fields.iter_mut())
    }

    /// Returns an iterator over the names of the fields, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// Returns an iterator over the values of the fields, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator {
        self.fields.iter().map(|(_, value)| value)
    }

    /// Returns an iterator over the values of the fields, in order, to be changed in place.
    pub fn values_mut(
        &mut self,
    ) -> impl ExactSizeIterator<Item = &mut Value> + DoubleEndedIterator {
        self.fields.iter_mut().map(|(_, value)| value)
    }

    /// Returns an iterator over the names of the fields, in order, that owns them.
    pub fn into_keys(self) -> impl ExactSizeIterator<Item = String> + DoubleEndedIterator {
        self.fields.into_iter().map(|(name, _)| name)
    }

    /// Returns an iterator over the values of the fields, in order, that owns them.
    pub fn into_values(self) -> impl ExactSizeIterator<Item = Value> + DoubleEndedIterator {
        self.fields.into_iter().map(|(_, value)| value)
    }
}

macro_rules! forward_iterator {
    ($iterator:ty, $item:ty, |$field:ident| $into:expr) => {
        impl<'a> Iterator for $iterator {
            type Item = $item;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next().map(|$field| $into)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<'a> DoubleEndedIterator for $iterator {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back().map(|$field| $into)
            }
        }

        impl<'a> ExactSizeIterator for $iterator {}
    };
}
forward_iterator!(Iter<'a>, (&'a str, &'a Value), |field| (field.0.as_str(), &field.1));
forward_iterator!(IterMut<'a>, (&'a str, &'a mut Value), |field| (field.0.as_str(), &mut field.1));

impl Iterator for IntoIter {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for IntoIter {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back()
    }
}

impl ExactSizeIterator for IntoIter {}

impl<'a> IntoIterator for &'a Document {
    type Item = (&'a str, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Document {
    type Item = (&'a str, &'a mut Value);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

impl IntoIterator for Document {
    type Item = (String, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self.fields.into_iter())
    }
}

/// A repeated name replaces the value. The cost is linear in the number of fields.
impl<N: Into<String>, V: Into<Value>> Extend<(N, V)> for Document {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, fields: I) {
        let mut builder = Builder::new(self);
        for (name, value) in fields {
            builder.push(name.into(), value.into());
        }
    }
}

/// A repeated name keeps its first place and gets its last value.
impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Document {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        let mut document = Self::new();
        document.extend(fields);
        document
    }
}

impl<N: Into<String>, V: Into<Value>, const N_FIELDS: usize> From<[(N, V); N_FIELDS]> for Document {
    fn from(fields: [(N, V); N_FIELDS]) -> Self {
        fields.into_iter().collect()
    }
}
