#![doc = include_str!("../README.md")]

mod cache;
mod checkpoint;
mod dirty;
mod error;
mod free_map;
mod guard;
mod header;
mod ids;
mod installed;
mod notes;
mod options;
mod page;
mod pager;
mod publication;
mod snapshot;
mod snapshots;
mod stats;
mod storage;
mod stream;
mod table;
mod tx;

pub use dirty::DirtyRanges;
pub use error::{Corruption, Error, Result};
pub use guard::PageGuard;
pub use ids::{BODY_SIZE, Extent, Owner, PAGE_HEADER_SIZE, PAGE_SIZE, PageId, PageKind, Seq};
pub use installed::Installed;
pub use notes::NoteFolder;
pub use options::Options;
pub use pager::Pager;
pub use snapshot::Snapshot;
pub use stats::{Space, Stats};
pub use storage::{FileStorage, MemoryStorage, Storage};
pub use tx::{PageMut, TxPage, WriteTx};
