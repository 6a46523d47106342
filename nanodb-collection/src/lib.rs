//! The engine: collections of documents on top of pages, slots and the id index.
//!
//! An [`Engine`] is what all openings of a file share, an [`Opening`] what the handles of one do.
//! Handles, queries and everything that users see is above, in the crate `nanodb-database`; what is
//! public here is for that crate.
//!
//! # The rooms
//!
//! From the ground up; a room uses only those above it in this list, which a test holds.
//!
//! | room | what |
//! |---|---|
//! | `application`, `error`, `ids` | whose files these are; what can go wrong; the numbers of collections |
//! | `reclaim` | what is kept for snapshots, and let go with them |
//! | `pages` | documents on pages |
//! | `catalog::{varint, edit, manifest}` | what the file keeps besides pages, as bytes |
//! | `id_index` | from an id to a record id |
//! | `lock` | whose turn it is to write |
//! | `store` | one collection: who sees what when |
//! | `catalog::{binding, names, reservation}` | what names mean |
//! | `write` | a write, told from top to bottom: lock, statement, commit |
//! | `catalog` | making, dropping, renaming |
//! | `maintenance::{relocation_pass, shrink}` | moving documents toward the front of the file |
//! | `checkpoint` | what a checkpoint saves of all that |
//! | `open_files`, `engine` | one engine for a file and process |
//! | `opening` | what one opening has given, until it is closed |
//! | `read_view`, `scan`, `txn` | reading as of one moment; several writes as one |
//! | `maintenance` | checking, compacting, salvaging, figures |

mod application;
mod catalog;
mod checkpoint;
mod engine;
mod error;
mod id_index;
mod ids;
mod lock;
mod maintenance;
mod open_files;
mod opening;
mod pages;
mod read_view;
mod reclaim;
mod scan;
mod store;
#[cfg(test)]
mod testing;
mod txn;
mod write;

pub use application::APPLICATION;
pub use catalog::binding::NameBinding;
pub use engine::Engine;
pub use error::{CatalogError, EngineError, OfDocument, Result};
pub use ids::{ASSIGNED_ID_MAX, COLLECTION_NAME_BYTES_MAX};
pub use maintenance::check::{CheckProgress, CheckReport, Problem, ProblemKind, why};
pub use maintenance::compact::CompactProgress;
pub use maintenance::salvage::{
    SalvageMode, SalvageReport, Salvaged, SalvagedCollection, is_lost, salvage_pages,
};
pub use maintenance::stats::{CollectionStats, Stats};
pub use nanodb_index::RecordId;
pub use nanodb_pager::{Durability, OpenReport};
pub use open_files::{OpenFile, OpenFiles};
pub use opening::{Call, Closed, Opening};
pub use pages::stored_doc::{StoredDoc, until};
pub use read_view::ReadView;
pub use scan::{Scan, ScanIter};
pub use store::Store;
pub use txn::Txn;
pub use write::statement::{Failure, Statement};
