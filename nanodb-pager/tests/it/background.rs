//! What the background thread does, and that it is out of everybody's way.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nanodb_pager::{CheckpointHooks, Durability, FileStorage, Options, PageId, Pager};
use nanodb_sim::{Action, CallKind, Crash, Hold, SimStorage, Unsynced};

use crate::support::{Concatenate, change_page, first_bytes};

/// The least that may be asked for.
const LOG_BYTES_MAX: u64 = 64 * 1024;

fn options() -> Options {
    Options::default().log_bytes_max(LOG_BYTES_MAX).durability(Durability::Buffered)
}

fn open(storage: &SimStorage) -> Pager {
    Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options()).unwrap()
}

/// A transaction that logs some two thousand bytes.
fn commit(pager: &Pager, page: PageId, number: u64) {
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().write(0, &number.to_le_bytes()));
    assert!(tx.page_mut(page).unwrap().write(100, &[number as u8; 2000]));
    tx.commit(&[]).unwrap();
}

/// Waits for what another thread is going to do; fails if it does not.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

/// Whether a log was synced since recording began.
fn is_flushed(storage: &SimStorage) -> bool {
    let journal = storage.journal();
    journal.iter().any(|e| e.file.starts_with("-log") && e.action == Action::Sync)
}

#[test]
fn a_file_whose_last_handle_goes_can_be_opened_again_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let open = || {
        let storage = Arc::new(FileStorage::open(&path).unwrap());
        Pager::open(storage, Arc::new(()), options()).unwrap()
    };
    let pager = open();
    let page = crate::support::add_page(&pager, b"x");
    drop(pager);
    for round in 0..40 {
        let pager = open();
        assert!(pager.open_report().clean, "round {round}: closed by whoever dropped it");
        // Until a checkpoint is due, or just under way.
        let commits = 26 + round % 8;
        (0..commits).for_each(|number| commit(&pager, page, round * 100 + number));
        drop(pager);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "round {round}");
    }
}

/// Remembers on which threads it was called.
#[derive(Default)]
struct Threads(Mutex<Vec<Option<String>>>);

impl CheckpointHooks for Threads {
    fn apply(
        &self,
        root: &[u8],
        _: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        self.0.lock().unwrap().push(std::thread::current().name().map(str::to_owned));
        Ok(root.to_vec())
    }
}

#[test]
fn the_commit_that_makes_a_checkpoint_due_does_not_make_it() {
    let storage = SimStorage::new();
    let threads = Arc::new(Threads::default());
    let pager = Pager::open(Arc::new(storage), threads.clone(), options()).unwrap();
    let page = crate::support::add_page(&pager, b"x");
    let mut number = 0;
    while pager.stats().unwrap().log_bytes <= LOG_BYTES_MAX / 8 * 7 {
        assert_eq!(pager.stats().unwrap().checkpoints, 0);
        number += 1;
        commit(&pager, page, number);
        if number > 26 {
            break;
        }
    }
    wait_until("a checkpoint", || pager.stats().unwrap().checkpoints > 0);
    assert_eq!(*threads.0.lock().unwrap(), [Some("nanodb".to_owned())]);
}

#[test]
fn relaxed_commits_are_on_stable_storage_after_the_interval() {
    let storage = SimStorage::new();
    let interval = Duration::from_millis(5);
    let options = options().durability(Durability::Relaxed).relaxed_flush_interval(interval);
    let pager = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap();
    let page = crate::support::add_page(&pager, b"first");
    pager.checkpoint().unwrap();
    // Beginning a log syncs it, too.
    let mut tx = pager.begin();
    tx.set_durability(Durability::Immediate);
    tx.commit(b"begun").unwrap();
    let mut crash = Crash::new(&storage.files());
    for word in [b"2nd", b"3rd"] {
        storage.start_journal();
        change_page(&pager, page, word);
        wait_until("a sync of the log", || is_flushed(&storage));
        storage.take_journal().iter().for_each(|event| crash.advance(event));
        let cut = crate::support::open(&SimStorage::from_files(crash.image(Unsynced::Lost)));
        assert_eq!(&first_bytes::<3>(&cut.unwrap(), page).unwrap(), word);
    }
}

#[test]
fn both_logs_together_keep_to_twice_their_size_while_a_snapshot_is_held() {
    let storage = SimStorage::new();
    let pager = open(&storage);
    let pages: Vec<PageId> = (0..8).map(|_| crate::support::add_page(&pager, b"old")).collect();
    let snapshot = pager.snapshot();
    std::thread::scope(|scope| {
        for group in pages.chunks(4) {
            let pager = &pager;
            scope.spawn(move || {
                for number in 0..600 {
                    commit(pager, group[number as usize % group.len()], number);
                }
            });
        }
    });
    // Log files never get shorter while the database is open.
    let longest: u64 = ["-log0", "-log1"].map(|log| storage.file_len(log)).iter().sum();
    // What commits log that have begun before they had to wait, and the room behind it.
    let slack = 2 * (2 * 2100 + 48 * 1024);
    assert!((LOG_BYTES_MAX..=2 * LOG_BYTES_MAX + slack).contains(&longest), "{longest}");
    assert!(pager.stats().unwrap().checkpoints > 10);
    for &page in &pages {
        assert_eq!(&snapshot.page(page).unwrap().body()[..3], b"old");
    }
}

fn relaxed() -> Options {
    options().durability(Durability::Relaxed).relaxed_flush_interval(Duration::from_millis(1))
}

/// A file on a disk whose syncs do not return, and the background in one of them.
struct Stuck {
    // First: dropping the other one waits for the background.
    _hold: Hold,
    _pager: Pager,
}

/// In a checkpoint's sync, or in a flush's.
fn stuck(checkpoint: bool) -> Stuck {
    let storage = SimStorage::new();
    let options = if checkpoint { options() } else { relaxed() };
    let pager = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap();
    let page = crate::support::add_page(&pager, b"x");
    pager.sync().unwrap();
    let hold = storage.hold(CallKind::Sync);
    let commits = if checkpoint { 27 } else { 1 };
    (0..commits).for_each(|number| commit(&pager, page, number));
    wait_until("the background is stuck", || storage.held() > 0);
    Stuck { _hold: hold, _pager: pager }
}

/// Commits of another file are flushed, and its checkpoints made, by the background alone.
fn assert_served() {
    let storage = SimStorage::new();
    let pager = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), relaxed()).unwrap();
    let page = crate::support::add_page(&pager, b"x");
    for number in 0..3 {
        pager.sync().unwrap();
        storage.start_journal();
        commit(&pager, page, number);
        wait_until("what was committed is flushed", || is_flushed(&storage));
    }
    let mut number = 3;
    while pager.stats().unwrap().log_bytes <= LOG_BYTES_MAX / 8 * 7 {
        number += 1;
        commit(&pager, page, number);
    }
    wait_until("a checkpoint", || pager.stats().unwrap().checkpoints > 0);
}

#[test]
fn a_checkpoint_that_hangs_holds_up_no_other_file() {
    let _stuck = stuck(true);
    assert_served();
}

#[test]
fn a_flush_that_hangs_holds_up_no_other_file() {
    let _stuck = stuck(false);
    assert_served();
}

#[test]
fn however_many_disks_hang_other_files_are_served() {
    let _stuck: Vec<Stuck> = (0..9).map(|number| stuck(number % 3 == 0)).collect();
    assert_served();
}

/// Whether this process is the one in which no thread can be started.
const WITHOUT_THREADS: &str = "NANODB_WITHOUT_THREADS";

/// Not a test by itself: what the next one runs.
#[test]
fn commits_where_no_thread_can_be_started() {
    if std::env::var_os(WITHOUT_THREADS).is_none() {
        return;
    }
    assert!(std::thread::Builder::new().spawn(|| ()).is_err());
    let pager = open(&SimStorage::new());
    let page = crate::support::add_page(&pager, b"x");
    for number in 0..200 {
        commit(&pager, page, number);
        let stats = pager.stats().unwrap();
        assert!(stats.log_bytes <= LOG_BYTES_MAX / 8 * 7, "commit {number}: {stats:?}");
    }
    assert!(pager.stats().unwrap().checkpoints > 5);
}

#[test]
fn without_a_thread_in_the_background_commits_make_every_checkpoint_that_is_due() {
    let name = "background::commits_where_no_thread_can_be_started";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--test-threads=1"])
        .env(WITHOUT_THREADS, "1")
        // More than there are addresses.
        .env("RUST_MIN_STACK", (1_u64 << 50).to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{child:?}");
}
