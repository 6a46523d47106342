//! What an earlier checkpoint left in the double-write buffer is not taken for an image of the
//! interrupted one, when a power cut has kept the directory of a batch and lost the images.

use nanodb_pager::{BODY_SIZE, Durability, Error, Extent, PAGE_SIZE, PageId, Pager};
use nanodb_sim::{Action, Event, Files, SimStorage};

use crate::support::{KIND, OWNER, new_file, open};

fn write(pager: &Pager, pages: &[(PageId, usize, &[u8])]) {
    let mut tx = pager.begin();
    for &(page, at, bytes) in pages {
        assert!(tx.page_mut(page).unwrap().write(at, bytes));
    }
    tx.commit(b"").unwrap();
}

/// A page may be taken from the double-write buffer: as opening the files shows it.
fn bytes_at(files: &Files, page: PageId, at: usize) -> Result<Vec<u8>, String> {
    let pager = open(&SimStorage::from_files(files.clone())).map_err(|e| e.to_string())?;
    let page = pager.page(page, pager.published()).map_err(|e| e.to_string())?;
    Ok(page.body()[at..at + 8].to_vec())
}

/// What is on the disk when the power goes while a batch of images is written, of which the first
/// block arrives and nothing else. All that comes before it in the journal arrives, too.
fn torn_at_the_first_batch(mut files: Files, journal: &[Event]) -> Files {
    for event in journal {
        if let ("-dwb", Action::Write { offset, data }) = (event.file.as_str(), &event.action) {
            let first = Action::Write { offset: *offset, data: data[..PAGE_SIZE].to_vec() };
            first.apply(files.get_mut("-dwb").unwrap());
            return files;
        }
        event.apply(&mut files);
    }
    panic!("no batch of images was written");
}

#[test]
fn one_flipped_bit_beside_a_torn_batch_of_images_is_damage_and_no_old_page() {
    let (storage, pager) = new_file();
    let mut tx = pager.begin();
    let Extent { start: q, .. } = tx.allocate_extent(2).unwrap();
    let p = PageId::new(q.get() + 1);
    for page in [q, p] {
        assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, b"first"));
    }
    tx.commit(b"").unwrap();
    pager.checkpoint().unwrap();
    // Images of both: q in the first place, p in the second.
    write(&pager, &[(q, 0, b"later"), (p, 0, b"later")]);
    pager.checkpoint().unwrap();
    // An image of p alone, in the first place. The second is as it was.
    write(&pager, &[(p, 100, b"PRECIOUS")]);
    pager.checkpoint().unwrap();
    // Changes to both, acknowledged; a checkpoint begins to write their images.
    write(&pager, &[(q, 200, b"newer"), (p, 200, b"newer")]);
    let before = storage.files();
    storage.start_journal();
    pager.checkpoint().unwrap();
    let mut files = torn_at_the_first_batch(before, &storage.take_journal());

    assert_eq!(bytes_at(&files, p, 100).unwrap(), b"PRECIOUS");
    // One bit of the page that was on stable storage.
    files.get_mut("").unwrap()[p.get() as usize * PAGE_SIZE + 3000] ^= 1;
    let error = bytes_at(&files, p, 100).unwrap_err();
    assert!(error.contains("damaged"), "{error}");
}

/// The second life of a page.
struct Again {
    storage: SimStorage,
    pager: Pager,
    /// The page, which begins a load of 20.
    page: PageId,
    /// The file before the load.
    before: Vec<u8>,
}

impl Again {
    fn load(level: Durability) -> Self {
        let (storage, pager) = new_file();
        // The first life of the page: an image of it is left in the first place of the double-write
        // buffer.
        let mut tx = pager.begin();
        let extent = tx.allocate_extent(20).unwrap();
        // The one that the load begins with: checkpoints take those before it.
        let first = extent.page(1).unwrap();
        for page in (0..20).filter_map(|index| extent.page(index)) {
            assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, b"FIRST LIFE"));
        }
        tx.commit(b"").unwrap();
        pager.checkpoint().unwrap();
        write(&pager, &[(first, 100, b"changed")]);
        pager.checkpoint().unwrap();
        let mut tx = pager.begin();
        tx.free_extent(extent).unwrap();
        tx.commit(b"").unwrap();
        pager.checkpoint().unwrap();
        pager.checkpoint_always().unwrap();
        let before = storage.contents();

        // Written to the file itself, logged with checksums.
        let mut tx = pager.begin();
        tx.set_durability(level);
        let again = tx.allocate_extent(20).unwrap();
        assert_eq!(again.start, first, "{again:?}");
        for page in (0..20).filter_map(|index| again.page(index)) {
            assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &[b'2'; BODY_SIZE]));
        }
        tx.commit(b"the load").unwrap();
        Self { storage, pager, page: first, before }
    }

    /// Takes the page of the load back in `files`.
    fn lose(&self, files: &mut Files) {
        let at = self.page.get() as usize * PAGE_SIZE;
        let old = self.before.get(at..at + PAGE_SIZE).unwrap_or(&[0; PAGE_SIZE]);
        files.get_mut("").unwrap()[at..at + PAGE_SIZE].copy_from_slice(old);
    }
}

/// A process is killed after a load; the power goes while the next one puts on stable storage what
/// it has found. One page of the load and the images of its batch are lost. No bit flips.
#[test]
fn a_load_that_misses_a_page_does_not_count_because_of_an_image_of_an_earlier_life_of_the_page() {
    let again = Again::load(Durability::Buffered);
    let page = again.page;

    // The next process finds all of it in the operating system's memory, and begins to write.
    let second = SimStorage::from_files(again.storage.files());
    let pager = open(&second).unwrap();
    assert_eq!(pager.page(page, pager.published()).unwrap().body()[0], b'2');
    let before = second.files();
    second.start_journal();
    let mut tx = pager.begin();
    tx.set_durability(Durability::Buffered);
    tx.allocate(KIND, OWNER).unwrap();
    tx.commit(b"more").unwrap();
    let mut after = torn_at_the_first_batch(before, &second.take_journal());
    // Of the load's pages, which nobody has synced, one never reached the disk.
    again.lose(&mut after);

    let third = open(&SimStorage::from_files(after)).unwrap();
    assert_eq!(third.open_report().commits_replayed, 0, "the load misses a page");
    assert!(!third.metadata_root().ends_with(b"the load"));
}

/// The disk has lost a write that it had said to be on stable storage: what is there is sound.
#[test]
fn a_lost_page_that_a_later_commit_changes_stays_damaged_and_everything_else_goes_on() {
    let again = Again::load(Durability::Immediate);
    let other = PageId::new(again.page.get() + 1);
    // The second of them says that the load was on stable storage.
    write(&again.pager, &[(again.page, 100, b"changed"), (other, 100, b"changed")]);
    write(&again.pager, &[(other, 200, b"changed")]);
    let mut files = again.storage.files();
    again.lose(&mut files);

    let storage = SimStorage::from_files(files);
    let pager = open(&storage).unwrap();
    let assert_told = |pager: &Pager| {
        let found = pager.page(again.page, pager.published());
        assert!(matches!(found, Err(Error::Corrupt(_))), "{found:?}");
        let sound = pager.page(other, pager.published()).unwrap();
        assert_eq!(sound.body()[200..207], *b"changed");
    };
    assert_told(&pager);
    write(&pager, &[(other, 300, b"further")]);
    assert_told(&pager);
    pager.close().unwrap();
    assert_told(&open(&storage).unwrap());
}
