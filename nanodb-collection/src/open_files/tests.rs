//! What is left in the list of a file whose opening has failed, or is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nanodb_pager::{Access, FileStorage, LockWait};

use super::{OpenFile, OpenFiles};
use crate::error::{EngineError, Result};

#[test]
fn opening_that_fails_or_panics_leaves_the_file_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    static FILES: OpenFiles<u8> = OpenFiles::new();
    let file = || Ok(FileStorage::open(&path).unwrap());
    let wait = || LockWait::new(Duration::ZERO);
    let failing = |_, _| Err(EngineError::TransactionOver);
    let failed = FILES.open(Access::Write, wait(), file, failing, |_| unreachable!());
    assert!(matches!(failed, Err(EngineError::TransactionOver)));
    let panics = |_, _| -> Result<Arc<u8>> { panic!("planned") };
    let panicking = thread::scope(|scope| {
        scope.spawn(|| FILES.open(Access::Write, wait(), file, panics, |_| unreachable!())).join()
    });
    assert!(panicking.is_err());
    let opened =
        FILES.open(Access::Write, wait(), file, |_, _| Ok(Arc::new(7)), |_| unreachable!());
    assert_eq!(*opened.unwrap(), 7);
}

/// What is shared of a file: its number, and its place in the list.
type Shared = (usize, Arc<OpenFile<Numbered>>);

struct Numbered(Shared);

/// Opens a file, giving each opening that finds none a number of its own.
fn open(files: &'static OpenFiles<Numbered>, path: &std::path::Path) -> Arc<Numbered> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let open = |_, open_file: Option<_>| {
        Ok(Arc::new(Numbered((NEXT.fetch_add(1, Ordering::Relaxed), open_file.unwrap()))))
    };
    let wait = LockWait::new(Duration::ZERO);
    let file = || Ok(FileStorage::open(path).unwrap());
    files.open(Access::Write, wait, file, open, |_| unreachable!()).unwrap()
}

#[test]
fn openings_share_a_file_until_the_last_one_leaves_and_the_next_one_waits_until_it_is_closed() {
    static FILES: OpenFiles<Numbered> = OpenFiles::new();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let first = open(&FILES, &path);
    let again = open(&FILES, &path);
    assert!(Arc::ptr_eq(&first, &again));
    let id = FileStorage::open(&path).unwrap().id().unwrap();
    assert!(Arc::ptr_eq(&first, &FILES.find(&id).unwrap()));
    let open_file = &first.0.1;
    assert_eq!([open_file.leave(), open_file.leave(), open_file.leave()], [2, 1, 0]);
    thread::scope(|scope| {
        let next = scope.spawn(|| open(&FILES, &path));
        let found = scope.spawn(|| FILES.find(&id));
        thread::sleep(Duration::from_millis(20));
        assert!(!next.is_finished() && !found.is_finished(), "it is being closed");
        open_file.release();
        let next = next.join().unwrap();
        assert_ne!(next.0.0, first.0.0);
        if let Some(found) = found.join().unwrap() {
            assert!(Arc::ptr_eq(&next, &found));
        }
    });
}

/// A thread that is not in the fork may have it locked there for ever.
#[test]
fn a_fork_leaves_the_list_of_its_parent_alone() {
    static FILES: OpenFiles<Numbered> = OpenFiles::new();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let first = open(&FILES, &path);
    let open_file = &first.0.1;
    let copy = OpenFile {
        listing: Arc::clone(&open_file.listing),
        process: open_file.process + 1,
        id: open_file.id.clone(),
        number: open_file.number,
    };
    let locked = open_file.listing.list.lock();
    assert_eq!(copy.leave(), 0);
    drop(copy);
    drop(locked);
    assert!(Arc::ptr_eq(&first, &open(&FILES, &path)), "it is open");
}

#[test]
fn what_is_left_of_a_former_opening_does_not_take_a_later_one_out_of_the_list() {
    static FILES: OpenFiles<Numbered> = OpenFiles::new();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let former = open(&FILES, &path);
    assert_eq!(former.0.1.leave(), 0);
    former.0.1.release();
    let later = open(&FILES, &path);
    assert_eq!(former.0.1.leave(), 0);
    former.0.1.release();
    drop(former);
    assert!(Arc::ptr_eq(&later, &open(&FILES, &path)), "it is open");
}
