//! Storing batches in a collection, and resolving conflicts.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::mem;

use nanodb::{
    Collection, Database, Document, Encode as _, ErrorKind, ID_FIELD, Id, TransactionCollection,
};

use super::batch::{Batch, Part};
use super::id_set::IdSet;
use super::rejects::Rejects;
use crate::arguments::{Import, OnConflict};
use crate::failure::{Failure, Result};
use crate::figures;
use crate::json::Position;

/// What has happened to the documents so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    pub(super) inserted: u64,
    pub(super) replaced: u64,
    pub(super) skipped: u64,
    pub(super) rejected: u64,
}

impl Tally {
    pub(super) fn total(self) -> u64 {
        self.inserted + self.replaced + self.skipped + self.rejected
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
        if self.rejected > 0 {
            write!(f, ", {} rejected", figures::count(self.rejected))?;
        }
        Ok(())
    }
}

/// Stores batches. No one else writes meanwhile: the database's file is locked.
pub(super) struct Writer {
    database: Database,
    collection: Collection,
    on_conflict: OnConflict,
    input: String,
    tally: Tally,
    /// The ids assigned to documents of this input that have none in it.
    assigned: IdSet,
    rejects: Option<Rejects>,
}

impl Writer {
    pub(super) fn new(
        database: Database,
        arguments: &Import,
        input: String,
        rejects: Option<Rejects>,
    ) -> Self {
        Self {
            collection: database.collection(&arguments.collection),
            database,
            on_conflict: arguments.on_conflict,
            input,
            tally: Tally::default(),
            assigned: IdSet::default(),
            rejects,
        }
    }

    pub(super) fn tally(&self) -> Tally {
        let rejected = self.rejects.as_ref().map_or(0, Rejects::count);
        Tally { rejected, ..self.tally }
    }

    /// Stores a batch as a whole, or nothing of it. (Replacing takes two steps: see
    /// [`replace`](Self::replace).)
    pub(super) fn write(&mut self, batch: &mut Batch) -> Result<()> {
        self.reject(batch)?;
        // The rejects of the batch are on disk before the batch is.
        self.rejects.as_ref().map_or(Ok(()), Rejects::sync)?;
        match self.on_conflict {
            OnConflict::Error => self.insert(batch),
            OnConflict::Skip => self.skip(batch),
            OnConflict::Replace => self.replace(batch),
        }
    }

    /// Writes the documents of a batch that can't be stored to the file of rejects, if any.
    fn reject(&self, batch: &mut Batch) -> Result<()> {
        let Some(rejects) = &self.rejects else { return Ok(()) };
        let mut bad: HashMap<usize, Failure> = self.invalid(batch).collect();
        if self.on_conflict == OnConflict::Error {
            for (index, failure) in self.duplicates(batch) {
                bad.entry(index).or_insert(failure);
            }
        }
        if bad.is_empty() {
            return Ok(());
        }
        let mut good = Batch::default();
        for (index, part) in batch.take().enumerate() {
            match bad.get(&index) {
                Some(failure) => rejects.write(&part.text.unwrap_or_default(), failure)?,
                None => good.push(part),
            }
        }
        *batch = good;
        Ok(())
    }

    fn insert(&mut self, batch: &Batch) -> Result<()> {
        let stored = match runs(&batch.documents).count() {
            0 => return Ok(()),
            1 if !self.takes_assigned(&batch.documents) => self.insert_alike(&batch.documents),
            _ => self.insert_mixed(&batch.documents),
        };
        stored.map_err(|error| self.refusal(batch, error))?;
        self.tally.inserted += batch.documents.len() as u64;
        Ok(())
    }

    /// Inserts documents that all have ids, or all have none.
    fn insert_alike(&mut self, documents: &[Document]) -> nanodb::Result<()> {
        let ids = self.collection.insert_many(documents)?;
        if !has_id(documents) {
            ids.iter().for_each(|id| self.assigned.insert(id));
        }
        Ok(())
    }

    /// Inserts documents with and without ids, or with ids that were assigned to earlier ones,
    /// which get others. All of it is one transaction.
    fn insert_mixed(&mut self, documents: &[Document]) -> nanodb::Result<()> {
        let name = self.collection.name();
        let assigned = self.database.write(|tx| {
            // The closure may run again.
            let mut assigned = self.assigned.clone();
            let collection = tx.collection(name);
            for run in runs(documents) {
                let aside = set_aside(&collection, run, &mut assigned)?;
                let ids = collection.insert_many(run)?;
                let given = if has_id(run) { collection.insert_many(&aside)? } else { ids };
                given.iter().for_each(|id| assigned.insert(id));
            }
            Ok::<_, nanodb::Error>(assigned)
        })?;
        self.assigned = assigned;
        Ok(())
    }

    /// Returns whether one of the documents has an id that this import has assigned.
    fn takes_assigned(&self, documents: &[Document]) -> bool {
        !self.assigned.is_empty()
            && documents.iter().filter_map(Document::id).any(|id| self.is_assigned(&id.to_owned()))
    }

    fn is_assigned(&self, id: &Id) -> bool {
        self.assigned.contains(id)
    }

    /// Returns whether the id belongs to a document that is not of this input, or has it there.
    fn is_taken(&self, id: &Id) -> nanodb::Result<bool> {
        Ok(!self.is_assigned(id) && self.collection.contains(id)?)
    }

    /// Stores the documents whose ids are not taken, neither in the collection nor by earlier ones
    /// of the batch.
    fn skip(&mut self, batch: &mut Batch) -> Result<()> {
        let mut seen = HashSet::new();
        let mut new = Batch::default();
        let mut skipped = 0;
        for part in batch.take() {
            if let Some(id) = part.document.id()
                && (self.is_taken(&id.to_owned())? || !seen.insert(id.to_owned()))
            {
                skipped += 1;
                continue;
            }
            new.push(part);
        }
        self.insert(&new)?;
        self.tally.skipped += skipped;
        Ok(())
    }

    /// Stores all new documents, then replaces all existing ones, in two transactions. Everything
    /// is checked before, so only a failure of the file can come between.
    fn replace(&mut self, batch: &mut Batch) -> Result<()> {
        if let Some(refusal) = self.find_invalid(batch) {
            return Err(refusal);
        }
        let mut new = Batch::default();
        let mut new_index = HashMap::new();
        let mut existing: Vec<(Id, Document)> = Vec::new();
        let mut replaced = 0;
        for part in batch.take() {
            let Part { document, at, text } = part;
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
                if self.is_taken(&id)? {
                    existing.push((id, document));
                    continue;
                }
                new_index.insert(id, new.documents.len());
            }
            new.push(Part { document, at, text });
        }
        self.insert(&new)?;
        self.tally.replaced += replaced;
        if existing.is_empty() {
            return Ok(());
        }
        self.database.write(|tx| {
            let collection = tx.collection(self.collection.name());
            existing.iter().try_for_each(|(id, document)| {
                collection.replace(id, document)?;
                Ok::<_, nanodb::Error>(())
            })
        })?;
        self.tally.replaced += existing.len() as u64;
        Ok(())
    }

    /// Returns the failure that says which document of the batch an error is about.
    fn refusal(&self, batch: &Batch, error: nanodb::Error) -> Failure {
        let found = match error.kind() {
            ErrorKind::Invalid => self.find_invalid(batch),
            ErrorKind::DuplicateId => self.find_duplicate(batch),
            _ => None,
        };
        found.unwrap_or(Failure::Database(error))
    }

    fn find_invalid(&self, batch: &Batch) -> Option<Failure> {
        self.invalid(batch).next().map(|(_, failure)| failure)
    }

    fn find_duplicate(&self, batch: &Batch) -> Option<Failure> {
        self.duplicates(batch).next().map(|(_, failure)| failure)
    }

    /// Returns the documents that break a rule, by index, with the rule.
    fn invalid(&self, batch: &Batch) -> impl Iterator<Item = (usize, Failure)> {
        let mut buffer = Vec::new();
        let all = batch.documents.iter().zip(&batch.places).enumerate();
        all.filter_map(move |(index, (document, at))| {
            buffer.clear();
            let error = document.encode(None, &mut buffer).err()?;
            Some((index, self.refused(*at, error.to_string())))
        })
    }

    /// Returns the documents whose ids are taken, by index, with the owner of the id.
    fn duplicates(&self, batch: &Batch) -> impl Iterator<Item = (usize, Failure)> {
        let mut seen = HashMap::new();
        let all = batch.documents.iter().zip(&batch.places).enumerate();
        all.filter_map(move |(index, (document, at))| {
            let id = document.id()?.to_owned();
            if self.is_taken(&id).ok()? {
                let why =
                    format!("a document with the id {id} is stored already (see --on-conflict)");
                return Some((index, self.refused(*at, why)));
            }
            if let Some(first) = seen.get(&id) {
                let why = format!("the id {id} is that of the document in {first}, too");
                return Some((index, self.refused(*at, why)));
            }
            seen.insert(id, *at);
            None
        })
    }

    fn refused(&self, at: Position, why: String) -> Failure {
        Failure::Refused { name: self.input.clone(), at, why }
    }
}

/// Splits the documents where those with ids meet those without.
fn runs(documents: &[Document]) -> impl Iterator<Item = &[Document]> {
    documents.chunk_by(|one, next| one.contains_key(ID_FIELD) == next.contains_key(ID_FIELD))
}

/// Returns whether the documents of a run have ids.
fn has_id(run: &[Document]) -> bool {
    run.first().is_some_and(|document| document.contains_key(ID_FIELD))
}

/// Takes out the documents whose assigned ids are those of documents in `run`; returns them,
/// without ids.
fn set_aside(
    collection: &TransactionCollection<'_>,
    run: &[Document],
    assigned: &mut IdSet,
) -> nanodb::Result<Vec<Document>> {
    let mut aside = Vec::new();
    for id in run.iter().filter_map(Document::id).map(|id| id.to_owned()) {
        if assigned.is_empty() || !assigned.contains(&id) {
            continue;
        }
        let Some(stored) = collection.get(&id)? else { continue };
        let mut document = stored.to_document()?;
        document.remove(ID_FIELD);
        collection.delete(&id)?;
        assigned.remove(&id);
        aside.push(document);
    }
    Ok(aside)
}
