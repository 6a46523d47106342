//! How a search is carried out: decided once, for running it and for explaining it.

use std::fmt;

use nanodb_document::{Id, IdRef};
use nanodb_query::bytes::FilterBytes;
use nanodb_query::{Filter, Sort};

use crate::error::Result;

/// How a search is carried out; made by [`Find::explain`](crate::Find::explain).
///
/// Documents are read by the [access path](Self::access_path), matched against the
/// [filter](Self::filter) and put into [order](Self::sort).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// How documents are read.
    pub access_path: AccessPath,
    /// The filter that each of them must match.
    pub filter: Filter,
    /// The order, for which all matching documents are read before the first is returned; empty for
    /// any order.
    pub sort: Sort,
    /// The ids, if documents are looked up by id.
    pub(super) ids: Vec<Id>,
}

/// The way in which a search reads documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessPath {
    /// By looking up the ids that the filter names.
    IdLookup {
        /// How many ids.
        count: usize,
    },
    /// By scanning the collection.
    CollectionScan,
}

impl Plan {
    /// The plan of a search. Whatever searches or changes by a filter comes here first: one that
    /// was built of what is refused ends here.
    pub(super) fn new(filter: Filter, sort: Sort) -> Result<Self> {
        filter.check()?;
        sort.check()?;
        let ids = wanted_ids(&filter);
        let access_path = match &ids {
            Some(ids) => AccessPath::IdLookup { count: ids.len() },
            None => AccessPath::CollectionScan,
        };
        Ok(Self { access_path, filter, sort, ids: ids.unwrap_or_default() })
    }
}

impl fmt::Display for AccessPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdLookup { count: 1 } => f.write_str("by 1 id"),
            Self::IdLookup { count } => write!(f, "by {count} ids"),
            Self::CollectionScan => f.write_str("by scanning the collection"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.access_path)?;
        if self.sort.is_empty() { Ok(()) } else { f.write_str(", sorted") }
    }
}

/// Returns the ids that documents must have to match a filter, if it names them. Values that cannot
/// be ids are left out, since no document has them.
fn wanted_ids(filter: &Filter) -> Option<Vec<Id>> {
    let ids = filter.wanted_ids()?;
    Some(ids.iter().filter_map(|bytes| to_id(bytes)).collect())
}

/// Returns a value as an id, if it can be one.
pub(super) fn to_id(bytes: &[u8]) -> Option<Id> {
    let token = nanodb_msgpack::Cursor::new(bytes).read()?;
    if let nanodb_msgpack::Token::Float(number) = token {
        // A whole float is equal to the integer.
        let whole = nanodb_msgpack::Number::Float(number).as_whole()?;
        let signed = i64::try_from(whole).map(Id::Int);
        return signed.or_else(|_| u64::try_from(whole).map(Id::UInt)).ok();
    }
    IdRef::from_token(token).map(IdRef::to_owned)
}
