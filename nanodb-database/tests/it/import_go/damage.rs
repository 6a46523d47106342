//! Files that are damaged, cut, or made to mislead: an error by default, else what is left of them.

use std::sync::Arc;

use nanodb_database::{Database, ErrorKind, GoImportOptions, ProblemKind, doc};
use nanodb_pager::Storage;
use nanodb_sim::{Failure, Fault, Random, SimStorage};
use proptest::prelude::*;

use super::given::{HASH, TREE};
use super::writer::{GoWriter, PAGE_SIZE, VERSIONS, Version};
use super::{Contents, import, skipping, strictly};

/// Two collections of a few pages, and an empty one.
fn small(version: Version) -> GoWriter {
    let mut file = GoWriter::new(version);
    for name in ["left", "right", "none"] {
        file.create(name.as_bytes());
    }
    for (id, name) in (0..20_u64).zip(["left", "right"].into_iter().cycle()) {
        file.insert(name, id * 0x0101_0101_0101, &doc! { "text": ("x".repeat(1200)) });
    }
    file.delete("left", 2 * 2 * 0x0101_0101_0101 / 2);
    file
}

/// Where the bytes are that lead from one thing to another.
fn structure(file: &[u8]) -> Vec<usize> {
    let mut at: Vec<usize> = (0..10).collect();
    for page in 1..file.len() / PAGE_SIZE {
        let base = page * PAGE_SIZE;
        let u16_at = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
        let slots = u16_at(base);
        if slots == 0 || u16_at(base + 2) > PAGE_SIZE || u16_at(base + 2) < 8 + 4 * slots {
            continue;
        }
        at.extend(base..base + 8 + 4 * slots);
        for slot in 0..slots {
            let record = base + u16_at(base + 8 + 4 * slot);
            at.extend(record..record + 12);
            if page == 1 {
                // The name's length, and the root behind the name.
                let len = usize::from(file[record + 12]);
                at.push(record + 12);
                at.extend(record + 13 + len..record + 17 + len);
            }
        }
    }
    assert!(at.len() > 400, "{}", at.len());
    at
}

#[test]
fn no_changed_bit_of_what_holds_a_file_together_passes_unnoticed() {
    for version in VERSIONS {
        let file = small(version).bytes();
        let expected = strictly(&file).unwrap();
        let (mut errors, mut deletions) = (0, 0);
        for at in structure(&file) {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                match strictly(&changed) {
                    Err(error) => {
                        let kind = error.kind();
                        let is_header = at < 10 && kind == ErrorKind::NotADatabase;
                        assert!(is_header || kind == ErrorKind::Damaged, "{at}.{bit}: {error}");
                        errors += 1;
                    }
                    // The id of a record that is deleted means nothing.
                    Ok(imported) if imported == expected => {}
                    // The one bit that says whether a record is.
                    Ok(_) => {
                        let is_flag = at % 4 == 3 && at % PAGE_SIZE > 8 && bit == 7;
                        assert!(is_flag, "{version:?} {at}.{bit}");
                        deletions += 1;
                    }
                }
            }
        }
        assert!(errors > 3000 && deletions <= 23, "{errors}, {deletions}");
    }
}

#[test]
fn a_file_that_was_cut_is_an_error_unless_only_what_is_no_ones_is_missing() {
    for file in [HASH, TREE] {
        let expected = strictly(file).unwrap();
        let mut errors = 0;
        for len in (0..file.len()).step_by(512) {
            match strictly(&file[..len]) {
                Ok(imported) => assert!(imported == expected, "{len}"),
                Err(_) => errors += 1,
            }
            let (_, report) = import(&file[..len], &GoImportOptions::new().skip_damaged(true));
            assert_eq!(report.is_err(), len < 18, "{len}");
        }
        assert!(errors > 100, "{errors}");
    }
}

/// How many documents there are in all.
fn documents(contents: &Contents) -> usize {
    contents.values().map(|documents| documents.len()).sum()
}

#[test]
fn whichever_page_is_lost_all_documents_that_are_not_on_it_are_imported() {
    for version in VERSIONS {
        let file = small(version);
        let bytes = file.bytes();
        let expected = strictly(&bytes).unwrap();
        for name in ["left", "right"] {
            for page in file.chain(name) {
                for noise in [false, true] {
                    let mut damaged = bytes.clone();
                    let of_page = &mut damaged[page as usize * PAGE_SIZE..][..PAGE_SIZE];
                    of_page.fill(0);
                    if noise {
                        Random::new(u64::from(page)).fill(of_page);
                    }
                    let error = strictly(&damaged).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Damaged);
                    assert_eq!((error.page(), error.collection()), (Some(page), Some(name)));
                    let (imported, report) = skipping(&damaged);
                    assert_eq!(report.problems[0].page, Some(page));
                    // Three fit on a page.
                    let lost = documents(&expected) - documents(&imported);
                    assert!((1..=3).contains(&lost), "page {page}: {lost} lost");
                    assert_eq!(imported.len(), 3);
                    for (name, documents) in &imported {
                        assert!(documents.iter().all(|(id, one)| expected[name][id] == *one));
                    }
                }
            }
        }
    }
}

#[test]
fn without_its_list_of_collections_the_documents_are_still_there() {
    let file = small(Version::Hash);
    let mut bytes = file.bytes();
    let expected = documents(&strictly(&bytes).unwrap());
    bytes[PAGE_SIZE..2 * PAGE_SIZE].fill(0xff);
    assert_eq!(strictly(&bytes).unwrap_err().page(), Some(1));
    let (imported, report) = skipping(&bytes);
    assert_eq!(imported.keys().collect::<Vec<_>>(), ["lost documents"]);
    assert_eq!(documents(&imported), expected);
    assert!(report.problems[0].to_string().starts_with("page 1: "), "{}", report.problems[0]);
}

#[test]
fn a_page_of_two_collections_counts_once() {
    let mut file = small(Version::Tree);
    let (left, right) = (file.chain("left"), file.chain("right"));
    let tail = left[left.len() - 1];
    file.pages[right[right.len() - 1] as usize][4..8].copy_from_slice(&tail.to_le_bytes());
    let error = strictly(&file.bytes()).unwrap_err();
    assert_eq!((error.page(), error.collection()), (Some(tail), Some("right")));
    let (imported, report) = skipping(&file.bytes());
    assert_eq!(documents(&imported), 19);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].kind, ProblemKind::ClaimedTwice);
}

#[test]
fn chains_in_circles_end() {
    for page in [0_u32, 1] {
        let mut file = small(Version::Hash);
        let last = *file.chain("left").last().unwrap();
        let to = [last, file.chain("left")[0]][page as usize];
        file.pages[last as usize][4..8].copy_from_slice(&to.to_le_bytes());
        assert_eq!(strictly(&file.bytes()).unwrap_err().page(), Some(to));
        assert_eq!(documents(&skipping(&file.bytes()).0), 19);
        // The list of collections, too.
        let mut file = small(Version::Hash);
        file.pages[1][4..8].copy_from_slice(&1_u32.to_le_bytes());
        assert_eq!(strictly(&file.bytes()).unwrap_err().page(), Some(1));
        assert_eq!(documents(&skipping(&file.bytes()).0), 19);
    }
}

#[test]
fn names_that_are_not_allowed_are_errors_or_are_replaced() {
    for name in [&b""[..], b"a\0b", b"\xff\xfe", &[b'x'; 255]] {
        let mut file = GoWriter::new(Version::Hash);
        file.create(name);
        file.create(b"other");
        let bytes = file.bytes();
        if name.len() == 255 {
            assert_eq!(strictly(&bytes).unwrap().len(), 2);
            continue;
        }
        assert_eq!(strictly(&bytes).unwrap_err().page(), Some(1));
        let (imported, report) = skipping(&bytes);
        assert_eq!(imported.keys().collect::<Vec<_>>(), ["collection 2", "other"]);
        assert!(report.problems[0].to_string().contains("cannot name a collection"));
    }
}

#[test]
fn a_document_that_breaks_a_rule_is_an_error_that_names_it_or_is_left_out() {
    let deep: Vec<u8> = [&b"\x81\xa1a"[..], &[0x91; 2000], &[0xc0]].concat();
    let bad: [&[u8]; 6] = [
        b"\x81\xa1a",                         // too short
        b"\x80\x00",                          // too long
        b"\x93\x01\x02\x03",                  // no map
        b"\x82\xa1a\x01\xa1a\x02",            // a field twice
        b"\x81\xa3_id\xcf\0\0\0\0\0\0\0\x63", // another id
        &deep,
    ];
    for bytes in bad {
        let mut file = GoWriter::new(Version::Tree);
        file.create(b"c");
        file.insert("c", 5, &doc! {});
        file.insert_bytes("c", 77, bytes);
        let error = strictly(&file.bytes()).unwrap_err();
        assert_eq!((error.kind(), error.collection()), (ErrorKind::Damaged, Some("c")));
        assert!(error.page().is_some() && error.to_string().contains("77"), "{error}");
        let (imported, report) = skipping(&file.bytes());
        assert_eq!((documents(&imported), report.problems.len()), (1, 1));
    }
}

#[test]
fn pages_that_the_device_does_not_read_are_skipped_on_request() {
    let file = small(Version::Hash);
    let storage = SimStorage::from_contents(file.bytes());
    let page = file.chain("left")[1];
    let start = u64::from(page) * PAGE_SIZE as u64;
    storage.set_unreadable(std::iter::once(start..start + 1).collect());
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let db = Database::in_memory().unwrap();
    let error = db.import_go_on(Arc::clone(&storage), &GoImportOptions::new()).unwrap_err();
    assert_eq!((error.kind(), error.page()), (ErrorKind::Io, Some(page)));
    assert!(db.collections().unwrap().is_empty());
    let report =
        db.import_go_on(Arc::clone(&storage), &GoImportOptions::new().skip_damaged(true)).unwrap();
    assert_eq!((report.problems.len(), report.documents()), (2, 16));
    assert_eq!(report.problems[0].page, Some(page));
}

#[test]
fn a_target_that_fails_at_any_call_keeps_nothing_or_all() {
    let file: Arc<dyn Storage> = Arc::new(SimStorage::from_contents(small(Version::Hash).bytes()));
    let mut failures = 0;
    for after in 0.. {
        let target = SimStorage::new();
        let db = Database::options().background(false).open_on(Arc::new(target.clone())).unwrap();
        target.set_fault(Fault::once(after, Failure::NoSpace));
        let imported = db.import_go_on(Arc::clone(&file), &GoImportOptions::new());
        let failed = target.failed();
        target.clear_fault();
        match imported {
            Ok(report) => assert_eq!(report.documents(), 19),
            Err(_) => {
                failures += 1;
                // Unless nothing can be written any more, what had been stored is dropped.
                let left = db.collections().unwrap();
                assert!(left.is_empty() || db.sync().is_err(), "call {after}: {left:?}");
            }
        }
        if failed == 0 {
            break;
        }
    }
    assert!(failures > 3, "{failures}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_cause_a_panic_or_an_endless_walk(
        is_tree in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        links in prop::collection::vec((any::<prop::sample::Index>(), 0..12_u32), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut file = small(VERSIONS[usize::from(is_tree)]).bytes();
        let pages = file.len() / PAGE_SIZE;
        for (at, byte) in changes {
            let at = at.index(file.len());
            // Mostly where a page begins.
            let at = if byte % 4 == 0 { at } else { at / PAGE_SIZE * PAGE_SIZE + at % 64 };
            if at >= 10 {
                file[at] = byte;
            }
        }
        for (page, next) in links {
            let at = page.index(pages).max(1) * PAGE_SIZE + 4;
            file[at..at + 4].copy_from_slice(&next.to_le_bytes());
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()).max(18));
        }
        let whole = strictly(&file);
        let (_, report) = import(&file, &GoImportOptions::new().skip_damaged(true));
        let report = report.unwrap();
        prop_assert_eq!(whole.is_ok(), report.is_complete());
    }
}
