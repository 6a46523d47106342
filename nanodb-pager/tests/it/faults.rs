//! Every call of a workload fails in turn, once and for ever.

use std::collections::BTreeMap;
use std::error::Error as _;

use nanodb_pager::{BODY_SIZE, Error, PageId, Pager};
use nanodb_sim::{CallKind, Failure, Fault, SimStorage};

use crate::support::{KIND, OWNER, add_page, change_page, first_bytes, is_full, new_file, open};

/// What each page begins with.
type Known = BTreeMap<PageId, [u8; 4]>;

/// A closed file with a few more pages than the cache holds.
fn sound_file() -> (Vec<u8>, Known) {
    let (storage, pager) = new_file();
    let known = (0..24_u32).map(|number| {
        let bytes = number.to_le_bytes();
        (add_page(&pager, &bytes), bytes)
    });
    let known = known.collect();
    pager.close().unwrap();
    (storage.contents(), known)
}

/// Does something of everything. Returns with the first error, having noted in `known`
/// what was committed.
fn work(storage: &SimStorage, known: &mut Known, kept: &mut Option<Pager>) -> Result<(), Error> {
    let pager = &*kept.insert(open(storage)?);
    let pages: Vec<PageId> = known.keys().copied().collect();
    for round in 1..=2_u32 {
        for &page in &pages {
            pager.page(page, pager.published())?;
        }
        let mut tx = pager.begin();
        for &page in pages.iter().step_by(5) {
            let written = tx.page_mut(page)?.write(0, &(round << 8).to_le_bytes());
            assert!(written);
        }
        let new = tx.allocate(KIND, OWNER)?;
        let seq = tx.commit(b"note")?;
        assert_eq!(seq, pager.published());
        for &page in pages.iter().step_by(5) {
            known.insert(page, (round << 8).to_le_bytes());
        }
        known.insert(new, [0; 4]);
        pager.checkpoint()?;
    }
    pager.clone().close()
}

/// The failure below the error, if it is one of the storage.
fn cause(error: &Error) -> Option<&Error> {
    match error {
        Error::Io { .. } => Some(error),
        Error::Poisoned { cause, .. } => Some(cause),
        _ => None,
    }
}

/// A failure that poisons nothing was one of a read, of opening a sidecar, of a full disk, or
/// of tidying up after everything was in the file.
fn assert_harmless(error: &Error) {
    let Error::Io { doing, .. } = error else { return };
    let harmless = [
        "reading",
        "beginning a log",
        "copying -",
        "asking for the file's length",
        "asking for the log's length",
        "truncating the file",
        "removing the log",
    ];
    // A full disk is told before anything has changed, and a checkpoint that meets one goes on
    // later.
    let when_full = [
        "making room for the log",
        "setting the file's length",
        "writing new pages",
        "writing page",
    ];
    let is_one_of = |starts: &[&str]| starts.iter().any(|start| doing.starts_with(start));
    let may_be = is_one_of(&harmless) || is_full(error) && is_one_of(&when_full);
    assert!(may_be, "{error:?}");
}

/// After a failure: the handle is as the error says, and what was committed is there.
fn check_handle(pager: &Pager, error: &Error, known: &Known) {
    let poisoned = matches!(error, Error::Poisoned { .. });
    let tidying = matches!(error, Error::Io { doing, .. } if doing == "removing the log");
    let after = pager.begin().commit(b"another");
    match after {
        Ok(_) => assert!(!poisoned && !tidying),
        Err(Error::Closed) => assert!(tidying, "{error:?}"),
        Err(Error::Poisoned { .. }) => assert!(poisoned, "{error:?}"),
        Err(other) => panic!("{other:?} after {error:?}"),
    }
    if poisoned {
        for again in [pager.checkpoint(), pager.clone().close()] {
            let again = again.unwrap_err();
            assert!(matches!(again, Error::Poisoned { .. }), "{again:?}");
            assert_eq!(again.source().unwrap().to_string(), error.source().unwrap().to_string());
        }
    }
    for (&page, bytes) in known {
        // What is in memory is the commit, what is not is on disk as it was before.
        assert_eq!(&first_bytes(pager, page).unwrap(), bytes, "{page} after {error:?}");
    }
}

#[test]
fn whatever_call_fails_the_error_says_so_and_reads_go_on() {
    let (file, sound) = sound_file();
    for failure in Failure::ALL {
        for for_ever in [false, true] {
            let mut calls = 0;
            loop {
                let storage = SimStorage::from_contents(file.clone());
                let (mut known, mut kept) = (sound.clone(), None);
                storage.set_fault(Fault { for_ever, ..Fault::once(calls, failure) });
                let done = work(&storage, &mut known, &mut kept);
                let failed = storage.failed();
                storage.clear_fault();
                if failed == 0 {
                    done.unwrap();
                    break;
                }
                let error = match done {
                    Err(error) => error,
                    Ok(()) => {
                        // The log was to grow further than it had to.
                        assert!(
                            matches!(failure, Failure::NoSpace | Failure::Short),
                            "{failure:?}"
                        );
                        calls += 1;
                        continue;
                    }
                };
                let below = cause(&error).unwrap_or_else(|| panic!("call {calls}: {error:?}"));
                assert!(matches!(below, Error::Io { .. }), "call {calls}: {below:?}");
                match kept {
                    // A committed change may be in the file or not; `known` has it.
                    Some(pager) => {
                        assert_harmless(&error);
                        check_handle(&pager, &error, &known);
                    }
                    None => assert!(storage.contents() == file, "opening wrote"),
                }
                calls += 1;
            }
            assert!(calls > 50, "{calls}");
        }
    }
}

#[test]
fn a_failed_read_is_told_and_forgotten() {
    let (file, sound) = sound_file();
    let storage = SimStorage::from_contents(file);
    let pager = open(&storage).unwrap();
    storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Read).for_ever());
    for &page in sound.keys() {
        match pager.page(page, pager.published()) {
            Err(Error::Io { doing, .. }) => assert_eq!(doing, format!("reading {page}")),
            other => panic!("{other:?}"),
        }
    }
    let page = *sound.keys().next().unwrap();
    assert!(matches!(pager.begin().page_mut(page), Err(Error::Io { .. })));
    storage.clear_fault();
    change_page(&pager, page, b"fine");
    pager.checkpoint().unwrap();
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"fine");
}

#[test]
fn a_new_file_that_could_not_be_made_is_left_empty_and_made_later() {
    for failure in Failure::ALL {
        for after in 0..4 {
            let storage = SimStorage::new();
            storage.set_fault(Fault::once(after, failure));
            assert!(matches!(open(&storage), Err(Error::Io { .. })), "call {after}");
            assert_eq!(storage.contents(), b"");
            assert!(open(&storage).is_ok());
        }
    }
}

#[test]
fn a_commit_whose_checkpoint_fails_is_there_and_the_next_one_says_so() {
    let (storage, pager) = new_file();
    let mut pages = Vec::new();
    let error = loop {
        if pages.len() == 1 {
            // From the second on no commit writes to the file itself: that is a checkpoint.
            storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Write).in_file(""));
        }
        let mut tx = pager.begin();
        let page = tx.allocate(KIND, OWNER).unwrap();
        assert!(tx.page_mut(page).unwrap().write(0, b"kept"));
        match tx.commit(&[]) {
            Ok(_) => pages.push(page),
            Err(error) => break error,
        }
    };
    let Some(Error::Io { doing, .. }) = cause(&error) else { panic!("{error:?}") };
    assert!(doing.starts_with("writing page"), "{doing}");
    assert!(matches!(error, Error::Poisoned { .. }), "{error:?}");
    assert_eq!(pager.published().get(), pages.len() as u64);
    assert!(pages.len() > 8);
    drop(pager);
    storage.clear_fault();
    let pager = open(&storage).unwrap();
    assert_eq!(pager.open_report().commits_replayed, pages.len() as u64);
    for page in pages {
        assert_eq!(&first_bytes(&pager, page).unwrap(), b"kept");
    }
}

/// Nobody refers yet to what such a write was to save, but the disk is not to be trusted any more.
#[test]
fn after_a_failed_write_ahead_of_a_commit_every_write_says_why() {
    let load = |pager: &Pager| {
        let mut tx = pager.begin();
        let extent = tx.allocate_extent(100)?;
        for page in (0..100).filter_map(|index| extent.page(index)) {
            assert!(tx.init_page(page, KIND, OWNER)?.write(0, &[1; BODY_SIZE]));
        }
        tx.commit(b"").map(|_| ())
    };
    let small = |pager: &Pager| pager.begin().commit(&[1; 100_000]).map(|_| ());
    type Write<'a> = &'a dyn Fn(&Pager) -> Result<(), Error>;
    let cases: [(CallKind, Write<'_>, &str); 3] = [
        (CallKind::Write, &load, "writing new pages"),
        (CallKind::SetLen, &load, "setting the file's length"),
        (CallKind::Write, &small, "making room for the log"),
    ];
    for (kind, write, doing) in cases {
        let (storage, pager) = new_file();
        let page = add_page(&pager, b"kept");
        storage.set_fault(Fault::once(0, Failure::Device).of(kind));
        let error = write(&pager).unwrap_err();
        assert_eq!(storage.failed(), 1, "{doing}");
        assert!(matches!(error, Error::Poisoned { .. }), "{error:?}");
        let below = cause(&error).unwrap().to_string();
        assert!(below.contains(doing), "{below}");
        for after in [small(&pager), pager.checkpoint(), pager.clone().close()] {
            assert_eq!(cause(&after.unwrap_err()).unwrap().to_string(), below);
        }
        assert_eq!(&first_bytes(&pager, page).unwrap(), b"kept");
        drop(pager);
        assert_eq!(&first_bytes(&open(&storage).unwrap(), page).unwrap(), b"kept");
    }
}

#[test]
fn a_folder_that_fails_stops_all_writes_and_says_why() {
    struct Refuses;
    impl nanodb_pager::CheckpointHooks for Refuses {
        fn apply(
            &self,
            root: &[u8],
            metadata: &mut dyn Iterator<Item = &[u8]>,
        ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
            match metadata.next() {
                Some(_) => Err("this metadata makes no sense".into()),
                None => Ok(root.to_vec()),
            }
        }
    }
    let storage = SimStorage::new();
    let options = nanodb_pager::Options::default();
    let pager =
        Pager::open(std::sync::Arc::new(storage), std::sync::Arc::new(Refuses), options).unwrap();
    let page = add_page(&pager, b"old");
    pager.checkpoint().unwrap();
    pager.begin().commit(b"nonsense").unwrap();
    for _ in 0..2 {
        let error = pager.checkpoint().unwrap_err();
        let Error::Poisoned { cause, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(**cause, Error::Metadata(_)), "{cause:?}");
    }
    assert!(matches!(pager.begin().commit(b"more"), Err(Error::Poisoned { .. })));
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"old");
}

#[test]
fn a_checkpoint_under_way_writes_nothing_more_once_a_sync_of_the_log_has_failed() {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::sync::{Arc, Mutex};
    /// Waits in the middle of a checkpoint.
    struct Waits(SyncSender<()>, Mutex<Receiver<()>>);
    impl nanodb_pager::CheckpointHooks for Waits {
        fn apply(
            &self,
            root: &[u8],
            _: &mut dyn Iterator<Item = &[u8]>,
        ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
            self.0.send(())?;
            self.1.lock().unwrap().recv()?;
            Ok(root.to_vec())
        }
    }
    let (storage, (begun, is_begun), (go_on, may_go_on)) =
        (SimStorage::new(), sync_channel(1), sync_channel(1));
    let options = nanodb_pager::Options::default().background(false);
    let hooks = Arc::new(Waits(begun, Mutex::new(may_go_on)));
    let pager = &Pager::open(Arc::new(storage.clone()), hooks, options).unwrap();
    let page = add_page(pager, b"old");
    let done = std::thread::scope(|scope| {
        let checkpoint = scope.spawn(|| pager.checkpoint());
        is_begun.recv().unwrap();
        storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::Sync));
        let mut tx = pager.begin();
        assert!(tx.page_mut(page).unwrap().write(0, b"new"));
        assert!(matches!(tx.commit(&[]), Err(Error::Poisoned { .. })));
        storage.start_journal();
        go_on.send(()).unwrap();
        checkpoint.join().unwrap()
    });
    assert!(matches!(done, Err(Error::Poisoned { .. })), "{done:?}");
    assert_eq!((storage.failed(), storage.take_journal()), (1, Vec::new()));
    assert_eq!(&first_bytes(pager, page).unwrap(), b"old");
}
