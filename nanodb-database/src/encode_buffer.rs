//! The buffer that documents are encoded in before anything is locked.

use std::cell::Cell;

use nanodb_collection::{Failure, Statement};
use nanodb_document::{DocumentError, Draft, Encode, Id, IdRef, Key, same_key};

use crate::error::{Result, id_mismatch};

/// Returns the id of a draft that has one.
pub(crate) fn id_of(draft: Draft, buffer: &[u8]) -> Result<Id> {
    let id = draft.key(buffer).and_then(Id::from_key);
    // Every draft has one by now.
    id.ok_or_else(|| DocumentError::Malformed { offset: 0 }.into())
}

/// Encodes what is to be stored in place of the document with an id.
pub(crate) fn replacement(
    id: IdRef<'_>,
    key: &Key,
    document: impl Encode,
    buffer: &mut Vec<u8>,
) -> Result<Draft> {
    let draft = document.encode(Some(id), buffer)?;
    if !draft.key(buffer).is_some_and(|found| same_key(found, key)) {
        let found = id_of(draft, buffer)?;
        return Err(id_mismatch(id, found.as_ref()));
    }
    Ok(draft)
}

/// Stores a document with that key; returns whether it took another's place.
pub(crate) fn put(
    statement: &mut Statement<'_>,
    collection: &str,
    key: &Key,
    draft: &mut Draft,
    buffer: &mut [u8],
) -> Result<bool, Failure> {
    if statement.replace(key, draft.record(buffer))? {
        return Ok(true);
    }
    statement.insert(collection, std::slice::from_mut(draft), buffer).map(|()| false)
}

/// The most bytes that a thread keeps between calls.
const BUFFER_BYTES_KEPT_MAX: usize = 1 << 20;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the thread's buffer, empty. It is taken out meanwhile, so that an [`Encode`]
/// that comes back here finds another.
pub(crate) fn with_buffer<T>(use_it: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    // The destructor of another local of the thread may come here when this one is gone.
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
    buffer.clear();
    let result = use_it(&mut buffer);
    if buffer.capacity() <= BUFFER_BYTES_KEPT_MAX {
        let _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
    result
}
