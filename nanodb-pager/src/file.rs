//! The file as bytes: what a storage can do, the header, pages and their checksums, streams of
//! pages, and the files beside it.

pub(crate) mod header;
pub(crate) mod page;
pub(crate) mod sidecars;
pub(crate) mod storage;
pub(crate) mod stream;
pub(crate) mod truncate;
