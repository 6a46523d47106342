//! The errors, which are the engine's.

pub use nanodb_collection::{CatalogError, Error, ErrorKind, Result, StorageError};
