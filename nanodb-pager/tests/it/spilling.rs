//! Older versions that do not fit into memory: they go to a temporary file and come back the
//! same, or as an error that names the page; and nothing else suffers when that file fails.

use std::io;
use std::sync::Arc;

use nanodb_pager::{
    Corruption, Error, FileStorage, MemoryStorage, Options, PAGE_SIZE, PageId, Pager, Snapshot,
};
use nanodb_sim::{CallKind, Failure, Fault, SimStorage};

use crate::support::{FRAMES, add_page, change_page, first_bytes, new_file};

const PAGES: u32 = 60;

/// Commits pages that begin with their place in the list.
fn numbered(pager: &Pager, count: u32) -> Vec<PageId> {
    (0..count).map(|number| add_page(pager, &number.to_le_bytes())).collect()
}

/// Commits other contents for all pages, one by one.
fn change_all(pager: &Pager, pages: &[PageId], round: u32) {
    for &page in pages {
        change_page(pager, page, &(1000 * round).to_le_bytes());
    }
}

/// Whether the snapshot shows what [`numbered`] wrote.
fn assert_numbered(snapshot: &Snapshot, pages: &[PageId]) {
    for (number, &page) in (0_u32..).zip(pages) {
        let guard = snapshot.page(page).unwrap();
        assert_eq!(guard.body()[..4], number.to_le_bytes(), "{page}");
        assert_eq!(guard.id(), page);
    }
}

fn assert_within_budget(pager: &Pager) {
    let stats = pager.stats().unwrap();
    assert!(stats.cached_bytes <= FRAMES * PAGE_SIZE, "{stats:?}");
}

#[test]
fn a_snapshot_beside_many_writes_keeps_to_the_budget_and_shows_the_same() {
    let (_, pager) = new_file();
    let pages = numbered(&pager, PAGES);
    let snapshot = pager.snapshot();
    let mut later = Vec::new();
    for round in 1..5_u32 {
        for &page in &pages {
            change_page(&pager, page, &(1000 * round).to_le_bytes());
            assert_within_budget(&pager);
        }
        later.push(pager.snapshot());
        assert_numbered(&snapshot, &pages);
        assert_within_budget(&pager);
    }
    // Each snapshot but the last wants a version of its own of each page.
    let stats = pager.stats().unwrap();
    let kept = stats.older_bytes as u64 + stats.spilled_bytes;
    assert_eq!(kept, 4 * u64::from(PAGES) * PAGE_SIZE as u64, "{stats:?}");
    for (round, snapshot) in (1_u32..).zip(&later) {
        for &page in &pages {
            let guard = snapshot.page(page).unwrap();
            assert_eq!(guard.body()[..4], (1000 * round).to_le_bytes());
        }
    }
    drop(later.remove(1));
    assert_numbered(&snapshot, &pages);
    drop((snapshot, later));
    let stats = pager.stats().unwrap();
    assert_eq!((stats.older_bytes, stats.spilled_bytes), (0, 0));
}

#[test]
fn places_of_versions_that_have_gone_are_used_again() {
    let (storage, pager) = new_file();
    let pages = numbered(&pager, PAGES);
    let keeps_the_file = pager.snapshot();
    change_all(&pager, &pages, 1);
    for round in 2..8 {
        let snapshot = pager.snapshot();
        change_all(&pager, &pages, round);
        drop(snapshot);
    }
    let most = 2 * PAGES as usize * PAGE_SIZE;
    assert!(storage.temp_file_contents().len() <= most, "{}", storage.temp_file_contents().len());
    assert_numbered(&keeps_the_file, &pages);
}

#[test]
fn a_damaged_version_is_an_error_that_names_the_page_and_harms_nobody_else() {
    let (storage, pager) = new_file();
    let pages = numbered(&pager, PAGES);
    let snapshot = pager.snapshot();
    change_all(&pager, &pages, 1);
    let sound = storage.temp_file_contents();
    assert!(sound.len() > PAGES as usize / 2 * PAGE_SIZE);
    let read = |page: PageId| snapshot.page(page).map(|guard| guard.body().to_vec());
    let before: Vec<Vec<u8>> = pages.iter().map(|&page| read(page).unwrap()).collect();

    let mut damaged = sound.clone();
    let mut found = 0;
    for at in (0..sound.len()).step_by(1021) {
        damaged[at] ^= 0x10;
        storage.set_temp_file_contents(damaged.clone());
        damaged[at] ^= 0x10;
        for (&page, before) in pages.iter().zip(&before) {
            match read(page) {
                Ok(body) => assert!(body == *before, "{page} with byte {at} flipped"),
                Err(Error::Corrupt(Corruption::Spilled { page: named, .. })) => {
                    assert_eq!(named, page);
                    found += 1;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    assert_eq!(found, sound.len().div_ceil(1021));

    // Versions that have changed places, and a file cut short.
    damaged[..2 * PAGE_SIZE].rotate_left(PAGE_SIZE);
    damaged.truncate(sound.len() - PAGE_SIZE);
    storage.set_temp_file_contents(damaged);
    let failed: Vec<Error> = pages.iter().filter_map(|&page| read(page).err()).collect();
    assert_eq!(failed.len(), 3, "{failed:?}");
    let cut: Vec<&Error> = failed.iter().filter(|e| matches!(e, Error::Io { .. })).collect();
    assert!(matches!(cut[..], [Error::Io { doing, .. }] if doing.contains("temporary file")));

    // Whoever does not ask for older versions notices nothing.
    for &page in &pages {
        assert_eq!(first_bytes(&pager, page).unwrap(), 1000_u32.to_le_bytes());
    }
    change_all(&pager, &pages, 2);
    pager.checkpoint().unwrap();
    let mut mended = sound;
    mended.extend_from_slice(storage.temp_file_contents().get(mended.len()..).unwrap_or_default());
    storage.set_temp_file_contents(mended);
    assert_numbered(&snapshot, &pages);
}

#[test]
fn whatever_call_to_the_temporary_file_fails_no_commit_does_and_no_version_is_lost() {
    for failure in Failure::ALL {
        for for_ever in [false, true] {
            for after in 0.. {
                let (storage, pager) = new_file();
                let pages = numbered(&pager, 40);
                let snapshot = pager.snapshot();
                let fault = Fault::once(after, failure).of(CallKind::TempFile);
                storage.set_fault(Fault { for_ever, ..fault });
                for round in 1..3 {
                    change_all(&pager, &pages, round);
                    for (number, &page) in (0_u32..).zip(&pages) {
                        match snapshot.page(page) {
                            Ok(guard) => assert_eq!(guard.body()[..4], number.to_le_bytes()),
                            Err(Error::Io { doing, .. }) => {
                                assert!(doing.contains(&page.to_string()), "{doing}");
                            }
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                }
                let failed = storage.failed();
                storage.clear_fault();
                assert_numbered(&snapshot, &pages);
                drop(snapshot);
                pager.close().unwrap();
                if failed == 0 {
                    assert!(after > 40, "{after}");
                    break;
                }
            }
        }
    }
}

#[test]
fn while_the_temporary_file_is_full_memory_passes_the_budget_and_then_keeps_to_it_again() {
    let (storage, pager) = new_file();
    let pages = numbered(&pager, PAGES);
    let snapshot = pager.snapshot();
    storage.set_fault(Fault::once(0, Failure::NoSpace).of(CallKind::TempFile).for_ever());
    change_all(&pager, &pages, 1);
    let stats = pager.stats().unwrap();
    assert_eq!(stats.spilled_bytes, 0);
    assert_eq!(stats.older_bytes, PAGES as usize * PAGE_SIZE);
    assert_numbered(&snapshot, &pages);

    storage.clear_fault();
    for round in 2..8 {
        change_all(&pager, &pages, round);
    }
    assert_within_budget(&pager);
    assert_numbered(&snapshot, &pages);
}

#[test]
fn the_temporary_file_of_a_real_file_has_no_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let options = Options::default().cache_bytes_max(FRAMES * PAGE_SIZE);
    let storage = Arc::new(FileStorage::open(&path).unwrap());
    let pager = Pager::open(storage, Arc::new(()), options).unwrap();
    let pages = numbered(&pager, PAGES);
    let snapshot = pager.snapshot();
    change_all(&pager, &pages, 1);
    assert!(pager.stats().unwrap().spilled_bytes > 0);
    assert_within_budget(&pager);
    assert_numbered(&snapshot, &pages);
    let mut names: Vec<String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.iter().all(|name| name.starts_with("data")), "{names:?}");
    drop(snapshot);
    pager.close().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_database_in_memory_keeps_older_versions_above_the_budget() {
    let options = Options::default().cache_bytes_max(FRAMES * PAGE_SIZE);
    let pager = Pager::open(Arc::new(MemoryStorage::new()), Arc::new(()), options).unwrap();
    let pages = numbered(&pager, PAGES);
    let snapshot = pager.snapshot();
    for round in 1..4 {
        change_all(&pager, &pages, round);
    }
    let stats = pager.stats().unwrap();
    assert_eq!(stats.older_bytes, PAGES as usize * PAGE_SIZE);
    assert!(stats.cached_bytes - stats.older_bytes <= FRAMES * PAGE_SIZE, "{stats:?}");
    assert_numbered(&snapshot, &pages);
}

#[test]
fn a_reopened_file_knows_nothing_of_versions_that_were_spilled() {
    let (storage, pager) = new_file();
    let pages = numbered(&pager, PAGES);
    let snapshot = pager.snapshot();
    change_all(&pager, &pages, 1);
    let files = storage.files();
    drop((snapshot, pager));
    // As if the process had been killed.
    let pager = crate::support::open(&SimStorage::from_files(files)).unwrap();
    for &page in &pages {
        assert_eq!(first_bytes(&pager, page).unwrap(), 1000_u32.to_le_bytes());
    }
    assert_eq!(pager.stats().unwrap().spilled_bytes, 0);
}

#[test]
fn a_temporary_file_gives_back_what_was_appended_or_says_that_it_can_not() {
    let (storage, pager) = new_file();
    let in_memory =
        Pager::open(Arc::new(MemoryStorage::new()), Arc::new(()), Options::default()).unwrap();
    for pager in [&pager, &in_memory] {
        let mut file = pager.temp_file().unwrap();
        let parts: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; usize::from(n) * 10_000]).collect();
        let appended: Vec<_> = parts.iter().map(|part| file.append(part).unwrap()).collect();
        assert_eq!(file.len(), 100_000);
        let mut read = vec![9; 7];
        for (part, appended) in parts.iter().zip(&appended).rev() {
            file.read(*appended, &mut read).unwrap();
            assert_eq!(read, *part);
        }
    }

    let mut file = pager.temp_file().unwrap();
    let appended = file.append(b"some bytes").unwrap();
    storage.set_temp_file_contents(b"same bytes".to_vec());
    let damaged = file.read(appended, &mut Vec::new()).unwrap_err();
    storage.set_temp_file_contents(Vec::new());
    let cut = file.read(appended, &mut Vec::new()).unwrap_err();
    storage.set_fault(Fault::once(0, Failure::NoSpace).of(CallKind::TempFile).for_ever());
    let full = file.append(b"more").unwrap_err();
    assert_eq!(file.len(), 10);
    let none = pager.temp_file().unwrap_err();
    for (error, kind) in [
        (damaged, io::ErrorKind::InvalidData),
        (cut, io::ErrorKind::UnexpectedEof),
        (full, io::ErrorKind::StorageFull),
        (none, io::ErrorKind::StorageFull),
    ] {
        let Error::Io { doing, source, .. } = error else { panic!("{error:?}") };
        assert!(doing.contains("temporary file"), "{doing}");
        assert_eq!(source.kind(), kind);
    }
}
