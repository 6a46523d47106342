//! NanoDB for Python: the module `nanodb._nanodb`, which the package `nanodb` is written on.
//!
//! The package has MongoDB's arguments, cursors and results; this module has what must be fast, or
//! must wait without holding up Python's other threads.
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | `python` | classes and objects of Python's that are asked for again and again |
//! | `scalars` | `ObjectId`, `Timestamp`, `Ext` |
//! | `encode`, `refusal` | from Python's objects to documents in MessagePack; why that fails |
//! | `decode`, `keys` | from stored documents to `dict`s, whose keys are shared |
//! | `arrow` | from stored documents to tables of Apache Arrow |
//! | `failure` | from errors to exceptions |
//! | `process` | which process a handle is of |
//! | `database`, `collection`, `cursor`, `transaction`, `snapshot` | the handles |
//! | `query`, `write`, `bulk` | arguments of searches; changes; several of them in one call |
//!
//! # Invariants
//!
//! 1. Whatever may wait, for a lock or for the disk, runs with the interpreter released
//!    ([`pyo3::Python::detach`]). No lock of ours is held while Python's objects are made or read.
//! 2. While a `dict` is walked over, no code of Python's runs that could change it: values that
//!    need such code make the walk begin again, over a list of its items.
//! 3. A process that was forked neither uses nor lets go of what its parent has opened.

mod arrow;
mod bulk;
mod collection;
mod cursor;
mod database;
mod decode;
mod encode;
mod failure;
mod keys;
mod process;
mod python;
mod query;
mod refusal;
mod scalars;
mod snapshot;
mod transaction;
mod write;

/// The part of the package `nanodb` that is written in Rust. Programs use the package.
#[pyo3::pymodule]
mod _nanodb {
    #[pymodule_export]
    use super::collection::RawCollection;
    #[pymodule_export]
    use super::cursor::RawCursor;
    #[pymodule_export]
    use super::database::{RawDatabase, open};
    #[pymodule_export]
    use super::process::after_fork_in_child;
    #[pymodule_export]
    use super::scalars::{Ext, ObjectId, Timestamp};
    #[pymodule_export]
    use super::snapshot::RawSnapshot;
    #[pymodule_export]
    use super::transaction::RawTransaction;

    #[pymodule_export]
    const DOCUMENT_BYTES_MAX: usize = nanodb::DOCUMENT_BYTES_MAX;
    #[pymodule_export]
    const COLLECTION_NAME_BYTES_MAX: usize = nanodb::COLLECTION_NAME_BYTES_MAX;
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
