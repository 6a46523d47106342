#![doc = include_str!("../README.md")]

mod beside;
mod budget;
mod cache;
mod checkpoint;
mod cut;
mod direct;
mod dirty;
mod durability;
mod error;
mod frames;
mod free_map;
mod guard;
mod header;
mod ids;
mod installed;
mod leb128;
mod log;
mod logging;
mod notes;
mod opened;
mod options;
mod page;
mod pager;
mod pages;
mod process;
mod publication;
mod quota;
mod recovery;
mod remade;
mod report;
mod reserve;
mod salvage;
mod scratch;
mod service;
mod shorten;
mod side;
mod snapshot;
mod snapshots;
mod stats;
mod storage;
mod stream;
mod sync;
mod table;
mod temporary;
mod tx;

pub use checkpoint::{CheckpointPages, SavedMark, SavedPages, SavedReader};
pub use dirty::DirtyRanges;
pub use durability::Durability;
pub use error::{Corruption, Error, LogLoss, Result};
pub use guard::PageGuard;
pub use ids::{BODY_SIZE, Extent, Owner, PAGE_HEADER_SIZE, PAGE_SIZE, PageId, PageKind, Seq};
pub use installed::Installed;
pub use notes::NoteFolder;
pub use options::Options;
pub use pager::Pager;
pub use report::OpenReport;
pub use salvage::{FoundPage, Salvage, Unreadable};
pub use snapshot::Snapshot;
pub use stats::{Census, Space, Stats};
pub use storage::{
    Access, FileId, FileStorage, LockHolder, LockHolders, LockWait, MemoryStorage, ReadOnly,
    Storage,
};
pub use temporary::{TemporaryBytes, TemporaryFile};
pub use tx::{PageMut, TxPage, TxView, WriteTx};
