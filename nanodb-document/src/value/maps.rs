//! Documents made of Rust's maps.

use std::collections::{BTreeMap, HashMap};

use super::Value;

impl<K: Into<String>, V: Into<Value>> From<BTreeMap<K, V>> for Value {
    fn from(map: BTreeMap<K, V>) -> Self {
        Self::Document(map.into_iter().collect())
    }
}

impl<K: Clone + Into<String>, V: Clone + Into<Value>> From<&BTreeMap<K, V>> for Value {
    fn from(map: &BTreeMap<K, V>) -> Self {
        map.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Fields>().into()
    }
}

/// Fields are sorted by name: the order within a `HashMap` differs from run to run, and documents
/// are equal only if their order is.
impl<K: Into<String>, V: Into<Value>, S> From<HashMap<K, V, S>> for Value {
    fn from(map: HashMap<K, V, S>) -> Self {
        map.into_iter().collect::<Fields>().into()
    }
}

/// Fields are sorted by name, as those of an owned `HashMap`.
impl<K: Clone + Into<String>, V: Clone + Into<Value>, S> From<&HashMap<K, V, S>> for Value {
    fn from(map: &HashMap<K, V, S>) -> Self {
        map.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Fields>().into()
    }
}

/// Fields by name.
struct Fields(BTreeMap<String, Value>);

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl From<Fields> for Value {
    fn from(Fields(fields): Fields) -> Self {
        fields.into()
    }
}
