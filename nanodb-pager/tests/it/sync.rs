//! Making durable what was committed, without a checkpoint.

use std::sync::Arc;

use nanodb_pager::{Durability, Error, MemoryStorage, Options, PageId, Pager};
use nanodb_sim::{Action, CallKind, Crash, Failure, Fault, Files, SimStorage, Unsynced};

use crate::support::{Concatenate, KIND, OWNER, add_page, change_page, first_bytes, open};

const LEVELS: [Durability; 3] = [Durability::Immediate, Durability::Buffered, Durability::Relaxed];

fn open_with(storage: &SimStorage, level: Durability) -> Pager {
    let options = Options::default().durability(level).background(false);
    Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap()
}

/// Commits so many new pages at once that they are written to the file itself.
fn load(pager: &Pager, pages: u32) -> PageId {
    let mut tx = pager.begin();
    let extent = tx.allocate_extent(pages).unwrap();
    for page in (0..pages).filter_map(|index| extent.page(index)) {
        assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &[7; 4000]));
    }
    tx.commit(&[]).unwrap();
    extent.page(pages - 1).unwrap()
}

/// A file whose process was killed, as the operating system has it.
fn kill(storage: &SimStorage, pager: Pager) {
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    drop(pager);
    storage.clear_fault();
}

/// Cuts the power at each event from `from` on, and looks at what is there.
fn cut(
    before: &Files,
    storage: &SimStorage,
    from: usize,
    what: &str,
    check: impl Fn(&Pager) -> Result<(), Error>,
) {
    let journal = storage.take_journal();
    let mut crash = Crash::new(before);
    journal[..from].iter().for_each(|event| crash.advance(event));
    for events in from..=journal.len() {
        if events > from {
            crash.advance(&journal[events - 1]);
        }
        let chances = (0..3).map(|chance| Unsynced::Random(chance * 1000 + events as u64));
        for fate in [Unsynced::Lost, Unsynced::Kept].into_iter().chain(chances) {
            let cut = SimStorage::from_files(crash.image(fate));
            let pager = open(&cut).unwrap();
            check(&pager).unwrap_or_else(|e| panic!("{what}, event {events}, {fate:?}: {e:?}"));
            kill(&cut, pager);
        }
    }
}

#[test]
fn what_was_committed_before_a_sync_survives_a_power_cut_at_every_level() {
    for level in LEVELS {
        // A log that is switched in between, and one that is not.
        for turns in [false, true] {
            let storage = SimStorage::new();
            let pager = open_with(&storage, level);
            let page = add_page(&pager, b"old");
            pager.checkpoint().unwrap();
            let before = storage.files();
            storage.start_journal();
            let loaded = load(&pager, 80);
            if turns {
                pager.checkpoint().unwrap();
            }
            change_page(&pager, page, b"new");
            pager.sync().unwrap();
            let synced = storage.journal_len();
            // What comes later may be there or not.
            change_page(&pager, page, b"odd");
            load(&pager, 80);
            assert_eq!(pager.stats().unwrap().checkpoints, 1 + u64::from(turns));
            cut(&before, &storage, synced, &format!("{level:?}"), |pager| {
                let found = first_bytes::<3>(pager, page)?;
                assert!([b"new", b"odd"].contains(&&found), "{found:?}");
                assert_eq!(first_bytes::<2>(pager, loaded)?, [7, 7]);
                Ok(())
            });
        }
    }
}

#[test]
fn a_sync_writes_no_page_in_place_and_costs_nothing_when_nothing_is_new() {
    let storage = SimStorage::new();
    let pager = open_with(&storage, Durability::Relaxed);
    let page = add_page(&pager, b"old");
    pager.checkpoint().unwrap();
    // The log is begun.
    change_page(&pager, page, b"odd");
    pager.sync().unwrap();
    storage.start_journal();
    change_page(&pager, page, b"new");
    pager.sync().unwrap();
    let journal = storage.take_journal();
    assert!(journal.iter().all(|event| !event.file.is_empty()), "{journal:?}");
    assert!(journal.iter().any(|event| event.action == Action::Sync));
    let calls = storage.calls();
    pager.sync().unwrap();
    assert_eq!(storage.calls(), calls);
}

#[test]
fn what_a_killed_process_has_left_in_the_systems_memory_is_durable_after_a_sync() {
    for forgets in [false, true] {
        let storage = SimStorage::new();
        let pager = open_with(&storage, Durability::Buffered);
        let page = add_page(&pager, b"old");
        pager.checkpoint().unwrap();
        let before = storage.files();
        storage.start_journal();
        let loaded = load(&pager, 80);
        change_page(&pager, page, b"new");
        if forgets {
            // Taken for saved by the system, and never saved.
            storage.set_fault(Fault::once(0, Failure::Forgets).of(CallKind::Sync));
            assert!(matches!(pager.sync(), Err(Error::Poisoned { .. })));
        }
        kill(&storage, pager);
        let pager = open_with(&storage, Durability::Buffered);
        pager.sync().unwrap();
        assert_eq!(pager.stats().unwrap().checkpoints, 0);
        let synced = storage.journal_len();
        kill(&storage, pager);
        cut(&before, &storage, synced, &format!("forgets: {forgets}"), |pager| {
            assert_eq!(&first_bytes::<3>(pager, page)?, b"new");
            assert_eq!(first_bytes::<2>(pager, loaded)?, [7, 7]);
            Ok(())
        });
    }
}

#[test]
fn a_sync_that_fails_or_comes_after_closing_says_so_each_time() {
    let storage = SimStorage::new();
    let pager = open_with(&storage, Durability::Relaxed);
    add_page(&pager, b"old");
    storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Sync));
    for _ in 0..2 {
        assert!(matches!(pager.sync(), Err(Error::Poisoned { .. })));
    }

    let pager = open_with(&SimStorage::new(), Durability::Relaxed);
    add_page(&pager, b"x");
    pager.clone().close().unwrap();
    assert!(matches!(pager.sync(), Err(Error::Closed)));
}

#[test]
fn in_memory_there_is_nothing_to_sync() {
    let storage = Arc::new(MemoryStorage::new());
    let pager = Pager::open(storage, Arc::new(Concatenate), Options::default()).unwrap();
    add_page(&pager, b"x");
    pager.sync().unwrap();
}
