//! Power cuts while the index of a collection is saved and only parts of it are in memory, and
//! images in which a page of it is damaged besides.
//!
//! The index has a budget far below what it needs, so that looking up drops parts and loads
//! others between any two writes. What an image holds is compared with a map, id by id.

#![allow(clippy::cast_possible_truncation, reason = "the numbers are small")]

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_database::{Database, Document, Durability, Error, doc};
use nanodb_pager::PAGE_SIZE;
use nanodb_sim::{Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced};

/// Ids, and how long the texts are.
type Documents = BTreeMap<i64, usize>;

const IDS: usize = 4_000;

fn open(storage: &SimStorage) -> Result<Database, Error> {
    let options = Database::options().durability(Durability::Buffered).background(false);
    options.index_bytes_max(15_000).open_on(Arc::new(storage.clone()))
}

fn document(id: i64, len: usize) -> Document {
    doc! { "_id": id, "text": "x".repeat(len) }
}

struct Run {
    before: Files,
    journal: Vec<Event>,
    /// State `n` is that after write `n`.
    states: Vec<Documents>,
    /// How many events there were when each write began, and when it was safe.
    begun: Vec<usize>,
    durable: Vec<usize>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let storage = SimStorage::new();
        let mut random = Random::new(seed);
        let mut db = open(&storage).unwrap();
        // Larger than what one call reads of a run.
        let mut documents = Documents::new();
        for first in (0..IDS as i64).step_by(500) {
            let many = (first..first + 500).filter(|id| id % 3 != 0).map(|id| (id, 20));
            let many: Documents = many.collect();
            let new = many.iter().map(|(&id, &len)| document(id, len));
            db.collection("a").insert_many(new).unwrap();
            documents.extend(many);
        }
        db.close().unwrap();
        let before = storage.files();
        storage.start_journal();
        db = open(&storage).unwrap();
        let mut run = Self {
            before,
            journal: Vec::new(),
            states: vec![documents],
            begun: vec![0],
            durable: vec![0],
        };
        for _ in 0..25 {
            match random.below(8) {
                0 => {
                    db.checkpoint().unwrap();
                    run.all_are_durable(&storage);
                }
                1 if random.below(2) == 0 => {
                    db.close().unwrap();
                    run.all_are_durable(&storage);
                    db = open(&storage).unwrap();
                }
                1 => {
                    db.compact().unwrap();
                    run.all_are_durable(&storage);
                }
                _ => run.write(&db, &storage, &mut random),
            }
            // Parts are dropped and loaded in between.
            for _ in 0..10 {
                let id = random.below(IDS) as i64;
                let there = db.collection("a").contains(id).unwrap();
                assert_eq!(there, run.states.last().unwrap().contains_key(&id), "{id}");
            }
        }
        db.close().unwrap();
        run.all_are_durable(&storage);
        run.journal = storage.take_journal();
        run
    }

    fn all_are_durable(&mut self, storage: &SimStorage) {
        let now = storage.journal_len();
        self.durable.iter_mut().for_each(|at| *at = (*at).min(now));
    }

    /// One commit: some documents come, some go, some grow and move.
    fn write(&mut self, db: &Database, storage: &SimStorage, random: &mut Random) {
        let mut next = self.states.last().unwrap().clone();
        self.begun.push(storage.journal_len());
        self.durable.push(usize::MAX);
        db.write(|tx| {
            let collection = tx.collection("a");
            for _ in 0..1 + random.below(60) {
                let id = random.below(IDS) as i64;
                let len = random.below(200);
                match random.below(3) {
                    0 => assert_eq!(collection.delete(id)?, next.remove(&id).is_some(), "{id}"),
                    1 if next.contains_key(&id) => {
                        assert!(collection.replace(id, document(id, len))?);
                        next.insert(id, len);
                    }
                    _ if !next.contains_key(&id) => {
                        collection.insert(document(id, len))?;
                        next.insert(id, len);
                    }
                    _ => assert!(collection.insert(document(id, len)).is_err()),
                }
            }
            Ok::<_, Error>(())
        })
        .unwrap();
        self.states.push(next);
    }

    /// Opens an image, with a damaged page of the index or none, and compares.
    fn check(&self, mut files: Files, events: usize, random: &mut Random, what: &str) -> bool {
        let damaged = random.below(3) == 0 && damage_index(&mut files, random);
        let what = &format!("{what}, damaged: {damaged}");
        let storage = SimStorage::from_files(files);
        let db = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let durable = self.durable.iter().rposition(|&at| at <= events).unwrap_or(0);
        let begun = self.begun.iter().rposition(|&at| at <= events).unwrap_or(0);
        let found = contents(&db);
        let state = (durable..=begun).rev().find(|&n| self.states[n] == found);
        let state = state.unwrap_or_else(|| panic!("{what}: never so in {durable}..={begun}"));
        let mut expected = self.states[state].clone();
        look_up(&db, &expected, what);
        // Goes on: what was recovered and what is new is saved.
        for id in (0..IDS as i64).step_by(97) {
            let there = db.collection("a").delete(id).unwrap();
            assert_eq!(there, expected.remove(&id).is_some(), "{what}: {id}");
        }
        db.collection("a").insert(document(-7, 3)).unwrap();
        expected.insert(-7, 3);
        db.close().unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let db = open(&storage).unwrap();
        look_up(&db, &expected, what);
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{what}, written on: {report}");
        storage.set_fault(Fault::once(0, Failure::Device).for_ever());
        damaged
    }
}

fn contents(db: &Database) -> Documents {
    let documents = db.collection("a").iter().unwrap().map(|document| {
        let document = document.unwrap().to_document().unwrap();
        let text = document.get("text").unwrap().as_str().unwrap().len();
        (document.get("_id").unwrap().as_i64().unwrap(), text)
    });
    documents.collect()
}

/// Every id, in an order that jumps between the parts of the index.
fn look_up(db: &Database, documents: &Documents, what: &str) {
    let collection = db.collection("a");
    for id in (0..IDS as i64).step_by(5) {
        let there = collection.contains(id).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(there, documents.contains_key(&id), "{what}: {id}");
    }
}

/// Flips a bit of a page that is one of a saved index; false if there is none.
fn damage_index(files: &mut Files, random: &mut Random) -> bool {
    let Some(file) = files.get_mut("") else { return false };
    let pages = file.chunks_exact(PAGE_SIZE).enumerate();
    let pages: Vec<usize> = pages.filter(|(_, page)| page[24] == 18).map(|(n, _)| n).collect();
    if pages.is_empty() {
        return false;
    }
    let page = pages[random.below(pages.len())];
    file[page * PAGE_SIZE + 40 + random.below(4000)] ^= 1 << random.below(8);
    true
}

#[test]
fn an_index_of_which_parts_are_in_memory_is_right_after_a_power_cut_and_damage_to_it() {
    let is_long = std::env::var_os("NANODB_TEST_LONG").is_some();
    let (runs, step) = if is_long { (60, 2) } else { (2, 14) };
    let (mut checked, mut damaged) = (0, 0);
    for seed in 1..=runs {
        let run = Run::new(seed);
        let mut random = Random::new(seed);
        let mut crash = Crash::new(&run.before);
        for (events, event) in (1..).zip(&run.journal) {
            crash.advance(event);
            if events % step != 0 {
                continue;
            }
            for fate in [Unsynced::Lost, Unsynced::Kept, Unsynced::Random(events as u64)] {
                let what = format!("seed {seed}, {events} events, {fate:?}");
                damaged += usize::from(run.check(crash.image(fate), events, &mut random, &what));
                checked += 1;
            }
        }
    }
    println!("{checked} images, {damaged} of them with a damaged index");
    assert!(checked > 60 && damaged > 15, "{checked} images, {damaged} damaged");
}
