//! Files that are read and never written to.

use std::sync::Arc;

use nanodb_pager::{Error, FileStorage, Options, Pager, ReadOnly, Result};
use nanodb_sim::SimStorage;

use crate::support::{Concatenate, KIND, OWNER, add_page, change_page, first_bytes, new_file};

fn read_only(storage: &SimStorage) -> Result<Pager> {
    let options = Options::default().cache_bytes_max(16 * 4096).read_only(true);
    Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options)
}

/// A file with a page, and a log that changes it and adds another.
fn crashed() -> (SimStorage, [nanodb_pager::PageId; 2]) {
    let (storage, pager) = new_file();
    let first = add_page(&pager, b"first");
    pager.checkpoint().unwrap();
    change_page(&pager, first, b"FIRST");
    let second = add_page(&pager, b"later");
    (SimStorage::from_files(storage.files()), [first, second])
}

#[test]
fn what_the_logs_hold_is_read_and_no_call_changes_anything() {
    let (storage, [first, second]) = crashed();
    storage.start_journal();
    let before = storage.files();
    for again in 0..3 {
        let pager = read_only(&storage).unwrap();
        assert_eq!(pager.open_report().commits_replayed, 2);
        assert_eq!(&first_bytes(&pager, first).unwrap(), b"FIRST");
        assert_eq!(&first_bytes(&pager, second).unwrap(), b"later");
        let snapshot = pager.snapshot();
        assert_eq!(&snapshot.page(second).unwrap().body()[..5], b"later");
        assert!(pager.verify().unwrap().is_empty());
        assert!(pager.inventory().unwrap().taken.is_empty());
        drop(snapshot);
        match again {
            0 => pager.close().unwrap(),
            _ => drop(pager),
        }
    }
    assert_eq!(storage.take_journal(), []);
    assert!(storage.files() == before);
}

#[test]
fn each_call_that_writes_says_that_the_file_is_read_only() {
    let (storage, [page, _]) = crashed();
    let pager = read_only(&storage).unwrap();
    let mut tx = pager.begin();
    let refused = [
        tx.allocate(KIND, OWNER).err(),
        tx.allocate_extent(9).err(),
        tx.allocate_up_to(9).err(),
        tx.init_page(page, KIND, OWNER).err(),
        tx.page_mut(page).err(),
        tx.free(page).err(),
        tx.commit(b"a note").err(),
        pager.checkpoint().err(),
        pager.checkpoint_always().err(),
        pager.check_access().err(),
    ];
    for (call, refused) in refused.into_iter().enumerate() {
        assert!(matches!(refused, Some(Error::ReadOnly { .. })), "{call}: {refused:?}");
    }
    // What has changed nothing is no write.
    let tx = pager.begin();
    assert!(tx.page(page).is_ok());
    assert_eq!(tx.commit(&[]).unwrap(), pager.published());
}

#[test]
fn a_file_that_is_empty_is_refused_and_stays_empty() {
    let empty = SimStorage::new();
    empty.start_journal();
    assert!(matches!(read_only(&empty), Err(Error::Empty)));
    assert_eq!(empty.take_journal(), []);
}

#[test]
fn a_handle_without_permission_refuses_to_write_whoever_asks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let open = |storage: FileStorage, options| {
        Pager::open(Arc::new(storage), Arc::new(Concatenate), options)
    };
    let pager = open(FileStorage::open(&path).unwrap(), Options::default()).unwrap();
    let page = add_page(&pager, b"there");
    pager.close().unwrap();
    let bytes = std::fs::read(&path).unwrap();

    // Opened for writing, on a file that is not: the first write fails, and nothing is made.
    let pager = open(FileStorage::open_read_only(&path).unwrap(), Options::default()).unwrap();
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"there");
    let mut tx = pager.begin();
    assert!(tx.allocate(KIND, OWNER).and_then(|_| tx.commit(&[])).is_err());
    drop(pager);
    let wrapped = ReadOnly::new(Arc::new(FileStorage::open(&path).unwrap()));
    let options = Options::default().read_only(true);
    let pager = Pager::open(Arc::new(wrapped), Arc::new(Concatenate), options).unwrap();
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"there");
    drop(pager);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    assert!(FileStorage::open_read_only(directory.path()).is_err());
    assert!(FileStorage::open_read_only(directory.path().join("absent")).is_err());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
