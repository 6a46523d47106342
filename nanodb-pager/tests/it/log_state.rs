//! What the header says of the files beside the database.

use std::sync::{Arc, Mutex};

use nanodb_pager::{CheckpointHooks, Durability, Error, LogLoss, Options, Pager};
use nanodb_sim::{Crash, Files, SimStorage, Unsynced};

use crate::support::{Concatenate, add_page, new_file, open};

const CLOSED: u8 = 0;
const OPEN: u8 = 1;
const LOGGED: u8 = 2;

/// What the copy of the header that counts says.
fn state(file: &[u8]) -> u8 {
    let age = |copy: usize| (file[copy * 4096 + 80], file[copy * 4096 + 136]);
    let counts = usize::from(age(1) > age(0));
    file[counts * 4096 + 124]
}

#[test]
fn the_state_follows_the_log_from_the_first_write_to_a_clean_close() {
    let (storage, pager) = new_file();
    let now = || state(&storage.contents());
    assert_eq!(now(), CLOSED);
    for _ in 0..3 {
        add_page(&pager, b"x");
        assert_eq!(now(), LOGGED);
        // Nobody commits meanwhile.
        pager.checkpoint().unwrap();
        assert_eq!(now(), OPEN);
    }
    add_page(&pager, b"x");
    pager.close().unwrap();
    assert_eq!((now(), storage.files().len()), (CLOSED, 1));
    let before = storage.files();
    drop(open(&storage).unwrap());
    assert_eq!(storage.files(), before, "who only reads writes nothing");
}

#[test]
fn the_header_names_the_log_before_a_commit_in_it_is_acknowledged() {
    let (storage, pager) = new_file();
    for _ in 0..3 {
        let mut disk = Crash::new(&storage.files());
        storage.start_journal();
        add_page(&pager, b"x");
        storage.take_journal().iter().for_each(|event| disk.advance(event));
        let left = disk.image(Unsynced::Lost);
        assert_eq!(state(&left[""]), LOGGED);
        assert!(open(&SimStorage::from_files(left)).is_ok());
        pager.checkpoint().unwrap();
    }
}

/// Commits a page in the middle of a checkpoint.
#[derive(Default)]
struct Commits(Mutex<Option<Pager>>);

impl CheckpointHooks for Commits {
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        if let Some(pager) = self.0.lock().unwrap().take() {
            add_page(&pager, b"meanwhile");
        }
        Concatenate.apply(root, metadata)
    }
}

#[test]
fn a_log_that_commits_have_begun_meanwhile_is_named_by_the_checkpoint() {
    let storage = SimStorage::new();
    let hooks = Arc::new(Commits::default());
    let options = Options::default().background(false).durability(Durability::Buffered);
    let pager = Pager::open(Arc::new(storage.clone()), hooks.clone(), options).unwrap();
    add_page(&pager, b"before");
    *hooks.0.lock().unwrap() = Some(pager.clone());
    let mut disk = Crash::new(&storage.files());
    storage.start_journal();
    pager.checkpoint().unwrap();
    assert_eq!(state(&storage.contents()), LOGGED);
    // Wherever the power goes, a log that is named is there.
    for event in storage.take_journal() {
        disk.advance(&event);
        for unsynced in [Unsynced::Lost, Unsynced::Kept] {
            let files = disk.image(unsynced);
            let opened = open(&SimStorage::from_files(files.clone()));
            assert!(opened.is_ok(), "{event:?}: {opened:?}");
            if state(&files[""]) == LOGGED {
                either_log_is_missed(&files);
            }
        }
    }
    let mut files = storage.files();
    files.remove("-log0").unwrap();
    let error = open(&SimStorage::from_files(files)).unwrap_err();
    assert!(matches!(error, Error::LogLost { loss: LogLoss::Missing, .. }), "{error:?}");
}

/// Commits may be in either log while a checkpoint is under way, so neither goes without a word.
fn either_log_is_missed(files: &Files) {
    for log in ["-log0", "-log1"] {
        let mut files = files.clone();
        files.remove(log).unwrap();
        let error = open(&SimStorage::from_files(files)).unwrap_err();
        let Error::LogLost { log: named, loss: LogLoss::Missing } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(named, log, "{error}");
    }
}

/// Nobody has looked into it since: the header said that no log was needed.
#[test]
fn what_another_database_has_left_in_the_place_of_the_later_log_is_no_loss() {
    let (storage, pager) = new_file();
    add_page(&pager, b"x");
    pager.checkpoint().unwrap();
    let mut files = storage.files();
    assert_eq!(state(&files[""]), OPEN);
    let foreign = crashed()["-log1"].clone();
    files.insert("-log0".to_owned(), foreign.clone());
    files.insert("-log1".to_owned(), foreign);
    let storage = SimStorage::from_files(files);
    let pager = open(&storage).unwrap();
    add_page(&pager, b"y");
    let left = storage.files();
    assert_eq!(state(&left[""]), LOGGED);
    assert_eq!(open(&SimStorage::from_files(left)).unwrap().open_report().commits_replayed, 1);
}

/// A file with a commit in its log.
fn crashed() -> Files {
    let (storage, pager) = new_file();
    add_page(&pager, b"x");
    storage.files()
}

#[test]
fn a_log_that_is_lost_is_an_error_and_can_be_gone_on_without() {
    let files = crashed();
    let other = crashed();
    let with = |log: Option<Vec<u8>>| {
        let mut files = files.clone();
        files.remove("-log1").unwrap();
        if let Some(log) = log {
            files.insert("-log1".to_owned(), log);
        }
        SimStorage::from_files(files)
    };
    let storage = with(Some(files["-log1"].clone()));
    assert_eq!(open(&storage).unwrap().open_report().commits_replayed, 1);
    for (log, expected) in
        [(None, LogLoss::Missing), (Some(other["-log1"].clone()), LogLoss::OfAnotherDatabase)]
    {
        let storage = with(log);
        let before = storage.files();
        let error = open(&storage).unwrap_err();
        assert!(matches!(error, Error::LogLost { loss, .. } if loss == expected), "{error:?}");
        let options = Options::default().background(false).allow_missing_log(true);
        let pager = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options).unwrap();
        assert!(pager.open_report().log_lost);
        assert_eq!(storage.files(), before);
        add_page(&pager, b"y");
        pager.close().unwrap();
        assert!(!open(&storage).unwrap().open_report().log_lost);
    }
    let error = open(&with(Some(Vec::new()))).unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
}

#[test]
fn what_is_torn_beside_an_open_database_is_still_its_own() {
    let mut files = crashed();
    // As a power cut leaves a file that was being written over.
    files.insert("-log0".to_owned(), vec![0xA5; 8192]);
    files.insert("-dwb".to_owned(), vec![0xA5; 8192]);
    let storage = SimStorage::from_files(files);
    let pager = open(&storage).unwrap();
    for _ in 0..3 {
        add_page(&pager, b"y");
        pager.checkpoint().unwrap();
    }
    pager.close().unwrap();
    assert_eq!(storage.files().len(), 1);
}

#[test]
fn what_is_beside_a_closed_database_is_looked_at_first() {
    let (storage, pager) = new_file();
    add_page(&pager, b"x");
    pager.close().unwrap();
    for name in ["-log0", "-log1", "-dwb"] {
        let mut files = storage.files();
        files.insert(name.to_owned(), vec![0xA5; 8192]);
        let storage = SimStorage::from_files(files.clone());
        let pager = open(&storage).unwrap();
        let mut tx = pager.begin();
        tx.allocate(crate::support::KIND, crate::support::OWNER).unwrap();
        let error = tx.commit(&[]).unwrap_err();
        assert!(matches!(&error, Error::ForeignFile { file } if file == name), "{error:?}");
        assert!(matches!(pager.checkpoint_always(), Err(Error::ForeignFile { .. })));
        pager.close().unwrap();
        assert_eq!(storage.files()[name], files[name]);
        assert_eq!(storage.files().len(), 2);
        // What says nothing is nobody's.
        files.insert(name.to_owned(), vec![0; 8192]);
        let pager = open(&SimStorage::from_files(files)).unwrap();
        add_page(&pager, b"y");
    }
}
