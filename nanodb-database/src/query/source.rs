//! Whose documents are wanted.

use std::sync::Arc;

use nanodb_pager::Pager;

use crate::collection::Collection;
use crate::error::Result;
use crate::snapshot::SnapshotCollection;
use crate::transaction_collection::TransactionCollection;
use nanodb_collection::{Call, Opening, Scan};
use nanodb_collection::{StoredDoc, until};
use nanodb_document::Id;

/// The collection that a search reads, through one of the three handles.
#[derive(Clone, Debug)]
pub enum Source<'c> {
    /// The newest commit.
    Collection(&'c Collection),
    /// One moment.
    Snapshot(&'c SnapshotCollection),
    /// What a transaction sees.
    Transaction(&'c TransactionCollection<'c>),
}

impl<'c> Source<'c> {
    /// Registers a call that closing waits for. Those on transactions are not: closing ends the
    /// transaction between two statements of a search, which then ends as well.
    pub(super) fn enter(&self) -> Result<Option<Call<'c>>> {
        match *self {
            Self::Collection(collection) => Ok(Some(collection.opening().enter()?)),
            Self::Snapshot(collection) => Ok(Some(collection.opening().enter()?)),
            Self::Transaction(collection) => {
                collection.check_open()?;
                Ok(None)
            }
        }
    }

    pub(super) fn opening(&self) -> &Arc<Opening> {
        match self {
            Self::Collection(collection) => collection.opening(),
            Self::Snapshot(collection) => collection.opening(),
            Self::Transaction(collection) => collection.opening(),
        }
    }

    pub(super) fn scan(&self) -> Result<Scan> {
        match self {
            Self::Collection(collection) => collection.scan(),
            Self::Snapshot(collection) => collection.scan(),
            Self::Transaction(collection) => collection.scan(),
        }
    }

    /// How many documents there are; none is looked at.
    pub(super) fn count(&self) -> Result<u64> {
        match self {
            Self::Collection(collection) => collection.count(),
            Self::Snapshot(collection) => collection.count(),
            Self::Transaction(collection) => collection.count(),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Collection(collection) => collection.name(),
            Self::Snapshot(collection) => collection.name(),
            Self::Transaction(collection) => collection.name(),
        }
    }

    pub(super) fn pager(&self) -> &Pager {
        match self {
            Self::Collection(collection) => collection.pager(),
            Self::Snapshot(collection) => collection.pager(),
            Self::Transaction(collection) => collection.pager(),
        }
    }

    pub(super) fn get_many(&self, ids: &[Id]) -> Result<Vec<Option<StoredDoc>>> {
        match self {
            Self::Collection(collection) => collection.get_many(ids),
            Self::Snapshot(collection) => collection.get_many(ids),
            Self::Transaction(collection) => collection.get_many(ids),
        }
    }

    /// The documents with these ids that there are, in the same order, as of one moment; as far as
    /// `is_enough` does not say, after one of them, that no more are wanted.
    pub(super) fn get_until(
        &self,
        ids: &[Id],
        is_enough: impl FnMut(&StoredDoc) -> bool,
    ) -> Result<Vec<StoredDoc>> {
        match self {
            Self::Collection(collection) => collection.get_until(ids, is_enough),
            Self::Snapshot(collection) => until(ids, |id| collection.get(id), is_enough),
            // Nobody else changes what it sees.
            Self::Transaction(collection) => until(ids, |id| collection.get(id), is_enough),
        }
    }
}
