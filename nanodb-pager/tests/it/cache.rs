//! The cache keeps to its budget, and what it lets go comes back the same.

use nanodb_pager::{PAGE_SIZE, PageId};

use crate::support::{FRAMES, KIND, OWNER, add_page, first_bytes, new_file};

#[test]
fn reading_many_pages_keeps_to_the_budget() {
    let (_, pager) = new_file();
    let pages: Vec<PageId> = (0..200_u32).map(|n| add_page(&pager, &n.to_le_bytes())).collect();
    pager.checkpoint().unwrap();
    for round in 0..3 {
        for (number, &page) in (0_u32..).zip(&pages) {
            assert_eq!(first_bytes(&pager, page).unwrap(), number.to_le_bytes());
            let cached = pager.stats().unwrap().cached_bytes;
            assert!(cached <= FRAMES * PAGE_SIZE, "{cached} in round {round}");
        }
    }
}

#[test]
fn writing_many_pages_makes_checkpoints_by_itself() {
    let (storage, pager) = new_file();
    for number in 0..200_u32 {
        add_page(&pager, &number.to_le_bytes());
        let stats = pager.stats().unwrap();
        assert!(stats.dirty_bytes <= FRAMES / 2 * PAGE_SIZE, "{stats:?}");
        assert!(stats.cached_bytes <= (FRAMES + 1) * PAGE_SIZE, "{stats:?}");
    }
    assert!(pager.stats().unwrap().checkpoints > 10);
    assert!(storage.contents().len() > 180 * PAGE_SIZE);
}

#[test]
fn a_transaction_above_the_budget_is_made_room_for_afterwards() {
    let (storage, pager) = new_file();
    let mut tx = pager.begin();
    // Pages that are not never used are kept in memory.
    let extent = tx.allocate_extent(300).unwrap();
    tx.commit(&[]).unwrap();
    pager.clone().close().unwrap();
    drop(pager);
    let pager = crate::support::open(&storage).unwrap();
    let pages: Vec<PageId> = (0..300).filter_map(|index| extent.page(index)).collect();
    let mut tx = pager.begin();
    for &page in &pages {
        tx.init_page(page, KIND, OWNER).unwrap();
    }
    assert_eq!(tx.bytes(), 300 * PAGE_SIZE);
    tx.commit(&[]).unwrap();
    assert_eq!(pager.stats().unwrap().dirty_bytes, 0, "publishing made a checkpoint");
    for &page in &pages {
        first_bytes::<1>(&pager, page).unwrap();
    }
    add_page(&pager, b"one more");
    add_page(&pager, b"and one");
    let cached = pager.stats().unwrap().cached_bytes;
    assert!(cached <= FRAMES * PAGE_SIZE, "{cached}");
}

#[test]
fn a_guard_outlives_the_eviction_of_its_page() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"held");
    pager.checkpoint().unwrap();
    let guard = pager.page(page, pager.published()).unwrap();
    let clone = guard.clone();
    for _ in 0..100 {
        add_page(&pager, b"other");
    }
    assert_eq!((&guard.body()[..4], &clone.body()[..4]), (&b"held"[..], &b"held"[..]));
    assert_eq!(guard.id(), page);
}

#[test]
fn pages_that_are_read_again_and_again_come_to_stay_whatever_was_read_before() {
    let (storage, pager) = new_file();
    let pages: Vec<PageId> = (0..4 * FRAMES).map(|_| add_page(&pager, b"x")).collect();
    pager.checkpoint().unwrap();
    let read = |pages: &[PageId]| {
        for &page in pages {
            pager.page(page, pager.published()).unwrap();
        }
    };
    for repeats in 1..3 {
        for working_set in pages.chunks(FRAMES / 2) {
            for _ in 0..6 * repeats {
                read(working_set);
            }
            let calls = storage.calls();
            read(working_set);
            assert_eq!(storage.calls(), calls, "{working_set:?}");
        }
    }
}
