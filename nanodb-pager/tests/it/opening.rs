//! Which files are opened, which are refused, and that refusing leaves them alone.

use std::fs::{File, OpenOptions};
use std::sync::Arc;

use nanodb_pager::{
    Application, Corruption, Error, FileStorage, MemoryStorage, Options, OtherFormat, PAGE_SIZE,
    PageId, Pager, Storage,
};
use nanodb_sim::{Damage, Random, SimStorage};

use crate::support::{Concatenate, add_page, first_bytes, new_file, open};

/// A closed file with three pages of data, a root and a free map.
fn sound_file() -> (Vec<u8>, PageId) {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"data");
    let freed = [add_page(&pager, b"more"), add_page(&pager, b"last")][0];
    let mut tx = pager.begin();
    tx.free(freed).unwrap();
    tx.commit(b"the root").unwrap();
    pager.close().unwrap();
    (storage.contents(), page)
}

/// Opens these bytes, which must be refused and stay what they are.
fn refusal(bytes: Vec<u8>) -> Error {
    refusal_with(bytes, Options::default())
}

fn refusal_with(bytes: Vec<u8>, options: Options) -> Error {
    let storage = SimStorage::from_contents(bytes.clone());
    storage.start_journal();
    let opened = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options);
    let error = opened.unwrap_err();
    assert_eq!(storage.take_journal(), [], "{error} after a write");
    assert!(storage.contents() == bytes);
    error
}

/// Changes a page and makes its checksum right again. Header pages only, whose seed is 0.
fn header_with(file: &[u8], offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for (number, page) in file.chunks_exact_mut(PAGE_SIZE).take(2).enumerate() {
        page[offset..offset + bytes.len()].copy_from_slice(bytes);
        let sum = twox_hash::XxHash3_64::oneshot_with_seed(number as u64, &page[8..]);
        page[..8].copy_from_slice(&sum.to_le_bytes());
    }
    file
}

#[test]
fn an_empty_file_is_made_a_new_database() {
    let storage = SimStorage::new();
    let pager = open(&storage).unwrap();
    assert_eq!((pager.published().get(), pager.metadata_root().len()), (0, 0));
    assert_eq!(storage.contents().len(), 2 * PAGE_SIZE);
    let (uuid, seed) = (pager.uuid(), pager.hash_seed());
    drop(pager);
    let pager = open(&storage).unwrap();
    assert_eq!((pager.uuid(), pager.hash_seed()), (uuid, seed));
    assert_ne!(new_file().1.uuid(), uuid);
}

#[test]
fn a_file_in_memory_is_locked_while_it_is_open() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let open = || Pager::open(Arc::clone(&storage), Arc::new(()), Options::default());
    let pager = open().unwrap();
    assert!(matches!(open(), Err(Error::Locked { .. })));
    drop(pager);
}

#[test]
fn a_file_of_the_system_is_locked_while_it_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("locked.pages");
    let open = || {
        let storage = Arc::new(FileStorage::open(&path).unwrap());
        Pager::open(storage, Arc::new(Concatenate), Options::default())
    };
    let pager = open().unwrap();
    let page = add_page(&pager, b"on disk");
    assert!(matches!(open(), Err(Error::Locked { .. })));
    let snapshot = pager.snapshot();
    pager.close().unwrap();
    assert!(matches!(open(), Err(Error::Locked { .. })), "the snapshot still reads");
    drop(snapshot);
    let pager = open().unwrap();
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"on disk");
    drop(pager);

    let other_process = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    other_process.lock().unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(open(), Err(Error::Locked { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    File::unlock(&other_process).unwrap();
    assert!(open().is_ok());
    assert!(FileStorage::open_existing(directory.path().join("absent")).is_err());
}

#[test]
fn files_of_other_programs_are_refused_by_what_they_are() {
    let mut random = vec![0; 3 * PAGE_SIZE];
    Random::new(4).fill(&mut random);
    for bytes in [b"{\"a\": 1}\n".to_vec(), vec![0; 1], vec![0; 2 * PAGE_SIZE], random] {
        assert!(matches!(refusal(bytes), Error::NotADatabase));
    }
    let application = Application {
        other_formats: &[OtherFormat { magic: b"AAMN", name: "a file of Amnesia: export it" }],
        ..Application::default()
    };
    for len in [10, 2 * PAGE_SIZE, 5000] {
        let mut bytes = b"AAMN\x01\x00\x00\x10".to_vec();
        bytes.resize(len, 0);
        assert!(matches!(refusal(bytes.clone()), Error::NotADatabase));
        let options = Options::default().application(application);
        let error = refusal_with(bytes, options);
        assert!(matches!(error, Error::OtherFormat { .. }));
        assert_eq!(error.to_string(), "a file of Amnesia: export it");
    }
}

#[test]
fn a_file_of_another_application_is_refused_with_both_names() {
    let named = |id| Options::default().application(Application { id, ..Application::default() });
    let storage = SimStorage::new();
    let open = |options| Pager::open(Arc::new(storage.clone()), Arc::new(()), options);
    let pager = open(named(*b"counters")).unwrap();
    add_page(&pager, b"data");
    pager.close().unwrap();
    let file = storage.contents();
    let error = refusal_with(file.clone(), named(*b"document"));
    assert_eq!(
        error.to_string(),
        "the file belongs to the application \"counters\", not to \"document\""
    );
    assert!(
        matches!(refusal(file), Error::OtherApplication { found, .. } if &found == b"counters")
    );
    assert!(open(named(*b"counters")).is_ok(), "a checkpoint keeps the application's name");
}

#[test]
fn a_feature_that_is_not_known_is_refused_and_one_that_concerns_writing_only_for_writing() {
    let (file, page) = sound_file();
    let reading = Options::default().read_only(true);
    for options in [Options::default(), reading.clone()] {
        let error = refusal_with(header_with(&file, 152, &[4]), options);
        assert!(matches!(error, Error::NewerFeatures { bits: 4, to_write: false }), "{error}");
        assert!(error.to_string().contains("0x4"), "{error}");
    }
    // What such a library has in other fields is not for this one to judge.
    for (offset, bytes) in [(52, 8192_u32.to_le_bytes()), (124, 3_u32.to_le_bytes())] {
        let other = header_with(&header_with(&file, 152, &[4]), offset, &bytes);
        assert!(matches!(refusal(other), Error::NewerFeatures { bits: 4, .. }));
        let other = header_with(&header_with(&file, 144, b"somebody"), offset, &bytes);
        assert!(matches!(refusal(other), Error::OtherApplication { .. }));
    }
    let shared = header_with(&file, 160, &[1]);
    let error = refusal(shared.clone());
    assert!(matches!(error, Error::NewerFeatures { bits: 1, to_write: true }), "{error}");
    assert!(error.to_string().contains("read-only"), "{error}");
    let storage = SimStorage::from_contents(shared);
    let pager = Pager::open(Arc::new(storage), Arc::new(Concatenate), reading).unwrap();
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"data");
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let (file, _) = sound_file();
    let error = refusal(header_with(&file, 48, &4_u32.to_le_bytes()));
    assert!(matches!(error, Error::NewerFormat { found: 4, supported: 3 }), "{error}");
    assert_eq!(
        error.to_string(),
        "format version 4 is newer than 3, the newest this library reads"
    );
}

#[test]
fn headers_that_state_the_impossible_are_refused_by_field() {
    let (file, _) = sound_file();
    let huge = u64::MAX.to_le_bytes();
    let cases: [(usize, &[u8], &str); 9] = [
        (52, &8192_u32.to_le_bytes(), "page size"),
        (80, &[0; 8], "generation"),
        (80, &huge, "generation"),
        (88, &huge, "commit number"),
        (96, &1_u32.to_le_bytes(), "page count"),
        (100, &huge[..4], "root"),
        (104, &huge, "root"),
        (112, &huge, "free map"),
        (120, &huge[..4], "free map"),
    ];
    for (offset, bytes, expected) in cases {
        match refusal(header_with(&file, offset, bytes)) {
            Error::Corrupt(Corruption::HeaderField { field, .. }) => assert_eq!(field, expected),
            error => panic!("{expected}: {error:?}"),
        }
    }
}

#[test]
fn a_root_and_a_free_map_that_share_a_page_are_refused() {
    let storage = SimStorage::new();
    let pager = open(&storage).unwrap();
    add_page(&pager, b"data");
    // A root that reads as an empty free map.
    pager.begin().commit(&[0; 8]).unwrap();
    pager.close().unwrap();
    let file = storage.contents();
    let place = [&file[100..104], &8_u64.to_le_bytes(), &8_u64.to_le_bytes(), &file[100..104]];
    match refusal(header_with(&file, 100, &place.concat())) {
        Error::Corrupt(corruption) => assert_eq!(corruption.page().get().to_le_bytes(), place[0]),
        error => panic!("{error:?}"),
    }
}

#[test]
fn a_file_cut_short_is_refused_with_both_lengths() {
    let (file, _) = sound_file();
    let full = file.len() as u64;
    for len in [file.len() - 1, file.len() - PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE, 144] {
        match refusal(file[..len].to_vec()) {
            Error::Truncated { expected, found } => {
                assert_eq!((expected, found), (full, len as u64));
            }
            error => panic!("{len}: {error:?}"),
        }
    }
    // A header that is itself cut promises no length.
    for len in [128, 100, 48] {
        let error = refusal(file[..len].to_vec());
        assert!(matches!(error, Error::Corrupt(Corruption::Header)), "{len}: {error:?}");
    }
    let longer = [&file[..], &[0xAA; 5000]].concat();
    assert!(open(&SimStorage::from_contents(longer)).is_ok());
}

#[test]
fn one_damaged_copy_of_the_header_is_survived_and_reported_and_two_are_not() {
    let (file, page) = sound_file();
    for copy in 0..2 {
        let storage = SimStorage::from_contents(
            Damage::FlippedBit { bit: (copy * PAGE_SIZE + 90) * 8 }.apply(&file),
        );
        let pager = open(&storage).unwrap();
        let damaged = PageId::new(u32::try_from(copy).unwrap());
        assert_eq!(pager.verify().unwrap(), [Corruption::HeaderCopy { page: damaged }]);
        assert_eq!(&first_bytes(&pager, page).unwrap(), b"data");
        add_page(&pager, b"x");
        pager.checkpoint().unwrap();
        assert_eq!(pager.verify().unwrap(), [], "a checkpoint writes both copies anew");
    }
    let both = Damage::FlippedBit { bit: 90 * 8 }.apply(&file);
    let both = Damage::FlippedBit { bit: (PAGE_SIZE + 90) * 8 }.apply(&both);
    assert!(matches!(refusal(both), Error::Corrupt(Corruption::Header)));
}

#[test]
fn a_damaged_stream_page_is_refused_by_its_number() {
    let (file, _) = sound_file();
    let pager = open(&SimStorage::from_contents(file.clone())).unwrap();
    let own = pager.space().own;
    let streams: Vec<u32> = crate::support::numbers(&own).filter(|&page| page >= 2).collect();
    assert_eq!(streams.len(), 2, "root and free map");
    for page in streams {
        let at = page as usize * PAGE_SIZE + 100;
        match refusal(Damage::FlippedBit { bit: at * 8 }.apply(&file)) {
            Error::Corrupt(corruption) => {
                assert_eq!(corruption.page().get(), page);
                assert!(matches!(corruption, Corruption::Checksum { .. }));
            }
            error => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_damaged_or_misplaced_data_page_costs_only_itself() {
    let (storage, pager) = new_file();
    let pages = [add_page(&pager, b"one"), add_page(&pager, b"two"), add_page(&pager, b"six")];
    pager.close().unwrap();
    let file = storage.contents();
    let number = |index: usize| pages[index].get() as usize;
    let cases = [
        Damage::FlippedBit { bit: (number(0) * PAGE_SIZE + 24) * 8 },
        Damage::DuplicatedPage { from: number(1), to: number(0) },
        Damage::ZeroedPage { page: number(0) },
    ];
    for damage in cases {
        let pager = open(&SimStorage::from_contents(damage.apply(&file))).unwrap();
        match first_bytes::<3>(&pager, pages[0]) {
            Err(Error::Corrupt(corruption)) => assert_eq!(corruption.page(), pages[0]),
            other => panic!("{damage:?}: {other:?}"),
        }
        assert!(pager.begin().page_mut(pages[0]).is_err());
        assert_eq!(&first_bytes(&pager, pages[1]).unwrap(), b"two");
        assert_eq!(&first_bytes(&pager, pages[2]).unwrap(), b"six");
        // Damage is no reason to refuse writes elsewhere.
        add_page(&pager, b"new");
        pager.close().unwrap();
    }
}

#[test]
fn a_reference_behind_the_end_costs_no_memory() {
    let (_, pager) = new_file();
    for number in [2, 1 << 20, u32::MAX] {
        let error = pager.page(PageId::new(number), pager.published()).unwrap_err();
        assert!(
            matches!(error, Error::Corrupt(Corruption::OutOfBounds { page_count: 2, .. })),
            "{error:?}"
        );
    }
}
