//! MongoDB's language on collections: searching, and changing what is found.
//!
//! The language itself is [`nanodb_query`]; here it meets pages and transactions:
//!
//! ```text
//! reads:  Find -> Candidates (by ids, or all) -> the filter -> Sorted -> the projection -> Found
//! writes: a transaction -> Candidates -> the filter -> the update -> replace, delete or insert
//! ```

mod bulk;
mod candidates;
mod explain;
mod find;
mod find_and;
mod found;
mod modify;
mod reads;
mod sorted;
mod source;
mod threads;
mod typed;
mod writes;

pub use self::bulk::{BulkOperation, BulkWritten};
pub use self::explain::{Explain, Way};
pub use self::find::Find;
pub use self::find_and::FindAnd;
pub use self::found::Found;
pub use self::modify::Updated;
pub use self::sorted::SORT_BYTES_MAX_DEFAULT;
pub use self::typed::{TypedFind, TypedFound};
