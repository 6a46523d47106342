//! Power cuts under a whole database: at every call of a workload the disk is taken as
//! it may then be, opened, and compared with what had been promised.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nanodb_database::{Collection, Database, Document, Durability, ErrorKind, Id, Value, doc};
use nanodb_sim::{Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced};

/// Everything in a database: collections, and in them documents by id, as stored.
type Contents = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

const NAMES: [&str; 3] = ["users", "films", "städte"];

fn open(storage: &SimStorage, durability: Durability) -> Result<Database, nanodb_database::Error> {
    let options = Database::options().cache_bytes_max(24 * 4096).durability(durability);
    options.background(false).open_on(Arc::new(storage.clone()))
}

fn contents(db: &Database) -> Contents {
    let mut all = Contents::new();
    for info in db.collections().unwrap() {
        let documents = all.entry(info.name.clone()).or_default();
        let mut cursor = db.collection(&info.name).scan().unwrap();
        while let Some(document) = cursor.next().unwrap() {
            let id = document.id().unwrap().to_owned().to_string();
            documents.insert(id, document.as_bytes().to_vec());
        }
        assert_eq!(documents.len() as u64, info.count, "count of {}", info.name);
    }
    // A collection is made by a commit of its own just before its first document's.
    all.retain(|_, documents| !documents.is_empty());
    all
}

/// What a workload did, and when.
struct Run {
    durability: Durability,
    before: Files,
    journal: Vec<Event>,
    /// State `n` is that after write `n`.
    states: Vec<Contents>,
    /// How many events there were when each write began.
    begun: Vec<usize>,
    /// From which event on each write was promised to survive, if ever.
    promised: Vec<Option<usize>>,
}

impl Run {
    fn new(seed: u64, writes: usize) -> Self {
        let mut random = Random::new(seed);
        let durability = [Durability::Immediate, Durability::Buffered][random.below(2)];
        let storage = SimStorage::new();
        let mut run = Self {
            durability,
            before: storage.files(),
            journal: Vec::new(),
            states: vec![Contents::new()],
            begun: vec![0],
            promised: Vec::new(),
        };
        storage.start_journal();
        let mut db = open(&storage, durability).unwrap();
        run.promised.push(Some(storage.journal_len()));
        while run.states.len() <= writes {
            match random.below(16) {
                0 => {
                    db.checkpoint().unwrap();
                    run.promise_all(storage.journal_len());
                }
                1 => {
                    db.close().unwrap();
                    run.promise_all(storage.journal_len());
                    db = open(&storage, durability).unwrap();
                }
                2 => {
                    db.compact().unwrap();
                    run.promise_all(storage.journal_len());
                }
                3 => run.delete_most(&db, &storage, &mut random),
                _ => run.write(&db, &storage, &mut random),
            }
        }
        db.close().unwrap();
        run.journal = storage.take_journal();
        run
    }

    /// Most of a file is deleted at one go, and goes with the checkpoints that follow.
    fn shrinking(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let durability = Durability::Immediate;
        let storage = SimStorage::new();
        let db = open(&storage, durability).unwrap();
        for name in NAMES {
            let many = (0..150).map(|_| document(&mut random)).collect::<Vec<_>>();
            db.collection(name).insert_many(&many).unwrap();
        }
        let states = vec![contents(&db)];
        db.close().unwrap();
        let (before, long) = (storage.files(), storage.files()[""].len());
        let (begun, promised) = (vec![0], vec![Some(0)]);
        let mut run = Self { durability, before, journal: Vec::new(), states, begun, promised };
        storage.start_journal();
        let db = open(&storage, durability).unwrap();
        // Here and there.
        let ids =
            |name| db.collection(name).iter().unwrap().map(|d| d.unwrap().id().unwrap().to_owned());
        let is_gone = |n: &usize| n % 16 != 5;
        let gone: BTreeMap<&str, Vec<Id>> = NAMES
            .map(|name| {
                let numbered = ids(name).enumerate().filter(|(n, _)| is_gone(n));
                (name, numbered.map(|(_, id)| id).collect())
            })
            .into();
        run.note(&db, &storage, || {
            let done = db.write(|tx| {
                for name in NAMES {
                    let collection = tx.collection(name);
                    for id in &gone[name] {
                        collection.delete(id)?;
                    }
                }
                Ok::<_, nanodb_database::Error>(())
            });
            done.unwrap();
        });
        for n in 0..14_i64 {
            run.note(&db, &storage, || {
                db.collection(NAMES[0]).insert(doc! { "n": n }).unwrap();
            });
            db.checkpoint().unwrap();
        }
        let short = storage.files()[""].len();
        assert!(short < long / 2, "{short} of {long}");
        db.close().unwrap();
        run.journal = storage.take_journal();
        run
    }

    /// Does a write that is promised to survive once it is done.
    fn note(&mut self, db: &Database, storage: &SimStorage, write: impl FnOnce()) {
        self.begun.push(storage.journal_len());
        self.promised.push(None);
        write();
        self.states.push(contents(db));
        self.promise_all(storage.journal_len());
    }

    /// Deletes most of a collection, one document after the other: there is something to cut.
    fn delete_most(&mut self, db: &Database, storage: &SimStorage, random: &mut Random) {
        let collection = db.collection(NAMES[random.below(NAMES.len())]);
        while collection.count().unwrap() > 1 {
            self.begun.push(storage.journal_len());
            self.promised.push(None);
            let id = any_id(&collection, random).unwrap();
            assert!(collection.delete(&id).unwrap());
            self.states.push(contents(db));
            if self.durability == Durability::Immediate {
                self.promise_all(storage.journal_len());
            }
        }
    }

    fn write(&mut self, db: &Database, storage: &SimStorage, random: &mut Random) {
        self.begun.push(storage.journal_len());
        self.promised.push(None);
        let collection = db.collection(NAMES[random.below(NAMES.len())]);
        match random.below(13) {
            0..4 => {
                collection.insert(document(random)).unwrap();
            }
            4 => {
                let many = (0..1 + random.below(8)).map(|_| document(random)).collect::<Vec<_>>();
                collection.insert_many(&many).unwrap();
            }
            5 => {
                let id = format!("key {}", random.below(1_000_000));
                let mut document = document(random);
                document.insert("_id", id);
                // The same key twice is refused, and then nothing has changed.
                let _ = collection.insert(&document);
            }
            6..9 => {
                if let Some(id) = any_id(&collection, random) {
                    assert!(collection.replace(&id, document(random)).unwrap());
                }
            }
            9..11 => {
                if let Some(id) = any_id(&collection, random) {
                    assert!(collection.delete(&id).unwrap());
                }
            }
            11 => self.transaction(db, random),
            _ if random.below(3) == 0 => {
                db.drop_collection(collection.name()).unwrap();
            }
            _ => {
                let _ = db.rename_collection(collection.name(), NAMES[random.below(NAMES.len())]);
            }
        }
        self.states.push(contents(db));
        if self.durability == Durability::Immediate {
            self.promise_all(storage.journal_len());
        }
    }

    /// Several writes to several collections as one.
    fn transaction(&self, db: &Database, random: &mut Random) {
        let ids = NAMES.map(|name| any_id(&db.collection(name), random));
        let done = db.write(|tx| {
            for (name, id) in NAMES.into_iter().zip(&ids).cycle().take(2 + random.below(4)) {
                let collection = tx.collection(name);
                // One that is gone by now is not found.
                match (random.below(3), id) {
                    (0, Some(id)) => drop(collection.delete(id)?),
                    (1, Some(id)) => drop(collection.replace(id, document(random))?),
                    _ => drop(collection.insert(document(random))?),
                }
            }
            Ok::<_, nanodb_database::Error>(())
        });
        done.unwrap();
    }

    fn promise_all(&mut self, at: usize) {
        self.promised.iter_mut().for_each(|seen| *seen = Some(seen.map_or(at, |s| s.min(at))));
    }

    /// Takes the disk as it may be after each of these numbers of events; returns how many were
    /// checked.
    fn check_all(&self, seed: u64, at: BTreeSet<usize>) -> usize {
        let mut checked = 0;
        let mut crash = Crash::new(&self.before);
        for events in 0..=self.journal.len() {
            if let Some(event) = events.checked_sub(1).map(|last| &self.journal[last]) {
                crash.advance(event);
            }
            if !at.contains(&events) {
                continue;
            }
            let mut fates = vec![Unsynced::Lost, Unsynced::Kept];
            fates.extend((0..crash.unsynced().min(6)).map(Unsynced::OneLost));
            fates.extend((0..crash.unsynced().min(6)).map(Unsynced::OneKept));
            fates.extend((0..4).map(|n| Unsynced::Random(seed * 1000 + n)));
            for fate in fates {
                let what = format!("seed {seed}, {events} events, {fate:?}");
                self.check(crash.image(fate), events, &what);
                checked += 1;
            }
        }
        checked
    }

    fn check(&self, files: Files, events: usize, what: &str) {
        let storage = SimStorage::from_files(files);
        // Every fourth: it takes as long as all else.
        let read = (events.is_multiple_of(4) && events > self.promised[0].unwrap())
            .then(|| read_only(&storage, what));
        let db = match open(&storage, self.durability) {
            Ok(db) => db,
            // Until a new file has its header it may be any part of one.
            Err(_) if events <= self.promised[0].unwrap() => return,
            Err(error) => panic!("{what}: {error:?}"),
        };
        let found = contents(&db);
        assert!(read.is_none_or(|read| read == found), "{what}: who only reads finds other things");
        let is_promised = |&at: &Option<usize>| at.is_some_and(|at| at <= events);
        let promised = self.promised.iter().rposition(is_promised).unwrap_or(0);
        let begun = self.begun.iter().rposition(|&at| at <= events).unwrap_or(0);
        let state = (promised..=begun).rev().find(|&n| self.states[n] == found);
        let Some(state) = state else {
            panic!("{what}: what is found was never so between write {promised} and {begun}");
        };
        let report = db.check().unwrap();
        // A copy of the header may be torn; the other one serves.
        let serious = report.problems.iter().any(|problem| problem.page.is_none_or(|n| n > 1));
        assert!(!serious, "{what}: {report}");
        self.go_on(&db, state, what);
        // The power is cut again: the disk stays as it is.
        storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    }

    /// What was recovered can be written to, and no id is assigned twice.
    fn go_on(&self, db: &Database, state: usize, what: &str) {
        let users = db.collection("users");
        let id = users.insert(doc! { "after": "the crash" }).unwrap();
        assert!(users.contains(&id).unwrap(), "{what}");
        let before = self.states[state].get("users");
        let taken = before.is_some_and(|users| users.contains_key(&id.to_string()));
        assert!(!taken, "{what}: the id {id} is assigned again");
    }
}

/// What somebody finds who only reads, and leaves the disk as it is.
fn read_only(storage: &SimStorage, what: &str) -> Contents {
    let before = storage.files();
    let options = Database::options().cache_bytes_max(24 * 4096).read_only(true);
    let db = options.open_on(Arc::new(storage.clone()));
    let db = db.unwrap_or_else(|error| panic!("{what}: read-only: {error:?}"));
    let found = contents(&db);
    let refused = db.collection(NAMES[0]).insert(doc! {}).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReadOnly, "{what}");
    db.close().unwrap();
    assert!(storage.files() == before, "{what}: something was written");
    found
}

fn any_id(collection: &Collection, random: &mut Random) -> Option<Id> {
    let ids: Vec<Id> = collection
        .iter()
        .unwrap()
        .map(|document| document.unwrap().id().unwrap().to_owned())
        .collect();
    (!ids.is_empty()).then(|| ids[random.below(ids.len())].clone())
}

/// Mostly small, sometimes several pages long.
fn document(random: &mut Random) -> Document {
    let len = match random.below(10) {
        0..6 => random.below(60),
        6..8 => random.below(1500),
        8 => random.below(5000),
        _ => random.below(14_000),
    };
    let mut bytes = vec![0; len];
    random.fill(&mut bytes);
    doc! { "number": random.below(1000) as i64, "bytes": Value::Binary(bytes) }
}

fn images_to_check() -> usize {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { 500_000 } else { 30_000 }
}

#[test]
fn after_a_power_cut_at_any_call_the_database_is_as_it_was_after_some_write() {
    let first = std::env::var("NANODB_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let mut checked = 0;
    for seed in first.. {
        if checked >= images_to_check() {
            break;
        }
        let run = Run::new(seed, 25);
        checked += run.check_all(seed, (0..=run.journal.len()).collect());
    }
}

#[test]
fn after_a_power_cut_while_a_file_shrinks_with_its_checkpoints_all_documents_are_there() {
    let run = Run::shrinking(1);
    let len = run.journal.len();
    let step = if images_to_check() > 100_000 { 1 } else { 3 };
    let checked = run.check_all(1, (0..=len).step_by(step).chain([len]).collect());
    assert!(checked > 1000, "{checked} images");
}
