//! A free map that is damaged, in a file whose root says which pages are in use.

use std::sync::Arc;

use nanodb_pager::{CheckpointHooks, Corruption, Error, Extent, Options, PAGE_SIZE, PageId, Pager};
use nanodb_sim::{Action, Crash, Files, SimStorage, Unsynced};

use crate::support::{KIND, OWNER, add_page, assert_space, change_page, first_bytes, numbers};

type HookError = Box<dyn std::error::Error + Send + Sync>;

/// Notes are extents that a commit has taken, as two numbers; a length of 0 gives back the page.
/// The root has a bit for each page, set if it is in use.
#[derive(Default)]
struct InUse {
    /// Said to be in use besides.
    more: Option<Extent>,
}

impl CheckpointHooks for InUse {
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, HookError> {
        let mut root = root.to_vec();
        for note in metadata {
            for change in note.as_chunks::<8>().0 {
                let number = |at: usize| u32::from_le_bytes(*change[at..].first_chunk().unwrap());
                let (start, pages) = (number(0) as usize, number(4) as usize);
                for page in start..start + pages.max(1) {
                    root.resize(root.len().max(page / 8 + 1), 0);
                    root[page / 8] &= !(1 << (page % 8));
                    root[page / 8] |= u8::from(pages > 0) << (page % 8);
                }
            }
        }
        Ok(root)
    }

    fn extents_in_use(&self, root: &[u8]) -> Result<Option<Vec<Extent>>, HookError> {
        Ok(Some(extents(root).into_iter().chain(self.more).collect()))
    }
}

fn note(extent: Extent, pages: u32) -> Vec<u8> {
    [extent.start.get().to_le_bytes(), pages.to_le_bytes()].concat()
}

fn extents(root: &[u8]) -> Vec<Extent> {
    let pages = (0..root.len() * 8).filter(|page| root[page / 8] & 1 << (page % 8) != 0);
    pages.map(|page| Extent::new(PageId::new(page as u32), 1)).collect()
}

fn open(storage: &SimStorage, read_only: bool) -> Result<Pager, Error> {
    open_with(storage, InUse::default(), read_only)
}

fn open_with(storage: &SimStorage, hooks: InUse, read_only: bool) -> Result<Pager, Error> {
    let options = Options::default().cache_bytes_max(64 * 4096).background(false);
    Pager::open(Arc::new(storage.clone()), Arc::new(hooks), options.read_only(read_only))
}

/// A closed file of `count` pages of their own, of which every second was given back.
fn gaps(count: u32) -> (Files, Vec<(PageId, [u8; 4])>) {
    let storage = SimStorage::new();
    let pager = open(&storage, false).unwrap();
    let mut tx = pager.begin();
    let (mut pages, mut metadata) = (Vec::new(), Vec::new());
    for index in 0..count {
        let page = tx.allocate(KIND, OWNER).unwrap();
        assert!(tx.page_mut(page).unwrap().write(0, &index.to_le_bytes()));
        metadata.extend(note(Extent::new(page, 1), 1));
        pages.push((page, index.to_le_bytes()));
    }
    tx.commit(&metadata).unwrap();
    pager.checkpoint().unwrap();
    let mut tx = pager.begin();
    let mut metadata = Vec::new();
    let is_kept = |(page, _): &(PageId, _)| page.get() % 2 == 0;
    let (kept, freed): (Vec<_>, Vec<_>) = pages.into_iter().partition(is_kept);
    for (page, _) in freed {
        tx.free(page).unwrap();
        metadata.extend(note(Extent::new(page, 1), 0));
    }
    tx.commit(&metadata).unwrap();
    pager.close().unwrap();
    (storage.files(), kept)
}

/// The pages of the free map, in order.
fn map_pages(files: &Files) -> Vec<usize> {
    let file = &files[""];
    let number = |at: usize| u32::from_le_bytes(*file[at..].first_chunk().unwrap()) as usize;
    // The copy that was written last: both are the same once a file is closed.
    let mut pages = vec![number(120)];
    while let Some(&last) = pages.last()
        && let next @ 1.. = number(last * PAGE_SIZE + 32)
    {
        pages.push(next);
    }
    pages
}

fn with_noise(files: &Files, page: usize) -> Files {
    let mut files = files.clone();
    files.get_mut("").unwrap()[page * PAGE_SIZE + 300] ^= 4;
    files
}

/// All is as it was, and every page is where the root says.
fn assert_sound(pager: &Pager, pages: &[(PageId, [u8; 4])]) {
    for (page, bytes) in pages {
        assert_eq!(first_bytes(pager, *page).unwrap(), *bytes, "{page}");
    }
    let used = pager.inventory().unwrap();
    assert_space(pager, numbers(&extents(&used.metadata_root)));
}

fn is_lost(found: &[Corruption]) -> bool {
    matches!(found, [Corruption::FreeMapLost { .. }])
}

#[test]
fn a_damaged_page_of_the_free_map_keeps_nobody_out_and_the_next_checkpoint_saves_another() {
    let (files, pages) = gaps(3000);
    let map = map_pages(&files);
    assert!(map.len() > 1, "{map:?}");
    for (&damaged, is_readable) in map.iter().zip([true, false]) {
        let storage = SimStorage::from_files(with_noise(&files, damaged));
        let bytes = damaged as u64 * 4096..damaged as u64 * 4096 + 1;
        storage.set_unreadable(if is_readable { Vec::new() } else { vec![bytes] });
        let reader = open(&storage, true).unwrap();
        assert!(is_lost(&reader.verify().unwrap()));
        assert_sound(&reader, &pages);
        drop(reader);

        let pager = open(&storage, false).unwrap();
        assert!(pager.open_report().free_map_lost);
        assert!(is_lost(&pager.verify().unwrap()));
        assert_sound(&pager, &pages);
        let page = add_page(&pager, b"more");
        let mut tx = pager.begin();
        tx.page_mut(page).unwrap();
        tx.commit(&note(Extent::new(page, 1), 1)).unwrap();
        assert!(is_lost(&pager.verify().unwrap()), "as long as it is so");
        pager.checkpoint().unwrap();
        storage.set_unreadable(Vec::new());
        assert_eq!(pager.verify().unwrap(), []);
        assert_sound(&pager, &pages);
        pager.close().unwrap();

        let pager = open(&storage, false).unwrap();
        assert!(!pager.open_report().free_map_lost);
        assert_eq!(&first_bytes(&pager, page).unwrap(), b"more");
        assert_sound(&pager, &pages);
    }
}

#[test]
fn what_the_logs_took_and_gave_back_is_added_to_a_map_made_anew() {
    let (files, mut pages) = gaps(40);
    let storage = SimStorage::from_files(files.clone());
    let pager = open(&storage, false).unwrap();
    let mut tx = pager.begin();
    let (freed, _) = pages.remove(3);
    tx.free(freed).unwrap();
    let extent = tx.allocate_extent(5).unwrap();
    let metadata = [note(Extent::new(freed, 1), 0), note(extent, extent.pages)].concat();
    tx.commit(&metadata).unwrap();
    change_page(&pager, pages[0].0, b"new!");
    pages[0].1 = *b"new!";
    let expected = pager.space();

    let storage = SimStorage::from_files(with_noise(&storage.files(), map_pages(&files)[0]));
    let pager = open(&storage, false).unwrap();
    assert!(pager.open_report().free_map_lost);
    assert_eq!(pager.space().pending, expected.pending);
    assert_sound(&pager, &pages);
    change_page(&pager, pages[1].0, b"more");
    pages[1].1 = *b"more";
    assert_eq!(pager.verify().unwrap(), []);
    assert_sound(&pager, &pages);
    drop(pager);
    assert_sound(&open(&storage, false).unwrap(), &pages);
}

#[test]
fn a_root_that_cannot_be_right_makes_no_map_and_names_the_page() {
    let (files, _) = gaps(40);
    let storage = SimStorage::from_files(with_noise(&files, map_pages(&files)[0]));
    let open_with = |more| {
        let hooks = InUse { more: Some(more) };
        open_with(&storage, hooks, false).unwrap_err()
    };
    let error = open_with(Extent::new(PageId::new(9), 4));
    let page = PageId::new(10);
    assert!(
        matches!(&error, Error::Corrupt(Corruption::InUseTwice { page: at }) if *at == page),
        "{error:?}"
    );
    assert!(error.to_string().contains("page 10"), "{error}");
    for far in [Extent::new(PageId::new(7000), 1), Extent::new(PageId::new(u32::MAX), u32::MAX)] {
        let error = open_with(far);
        assert!(matches!(error, Error::Corrupt(Corruption::OutOfBounds { .. })), "{error:?}");
    }
}

#[test]
fn a_damaged_map_that_can_be_read_again_after_a_crash_is_never_half_of_another() {
    let (files, pages) = gaps(3000);
    let map = map_pages(&files);
    let damaged = map[0] * PAGE_SIZE..(map[0] + 1) * PAGE_SIZE;
    let storage = SimStorage::from_files(with_noise(&files, map[0]));
    let before = storage.files();
    storage.start_journal();
    let pager = open(&storage, false).unwrap();
    // All that is free before the pages which nobody knows of any more.
    let free = numbers(&pager.space().free).filter(|&page| (page as usize) < map[1]).count();
    let mut tx = pager.begin();
    let taken: Vec<Extent> = (0..free).map(|_| tx.allocate_extent(1).unwrap()).collect();
    let metadata: Vec<u8> = taken.iter().flat_map(|extent| note(*extent, 1)).collect();
    tx.commit(&metadata).unwrap();
    pager.close().unwrap();
    let mut crash = Crash::new(&before);
    let mut count = 0;
    for event in storage.take_journal() {
        crash.advance(&event);
        if !matches!(event.action, Action::Write { .. }) {
            continue;
        }
        for unsynced in [Unsynced::Kept, Unsynced::Lost] {
            let mut left = crash.image(unsynced);
            let file = left.get_mut("").unwrap();
            let is_same = file[damaged.clone()] == before[""][damaged.clone()];
            if is_same {
                // The device has come to its senses.
                file[damaged.clone()].copy_from_slice(&files[""][damaged.clone()]);
            }
            for &page in &map[1..] {
                let place = page * PAGE_SIZE..(page + 1) * PAGE_SIZE;
                let is_taken = file.get(place.clone()) != Some(&before[""][place]);
                assert!(!is_taken || !is_same, "page {page} was taken");
                count += u32::from(is_taken);
            }
            assert_sound(&open(&SimStorage::from_files(left), false).unwrap(), &pages);
        }
    }
    assert!(count > 0);
}
