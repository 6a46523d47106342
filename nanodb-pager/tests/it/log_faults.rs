//! Every call on the way of a commit fails in turn: to the log, in a checkpoint, after
//! a recovery.

use std::sync::Arc;

use nanodb_pager::{Durability, Error, PageId, Pager, WriteTx};
use nanodb_sim::{CallKind, Failure, Fault, Files, SimStorage};

use crate::support::{KIND, OWNER, first_bytes, is_full, open};

/// What a workload is sure of.
struct Ledger {
    pages: Vec<PageId>,
    /// How many commits were asked for.
    begun: u64,
    /// The last commit known to be on stable storage.
    durable: u64,
}

/// One way to use the pager; ends with the first error.
struct Workload {
    name: &'static str,
    /// Whether the disk it begins with is one that a crash has left.
    crashed: bool,
    run: fn(&Pager, &mut Ledger) -> Result<(), Error>,
}

const WORKLOADS: [Workload; 7] = [
    Workload {
        name: "immediate",
        crashed: false,
        run: |p, l| commits(p, l, 6, Durability::Immediate),
    },
    Workload {
        name: "buffered, then immediate",
        crashed: false,
        run: |pager, ledger| {
            commits(pager, ledger, 5, Durability::Buffered)?;
            commits(pager, ledger, 1, Durability::Immediate)
        },
    },
    Workload {
        name: "relaxed, then a checkpoint",
        crashed: false,
        run: |pager, ledger| {
            commits(pager, ledger, 5, Durability::Relaxed)?;
            checkpoint(pager, ledger)?;
            commits(pager, ledger, 2, Durability::Immediate)
        },
    },
    Workload {
        name: "checkpoints in between",
        crashed: false,
        run: |pager, ledger| {
            for _ in 0..3 {
                commits(pager, ledger, 2, Durability::Immediate)?;
                checkpoint(pager, ledger)?;
            }
            Ok(())
        },
    },
    Workload {
        name: "a long record",
        crashed: false,
        run: |pager, ledger| {
            let mut tx = pager.begin();
            for _ in 0..24 {
                let page = tx.allocate(KIND, OWNER)?;
                assert!(tx.page_mut(page)?.write(0, &[0x5A; 4000]));
            }
            commit(tx, ledger)?;
            ledger.durable = ledger.begun;
            commits(pager, ledger, 2, Durability::Immediate)
        },
    },
    Workload {
        name: "after a crash",
        crashed: true,
        run: |p, l| commits(p, l, 4, Durability::Immediate),
    },
    Workload {
        name: "after a crash, then closing",
        crashed: true,
        run: |pager, ledger| {
            commits(pager, ledger, 2, Durability::Buffered)?;
            pager.clone().close()?;
            ledger.durable = ledger.begun;
            Ok(())
        },
    },
];

/// Commits with the next number in every page.
fn commit(mut tx: WriteTx, ledger: &mut Ledger) -> Result<(), Error> {
    for &page in &ledger.pages {
        assert!(tx.page_mut(page)?.write(0, &(ledger.begun + 1).to_le_bytes()));
    }
    let done = tx.commit(&[]);
    // What was refused for want of a log did not happen; what failed later may have.
    ledger.begun += u64::from(matches!(done, Ok(_) | Err(Error::Poisoned { .. })));
    done.map(|_| ())
}

fn commits(pager: &Pager, ledger: &mut Ledger, count: u64, level: Durability) -> Result<(), Error> {
    for _ in 0..count {
        let mut tx = pager.begin();
        tx.set_durability(level);
        commit(tx, ledger)?;
        if level == Durability::Immediate {
            ledger.durable = ledger.begun;
        }
    }
    Ok(())
}

fn checkpoint(pager: &Pager, ledger: &mut Ledger) -> Result<(), Error> {
    pager.checkpoint()?;
    ledger.durable = ledger.begun;
    Ok(())
}

/// A disk to begin with, and the ledger that goes with it.
fn disk(crashed: bool) -> (Files, Vec<PageId>, u64) {
    let storage = SimStorage::new();
    let pager = open(&storage).unwrap();
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..3).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    tx.commit(&[]).unwrap();
    let mut ledger = Ledger { pages, begun: 1, durable: 1 };
    pager.checkpoint().unwrap();
    commits(&pager, &mut ledger, 4, Durability::Immediate).unwrap();
    if !crashed {
        pager.close().unwrap();
    }
    (storage.files(), ledger.pages, ledger.begun)
}

/// The number that all pages carry: no commit is there by halves.
fn found(pager: &Pager, pages: &[PageId], what: &str) -> u64 {
    let stamps: Vec<u64> = pages
        .iter()
        .map(|&page| match first_bytes(pager, page) {
            Ok(bytes) => u64::from_le_bytes(bytes),
            Err(error) => panic!("{what}: {error:?}"),
        })
        .collect();
    assert!(stamps.windows(2).all(|two| two[0] == two[1]), "{what}: {stamps:?}");
    stamps[0]
}

/// What a handle must still do, whatever has failed.
fn check_handle(pager: &Pager, ledger: &mut Ledger, error: &Error, what: &str) {
    let seen = found(pager, &ledger.pages, what);
    assert!((ledger.durable..=ledger.begun).contains(&seen), "{what}: {seen} seen");
    match error {
        Error::Poisoned { cause, .. } => {
            assert!(matches!(**cause, Error::Io { .. }), "{what}: {cause:?}");
            let before = pager.published();
            let again = pager.begin().commit(b"again").map(|_| ());
            for again in [again, pager.checkpoint(), pager.clone().close()] {
                match again {
                    Err(Error::Poisoned { cause: same, .. }) => assert!(Arc::ptr_eq(cause, &same)),
                    other => panic!("{what}: {other:?} after {error:?}"),
                }
            }
            assert_eq!(pager.published(), before, "{what}");
        }
        Error::Io { doing, .. } if doing == "removing the log" => {
            ledger.durable = ledger.begun;
            assert!(matches!(pager.begin().commit(b"again"), Err(Error::Closed)), "{what}");
        }
        Error::Io { doing, .. } => {
            let starts = [
                "reading",
                "beginning a log",
                "copying -",
                "asking for the file's length",
                "asking for the log's length",
                "truncating the file",
            ];
            // A full disk is told before anything has changed, and a checkpoint that meets one
            // goes on later.
            let when_full = [
                "making room for the log",
                "setting the file's length",
                "writing new pages",
                "writing page",
            ];
            let is_one_of = |starts: &[&str]| starts.iter().any(|start| doing.starts_with(start));
            let may_be = is_one_of(&starts) || is_full(error) && is_one_of(&when_full);
            assert!(may_be, "{what}: {error:?}");
            assert_eq!(seen, ledger.begun, "{what}: changed by {error:?}");
            commits(pager, ledger, 1, Durability::Immediate)
                .unwrap_or_else(|e| panic!("{what}: {e:?}"));
            assert_eq!(found(pager, &ledger.pages, what), ledger.begun, "{what}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// Lets the call of this index fail. Returns whether there was one.
fn fails_soundly(
    workload: &Workload,
    files: &Files,
    start: (&[PageId], u64),
    fault: Fault,
) -> bool {
    let what = format!("{}: {fault:?}", workload.name);
    let (pages, begun) = start;
    let mut ledger = Ledger { pages: pages.to_vec(), begun, durable: begun };
    let storage = SimStorage::from_files(files.clone());
    storage.set_fault(fault);
    let opened = open(&storage);
    let done = opened.as_ref().ok().map(|pager| (workload.run)(pager, &mut ledger));
    let failed = storage.failed() > 0;
    storage.clear_fault();
    match (&opened, done) {
        (Err(error), _) => {
            assert!(matches!(error, Error::Io { .. }), "{what}: {error:?}");
            assert_eq!(&storage.files(), files, "{what}: opening wrote");
        }
        (Ok(pager), Some(Err(error))) => check_handle(pager, &mut ledger, &error, &what),
        (Ok(pager), _) => {
            // A checkpoint that nobody waits for may fail unheard; nothing else.
            assert_eq!(found(pager, &ledger.pages, &what), ledger.begun, "{what}");
        }
    }
    drop(opened);

    let pager = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let there = found(&pager, &ledger.pages, &what);
    let (durable, begun) = (ledger.durable, ledger.begun);
    assert!((durable..=begun).contains(&there), "{what}: {there} of {durable}..={begun}");
    assert_eq!(pager.verify().unwrap(), [], "{what}");
    ledger.begun = there;
    commits(&pager, &mut ledger, 2, Durability::Immediate)
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    failed
}

#[test]
fn whatever_call_fails_no_acknowledged_commit_is_lost_and_none_is_there_by_halves() {
    for workload in &WORKLOADS {
        let (files, pages, begun) = disk(workload.crashed);
        for failure in Failure::ALL {
            for for_ever in [false, true] {
                let fault = |after| Fault { for_ever, ..Fault::once(after, failure) };
                let start = (pages.as_slice(), begun);
                let calls = (0..).take_while(|&n| fails_soundly(workload, &files, start, fault(n)));
                let calls = calls.count();
                assert!(calls > 20, "{}: {calls}", workload.name);
            }
        }
    }
}

#[test]
fn a_full_disk_refuses_the_commit_and_changes_nothing_until_there_is_room() {
    for failure in [Failure::NoSpace, Failure::Short] {
        let (files, pages, begun) = disk(false);
        let storage = SimStorage::from_files(files);
        let pager = open(&storage).unwrap();
        let mut ledger = Ledger { pages, begun, durable: begun };
        storage.set_fault(Fault::once(0, failure).of(CallKind::Write).for_ever());
        let (published, space) = (pager.published(), pager.space());
        for _ in 0..3 {
            match commits(&pager, &mut ledger, 1, Durability::Immediate) {
                Err(Error::Io { doing, source, .. }) => {
                    assert_eq!(doing, "making room for the log");
                    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
                }
                other => panic!("{other:?}"),
            }
            assert_eq!((pager.published(), pager.space()), (published, space.clone()));
            assert_eq!(found(&pager, &ledger.pages, "full"), begun);
        }
        storage.clear_fault();
        commits(&pager, &mut ledger, 3, Durability::Immediate).unwrap();
        let pager = open(&SimStorage::from_files(storage.files())).unwrap();
        assert_eq!(found(&pager, &ledger.pages, "room again"), begun + 3);
    }
}

#[test]
fn a_sync_that_fails_is_told_to_everyone_who_waited_for_it() {
    for after in 0..if crate::support::long() { 2000 } else { 200 } {
        let (files, _, _) = disk(false);
        let storage = SimStorage::from_files(files);
        let pager = open(&storage).unwrap();
        storage.set_fault(Fault::once(after % 5, Failure::Device).of(CallKind::Sync));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let error = loop {
                        let mut tx = pager.begin();
                        tx.allocate(KIND, OWNER).unwrap();
                        if let Err(error) = tx.commit(&[]) {
                            break error;
                        }
                    };
                    let Error::Poisoned { cause, .. } = &error else { panic!("{error:?}") };
                    assert!(matches!(**cause, Error::Io { .. }), "{cause:?}");
                });
            }
        });
    }
}

#[test]
fn a_sync_that_failed_is_not_tried_again() {
    let (files, _, _) = disk(false);
    let storage = SimStorage::from_files(files);
    let pager = open(&storage).unwrap();
    let commit = || {
        let mut tx = pager.begin();
        tx.allocate(KIND, OWNER).unwrap();
        tx.commit(&[])
    };
    let before = commit().unwrap();
    // The next sync would succeed.
    storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Sync));
    storage.start_journal();
    for _ in 0..2 {
        let done = commit();
        assert!(matches!(done, Err(Error::Poisoned { .. })), "{done:?}");
    }
    assert!(pager.checkpoint().is_err());
    assert_eq!((storage.failed(), pager.published()), (1, before));
    let journal = storage.take_journal();
    assert!(journal.iter().all(|event| event.action != nanodb_sim::Action::Sync));
}

#[test]
fn a_log_whose_name_may_not_be_on_the_disk_is_named_before_a_commit_is_acknowledged() {
    let (files, pages, begun) = disk(false);
    let mut crash = nanodb_sim::Crash::new(&files);
    let storage = SimStorage::from_files(files);
    let pager = open(&storage).unwrap();
    let mut ledger = Ledger { pages, begun, durable: begun };
    storage.start_journal();
    storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Directory));
    let done = commits(&pager, &mut ledger, 1, Durability::Immediate);
    assert!(matches!(done, Err(Error::Io { .. })), "{done:?}");
    // Three names are looked at, and the file is made; then its name is to be saved.
    storage.set_fault(Fault::once(4, Failure::Device).of(CallKind::Directory));
    let done = commits(&pager, &mut ledger, 1, Durability::Immediate);
    assert!(matches!(done, Err(Error::Poisoned { .. })), "{done:?}");
    // The next process finds the log there, which says nothing of its name.
    drop(pager);
    let pager = open(&storage).unwrap();
    commits(&pager, &mut ledger, 1, Durability::Immediate).unwrap();
    storage.take_journal().iter().for_each(|event| crash.advance(event));
    let disk = SimStorage::from_files(crash.image(nanodb_sim::Unsynced::Lost));
    let pager = open(&disk).unwrap();
    assert_eq!(found(&pager, &ledger.pages, "cut"), ledger.durable);
}

#[test]
fn a_log_that_a_killed_process_has_made_is_named_before_a_commit_is_acknowledged() {
    let (files, pages, begun) = disk(false);
    let mut crash = nanodb_sim::Crash::new(&files);
    let mut ledger = Ledger { pages, begun, durable: begun };
    let storage = SimStorage::from_files(files);
    storage.start_journal();
    // It made the file and was killed before it synced the directory.
    for suffix in ["-log0", "-log1", "-dwb"] {
        nanodb_pager::Storage::sidecar(&storage, suffix).unwrap();
    }
    let pager = open(&storage).unwrap();
    commits(&pager, &mut ledger, 1, Durability::Immediate).unwrap();
    storage.take_journal().iter().for_each(|event| crash.advance(event));
    let disk = SimStorage::from_files(crash.image(nanodb_sim::Unsynced::Lost));
    let pager = open(&disk).unwrap();
    assert_eq!(found(&pager, &ledger.pages, "cut"), ledger.durable);
}

#[test]
fn more_pages_than_the_cache_holds_are_recovered() {
    let storage = SimStorage::new();
    let pager = open(&storage).unwrap();
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..40).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    for &page in &pages {
        assert!(tx.page_mut(page).unwrap().write(0, &1_u64.to_le_bytes()));
    }
    tx.commit(&[]).unwrap();
    let pager = open(&SimStorage::from_files(storage.files())).unwrap();
    let mut ledger = Ledger { pages, begun: 1, durable: 1 };
    commits(&pager, &mut ledger, 2, Durability::Immediate).unwrap();
    assert_eq!(found(&pager, &ledger.pages, "recovered"), 3);
}

#[test]
fn a_sync_of_the_directory_that_failed_is_not_tried_again() {
    let storage = nanodb_sim::SimStorage::new();
    let pager = crate::support::open(&storage).unwrap();
    // Three names are looked at, and the log's file is made; its name does not reach the disk.
    let fault = nanodb_sim::Fault::once(4, nanodb_sim::Failure::Device);
    storage.set_fault(fault.of(nanodb_sim::CallKind::Directory));
    let error = pager.begin().commit(b"first").unwrap_err();
    assert_eq!(storage.failed(), 1, "{error:?}");
    let again = pager.begin().commit(b"second").unwrap_err();
    assert!(matches!(again, nanodb_pager::Error::Poisoned { .. }), "{again:?}");
}
