//! What the tests share.

use std::sync::Arc;

use nanodb_pager::{CheckpointHooks, Error, Extent, Options, Owner, PageId, PageKind, Pager};
use nanodb_sim::SimStorage;

pub(crate) const KIND: PageKind = PageKind::FIRST_FREE;
pub(crate) const OWNER: Owner = Owner::new(7);

/// A root that is the metadata of all commits, one after the other: nothing lost, doubled or
/// reordered.
pub(crate) struct Concatenate;

impl CheckpointHooks for Concatenate {
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let mut root = root.to_vec();
        metadata.for_each(|note| root.extend_from_slice(note));
        Ok(root)
    }
}

/// How many pages the smallest cache holds.
pub(crate) const FRAMES: usize = 16;

/// Opens a further handle to `storage` with the smallest cache there is.
pub(crate) fn open(storage: &SimStorage) -> Result<Pager, Error> {
    let options = Options::default().cache_bytes_max(FRAMES * 4096).background(false);
    Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), options)
}

/// A new file in memory.
pub(crate) fn new_file() -> (SimStorage, Pager) {
    let storage = SimStorage::new();
    let pager = open(&storage).unwrap();
    (storage, pager)
}

/// Commits one new page that begins with `bytes`.
pub(crate) fn add_page(pager: &Pager, bytes: &[u8]) -> PageId {
    let mut tx = pager.begin();
    let page = tx.allocate(KIND, OWNER).unwrap();
    assert!(tx.page_mut(page).unwrap().write(0, bytes));
    tx.commit(&[]).unwrap();
    page
}

/// Commits other first bytes for a page.
pub(crate) fn change_page(pager: &Pager, page: PageId, bytes: &[u8]) -> nanodb_pager::Seq {
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().write(0, bytes));
    tx.commit(&[]).unwrap()
}

/// The first `N` bytes of a page's newest published version.
pub(crate) fn first_bytes<const N: usize>(pager: &Pager, page: PageId) -> Result<[u8; N], Error> {
    let guard = pager.page(page, pager.published())?;
    Ok(*guard.body().first_chunk().unwrap())
}

/// The numbers of all pages of some extents.
pub(crate) fn numbers(extents: &[Extent]) -> impl Iterator<Item = u32> + '_ {
    extents.iter().flat_map(|extent| {
        let start = extent.start.get();
        start..start + extent.pages
    })
}

/// Whether the long versions of the tests are asked for.
pub(crate) fn long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

/// Panics unless every page of the file is in exactly one place: free, pending, the
/// pager's own, or among `used`.
pub(crate) fn assert_space(pager: &Pager, used: impl IntoIterator<Item = u32>) {
    let space = pager.space();
    let mut all: Vec<u32> = used.into_iter().collect();
    for extents in [&space.free, &space.pending, &space.own] {
        all.extend(numbers(extents));
    }
    all.sort_unstable();
    let expected: Vec<u32> = (0..space.page_count).collect();
    assert_eq!(all, expected, "{space:?}");
}

/// Whether an error says that the disk is full.
pub(crate) fn is_full(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull)
}
