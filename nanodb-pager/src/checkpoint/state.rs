//! What a checkpoint knows: what the file says, and how far one has come that is under way.

use std::sync::Arc;

use crate::cache::dirty_page::DirtyPage;
use crate::checkpoint::double_write;
use crate::checkpoint::notes::Notes;
use crate::error::Corruption;
use crate::file::header::Header;
use crate::file::page::Frame;
use crate::ids::{Extent, PageId, Seq};
use crate::space::change::SpaceChange;
use crate::space::free_map::FreeMap;
use crate::wal::Lsn;

/// What the file on disk says.
pub(crate) struct Checkpointed {
    pub(crate) header: Header,
    pub(crate) root: Arc<[u8]>,
    /// What is free as of the checkpoint.
    pub(crate) free: FreeMap,
    /// The pages that hold the root and the free map.
    pub(crate) streams: Vec<Extent>,
    /// The free map in the file is damaged; `free` was made anew.
    pub(crate) lost_map: Option<LostMap>,
    /// How many pages the last checkpoint has taken for itself and the layer above.
    pub(crate) taken_pages: u32,
    /// Where the next batch of the side area goes.
    pub(crate) side: double_write::Tail,
    /// The checkpoint that a full disk has stopped.
    pub(crate) under_way: Option<UnderWay>,
}

/// How much a checkpoint is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CheckpointUrgency {
    None,
    Due,
    /// Commits are to wait for it.
    Blocking,
}

/// A checkpoint: what it has taken over from the commits, and how far it has come.
pub(crate) struct UnderWay {
    pub(crate) seq: Seq,
    pub(crate) notes: Notes,
    pub(crate) space: Vec<SpaceChange>,
    /// In order.
    pub(crate) dirty: Vec<DirtyPage>,
    /// Whether these are the pages that recovery left to be put together.
    pub(crate) recovered: bool,
    /// The number that the pages' slots carry for this checkpoint.
    pub(crate) number: u64,
    /// The end of the old log.
    pub(crate) logged: Lsn,
    pub(crate) log_generation: u64,
    pub(crate) placed: Option<Placed>,
    /// By how many bytes commits that it shows can have made the root longer.
    pub(crate) grown: usize,
    /// How many of the dirty pages have their images in the side area.
    pub(crate) imaged: usize,
    /// How many of them have been written in place.
    pub(crate) written: usize,
}

/// Where a checkpoint's root and free map go.
pub(crate) struct Placed {
    pub(crate) header: Header,
    pub(crate) root: Arc<[u8]>,
    pub(crate) free: FreeMap,
    pub(crate) streams: Vec<Extent>,
    /// The pages that the layer above has taken and written, and those that it gives back.
    pub(crate) saved: Vec<Extent>,
    pub(crate) freed: Vec<Extent>,
    /// The pages; none once they are written.
    pub(crate) frames: Vec<(PageId, Frame)>,
}

impl UnderWay {
    pub(crate) fn notes(&self) -> impl Iterator<Item = &[u8]> {
        self.notes.iter()
    }

    /// The pages that it has taken: for its root and free map, and for the layer above.
    pub(crate) fn taken(&self) -> impl Iterator<Item = Extent> + '_ {
        let placed = self.placed.iter();
        placed.flat_map(|placed| placed.saved.iter().chain(&placed.streams).copied())
    }
}

/// A map that is damaged, until a checkpoint saves another.
pub(crate) struct LostMap {
    pub(crate) why: Corruption,
    /// The page that failed, which may be sound the next time it is read.
    pub(crate) unread: Option<PageId>,
}
