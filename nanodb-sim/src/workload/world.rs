//! A database on a simulated disk, and the model beside it.

#![allow(clippy::panic, reason = "a difference from the model is reported by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb::{
    Collection, Database, Document, Durability, Error, ErrorKind, Id, Snapshot, Update, doc,
};

use super::model::{Model, Outcome, documents, id_of, name, replacement};
use super::op::{COLLECTIONS, End, Op, Write};
use crate::crash::{Crash, Unsynced};
use crate::fault::{Failure, Fault};
use crate::journal::Files;
use crate::storage::SimStorage;

/// The contents of a database, decoded.
type Found = BTreeMap<String, BTreeMap<Id, Document>>;

/// A database and what should be in it.
#[derive(Debug)]
pub struct World {
    storage: SimStorage,
    db: Option<Database>,
    durability: Durability,
    /// The disk as a power cut would leave it.
    disk: Crash,
    /// What was true after each commit that a power cut may take back, the newest last;
    /// before them, the last that it cannot.
    states: Vec<Model>,
    /// How many of the states a killed process may at most take back.
    volatile: usize,
    snapshots: Vec<(Snapshot, Model)>,
    /// A number that every document carries, a new one for each operation.
    stamp: u64,
}

impl World {
    /// Returns an empty database whose writes promise `durability`, with a small cache and log.
    pub fn new(durability: Durability) -> Self {
        let storage = SimStorage::new();
        storage.start_journal();
        let mut world = Self {
            disk: Crash::new(&storage.files()),
            storage,
            db: None,
            durability,
            states: vec![Model::default()],
            volatile: 0,
            snapshots: Vec::new(),
            stamp: 0,
        };
        world.open("at the start");
        world
    }

    /// Does an operation to the database and to the model.
    ///
    /// # Panics
    ///
    /// If the two differ, or the database fails where nothing made it fail.
    pub fn apply(&mut self, op: &Op) {
        self.stamp += 1;
        match op {
            Op::Write(write) => {
                let outcome = self.write(write).unwrap_or_else(|error| panic!("{op:?}: {error}"));
                self.expect(write, outcome);
            }
            Op::Transaction { writes, end, durability } => {
                let done = self.transaction(writes, *end, *durability);
                done.unwrap_or_else(|error| panic!("{op:?}: {error}"));
            }
            Op::Get { collection, id } => self.get(*collection, *id),
            Op::Scan { collection } => self.scan(*collection),
            Op::DropCollection { collection } => self.drop_collection(*collection),
            Op::Rename { from, to } => self.rename(*from, *to),
            Op::TakeSnapshot if self.snapshots.len() < 4 => {
                self.snapshots.push((self.db().snapshot(), self.model().clone()));
            }
            Op::TakeSnapshot => {}
            Op::ReadSnapshot(which) => self.read_snapshot(*which),
            Op::DropSnapshot(which) => {
                if let Some(which) = usize::from(*which).checked_rem(self.snapshots.len()) {
                    drop(self.snapshots.swap_remove(which));
                }
            }
            Op::Checkpoint => {
                self.db().checkpoint().unwrap_or_else(|error| panic!("checkpoint: {error}"));
                self.all_is_durable();
            }
            Op::Compact => {
                self.db().compact().unwrap_or_else(|error| panic!("compact: {error}"));
                self.all_is_durable();
            }
            Op::Reopen => self.reopen(),
            Op::Check => self.check(),
            Op::Kill => self.kill(),
            Op::PowerCut(fate) => self.cut_power(*fate),
            Op::Failing { after, failure, op } => self.failing(*after, *failure, op),
        }
    }

    /// Compares everything that can be read, and has the database check itself.
    ///
    /// # Panics
    ///
    /// If anything is not as it should be.
    pub fn check(&mut self) {
        (0..COLLECTIONS).for_each(|number| self.scan(u8::try_from(number).unwrap_or(0)));
        (0..self.snapshots.len())
            .for_each(|which| self.read_snapshot(u8::try_from(which).unwrap_or(0)));
        let report = self.db().check().unwrap_or_else(|error| panic!("check: {error}"));
        // A power cut may have torn one copy of the header; the other serves until the next
        // checkpoint writes both.
        let serious =
            report.problems.iter().any(|problem| problem.page.is_none_or(|page| page > 1));
        assert!(!serious, "{report}");
        let model = self.model();
        let documents: usize = model.collections.values().map(|all| all.documents.len()).sum();
        assert_eq!(report.documents, documents as u64);
        let listed = self.db().collections().unwrap_or_else(|error| panic!("list: {error}"));
        let listed: Vec<_> = listed.iter().map(|info| (info.name.as_str(), info.count)).collect();
        let expected =
            model.collections.iter().map(|(&name, all)| (name, all.documents.len() as u64));
        assert_eq!(listed, expected.collect::<Vec<_>>());
    }

    fn db(&self) -> &Database {
        self.db.as_ref().unwrap_or_else(|| panic!("the database is open between operations"))
    }

    fn collection(&self, number: u8) -> Collection {
        self.db().collection(name(number))
    }

    /// Returns what should be visible now.
    fn model(&self) -> &Model {
        self.states.last().unwrap_or_else(|| panic!("there is always a state"))
    }

    fn open(&mut self, when: &str) {
        let options = Database::options()
            .cache_bytes_max(64 * 1024)
            .log_bytes_max(0)
            .background(false)
            .durability(self.durability);
        let opened = options.open_on(Arc::new(self.storage.clone()));
        self.db = Some(opened.unwrap_or_else(|error| panic!("opening {when}: {error}")));
    }

    // ---- writing

    fn write(&self, write: &Write) -> Result<Outcome, Error> {
        let collection = self.collection(write.collection());
        outcome(match write {
            Write::Insert { .. } => match documents(write, self.stamp).pop() {
                Some(document) => collection.insert(document).map(|id| Outcome::Inserted(vec![id])),
                None => Ok(Outcome::Inserted(Vec::new())),
            },
            Write::InsertMany { .. } => {
                collection.insert_many(documents(write, self.stamp)).map(Outcome::Inserted)
            }
            Write::Replace { id, size, .. } => {
                let (id, new) = replacement(*id, *size, self.stamp);
                let replaced = match size % 4 {
                    0 => collection.update(&id, Update::replacement(new)),
                    _ => collection.replace(&id, new),
                };
                replaced.map(Outcome::Found)
            }
            Write::Delete { id, .. } => collection.delete(id_of(*id)).map(Outcome::Found),
        })
    }

    /// Does to the model what was done to the database, and compares what was returned.
    fn expect(&mut self, write: &Write, outcome: Outcome) {
        let mut next = self.model().clone();
        let expected = next.write(write, self.stamp);
        assert_eq!(outcome, expected, "{write:?}");
        self.committed(next, self.durability);
    }

    fn transaction(
        &mut self,
        writes: &[Write],
        end: End,
        durability: Durability,
    ) -> Result<(), Error> {
        let mut next = self.model().clone();
        let tx = self.db().begin_write();
        tx.set_durability(durability);
        for write in writes {
            let collection = tx.collection(name(write.collection()));
            let done = outcome(match write {
                Write::Insert { .. } | Write::InsertMany { .. } => {
                    collection.insert_many(documents(write, self.stamp)).map(Outcome::Inserted)
                }
                Write::Replace { id, size, .. } => {
                    let (id, new) = replacement(*id, *size, self.stamp);
                    collection.replace(&id, new).map(Outcome::Found)
                }
                Write::Delete { id, .. } => collection.delete(id_of(*id)).map(Outcome::Found),
            })?;
            assert_eq!(done, next.write(write, self.stamp), "{write:?} in a transaction");
            // It sees what it has written itself; no other reader does.
            let mut seen = BTreeMap::new();
            for document in collection.iter()? {
                let document = document?;
                seen.insert(identity(document.id()), Arc::new(document.to_document()?));
            }
            assert_eq!(seen, next.documents(name(write.collection())), "inside");
        }
        self.scan(writes.first().map_or(0, Write::collection));
        match end {
            End::Commit => tx.commit()?,
            End::Rollback => tx.rollback(),
            End::Drop => drop(tx),
        }
        if end == End::Commit {
            self.committed(next, durability);
        }
        Ok(())
    }

    fn committed(&mut self, next: Model, durability: Durability) {
        // What changes nothing is no commit, and makes none before it more durable.
        if next == *self.model() {
            return;
        }
        self.states.push(next);
        self.volatile += 1;
        match durability {
            Durability::Relaxed => {}
            Durability::Buffered => self.volatile = 0,
            _ => self.all_is_durable(),
        }
    }

    fn all_is_durable(&mut self) {
        self.states.drain(..self.states.len() - 1);
        self.volatile = 0;
    }

    fn drop_collection(&mut self, collection: u8) {
        let dropped = self.db().drop_collection(name(collection));
        let dropped = dropped.unwrap_or_else(|error| panic!("drop: {error}"));
        let mut next = self.model().clone();
        assert_eq!(dropped, next.collections.remove(name(collection)).is_some());
        self.committed(next, self.durability);
    }

    fn rename(&mut self, from: u8, to: u8) {
        let (from, to) = (name(from), name(to));
        let renamed = self.db().rename_collection(from, to).map_err(|error| error.kind());
        let mut next = self.model().clone();
        let expected = match next.collections.remove(from) {
            None => Err(ErrorKind::NotFound),
            Some(_) if from != to && next.collections.contains_key(to) => {
                assert_eq!(renamed, Err(ErrorKind::AlreadyExists));
                return;
            }
            Some(all) => {
                next.collections.insert(to, all);
                Ok(())
            }
        };
        assert_eq!(renamed, expected);
        self.committed(next, self.durability);
    }

    // ---- reading

    fn get(&self, collection: u8, id: u8) {
        let id = id_of(id);
        let expected = self.model().get(collection, &id);
        let handle = self.collection(collection);
        let found = handle.get(&id).unwrap_or_else(|error| panic!("get {id}: {error}"));
        let found = found.map(|found| found.to_document().unwrap_or_else(|e| panic!("{e}")));
        assert_eq!(found.as_ref(), expected, "{id}");
        assert_eq!(handle.contains(&id).unwrap_or_else(|e| panic!("{e}")), expected.is_some());
    }

    fn scan(&self, collection: u8) {
        let expected = self.model().documents(name(collection));
        let handle = self.collection(collection);
        let count = handle.count().unwrap_or_else(|error| panic!("count: {error}"));
        assert_eq!(count, expected.len() as u64, "count of {}", name(collection));
        let mut lent = BTreeMap::new();
        let mut cursor = handle.scan().unwrap_or_else(|error| panic!("scan: {error}"));
        while let Some(view) = cursor.next().unwrap_or_else(|error| panic!("scan: {error}")) {
            let document = view.to_document().unwrap_or_else(|error| panic!("{error}"));
            lent.insert(identity(view.id()), Arc::new(document));
        }
        assert_eq!(lent, expected, "{}", name(collection));
        let ids: Vec<Id> = expected.keys().cloned().collect();
        let found = handle.get_many(&ids).unwrap_or_else(|error| panic!("get_many: {error}"));
        for (id, found) in ids.iter().zip(found) {
            let found = found.unwrap_or_else(|| panic!("{id} is missing"));
            let document = found.to_document().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(document, *expected[id], "{id}");
        }
    }

    fn read_snapshot(&self, which: u8) {
        let Some(which) = usize::from(which).checked_rem(self.snapshots.len()) else { return };
        let (snapshot, model) = &self.snapshots[which];
        let listed = snapshot.collections().unwrap_or_else(|error| panic!("list: {error}"));
        let names: Vec<_> = listed.iter().map(|info| info.name.as_str()).collect();
        assert_eq!(names, model.collections.keys().copied().collect::<Vec<_>>());
        for number in 0..u8::try_from(COLLECTIONS).unwrap_or(0) {
            let expected = model.documents(name(number));
            let collection = snapshot.collection(name(number));
            let count = collection.count().unwrap_or_else(|error| panic!("count: {error}"));
            assert_eq!(count, expected.len() as u64);
            let mut found = BTreeMap::new();
            for document in collection.iter().unwrap_or_else(|error| panic!("{error}")) {
                let document = document.unwrap_or_else(|error| panic!("{error}"));
                let decoded = document.to_document().unwrap_or_else(|error| panic!("{error}"));
                found.insert(identity(document.id()), Arc::new(decoded));
            }
            assert_eq!(found, expected, "{} in a snapshot", name(number));
            for id in (0..60).map(id_of) {
                let found = collection.get(&id).unwrap_or_else(|error| panic!("{id}: {error}"));
                let found = found.map(|d| d.to_document().unwrap_or_else(|e| panic!("{e}")));
                assert_eq!(found.as_ref(), expected.get(&id).map(|d| &**d), "{id} in a snapshot");
            }
        }
    }

    // ---- ending, and beginning again

    fn reopen(&mut self) {
        self.snapshots.clear();
        if let Some(db) = self.db.take() {
            db.close().unwrap_or_else(|error| panic!("close: {error}"));
        }
        self.all_is_durable();
        self.open("after closing");
    }

    fn kill(&mut self) {
        self.abandon();
        self.open("after a kill");
        let oldest = self.states.len() - 1 - self.volatile;
        self.settle_on(oldest);
        // What was found may still be lost to a power cut, so the states before stay.
        self.volatile = 0;
    }

    fn cut_power(&mut self, fate: u16) {
        self.abandon();
        self.follow_disk();
        let unsynced = match fate % 16 {
            0 => Unsynced::Lost,
            1 => Unsynced::Kept,
            2..4 => Unsynced::OneLost(usize::from(fate) % self.disk.unsynced().max(1)),
            4..6 => Unsynced::OneKept(usize::from(fate) % self.disk.unsynced().max(1)),
            _ => Unsynced::Random(u64::from(fate)),
        };
        let image = self.disk.image(unsynced);
        self.start_on(image);
        self.open("after a power cut");
        self.settle_on(0);
        self.all_is_durable();
    }

    /// Lets go of everything without the disk's being touched.
    fn abandon(&mut self) {
        self.storage.set_fault(Fault::once(0, Failure::Device).for_ever());
        self.snapshots.clear();
        self.db = None;
        self.storage.clear_fault();
    }

    fn start_on(&mut self, image: Files) {
        self.disk = Crash::new(&image);
        self.storage = SimStorage::from_files(image);
        self.storage.start_journal();
    }

    /// Brings what is known of the disk up to date.
    fn follow_disk(&mut self) {
        self.storage.take_journal().iter().for_each(|event| self.disk.advance(event));
        self.storage.start_journal();
    }

    /// Finds out which of the states from `oldest` on the database has; it is the last then.
    fn settle_on(&mut self, oldest: usize) {
        let found = self.found();
        let same = |state: &Model| state.same_documents(&found);
        let Some(newest) = (oldest..self.states.len()).rev().find(|&n| same(&self.states[n]))
        else {
            panic!("what is there was never so: {found:?}\nbut: {:?}", &self.states[oldest..]);
        };
        // Several may differ in nothing but the next id.
        let next_ids = self.next_ids(self.states[newest].collections.keys());
        let state = (oldest..=newest)
            .rev()
            .find(|&n| same(&self.states[n]) && self.states[n].next_ids() == next_ids);
        let Some(state) = state else { panic!("the next ids were never so: {next_ids:?}") };
        self.states.truncate(state + 1);
    }

    /// Returns the ids that the collections would assign next.
    fn next_ids<'m>(
        &self,
        names: impl Iterator<Item = &'m &'static str>,
    ) -> BTreeMap<&'static str, Id> {
        let tx = self.db().begin_write();
        let next_id = |name: &'static str| {
            let id = tx.collection(name).insert(doc! {});
            (name, id.unwrap_or_else(|error| panic!("the next id of {name}: {error}")))
        };
        names.map(|&name| next_id(name)).collect()
    }

    fn found(&self) -> Found {
        let mut all = Found::new();
        let listed = self.db().collections().unwrap_or_else(|error| panic!("list: {error}"));
        for info in listed {
            let documents = all.entry(info.name.clone()).or_default();
            let handle = self.db().collection(&info.name);
            for document in handle.iter().unwrap_or_else(|error| panic!("{error}")) {
                let document = document.unwrap_or_else(|error| panic!("{}: {error}", info.name));
                let decoded = document.to_document().unwrap_or_else(|error| panic!("{error}"));
                documents.insert(identity(document.id()), decoded);
            }
        }
        all
    }

    /// Runs an operation while a call fails. It is done as a whole or not at all.
    fn failing(&mut self, after: u8, failure: Failure, op: &Op) {
        let before = self.model().clone();
        self.storage.set_fault(Fault::once(u64::from(after), failure));
        let (done, durability, next) = match op {
            Op::Write(write) => {
                let mut next = before.clone();
                next.write(write, self.stamp);
                (self.write(write).map(drop), self.durability, next)
            }
            Op::Transaction { writes, durability, .. } => {
                let mut next = before.clone();
                writes.iter().for_each(|write| drop(next.write(write, self.stamp)));
                (self.plain_transaction(writes, *durability), *durability, next)
            }
            _ => {
                let db = self.db();
                let done = if *op == Op::Compact { db.compact() } else { db.checkpoint() };
                if done.is_ok() {
                    self.all_is_durable();
                }
                (done, Durability::Relaxed, before.clone())
            }
        };
        let struck = self.storage.failed() > 0;
        self.storage.clear_fault();
        let mut oldest = 0;
        if done.is_ok() {
            self.committed(next.clone(), durability);
            if !struck {
                return;
            }
            // What failed came after the commit, and may have refused all further writes.
            oldest = self.states.len() - 1 - self.volatile;
            assert!(next.same_documents(&self.found()), "what was committed is seen: {op:?}");
        } else {
            assert!(before.same_documents(&self.found()), "what failed is not: {op:?}");
            self.states.push(next);
        }
        // Whether it is there all the same shows when the file is opened again.
        self.snapshots.clear();
        self.db = None;
        self.open("after a failure");
        self.settle_on(oldest);
        self.volatile = 0;
    }

    fn plain_transaction(&self, writes: &[Write], durability: Durability) -> Result<(), Error> {
        let tx = self.db().begin_write();
        tx.set_durability(durability);
        for write in writes {
            let collection = tx.collection(name(write.collection()));
            outcome(match write {
                Write::Insert { .. } | Write::InsertMany { .. } => {
                    collection.insert_many(documents(write, self.stamp)).map(Outcome::Inserted)
                }
                Write::Replace { id, size, .. } => {
                    let (id, new) = replacement(*id, *size, self.stamp);
                    collection.replace(&id, new).map(Outcome::Found)
                }
                Write::Delete { id, .. } => collection.delete(id_of(*id)).map(Outcome::Found),
            })?;
        }
        tx.commit()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.snapshots.clear();
    }
}

/// A refused id is an outcome, every other error is one.
fn outcome(result: Result<Outcome, Error>) -> Result<Outcome, Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::DuplicateId => match error.id() {
            Some(id) => Ok(Outcome::Duplicate(id)),
            None => Err(error),
        },
        result => result,
    }
}

fn identity(id: Option<nanodb::IdRef<'_>>) -> Id {
    id.map(|id| id.to_owned()).unwrap_or_else(|| panic!("a stored document has an id"))
}
