//! Every call fails in turn while indexes are saved, documents move to the front and the file is
//! cut.
//!
//! The handle then is as the error says, and what was acknowledged is there: for who goes on with
//! it, for who opens what the process left, and after a power cut.

#![allow(clippy::cast_possible_truncation, reason = "the numbers are small")]

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_database::{Collection, Database, Document, Error, ErrorKind, doc};
use nanodb_sim::{CallKind, Crash, Failure, Fault, Files, SimStorage, Unsynced};

/// Of each collection its documents, by id: how long their texts are.
type Contents = BTreeMap<String, BTreeMap<i64, usize>>;

fn open(storage: &SimStorage) -> Result<Database, Error> {
    let options = Database::options().cache_bytes_max(24 * 4096).background(false);
    // A part of the indexes is dropped now and then.
    options.index_bytes_max(20_000).open_on(Arc::new(storage.clone()))
}

fn document(id: i64, len: usize) -> Document {
    doc! { "_id": id, "text": "x".repeat(len) }
}

fn contents(db: &Database) -> Result<Contents, Error> {
    let mut all = Contents::new();
    for info in db.collections().unwrap() {
        let documents = all.entry(info.name.clone()).or_default();
        for document in db.collection(&info.name).iter()? {
            let document = document?.to_document().unwrap();
            let id = document.get("_id").unwrap().as_i64().unwrap();
            documents.insert(id, document.get("text").unwrap().as_str().unwrap().len());
        }
        assert_eq!(documents.len() as u64, info.count, "{}", info.name);
    }
    all.retain(|_, documents| !documents.is_empty());
    Ok(all)
}

/// What was done to a database until a call failed, or to the end.
struct Work {
    storage: SimStorage,
    db: Option<Database>,
    /// State `n` is that after write `n`.
    states: Vec<Contents>,
    acknowledged: usize,
}

impl Work {
    fn on(files: Files, before: Contents) -> Self {
        let storage = SimStorage::from_files(files);
        Self { storage, db: None, states: vec![before], acknowledged: 0 }
    }

    /// A closed database whose indexes consist of several runs, with gaps.
    fn prepared() -> (Files, Contents) {
        let mut work = Self::on(Files::from([(String::new(), Vec::new())]), Contents::new());
        let done: Result<(), Error> = (|| {
            work.db = Some(open(&work.storage)?);
            for part in 0..3 {
                work.insert("a", part * 100..part * 100 + 100, 40)?;
                work.insert("b", part * 20..part * 20 + 20, 700)?;
                work.insert("a", 1000 + part * 2..1002 + part * 2, 9_000)?;
                work.db().checkpoint()?;
            }
            work.delete("a", (0..300).filter(|id| id % 10 < 6))?;
            work.close()
        })();
        done.unwrap();
        (work.storage.files(), work.states.pop().unwrap())
    }

    fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    fn close(&mut self) -> Result<(), Error> {
        // Also if it fails, it is closed.
        self.db.take().map_or(Ok(()), |db| db.close().map(drop))
    }

    /// A change that is one commit.
    fn change(
        &mut self,
        expected: impl FnOnce(&mut Contents),
        change: impl FnOnce(&Database) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut next = self.states[self.acknowledged].clone();
        expected(&mut next);
        self.states.truncate(self.acknowledged + 1);
        self.states.push(next);
        change(self.db())?;
        self.acknowledged += 1;
        Ok(())
    }

    fn insert(&mut self, name: &str, ids: std::ops::Range<i64>, len: usize) -> Result<(), Error> {
        self.change(
            |all| all.entry(name.into()).or_default().extend(ids.clone().map(|id| (id, len))),
            |db| {
                let many = ids.clone().map(|id| document(id, len));
                db.collection(name).insert_many(many).map(drop)
            },
        )
    }

    fn delete(&mut self, name: &str, ids: impl Iterator<Item = i64> + Clone) -> Result<(), Error> {
        self.change(
            |all| {
                let documents = all.get_mut(name).unwrap();
                documents.retain(|id, _| !ids.clone().any(|gone| gone == *id));
            },
            |db| {
                db.write(|tx| {
                    let collection = tx.collection(name);
                    ids.clone().try_for_each(|id| collection.delete(id).map(drop))
                })
            },
        )
    }

    /// Something of everything that saves, moves and cuts.
    fn run(&mut self) -> Result<(), Error> {
        self.db = Some(open(&self.storage)?);
        look_up(&self.db().collection("a"), &self.states[0]["a"])?;
        self.insert("a", 2000..2040, 60)?;
        // The fourth run: they are merged.
        self.db().checkpoint()?;
        self.delete("a", 100..250)?;
        self.db().compact()?;
        self.change(
            |all| *all.get_mut("b").unwrap().get_mut(&5).unwrap() = 6_000,
            |db| db.collection("b").replace(5, document(5, 6_000)).map(drop),
        )?;
        self.change(|all| drop(all.remove("b")), |db| db.drop_collection("b").map(drop))?;
        self.insert("c", 0..10, 300)?;
        self.db().compact()?;
        look_up(&self.db().collection("a"), &self.states[self.acknowledged]["a"])?;
        self.close()
    }

    /// Holds what is there against the states that it may be.
    fn check(&self, db: &Database, oldest: usize, what: &str) -> usize {
        let found = contents(db).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let mut states = oldest..self.states.len();
        let state = states.find(|&state| self.states[state] == found);
        let state = state.unwrap_or_else(|| panic!("{what}: never so from state {oldest} on"));
        for (name, documents) in &self.states[state] {
            let done = look_up(&db.collection(name), documents);
            done.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        }
        state
    }

    /// The same for what another process finds in these files; it can write on.
    fn check_files(&self, files: Files, oldest: usize, what: &str) {
        let storage = SimStorage::from_files(files);
        let db = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let state = self.check(&db, oldest, what);
        assert_clean(&db, what);
        let on = (|| {
            db.collection("a").insert(document(9_999, 10))?;
            db.compact()?;
            db.clone().close().map(drop)
        })();
        on.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        drop(db);
        let db = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let mut expected = self.states[state].clone();
        expected.entry("a".into()).or_default().insert(9_999, 10);
        assert!(contents(&db).unwrap() == expected, "{what}, written on");
        assert_clean(&db, what);
    }

    /// After a failure that is over: the handle goes on, or says that it can't.
    fn go_on(&mut self, what: &str) -> bool {
        let Some(db) = &self.db else { return false };
        self.check(db, self.acknowledged, what);
        if db.checkpoint().is_err() {
            let again = [
                db.compact().unwrap_err(),
                db.checkpoint().unwrap_err(),
                db.collection("a").insert(document(5_000, 1)).unwrap_err(),
            ];
            assert!(again.iter().all(|e| e.kind() == ErrorKind::Poisoned), "{what}: {again:?}");
            return false;
        }
        assert_clean(db, what);
        self.states.truncate(self.acknowledged + 1);
        let done: Result<(), Error> = (|| {
            self.insert("a", 5_000..5_020, 200)?;
            self.db().compact()?;
            self.delete("a", 5_000..5_010)?;
            self.db().compact()
        })();
        done.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        self.check(self.db(), self.acknowledged, what);
        assert_clean(self.db(), what);
        self.close().unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let files = self.storage.files();
        assert_eq!(files.len(), 1, "{what}");
        self.check_files(files, self.acknowledged, what);
        true
    }
}

fn look_up(collection: &Collection, documents: &BTreeMap<i64, usize>) -> Result<(), Error> {
    for &id in documents.keys() {
        assert!(collection.contains(id)?, "{id} of {}", collection.name());
    }
    for absent in [-1, 777_777] {
        assert!(!collection.contains(absent)?, "{absent}");
    }
    Ok(())
}

fn assert_clean(db: &Database, what: &str) {
    let report = db.check().unwrap_or_else(|error| panic!("{what}: {error:?}"));
    // A copy of the header may be torn.
    let serious = report.problems.iter().any(|problem| problem.page.is_none_or(|page| page > 1));
    assert!(!serious, "{what}: {report}");
}

#[test]
fn whatever_call_fails_while_indexes_are_saved_and_documents_move_nothing_acknowledged_is_lost() {
    let (files, before) = Work::prepared();
    let mut work = Work::on(files.clone(), before.clone());
    work.storage.start_journal();
    let calls = work.storage.calls();
    work.run().unwrap();
    let calls = work.storage.calls() - calls;
    let mut went_on = 0;
    let mut failed = 0;
    let is_long = std::env::var_os("NANODB_TEST_LONG").is_some();
    let kinds = [Failure::NoSpace, Failure::Device, Failure::Short, Failure::Forgets];
    for (number, failure) in kinds.into_iter().enumerate() {
        for for_ever in [false, true] {
            // All calls come up, by one failure or another.
            let (first, step) =
                if is_long { (0, 1) } else { (number + 4 * usize::from(for_ever), 8) };
            for after in (first as u64..calls).step_by(step) {
                let what = format!("call {after}, {failure:?}, for ever: {for_ever}");
                let mut work = Work::on(files.clone(), before.clone());
                work.storage.start_journal();
                work.storage.set_fault(Fault { for_ever, ..Fault::once(after, failure) });
                let done = work.run();
                work.storage.clear_fault();
                let journal = work.storage.take_journal();
                let Err(error) = done else { continue };
                assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::Io | ErrorKind::Poisoned | ErrorKind::Damaged
                    ),
                    "{what}: {error:?}"
                );
                failed += 1;
                work.check_files(
                    work.storage.files(),
                    work.acknowledged,
                    &format!("{what}, killed"),
                );
                let mut crash = Crash::new(&files);
                journal.iter().for_each(|event| crash.advance(event));
                for fate in [Unsynced::Lost, Unsynced::Random(after)] {
                    let what = format!("{what}, {fate:?}");
                    work.check_files(crash.image(fate), work.acknowledged, &what);
                }
                went_on += usize::from(work.go_on(&what));
            }
        }
    }
    println!("{calls} calls, {failed} failed, {went_on} went on");
    assert!(failed > calls as usize / 2 && went_on > 20, "{failed} failed, {went_on} went on");
}

#[test]
fn a_log_that_cannot_be_removed_is_an_error_of_close_and_loses_nothing() {
    let storage = SimStorage::new();
    let db = open(&storage).unwrap();
    db.collection("a").insert(document(1, 10)).unwrap();
    // The file is up to date; what is left to do is to remove the log.
    db.checkpoint().unwrap();
    storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Directory).for_ever());
    let error = db.close().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    storage.clear_fault();
    let db = open(&storage).unwrap();
    assert!(db.collection("a").contains(1).unwrap());
    db.close().unwrap();
}

#[test]
fn a_close_that_fails_has_closed_and_unlocked_the_file_all_the_same() {
    for kind in [CallKind::Write, CallKind::Sync, CallKind::Directory] {
        let storage = SimStorage::new();
        let db = open(&storage).unwrap();
        let (all, other) = (db.collection("a"), db.clone());
        all.insert(document(1, 10)).unwrap();
        storage.set_fault(Fault::once(0, Failure::Device).of(kind).for_ever());
        let error = db.close().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::Poisoned), "{kind:?}: {error}");
        storage.clear_fault();
        assert_eq!(all.insert(document(2, 10)).unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(other.checkpoint().unwrap_err().kind(), ErrorKind::Closed);
        let files = storage.files();
        let again = open(&storage).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert!(again.collection("a").contains(1).unwrap());
        again.collection("a").insert(document(3, 10)).unwrap();
        // Handles of the former opening leave the file as it is when they go.
        let written = storage.files();
        assert!(written != files);
        assert_eq!(other.close().unwrap_err().kind(), ErrorKind::Closed);
        drop(all);
        assert!(storage.files() == written, "{kind:?}");
        assert_clean(&again, &format!("{kind:?}"));
        again.close().unwrap();
    }
}
