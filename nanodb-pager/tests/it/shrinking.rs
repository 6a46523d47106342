//! The file gets shorter when pages at its end are free, and not before nobody wants them.

use nanodb_pager::{Error, Extent, PageId};

use crate::support::{
    FRAMES, KIND, OWNER, add_page, assert_space, change_page, first_bytes, new_file, open,
};

const PAGE_SIZE: u64 = 4096;

/// Forty pages, each with its number, in the file.
fn forty_pages() -> (nanodb_sim::SimStorage, nanodb_pager::Pager, Vec<PageId>) {
    let (storage, pager) = new_file();
    let pages: Vec<PageId> = (0..40_u64).map(|n| add_page(&pager, &n.to_le_bytes())).collect();
    pager.checkpoint().unwrap();
    (storage, pager, pages)
}

fn free(pager: &nanodb_pager::Pager, pages: &[PageId]) {
    let mut tx = pager.begin();
    pages.iter().for_each(|&page| tx.free(page).unwrap());
    tx.commit(&[]).unwrap();
}

fn file_pages(pager: &nanodb_pager::Pager) -> u64 {
    pager.stats().unwrap().file_bytes / PAGE_SIZE
}

#[test]
fn a_checkpoint_cuts_free_pages_off_the_end_and_what_is_left_reopens() {
    let (storage, pager, pages) = forty_pages();
    free(&pager, &pages[10..]);
    pager.checkpoint().unwrap();
    // One page of the free map, room for the next, and what is kept for a full disk besides.
    assert_eq!(file_pages(&pager), 2 + 10 + 1 + 1 + 8);
    assert_space(&pager, pages[..10].iter().map(|page| page.get()));
    pager.close().unwrap();
    let pager = open(&storage).unwrap();
    assert_eq!(file_pages(&pager), 2 + 10 + 1);
    for (n, &page) in pages[..10].iter().enumerate() {
        assert_eq!(first_bytes(&pager, page).unwrap(), (n as u64).to_le_bytes());
    }
    // What was cut is taken again like any page behind the end.
    for n in 10..40_u64 {
        let page = add_page(&pager, &n.to_le_bytes());
        assert_eq!(first_bytes(&pager, page).unwrap(), n.to_le_bytes());
    }
    pager.checkpoint().unwrap();
    assert_eq!(pager.verify().unwrap(), []);
}

#[test]
fn a_snapshot_keeps_the_pages_that_it_wants_and_when_it_goes_so_do_they() {
    let (_storage, pager, pages) = forty_pages();
    let snapshot = pager.snapshot();
    free(&pager, &pages[10..]);
    pager.checkpoint().unwrap();
    assert!(file_pages(&pager) >= 42);
    // Far more than the cache holds: they come from the file.
    assert!(pages.len() > FRAMES);
    for (n, &page) in pages.iter().enumerate() {
        let guard = snapshot.page(page).unwrap();
        assert_eq!(guard.body()[..8], (n as u64).to_le_bytes());
    }
    drop(snapshot);
    pager.checkpoint().unwrap();
    assert_eq!(file_pages(&pager), 2 + 10 + 1 + 1 + 8);
}

#[test]
fn what_a_snapshot_has_kept_is_truncated_by_a_checkpoint_that_has_nothing_else_to_do() {
    let (_storage, pager, pages) = forty_pages();
    // The root and the free map find room there.
    free(&pager, &pages[4..8]);
    pager.checkpoint().unwrap();
    let snapshot = pager.snapshot();
    free(&pager, &pages[10..]);
    pager.checkpoint().unwrap();
    assert!(file_pages(&pager) >= 42);
    drop(snapshot);
    let checkpoints = pager.stats().unwrap().checkpoints;
    pager.checkpoint().unwrap();
    assert_eq!(pager.stats().unwrap().checkpoints, checkpoints);
    assert!(file_pages(&pager) <= 2 + 10 + 1 + 8, "{} pages", file_pages(&pager));
}

#[test]
fn a_transaction_keeps_the_pages_that_it_has_taken_at_the_end() {
    let (_storage, pager, pages) = forty_pages();
    let mut tx = pager.begin();
    // In the file before the commit: more than the cache would keep.
    let extent = tx.allocate_extent(20).unwrap();
    for index in 0..20 {
        let page = extent.page(index).unwrap();
        let mut held = tx.init_page(page, KIND, OWNER).unwrap();
        assert!(held.write(0, &[7; 4000]));
    }
    free(&pager, &pages[5..]);
    pager.checkpoint().unwrap();
    change_page(&pager, pages[0], b"another");
    pager.checkpoint().unwrap();
    tx.commit(&[]).unwrap();
    for index in 0..20 {
        assert_eq!(first_bytes(&pager, extent.page(index).unwrap()).unwrap(), [7; 4]);
    }
    assert!(file_pages(&pager) >= extent.end());
    pager.checkpoint().unwrap();
    let left = pages[..5].iter().map(|page| page.get());
    assert_space(&pager, left.chain(extent.start.get()..extent.start.get() + 20));
}

#[test]
fn who_asks_too_late_for_a_page_that_was_truncated_is_told_there_is_no_version() {
    let (_storage, pager, pages) = forty_pages();
    let at = pager.published();
    free(&pager, &pages[10..]);
    pager.checkpoint().unwrap();
    let error = pager.page(pages[39], at).unwrap_err();
    assert!(matches!(error, Error::NoVersion { .. }), "{error:?}");
    // Taken again, and by nobody's commit yet.
    let mut tx = pager.begin();
    let taken = tx.allocate_extent(60).unwrap();
    assert!(taken.contains(pages[39]));
    // What is still in memory is what it was.
    let mut gone = 0;
    for (n, &page) in (0_u64..).zip(&pages).skip(10) {
        match pager.page(page, at) {
            Ok(guard) => assert_eq!(guard.body()[..8], n.to_le_bytes()),
            Err(Error::NoVersion { .. }) => gone += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(gone > 10, "{gone}");
    // A page that never was is another matter.
    let behind = PageId::new(u32::try_from(taken.end()).unwrap() + 100);
    assert!(matches!(pager.page(behind, at), Err(Error::Corrupt(_))));
}

#[test]
fn a_snapshot_that_is_kept_holds_what_it_has_seen_and_not_what_came_and_went_since() {
    let (_storage, pager, pages) = forty_pages();
    let snapshot = pager.snapshot();
    let mut later = Vec::new();
    free(&pager, &pages);
    for round in 0..50_u64 {
        let mut tx = pager.begin();
        let run = tx.allocate_extent(40).unwrap();
        let run: Vec<PageId> = (0..40).filter_map(|index| run.page(index)).collect();
        for &page in &run {
            assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, &round.to_le_bytes()));
        }
        tx.commit(&[]).unwrap();
        if round == 20 {
            later.push((pager.snapshot(), run.clone()));
        }
        for &page in &run {
            assert_eq!(first_bytes(&pager, page).unwrap(), round.to_le_bytes());
        }
        free(&pager, &run);
        pager.checkpoint().unwrap();
    }
    let longest = file_pages(&pager);
    assert!(longest < 40 * 5, "{longest} pages");
    for (n, &page) in (0_u64..).zip(&pages) {
        assert_eq!(snapshot.page(page).unwrap().body()[..8], n.to_le_bytes());
    }
    let (later, run) = &later[0];
    for &page in run {
        assert_eq!(later.page(page).unwrap().body()[..8], 20_u64.to_le_bytes());
    }
}

#[test]
fn churn_of_runs_of_pages_settles_at_a_bounded_length() {
    let (_storage, pager) = new_file();
    let mut random = nanodb_sim::Random::new(5);
    let mut runs: Vec<Extent> = Vec::new();
    let mut longest = 0;
    for round in 0..60 {
        let mut tx = pager.begin();
        while runs.len() > 20 {
            tx.free_extent(runs.swap_remove(random.below(runs.len()))).unwrap();
        }
        tx.commit(&[]).unwrap();
        pager.checkpoint().unwrap();
        let mut tx = pager.begin();
        runs.extend((0..20).map(|_| tx.allocate_extent(1 + random.below(8) as u32).unwrap()));
        tx.commit(&[]).unwrap();
        pager.checkpoint().unwrap();
        if round > 3 {
            longest = longest.max(file_pages(&pager));
        }
    }
    let used: u64 = runs.iter().map(|run| u64::from(run.pages)).sum();
    assert!(longest < used * 3 / 2, "{longest} pages for some {used}");
    let all: Vec<PageId> =
        runs.iter().flat_map(|r| (0..r.pages).filter_map(|i| r.page(i))).collect();
    free(&pager, &all);
    pager.close().unwrap();
}
