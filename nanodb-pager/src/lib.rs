#![doc = include_str!("../README.md")]

mod application;
mod background;
mod cache;
mod call_gate;
mod checkpoint;
mod durability;
mod error;
mod file;
mod handle;
mod hash;
mod ids;
mod inventory;
mod leb128;
mod open;
mod open_report;
mod options;
mod pager;
mod process;
mod random;
mod salvage;
mod shared;
mod snapshot;
mod space;
mod sync;
mod temp_file;
mod txn;
mod wal;

pub use application::{Application, OtherFormat};
pub use cache::guard::PageGuard;
pub use call_gate::{CallGate, GatePass};
pub use checkpoint::hooks::CheckpointHooks;
pub use checkpoint::pages::{CheckpointPageReader, CheckpointPageWriter, CheckpointPages, PageTag};
pub use durability::Durability;
pub use error::{Corruption, Error, LogLoss, Result};
pub use file::sidecars::check_names_are_free;
pub use file::storage::{
    Access, FileId, FileStorage, LockHolder, LockHolders, LockWait, MemoryStorage, ReadOnly,
    Storage,
};
pub use hash::RandomState;
pub use ids::{BODY_SIZE, Extent, Owner, PAGE_HEADER_SIZE, PAGE_SIZE, PageId, PageKind, Seq};
pub use inventory::{PageInventory, Space, Stats};
pub use open_report::OpenReport;
pub use options::Options;
pub use pager::Pager;
pub use process::PerProcess;
pub use salvage::{FoundPage, Salvage, Unreadable};
pub use snapshot::Snapshot;
pub use temp_file::{TempBytes, TempFile};
pub use txn::dirty_ranges::DirtyRanges;
pub use txn::installed::InstalledCommit;
pub use txn::page::{PageMut, TxPage};
pub use txn::view::TxView;
pub use txn::write_tx::WriteTx;
