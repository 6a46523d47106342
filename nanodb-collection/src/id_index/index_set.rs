//! What the id indexes of a database have in common: who is told of a checkpoint, which of them are
//! damaged in the file, and how much memory they may take.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use nanodb_index::IndexMemory;
use nanodb_pager::{Owner, Seq};
use parking_lot::Mutex;

use super::CollectionIndex;
use super::budget::Budget;
use super::run::IndexRun;
use crate::ids::CollectionId;

/// The id indexes of a database.
#[derive(Debug)]
pub(crate) struct IndexSet {
    indexes: Mutex<HashMap<CollectionId, Weak<CollectionIndex>>>,
    damaged: Mutex<BTreeSet<CollectionId>>,
    pub(crate) budget: Budget,
    /// What groups give up goes to those of other collections.
    pub(crate) memory: IndexMemory,
}

impl IndexSet {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            indexes: Mutex::default(),
            damaged: Mutex::default(),
            memory: match bytes_max {
                usize::MAX => IndexMemory::default(),
                _ => IndexMemory::with_marks(),
            },
            budget: Budget::new(bytes_max),
        }
    }

    /// Has a collection told of checkpoints, for as long as it is there.
    pub(crate) fn enter(&self, collection: Owner, id_index: &Arc<CollectionIndex>) {
        self.indexes.lock().insert(CollectionId::of(collection), Arc::downgrade(id_index));
    }

    /// A checkpoint is durable: tells the collections what the file holds of their indexes.
    pub(crate) fn saved(
        &self,
        mut runs: impl FnMut(CollectionId) -> Option<Vec<IndexRun>>,
        seq: Seq,
    ) {
        self.damaged.lock().clear();
        let mut indexes = Vec::new();
        self.indexes.lock().retain(|&number, id_index| {
            let id_index = id_index.upgrade();
            let is_there = id_index.is_some();
            indexes.extend(id_index.map(|id_index| (number, id_index)));
            is_there
        });
        for (number, id_index) in indexes {
            id_index.rebase(runs(number), seq);
        }
    }

    /// Has the next checkpoint make an index anew.
    pub(crate) fn report_damage(&self, collection: CollectionId) {
        self.damaged.lock().insert(collection);
    }

    pub(crate) fn damaged(&self) -> BTreeSet<CollectionId> {
        self.damaged.lock().clone()
    }
}
