//! Power cuts while several threads commit and checkpoints are under way, around closing and
//! the opening after it, and after a process was killed.
//!
//! Every thread owns a group of pages and writes its next number to all of them. What a
//! disk holds is compared with the commits in the order of their numbers: the metadata, the
//! bodies and the space must be those after one and the same commit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use nanodb_pager::{BODY_SIZE, CheckpointHooks, Durability, Options, PageId, Pager};
use nanodb_sim::{Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced};

use crate::support::{Concatenate, KIND, OWNER, long};

const THREADS: usize = 3;
const PAGES_A_GROUP: usize = 3;
const COMMITS_A_THREAD: u64 = 40;
const LOAD_PAGES: u32 = 12;

/// A commit as its thread remembers it.
struct Commit {
    seq: u64,
    thread: usize,
    number: u64,
    /// How many pages it took (or, below zero, gave back).
    taken: i64,
    /// How many events there were before it began.
    begun: usize,
    /// How many there were when it was known to be durable.
    durable: usize,
}

/// What was done to a disk, and what had been promised when.
struct Run {
    before: Files,
    journal: Vec<Event>,
    groups: Vec<Vec<PageId>>,
    /// The number of the last commit before the journal begins.
    base: u64,
    /// In the order of their numbers, without a gap.
    commits: Vec<Commit>,
    /// From here on every event is looked at.
    dense_from: usize,
}

fn open(storage: &SimStorage) -> nanodb_pager::Result<Pager> {
    // The smallest log: checkpoints come often by themselves too.
    let options = Options::default().cache_bytes_max(32 * 4096).log_bytes_max(0);
    Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options)
}

/// Leaves the disk as a process does that is killed.
fn kill(pager: Pager, storage: &SimStorage) {
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    drop(pager);
    storage.clear_fault();
}

fn note(thread: usize, number: u64) -> [u8; 9] {
    let mut note = [thread as u8; 9];
    note[1..].copy_from_slice(&number.to_le_bytes());
    note
}

/// Where commit `number` writes besides the body's start.
fn place(number: u64) -> usize {
    8 + (number as usize * 389) % (BODY_SIZE - 200)
}

/// A body after the commits up to `number`.
fn body(thread: usize, number: u64) -> Vec<u8> {
    let mut body = vec![0; BODY_SIZE];
    for earlier in 0..=number {
        body[place(earlier)..][..9].copy_from_slice(&note(thread, earlier));
    }
    body[..8].copy_from_slice(&number.to_le_bytes());
    body
}

fn write(pager: &Pager, group: &[PageId], thread: usize, number: u64) -> nanodb_pager::WriteTx {
    let mut tx = pager.begin();
    for &page in group {
        let mut page = tx.page_mut(page).unwrap();
        assert!(page.write(place(number), &note(thread, number)));
        assert!(page.write(0, &number.to_le_bytes()));
    }
    tx
}

/// A disk with the groups' pages, closed.
fn disk() -> (SimStorage, Vec<Vec<PageId>>) {
    let storage = SimStorage::new();
    let pager = open(&storage).unwrap();
    let groups = (0..THREADS)
        .map(|thread| {
            let mut tx = pager.begin();
            let group: Vec<PageId> =
                (0..PAGES_A_GROUP).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
            tx.commit(&[]).unwrap();
            write(&pager, &group, thread, 0).commit(&[]).unwrap();
            group
        })
        .collect();
    pager.close().unwrap();
    (storage, groups)
}

/// One thread's commits, from number 1 on.
fn commits(pager: &Pager, storage: &SimStorage, group: &[PageId], thread: usize) -> Vec<Commit> {
    let mut random = Random::new(thread as u64 + 77);
    let mut held = Vec::new();
    let mut commits = Vec::new();
    for number in 1..=COMMITS_A_THREAD {
        let begun = storage.journal_len();
        let mut tx = write(pager, group, thread, number);
        let mut taken = 0;
        match random.below(4) {
            0 => {
                // More than stays in memory: some are written before the commit.
                let extent = tx.allocate_extent(LOAD_PAGES).unwrap();
                for page in (0..LOAD_PAGES).filter_map(|index| extent.page(index)) {
                    let bytes = body(thread, number);
                    assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &bytes));
                }
                held.push(extent);
                taken = i64::from(LOAD_PAGES);
            }
            1 if !held.is_empty() => {
                tx.free_extent(held.swap_remove(random.below(held.len()))).unwrap();
                taken = -i64::from(LOAD_PAGES);
            }
            _ => {}
        }
        let level = if random.below(3) == 0 { Durability::Buffered } else { Durability::Immediate };
        tx.set_durability(level);
        let installed = tx.install(&note(thread, number)).unwrap();
        let seq = installed.seq().get();
        assert!(installed.publish().unwrap().get() == seq && pager.published().get() >= seq);
        let durable =
            if level == Durability::Immediate { storage.journal_len() } else { usize::MAX };
        commits.push(Commit { seq, thread, number, taken, begun, durable });
    }
    commits
}

impl Run {
    /// Threads that commit and one that makes checkpoints; then the pager is closed, or its
    /// process killed, and opened, written to and closed again.
    fn new(killed: bool) -> Self {
        let (storage, groups) = disk();
        let before = storage.files();
        storage.start_journal();
        let pager = open(&storage).unwrap();
        let base = pager.published().get();
        let stop = AtomicBool::new(false);
        let (mut commits, checkpoints) = std::thread::scope(|scope| {
            let checkpoints = scope.spawn(|| {
                let mut made = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let seq = pager.published().get();
                    pager.checkpoint().unwrap();
                    made.push((seq, storage.journal_len()));
                }
                made
            });
            let writers: Vec<_> = groups
                .iter()
                .enumerate()
                .map(|(thread, group)| {
                    let (pager, storage) = (&pager, &storage);
                    scope.spawn(move || commits(pager, storage, group, thread))
                })
                .collect();
            let commits: Vec<Commit> =
                writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
            stop.store(true, Ordering::Relaxed);
            (commits, checkpoints.join().unwrap())
        });
        commits.sort_unstable_by_key(|commit| commit.seq);
        for (seq, at) in checkpoints {
            for commit in commits.iter_mut().filter(|commit| commit.seq <= seq) {
                commit.durable = commit.durable.min(at);
            }
        }
        let mut run = Self { before, journal: Vec::new(), groups, base, commits, dense_from: 0 };
        // So that there is something to close, and to recover.
        run.commit(&pager, &storage, Durability::Immediate);
        for _ in 0..4 {
            run.commit(&pager, &storage, Durability::Buffered);
        }
        run.dense_from = storage.journal_len();
        if killed {
            kill(pager, &storage);
        } else {
            pager.close().unwrap();
            run.all_are_durable(storage.journal_len());
        }
        let pager = open(&storage).unwrap();
        assert_eq!(pager.published().get(), base + run.commits.len() as u64);
        for _ in 0..2 {
            run.commit(&pager, &storage, Durability::Immediate);
        }
        pager.close().unwrap();
        run.all_are_durable(storage.journal_len());
        run.journal = storage.take_journal();
        run
    }

    /// One more commit of the first thread's group.
    fn commit(&mut self, pager: &Pager, storage: &SimStorage, level: Durability) {
        let begun = storage.journal_len();
        let last = self.commits.iter().rev().find(|commit| commit.thread == 0);
        let number = last.map_or(0, |commit| commit.number) + 1;
        let mut tx = write(pager, &self.groups[0], 0, number);
        tx.set_durability(level);
        let seq = tx.commit(&note(0, number)).unwrap().get();
        let durable = usize::MAX;
        self.commits.push(Commit { seq, thread: 0, number, taken: 0, begun, durable });
        if level == Durability::Immediate {
            self.all_are_durable(storage.journal_len());
        }
    }

    fn all_are_durable(&mut self, at: usize) {
        self.commits.iter_mut().for_each(|commit| commit.durable = commit.durable.min(at));
    }

    /// How many events are looked at one by one, and which of those before.
    fn is_sampled(&self, events: usize, step: usize) -> bool {
        events >= self.dense_from || events.is_multiple_of(step)
    }

    /// Opens a disk that was cut off after `events` events and compares.
    fn check(&self, files: Files, events: usize, what: &str) {
        let storage = SimStorage::from_files(files);
        let pager = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let there = (pager.published().get() - self.base) as usize;
        let durable = self.commits.iter().rposition(|c| c.durable <= events).map_or(0, |n| n + 1);
        let begun = self.commits.iter().rposition(|c| c.begun <= events).map_or(0, |n| n + 1);
        assert!((durable..=begun).contains(&there), "{what}: {there} of {durable}..={begun}");
        let commits = &self.commits[..there];
        let metadata: Vec<u8> = commits.iter().flat_map(|c| note(c.thread, c.number)).collect();
        assert!(
            *pager.metadata_root() == metadata[..],
            "{what}: the metadata is not that of a prefix"
        );
        for (thread, group) in self.groups.iter().enumerate() {
            let last = commits.iter().rev().find(|commit| commit.thread == thread);
            let expected = body(thread, last.map_or(0, |commit| commit.number));
            for &page in group {
                let found = pager.page(page, pager.published());
                let found = found.unwrap_or_else(|error| panic!("{what}: {page}: {error:?}"));
                assert!(found.body() == expected, "{what}: {page} of thread {thread}");
            }
        }
        let space = pager.space();
        let known: u32 = [&space.free, &space.pending, &space.own]
            .iter()
            .flat_map(|e| e.iter())
            .map(|e| e.pages)
            .sum();
        let taken: i64 = commits.iter().map(|commit| commit.taken).sum();
        let used = (THREADS * PAGES_A_GROUP) as i64 + taken;
        assert_eq!(i64::from(space.page_count - known), used, "{what}: {space:?}");
        kill(pager, &storage);
    }

    fn check_everywhere(&self, step: usize, seed: u64) -> usize {
        for (commit, seq) in self.commits.iter().zip(self.base + 1..) {
            assert_eq!(commit.seq, seq, "numbers without a gap");
        }
        let mut crash = Crash::new(&self.before);
        let mut checked = 0;
        for events in 0..=self.journal.len() {
            if let Some(event) = events.checked_sub(1).map(|last| &self.journal[last]) {
                crash.advance(event);
            }
            if !self.is_sampled(events, step) {
                continue;
            }
            let random = |n| Unsynced::Random(seed * 100_000 + events as u64 * 10 + n);
            let ones = 0..crash.unsynced().min(4);
            let mut fates = vec![Unsynced::Lost, Unsynced::Kept, random(0), random(1)];
            fates.extend(ones.clone().map(Unsynced::OneLost));
            fates.extend(ones.map(Unsynced::OneKept));
            for fate in fates {
                let what = format!("seed {seed}, {events} events, {fate:?}");
                self.check(crash.image(fate), events, &what);
                checked += 1;
            }
        }
        checked
    }
}

fn rounds() -> u64 {
    if long() { 60 } else { 1 }
}

#[test]
fn whatever_threads_and_checkpoints_were_at_a_power_cut_leaves_a_prefix() {
    for seed in 0..rounds() {
        let checked = Run::new(false).check_everywhere(7, seed);
        assert!(checked > 300, "{checked}");
    }
}

#[test]
fn a_power_cut_after_a_killed_process_was_followed_by_another_leaves_a_prefix() {
    for seed in 0..rounds() {
        let checked = Run::new(true).check_everywhere(11, seed);
        assert!(checked > 300, "{checked}");
    }
}

#[test]
fn a_header_that_a_killed_process_left_in_memory_is_not_built_upon() {
    let (storage, group) = {
        let (storage, mut groups) = disk();
        (storage, groups.swap_remove(0))
    };
    let mut crash = Crash::new(&storage.files());
    storage.start_journal();
    let pager = open(&storage).unwrap();
    write(&pager, &group, 0, 1).commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    write(&pager, &group, 0, 2).commit(&[]).unwrap();
    // The process is killed before the new header is on stable storage: of the calls of a
    // checkpoint, all but the last sync are made.
    let before = storage.files();
    let begun = storage.journal_len();
    pager.checkpoint().unwrap();
    kill(pager, &storage);
    let journal = storage.take_journal();
    let is_of_file = |event: &Event| event.file.is_empty();
    let header = journal
        .iter()
        .enumerate()
        .skip(begun)
        .filter(|(_, event)| is_of_file(event) && event.action == nanodb_sim::Action::Sync)
        .map(|(at, _)| at)
        .next_back()
        .unwrap();
    let mut files = before;
    journal[begun..header].iter().for_each(|event| event.apply(&mut files));
    journal[..header].iter().for_each(|event| crash.advance(event));

    let storage = SimStorage::from_files(files);
    storage.start_journal();
    let pager = open(&storage).unwrap();
    write(&pager, &group, 0, 3).commit(&[]).unwrap();
    kill(pager, &storage);
    storage.take_journal().iter().for_each(|event| crash.advance(event));
    let pager = open(&SimStorage::from_files(crash.image(Unsynced::Lost))).unwrap();
    assert_eq!(crate::support::first_bytes(&pager, group[0]).unwrap(), 3_u64.to_le_bytes());
}

/// More pages than a checkpoint writes between two syncs of the double-write buffer, with such a
/// cache.
const MANY: usize = 100;

#[test]
fn a_second_power_cut_between_the_batches_of_the_checkpoint_after_a_recovery_loses_nothing() {
    let storage = SimStorage::new();
    let pager = crate::support::open(&storage).unwrap();
    let mut tx = pager.begin();
    let extent = tx.allocate_extent(MANY as u32).unwrap();
    let pages: Vec<PageId> = (0..MANY as u32).filter_map(|n| extent.page(n)).collect();
    for &page in &pages {
        assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &1_u64.to_le_bytes()));
    }
    tx.commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    // Nothing is due by itself until all of it is in the log.
    let mut tx = pager.begin();
    for &page in &pages {
        assert!(tx.page_mut(page).unwrap().write(0, &2_u64.to_le_bytes()));
    }
    let installed = tx.install(&[]).unwrap();
    let mut crash_files = None;
    storage.start_journal();
    let mut first = Crash::new(&storage.files());
    installed.publish().unwrap();
    for event in storage.take_journal() {
        // The log is synced, and the checkpoint that follows by itself has not begun.
        if event.file == "-dwb" {
            crash_files = Some(first.image(Unsynced::Lost));
            break;
        }
        first.advance(&event);
    }
    kill(pager, &storage);

    let files = crash_files.unwrap();
    let storage = SimStorage::from_files(files.clone());
    storage.start_journal();
    let pager = open(&storage).unwrap();
    assert_eq!(pager.open_report().commits_replayed, 1);
    assert!(pager.begin().commit(&[]).is_ok());
    kill(pager, &storage);
    let journal = storage.take_journal();
    assert!(journal.iter().filter(|event| event.file == "-dwb").count() >= 4, "two batches");

    let step = if long() { 1 } else { 4 };
    let mut crash = Crash::new(&files);
    for (events, event) in journal.iter().enumerate() {
        crash.advance(event);
        let random = Unsynced::Random(events as u64);
        let fate = if events % 8 == 0 { Unsynced::Lost } else { random };
        if !events.is_multiple_of(step) {
            continue;
        }
        let storage = SimStorage::from_files(crash.image(fate));
        let pager = open(&storage).unwrap();
        for &page in &pages {
            let found = crate::support::first_bytes(&pager, page);
            let found =
                found.unwrap_or_else(|e| panic!("{events} events, {fate:?}: {page}: {e:?}"));
            assert_eq!(found, 2_u64.to_le_bytes(), "{events} events, {fate:?}: {page}");
        }
        kill(pager, &storage);
    }
}

/// Makes a page anew, by a commit that comes while a checkpoint is under way: applying the
/// metadata comes after the switch and before the pages are written.
#[derive(Default)]
struct MakesAPageAnew(Mutex<Option<(Pager, PageId)>>);

impl CheckpointHooks for MakesAPageAnew {
    fn apply(
        &self,
        root: &[u8],
        _: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        if let Some((pager, page)) = self.0.lock().unwrap().take() {
            let mut tx = pager.begin();
            assert!(tx.init_page(page, KIND, OWNER)?.write(0, b"anew"));
            tx.set_durability(Durability::Relaxed);
            tx.commit(&[])?;
            assert_eq!(&crate::support::first_bytes(&pager, page)?, b"anew");
        }
        Ok(root.to_vec())
    }
}

#[test]
fn a_page_that_is_made_anew_during_a_checkpoint_is_written_as_the_checkpoint_shows_it() {
    let storage = SimStorage::new();
    let hooks = Arc::new(MakesAPageAnew::default());
    let options = Options::default().background(false);
    let pager = Pager::open(Arc::new(storage.clone()), hooks.clone(), options).unwrap();
    let page = crate::support::add_page(&pager, b"once");
    *hooks.0.lock().unwrap() = Some((pager.clone(), page));
    pager.checkpoint().unwrap();
    assert!(hooks.0.lock().unwrap().is_none());
    // The later commit was in memory only.
    let found = crate::support::open(&SimStorage::from_files(storage.files())).unwrap();
    assert_eq!(&crate::support::first_bytes(&found, page).unwrap(), b"once");
    drop(found);
    assert_eq!(pager.stats().unwrap().older_bytes, 0);
    pager.close().unwrap();
    let found = crate::support::open(&storage).unwrap();
    assert_eq!(&crate::support::first_bytes(&found, page).unwrap(), b"anew");
}
