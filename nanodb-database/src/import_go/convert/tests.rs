//! Conversions that are cut off at any call, or in which any call fails.

use nanodb_sim::{Crash, Failure, Fault, Files, SimStorage, Unsynced};

use super::*;

/// A file of the Go program with one collection of one page, with as many documents.
fn go_file(documents: u8) -> Vec<u8> {
    let mut pages = vec![[0_u8; 4096]; 3];
    pages[0][..14].copy_from_slice(b"AAMN\x01\0\0\x10\0\0\x03\0\0\0");
    pages[1][2..4].copy_from_slice(&4096_u16.to_le_bytes());
    pages[2][2..4].copy_from_slice(&4096_u16.to_le_bytes());
    append(&mut pages[1], 0, b"\x01c\x02\0\0\0");
    for id in 0..documents {
        append(&mut pages[2], id.into(), &[0x81, 0xa1, b'n', id]);
    }
    pages.concat()
}

fn append(page: &mut [u8; 4096], id: u64, data: &[u8]) {
    let (slots, free) = (page[0], usize::from(u16::from_le_bytes([page[2], page[3]])));
    let (offset, slot) = (free - 12 - data.len(), 8 + 4 * usize::from(slots));
    page[offset..offset + 8].copy_from_slice(&id.to_le_bytes());
    let two = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    page[offset + 8..offset + 10].copy_from_slice(&two(data.len()));
    page[offset + 12..free].copy_from_slice(data);
    page[slot..slot + 2].copy_from_slice(&two(offset));
    page[slot + 2..slot + 4].copy_from_slice(&two(12 + data.len()));
    page[0] += 1;
    page[2..4].copy_from_slice(&two(offset));
}

const DOCUMENTS: u8 = 40;

/// A disk with such a file; hard links are made on it or not.
fn disk(files: Files, links: bool) -> SimStorage {
    let disk = SimStorage::from_files(files);
    if !links {
        disk.forbid_links();
    }
    disk
}

fn convert_on(disk: &SimStorage) -> Result<GoConversion> {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    convert(&storage, &GoImportOptions::new())
}

/// Asserts that a disk has either the old file under the name, or a database with all that it had.
fn assert_usable(files: &Files, case: &str) -> bool {
    let old = go_file(DOCUMENTS);
    if files[""] == old {
        return false;
    }
    let db = Database::options().open_on(Arc::new(SimStorage::from_files(files.clone())));
    let db = db.unwrap_or_else(|error| panic!("{case}: {error}"));
    let found: Vec<i64> = db
        .collection("c")
        .iter()
        .unwrap()
        .map(|document| {
            let document = document.unwrap();
            let number = document.get("n").unwrap().as_i64().unwrap();
            assert_eq!(document.id(), Some(number.into()), "{case}");
            number
        })
        .collect();
    assert!(found.iter().copied().eq(0..i64::from(DOCUMENTS)), "{case}: {found:?}");
    assert!(db.check().unwrap().is_clean(), "{case}");
    let backups: Vec<_> = files.keys().filter(|name| name.starts_with(BACKUP)).collect();
    assert_eq!(backups.len(), 1, "{case}: {backups:?}");
    assert!(files[backups[0]] == old, "{case}");
    true
}

/// Asserts that a conversion, or another one, ends as it should, whatever was there before.
fn assert_converts(files: Files, links: bool, case: &str) {
    let disk = disk(files, links);
    let is_converted = assert_usable(&disk.files(), case);
    if !is_converted {
        let done = convert_on(&disk).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(done.report.documents(), u64::from(DOCUMENTS));
        assert_eq!(done.backup, Path::new(BACKUP), "{case}");
    }
    let files = disk.files();
    assert!(assert_usable(&files, case));
    if !is_converted {
        assert_eq!(files.keys().collect::<Vec<_>>(), ["", BACKUP], "{case}");
    }
}

#[test]
fn a_power_cut_at_any_call_leaves_one_usable_file() {
    for links in [true, false] {
        let before = Files::from([(String::new(), go_file(DOCUMENTS))]);
        let disk = disk(before.clone(), links);
        disk.start_journal();
        convert_on(&disk).unwrap();
        let journal = disk.take_journal();
        assert!(assert_usable(&disk.files(), "to its end"));
        let mut crash = Crash::new(&before);
        let mut converted = 0;
        for at in 0..=journal.len() {
            let unsynced = crash.unsynced();
            let last = unsynced.saturating_sub(4)..unsynced;
            let cases = [Unsynced::Lost, Unsynced::Kept]
                .into_iter()
                .chain((0..3).map(|seed| Unsynced::Random(seed + 1000 * at as u64)))
                .chain(last.clone().map(Unsynced::OneLost))
                .chain(last.map(Unsynced::OneKept));
            for unsynced in cases {
                let case = format!("links: {links}, at {at}, {unsynced:?}");
                let files = crash.image(unsynced);
                converted += u32::from(assert_usable(&files, &case));
                assert_converts(files, links, &case);
            }
            if let Some(event) = journal.get(at) {
                crash.advance(event);
            }
        }
        assert!(converted > 0 && journal.len() > 20, "{converted}, {}", journal.len());
    }
}

#[test]
fn a_process_that_is_killed_at_any_call_leaves_one_usable_file() {
    for links in [true, false] {
        for after in 0.. {
            let case = format!("links: {links}, call {after}");
            let disk = disk(Files::from([(String::new(), go_file(DOCUMENTS))]), links);
            // All that the dying process still tries does nothing.
            disk.set_fault(Fault::once(after, Failure::Device).for_ever());
            let done = convert_on(&disk);
            let failed = disk.failed();
            disk.clear_fault();
            assert_converts(disk.files(), links, &case);
            if failed == 0 {
                assert!(done.is_ok() && after > 20);
                break;
            }
        }
    }
}

#[test]
fn a_call_that_fails_ends_the_conversion_and_leaves_nothing_beside_the_old_file() {
    for links in [true, false] {
        for failure in [Failure::Device, Failure::NoSpace, Failure::Short] {
            for after in 0.. {
                let case = format!("links: {links}, {failure:?}, call {after}");
                let disk = disk(Files::from([(String::new(), go_file(DOCUMENTS))]), links);
                disk.set_fault(Fault::once(after, failure));
                let done = convert_on(&disk);
                let failed = disk.failed();
                disk.clear_fault();
                let files = disk.files();
                if !assert_usable(&files, &case) {
                    assert!(done.is_err(), "{case}");
                    let is_left = |name: &&String| !name.is_empty() && *name != BACKUP;
                    let left: Vec<_> = files.keys().filter(is_left).collect();
                    // Unless it was the removal that failed, of what was not there.
                    assert!(left.is_empty(), "{case}: {left:?}");
                }
                assert_converts(files, links, &case);
                if failed == 0 {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_backup_that_is_another_files_is_left_alone() {
    for links in [true, false] {
        let mut files = Files::from([(String::new(), go_file(DOCUMENTS))]);
        files.insert(BACKUP.to_owned(), b"precious".to_vec());
        files.insert(format!("{BACKUP}-2"), go_file(DOCUMENTS - 1));
        files.insert(NEW.to_owned(), b"left by a crash".to_vec());
        let disk = disk(files, links);
        let done = convert_on(&disk).unwrap();
        assert_eq!(done.backup, Path::new(".go-backup-3"));
        let files = disk.files();
        assert_eq!(files[BACKUP], b"precious");
        assert!(files[&format!("{BACKUP}-2")] == go_file(DOCUMENTS - 1));
        assert!(files[".go-backup-3"] == go_file(DOCUMENTS));
        assert_eq!(files.len(), 4);
    }
}

#[test]
fn a_file_with_a_name_that_the_database_needs_is_refused_before_anything_changes() {
    // A log of another database.
    let other = SimStorage::from_contents(Vec::new());
    let db = Database::options().open_on(Arc::new(other.clone())).unwrap();
    for _ in 0..2 {
        db.collection("c").insert(nanodb_document::doc! { "a": 1 }).unwrap();
    }
    let is_log = |(name, bytes): &(&String, &Vec<u8>)| !name.is_empty() && bytes[0] != 0;
    let log = other.files().iter().find(is_log).map(|(_, bytes)| bytes.clone()).unwrap();
    drop(db);
    for name in ["-log0", "-log1", "-dwb"] {
        for (contents, is_free) in
            [(&b"precious"[..], false), (&log, false), (b"", true), (&[0; 100], true)]
        {
            let mut files = Files::from([(String::new(), go_file(DOCUMENTS))]);
            files.insert(name.to_owned(), contents.to_vec());
            files.insert(NEW.to_owned(), b"left by a crash".to_vec());
            let disk = disk(files.clone(), true);
            let done = convert_on(&disk);
            if !is_free {
                let error = done.unwrap_err();
                assert_eq!(error.kind(), crate::ErrorKind::Misplaced, "{error}");
                assert!(error.to_string().contains(name), "{error}");
                assert!(disk.files() == files);
                continue;
            }
            assert_eq!(done.unwrap().report.documents(), u64::from(DOCUMENTS));
            let db = Database::options().open_on(Arc::new(disk)).unwrap();
            db.collection("c").insert(nanodb_document::doc! { "a": 1 }).unwrap();
            db.close().unwrap();
        }
    }
}

#[test]
fn a_file_on_disk_is_converted_once_and_keeps_its_permissions() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    assert_eq!(Database::convert_go_file(&path).unwrap(), None);
    std::fs::write(&path, b"").unwrap();
    assert_eq!(Database::convert_go_file(&path).unwrap(), None);
    std::fs::write(&path, go_file(DOCUMENTS)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    let done = Database::convert_go_file(&path).unwrap().unwrap();
    assert_eq!(done.report.documents(), u64::from(DOCUMENTS));
    assert_eq!(done.backup, path.canonicalize().unwrap().with_file_name("app.db.go-backup"));
    assert!(std::fs::read(&done.backup).unwrap() == go_file(DOCUMENTS));
    assert_eq!(directory.path().read_dir().unwrap().count(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(Database::convert_go_file(&path).unwrap(), None);
    let db = Database::open(&path).unwrap();
    assert_eq!(db.collection("c").count().unwrap(), u64::from(DOCUMENTS));
    // Also while it is open.
    assert_eq!(Database::convert_go_file(&path).unwrap(), None);
}

#[test]
fn a_damaged_file_is_not_converted_and_nothing_is_left_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    let mut bytes = go_file(DOCUMENTS);
    bytes[2 * 4096] += 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = Database::convert_go_file(&path).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Damaged);
    assert_eq!((error.page(), error.file()), (Some(2), Some(&*path)));
    assert!(std::fs::read(&path).unwrap() == bytes);
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    let options = GoImportOptions::new().skip_damaged(true);
    let done = Database::convert_go_file_with(&path, &options).unwrap().unwrap();
    assert_eq!(done.report.documents(), u64::from(DOCUMENTS));
    assert!(!done.report.is_complete());
}

#[test]
fn of_several_that_convert_a_file_at_the_same_time_one_does() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    for round in 0..10 {
        std::fs::write(&path, go_file(DOCUMENTS)).unwrap();
        let wait = GoImportOptions::new().lock_timeout(std::time::Duration::from_secs(60));
        let done: Vec<_> = std::thread::scope(|scope| {
            let convert = || Database::convert_go_file_with(&path, &wait).unwrap();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(convert)).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(done.len(), 1, "round {round}");
        // The backup of the round before is the same.
        assert_eq!(directory.path().read_dir().unwrap().count(), 2);
        let db = Database::open(&path).unwrap();
        assert_eq!(db.collection("c").count().unwrap(), u64::from(DOCUMENTS));
        db.close().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn who_finds_a_conversion_under_way_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    std::fs::write(&path, go_file(DOCUMENTS)).unwrap();
    let other = FileStorage::open(&path).unwrap();
    assert!(other.lock().unwrap());
    let error = Database::convert_go_file(&path).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Locked);
    let db = Database::in_memory().unwrap();
    assert_eq!(db.import_go(&path).unwrap_err().kind(), crate::ErrorKind::Locked);
    drop(other);
    assert_eq!(db.import_go(&path).unwrap().documents(), u64::from(DOCUMENTS));
}
