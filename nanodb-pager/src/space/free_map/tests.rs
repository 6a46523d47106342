use proptest::prelude::*;

use super::*;

fn extent(start: u32, pages: u32) -> Extent {
    Extent::new(PageId::new(start), pages)
}

#[test]
fn the_first_run_that_fits_is_taken_and_neighbours_merge() {
    let mut map = FreeMap::new(20);
    map.release(extent(2, 3));
    map.release(extent(10, 5));
    assert_eq!(map.allocate(4).unwrap(), extent(10, 4));
    assert_eq!(map.allocate(1).unwrap(), extent(2, 1));
    map.release(extent(2, 1));
    map.release(extent(5, 5));
    assert_eq!(map.runs().collect::<Vec<_>>(), [extent(2, 8), extent(14, 1)]);
    assert_eq!(map.allocate(9).unwrap(), extent(20, 9));
}

#[test]
fn of_many_runs_the_shortest_that_fits_is_taken_when_the_first_are_too_short() {
    let mut map = FreeMap::new(900);
    (0..100).for_each(|n| map.release(extent(2 + 2 * n, 1)));
    map.release(extent(500, 9));
    map.release(extent(600, 5));
    assert_eq!(map.allocate(4).unwrap(), extent(600, 4));
    assert_eq!(map.allocate(1).unwrap(), extent(2, 1));
    assert_eq!(map.reserve_up_to(20).unwrap(), extent(500, 9));
    assert_eq!(map.reserve_up_to(20).unwrap().pages, 1);
    assert_eq!(FreeMap::new(2).reserve_up_to(20).unwrap(), extent(2, 20));
}

#[test]
fn pages_in_pieces_are_taken_where_they_do_not_lie_side_by_side() {
    let mut map = FreeMap::new(30);
    [extent(4, 1), extent(8, 3), extent(20, 2)].into_iter().for_each(|run| map.release(run));
    assert_eq!(map.clone().allocate_pieces(3).unwrap(), [extent(8, 3)]);
    assert_eq!(map.allocate_pieces(7), None);
    let pieces = map.allocate_pieces(5).unwrap();
    assert_eq!(pieces, [extent(4, 1), extent(8, 3), extent(20, 1)]);
    assert_eq!((map.free_pages(), map.free_at_the_end()), (1, 0));
    map.lengthen(3).unwrap();
    assert_eq!((map.page_count(), map.free_pages(), map.free_at_the_end()), (33, 4, 3));
}

#[test]
fn free_pages_at_the_end_are_truncated() {
    let mut map = FreeMap::new(20);
    assert_eq!(map.truncate(2), 20);
    map.release(extent(5, 2));
    assert_eq!(map.truncate(2), 20);
    map.release(extent(12, 8));
    assert_eq!(map.free_before(extent(7, 5)), 2);
    assert_eq!((map.free_before(extent(7, 4)), map.free_before(extent(8, 4))), (0, 0));
    assert_eq!((map.truncate(15), map.free_pages()), (15, 5));
    assert_eq!(map.free_before(extent(7, 5)), 2);
    assert_eq!((map.truncate(2), map.free_pages()), (12, 2));
    assert!(map.allocate_at(extent(14, 2)));
    assert_eq!((map.page_count(), map.free_pages()), (16, 4));
}

#[test]
fn pages_are_pending_until_the_horizon_passes() {
    let mut map = FreeMap::new(20);
    map.defer(Seq::new(5), extent(7, 2));
    map.release_pending(Seq::new(4));
    assert_eq!(map.free_pages(), 0);
    map.release_pending(Seq::new(5));
    assert_eq!(map.free_pages(), 2);
}

#[test]
fn pages_are_free_that_no_snapshot_has_seen_in_use() {
    let mut map = FreeMap::new(2);
    let taken = map.reserve(4).unwrap();
    map.keep(Seq::new(5), taken);
    let later = map.reserve(2).unwrap();
    map.keep(Seq::new(8), later);
    map.defer(Seq::new(9), extent(2, 2));
    map.defer(Seq::new(10), extent(6, 2));
    // Nothing is known of those of a file that was opened.
    map.page_count = 12;
    map.defer(Seq::new(11), extent(8, 2));
    let free = |map: &FreeMap| map.runs().collect::<Vec<_>>();
    let release = |map: &mut FreeMap, limit, snapshots: &[u64]| {
        let snapshots: Vec<Seq> = snapshots.iter().copied().map(Seq::new).collect();
        map.release_unseen(Seq::new(limit), &snapshots);
    };
    release(&mut map, 20, &[3, 6, 8]);
    assert_eq!(free(&map), []);
    release(&mut map, 9, &[3, 7]);
    assert_eq!(free(&map), []);
    release(&mut map, 10, &[3, 7]);
    assert_eq!(free(&map), [extent(6, 2)]);
    release(&mut map, 20, &[4, 9]);
    assert_eq!(free(&map), [extent(2, 2), extent(6, 2)]);
    release(&mut map, 20, &[11]);
    assert_eq!(free(&map), [extent(2, 2), extent(6, 4)]);
    assert!(!map.has_pending());
}

#[test]
fn pages_that_are_freed_together_go_each_when_no_snapshot_has_seen_it() {
    let mut map = FreeMap::new(4);
    for seq in [5, 6, 8] {
        let taken = map.reserve(2).unwrap();
        map.keep(Seq::new(seq), taken);
    }
    map.defer(Seq::new(9), extent(2, 9));
    map.release_unseen(Seq::new(9), &[Seq::new(4)]);
    assert_eq!(map.runs().collect::<Vec<_>>(), [extent(4, 6)]);
    assert!(!map.in_use(extent(3, 1)) && !map.in_use(extent(10, 1)) && map.has_pending());
    map.release_unseen(Seq::new(9), &[Seq::new(9)]);
    assert_eq!(map.runs().collect::<Vec<_>>(), [extent(2, 9)]);
    assert_eq!(map.pending.len(), 0);
}

#[test]
fn pages_beside_ones_that_were_taken_again_are_still_known_to_be_unseen() {
    let mut map = FreeMap::new(2);
    let take = |map: &mut FreeMap, pages, seq| {
        let taken = map.reserve(pages).unwrap();
        map.keep(Seq::new(seq), taken);
        taken
    };
    let free = |map: &mut FreeMap, seq, extent| {
        map.defer(Seq::new(seq), extent);
        map.release_unseen(Seq::new(seq), &[Seq::new(4)]);
    };
    assert_eq!(take(&mut map, 12, 5), extent(2, 12));
    // From the front, and in the middle.
    free(&mut map, 6, extent(2, 4));
    assert_eq!(take(&mut map, 2, 7), extent(2, 2));
    free(&mut map, 8, extent(8, 2));
    free(&mut map, 9, extent(4, 2));
    assert_eq!(take(&mut map, 2, 10), extent(4, 2));
    assert_eq!(take(&mut map, 2, 11), extent(8, 2));
    // All were taken after the snapshot.
    free(&mut map, 12, extent(2, 12));
    assert_eq!(map.runs().collect::<Vec<_>>(), [extent(2, 12)]);
    assert!(!map.has_pending());
}

proptest! {
    #[test]
    fn what_is_known_of_pages_taken_in_any_order_is_the_last_that_took_each(
        taken in proptest::collection::vec((2_u32..60, 1_u32..12), 1..40),
    ) {
        let mut map = FreeMap::new(100);
        let mut model = [0_u64; 100];
        for (seq, (start, pages)) in (1..).zip(taken) {
            map.pending.mark_taken(Seq::new(seq), extent(start, pages));
            model[start as usize..][..pages as usize].fill(seq);
        }
        for (page, &seq) in (0..).zip(&model) {
            let (found, end) = map.pending.young_run(page);
            prop_assert_eq!(found, Seq::new(seq), "page {}", page);
            prop_assert!(end > u64::from(page));
        }
    }
}

#[test]
fn a_page_that_is_free_or_pending_is_not_in_use() {
    let mut map = FreeMap::new(20);
    map.release(extent(4, 2));
    map.defer(Seq::new(1), extent(8, 2));
    let in_use = |start, pages| map.in_use(extent(start, pages));
    assert!(in_use(2, 2) && in_use(6, 2) && in_use(10, 10));
    assert!(!in_use(1, 1) && !in_use(3, 2) && !in_use(5, 1) && !in_use(6, 3));
    assert!(!in_use(9, 1) && !in_use(19, 2));
}

#[test]
fn any_number_of_zeros_ends_the_map() {
    for zeros in 0..4 {
        for (mut bytes, runs) in [(vec![], 0), (vec![3, 2], 1)] {
            bytes.resize(bytes.len() + zeros, 0);
            assert_eq!(FreeMap::decode(&bytes, 20).unwrap().runs().count(), runs);
        }
    }
    assert!(FreeMap::decode(&[3, 2, 0, 1], 20).is_err());
}

#[test]
fn page_numbers_that_run_out_are_an_error_and_change_nothing() {
    let mut map = FreeMap::new(u32::MAX - 1);
    assert!(matches!(map.allocate(2), Err(Error::Full { asked: 2 })));
    assert_eq!(map.allocate(1).unwrap(), extent(u32::MAX - 1, 1));
}

proptest! {
    #[test]
    fn never_gives_a_page_twice(sizes in prop::collection::vec((1_u32..9, any::<bool>()), 1..80)) {
        let mut map = FreeMap::new(2);
        let mut held: Vec<Extent> = Vec::new();
        for (pages, release) in sizes {
            if release && !held.is_empty() {
                let extent = held.swap_remove(pages as usize % held.len());
                map.release(extent);
            } else {
                let new = map.allocate(pages).unwrap();
                prop_assert!(held.iter().all(|h| new.end() <= u64::from(h.start.get())
                    || h.end() <= u64::from(new.start.get())));
                held.push(new);
            }
            let used: u32 = held.iter().map(|h| h.pages).sum();
            prop_assert_eq!(used + map.free_pages() + 2, map.page_count());
        }
        let bytes = map.encode();
        let back = FreeMap::decode(&bytes, map.page_count()).unwrap();
        prop_assert!(back.runs().eq(map.runs()));
        let mut again = FreeMap::new(2);
        for &extent in &held {
            prop_assert!(again.allocate_at(extent) && !again.allocate_at(extent));
        }
        prop_assert!(held.iter().all(|&extent| again.in_use(extent)));
    }

    #[test]
    fn decodes_anything(bytes in prop::collection::vec(any::<u8>(), 0..60), page_count: u32) {
        if let Ok(map) = FreeMap::decode(&bytes, page_count) {
            prop_assert!(map.runs().all(|run| run.end() <= u64::from(page_count)));
        }
    }
}
