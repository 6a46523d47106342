use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::ids::{Owner, PageId, PageKind};
use crate::process;
use crate::{Error, FileStorage, Options, Pager};

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
            Error::Poisoned { cause } => match *cause {
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
