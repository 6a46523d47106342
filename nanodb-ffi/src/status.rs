//! Status codes: what a call returns, as a number that never changes.
//!
//! The numbers up to 99 are those of [`ErrorKind`], in its order; what only this interface knows
//! has numbers from 100 up. A number that was given out keeps its meaning; new kinds get new ones.

use std::ffi::CStr;
use std::os::raw::c_char;

use nanodb::ErrorKind;

use crate::types::nanodb_status;

/// The call did what it is for.
pub const NANODB_OK: i32 = 0;
/// A document, an id, a name, a filter or an update breaks a rule: change it.
pub const NANODB_INVALID: i32 = 1;
/// The id is taken: choose another, or replace the document.
pub const NANODB_DUPLICATE_ID: i32 = 2;
/// There is no such collection: check the name.
pub const NANODB_NOT_FOUND: i32 = 3;
/// The name is taken: choose another, or drop the collection.
pub const NANODB_ALREADY_EXISTS: i32 = 4;
/// A value is of another type than the one asked for.
pub const NANODB_WRONG_TYPE: i32 = 5;
/// A number has reached its maximum: give documents ids of their own, or go on in another file.
pub const NANODB_EXHAUSTED: i32 = 6;
/// The file would grow beyond its limit: delete something, or raise `file_bytes_max`.
pub const NANODB_QUOTA_EXCEEDED: i32 = 7;
/// Two transactions deadlocked, and this one was rolled back: run it again.
pub const NANODB_CONFLICT: i32 = 8;
/// The transaction has ended, or failed before: begin another.
pub const NANODB_TRANSACTION_OVER: i32 = 9;
/// One call or transaction exceeds a limit: split it, or raise `transaction_bytes_max`.
pub const NANODB_TOO_LARGE: i32 = 10;
/// The file is damaged: `nanodb_db_check` lists the damage; the rest of the data stays readable.
pub const NANODB_DAMAGED: i32 = 11;
/// The file is open elsewhere in a way that excludes this one, or the handle is one of the process
/// that this one was forked from.
pub const NANODB_LOCKED: i32 = 12;
/// The database was closed, or the handle was freed.
pub const NANODB_CLOSED: i32 = 13;
/// The database is open read-only, or the collection is one of a snapshot.
pub const NANODB_READ_ONLY: i32 = 14;
/// The file holds something else: check the path.
pub const NANODB_NOT_A_DATABASE: i32 = 15;
/// The file was written by a newer version: update this library.
pub const NANODB_NEWER_FORMAT: i32 = 16;
/// The file was written by an older version: export its documents with that version.
pub const NANODB_OLDER_FORMAT: i32 = 17;
/// A file is not where it belongs, as a database without its log: move the file that the text
/// names.
pub const NANODB_MISPLACED: i32 = 18;
/// The operating system refused a read or a write.
pub const NANODB_IO: i32 = 19;
/// An earlier write failed, so nothing more is written: open the database again.
pub const NANODB_POISONED: i32 = 20;
/// The program has broken a rule of this interface: a null pointer, a length that cannot be, a
/// handle of another type or one that was never given out.
pub const NANODB_MISUSE: i32 = 100;
/// The progress callback has stopped the call.
pub const NANODB_CANCELLED: i32 = 101;
/// The library has a bug, which the text describes. What the call was to write is not written in
/// part; the database can still be used, and is best opened again.
pub const NANODB_PANIC: i32 = 102;
/// An error of a kind that this version of the interface has no number for.
pub const NANODB_OTHER: i32 = 103;

/// Returns the number of a kind of error.
pub(crate) fn of_kind(kind: ErrorKind) -> nanodb_status {
    match kind {
        ErrorKind::Invalid => NANODB_INVALID,
        ErrorKind::DuplicateId => NANODB_DUPLICATE_ID,
        ErrorKind::NotFound => NANODB_NOT_FOUND,
        ErrorKind::AlreadyExists => NANODB_ALREADY_EXISTS,
        ErrorKind::WrongType => NANODB_WRONG_TYPE,
        ErrorKind::Exhausted => NANODB_EXHAUSTED,
        ErrorKind::QuotaExceeded => NANODB_QUOTA_EXCEEDED,
        ErrorKind::Conflict => NANODB_CONFLICT,
        ErrorKind::TransactionOver => NANODB_TRANSACTION_OVER,
        ErrorKind::TooLarge => NANODB_TOO_LARGE,
        ErrorKind::Damaged => NANODB_DAMAGED,
        ErrorKind::Locked => NANODB_LOCKED,
        ErrorKind::Closed => NANODB_CLOSED,
        ErrorKind::ReadOnly => NANODB_READ_ONLY,
        ErrorKind::NotADatabase => NANODB_NOT_A_DATABASE,
        ErrorKind::NewerFormat => NANODB_NEWER_FORMAT,
        ErrorKind::OlderFormat => NANODB_OLDER_FORMAT,
        ErrorKind::Misplaced => NANODB_MISPLACED,
        ErrorKind::Io => NANODB_IO,
        ErrorKind::Poisoned => NANODB_POISONED,
        _ => NANODB_OTHER,
    }
}

/// Returns the name of a status, and a sentence for it.
fn described(status: nanodb_status) -> (&'static CStr, &'static CStr) {
    match status {
        NANODB_OK => (c"NANODB_OK", c"done"),
        NANODB_INVALID => {
            (c"NANODB_INVALID", c"a document, an id, a name, a filter or an update breaks a rule")
        }
        NANODB_DUPLICATE_ID => (c"NANODB_DUPLICATE_ID", c"the id is taken"),
        NANODB_NOT_FOUND => (c"NANODB_NOT_FOUND", c"there is no such collection"),
        NANODB_ALREADY_EXISTS => (c"NANODB_ALREADY_EXISTS", c"the name is taken"),
        NANODB_WRONG_TYPE => (c"NANODB_WRONG_TYPE", c"a value is of another type"),
        NANODB_EXHAUSTED => (c"NANODB_EXHAUSTED", c"a number has reached its maximum"),
        NANODB_QUOTA_EXCEEDED => {
            (c"NANODB_QUOTA_EXCEEDED", c"the file would grow beyond its limit")
        }
        NANODB_CONFLICT => (c"NANODB_CONFLICT", c"the transaction lost a deadlock: run it again"),
        NANODB_TRANSACTION_OVER => (c"NANODB_TRANSACTION_OVER", c"the transaction has ended"),
        NANODB_TOO_LARGE => (c"NANODB_TOO_LARGE", c"the call or transaction exceeds a limit"),
        NANODB_DAMAGED => (c"NANODB_DAMAGED", c"the file is damaged"),
        NANODB_LOCKED => (c"NANODB_LOCKED", c"the file is open elsewhere"),
        NANODB_CLOSED => (c"NANODB_CLOSED", c"the database or the handle is closed"),
        NANODB_READ_ONLY => (c"NANODB_READ_ONLY", c"what is to be written is read-only"),
        NANODB_NOT_A_DATABASE => (c"NANODB_NOT_A_DATABASE", c"the file holds something else"),
        NANODB_NEWER_FORMAT => (c"NANODB_NEWER_FORMAT", c"the file was written by a newer version"),
        NANODB_OLDER_FORMAT => {
            (c"NANODB_OLDER_FORMAT", c"the file was written by an older version")
        }
        NANODB_MISPLACED => (c"NANODB_MISPLACED", c"a file is not where it belongs"),
        NANODB_IO => (c"NANODB_IO", c"the operating system refused a read or a write"),
        NANODB_POISONED => (c"NANODB_POISONED", c"an earlier write failed: open it again"),
        NANODB_MISUSE => (c"NANODB_MISUSE", c"the call breaks a rule of this interface"),
        NANODB_CANCELLED => (c"NANODB_CANCELLED", c"the progress callback has stopped the call"),
        NANODB_PANIC => (c"NANODB_PANIC", c"the library has a bug"),
        NANODB_OTHER => (c"NANODB_OTHER", c"an error of another kind"),
        _ => (c"NANODB_UNKNOWN", c"no status of this library"),
    }
}

/// Returns a sentence for a status, for the case that a call was made without an error to fill in.
/// It is static: it is not freed.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_strerror(status: nanodb_status) -> *const c_char {
    described(status).1.as_ptr()
}

/// Returns the name of a status, such as `NANODB_INVALID`. It is static: it is not freed.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_status_name(status: nanodb_status) -> *const c_char {
    described(status).0.as_ptr()
}

/// Returns the name of a status as Rust's text.
pub(crate) fn name(status: nanodb_status) -> &'static str {
    described(status).0.to_str().unwrap_or_default()
}
