//! Snapshots.

use std::os::raw::c_char;

use super::{database, entry};
use crate::objects::{Target, insert_collection, remove_snapshot, with_snapshot};
use crate::part::Format;
use crate::types::{
    nanodb_buf, nanodb_collection, nanodb_error, nanodb_format, nanodb_snapshot, nanodb_status,
};

/// Returns the collection that had this name; one that did not exist reads as empty. It has the
/// verbs that read; those that write return `NANODB_READ_ONLY`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_snapshot_collection(
    snapshot: nanodb_snapshot,
    name: *const c_char,
    name_len: usize,
    collection: *mut nanodb_collection,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(collection)?;
        let name = arguments.text(name, name_len, "the name")?;
        let found = with_snapshot(snapshot, |snapshot| Ok(snapshot.collection(name)))?;
        out.set(insert_collection(Target::Snapshot(found))?);
        Ok(())
    })
}

/// Returns the collections that existed; see `nanodb_db_collections`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_snapshot_collections(
    snapshot: nanodb_snapshot,
    format: nanodb_format,
    collections: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(collections)?;
        let format = Format::new(format)?;
        let all = with_snapshot(snapshot, |snapshot| Ok(snapshot.collections()?))?;
        out.set(database::list(&all, format)?);
        Ok(())
    })
}

/// Frees the handle of a snapshot. Its collections and cursors keep the view alive.
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_snapshot_free(snapshot: nanodb_snapshot) {
    super::freeing(|| remove_snapshot(snapshot));
}
