//! Sidecars that were made to cost memory or time.

mod forged;

use std::sync::Arc;

use nanodb_pager::{CheckpointHooks, Corruption, Error, Options, Pager};
use nanodb_sim::{Files, SimStorage};

use self::forged::{Entry, Forger, payload};
use crate::support::{add_page, new_file, open};

/// A closed file with two pages, 2 and 3 perhaps, and who forges what lies beside it.
fn sound() -> (Files, Forger) {
    let (storage, pager) = new_file();
    for _ in 0..2 {
        add_page(&pager, b"sound");
    }
    pager.close().unwrap();
    let files = storage.files();
    let forger = Forger::of(&files[""]);
    (files, forger)
}

/// How many calls to the storage opening made, and what came of it.
fn calls(files: Files) -> (u64, Result<(), Error>) {
    let storage = SimStorage::from_files(files);
    let opened = open(&storage);
    let made = storage.calls();
    (made, opened.map(std::mem::forget))
}

#[test]
fn unlogged_pages_and_images_of_one_page_do_not_multiply() {
    let (mut files, forger) = sound();
    let (unlogged, images) = (1_000, 500);
    let missed = || payload(None, [(3, Entry::Unlogged)].into_iter());
    forger.put_log(&mut files, &(0..unlogged).map(|_| missed()).collect::<Vec<_>>());
    let side = forger.side(std::iter::repeat_n(3, images), images);
    files.insert("-dwb".to_owned(), side);
    let (made, opened) = calls(files);
    opened.unwrap();
    // Each image is read once, each entry and the page once for each entry.
    let most = images as u64 + 3 * unlogged + 100;
    assert!((images as u64..most).contains(&made), "{made}");
}

#[test]
fn a_commit_that_misses_one_page_is_not_looked_at_further() {
    let (mut files, forger) = sound();
    let pages = 10_000;
    let entries = (4..4 + pages).map(|page| (page, Entry::Unlogged));
    forger.put_log(&mut files, &[payload(Some((8, pages)), entries)]);
    let (made, opened) = calls(files);
    opened.unwrap();
    assert!(made < 100, "{made}");
}

#[test]
fn a_record_that_names_a_page_twice_is_refused() {
    for entries in [[Entry::Delta, Entry::Delta], [Entry::Unlogged, Entry::Unlogged]] {
        let (mut files, forger) = sound();
        forger.put_log(&mut files, &[payload(None, entries.map(|entry| (3, entry)).into_iter())]);
        let refused = calls(files).1;
        assert!(matches!(refused, Err(Error::Corrupt(Corruption::Log { .. }))), "{refused:?}");
    }
}

#[test]
fn an_entry_for_a_page_that_the_file_can_not_have_is_refused() {
    let open_with = |commits: &[Vec<u8>]| {
        let (mut files, forger) = sound();
        forger.put_log(&mut files, commits);
        calls(files).1
    };
    let behind = |entry, taken| payload(taken, [(100, entry)].into_iter());
    for entry in [Entry::Delta, Entry::Init, Entry::Unlogged] {
        let refused = open_with(&[behind(entry, None)]);
        assert!(matches!(refused, Err(Error::Corrupt(Corruption::Log { .. }))), "{refused:?}");
    }
    open_with(&[behind(Entry::Init, Some((90, 20)))]).unwrap();
    open_with(&[payload(Some((90, 20)), [].into_iter()), behind(Entry::Init, None)]).unwrap();
    // It was taken, but nobody has made anything of it that could be changed.
    let refused = open_with(&[behind(Entry::Delta, Some((90, 20)))]);
    let is_told = matches!(refused, Err(Error::Corrupt(Corruption::OutOfBounds { .. })));
    assert!(is_told, "{refused:?}");
}

/// Says that all pages there can be are saved.
struct Boundless;

impl CheckpointHooks for Boundless {
    fn apply(
        &self,
        root: &[u8],
        _: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(root.to_vec())
    }

    fn checkpoint_pages(&self, _: &[u8]) -> u64 {
        u64::MAX
    }
}

#[test]
fn a_root_that_claims_more_saved_pages_than_there_are_numbers_is_no_panic() {
    let (files, _) = sound();
    let storage = Arc::new(SimStorage::from_files(files));
    let options = Options::default().background(false);
    let pager = Pager::open(storage, Arc::new(Boundless), options).unwrap();
    add_page(&pager, b"one more");
    pager.close().unwrap();
}

/// 64 MiB and twice what lies on the disk. Measured in a process of its own.
#[cfg(target_os = "linux")]
mod memory {
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::Arc;

    use nanodb_pager::{FileStorage, Options, Pager};

    use super::{Entry, Files, payload, sound};

    const PATH: &str = "NANODB_TEST_HOSTILE";

    fn high_water_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Does nothing unless it is started by one of the tests.
    #[test]
    fn child_opens() {
        let Some(path) = std::env::var_os(PATH) else { return };
        let storage = Arc::new(FileStorage::open(path).unwrap());
        let before = high_water_kib();
        let opened = Pager::open(storage, Arc::new(()), Options::default().background(false));
        println!("MORE {} KIB", high_water_kib() - before);
        drop(opened.map(std::mem::forget));
    }

    fn beside(path: &Path, suffix: &str) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }

    fn assert_bounded(files: &Files) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.nanodb");
        for (suffix, bytes) in files {
            std::fs::write(beside(&path, suffix), bytes).unwrap();
        }
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hostile::memory::child_opens", "--nocapture"])
            .env(PATH, &path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let more = text.split_once("MORE ").and_then(|(_, rest)| rest.split_once(" KIB"));
        let kib: u64 = more.unwrap_or_else(|| panic!("{text}")).0.parse().unwrap();
        let bytes: usize = files.values().map(Vec::len).sum();
        let most = 64 * 1024 + 2 * bytes as u64 / 1024;
        assert!(kib <= most, "{} MiB for {} MiB of files", kib >> 10, bytes >> 20);
    }

    #[test]
    fn a_double_write_buffer_that_names_many_pages_takes_no_more_than_is_stated() {
        let (mut files, forger) = sound();
        files.insert("-dwb".to_owned(), forger.side(0..3_000_000, 0));
        assert_bounded(&files);
    }

    #[test]
    fn a_log_of_many_small_entries_takes_no_more_than_is_stated() {
        let pages = 3_000_000;
        for taken in [None, Some((8, pages))] {
            let (mut files, forger) = sound();
            let entries = (8..8 + pages).map(|page| (page, Entry::Init));
            forger.put_log(&mut files, &[payload(taken, entries)]);
            assert_bounded(&files);
        }
    }
}
