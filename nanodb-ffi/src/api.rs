//! The entries. A file for each group of them, in the order of the header.
//!
//! They are alike: the promise of the caller is taken ([`Arguments::new`]), out-parameters are made
//! zero, what was handed in is read, the work is done, and its result is written.
//!
//! [`Arguments::new`]: crate::arguments::Arguments::new

mod bulk;
mod by_id;
mod collection;
mod cursor;
mod database;
mod find_one_and;
mod insert;
mod library;
mod maintenance;
mod search;
mod snapshot;
mod transaction;
mod update;

pub(crate) use database::path_of;

pub use bulk::*;
pub use by_id::*;
pub use collection::*;
pub use cursor::*;
pub use database::*;
pub use find_one_and::*;
pub use insert::*;
pub use library::*;
pub use maintenance::*;
pub use search::*;
pub use snapshot::*;
pub use transaction::*;
pub use update::*;

/// Runs the work of an entry: `entry!(error, |arguments| { ... })`, which returns its status.
macro_rules! entry {
    ($error:expr, |$arguments:ident| $work:block) => {{
        // SAFETY: the pointers are those of this call, and its caller promises what the header
        // asks of them; they are used for no longer than it lasts.
        let arguments = unsafe { $crate::arguments::Arguments::new() };
        $crate::call::call(&arguments, $error, |$arguments| $work)
    }};
}

pub(crate) use entry;

/// Frees something. A panic has nowhere to be told.
fn freeing(free: impl FnOnce()) {
    if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(free)) {
        // Dropping what was thrown may throw again.
        std::mem::forget(panic);
    }
}
