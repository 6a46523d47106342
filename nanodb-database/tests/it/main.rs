//! The crate's tests from outside, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bulk_write;
mod check;
mod compaction;
mod concurrent_crash;
mod crash;
mod damage;
mod edges;
mod faults;
mod flush;
mod found;
mod full_disk;
mod import_go;
mod index;
mod index_crash;
mod moves;
mod queries;
mod quota;
mod search_threads;
mod sorting;
mod space;
mod thread_end;
mod transactions;
mod unpublished;
mod verbs;

use nanodb_database::Error;
use nanodb_document::ErrorParts as _;

/// The error that an error was made of, if it is of that type.
fn internal<E: std::error::Error + 'static>(error: &Error) -> Option<&E> {
    error.internal().and_then(|internal| internal.downcast_ref())
}

/// Whether a document was to replace one with another id.
fn is_id_mismatch(error: &Error) -> bool {
    error.kind() == nanodb_database::ErrorKind::Invalid
        && error.to_string().contains("but is to replace the one with the id")
}
