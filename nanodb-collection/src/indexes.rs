//! What the id indexes of a database have in common: who is told of a checkpoint, which of them are
//! damaged in the file, and how much memory they may take.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use nanodb_index::IndexMemory;
use nanodb_pager::{Owner, Seq};
use parking_lot::Mutex;

use crate::budget::Budget;
use crate::root::Root;
use crate::store::Shelf;

/// The id indexes of a database.
#[derive(Debug)]
pub(crate) struct Indexes {
    shelves: Mutex<HashMap<u32, Weak<Shelf>>>,
    damaged: Mutex<BTreeSet<u32>>,
    pub(crate) budget: Budget,
    /// What groups give up goes to those of other collections.
    pub(crate) memory: IndexMemory,
}

impl Indexes {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            shelves: Mutex::default(),
            damaged: Mutex::default(),
            memory: match bytes_max {
                usize::MAX => IndexMemory::default(),
                _ => IndexMemory::with_marks(),
            },
            budget: Budget::new(bytes_max),
        }
    }

    /// Has a collection told of checkpoints, for as long as it is there.
    pub(crate) fn enter(&self, collection: Owner, shelf: &Arc<Shelf>) {
        self.shelves.lock().insert(collection.get(), Arc::downgrade(shelf));
    }

    /// A checkpoint is durable: tells the collections what the file holds of their indexes.
    pub(crate) fn saved(&self, root: &Root, seq: Seq) {
        self.damaged.lock().clear();
        let mut shelves = Vec::new();
        self.shelves.lock().retain(|&number, shelf| {
            let shelf = shelf.upgrade();
            let is_there = shelf.is_some();
            shelves.extend(shelf.map(|shelf| (number, shelf)));
            is_there
        });
        for (number, shelf) in shelves {
            let stored = root.collections.get(&number);
            shelf.rebase(stored.and_then(|stored| stored.saved.clone()), seq);
        }
    }

    /// Has the next checkpoint make an index anew.
    pub(crate) fn report_damage(&self, collection: u32) {
        self.damaged.lock().insert(collection);
    }

    pub(crate) fn damaged(&self) -> BTreeSet<u32> {
        self.damaged.lock().clone()
    }
}
