//! Pages that the layer above saves in checkpoints.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nanodb_pager::{
    CheckpointHooks, CheckpointPageWriter, Corruption, Error, Extent, MemoryStorage, Options,
    Owner, PageId, PageKind, PageTag, Pager, Seq,
};
use nanodb_sim::{Failure, Fault, SimStorage};

use crate::support::{KIND, OWNER, add_page, change_page, first_bytes, is_full};

type HookError = Box<dyn std::error::Error + Send + Sync>;

const SAVED_KIND: PageKind = PageKind::new(18);
const SAVED_OWNER: Owner = Owner::new(9);

/// So many extents are kept; the oldest is freed for a new one.
const KEPT: usize = 3;

/// A root of the last commit's metadata, which is a number of eight bytes, and of saved extents:
/// each checkpoint saves one more, of one to four pages that say which number they belong to.
#[derive(Default)]
pub(crate) struct Saving {
    told: Mutex<Vec<(Vec<u8>, Seq)>>,
    saves: AtomicUsize,
}

/// What a root says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct SavedRoot {
    pub(crate) number: u64,
    pub(crate) saved: Vec<(Extent, PageTag, u64)>,
}

impl SavedRoot {
    pub(crate) fn decode(root: &[u8]) -> Self {
        let mut numbers =
            root.chunks_exact(8).map(|chunk| u64::from_le_bytes(*chunk.first_chunk().unwrap()));
        let number = numbers.next().unwrap_or_default();
        let numbers: Vec<u64> = numbers.collect();
        let saved = numbers.chunks_exact(4).map(|four| {
            let extent = Extent::new(PageId::new(four[0] as u32), four[1] as u32);
            (extent, mark(Seq::new(four[2])), four[3])
        });
        Self { number, saved: saved.collect() }
    }

    fn encode(&self) -> Vec<u8> {
        let saved = self.saved.iter().flat_map(|(extent, mark, number)| {
            [extent.start.get().into(), extent.pages.into(), mark.seq.get(), *number]
        });
        std::iter::once(self.number).chain(saved).flat_map(u64::to_le_bytes).collect()
    }

    /// How many pages it refers to.
    pub(crate) fn pages(&self) -> u32 {
        self.saved.iter().map(|(extent, ..)| extent.pages).sum()
    }

    /// Panics unless all checkpoint pages are as they were written.
    pub(crate) fn check(&self, pager: &Pager, what: &str) {
        for (extent, mark, number) in &self.saved {
            let read = pager.read_checkpoint_pages(*extent, *mark);
            let read = read.unwrap_or_else(|error| panic!("{what}: {extent:?}: {error}"));
            let found: Vec<[u8; 8]> =
                read.bodies().map(|body| *body.first_chunk().unwrap()).collect();
            let expected = number.to_le_bytes();
            assert_eq!(found, vec![expected; extent.pages as usize], "{what}: {extent:?}");
        }
    }
}

fn mark(seq: Seq) -> PageTag {
    PageTag { kind: SAVED_KIND, owner: SAVED_OWNER, seq }
}

fn last_number(root: u64, metadata: &mut dyn Iterator<Item = &[u8]>) -> u64 {
    metadata.last().map_or(root, |note| u64::from_le_bytes(*note.first_chunk().unwrap()))
}

impl CheckpointHooks for Saving {
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, HookError> {
        let mut root = SavedRoot::decode(root);
        root.number = last_number(root.number, metadata);
        Ok(root.encode())
    }

    fn save(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
        pages: &mut CheckpointPageWriter<'_>,
    ) -> Result<Vec<u8>, HookError> {
        self.saves.fetch_add(1, Ordering::Relaxed);
        let mut root = SavedRoot::decode(root);
        root.number = last_number(root.number, metadata);
        if root.saved.len() >= KEPT {
            let (extent, mark, number) = root.saved.remove(0);
            let read = pages.reader().read(extent, mark)?;
            assert!(read.bodies().all(|body| body[..8] == number.to_le_bytes()));
            pages.free(extent)?;
        }
        let wanted = 1 + root.number as u32 % 4;
        let taken = pages.take(wanted + 2)?;
        for page in (0..wanted).map(|index| taken.page(index).unwrap()) {
            pages.write(page, SAVED_KIND, SAVED_OWNER, |body| {
                body[..8].copy_from_slice(&root.number.to_le_bytes());
            })?;
        }
        pages.free(Extent::new(taken.page(wanted).unwrap(), 2))?;
        let extent = Extent::new(taken.start, wanted);
        root.saved.push((extent, mark(pages.seq()), root.number));
        Ok(root.encode())
    }

    fn after_checkpoint(&self, root: &[u8], seq: Seq) {
        self.told.lock().unwrap().push((root.to_vec(), seq));
    }
}

fn open(storage: &SimStorage, hooks: &Arc<Saving>) -> Pager {
    let options = Options::default().cache_bytes_max(32 * 4096).background(false);
    let hooks: Arc<dyn CheckpointHooks> = Arc::<Saving>::clone(hooks);
    Pager::open(Arc::new(storage.clone()), hooks, options).unwrap()
}

fn commit(pager: &Pager, number: u64) {
    let mut tx = pager.begin();
    tx.allocate(KIND, OWNER).unwrap();
    tx.commit(&number.to_le_bytes()).unwrap();
}

fn root(pager: &Pager) -> SavedRoot {
    SavedRoot::decode(&pager.space().metadata_root)
}

#[test]
fn saved_pages_stay_until_they_are_freed_and_their_place_is_used_again() {
    let (storage, hooks) = (SimStorage::new(), Arc::new(Saving::default()));
    let mut pager = open(&storage, &hooks);
    for number in 1..30 {
        commit(&pager, number);
        let before = root(&pager);
        pager.checkpoint().unwrap();
        let after = root(&pager);
        let freed = before.saved.iter().filter(|entry| !after.saved.contains(entry));
        assert_eq!(freed.count(), usize::from(number > 3));
        assert_eq!(after.number, number);
        let told = hooks.told.lock().unwrap().last().cloned();
        assert_eq!(told, Some((after.encode(), pager.published())));
        after.check(&pager, "after a checkpoint");
        if number % 7 == 0 {
            pager.close().unwrap();
            pager = open(&storage, &hooks);
            root(&pager).check(&pager, "after reopening");
        }
        let space = pager.space();
        let counted: u32 = [&space.free, &space.pending, &space.own]
            .into_iter()
            .flatten()
            .map(|extent| extent.pages)
            .sum();
        assert_eq!(counted + root(&pager).pages() + number as u32, space.page_count);
    }
    assert!(pager.space().page_count < 30 + 40);
}

#[test]
fn pages_that_were_not_saved_there_are_refused() {
    let (storage, hooks) = (SimStorage::new(), Arc::new(Saving::default()));
    let pager = open(&storage, &hooks);
    commit(&pager, 3);
    pager.checkpoint().unwrap();
    let root = root(&pager);
    let (extent, sound, _) = root.saved[0];
    for wrong in [
        PageTag { kind: PageKind::new(17), ..sound },
        PageTag { owner: Owner::new(8), ..sound },
        PageTag { seq: Seq::new(9), ..sound },
    ] {
        let error = pager.read_checkpoint_pages(extent, wrong).unwrap_err();
        assert!(
            matches!(error, Error::Corrupt(Corruption::CheckpointPage { page }) if page == extent.start)
        );
    }
    let behind = Extent::new(extent.start, u32::MAX);
    let error = pager.read_checkpoint_pages(behind, sound).unwrap_err();
    assert!(matches!(error, Error::Corrupt(Corruption::OutOfBounds { .. })), "{error:?}");
    // A page that a commit has written.
    let page = Extent::new(add_page(&pager, b"x"), 1);
    assert!(matches!(
        pager.read_checkpoint_pages(page, sound),
        Err(Error::Corrupt(_) | Error::Io { .. })
    ));
}

#[test]
fn a_disk_that_is_full_while_pages_are_saved_leaves_nothing_of_it() {
    let hooks = Arc::new(Saving::default());
    for call in 0.. {
        let storage = SimStorage::new();
        let pager = open(&storage, &hooks);
        for number in 1..6 {
            commit(&pager, number);
            pager.checkpoint().unwrap();
        }
        commit(&pager, 6);
        let before = root(&pager);
        let saves = hooks.saves.load(Ordering::Relaxed);
        storage.set_fault(Fault::once(call, Failure::NoSpace).for_ever());
        let Err(error) = pager.checkpoint() else {
            assert!(call > 3);
            break;
        };
        storage.clear_fault();
        if !is_full(&error) {
            // A sync or the header: those are final.
            assert!(matches!(error, Error::Poisoned { .. }));
            continue;
        }
        before.check(&pager, "after a full disk");
        commit(&pager, 7);
        pager.checkpoint().unwrap();
        let after = root(&pager);
        assert_eq!(after.number, 7);
        after.check(&pager, "after going on");
        assert!((1..=3).contains(&(hooks.saves.load(Ordering::Relaxed) - saves)));
        let space = pager.space();
        let listed = [&space.free, &space.pending, &space.own].into_iter().flatten();
        let counted: u32 = listed.map(|extent| extent.pages).sum();
        assert_eq!(counted + after.pages() + 7, space.page_count);
        pager.close().unwrap();
        root(&open(&storage, &hooks)).check(&open_again(&storage, &hooks), "after reopening");
    }
}

fn open_again(storage: &SimStorage, hooks: &Arc<Saving>) -> Pager {
    open(&SimStorage::from_files(storage.files()), hooks)
}

#[test]
fn in_memory_no_page_freed_lately_is_written_over_what_was_saved() {
    let hooks: Arc<dyn CheckpointHooks> = Arc::new(Saving::default());
    let options = Options::default().cache_bytes_max(32 * 4096).background(false);
    let pager = Pager::open(Arc::new(MemoryStorage::new()), hooks, options).unwrap();
    for number in 1..200_u64 {
        let page = add_page(&pager, &number.to_le_bytes());
        let mut tx = pager.begin();
        tx.free(page).unwrap();
        tx.commit(&number.to_le_bytes()).unwrap();
        if number % 3 == 0 {
            pager.checkpoint().unwrap();
            root(&pager).check(&pager, "in memory");
        }
    }
}

#[test]
fn the_checkpoint_reads_pages_as_of_the_commit_that_it_shows() {
    struct Reading(Mutex<Option<(PageId, [u8; 1])>>);

    impl CheckpointHooks for Reading {
        fn apply(
            &self,
            _: &[u8],
            _: &mut dyn Iterator<Item = &[u8]>,
        ) -> Result<Vec<u8>, HookError> {
            Ok(vec![1])
        }

        fn save(
            &self,
            root: &[u8],
            metadata: &mut dyn Iterator<Item = &[u8]>,
            pages: &mut CheckpointPageWriter<'_>,
        ) -> Result<Vec<u8>, HookError> {
            if let Some((page, found)) = &mut *self.0.lock().unwrap() {
                *found = *pages.page(*page)?.body().first_chunk().unwrap();
            }
            let foreign = pages.write(PageId::new(2), SAVED_KIND, SAVED_OWNER, |_| {});
            assert!(matches!(foreign, Err(Error::NotAllocated { .. })));
            self.apply(root, metadata)
        }
    }

    let hooks = Arc::new(Reading(Mutex::new(None)));
    let storage = SimStorage::new();
    let shared: Arc<dyn CheckpointHooks> = Arc::<Reading>::clone(&hooks);
    let pager = Pager::open(Arc::new(storage), shared, Options::default().background(false));
    let pager = pager.unwrap();
    let page = add_page(&pager, b"a");
    change_page(&pager, page, b"b");
    *hooks.0.lock().unwrap() = Some((page, [0]));
    pager.checkpoint().unwrap();
    assert_eq!(*hooks.0.lock().unwrap(), Some((page, *b"b")));
    assert_eq!(first_bytes(&pager, page).unwrap(), *b"b");
}
