//! Batches into a collection, with conflicts settled.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::mem;

use nanodb::{Collection, Document, Encode as _, ErrorKind, Id};

use super::batch::Batch;
use crate::arguments::OnConflict;
use crate::failure::{Failure, Result};
use crate::figures;
use crate::json::Position;

/// What became of the documents so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    pub(super) inserted: u64,
    pub(super) replaced: u64,
    pub(super) skipped: u64,
}

impl Tally {
    pub(super) fn total(self) -> u64 {
        self.inserted + self.replaced + self.skipped
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} inserted", figures::counted(self.inserted, "document"))?;
        if self.replaced > 0 {
            write!(f, ", {} replaced", figures::count(self.replaced))?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped", figures::count(self.skipped))?;
        }
        Ok(())
    }
}

/// Stores batches. It is the only one to write: the database's file is locked.
pub(super) struct Writer {
    collection: Collection,
    on_conflict: OnConflict,
    input: String,
    tally: Tally,
}

impl Writer {
    pub(super) fn new(collection: Collection, on_conflict: OnConflict, input: String) -> Self {
        Self { collection, on_conflict, input, tally: Tally::default() }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Stores a batch as a whole, or nothing of it. (Replacing, one by one: see
    /// [`replace`](Self::replace).)
    pub(super) fn write(&mut self, batch: &mut Batch) -> Result<()> {
        match self.on_conflict {
            OnConflict::Error => self.insert(batch),
            OnConflict::Skip => self.skip(batch),
            OnConflict::Replace => self.replace(batch),
        }
    }

    fn insert(&mut self, batch: &Batch) -> Result<()> {
        match self.collection.insert_many(&batch.documents) {
            Ok(ids) => {
                self.tally.inserted += ids.len() as u64;
                Ok(())
            }
            Err(error) => Err(self.refusal(batch, error)),
        }
    }

    /// Stores the documents whose ids are not taken, by earlier ones of the batch neither.
    fn skip(&mut self, batch: &mut Batch) -> Result<()> {
        let mut seen = HashSet::new();
        let mut new = Batch::default();
        let mut skipped = 0;
        for (document, at) in batch.take() {
            if let Some(id) = document.id()
                && (self.collection.contains(id)? || !seen.insert(id.to_owned()))
            {
                skipped += 1;
                continue;
            }
            new.documents.push(document);
            new.places.push(at);
        }
        self.insert(&new)?;
        self.tally.skipped += skipped;
        Ok(())
    }

    /// Stores new documents all at once, then replaces those that exist one by one.
    /// Everything is checked before: only a failure of the file can come between.
    fn replace(&mut self, batch: &mut Batch) -> Result<()> {
        if let Some(refusal) = self.find_invalid(batch) {
            return Err(refusal);
        }
        let mut new = Batch::default();
        let mut new_index = HashMap::new();
        let mut existing: Vec<(Id, Document)> = Vec::new();
        let mut replaced = 0;
        for (document, at) in batch.take() {
            let id = document.id().map(|id| id.to_owned());
            if let Some(id) = id {
                if let Some(earlier) =
                    new_index.get(&id).and_then(|&index: &usize| new.documents.get_mut(index))
                {
                    // As if the earlier one had been stored, and then replaced.
                    drop(mem::replace(earlier, document));
                    replaced += 1;
                    continue;
                }
                if self.collection.contains(&id)? {
                    existing.push((id, document));
                    continue;
                }
                new_index.insert(id, new.documents.len());
            }
            new.documents.push(document);
            new.places.push(at);
        }
        self.insert(&new)?;
        self.tally.replaced += replaced;
        for (id, document) in existing {
            self.collection.replace(&id, &document)?;
            self.tally.replaced += 1;
        }
        Ok(())
    }

    /// The failure that says which document of the batch an error is about.
    fn refusal(&self, batch: &Batch, error: nanodb::Error) -> Failure {
        let found = match error.kind() {
            ErrorKind::Invalid => self.find_invalid(batch),
            ErrorKind::DuplicateId => self.find_duplicate(batch),
            _ => None,
        };
        found.unwrap_or(Failure::Database(error))
    }

    fn find_invalid(&self, batch: &Batch) -> Option<Failure> {
        let mut buffer = Vec::new();
        batch.documents.iter().zip(&batch.places).find_map(|(document, at)| {
            buffer.clear();
            let error = document.encode(None, &mut buffer).err()?;
            Some(self.refused(*at, error.to_string()))
        })
    }

    fn find_duplicate(&self, batch: &Batch) -> Option<Failure> {
        let mut seen = HashMap::new();
        batch.documents.iter().zip(&batch.places).find_map(|(document, at)| {
            let id = document.id()?;
            if self.collection.contains(id).ok()? {
                let why =
                    format!("a document with the id {id} is stored already (see --on-conflict)");
                return Some(self.refused(*at, why));
            }
            let first = seen.insert(id, *at)?;
            Some(self.refused(*at, format!("the id {id} is that of the document in {first}, too")))
        })
    }

    fn refused(&self, at: Position, why: String) -> Failure {
        Failure::Refused { name: self.input.clone(), at, why }
    }
}
