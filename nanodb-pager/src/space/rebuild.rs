//! A free map made anew, where the one in the file is damaged.
//!
//! All that the map says follows from the root: free is what neither the layer above uses by
//! it nor the pager for itself. So a damaged page of it keeps nobody from opening the file, as long
//! as the layer above [tells](crate::CheckpointHooks::extents_in_use) what is in use. What the logs
//! took and gave back since is added as always, and the next checkpoint saves the map.
//!
//! # Until that checkpoint
//!
//! The header leads to the damaged map, and whoever opens the file then must find it as damaged: a
//! chain that is half old and half new might say anything. So the pages of it that can be read stay
//! in use, and so does the first one that can't. That one may be readable again the next time, and
//! lead to pages which nobody could know of, and in which a checkpoint that was interrupted has
//! left a part of another stream. Therefore it is overwritten with zeros before the first
//! checkpoint takes any page. Whatever else is written to those pages is no part of a stream, and
//! says so.

use crate::checkpoint::hooks::CheckpointHooks;
use crate::checkpoint::state::{DiskState, LostMap};
use crate::error::{Corruption, Error, Result};
use crate::file::header::{HEADER_PAGES, Header};
use crate::file::page::Checksummer;
use crate::file::storage::Storage;
use crate::file::stream::{self, Chain};
use crate::ids::{Extent, PAGE_SIZE, PageId};
use crate::shared::Shared;
use crate::space::free_map::FreeMap;

/// The free map as of the last checkpoint.
pub(crate) struct FreeMapSource {
    pub(crate) free: FreeMap,
    /// The pages of the root and, as far as they are known, of the map.
    pub(crate) streams: Vec<Extent>,
    /// Why the map in the file does not serve.
    pub(crate) lost: Option<LostMap>,
}

/// Reads the free map that the header names, or makes it anew from `root`, which is the
/// checkpoint's and lies on `root_pages`.
///
/// # Errors
///
/// What is wrong with the map, if the layer above does not say what is in use;
/// [`Corruption::OutOfBounds`] or [`Corruption::InUseTwice`] if that can't be.
pub(crate) fn find(
    storage: &dyn Storage,
    header: &Header,
    checksummer: Checksummer,
    hooks: &dyn CheckpointHooks,
    root: &[u8],
    root_pages: Vec<Extent>,
) -> Result<FreeMapSource> {
    let mut chain = Chain::default();
    let (place, page_count) = (header.free_map, header.page_count);
    let decoded = chain
        .read(storage, "free map", place, page_count, header.seq, checksummer)
        .and_then(|()| Ok(FreeMap::decode(&chain.bytes, page_count)?));
    let mut streams = root_pages;
    let error = match decoded {
        Ok(free) => {
            streams.append(&mut chain.pages);
            return Ok(FreeMapSource { free, streams, lost: None });
        }
        Err(error) => error,
    };
    let page = chain.reading.unwrap_or(PageId::new(place.page));
    let why = match &error {
        Error::Corrupt(corruption) => corruption.to_string(),
        Error::Io { source, .. } => format!("{page} can't be read: {source}"),
        _ => return Err(error),
    };
    let Ok(Some(in_use)) = hooks.extents_in_use(root) else { return Err(error) };
    let mut free = all_free(page_count)?;
    for extent in streams.iter().copied().chain(in_use) {
        allocate_at(&mut free, extent)?;
    }
    let unread = chain.reading.filter(|&page| free.allocate_at(Extent::new(page, 1)));
    let read = chain
        .pages
        .into_iter()
        .flat_map(|extent| (0..extent.pages).filter_map(move |index| extent.page(index)));
    let read = read.filter(|&page| free.allocate_at(Extent::new(page, 1))).chain(unread);
    read.for_each(|page| stream::push_page(&mut streams, page));
    let lost = Some(LostMap { why: Corruption::FreeMapLost { page, why }, unread });
    Ok(FreeMapSource { free, streams, lost })
}

/// A file in which only the header is in use.
fn all_free(page_count: u32) -> Result<FreeMap> {
    let mut free = FreeMap::new(HEADER_PAGES);
    free.lengthen(page_count.saturating_sub(HEADER_PAGES))?;
    Ok(free)
}

fn allocate_at(free: &mut FreeMap, extent: Extent) -> Result<(), Corruption> {
    let page_count = free.page_count();
    if extent.end() > u64::from(page_count) {
        let page = PageId::new(extent.start.get().max(page_count));
        return Err(Corruption::OutOfBounds { page, page_count });
    }
    if extent.pages == 0 || free.allocate_at(extent) {
        return Ok(());
    }
    let mut pages = (0..extent.pages).filter_map(|index| extent.page(index));
    let page = pages.find(|&page| !free.allocate_at(Extent::new(page, 1)));
    Err(Corruption::InUseTwice { page: page.unwrap_or(extent.start) })
}

impl Shared {
    /// Makes sure that a damaged map stays so, whatever is written elsewhere. Before a checkpoint
    /// takes any page.
    pub(crate) fn bury_lost_map(&self, on_disk: &mut DiskState) -> Result<()> {
        let Some(lost) = &mut on_disk.lost_map else { return Ok(()) };
        let Some(page) = lost.unread else { return Ok(()) };
        self.check_writable()?;
        let doing = || format!("overwriting {page}, a damaged part of the free map");
        self.storage
            .write_at(&[0; PAGE_SIZE], page.offset())
            .map_err(|e| self.write_failed(Error::io(doing(), e)))?;
        self.storage.sync().map_err(|e| self.poison(Error::io("syncing the file", e)))?;
        lost.unread = None;
        Ok(())
    }
}
