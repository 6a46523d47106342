//! Which pages are free, who may have them, and what is kept back for a full disk.

pub(crate) mod change;
pub(crate) mod free_map;
mod pending;
pub(crate) mod quota;
pub(crate) mod rebuild;
pub(crate) mod reserve;
pub(crate) mod runs;
pub(crate) mod state;
pub(crate) mod truncated_pages;
pub(crate) mod unlogged;
