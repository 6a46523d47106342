//! The verbs that search: of collections, of snapshots and within transactions.

use std::collections::BTreeMap;

use nanodb_msgpack::encode_key;
use nanodb_query::{Filter, Path};

use super::find::{Find, matches};
use super::source::Source;
use crate::collection::Collection;
use crate::error::{Error, Result};
use crate::snapshot::SnapshotCollection;
use crate::transaction_collection::TransactionCollection;
use nanodb_collection::StoredDoc;
use nanodb_document::Value;
use nanodb_document::ValueRef;

macro_rules! searches {
    ($collection:ty, $source:ident) => {
        impl $collection {
            /// Searches for documents that pass a filter; see [`Find`].
            ///
            /// A filter is made by [`field`](nanodb_query::field) and its methods, or is MongoDB's
            /// language: from JSON text by [`Filter::parse_json`], from a document by `try_from`.
            pub fn find(&self, filter: impl Into<Filter>) -> Find<'_> {
                Find::new(Source::$source(self), filter.into())
            }

            /// A document that passes, if there is one; any of several.
            ///
            /// # Errors
            ///
            /// As [`Find::run`].
            pub fn find_one(&self, filter: impl Into<Filter>) -> Result<Option<StoredDoc>> {
                self.find(filter).first()
            }

            /// How many documents pass.
            ///
            /// # Errors
            ///
            /// As [`Find::count`].
            pub fn count_documents(&self, filter: impl Into<Filter>) -> Result<u64> {
                self.find(filter).count()
            }

            /// Whether a document passes.
            ///
            /// # Errors
            ///
            /// As [`Find::run`].
            pub fn exists(&self, filter: impl Into<Filter>) -> Result<bool> {
                Ok(self.find(filter).first()?.is_some())
            }

            /// The values that a path leads to in documents that pass, each once, in the order over all
            /// values. An array stands for its elements. They are all in memory.
            ///
            /// # Errors
            ///
            /// [`Error::Query`](crate::Error::Query) if the path is too long; as [`Find::count`].
            pub fn distinct(&self, path: &str, filter: impl Into<Filter>) -> Result<Vec<Value>> {
                distinct(&self.find(filter), path)
            }
        }
    };
}

searches!(Collection, Collection);
searches!(SnapshotCollection, Snapshot);
searches!(TransactionCollection<'_>, Transaction);

fn distinct(find: &Find<'_>, path: &str) -> Result<Vec<Value>> {
    let path = Path::parse(path).map_err(nanodb_query::QueryError::from)?;
    // By their keys, which sort as the values do.
    let mut values: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
    let mut key = Vec::new();
    find.candidates()?.try_for_each(|document| {
        if !matches(&find.filter, document)? {
            return Ok(());
        }
        let mut is_unreadable = false;
        let walked = path.for_each_value(document.as_bytes(), |value| {
            key.clear();
            encode_key(Some(value), &mut key)?;
            if !values.contains_key(&key) {
                match ValueRef::from_bytes(value.bytes()?).map(|value| value.to_value()) {
                    Some(Ok(value)) => drop(values.insert(key.clone(), value)),
                    Some(Err(_)) => is_unreadable = true,
                    None => return Err(nanodb_msgpack::Malformed),
                }
            }
            Ok(())
        });
        walked.map_err(|_| Error::malformed())?;
        if is_unreadable { Err(Error::malformed()) } else { Ok(()) }
    })?;
    Ok(values.into_values().collect())
}
