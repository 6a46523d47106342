//! The types of the header.
//!
//! A handle is a number in a struct: the struct so that C's compiler tells a cursor from a
//! database, the number so that one that was freed, or never given out, is recognised. Numbers stay
//! below 2^53: languages whose numbers are floats hold them exactly.

use std::os::raw::{c_char, c_void};
use std::ptr;

/// What a call returns: `NANODB_OK`, which is 0, or why it failed.
pub type nanodb_status = i32;

/// The format of documents, ids, filters and options: `NANODB_MSGPACK` or `NANODB_JSON`.
pub type nanodb_format = i32;

/// MessagePack. Times are its timestamps; an ObjectId is an extension of type 7, a UUID one of
/// type 4.
pub const NANODB_MSGPACK: nanodb_format = 1;
/// JSON in UTF-8: MongoDB's relaxed Extended JSON, with a form for every value.
pub const NANODB_JSON: nanodb_format = 2;

/// The version of this header: a million times the major version, a thousand times the minor one,
/// and the patch.
pub const NANODB_VERSION_NUMBER: u32 = 1000;

/// As a length: the text or the JSON ends before its first zero byte. MessagePack has no such end.
pub const NANODB_NUL_TERMINATED: usize = usize::MAX;

/// An open database; made by `nanodb_open`, freed by `nanodb_db_free`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct nanodb_db {
    /// A number below 2^53; 0 is no handle.
    pub id: u64,
}

/// A collection of a database, of a transaction or of a snapshot; freed by
/// `nanodb_collection_free`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct nanodb_collection {
    /// A number below 2^53; 0 is no handle.
    pub id: u64,
}

/// A transaction; made by `nanodb_db_begin`, freed by `nanodb_transaction_free`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct nanodb_transaction {
    /// A number below 2^53; 0 is no handle.
    pub id: u64,
}

/// All collections as of one moment; made by `nanodb_db_snapshot`, freed by `nanodb_snapshot_free`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct nanodb_snapshot {
    /// A number below 2^53; 0 is no handle.
    pub id: u64,
}

/// What a search finds; made by `nanodb_find` or `nanodb_scan`, freed by `nanodb_cursor_free`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct nanodb_cursor {
    /// A number below 2^53; 0 is no handle.
    pub id: u64,
}

/// Bytes that the library has made, freed by `nanodb_buf_free`. A zero byte follows them, which
/// `len` does not count: JSON can be printed.
#[repr(C)]
#[derive(Debug)]
pub struct nanodb_buf {
    /// The bytes; null if there is nothing, as where no document was found.
    pub data: *mut c_char,
    /// How many.
    pub len: usize,
}

impl Default for nanodb_buf {
    fn default() -> Self {
        Self { data: ptr::null_mut(), len: 0 }
    }
}

/// Why a call failed, freed by `nanodb_error_free`; all zero if it did not.
#[repr(C)]
#[derive(Debug)]
pub struct nanodb_error {
    /// What the call has returned.
    pub status: nanodb_status,
    /// The whole reason on one line, which ends with a zero byte.
    pub message: *mut c_char,
    /// What the message names, as a JSON object that ends with a zero byte. Its fields, where they
    /// are known: `status` (the name of the status), `collection`, `id`, `path` (of the field that
    /// is wrong), `operation` (of a bulk write, or document of several, from 0), `line`, `column`,
    /// `page`, `file`, `os_error` (the system's number).
    pub details: *mut c_char,
}

impl Default for nanodb_error {
    fn default() -> Self {
        Self { status: 0, message: ptr::null_mut(), details: ptr::null_mut() }
    }
}

/// What an update or a replacement did.
#[repr(C)]
#[derive(Debug, Default)]
pub struct nanodb_update_result {
    /// How many documents matched the filter.
    pub matched: u64,
    /// How many documents were changed.
    pub modified: u64,
    /// The id of the document that was inserted because none matched, in the format of the call;
    /// null if none was. Freed by `nanodb_buf_free`.
    pub upserted_id: nanodb_buf,
}

/// How far compacting or checking has come.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct nanodb_progress {
    /// The round, from 1 to 4; 0 when checking.
    pub round: u32,
    /// Pages that were dealt with.
    pub pages_done: u64,
    /// All of them.
    pub pages: u64,
    /// Bytes that the file has; 0 when checking.
    pub file_bytes: u64,
}

/// Told how far a call has come; returns 0 for it to go on, and anything else to stop it.
///
/// It may call the library. It must return: no `longjmp`, and no C++ exception, may leave it.
/// `user` is what the call was given.
pub type nanodb_progress_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, progress: *const nanodb_progress) -> i32>;
