//! Threads that append to lists and read them, and write down what they did and saw.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use fastrand::Rng;
use nanodb::{Database, DocView, Document, Durability, Error, ErrorKind, StoredDoc, doc};

use super::history::{History, Item, Key, Op, Outcome, Transaction};

/// A document in each collection for each thread, which alone may write it without a
/// transaction, and so many for all.
const SHARED: usize = 2;

/// What a run is like.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) threads: usize,
    pub(super) collections: usize,
    /// For each thread.
    pub(super) transactions: usize,
    /// A mistake to be found: the threads begin by appending to the same list, which each
    /// has read before its transaction.
    pub(super) reads_outside: bool,
}

/// What happened besides.
#[derive(Default, Debug)]
pub(super) struct Tally {
    pub(super) conflicts: AtomicUsize,
    pub(super) rolled_back: AtomicUsize,
    pub(super) snapshots: AtomicUsize,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let threads = random.usize(2..=8);
        Self {
            seed,
            threads,
            collections: random.usize(1..=4),
            transactions: 36_usize.div_ceil(threads),
            reads_outside: false,
        }
    }

    fn per_collection(&self) -> usize {
        SHARED + self.threads
    }

    fn key_count(&self) -> usize {
        self.collections * self.per_collection()
    }

    /// Where a list is.
    fn place(&self, key: Key) -> (String, i64) {
        (format!("c{}", key / self.per_collection()), (key % self.per_collection()) as i64)
    }

    fn key(&self, collection: usize, id: usize) -> Key {
        collection * self.per_collection() + id
    }
}

/// What a run has to hand to each of its threads.
struct Run<'a> {
    plan: &'a Plan,
    db: &'a Database,
    clock: AtomicU64,
    start: Barrier,
    tally: &'a Tally,
}

/// One thread.
struct Worker<'a> {
    run: &'a Run<'a>,
    number: usize,
    random: Rng,
    next_item: Item,
    done: Vec<Transaction>,
}

/// Runs all threads to their end.
pub(super) fn run(plan: &Plan, db: &Database, tally: &Tally) -> History {
    let (clock, start) = (AtomicU64::new(0), Barrier::new(plan.threads));
    let mut random = Rng::with_seed(plan.seed);
    // Some of the collections and lists are there from the beginning.
    for key in 0..plan.key_count() {
        if random.u8(..3) == 0 {
            let (name, id) = plan.place(key);
            db.collection(&name).insert(list(id, &[], &mut random)).unwrap();
        }
    }
    let run = Run { plan, db, clock, start, tally };
    let work = |number| {
        let random = Rng::with_seed(plan.seed.wrapping_mul(1_000_003) + number as u64);
        let next_item = number as u64 * 1_000_000 + 1;
        Worker { run: &run, number, random, next_item, done: Vec::new() }.work()
    };
    let transactions = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..plan.threads).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let last = |key| {
        let (name, id) = plan.place(key);
        items_of(db.collection(&name).get(id).unwrap())
    };
    History { transactions, lists: (0..plan.key_count()).map(last).collect() }
}

fn list(id: i64, items: &[Item], random: &mut Rng) -> Document {
    let items: Vec<i64> = items.iter().map(|&item| item as i64).collect();
    // So that documents move from page to page, and some have pages of their own.
    let padding = match random.u8(..20) {
        0 => 6_000,
        1..=5 => random.usize(..1_500),
        _ => 0,
    };
    doc! { "_id": id, "items": items, "padding": ("p".repeat(padding)) }
}

fn items_of(document: Option<StoredDoc>) -> Vec<Item> {
    document.as_deref().map(items).unwrap_or_default()
}

fn items(document: &DocView) -> Vec<Item> {
    let items = document.get("items").unwrap().as_array().unwrap();
    items.iter().map(|item| item.unwrap().as_u64().unwrap()).collect()
}

impl Run<'_> {
    /// A reading that no other is equal to.
    fn now(&self) -> u64 {
        // SeqCst: one order of all readings, which agrees with what threads know of each other.
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

impl Worker<'_> {
    fn work(mut self) -> Vec<Transaction> {
        self.run.start.wait();
        if self.run.plan.reads_outside {
            self.append_what_was_read_outside();
        }
        for _ in 0..self.run.plan.transactions {
            match self.random.u8(..20) {
                0..=9 => self.write(),
                10..=12 => self.begin_and_commit(),
                13 | 14 => self.replace_own(),
                15..=17 => self.read_snapshot(),
                18 => self.read_many(),
                _ => self.read_one(),
            }
        }
        self.done
    }

    fn note(&mut self, begun: u64, ended: u64, outcome: Outcome, ops: Vec<Op>) {
        self.done.push(Transaction { ops, outcome, begun, ended });
    }

    fn item(&mut self) -> Item {
        self.next_item += 1;
        self.next_item
    }

    fn any_key(&mut self) -> Key {
        let run = self.run;
        let collection = self.random.usize(..run.plan.collections);
        run.plan.key(collection, self.random.usize(..run.plan.per_collection()))
    }

    /// One that many want, and that is never written outside of transactions.
    fn shared_key(&mut self) -> Key {
        let collection = self.random.usize(..self.run.plan.collections);
        self.run.plan.key(collection, self.random.usize(..SHARED))
    }

    fn own_key(&mut self) -> Key {
        let collection = self.random.usize(..self.run.plan.collections);
        self.run.plan.key(collection, SHARED + self.number)
    }

    /// Lets others run, now and then.
    fn pause(&mut self) {
        match self.random.u8(..8) {
            0 | 1 => thread::yield_now(),
            2 => (0..self.random.u32(..2_000)).for_each(|_| std::hint::spin_loop()),
            _ => {}
        }
    }

    /// By the closure, which is run again after a conflict.
    fn write(&mut self) {
        let run = self.run;
        let seed = self.random.u64(..);
        let gives_up = self.random.u8(..10) == 0;
        let mut begun = run.now();
        let mut ops = Vec::new();
        let mut attempts = 0;
        let result = run.db.write_with(|tx| {
            if attempts > 0 {
                run.tally.conflicts.fetch_add(1, Ordering::Relaxed);
                // The former attempt, over by now.
                self.note(begun, run.now(), Outcome::Aborted, std::mem::take(&mut ops));
                begun = run.now();
            }
            attempts += 1;
            // The same again, but for the items.
            self.random = Rng::with_seed(seed);
            self.statements(tx, &mut ops)?;
            if gives_up { Err(Stop::GivenUp) } else { Ok(()) }
        });
        let outcome = match result {
            Ok(()) => Outcome::Committed,
            Err(Stop::GivenUp) => {
                run.tally.rolled_back.fetch_add(1, Ordering::Relaxed);
                Outcome::GivenUp
            }
            Err(Stop::Error(error)) => panic!("{error}"),
        };
        self.note(begun, run.now(), outcome, ops);
    }

    /// Step by step; a conflict is the end of it.
    fn begin_and_commit(&mut self) {
        let run = self.run;
        let mut ops = Vec::new();
        let begun = run.now();
        let tx = run.db.begin_write();
        if self.random.bool() {
            let levels = [Durability::Immediate, Durability::Buffered];
            tx.set_durability(levels[self.random.usize(..2)]);
        }
        let outcome = match self.statements(&tx, &mut ops) {
            Ok(()) if self.random.u8(..5) == 0 => {
                run.tally.rolled_back.fetch_add(1, Ordering::Relaxed);
                tx.rollback();
                Outcome::Aborted
            }
            Ok(()) => {
                tx.commit().unwrap();
                Outcome::Committed
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Conflict);
                run.tally.conflicts.fetch_add(1, Ordering::Relaxed);
                assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
                Outcome::Aborted
            }
        };
        self.note(begun, run.now(), outcome, ops);
    }

    fn statements(&mut self, tx: &nanodb::Transaction, ops: &mut Vec<Op>) -> Result<(), Error> {
        for _ in 0..self.random.usize(1..=3) {
            self.pause();
            match self.random.u8(..10) {
                0..=5 => {
                    let own = self.random.u8(..4) == 0;
                    let key = if own { self.own_key() } else { self.shared_key() };
                    self.append(tx, key, ops)?;
                }
                6..=8 => {
                    let key = self.any_key();
                    let (name, id) = self.run.plan.place(key);
                    ops.push(Op::Read(key, items_of(tx.collection(&name).get(id)?)));
                }
                _ => {
                    let collection = self.random.usize(..self.run.plan.collections);
                    let scan = tx.collection(&format!("c{collection}")).scan()?;
                    self.scan(collection, scan, ops);
                }
            }
        }
        self.pause();
        Ok(())
    }

    fn append(
        &mut self,
        tx: &nanodb::Transaction,
        key: Key,
        ops: &mut Vec<Op>,
    ) -> Result<(), Error> {
        let (name, id) = self.run.plan.place(key);
        let collection = tx.collection(&name);
        let found = collection.get(id)?;
        let is_new = found.is_none();
        let mut items = items_of(found);
        ops.push(Op::Read(key, items.clone()));
        self.pause();
        items.push(self.item());
        let document = list(id, &items, &mut self.random);
        if is_new {
            collection.insert(document)?;
        } else {
            assert!(collection.replace(id, document)?);
        }
        ops.extend(items.last().map(|&item| Op::Append(key, item)));
        Ok(())
    }

    /// All lists of a collection, those that are not there included.
    fn scan(&mut self, collection: usize, mut scan: nanodb::Scan, ops: &mut Vec<Op>) {
        let mut lists = vec![None; self.run.plan.per_collection()];
        while let Some(document) = scan.next().unwrap() {
            let id = document.get("_id").unwrap().as_u64().unwrap() as usize;
            assert_eq!(lists[id].replace(items(document)), None, "seen twice");
        }
        let keyed = lists.into_iter().enumerate();
        let read = |(id, list): (usize, Option<_>)| {
            Op::Read(self.run.plan.key(collection, id), list.unwrap_or_default())
        };
        ops.extend(keyed.map(read));
    }

    /// A single call that appends: nobody else has written this list meanwhile.
    fn replace_own(&mut self) {
        let run = self.run;
        let key = self.own_key();
        let (name, id) = run.plan.place(key);
        let collection = run.db.collection(&name);
        let begun = run.now();
        let found = collection.get(id).unwrap();
        let is_new = found.is_none();
        let mut items = items_of(found);
        self.note(begun, run.now(), Outcome::Committed, vec![Op::Read(key, items.clone())]);
        let item = self.item();
        items.push(item);
        let document = list(id, &items, &mut self.random);
        let begun = run.now();
        if is_new {
            collection.insert(document).unwrap();
        } else {
            assert!(collection.replace(id, document).unwrap());
        }
        self.note(begun, run.now(), Outcome::Committed, vec![Op::Append(key, item)]);
    }

    fn read_one(&mut self) {
        let key = self.any_key();
        let (name, id) = self.run.plan.place(key);
        let begun = self.run.now();
        let seen = items_of(self.run.db.collection(&name).get(id).unwrap());
        let ended = self.run.now();
        self.note(begun, ended, Outcome::Committed, vec![Op::Read(key, seen)]);
    }

    /// Many lists of a collection in one call: as of one moment.
    fn read_many(&mut self) {
        let plan = self.run.plan;
        let number = self.random.usize(..plan.collections);
        let collection = self.run.db.collection(&format!("c{number}"));
        let mut ops = Vec::new();
        let begun = self.run.now();
        if self.random.bool() {
            self.scan(number, collection.scan().unwrap(), &mut ops);
        } else {
            let found = collection.get_many(0..plan.per_collection() as i64).unwrap();
            let keyed = found.into_iter().enumerate();
            ops.extend(keyed.map(|(id, list)| Op::Read(plan.key(number, id), items_of(list))));
        }
        let ended = self.run.now();
        self.note(begun, ended, Outcome::Committed, ops);
    }

    /// As of a moment while the snapshot was taken, however long it is read afterwards.
    fn read_snapshot(&mut self) {
        self.run.tally.snapshots.fetch_add(1, Ordering::Relaxed);
        let begun = self.run.now();
        let snapshot = self.run.db.snapshot();
        let ended = self.run.now();
        let mut ops = Vec::new();
        for _ in 0..self.random.usize(2..=5) {
            self.pause();
            if self.random.u8(..6) == 0 {
                let number = self.random.usize(..self.run.plan.collections);
                let collection = snapshot.collection(&format!("c{number}"));
                self.scan(number, collection.scan().unwrap(), &mut ops);
            } else {
                let key = self.any_key();
                let (name, id) = self.run.plan.place(key);
                ops.push(Op::Read(key, items_of(snapshot.collection(&name).get(id).unwrap())));
            }
        }
        self.note(begun, ended, Outcome::Committed, ops);
    }

    /// The mistake: what is written is not what was there when it was written.
    fn append_what_was_read_outside(&mut self) {
        let run = self.run;
        let (name, id) = run.plan.place(0);
        let begun = run.now();
        let found = run.db.collection(&name).get(id).unwrap();
        let mut items = items_of(found);
        let mut ops = vec![Op::Read(0, items.clone())];
        let item = self.item();
        items.push(item);
        // All have read, and nobody has written.
        run.start.wait();
        run.db
            .write(|tx| {
                let collection = tx.collection(&name);
                let document = list(id, &items, &mut self.random);
                if collection.contains(id)? {
                    collection.replace(id, document)?;
                } else {
                    collection.insert(document)?;
                }
                Ok::<_, Error>(())
            })
            .unwrap();
        ops.push(Op::Append(0, item));
        self.note(begun, run.now(), Outcome::Committed, ops);
    }
}

/// Why a closure returned no `Ok`.
enum Stop {
    GivenUp,
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
