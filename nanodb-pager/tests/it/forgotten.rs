//! Syncs that fail and take what they should have saved for saved: the file is opened again, read
//! from memory and written to; then the power is cut.

use std::collections::BTreeMap;

use nanodb_pager::{BODY_SIZE, Durability, Error, PAGE_SIZE, PageId, Pager};
use nanodb_sim::{CallKind, Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced};

use crate::support::{KIND, OWNER, long, open};

/// What each page holds all over.
type State = BTreeMap<PageId, u64>;

/// What a workload has done, and when.
#[derive(Default)]
struct History {
    /// State `n` is that after commit `n`.
    states: Vec<State>,
    /// How many events there were when each commit began.
    begun: Vec<usize>,
    /// How many when it was known to be durable.
    durable: Vec<Option<usize>>,
}

impl History {
    fn new() -> Self {
        Self { states: vec![State::new()], begun: vec![0], durable: vec![Some(0)] }
    }

    fn all_are_durable(&mut self, at: usize) {
        self.durable.iter_mut().for_each(|seen| *seen = Some(seen.map_or(at, |s| s.min(at))));
    }

    /// Changes some pages, or fills many new ones.
    fn commit(
        &mut self,
        pager: &Pager,
        storage: &SimStorage,
        random: &mut Random,
        level: Durability,
    ) -> Result<(), Error> {
        let number = self.states.len() as u64;
        let mut state = self.states[self.states.len() - 1].clone();
        let mut tx = pager.begin();
        tx.set_durability(level);
        if state.len() < 4 || (state.len() < 40 && random.below(5) == 0) {
            let pages = if state.is_empty() { 5 } else { 12 };
            let extent = tx.allocate_extent(pages)?;
            for page in (0..pages).filter_map(|index| extent.page(index)) {
                let written = tx.init_page(page, KIND, OWNER)?.write(0, &body(number));
                assert!(written);
                state.insert(page, number);
            }
        } else {
            for _ in 0..3 {
                let page = *state.keys().nth(random.below(state.len())).unwrap();
                assert!(tx.page_mut(page)?.write(0, &body(number)));
                state.insert(page, number);
            }
        }
        let begun = storage.journal_len();
        let done = tx.commit(&[1]);
        if matches!(done, Ok(_) | Err(Error::Poisoned { .. })) {
            self.states.push(state);
            self.begun.push(begun);
            self.durable.push(None);
        }
        done?;
        if level == Durability::Immediate {
            self.all_are_durable(storage.journal_len());
        }
        Ok(())
    }

    fn checkpoint(&mut self, pager: &Pager, storage: &SimStorage) -> Result<(), Error> {
        pager.checkpoint()?;
        self.all_are_durable(storage.journal_len());
        Ok(())
    }

    /// Commits and checkpoints, until something fails.
    fn work(
        &mut self,
        storage: &SimStorage,
        random: &mut Random,
        steps: usize,
    ) -> Result<(), Error> {
        let pager = open(storage)?;
        for step in 0..steps {
            let level = match random.below(4) {
                _ if step == 0 => Durability::Immediate,
                0 => Durability::Buffered,
                1 => Durability::Relaxed,
                _ => Durability::Immediate,
            };
            match random.below(4) {
                0 => self.checkpoint(&pager, storage)?,
                _ => self.commit(&pager, storage, random, level)?,
            }
        }
        pager.close()?;
        self.all_are_durable(storage.journal_len());
        Ok(())
    }

    /// The commits that a disk may hold that was cut off after so many events.
    fn allowed(&self, events: usize) -> std::ops::RangeInclusive<usize> {
        let durable = self.durable.iter().rposition(|at| at.is_some_and(|at| at <= events));
        let begun = self.begun.iter().rposition(|&at| at <= events);
        durable.unwrap_or(0)..=begun.unwrap_or(0)
    }

    fn check(&self, files: Files, events: usize, what: &str) {
        let storage = SimStorage::from_files(files);
        let pager = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let found = pager.published().get() as usize;
        let allowed = self.allowed(events);
        assert!(allowed.contains(&found), "{what}: commit {found} found, {allowed:?} allowed");
        let at = pager.published();
        for (&page, &number) in &self.states[found] {
            let guard = pager.page(page, at).unwrap_or_else(|e| panic!("{what}: {page}: {e:?}"));
            assert!(*guard.body() == body(number), "{what}: {page}");
        }
        let damaged = pager.verify().unwrap();
        assert!(damaged.iter().all(|c| c.page().get() < 2), "{what}: {damaged:?}");
        storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    }
}

fn body(number: u64) -> Vec<u8> {
    number.to_le_bytes().into_iter().cycle().take(BODY_SIZE).collect()
}

/// A new file, of which a copy of the header may be noise.
fn new_file(noise: Option<usize>) -> Files {
    let storage = SimStorage::new();
    drop(open(&storage).unwrap());
    let mut files = storage.files();
    if let Some(copy) = noise {
        let file = files.get_mut("").unwrap();
        Random::new(1).fill(&mut file[copy * PAGE_SIZE..(copy + 1) * PAGE_SIZE]);
    }
    files
}

/// Lets the sync of this index fail. Returns how many disks were looked at, of each moment so many
/// by chance; none if there was no such sync.
fn cut_after_a_failed_sync(before: &Files, seed: u64, index: u64, random_disks: u64) -> usize {
    let storage = SimStorage::from_files(before.clone());
    storage.start_journal();
    let mut history = History::new();
    storage.set_fault(Fault::once(index, Failure::Forgets).of(CallKind::Sync));
    let done = history.work(&storage, &mut Random::new(seed), 14);
    if storage.failed() == 0 {
        done.unwrap();
        return 0;
    }
    let error = done.unwrap_err();
    assert!(matches!(error, Error::Poisoned { .. }), "{error:?}");
    storage.clear_fault();
    let reopened = storage.journal_len();

    // Another process sees all that was written, whether it is saved or not.
    let pager = open(&storage).unwrap();
    let found = pager.published().get() as usize;
    assert!(history.allowed(reopened).contains(&found));
    history.states.truncate(found + 1);
    history.begun.truncate(found + 1);
    history.durable.truncate(found + 1);
    let mut random = Random::new(seed);
    for _ in 0..2 {
        history.commit(&pager, &storage, &mut random, Durability::Immediate).unwrap();
    }
    history.checkpoint(&pager, &storage).unwrap();
    history.commit(&pager, &storage, &mut random, Durability::Immediate).unwrap();
    pager.close().unwrap();
    history.all_are_durable(storage.journal_len());
    let names: Vec<String> = storage.files().into_keys().collect();
    assert_eq!(names, [""], "closing leaves one file");

    let journal: Vec<Event> = storage.take_journal();
    let mut crash = Crash::new(before);
    journal[..reopened].iter().for_each(|event| crash.advance(event));
    let mut checked = 0;
    for events in reopened..=journal.len() {
        if events > reopened {
            crash.advance(&journal[events - 1]);
        }
        let chance = seed * 100_000 + index * 1000 + events as u64;
        let random = (0..random_disks).map(|n| Unsynced::Random(chance + n * 1_000_003));
        for fate in [Unsynced::Lost, Unsynced::Kept].into_iter().chain(random) {
            let what = format!("seed {seed}, sync {index}, {events} events, {fate:?}");
            history.check(crash.image(fate), events, &what);
            checked += 1;
        }
    }
    checked
}

#[test]
fn what_a_failed_sync_forgot_is_saved_before_anything_is_built_on_it() {
    let mut checked = 0;
    for seed in 0..if long() { 200 } else { 6 } {
        let before = new_file(None);
        let cases = (0..).map(|index| cut_after_a_failed_sync(&before, seed, index, 1));
        let cases: usize = cases.take_while(|&disks| disks > 0).sum();
        assert!(cases > 100, "seed {seed}: {cases}");
        checked += cases;
    }
    assert!(checked > 2000, "{checked}");
}

/// A power cut has garbled one copy; the sync that was to mend it fails; and the power is cut
/// again.
#[test]
fn a_copy_of_the_header_that_is_mended_in_vain_does_not_cost_the_other() {
    for copy in [0, 1] {
        let before = new_file(Some(copy));
        for index in 0..if long() { 40 } else { 6 } {
            assert!(cut_after_a_failed_sync(&before, 1, index, 8) > 0, "{copy}: {index}");
        }
    }
}
