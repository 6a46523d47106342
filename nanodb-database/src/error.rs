//! The error of all verbs, and how it is made of what only this crate finds wrong.

use nanodb_collection::EngineError;
use nanodb_document::{DamagedDocument, ErrorBuilder, ErrorKind, IdRef};
use nanodb_query::UpdateError;

pub(crate) use nanodb_document::{Error, Result};

/// A stored document's bytes are not what was stored. Which document it is is said further up.
#[cold]
pub(crate) fn malformed() -> Error {
    DamagedDocument::default().into()
}

/// A document was to replace the one with the id `id`, and carries another.
#[cold]
pub(crate) fn id_mismatch(id: IdRef<'_>, found: IdRef<'_>) -> Error {
    let text =
        format!("the document has the id {found}, but is to replace the one with the id {id}");
    ErrorBuilder::new(ErrorKind::Invalid, text).id(id).into()
}

/// An update can't be applied to the document with that id; to one that was to be inserted, if
/// there is none.
#[cold]
pub(crate) fn update_failed(id: Option<IdRef<'_>>, why: UpdateError) -> Error {
    match id {
        Some(id) => {
            let text = format_args!("updating the document with the id {id}: ");
            ErrorBuilder::before(why.into(), text).id(id).into()
        }
        None => ErrorBuilder::before(why.into(), "updating the document to be inserted: ").into(),
    }
}

/// An operation of a bulk write, counted from 0, failed.
#[cold]
pub(crate) fn bulk_write(operation: usize, why: Error) -> Error {
    let text = format_args!("operation {operation} of the bulk write, counted from 0: ");
    ErrorBuilder::before(why, text).operation(operation).into()
}

/// A document is to be found and deleted, and a method was called that is for changes.
#[cold]
pub(crate) fn not_for_deletion(method: &str) -> Error {
    let text = format!(
        "`{method}` is for `find_one_and_update` and `find_one_and_replace`; \
         `find_one_and_delete` leaves no document"
    );
    ErrorBuilder::new(ErrorKind::Invalid, text).into()
}

/// A sort needed a temporary file, which could not be created, written or read.
#[cold]
pub(crate) fn sort_file(bytes_max: usize, why: nanodb_pager::Error) -> Error {
    let text = format_args!(
        "a sort of more than {bytes_max} bytes needs a temporary file; make room for it, give the \
         sort a limit, or allow it more memory: "
    );
    ErrorBuilder::before(EngineError::Storage(why).into(), text).into()
}

/// A projection leaves out the id that is to be returned.
#[cfg(feature = "serde")]
#[cold]
pub(crate) fn no_id() -> Error {
    let text = "the projection leaves out `_id`, which `with_ids` returns";
    ErrorBuilder::new(ErrorKind::Invalid, text).path("_id").into()
}

/// The key that a document is sorted by is too long.
#[cold]
pub(crate) fn sort_key_too_large(bytes: usize, bytes_max: u32) -> Error {
    let text =
        format!("the key that a document is sorted by has {bytes} bytes; {bytes_max} at most");
    ErrorBuilder::new(ErrorKind::TooLarge, text).into()
}
