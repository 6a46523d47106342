//! What keeps a file small and sound: moving documents, cutting, checking, figures.

pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod relocation_pass;
pub(crate) mod salvage;
pub(crate) mod shrink;
pub(crate) mod stats;
