//! Power cuts: at every call of a workload the disk is taken as it may then be,
//! opened, and compared with what had been promised.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_pager::{
    BODY_SIZE, Durability, Error, Options, Owner, PageId, PageKind, Pager, Seq, WriteTx,
};
use nanodb_sim::{Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced};

use crate::saving::{SavedRoot, Saving};

const KIND: PageKind = PageKind::new(16);
const OWNER: Owner = Owner::new(1);

/// All pages and their bodies as of a commit; a body without bytes is not initialised.
type Pages = BTreeMap<PageId, Arc<Vec<u8>>>;

const LEVELS: [Durability; 3] = [Durability::Immediate, Durability::Buffered, Durability::Relaxed];

fn open(storage: SimStorage) -> nanodb_pager::Result<Pager> {
    let options = Options::default().cache_bytes_max(32 * 4096).background(false);
    Pager::open(Arc::new(storage), Arc::new(Saving::default()), options)
}

/// What a workload did, and when.
struct Run {
    before: Files,
    journal: Vec<Event>,
    /// State `n` is that after commit `n`.
    states: Vec<Pages>,
    /// For each commit: how many events there were when it began, and when it was
    /// acknowledged as durable.
    begun: Vec<usize>,
    acknowledged: Vec<Option<usize>>,
}

impl Run {
    /// A workload of commits of all levels, checkpoints and reopenings.
    fn new(seed: u64, steps: usize) -> Self {
        let mut random = Random::new(seed);
        let storage = SimStorage::new();
        let mut run = Self {
            before: storage.files(),
            journal: Vec::new(),
            states: vec![Pages::new()],
            begun: vec![0],
            acknowledged: vec![Some(usize::MAX)],
        };
        storage.start_journal();
        let mut pager = open(storage.clone()).unwrap();
        run.acknowledged[0] = Some(storage.journal_len());
        for _ in 0..steps {
            match random.below(12) {
                0 => pager.checkpoint().unwrap(),
                1 => {
                    pager.close().unwrap();
                    run.all_are_durable(storage.journal_len());
                    pager = open(storage.clone()).unwrap();
                    continue;
                }
                2 | 3 => {
                    run.load(&pager, &storage, &mut random);
                    continue;
                }
                _ => {
                    run.commit(&pager, &storage, &mut random);
                    continue;
                }
            }
            run.all_are_durable(storage.journal_len());
        }
        drop(pager);
        run.journal = storage.take_journal();
        run
    }

    /// A transaction that is large for so small a cache: some of its pages go to the file
    /// early, some at the commit, some to the log; some are taken for later. Or it gives up.
    fn load(&mut self, pager: &Pager, storage: &SimStorage, random: &mut Random) {
        let durability = LEVELS[random.below(3)];
        let mut pages = self.states.last().unwrap().clone();
        let mut tx = pager.begin();
        tx.set_durability(durability);
        let begun = storage.journal_len();
        // Now and then nearly all, so that the file is cut.
        let kept = if random.below(4) == 0 { 4 } else { 30 };
        while pages.len() > kept {
            let page = *pages.keys().nth(random.below(pages.len())).unwrap();
            tx.free(page).unwrap();
            pages.remove(&page);
        }
        let extent = tx.allocate_extent(3 + random.below(14) as u32).unwrap();
        let new = (0..extent.pages).map(|index| extent.page(index).unwrap());
        let mut empty: Vec<PageId> =
            pages.keys().copied().filter(|p| pages[p].is_empty()).collect();
        empty.extend(new.clone());
        // Made anew: it is not never used.
        empty.extend(pages.keys().nth(random.below(40)));
        empty.dedup();
        pages.extend(new.map(|page| (page, Arc::new(Vec::new()))));
        let mut filled: Vec<PageId> = Vec::new();
        for page in empty {
            if random.below(8) == 0 {
                continue;
            }
            let mut body = vec![0; BODY_SIZE];
            let len = if random.below(4) == 0 { 100 } else { 2500 + random.below(1500) };
            random.fill(&mut body[..len]);
            let written = tx.init_page(page, KIND, OWNER).unwrap().write(0, &body[..len]);
            assert!(written);
            pages.insert(page, Arc::new(body));
            filled.push(page);
            // One that has perhaps been written already.
            let again = filled[random.below(filled.len())];
            if random.below(3) == 0 {
                assert!(tx.page(again).unwrap().body() == &pages[&again][..]);
                let body: &mut Vec<u8> = Arc::make_mut(pages.get_mut(&again).unwrap());
                scribble(body, random, |at, bytes| {
                    assert!(tx.page_mut(again).unwrap().write(at, bytes));
                });
            }
        }
        if random.below(4) == 0 {
            return tx.rollback();
        }
        self.begun.push(begun);
        self.finish(tx, pages, durability, storage);
    }

    fn commit(&mut self, pager: &Pager, storage: &SimStorage, random: &mut Random) {
        let durability = LEVELS[random.below(3)];
        let mut pages = self.states.last().unwrap().clone();
        let mut tx = pager.begin();
        tx.set_durability(durability);
        for _ in 0..=random.below(3) {
            let any = pages.keys().nth(random.below(pages.len() + 2)).copied();
            match any {
                Some(page) if random.below(5) == 0 => {
                    tx.free(page).unwrap();
                    pages.remove(&page);
                }
                // Taken and left as it is.
                Some(page) if !pages[&page].is_empty() && random.below(6) == 0 => {
                    assert!(tx.page_mut(page).unwrap().body() == &pages[&page][..]);
                }
                Some(page) => {
                    let body = Arc::make_mut(pages.get_mut(&page).unwrap());
                    if body.is_empty() || random.below(8) == 0 {
                        body.clear();
                        tx.init_page(page, KIND, OWNER).unwrap();
                        body.resize(BODY_SIZE, 0);
                    }
                    scribble(body, random, |at, bytes| {
                        assert!(tx.page_mut(page).unwrap().write(at, bytes));
                    });
                }
                None if pages.len() < 12 => {
                    let page = tx.allocate(KIND, OWNER).unwrap();
                    let mut body = vec![0; BODY_SIZE];
                    scribble(&mut body, random, |at, bytes| {
                        assert!(tx.page_mut(page).unwrap().write(at, bytes));
                    });
                    pages.insert(page, Arc::new(body));
                }
                None => {}
            }
        }
        self.begun.push(storage.journal_len());
        self.finish(tx, pages, durability, storage);
    }

    fn finish(&mut self, tx: WriteTx, pages: Pages, level: Durability, storage: &SimStorage) {
        let number = self.states.len();
        self.states.push(pages);
        self.acknowledged.push(None);
        let seq = tx.commit(&(number as u64).to_le_bytes()).unwrap();
        assert_eq!(seq, Seq::new(number as u64));
        if level == Durability::Immediate {
            self.all_are_durable(storage.journal_len());
        }
    }

    fn all_are_durable(&mut self, at: usize) {
        self.acknowledged.iter_mut().for_each(|seen| *seen = Some(seen.map_or(at, |s| s.min(at))));
    }

    /// The commits that a disk may hold that was cut off after `events` events.
    fn allowed(&self, events: usize) -> std::ops::RangeInclusive<usize> {
        let is_durable = |&at: &Option<usize>| at.is_some_and(|at| at <= events);
        let durable = self.acknowledged.iter().rposition(is_durable).unwrap_or(0);
        let begun = self.begun.iter().rposition(|&at| at <= events).unwrap_or(0);
        durable..=begun
    }

    /// Opens a disk and compares it with what was promised; then goes on writing.
    fn check(&self, files: Files, events: usize, what: &str) -> SimStorage {
        let storage = SimStorage::from_files(files);
        let before = storage.files();
        // Every fourth: it takes as long as all else.
        if events.is_multiple_of(4) && events > self.acknowledged[0].unwrap() {
            self.check_read_only(&storage, events, what);
        }
        let pager = match open(storage.clone()) {
            Ok(pager) => pager,
            // Until a new file has its header it may be any part of one.
            Err(_) if events <= self.acknowledged[0].unwrap() => return storage,
            Err(error) => panic!("{what}: {error:?}"),
        };
        let found = usize::try_from(pager.published().get()).unwrap();
        let allowed = self.allowed(events);
        assert!(allowed.contains(&found), "{what}: commit {found} found, {allowed:?} allowed");
        let number = SavedRoot::decode(&pager.metadata_root()).number;
        assert_eq!(number, found as u64, "{what}: the root");
        compare(&pager, &self.states[found], what);
        assert!(pager.verify().unwrap().iter().all(|c| c.page().get() < 2), "{what}: verify");
        if events > self.acknowledged[0].unwrap() {
            assert_eq!(storage.files(), before, "{what}: recovery writes nothing");
        }
        drop_without_closing(pager, &storage);
        storage
    }

    /// Whoever only reads finds what was promised, too, and changes nothing, however they end.
    fn check_read_only(&self, storage: &SimStorage, events: usize, what: &str) {
        let before = storage.files();
        let options = Options::default().cache_bytes_max(32 * 4096).read_only(true);
        let storage = Arc::new(storage.clone());
        let pager = Pager::open(Arc::clone(&storage) as _, Arc::new(Saving::default()), options);
        let pager = pager.unwrap_or_else(|error| panic!("{what}: read-only: {error:?}"));
        let found = usize::try_from(pager.published().get()).unwrap();
        let allowed = self.allowed(events);
        assert!(allowed.contains(&found), "{what}: commit {found} found, {allowed:?} allowed");
        compare(&pager, &self.states[found], what);
        assert!(pager.verify().unwrap().iter().all(|c| c.page().get() < 2), "{what}: verify");
        let refused = pager.begin().allocate(KIND, OWNER);
        assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{what}");
        drop(pager);
        assert!(storage.files() == before, "{what}: something was written");
    }
}

/// Leaves the disk as it is: dropping a pager closes it, but the disk is gone.
fn drop_without_closing(pager: Pager, storage: &SimStorage) {
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    drop(pager);
    storage.clear_fault();
}

fn compare(pager: &Pager, pages: &Pages, what: &str) {
    let at = pager.published();
    for (&page, body) in pages.iter().filter(|(_, body)| !body.is_empty()) {
        let found = pager.page(page, at).unwrap_or_else(|error| panic!("{what}: {page}: {error}"));
        assert!(found.body() == &body[..], "{what}: {page} differs");
        assert_eq!((found.kind(), found.owner()), (KIND, OWNER));
    }
    let space = pager.space();
    let free: u32 = space.free.iter().chain(&space.pending).map(|extent| extent.pages).sum();
    let own: u32 = space.own.iter().map(|extent| extent.pages).sum();
    let saved = SavedRoot::decode(&space.metadata_root);
    saved.check(pager, what);
    let used = u32::try_from(pages.len()).unwrap() + saved.pages();
    assert_eq!(free + own + used, space.page_count, "{what}: every page belongs somewhere");
}

/// Changes a few places of a body, here and there.
fn scribble(body: &mut [u8], random: &mut Random, mut write: impl FnMut(usize, &[u8])) {
    for _ in 0..=random.below(3) {
        let len_max = if random.below(4) == 0 { 2000 } else { 30 };
        let len = 1 + random.below(len_max);
        let at = random.below(BODY_SIZE - len);
        let mut bytes = vec![0; len];
        random.fill(&mut bytes);
        body[at..at + len].copy_from_slice(&bytes);
        write(at, &bytes);
    }
}

/// The fates to try at a point with so many unsynced calls.
fn fates(unsynced: usize, seed: u64, random: u64) -> Vec<Unsynced> {
    let mut fates = vec![Unsynced::Lost, Unsynced::Kept];
    fates.extend((0..unsynced.min(12)).map(Unsynced::OneLost));
    fates.extend((0..unsynced.min(12)).map(Unsynced::OneKept));
    fates.extend((0..random).map(|n| Unsynced::Random(seed * 1000 + n)));
    fates
}

fn images_to_check(short: usize) -> usize {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { short * 50 } else { short }
}

#[test]
fn after_a_power_cut_at_any_call_a_prefix_of_the_commits_is_there() {
    let mut checked = 0;
    let mut seed = 0;
    while checked < images_to_check(20_000) {
        seed += 1;
        let run = Run::new(seed, 30);
        let mut crash = Crash::new(&run.before);
        for events in 0..=run.journal.len() {
            if let Some(event) = events.checked_sub(1).map(|last| &run.journal[last]) {
                crash.advance(event);
            }
            for fate in fates(crash.unsynced(), seed, 4) {
                let what = format!("seed {seed}, {events} events, {fate:?}");
                run.check(crash.image(fate), events, &what);
                checked += 1;
            }
        }
    }
}

#[test]
fn a_power_cut_while_the_first_writes_after_a_recovery_go_on_loses_nothing_either() {
    let mut checked = 0;
    let mut seed = 1000;
    while checked < images_to_check(4_000) {
        seed += 1;
        let run = Run::new(seed, 25);
        let mut random = Random::new(seed);
        let mut crash = Crash::new(&run.before);
        let cut = run.journal.len() / 3 + random.below(run.journal.len() / 2);
        run.journal[..cut].iter().for_each(|event| crash.advance(event));
        let image = crash.image(Unsynced::Random(seed));
        checked += second_crash(&run, image, cut, seed);
    }
}

/// The commit's record says nothing of such a page but its name. It has a new number all the same,
/// so the checkpoint writes it in place.
#[test]
fn a_page_that_a_commit_took_and_left_as_it_was_survives_being_torn() {
    let storage = SimStorage::new();
    let pager = open(storage.clone()).unwrap();
    let mut tx = pager.begin();
    let page = tx.allocate(KIND, OWNER).unwrap();
    let mut body = vec![0; BODY_SIZE];
    Random::new(1).fill(&mut body);
    assert!(tx.page_mut(page).unwrap().write(0, &body));
    tx.commit(&1_u64.to_le_bytes()).unwrap();
    pager.checkpoint().unwrap();
    let before = storage.files();
    storage.start_journal();
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().body() == &body[..]);
    tx.commit(&2_u64.to_le_bytes()).unwrap();
    pager.checkpoint().unwrap();
    let pages = Pages::from([(page, Arc::new(body))]);
    let mut crash = Crash::new(&before);
    for (events, event) in (1..).zip(&storage.take_journal()) {
        crash.advance(event);
        for fate in fates(crash.unsynced(), events, 20) {
            let what = format!("{events} events, {fate:?}");
            let pager = open(SimStorage::from_files(crash.image(fate)));
            compare(&pager.unwrap_or_else(|error| panic!("{what}: {error:?}")), &pages, &what);
        }
    }
}

/// Recovers a disk, writes to it, and cuts the power again at every call.
fn second_crash(run: &Run, image: Files, cut: usize, seed: u64) -> usize {
    let storage = SimStorage::from_files(image.clone());
    storage.start_journal();
    let Ok(pager) = open(storage.clone()) else {
        assert!(cut <= run.acknowledged[0].unwrap());
        return 1;
    };
    let found = usize::try_from(pager.published().get()).unwrap();
    let mut tx = pager.begin();
    let page = tx.allocate(KIND, OWNER).unwrap();
    assert!(tx.page_mut(page).unwrap().write(7, b"after the crash"));
    tx.commit(&(found as u64 + 1).to_le_bytes()).unwrap();
    let acknowledged = storage.journal_len();
    pager.close().unwrap();
    let journal = storage.take_journal();

    let mut after = run.states[found].clone();
    let mut body = vec![0; BODY_SIZE];
    body[7..22].copy_from_slice(b"after the crash");
    after.insert(page, Arc::new(body));

    let mut checked = 0;
    let mut crash = Crash::new(&image);
    for events in 0..=journal.len() {
        if let Some(event) = events.checked_sub(1).map(|last| &journal[last]) {
            crash.advance(event);
        }
        for fate in fates(crash.unsynced(), seed, 6) {
            let what = format!("seed {seed}, cut at {cut}, then {events} events, {fate:?}");
            let storage = SimStorage::from_files(crash.image(fate));
            let pager = open(storage.clone()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
            let state = match usize::try_from(pager.published().get()).unwrap() {
                now if now == found + 1 => &after,
                now => {
                    assert!(now == found && events < acknowledged, "{what}: commit {now} found");
                    &run.states[found]
                }
            };
            compare(&pager, state, &what);
            drop_without_closing(pager, &storage);
            checked += 1;
        }
    }
    checked
}
