//! Pages that a transaction writes to the data file itself.

use std::sync::Arc;

use nanodb_pager::{
    BODY_SIZE, Corruption, Durability, Error, MemoryStorage, Options, PAGE_SIZE, PageId, Pager,
    WriteTx,
};
use nanodb_sim::{Action, CallKind, Failure, Fault, Files, SimStorage};

use crate::support::{
    Concatenate, KIND, OWNER, add_page, assert_space, change_page, first_bytes, is_full, new_file,
    open,
};

/// So many pages are far more than a transaction keeps in memory with the smallest cache.
const MANY: u32 = 60;

fn body(number: u32) -> Vec<u8> {
    let mut body = vec![number as u8; BODY_SIZE];
    body[..4].copy_from_slice(&number.to_le_bytes());
    body
}

/// Takes pages and fills them.
fn load(tx: &mut WriteTx, pages: u32) -> Vec<PageId> {
    let extent = tx.allocate_extent(pages).unwrap();
    let pages: Vec<PageId> = (0..pages).filter_map(|index| extent.page(index)).collect();
    for &page in &pages {
        assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &body(page.get())));
    }
    pages
}

fn assert_loaded(pager: &Pager, pages: &[PageId]) {
    for &page in pages {
        let found = pager.page(page, pager.published()).unwrap();
        assert!(found.body() == body(page.get()), "{page}");
        assert_eq!((found.id(), found.owner(), found.kind()), (page, OWNER, KIND));
    }
}

/// Makes the cache forget all that it need not keep.
fn evict(pager: &Pager, others: &[PageId]) {
    for &page in others.iter().flat_map(|page| [page; 3]) {
        pager.page(page, pager.published()).unwrap();
    }
}

/// Leaves the disk as a process does that is killed.
fn killed(pager: Pager, storage: &SimStorage) -> Files {
    let files = storage.files();
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    drop(pager);
    storage.clear_fault();
    files
}

#[test]
fn a_load_of_any_size_takes_little_memory_and_is_written_once() {
    let (storage, pager) = new_file();
    // With the first log what is kept for a full disk is written.
    add_page(&pager, b"first");
    pager.checkpoint().unwrap();
    storage.start_journal();
    let mut tx = pager.begin();
    let mut pages = Vec::new();
    for _ in 0..20 {
        pages.extend(load(&mut tx, MANY));
        assert!(tx.bytes() <= 6 * PAGE_SIZE, "{}", tx.bytes());
    }
    let published = tx.commit(b"note").unwrap();
    let journal = storage.take_journal();
    let written: usize = journal
        .iter()
        .filter_map(|event| match &event.action {
            Action::Write { data, .. } => Some(data.len()),
            _ => None,
        })
        .sum();
    assert!(written < (pages.len() + 60) * PAGE_SIZE, "{written}");
    assert_eq!((pager.published(), pager.stats().unwrap().dirty_bytes), (published, 0));
    assert_loaded(&pager, &pages);
    let pager = open(&SimStorage::from_files(killed(pager, &storage))).unwrap();
    assert_eq!((pager.published(), &*pager.metadata_root()), (published, &b"note"[..]));
    assert_loaded(&pager, &pages);
    pager.checkpoint().unwrap();
    assert_loaded(&pager, &pages);
}

#[test]
fn a_page_that_was_written_early_can_be_read_and_changed_until_the_commit() {
    let (_, pager) = new_file();
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    for &page in &pages {
        assert!(tx.page(page).unwrap().body() == body(page.get()), "{page}");
        let mut held = tx.page_mut(page).unwrap();
        assert!(held.body() == body(page.get()) && held.write(0, b"anew"), "{page}");
    }
    tx.init_page(pages[3], KIND, OWNER).unwrap();
    tx.free(pages[4]).unwrap();
    tx.commit(&[]).unwrap();
    for (index, &page) in pages.iter().enumerate().filter(|&(index, _)| index != 4) {
        let expected = if index == 3 { [0; 4] } else { *b"anew" };
        assert_eq!(first_bytes(&pager, page).unwrap(), expected, "{page}");
    }
    assert_space(&pager, pages.iter().filter(|&&page| page != pages[4]).map(|page| page.get()));
}

#[test]
fn nobody_sees_a_page_before_the_commit_that_wrote_it() {
    let (_, pager) = new_file();
    let others: Vec<PageId> = (0..40).map(|_| add_page(&pager, b"other")).collect();
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    let no_version = |at| matches!(pager.page(pages[0], at), Err(Error::NoVersion { .. }));
    assert!(no_version(pager.published()));
    // Later commits have numbers above those that the pages carry.
    (0..5).for_each(|_| _ = change_page(&pager, others[0], b"later"));
    assert!(no_version(pager.published()));
    let snapshot = pager.snapshot();
    let installed = tx.install(&[]).unwrap();
    evict(&pager, &others);
    assert!(no_version(snapshot.seq()) && no_version(pager.published()));
    let published = installed.publish().unwrap();
    evict(&pager, &others);
    assert!(no_version(snapshot.seq()));
    assert_loaded(&pager, &pages);
    // Once nobody can tell any more, the page's own number does.
    let mut tx = pager.begin();
    assert!(tx.page_mut(pages[0]).unwrap().write(0, b"more"));
    assert_eq!(pager.page(pages[0], published).unwrap().seq(), published);
    drop(snapshot);
    evict(&pager, &others);
    let stats = pager.stats().unwrap();
    assert!(pager.page(pages[0], published).unwrap().seq() < published, "{stats:?}");
    tx.commit(&[]).unwrap();
    assert_eq!(&first_bytes(&pager, pages[0]).unwrap(), b"more");
}

#[test]
fn a_load_that_is_given_up_leaves_no_trace() {
    let (_, pager) = new_file();
    let kept = add_page(&pager, b"kept");
    for _ in 0..3 {
        let mut tx = pager.begin();
        load(&mut tx, MANY);
        let page_count = pager.space().page_count;
        tx.rollback();
        pager.checkpoint().unwrap();
        assert_space(&pager, [kept.get()]);
        assert!(page_count < 2 + 3 * MANY, "{page_count}: the pages are taken again");
    }
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    tx.commit(&[]).unwrap();
    assert_loaded(&pager, &pages);
}

#[test]
fn checkpoints_beside_a_load_leave_its_pages_alone() {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"old");
    let mut tx = pager.begin();
    let mut pages = load(&mut tx, MANY);
    for round in 0..3_u32 {
        change_page(&pager, page, &round.to_le_bytes());
        pager.checkpoint().unwrap();
        pages.extend(load(&mut tx, MANY));
    }
    tx.commit(&[]).unwrap();
    assert_loaded(&pager, &pages);
    let pager = open(&SimStorage::from_files(killed(pager, &storage))).unwrap();
    assert_loaded(&pager, &pages);
    assert_space(&pager, pages.iter().chain([&page]).map(|page| page.get()));
}

#[test]
fn pages_taken_by_one_commit_and_filled_by_another_are_written_once_too() {
    let (storage, pager) = new_file();
    let mut tx = pager.begin();
    let extent = tx.allocate_extent(2 * MANY).unwrap();
    tx.commit(&[]).unwrap();
    let fill = |tx: &mut WriteTx, from: u32| -> Vec<PageId> {
        let pages: Vec<PageId> = (from..from + MANY).filter_map(|n| extent.page(n)).collect();
        for &page in &pages {
            assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &body(page.get())));
        }
        pages
    };
    let log_bytes = pager.stats().unwrap().log_bytes;
    let mut tx = pager.begin();
    fill(&mut tx, 0);
    drop(tx);
    let mut tx = pager.begin();
    let pages = fill(&mut tx, 0);
    // Who takes the same page, or gives it back, meets the one who is writing it.
    let mut other = pager.begin();
    other.init_page(pages[1], KIND, OWNER).unwrap();
    let conflict = other.commit(&[]).unwrap_err();
    assert!(matches!(conflict, Error::WriteConflict { page } if page == pages[1]));
    let mut other = pager.begin();
    other.free_extent(extent).unwrap();
    let conflict = other.commit(&[]).unwrap_err();
    assert!(matches!(conflict, Error::WriteConflict { page } if pages.contains(&page)));
    assert!(matches!(pager.begin().page(pages[2]), Err(Error::WriteConflict { .. })));
    tx.commit(&[]).unwrap();
    assert_loaded(&pager, &pages);
    assert!(pager.stats().unwrap().log_bytes < log_bytes + 3 * 4096);
    // After opening nobody knows any more which pages were never initialised.
    pager.close().unwrap();
    let pager = open(&storage).unwrap();
    let mut tx = pager.begin();
    let more = fill(&mut tx, MANY);
    assert_eq!(tx.bytes(), more.len() * PAGE_SIZE);
    tx.commit(&[]).unwrap();
    assert_loaded(&pager, &pages);
    assert_loaded(&pager, &more);
}

/// A disk whose log ends with a load, after so many more commits of the strongest level.
fn disk_with_a_load(more: u32) -> (Files, PageId, Vec<PageId>) {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"old");
    pager.checkpoint().unwrap();
    change_page(&pager, page, b"new");
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    tx.commit(b"loaded").unwrap();
    (0..more).for_each(|_| _ = change_page(&pager, page, b"more"));
    (killed(pager, &storage), page, pages)
}

#[test]
fn a_load_that_misses_a_page_did_not_happen_unless_it_was_vouched_for() {
    let (mut files, page, pages) = disk_with_a_load(0);
    let at = pages[7].get() as usize * PAGE_SIZE;
    files.get_mut("").unwrap()[at + 100] ^= 1;
    let storage = SimStorage::from_files(files);
    let pager = open(&storage).unwrap();
    assert_eq!((pager.published().get(), &*pager.metadata_root()), (2, &b""[..]));
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"new\0");
    assert_space(&pager, [page.get()]);
    // What did not count once never counts again, though the page be mended.
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    tx.commit(b"again").unwrap();
    let pager = open(&SimStorage::from_files(killed(pager, &storage))).unwrap();
    assert_eq!((pager.published().get(), &*pager.metadata_root()), (3, &b"again"[..]));
    assert_loaded(&pager, &pages);
}

#[test]
fn a_load_that_did_not_happen_is_not_made_to_have_happened_by_a_later_one() {
    let (storage, pager) = new_file();
    add_page(&pager, b"old");
    pager.checkpoint().unwrap();
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    tx.commit(b"loaded").unwrap();
    let mut files = killed(pager, &storage);
    let at = pages[7].get() as usize * PAGE_SIZE;
    files.get_mut("").unwrap()[at + 100] ^= 1;
    let storage = SimStorage::from_files(files);
    let pager = open(&storage).unwrap();
    assert_eq!((pager.published().get(), pager.open_report().commits_replayed), (1, 0));
    // The same bytes at the same places, but no commit.
    let mut tx = pager.begin();
    assert_eq!(load(&mut tx, MANY)[7], pages[7]);
    let files = storage.files();
    drop(tx);
    drop(pager);
    let pager = open(&SimStorage::from_files(files)).unwrap();
    assert_eq!((pager.published().get(), &*pager.metadata_root()), (1, &b""[..]));
}

#[test]
fn a_damaged_page_of_a_load_that_was_vouched_for_costs_only_itself() {
    let (mut files, page, pages) = disk_with_a_load(2);
    let damaged = pages[7];
    let at = damaged.get() as usize * PAGE_SIZE;
    files.get_mut("").unwrap()[at + 100] ^= 1;
    let pager = open(&SimStorage::from_files(files)).unwrap();
    assert_eq!((pager.published().get(), &*pager.metadata_root()), (5, &b"loaded"[..]));
    let check = |pager: &Pager| {
        let found = pager.page(damaged, pager.published());
        let is_damage = matches!(
            found,
            Err(Error::Corrupt(Corruption::Checksum { page, .. })) if page == damaged
        );
        assert!(is_damage, "{found:?}");
        let sound: Vec<PageId> = pages.iter().copied().filter(|&page| page != damaged).collect();
        assert_loaded(pager, &sound);
    };
    check(&pager);
    change_page(&pager, page, b"and");
    check(&pager);
}

#[test]
fn what_is_remembered_of_loads_beside_other_writers_counts_as_memory() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"old");
    let snapshot = pager.snapshot();
    let mut tx = pager.begin();
    let mut pages = load(&mut tx, 40 * MANY);
    // Early pages carry a number from before this commit.
    change_page(&pager, page, b"new");
    pages.extend(load(&mut tx, MANY));
    tx.commit(&[]).unwrap();
    let stats = pager.stats().unwrap();
    assert!((30 * MANY as usize * 40..200_000).contains(&stats.unlogged_bytes), "{stats:?}");
    assert_loaded(&pager, &pages);
    // The budget is 64 KiB, of which half is left to pages whatever else there is.
    let cached = pager.stats().unwrap().cached_bytes;
    assert!(cached < 14 * PAGE_SIZE, "{cached}");
    drop(snapshot);
    assert_eq!(pager.stats().unwrap().unlogged_bytes, 0);
    assert_loaded(&pager, &pages);
}

/// A write that the disk has lost: what lies there is a page as sound as any, of this database,
/// with this number and owner.
#[test]
fn a_page_of_a_load_that_the_disk_has_not_written_is_told_of_after_recovery_as_before_it() {
    for deltas in [false, true] {
        let (storage, pager) = new_file();
        let page = add_page(&pager, b"old");
        pager.checkpoint().unwrap();
        change_page(&pager, page, b"new");
        let former = SimStorage::from_files(storage.files());
        let mut tx = pager.begin();
        let pages = load(&mut tx, MANY);
        tx.commit(b"loaded").unwrap();
        let lost = pages[7];
        if deltas {
            change_page(&pager, lost, b"more");
        }
        (0..3).for_each(|_| _ = change_page(&pager, page, b"more"));
        let mut files = killed(pager, &storage);

        // What an attempt before has left there.
        let other = open(&former).unwrap();
        let mut tx = other.begin();
        let extent = tx.allocate_extent(MANY).unwrap();
        for id in (0..MANY).filter_map(|index| extent.page(index)) {
            assert!(tx.init_page(id, KIND, OWNER).unwrap().write(0, &[0xAB; BODY_SIZE]));
        }
        tx.commit(b"former").unwrap();
        let at = lost.get() as usize * PAGE_SIZE;
        let stale = former.contents()[at..at + PAGE_SIZE].to_vec();
        assert_eq!(stale[100], 0xAB);
        drop(other);
        files.get_mut("").unwrap()[at..at + PAGE_SIZE].copy_from_slice(&stale);

        let check = |pager: &Pager| {
            let found = pager.page(lost, pager.published());
            let is_damage = matches!(found, Err(Error::Corrupt(ref why)) if why.page() == lost);
            assert!(is_damage, "deltas {deltas}: {found:?}");
            let sound: Vec<PageId> = pages.iter().copied().filter(|&page| page != lost).collect();
            assert_loaded(pager, &sound);
        };
        let storage = SimStorage::from_files(files);
        let pager = open(&storage).unwrap();
        check(&pager);
        change_page(&pager, page, b"and");
        check(&pager);
        pager.close().unwrap();
        check(&open(&storage).unwrap());
    }
}

#[test]
fn a_transaction_that_changes_too_much_is_told_so_and_can_be_given_up() {
    let bytes_max = 8 * 1024 * 1024;
    let options = Options::default().cache_bytes_max(0).transaction_bytes_max(bytes_max);
    let storage = Arc::new(SimStorage::new());
    let pager = Pager::open(storage, Arc::new(Concatenate), options.background(false)).unwrap();
    let mut pages = Vec::new();
    for _ in 0..40 {
        let mut tx = pager.begin();
        pages.extend(load(&mut tx, MANY));
        tx.commit(&[]).unwrap();
    }
    let mut tx = pager.begin();
    let mut changed = 0;
    let error = loop {
        match tx.page_mut(pages[changed]) {
            Ok(mut page) => assert!(page.write(0, b"gone")),
            Err(error) => break error,
        }
        changed += 1;
    };
    let Error::TransactionTooLarge { bytes, bytes_max: limit } = error else { panic!("{error:?}") };
    assert_eq!((limit, bytes, changed), (bytes_max, (changed + 1) * PAGE_SIZE, 2048));
    // What it has can still be changed, and given up.
    assert!(tx.page_mut(pages[0]).unwrap().write(9, b"gone"));
    assert!(tx.init_page(pages[changed], KIND, OWNER).is_err());
    tx.rollback();
    assert_loaded(&pager, &pages);
    change_page(&pager, pages[0], b"fine");
}

/// The cache would let a transaction gather many more pages than it may change.
#[test]
fn the_limit_of_a_transaction_holds_whatever_the_cache() {
    for cache in [0, 1 << 20, 64 << 20] {
        for pages_max in [16, 17, 40, 300] {
            let options =
                Options::default().cache_bytes_max(cache).transaction_bytes_max(pages_max << 12);
            let pager = Pager::open(
                Arc::new(SimStorage::new()),
                Arc::new(Concatenate),
                options.background(false),
            )
            .unwrap();
            let mut tx = pager.begin();
            let pages = load(&mut tx, 400);
            tx.commit(&[]).unwrap();

            for added in [0, 100] {
                let mut tx = pager.begin();
                // What it adds is written in its turn, and does not count; the next look is
                // due when a few of the pages begun last may have been of these.
                load(&mut tx, added);
                let refused = pages.iter().position(|&page| tx.page_mut(page).is_err()).unwrap();
                let late = if added == 0 { 0 } else { 8 };
                assert!((pages_max..=pages_max + late).contains(&refused), "{cache}: {refused}");
                assert!(tx.init_page(pages[refused], KIND, OWNER).is_err());
                assert!(tx.page_mut(pages[0]).unwrap().write(9, b"gone"));
                tx.rollback();
            }

            let mut tx = pager.begin();
            for &page in &pages[..pages_max] {
                assert!(tx.page_mut(page).unwrap().write(9, b"kept"));
            }
            tx.commit(&[]).unwrap();
        }
    }
}

#[test]
fn a_full_disk_refuses_a_load_and_nothing_else() {
    for (kind, doing) in
        [(CallKind::Write, "writing new pages"), (CallKind::SetLen, "setting the file's length")]
    {
        let (storage, pager) = new_file();
        let page = add_page(&pager, b"old");
        storage.set_fault(Fault::once(0, Failure::NoSpace).of(kind).for_ever());
        let mut tx = pager.begin();
        let full = match tx.allocate_extent(MANY) {
            Ok(extent) => (0..MANY)
                .filter_map(|index| extent.page(index))
                .find_map(|page| tx.init_page(page, KIND, OWNER).err())
                .unwrap(),
            Err(error) => error,
        };
        assert!(matches!(&full, Error::Io { doing: d, .. } if d.starts_with(doing)), "{full:?}");
        tx.rollback();
        storage.clear_fault();
        change_page(&pager, page, b"new");
        let mut tx = pager.begin();
        let pages = load(&mut tx, MANY);
        tx.commit(&[]).unwrap();
        assert_loaded(&pager, &pages);
        assert_space(&pager, pages.iter().chain([&page]).map(|page| page.get()));
    }
}

#[test]
fn every_level_of_durability_takes_loads() {
    for level in [Durability::Immediate, Durability::Buffered, Durability::Relaxed] {
        let (storage, pager) = new_file();
        let mut pages = Vec::new();
        for _ in 0..3 {
            let mut tx = pager.begin();
            tx.set_durability(level);
            pages.extend(load(&mut tx, MANY));
            tx.commit(&[]).unwrap();
        }
        assert_loaded(&pager, &pages);
        pager.close().unwrap();
        assert_loaded(&open(&storage).unwrap(), &pages);
    }
}

#[test]
fn in_memory_a_load_stays_with_its_transaction() {
    let options = Options::default().cache_bytes_max(16 * 4096);
    let pager =
        Pager::open(Arc::new(MemoryStorage::new()), Arc::new(Concatenate), options).unwrap();
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    assert_eq!(tx.bytes(), pages.len() * PAGE_SIZE);
    tx.commit(&[]).unwrap();
    assert_loaded(&pager, &pages);
}

#[test]
fn a_checkpoint_after_a_crash_that_stops_midway_leaves_every_page_readable() {
    let (storage, pager) = new_file();
    let other = add_page(&pager, b"other");
    pager.checkpoint().unwrap();
    let mut tx = pager.begin();
    let pages = load(&mut tx, MANY);
    tx.commit(&[]).unwrap();
    for &page in &pages[..8] {
        change_page(&pager, page, b"more");
    }
    let storage = SimStorage::from_files(killed(pager, &storage));
    let pager = open(&storage).unwrap();
    // The third batch finds no room for its images.
    storage.set_capacity(Some(storage.total_len() + 36 * 1024));
    assert!(is_full(&pager.checkpoint().unwrap_err()));
    for _ in 0..2 {
        for (index, &page) in pages.iter().enumerate() {
            let expected = if index < 8 { *b"more" } else { page.get().to_le_bytes() };
            assert_eq!(first_bytes(&pager, page).unwrap(), expected, "{page}");
        }
    }
    storage.set_capacity(None);
    change_page(&pager, other, b"later");
    assert_eq!(&first_bytes(&pager, pages[0]).unwrap(), b"more");
}

#[test]
fn a_crash_in_the_checkpoint_after_a_recovery_does_not_undo_a_load_that_was_freed_since() {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"old");
    pager.checkpoint().unwrap();
    // No sync, so no record vouches for the load.
    let mut tx = pager.begin();
    tx.set_durability(Durability::Buffered);
    let pages = load(&mut tx, MANY);
    tx.commit(b"loaded").unwrap();
    let mut tx = pager.begin();
    tx.set_durability(Durability::Buffered);
    pages.iter().for_each(|&page| tx.free(page).unwrap());
    tx.commit(b"freed").unwrap();
    let storage = SimStorage::from_files(killed(pager, &storage));
    let before = storage.files();
    let pager = open(&storage).unwrap();
    assert_eq!(pager.published().get(), 3);
    storage.start_journal();
    change_page(&pager, page, b"new");
    let mut crash = nanodb_sim::Crash::new(&before);
    for event in storage.take_journal() {
        let files = crash.image(nanodb_sim::Unsynced::Kept);
        let pager = open(&SimStorage::from_files(files)).unwrap();
        assert!(pager.published().get() >= 3, "{event:?}");
        crash.advance(&event);
    }
}
