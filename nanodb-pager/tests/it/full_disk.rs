//! A disk that is full: commits that do not fit change nothing, a checkpoint goes on later
//! where it stopped, and no power cut in between loses anything.

use std::sync::Arc;
use std::time::Duration;

use nanodb_pager::{Durability, Error, Options, PageId, Pager, WriteTx};
use nanodb_sim::{
    Action, CallKind, Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced,
};

use crate::support::{Concatenate, KIND, OWNER, first_bytes, is_full, long};

const PAGES: usize = 6;

fn open(storage: &SimStorage) -> Pager {
    // The smallest log.
    let options = Options::default().cache_bytes_max(64 * 4096).log_bytes_max(0).background(false);
    Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap()
}

/// A closed file with some pages that all begin with the number 1.
fn disk() -> (Files, Vec<PageId>) {
    let storage = SimStorage::new();
    let pager = open(&storage);
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..PAGES).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    stamp(&mut tx, &pages, 1);
    tx.commit(&[1]).unwrap();
    pager.close().unwrap();
    (storage.files(), pages)
}

fn stamp(tx: &mut WriteTx, pages: &[PageId], number: u64) {
    for &page in pages {
        let mut page = tx.page_mut(page).unwrap();
        assert!(page.write(0, &number.to_le_bytes()));
        assert!(page.write(100, &[number as u8; 2000]));
    }
}

/// The number that all pages carry; as many commits are in the root.
fn found(pager: &Pager, pages: &[PageId], what: &str) -> u64 {
    let stamps: Vec<u64> =
        pages.iter().map(|&page| u64::from_le_bytes(first_bytes(pager, page).unwrap())).collect();
    assert!(stamps.windows(2).all(|two| two[0] == two[1]), "{what}: {stamps:?}");
    stamps[0]
}

/// A run on a disk that is full now and then.
struct Run {
    before: Files,
    pages: Vec<PageId>,
    journal: Vec<Event>,
    /// After so many events so many commits were durable, and so many begun.
    promised: Vec<(usize, u64, u64)>,
    stopped: usize,
    refused: usize,
}

impl Run {
    fn new(seed: u64) -> Self {
        let (before, pages) = disk();
        let storage = SimStorage::from_files(before.clone());
        let mut random = Random::new(seed);
        let pager = open(&storage);
        storage.start_journal();
        let mut run = Self {
            before,
            pages,
            journal: Vec::new(),
            promised: vec![(0, 1, 1)],
            stopped: 0,
            refused: 0,
        };
        for _ in 0..60 {
            match random.below(8) {
                0 => storage.set_capacity(None),
                1 => storage.set_capacity(Some(storage.total_len() + random.below(60_000) as u64)),
                2 => {
                    let kinds = [CallKind::SetLen, CallKind::Directory, CallKind::Len];
                    let fault = Fault::once(0, Failure::NoSpace).of(kinds[random.below(3)]);
                    storage.set_fault(fault);
                    run.checkpoint(&pager, &storage);
                    storage.clear_fault();
                }
                3 => run.checkpoint(&pager, &storage),
                _ => run.commit(&pager, &storage, &mut random),
            }
        }
        storage.set_capacity(None);
        let begun = run.begun();
        pager.checkpoint().unwrap();
        run.promised.push((storage.journal_len(), begun, begun));
        assert_eq!(found(&pager, &run.pages, "in the end"), begun);
        pager.close().unwrap();
        run.journal = storage.take_journal();
        run
    }

    fn begun(&self) -> u64 {
        self.promised.last().unwrap().2
    }

    fn commit(&mut self, pager: &Pager, storage: &SimStorage, random: &mut Random) {
        let (_, durable, begun) = *self.promised.last().unwrap();
        let mut tx = pager.begin();
        let level =
            [Durability::Immediate, Durability::Buffered, Durability::Relaxed][random.below(3)];
        tx.set_durability(level);
        stamp(&mut tx, &self.pages, begun + 1);
        self.promised.push((storage.journal_len(), durable, begun + 1));
        match tx.commit(&[1]) {
            Ok(_) if level == Durability::Immediate => {
                self.promised.push((storage.journal_len(), begun + 1, begun + 1));
            }
            Ok(_) => {}
            Err(error) => {
                assert!(is_full(&error), "{error:?}");
                self.promised.push((storage.journal_len(), durable, begun));
                self.refused += 1;
            }
        }
        assert_eq!(found(pager, &self.pages, "after a commit"), self.begun());
    }

    fn checkpoint(&mut self, pager: &Pager, storage: &SimStorage) {
        let begun = self.begun();
        match pager.checkpoint() {
            Ok(()) => self.promised.push((storage.journal_len(), begun, begun)),
            Err(error) => {
                assert!(is_full(&error), "{error:?}");
                self.stopped += 1;
            }
        }
        assert_eq!(found(pager, &self.pages, "after a checkpoint"), begun);
    }

    fn check(&self, files: Files, events: usize, what: &str) {
        let storage = SimStorage::from_files(files);
        let pager = open(&storage);
        let there = found(&pager, &self.pages, what);
        let known = self.promised.partition_point(|&(at, _, _)| at <= events);
        let durable = self.promised[..known].iter().map(|&(_, durable, _)| durable).max().unwrap();
        let begun = self.promised[..known].iter().map(|&(_, _, begun)| begun).max().unwrap();
        assert!((durable..=begun).contains(&there), "{what}: {there} of {durable}..={begun}");
        assert_eq!(pager.metadata_root().len() as u64, there, "{what}: the root");
        assert!(pager.verify().unwrap().iter().all(|c| c.page().get() < 2), "{what}");
        let mut tx = pager.begin();
        stamp(&mut tx, &self.pages, there + 1);
        tx.commit(&[1]).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    }
}

#[test]
fn a_power_cut_after_checkpoints_that_a_full_disk_has_stopped_leaves_a_prefix() {
    let (mut stopped, mut refused) = (0, 0);
    for seed in 0..if long() { 300 } else { 12 } {
        let run = Run::new(seed);
        (stopped, refused) = (stopped + run.stopped, refused + run.refused);
        let mut crash = Crash::new(&run.before);
        for events in 0..=run.journal.len() {
            if let Some(event) = events.checked_sub(1).map(|last| &run.journal[last]) {
                crash.advance(event);
            }
            let random = Unsynced::Random(seed * 1000 + events as u64);
            for fate in [Unsynced::Lost, Unsynced::Kept, random] {
                let what = format!("seed {seed}, {events} events, {fate:?}");
                run.check(crash.image(fate), events, &what);
            }
        }
    }
    assert!(stopped > 20 && refused > 5, "{stopped} stopped, {refused} refused");
}

#[test]
fn a_checkpoint_that_a_full_disk_has_stopped_goes_on_and_commits_go_on_meanwhile() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let pager = open(&storage);
    let mut number = 1;
    let mut commit = || {
        number += 1;
        let mut tx = pager.begin();
        stamp(&mut tx, &pages, number);
        tx.commit(&[1]).map(|_| number)
    };
    commit().unwrap();
    storage.set_capacity(Some(storage.total_len() + 400_000));
    // As on a file system that writes nothing in place.
    let in_place = Fault::once(0, Failure::Short).of(CallKind::Write).in_file("");
    for _ in 0..3 {
        storage.set_fault(in_place.for_ever());
        let error = pager.checkpoint().unwrap_err();
        assert!(is_full(&error), "{error:?}");
        assert_eq!(pager.stats().unwrap().checkpoints, 0);
        assert_eq!(commit().unwrap(), found(&pager, &pages, "meanwhile"));
    }
    storage.clear_fault();
    storage.set_capacity(None);
    pager.checkpoint().unwrap();
    // The one that was stopped, and one for what was committed since.
    assert_eq!(pager.stats().unwrap().checkpoints, 2);
    let main = SimStorage::from_contents(storage.contents());
    let alone = open(&main);
    assert_eq!(found(&alone, &pages, "the file alone"), 5);
}

#[test]
fn a_close_that_a_full_disk_stops_loses_no_relaxed_commit() {
    for is_closed in [true, false] {
        let (files, pages) = disk();
        let storage = SimStorage::from_files(files);
        let options = Options::default().relaxed_flush_interval(Duration::from_secs(3600));
        let pager = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap();
        let commit = |number, level| {
            let mut tx = pager.begin();
            tx.set_durability(level);
            stamp(&mut tx, &pages, number);
            tx.commit(&[1]).unwrap();
        };
        commit(2, Durability::Immediate);
        storage.set_capacity(Some(storage.total_len() + 400_000));
        let in_place = Fault::once(0, Failure::Short).of(CallKind::Write).in_file("");
        storage.set_fault(in_place.for_ever());
        assert!(is_full(&pager.checkpoint().unwrap_err()));
        // In the next log, for which the checkpoint that goes on has no use.
        commit(3, Durability::Relaxed);
        if is_closed {
            assert!(is_full(&pager.clone().close().unwrap_err()));
        }
        drop(pager);
        storage.clear_fault();
        storage.set_capacity(None);
        assert_eq!(found(&open(&storage), &pages, "reopened"), 3, "closed: {is_closed}");
    }
}

#[test]
fn a_full_disk_stops_no_commit_that_fits_into_the_log() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let pager = open(&storage);
    let mut tx = pager.begin();
    stamp(&mut tx, &pages, 2);
    tx.commit(&[1]).unwrap();
    // Room for the log, none for the pages.
    let in_place = Fault::once(0, Failure::NoSpace).of(CallKind::Write).in_file("");
    storage.set_fault(in_place.for_ever());
    let mut number = 2;
    let refused = loop {
        storage.set_capacity(Some(900_000));
        let mut tx = pager.begin();
        stamp(&mut tx, &pages, number + 1);
        match tx.commit(&[1]) {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
        assert!(number < 1000, "the log has an end");
    };
    let Error::Io { doing, .. } = &refused else { panic!("{refused:?}") };
    assert!(is_full(&refused) && doing == "making room for the log", "{refused:?}");
    assert!(number > 20, "{number}");
    storage.clear_fault();
    storage.set_capacity(None);
    pager.close().unwrap();
    assert_eq!(found(&open(&storage), &pages, "reopened"), number);
}

#[test]
fn a_commit_that_fits_is_not_refused_because_the_log_would_rather_grow_further() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let pager = open(&storage);
    // Room for what is kept for a full disk and for a commit, not for what is taken in advance: two
    // logs of
    // 32 KiB, 68 KiB of images, 10 pages; the record.
    storage.set_capacity(Some(storage.total_len() + (64 + 68 + 40 + 16) * 1024));
    let mut tx = pager.begin();
    stamp(&mut tx, &pages[..1], 2);
    tx.commit(&[]).unwrap();
}

/// A commit of a few bytes; it counts what it has committed.
fn small_commit(pager: &Pager, page: PageId, count: &mut u64, gives: bool) -> Result<(), Error> {
    let mut tx = pager.begin();
    tx.set_durability(Durability::Buffered);
    if gives {
        tx.may_use_reserve();
    }
    assert!(tx.page_mut(page).unwrap().write(0, &(*count + 1).to_le_bytes()));
    tx.commit(&[])?;
    *count += 1;
    Ok(())
}

#[test]
fn commits_that_give_space_back_are_possible_on_a_full_disk() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let pager = open(&storage);
    let mut count = 1;
    small_commit(&pager, pages[0], &mut count, false).unwrap();
    // No checkpoint can make room.
    let in_place = Fault::once(0, Failure::NoSpace).of(CallKind::Write).in_file("");
    storage.set_fault(in_place.for_ever());
    storage.set_capacity(Some(storage.total_len()));
    let refused = loop {
        if let Err(error) = small_commit(&pager, pages[0], &mut count, false) {
            break error;
        }
    };
    assert!(is_full(&refused), "{refused:?}");
    let before = count;
    let refused = loop {
        if let Err(error) = small_commit(&pager, pages[0], &mut count, true) {
            break error;
        }
    };
    assert!(is_full(&refused), "{refused:?}");
    let given = count - before;
    assert!((50..1000).contains(&given), "{given} commits in the reserve");
    assert!(is_full(&small_commit(&pager, pages[0], &mut count, false).unwrap_err()));

    storage.clear_fault();
    storage.set_capacity(None);
    small_commit(&pager, pages[0], &mut count, false).unwrap();
    drop(pager);
    let pager = open(&storage);
    assert_eq!(u64::from_le_bytes(first_bytes(&pager, pages[0]).unwrap()), count);
}

#[test]
fn a_full_disk_whose_checkpoints_need_no_more_of_it_takes_commits_that_give_space_back_for_ever() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let pager = open(&storage);
    let mut count = 1;
    small_commit(&pager, pages[0], &mut count, false).unwrap();
    // From this one there is a double-write buffer.
    pager.checkpoint().unwrap();
    small_commit(&pager, pages[0], &mut count, false).unwrap();
    storage.set_capacity(Some(storage.total_len()));
    let mut refused = 0;
    for _ in 0..10_000 {
        if let Err(error) = small_commit(&pager, pages[0], &mut count, true) {
            assert!(is_full(&error), "{error:?}");
            refused += 1;
        }
    }
    assert!(refused < 100, "{refused} refused");
    assert!(pager.stats().unwrap().checkpoints > 3);
}

#[test]
fn a_checkpoint_of_any_number_of_pages_needs_no_more_of_a_full_disk() {
    let storage = SimStorage::new();
    let pager = open(&storage);
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..25).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    stamp(&mut tx, &pages, 1);
    tx.commit(&[1]).unwrap();
    pager.checkpoint().unwrap();
    for number in 2..6 {
        let mut tx = pager.begin();
        stamp(&mut tx, &pages, number);
        tx.commit(&[1]).unwrap();
        storage.set_capacity(Some(storage.total_len()));
        pager.checkpoint().unwrap();
        let alone = open(&SimStorage::from_contents(storage.contents()));
        assert_eq!(found(&alone, &pages, "the file alone"), number);
        storage.set_capacity(None);
    }
}

#[test]
fn a_truncated_file_has_room_for_a_free_map_that_becomes_longer_on_a_full_disk() {
    let storage = SimStorage::new();
    let pager = open(&storage);
    let mut tx = pager.begin();
    let front = tx.allocate_extent(2400).unwrap();
    let back = tx.allocate_extent(1000).unwrap();
    tx.commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    let mut tx = pager.begin();
    tx.free_extent(back).unwrap();
    tx.commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    assert!(storage.contents().len() < 2500 * 4096);
    storage.set_capacity(Some(storage.total_len()));
    // Its runs take three pages, and nothing of what is freed can be used before that is saved.
    let mut tx = pager.begin();
    tx.may_use_reserve();
    for page in (0..front.pages).step_by(2).filter_map(|index| front.page(index)) {
        tx.free(page).unwrap();
    }
    tx.commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    assert!(pager.space().free.len() >= 1200);
}

#[test]
fn a_power_cut_while_images_are_written_over_those_of_earlier_batches_leaves_a_prefix() {
    let storage = SimStorage::new();
    let pager = open(&storage);
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..25).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    stamp(&mut tx, &pages, 1);
    tx.commit(&[1]).unwrap();
    pager.checkpoint().unwrap();
    let mut tx = pager.begin();
    stamp(&mut tx, &pages, 2);
    tx.commit(&[1]).unwrap();
    let before = storage.files();
    storage.set_capacity(Some(storage.total_len()));
    storage.start_journal();
    pager.checkpoint().unwrap();
    let journal = storage.take_journal();
    assert!(journal.len() > 12, "{}", journal.len());
    let mut crash = Crash::new(&before);
    for events in 0..=journal.len() {
        if let Some(event) = events.checked_sub(1).map(|last| &journal[last]) {
            crash.advance(event);
        }
        for fate in (0..12).map(Unsynced::Random).chain([Unsynced::Lost, Unsynced::Kept]) {
            let storage = SimStorage::from_files(crash.image(fate));
            let pager = open(&storage);
            let what = format!("{events} events, {fate:?}");
            assert_eq!(found(&pager, &pages, &what), 2);
            pager.checkpoint().unwrap();
        }
    }
}

#[test]
fn a_commit_that_gives_space_back_and_is_too_long_for_what_is_kept_says_how_many_bytes_it_needs() {
    let storage = SimStorage::new();
    let pager = open(&storage);
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..40).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    tx.commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    let mut count = 1;
    small_commit(&pager, pages[0], &mut count, false).unwrap();
    // What a checkpoint gives back, others take.
    storage.set_capacity(Some(0));
    let mut tx = pager.begin();
    tx.may_use_reserve();
    stamp(&mut tx, &pages, 7);
    let Err(Error::Io { source, .. }) = tx.commit(&[]) else { panic!("it does not fit") };
    let text = source.to_string();
    assert!(text.contains(" bytes more are needed"), "{text}");
    small_commit(&pager, pages[0], &mut count, true).unwrap();
    for _ in 0..2 {
        assert!(is_full(&pager.make_room_in_logs(1 << 20).unwrap_err()));
    }
    storage.set_capacity(None);
    pager.make_room_in_logs(1 << 20).unwrap();
}

/// Commits until pages are refused, on a disk most of which the log has by then.
fn fill_with_log(background: bool) -> (SimStorage, Pager, Vec<PageId>) {
    let storage = SimStorage::new();
    let options = Options::default().cache_bytes_max(1024 * 4096).background(background);
    let pager = Pager::open(Arc::new(storage.clone()), Arc::new(()), options).unwrap();
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..60).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    stamp(&mut tx, &pages, 1);
    tx.commit(&[]).unwrap();
    storage.set_capacity(Some(storage.total_len() + (4 << 20)));
    let mut number = 1;
    let refused = loop {
        let mut tx = pager.begin();
        number += 1;
        for &page in &pages {
            assert!(tx.page_mut(page).unwrap().write(0, &[number as u8; 4000]));
        }
        if let Err(error) = tx.allocate(KIND, OWNER) {
            break error;
        }
        if let Err(error) = tx.commit(&[]) {
            break error;
        }
    };
    assert!(is_full(&refused), "{refused:?}");
    assert!(number > 5, "{number}");
    (storage, pager, pages)
}

#[test]
fn a_checkpoint_gives_a_full_disk_back_what_the_log_had_of_it() {
    let (storage, pager, _) = fill_with_log(false);
    let before = storage.total_len();
    pager.checkpoint().unwrap();
    assert!(storage.total_len() + (2 << 20) < before, "{before} to {}", storage.total_len());
    let mut tx = pager.begin();
    for _ in 0..200 {
        tx.allocate(KIND, OWNER).unwrap();
    }
    tx.commit(&[]).unwrap();
    // Once there is room again the next log may be as long as ever.
    storage.set_capacity(None);
    pager.checkpoint().unwrap();
}

#[test]
fn the_background_gives_a_full_disk_back_what_the_log_had_of_it() {
    let (_storage, pager, _) = fill_with_log(true);
    let began = std::time::Instant::now();
    loop {
        let mut tx = pager.begin();
        if tx.allocate_extent(200).is_ok() && tx.commit(&[]).is_ok() {
            break;
        }
        assert!(began.elapsed().as_secs() < 60, "nobody sees to it");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn no_log_is_switched_to_that_could_not_be_begun_on_a_full_disk() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let pager = open(&storage);
    let mut count = 1;
    small_commit(&pager, pages[0], &mut count, false).unwrap();
    // Both are made ready with the first commit.
    storage.set_capacity(Some(storage.total_len()));
    pager.checkpoint().unwrap();
    for _ in 0..100 {
        small_commit(&pager, pages[0], &mut count, true).unwrap();
    }
    // Closing needs no other log.
    storage.set_capacity(None);
    pager.close().unwrap();
    let names: Vec<String> = storage.files().into_keys().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_first_commit_that_finds_no_room_leaves_the_background_in_peace() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let options = Options::default().log_bytes_max(0);
    let pager = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap();
    storage.set_capacity(Some(storage.total_len()));
    assert!(is_full(&small_commit(&pager, pages[0], &mut 1, false).unwrap_err()));
    // Each waits for the checkpoint that the commit has asked for, should that be under way.
    for _ in 0..50 {
        pager.checkpoint().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn what_a_recovery_has_copied_before_the_disk_was_full_is_not_copied_again() {
    let (files, pages) = disk();
    let storage = SimStorage::from_files(files);
    let pager = open(&storage);
    let mut tx = pager.begin();
    stamp(&mut tx, &pages, 2);
    tx.commit(&[2]).unwrap();
    let mut left = storage.files();
    storage.start_journal();
    pager.checkpoint().unwrap();
    // The power goes before the header is written: the log and the double-write buffer are both
    // needed.
    for event in storage.take_journal() {
        if let ("", Action::Write { offset: 0..8192, .. }) = (event.file.as_str(), &event.action) {
            break;
        }
        event.apply(&mut left);
    }
    std::mem::forget(pager);

    let storage = SimStorage::from_files(left);
    let pager = open(&storage);
    storage.start_journal();
    // The log is copied with one write, the double-write buffer is not.
    storage.set_fault(Fault::once(1, Failure::Short).of(CallKind::Write).for_ever());
    let full = pager.begin().commit(&[3]).unwrap_err();
    assert!(is_full(&full), "{full:?}");
    let mut half = storage.files().into_iter().filter(|(name, _)| name.ends_with("-new"));
    assert!(half.all(|(_, bytes)| bytes.is_empty()), "half a copy is left");
    storage.clear_fault();
    pager.begin().commit(&[3]).unwrap();
    assert_eq!((found(&pager, &pages, "room again"), &pager.metadata_root()[..]), (2, &[1, 2][..]));
    let copies = storage.take_journal().into_iter().filter(|event| {
        event.file.ends_with("-new")
            && matches!(&event.action, Action::Write { data, .. } if data[8..18] == *b"NanoDB log")
    });
    assert_eq!(copies.count(), 1);
}
