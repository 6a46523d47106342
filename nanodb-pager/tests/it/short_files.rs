//! Logs and double-write buffer after one large transaction.

use std::sync::Arc;

use nanodb_pager::{BODY_SIZE, Options, PageId, Pager};
use nanodb_sim::{CallKind, Failure, Fault, SimStorage};

use crate::support::{Concatenate, KIND, OWNER, change_page, first_bytes};

const LOGS: [&str; 2] = ["-log0", "-log1"];
const LOG_MAX: u64 = 256 * 1024;
/// What is kept for a full disk.
const LOG_MIN: u64 = 32 * 1024;
const SIDE_MIN: u64 = 17 * 4096;
/// An eighth of the cache, and its directory.
const SIDE_MAX: u64 = 65 * 4096;

fn open(storage: &SimStorage) -> Pager {
    open_with(storage, LOG_MAX)
}

fn open_with(storage: &SimStorage, log_bytes_max: u64) -> Pager {
    let options = Options::default().cache_bytes_max(512 * 4096).log_bytes_max(log_bytes_max);
    let options = options.background(false);
    Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap()
}

/// A file of 600 pages.
fn pages() -> (SimStorage, Pager, Vec<PageId>) {
    let storage = SimStorage::new();
    let pager = open(&storage);
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..600).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    tx.commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    (storage, pager, pages)
}

fn change_all(pager: &Pager, pages: &[PageId], byte: u8) {
    let mut tx = pager.begin();
    for &page in pages {
        assert!(tx.page_mut(page).unwrap().write(0, &[byte; BODY_SIZE]));
    }
    tx.commit(&[]).unwrap();
}

fn longest_log(storage: &SimStorage) -> u64 {
    LOGS.map(|log| storage.file_len(log)).into_iter().max().unwrap()
}

fn assert_short(storage: &SimStorage) {
    for log in LOGS {
        let len = storage.file_len(log);
        assert!((LOG_MIN..=LOG_MAX).contains(&len), "{log} has {len} bytes");
    }
    let len = storage.file_len("-dwb");
    assert!((SIDE_MIN..=SIDE_MAX).contains(&len), "the double-write buffer has {len} bytes");
}

#[test]
fn a_checkpoint_after_a_large_transaction_leaves_the_files_beside_the_database_short() {
    let (storage, pager, pages) = pages();
    for byte in 1..4 {
        change_all(&pager, &pages, byte);
        pager.checkpoint().unwrap();
        assert_short(&storage);
        change_page(&pager, pages[3], b"more");
        assert_short(&storage);
    }
    pager.close().unwrap();
    let pager = open(&storage);
    assert_eq!(first_bytes(&pager, pages[9]).unwrap(), [3; 8]);
    assert_eq!(&first_bytes(&pager, pages[3]).unwrap(), b"more\x03");
}

#[test]
fn what_a_crash_has_left_is_truncated_once_it_is_recovered() {
    let (storage, pager, pages) = pages();
    pager.close().unwrap();
    let pager = open_with(&storage, 16 << 20);
    change_all(&pager, &pages[..200], 7);
    let storage = SimStorage::from_files(storage.files());
    drop(pager);
    assert!(longest_log(&storage) > 700_000);
    let pager = open(&storage);
    change_page(&pager, pages[0], b"again");
    assert_short(&storage);
    assert_eq!(first_bytes(&pager, pages[9]).unwrap(), [7; 8]);
}

#[test]
fn room_that_was_asked_for_is_kept() {
    let (storage, pager, pages) = pages();
    pager.make_room_in_logs(1 << 20).unwrap();
    for byte in 1..4 {
        change_all(&pager, &pages, byte);
        pager.checkpoint().unwrap();
        let lens = LOGS.map(|log| storage.file_len(log));
        assert!(lens.iter().all(|&len| len >= LOG_MIN + (1 << 20)), "{lens:?}");
    }
    assert!(longest_log(&storage) < 2 << 20, "{}", longest_log(&storage));
}

#[test]
fn files_that_cannot_be_truncated_are_no_failure_and_are_truncated_later() {
    let (storage, pager, pages) = pages();
    storage.set_fault(Fault::once(0, Failure::Device).of(CallKind::SetLen).for_ever());
    change_all(&pager, &pages, 1);
    let _ = pager.checkpoint();
    assert!(storage.failed() > 0 && longest_log(&storage) > 2 << 20);
    change_page(&pager, pages[0], b"goes on");
    storage.clear_fault();
    for byte in 2..4 {
        change_all(&pager, &pages, byte);
        pager.checkpoint().unwrap();
    }
    assert_short(&storage);
    assert_eq!(first_bytes(&pager, pages[9]).unwrap(), [3; 8]);
}
