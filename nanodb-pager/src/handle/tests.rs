use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::ids::{Owner, PageId, PageKind};
use crate::process;
use crate::{Error, FileStorage, Options, Pager, Storage as _};

fn open(path: &Path) -> Pager {
    let storage = Arc::new(FileStorage::open(path).unwrap());
    // With the smallest cache, so that pages have to be read again.
    let options = Options::default().cache_bytes_max(64 << 10).background(false);
    Pager::open(storage, Arc::new(()), options).unwrap()
}

fn add_page(pager: &Pager) -> Result<PageId, Error> {
    let mut tx = pager.begin();
    let page = tx.allocate(PageKind::FIRST_FREE, Owner::new(1))?;
    assert!(tx.page_mut(page)?.write(0, b"of the parent"));
    tx.commit(&[])?;
    Ok(page)
}

/// All files of a directory.
fn files(directory: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}

/// What a fork does, which has copies of all handles.
fn as_fork<T>(act: impl FnOnce() -> T) -> T {
    process::tests::PRETENDED.set(Some(process::id() + 1));
    let done = act();
    process::tests::PRETENDED.set(None);
    done
}

#[test]
fn a_fork_is_refused_writes_and_reads_and_changes_no_file_when_it_lets_go() {
    let directory = tempfile::tempdir().unwrap();
    let pager = open(&directory.path().join("data"));
    let first = add_page(&pager).unwrap();
    for _ in 0..40 {
        add_page(&pager).unwrap();
    }
    pager.checkpoint().unwrap();
    for _ in 0..40 {
        add_page(&pager).unwrap();
    }
    let before = files(directory.path());
    assert!(before.len() > 1, "a log");
    as_fork(|| {
        let opened_by = |error: Error| match error {
            Error::Forked { opened_by } => opened_by,
            Error::Poisoned { cause, .. } => match *cause {
                Error::Forked { opened_by } => opened_by,
                ref other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        let errors = [
            add_page(&pager).unwrap_err(),
            pager.checkpoint().unwrap_err(),
            pager.checkpoint_always().unwrap_err(),
            pager.page(first, pager.published()).map(|_| ()).unwrap_err(),
            pager.clone().close().unwrap_err(),
            pager.release().unwrap_err(),
        ];
        for error in errors {
            assert_eq!(opened_by(error), std::process::id());
        }
        drop(pager);
    });
    assert_eq!(files(directory.path()), before);
    // The parent goes on, or is killed: all of it is there.
    let again = open(&directory.path().join("data"));
    assert_eq!(again.published().get(), 81);
    assert!(again.page(first, again.published()).is_ok());
}

/// Reads every page, and says of which there was an answer; the others' is that it is closed.
fn read(pager: &Pager, pages: &[PageId]) -> Vec<bool> {
    let read = |page: &PageId| match pager.page(*page, pager.published()) {
        Ok(read) => read.body().starts_with(b"of the parent"),
        Err(Error::Closed) => false,
        Err(error) => panic!("{error}"),
    };
    pages.iter().map(read).collect()
}

#[test]
fn a_file_that_is_released_is_anothers_whatever_handles_are_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let pager = open(&path);
    let pages: Vec<PageId> = (0..80).map(|_| add_page(&pager).unwrap()).collect();
    let (snapshot, open_tx) = (pager.snapshot(), pager.begin());
    pager.clone().close().unwrap();
    let storage = FileStorage::open(&path).unwrap();
    assert!(!storage.lock().unwrap());
    assert!(read(&pager, &pages).iter().all(|&there| there));
    pager.release().unwrap();
    pager.release().unwrap();
    drop(storage);

    let other = open(&path);
    assert_eq!(other.published().get(), 80);
    add_page(&other).unwrap();
    let before = files(directory.path());
    let there = read(&pager, &pages);
    assert!(there.contains(&true), "what is in memory can be read");
    assert!(there.contains(&false), "what is not, can't");
    let in_memory = there.iter().position(|&there| there).unwrap();
    assert!(snapshot.page(pages[in_memory]).is_ok());
    for error in [
        add_page(&pager).unwrap_err(),
        pager.checkpoint().unwrap_err(),
        pager.checkpoint_always().unwrap_err(),
        pager.sync().unwrap_err(),
        pager.stats().unwrap_err(),
        pager.verify().unwrap_err(),
        pager.clone().close().unwrap_err(),
        open_tx.commit(b"later").unwrap_err(),
    ] {
        assert!(matches!(error, Error::Closed), "{error}");
    }
    drop((snapshot, pager));
    assert_eq!(files(directory.path()), before);
    assert!(!FileStorage::open(&path).unwrap().lock().unwrap(), "the other has it");
    other.close().unwrap();
}

#[test]
fn an_error_of_the_operating_system_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let pager = open(&path);
    let page = add_page(&pager).unwrap();
    pager.checkpoint().unwrap();
    let path = pager.path().unwrap().to_owned();
    let named = |error: &Error| error.to_string().starts_with(&format!("{}: ", path.display()));
    // The cache forgets the page, and then the file is cut short.
    for _ in 0..40 {
        add_page(&pager).unwrap();
    }
    pager.checkpoint().unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(8192).unwrap();
    let unread = pager.page(page, pager.published()).map(drop).unwrap_err();
    assert!(matches!(unread, Error::Io { .. }) && named(&unread), "{unread}");
    drop(pager.shared.poison(Error::io("syncing", std::io::ErrorKind::Other.into())));
    let refused = add_page(&pager).unwrap_err();
    assert!(matches!(refused, Error::Poisoned { .. }) && named(&refused), "{refused}");
}

#[test]
fn a_file_that_is_released_without_being_closed_keeps_its_logs_for_the_next_opening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let pager = open(&path);
    let page = add_page(&pager).unwrap();
    pager.release().unwrap();
    let before = files(directory.path());
    assert!(before.len() > 1, "a log");
    // Of a page that is there, so that the file need not be longer.
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().write(0, b"too late"));
    assert!(matches!(tx.commit(&[]), Err(Error::Closed)));
    drop(pager);
    assert!(files(directory.path()) == before);
    let again = open(&path);
    assert_eq!((again.published().get(), again.open_report().commits_replayed), (1, 1));
}
