//! Pages in memory: the newest versions, older ones that snapshots want, and what goes when memory
//! is short.

mod budget;
pub(crate) mod clock;
pub(crate) mod dirty_page;
pub(crate) mod guard;
mod load;
pub(crate) mod page_table;
pub(crate) mod snapshot_registry;
pub(crate) mod spare_frames;
pub(crate) mod state;
pub(crate) mod version_file;
