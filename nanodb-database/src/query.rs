//! MongoDB's language on collections: searching, and changing what is found.
//!
//! The language itself is [`nanodb_query`]; here it meets pages and transactions:
//!
//! ```text
//! reads:  Find -> Plan -> Candidates (by ids, or all) -> the filter -> Sorted -> the projection -> Cursor
//! writes: a transaction -> Candidates -> the filter -> the update -> replace, delete or insert
//! ```

mod bulk;
mod candidates;
mod cursor;
mod distinct;
mod execution_stats;
mod find;
mod find_one_and_modify;
mod modify;
mod plan;
mod reads;
mod sorted;
mod source;
mod threads;
#[cfg(feature = "serde")]
mod typed;
mod writes;

pub use self::bulk::{BulkOperation, BulkWriteResult};
pub use self::cursor::Cursor;
pub(crate) use self::distinct::{count_by, distinct};
pub use self::execution_stats::ExecutionStats;
pub use self::find::Find;
pub use self::find_one_and_modify::FindOneAndModify;
pub use self::modify::UpdateResult;
pub use self::plan::{AccessPath, Plan};
pub use self::sorted::SORT_BYTES_MAX_DEFAULT;
pub(crate) use self::source::Source;
#[cfg(feature = "serde")]
pub(crate) use self::typed::with_id;
#[cfg(feature = "serde")]
pub use self::typed::{TypedCursor, TypedFind, TypedFindOneAndModify, WithIds};
