//! Collections, as handles.

use std::os::raw::c_char;

use super::entry;
use crate::memory::copy_out;
use crate::objects::{
    Target, insert_collection, remove_collection, with_collection, with_database,
};
use crate::types::{nanodb_buf, nanodb_collection, nanodb_db, nanodb_error, nanodb_status};

/// Returns the collection of that name, which need not exist yet: the first insert creates it. Each
/// call that writes to it is one commit.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_collection(
    db: nanodb_db,
    name: *const c_char,
    name_len: usize,
    collection: *mut nanodb_collection,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(collection)?;
        let name = arguments.text(name, name_len, "the name")?;
        let target = with_database(db, |database| {
            Ok(Target::Collection(database.collection(name), database.clone()))
        })?;
        out.set(insert_collection(target)?);
        Ok(())
    })
}

/// Returns the collection's name.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_collection_name(
    collection: nanodb_collection,
    name: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(name)?;
        out.set(with_collection(collection, |target| match target {
            Target::Collection(collection, _) => copy_out(collection.name().as_bytes()),
            Target::Snapshot(collection) => copy_out(collection.name().as_bytes()),
            Target::Transaction(_, name) => copy_out(name.as_bytes()),
        })?);
        Ok(())
    })
}

/// Frees the handle of a collection. The collection itself stays as it is.
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_collection_free(collection: nanodb_collection) {
    super::freeing(|| remove_collection(collection));
}
