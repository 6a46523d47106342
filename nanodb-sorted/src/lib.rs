#![doc = include_str!("../README.md")]

mod bytes;
mod delta;
mod error;
mod filter;
mod inner;
mod leaf;
mod merge;
mod operation;
mod pages;
mod range;
mod record_id;
mod run;
mod saved;
mod view;

pub use delta::{Delta, Pending};
pub use error::{Damage, DamagedPage, Refused};
pub use merge::{MergeCursor, RunMerge};
pub use operation::{Effect, KEY_LEN_MAX, Operation};
pub use pages::{BODY_LEN, NewPages, PageKind, Pages};
pub use range::KeyRange;
pub use record_id::RecordId;
pub use run::{Extent, Run, RunBuilder, RunCursor, RunFilter, verify_run};
pub use saved::{OperationReader, OperationWriter, SavedPageBuilder, decode_saved_page};
pub use view::IndexView;
