//! A limit on the file's size, where the layer above saves whatever it gets room for.

use std::sync::Arc;

use nanodb_pager::{CheckpointHooks, CheckpointPageWriter, Error, Extent, Options, PageId, Pager};
use nanodb_sim::SimStorage;

use crate::saving::Saving;
use crate::support::{Concatenate, KIND, OWNER, change_page, new_file};

const PAGES_MAX: usize = 64;

/// Takes a few pages at a time, until there are no more, and gives back all of the checkpoint
/// before.
struct Greedy;

impl CheckpointHooks for Greedy {
    fn apply(
        &self,
        root: &[u8],
        _: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(root.to_vec())
    }

    fn save(
        &self,
        root: &[u8],
        _: &mut dyn Iterator<Item = &[u8]>,
        pages: &mut CheckpointPageWriter<'_>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let mut taken = Vec::new();
        for asked in (1..4).cycle().take(PAGES_MAX) {
            match pages.take(asked) {
                Ok(extent) => taken.push(extent),
                Err(error) if error.is_out_of_space() => break,
                Err(error) => return Err(error.into()),
            }
        }
        saved(root).into_iter().try_for_each(|extent| pages.free(extent))?;
        let numbers = taken.iter().flat_map(|extent| [extent.start.get(), extent.pages]);
        Ok(numbers.flat_map(u32::to_le_bytes).collect())
    }
}

/// What a root says was saved.
fn saved(root: &[u8]) -> Vec<Extent> {
    let number = |at: usize| u32::from_le_bytes(*root[at..].first_chunk().unwrap());
    let places = (0..root.len()).step_by(8);
    places.map(|at| Extent::new(PageId::new(number(at)), number(at + 4))).collect()
}

fn open(storage: &SimStorage, hooks: Arc<dyn CheckpointHooks>) -> Pager {
    let options = Options::default().file_bytes_max((PAGES_MAX * 4096) as u64).background(false);
    Pager::open(Arc::new(storage.clone()), hooks, options).unwrap()
}

#[test]
fn checkpoints_that_save_all_that_they_have_room_for_keep_to_the_limit() {
    let storage = SimStorage::new();
    let pager = open(&storage, Arc::new(Greedy));
    let mut most = 0;
    for round in 0..30 {
        let mut tx = pager.begin();
        for _ in 0..round % 4 {
            match tx.allocate(KIND, OWNER) {
                Ok(_) => {}
                Err(Error::QuotaExceeded { .. }) => break,
                Err(error) => panic!("{error:?}"),
            }
        }
        tx.commit(&[]).unwrap();
        pager.checkpoint().unwrap();
        most = most.max(saved(&pager.metadata_root()).iter().map(|extent| extent.pages).sum());
        let pages = storage.contents().len() / 4096;
        assert!(pages <= PAGES_MAX, "{pages} pages in round {round}");
    }
    assert!(most as usize > PAGES_MAX / 3, "{most} pages were saved at most");
}

/// Commits one page; whether there was room for it.
fn add(pager: &Pager, pages: &mut Vec<PageId>) -> bool {
    let mut tx = pager.begin();
    match tx.allocate(KIND, OWNER) {
        Ok(page) => pages.push(page),
        Err(Error::QuotaExceeded { .. }) => return false,
        Err(error) => panic!("{error:?}"),
    }
    tx.commit(&7_u64.to_le_bytes()).unwrap();
    true
}

#[test]
fn what_was_freed_a_moment_ago_is_had_before_the_limit_refuses() {
    let storage = SimStorage::new();
    let pager = open(&storage, Arc::new(Concatenate));
    let mut pages = Vec::new();
    for round in 0..10 {
        while add(&pager, &mut pages) {}
        pager.checkpoint().unwrap();
        while add(&pager, &mut pages) {}
        assert!(pages.len() > PAGES_MAX / 2, "{} pages", pages.len());
        // Too few for a checkpoint to be due.
        let mut tx = pager.begin();
        pages.drain(..6).for_each(|page| tx.free(page).unwrap());
        tx.commit(&[]).unwrap();
        let had = (0..3).all(|_| add(&pager, &mut pages));
        assert!(had, "round {round}: {:?}", pager.space());
        assert!(storage.contents().len() <= PAGES_MAX * 4096);
    }
}

#[test]
fn a_file_that_is_longer_than_its_limit_grows_by_no_more_than_its_checkpoints_need() {
    let (storage, pager) = new_file();
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..200).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    tx.commit(&[]).unwrap();
    pager.close().unwrap();
    let long = storage.contents().len();
    assert!(long > 200 * 4096);
    let pager = open(&storage, Arc::new(Concatenate));
    for (round, &page) in pages.iter().step_by(10).enumerate() {
        change_page(&pager, page, &[round as u8; 8]);
        pager.checkpoint().unwrap();
        assert!(!add(&pager, &mut Vec::new()), "round {round}");
        let now = storage.contents().len();
        assert!(now <= long + 16 * 4096, "round {round}: {now} of {long}");
    }
}

#[test]
fn who_makes_room_may_take_what_is_kept_back_for_what_is_saved() {
    let storage = SimStorage::new();
    let pager = open(&storage, Arc::new(Saving::default()));
    let mut pages = Vec::new();
    for _ in 0..4 {
        assert!(add(&pager, &mut pages));
        pager.checkpoint().unwrap();
    }
    while add(&pager, &mut pages) {}
    let mut tx = pager.begin();
    tx.may_use_reserve();
    tx.allocate(KIND, OWNER).unwrap();
    tx.commit(&7_u64.to_le_bytes()).unwrap();
    pager.checkpoint().unwrap();
    assert!(storage.contents().len() <= PAGES_MAX * 4096);
}
