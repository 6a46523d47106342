//! Opening and closing a database, and what is done with all of it.

use std::os::raw::{c_char, c_void};
use std::path::PathBuf;

use nanodb::{Closed, CollectionInfo, Database, Document};

use super::entry;
use crate::failure::Result;
use crate::memory::copy_out;
use crate::objects::{OpenTransaction, with_database};
use crate::objects::{insert_database, insert_snapshot, insert_transaction, remove_database};
use crate::options;
use crate::output::List;
use crate::part::Format;
use crate::types::{
    nanodb_buf, nanodb_db, nanodb_error, nanodb_format, nanodb_snapshot, nanodb_status,
    nanodb_transaction,
};

/// Opens the database in a file, and creates the file if there is none.
///
/// `options` is a document in the format `format`, or null. Its fields, all of which may be left
/// out:
///
/// * `create` (true): whether a missing file is created;
/// * `read_only` (false): nothing is written; any number of processes may read a file at once, as
///   long as none has it open for writing;
/// * `durability` ("immediate"): what a write survives once the call has returned: "immediate" a
///   power failure, "buffered" the end of the process; "relaxed" writes do so within a second;
/// * `lock_timeout_ms` (0): how long to wait for others to close the file;
/// * `cache_bytes_max` (64 MiB): how many bytes of pages are kept in memory;
/// * `index_bytes_max`, `log_bytes_max`, `transaction_bytes_max`, `file_bytes_max`,
///   `relaxed_flush_interval_ms`, `background`, `allow_missing_log`: as the options of these names
///   in Rust.
///
/// A file that this process has open already is shared, with the options that it was first opened
/// with.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_open(
    path: *const c_char,
    path_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    db: *mut nanodb_db,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let db = arguments.out(db)?;
        let path = path_of(arguments.bytes(path, path_len, "the path")?)?;
        let format = Format::new(format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = options::opening(options, format)?;
        db.set(insert_database(options.open(path)?)?);
        Ok(())
    })
}

/// Creates a database that exists in memory only. `options` as in `nanodb_open`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_open_in_memory(
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    db: *mut nanodb_db,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let db = arguments.out(db)?;
        let format = Format::new(format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = options::opening(options, format)?;
        db.set(insert_database(options.in_memory()?)?);
        Ok(())
    })
}

/// Returns a path as the system has it: bytes on Unix, Unicode elsewhere.
#[cfg(unix)]
pub(crate) fn path_of(bytes: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(std::ffi::OsStr::from_bytes(bytes).into())
}

/// Returns a path as the system has it: bytes on Unix, Unicode elsewhere.
#[cfg(not(unix))]
pub(crate) fn path_of(bytes: &[u8]) -> Result<PathBuf> {
    Ok(crate::arguments::utf8(bytes, "the path")?.into())
}

/// Closes a database: writes everything into the file and unlocks it. One file is left.
///
/// Waits for calls of other threads. All that came from the database is closed with it: calls on
/// its collections, snapshots and cursors return `NANODB_CLOSED`, and open transactions are rolled
/// back. Their handles are still to be freed, and so is the database's.
///
/// `others`, which may be null, is how many other openings of the file in this process keep it
/// open.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_close(
    db: nanodb_db,
    others: *mut u64,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let others = arguments.optional_out(others)?;
        // The guard of the handle must not be held as long as this may wait.
        let database = with_database(db, |database| Ok(database.clone()))?;
        let count = match database.close()? {
            Closed::OthersHoldIt(count) => u64::try_from(count).unwrap_or(u64::MAX),
            _ => 0,
        };
        if let Some(others) = others {
            others.set(count);
        }
        Ok(())
    })
}

/// Frees the handle of a database. One that was not closed is closed as soon as all that came from
/// it is freed as well; what fails in that is not reported.
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_db_free(db: nanodb_db) {
    super::freeing(|| remove_database(db));
}

/// Returns where the file is, without links; nothing if the database is in memory.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_path(
    db: nanodb_db,
    path: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(path)?;
        let found = with_database(db, |database| Ok(database.path().map(PathBuf::from)))?;
        if let Some(found) = found {
            out.set(copy_out(found.as_os_str().as_encoded_bytes())?);
        }
        Ok(())
    })
}

/// Returns all collections by name, as an array of documents `{"name": ..., "count": ...}`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_collections(
    db: nanodb_db,
    format: nanodb_format,
    collections: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(collections)?;
        let format = Format::new(format)?;
        let all = with_database(db, |database| Ok(database.collections()?))?;
        out.set(list(&all, format)?);
        Ok(())
    })
}

/// Returns collections as an array.
pub(super) fn list(all: &[CollectionInfo], format: Format) -> Result<nanodb_buf> {
    let mut list = List::new(format);
    for info in all {
        let mut document = Document::new();
        document.insert("name", info.name.as_str());
        document.insert("count", info.count);
        list.push(|output| output.value(&document.into()))?;
    }
    list.finish()
}

/// Drops a collection and all of its documents. `dropped`, which may be null, is whether there was
/// one of that name.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_drop_collection(
    db: nanodb_db,
    name: *const c_char,
    name_len: usize,
    dropped: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let dropped = arguments.optional_out(dropped)?;
        let name = arguments.text(name, name_len, "the name")?;
        let was_there = with_database(db, |database| Ok(database.drop_collection(name)?))?;
        if let Some(dropped) = dropped {
            dropped.set(was_there);
        }
        Ok(())
    })
}

/// Renames a collection. Handles refer to names: those of the old name read as empty from then on.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_rename_collection(
    db: nanodb_db,
    from: *const c_char,
    from_len: usize,
    to: *const c_char,
    to_len: usize,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let from = arguments.text(from, from_len, "the old name")?;
        let to = arguments.text(to, to_len, "the new name")?;
        with_database(db, |database| Ok(database.rename_collection(from, to)?))
    })
}

/// Begins a transaction, which `nanodb_transaction_commit` or `nanodb_transaction_rollback` ends.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_begin(
    db: nanodb_db,
    transaction: *mut nanodb_transaction,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(transaction)?;
        let begun = with_database(db, |database| Ok(database.begin_write()))?;
        out.set(insert_transaction(OpenTransaction::new(begun).into())?);
        Ok(())
    })
}

/// Returns a view of all collections as they are now, which stays the same whatever is written
/// later. Old versions of what changes are kept as long as it exists.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_snapshot(
    db: nanodb_db,
    snapshot: *mut nanodb_snapshot,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(snapshot)?;
        let taken = with_database(db, |database| Ok(database.snapshot()))?;
        out.set(insert_snapshot(taken)?);
        Ok(())
    })
}

/// Returns once everything written so far would survive a power failure.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_sync(db: nanodb_db, error: *mut nanodb_error) -> nanodb_status {
    entry!(error, |_arguments| { with_database(db, |database| Ok(database.sync()?)) })
}

/// Writes everything that is in the log into the file, and syncs it.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_checkpoint(
    db: nanodb_db,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |_arguments| { with_database(db, |database| Ok(database.checkpoint()?)) })
}

/// Returns the database that a handle stands for.
pub(super) fn database(db: nanodb_db) -> Result<Database> {
    with_database(db, |database| Ok(database.clone()))
}
