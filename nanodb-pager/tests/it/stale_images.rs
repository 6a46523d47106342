//! What an earlier checkpoint left in the side area is not taken for an image of the interrupted
//! one, when a power cut has kept the directory of a batch and lost the images.

use nanodb_pager::{BODY_SIZE, Durability, Extent, PAGE_SIZE, PageId, Pager};
use nanodb_sim::{Action, Event, Files, SimStorage};

use crate::support::{KIND, OWNER, new_file, open};

fn write(pager: &Pager, pages: &[(PageId, usize, &[u8])]) {
    let mut tx = pager.begin();
    for &(page, at, bytes) in pages {
        assert!(tx.page_mut(page).unwrap().write(at, bytes));
    }
    tx.commit(b"").unwrap();
}

/// A page may be taken from the side area: as opening the files shows it.
fn bytes_at(files: &Files, page: PageId, at: usize) -> Result<Vec<u8>, String> {
    let pager = open(&SimStorage::from_files(files.clone())).map_err(|e| e.to_string())?;
    let page = pager.page(page, pager.published()).map_err(|e| e.to_string())?;
    Ok(page.body()[at..at + 8].to_vec())
}

/// What is on the disk when the power goes while a batch of images is written, of which the first
/// block arrives and nothing else. All that comes before it in the journal arrives, too.
fn torn_at_the_first_batch(mut files: Files, journal: &[Event]) -> Files {
    for event in journal {
        if let ("-side", Action::Write { offset, data }) = (event.file.as_str(), &event.action) {
            let first = Action::Write { offset: *offset, data: data[..PAGE_SIZE].to_vec() };
            first.apply(files.get_mut("-side").unwrap());
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

/// A process is killed after a load; the power goes while the next one puts on stable storage what
/// it has found. One page of the load and the images of its batch are lost. No bit flips.
#[test]
fn a_load_that_misses_a_page_does_not_count_because_of_an_image_of_an_earlier_life_of_the_page() {
    let (storage, pager) = new_file();
    // The first life of page p: an image of it is left in the first place of the side area.
    let mut tx = pager.begin();
    let extent = tx.allocate_extent(20).unwrap();
    // The one that the load begins with: checkpoints take those before it.
    let p = extent.page(2).unwrap();
    for page in (0..20).filter_map(|index| extent.page(index)) {
        assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, b"FIRST LIFE"));
    }
    tx.commit(b"").unwrap();
    pager.checkpoint().unwrap();
    write(&pager, &[(p, 100, b"changed")]);
    pager.checkpoint().unwrap();
    let mut tx = pager.begin();
    tx.free_extent(extent).unwrap();
    tx.commit(b"").unwrap();
    pager.checkpoint().unwrap();
    pager.checkpoint_anew().unwrap();
    let on_disk = storage.contents();

    // The second life: written to the file itself, logged with checksums.
    let mut tx = pager.begin();
    tx.set_durability(Durability::Buffered);
    let again = tx.allocate_extent(20).unwrap();
    assert_eq!(again.start, p, "{again:?}");
    for page in (0..20).filter_map(|index| again.page(index)) {
        assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &[b'2'; BODY_SIZE]));
    }
    tx.commit(b"the load").unwrap();
    let files = storage.files();
    std::mem::forget(pager);

    // The next process finds all of it in the operating system's memory, and begins to write.
    let second = SimStorage::from_files(files);
    let pager = open(&second).unwrap();
    assert_eq!(pager.page(p, pager.published()).unwrap().body()[0], b'2');
    let before = second.files();
    second.start_journal();
    let mut tx = pager.begin();
    tx.set_durability(Durability::Buffered);
    tx.allocate(KIND, OWNER).unwrap();
    tx.commit(b"more").unwrap();
    let mut after = torn_at_the_first_batch(before, &second.take_journal());
    // Of the load's pages, which nobody has synced, one never reached the disk.
    let at = p.get() as usize * PAGE_SIZE;
    let old = on_disk.get(at..at + PAGE_SIZE).unwrap_or(&[0; PAGE_SIZE]);
    after.get_mut("").unwrap()[at..at + PAGE_SIZE].copy_from_slice(old);

    let third = open(&SimStorage::from_files(after)).unwrap();
    assert_eq!(third.open_report().commits_replayed, 0, "the load misses a page");
    assert!(!third.root().ends_with(b"the load"));
}
