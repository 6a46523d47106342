//! The interface of the Go program: its fifteen functions, for programs that were written for its
//! library.
//!
//! There is one database for the process, opened by [`NanoInit`] and closed when each of its users
//! has called [`NanoClose`]. Texts go in with a zero byte at their end, and are borrowed; what
//! comes back is the caller's, who frees it with [`NanoFree`].
//!
//! What fails returns its error value and says nothing, but for [`NanoInit`], whose reason goes to
//! standard error.
//!
//! | module | what |
//! |---|---|
//! | `state` | the database of the process, and who uses it |
//! | `documents` | JSON in and out, as the Go program had it |
//! | `verbs` | what the functions do |
//! | `vectors` | the nearest vectors |

// The names are the Go program's.
#![allow(non_snake_case, reason = "the names are the Go program's")]

mod documents;
mod state;
mod vectors;
mod verbs;

use std::os::raw::{c_char, c_longlong};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{mem, ptr};

use crate::api::path_of;
use crate::arguments::Arguments;
use crate::failure::Result;
use crate::memory::{free, text_out};
use crate::types::NANODB_NUL_TERMINATED;

/// Runs the work of a function; what fails, or panics, is its error value.
macro_rules! answer {
    ($error_value:expr, |$arguments:ident| $work:expr) => {{
        // SAFETY: the pointers are those of this call, whose caller promises that each is null or
        // a text that a zero byte ends; they are used for no longer than it lasts.
        let $arguments = unsafe { Arguments::new() };
        let work = || -> Result<_> { $work };
        // Dropping what was thrown may throw again.
        let done = catch_unwind(AssertUnwindSafe(work)).map_err(mem::forget);
        done.ok().and_then(Result::ok).unwrap_or($error_value)
    }};
}

impl Arguments {
    /// Returns a text that a zero byte ends.
    fn c_text(&self, text: *const c_char, what: &'static str) -> Result<&str> {
        self.text(text, NANODB_NUL_TERMINATED, what)
    }
}

/// Opens the database in a file, and creates the file if there is none. A file of the Go program is
/// converted first, and kept beside the new one as `PATH.go-backup`.
///
/// The file that is open already has one more user. If it cannot be opened, or another file is
/// open, the reason goes to standard error, and until a call succeeds all others return their error
/// values.
///
/// # Safety
///
/// `path` is null, or a text that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoInit(path: *const c_char) {
    answer!((), |arguments| {
        let opened = arguments
            .bytes(path, NANODB_NUL_TERMINATED, "the path")
            .and_then(path_of)
            .and_then(|path| state::init(&path));
        if let Err(failure) = &opened {
            state::refuse(failure);
        }
        opened
    });
}

/// Ends one use of the database; the last one closes the file. Returns 1, also if nothing is open,
/// or -1: the file was not closed cleanly, or this ends a `NanoInit` that had failed.
#[unsafe(no_mangle)]
pub extern "C" fn NanoClose() -> c_longlong {
    answer!(-1, |_arguments| state::close())
}

/// Creates a collection. Returns 1, 0 if there is one of that name, or -1.
///
/// # Safety
///
/// `name` is null, or a text that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoCreateCollection(name: *const c_char) -> c_longlong {
    answer!(-1, |arguments| verbs::create_collection(arguments.c_text(name, "the name")?))
}

/// Returns the names of all collections as a JSON array; null if it fails.
#[unsafe(no_mangle)]
pub extern "C" fn NanoGetCollections() -> *mut c_char {
    answer!(ptr::null_mut(), |_arguments| Ok(text_out(&verbs::collections()?)))
}

/// Inserts a document, and returns its id, which is below 2^53; -1 if it fails. An `_id` that the
/// document has is replaced.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoInsert(
    collection: *const c_char,
    document: *const c_char,
) -> c_longlong {
    answer!(-1, |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        verbs::insert(collection, arguments.c_text(document, "the document")?)
    })
}

/// Inserts the documents of a JSON array, all or none, and returns their ids as one; null if it
/// fails.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoInsertMany(
    collection: *const c_char,
    documents: *const c_char,
) -> *mut c_char {
    answer!(ptr::null_mut(), |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        let documents = arguments.c_text(documents, "the documents")?;
        Ok(text_out(&verbs::insert_many(collection, documents)?))
    })
}

/// Returns the documents that match a query as a JSON array; null if it fails. A limit or a skip
/// that is not positive is none.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoFind(
    collection: *const c_char,
    query: *const c_char,
    limit: c_longlong,
    skip: c_longlong,
) -> *mut c_char {
    answer!(ptr::null_mut(), |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        let query = arguments.c_text(query, "the query")?;
        verbs::find(collection, query, limit, skip)
    })
}

/// Returns a document that matches a query; the text `null` if none does, and null if it fails.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoFindOne(
    collection: *const c_char,
    query: *const c_char,
) -> *mut c_char {
    answer!(ptr::null_mut(), |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        verbs::find_one(collection, arguments.c_text(query, "the query")?)
    })
}

/// Returns the document with an id; the text `null` if there is none, and null if it fails.
///
/// # Safety
///
/// `collection` is null, or a text that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoFindById(collection: *const c_char, id: c_longlong) -> *mut c_char {
    answer!(ptr::null_mut(), |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        verbs::find_by_id(collection, id)
    })
}

/// Sets the fields of a patch in the document with an id, and returns the document; null if there
/// is none, or it fails. The `_id` stays.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoUpdateById(
    collection: *const c_char,
    id: c_longlong,
    patch: *const c_char,
) -> *mut c_char {
    answer!(ptr::null_mut(), |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        let patch = arguments.c_text(patch, "the patch")?;
        Ok(text_out(&verbs::update_by_id(collection, id, patch)?))
    })
}

/// Sets the fields of a patch in all documents that match a query, or in none if it fails, and
/// returns these documents as a JSON array; null if it fails.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoUpdateMany(
    collection: *const c_char,
    query: *const c_char,
    patch: *const c_char,
) -> *mut c_char {
    answer!(ptr::null_mut(), |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        let query = arguments.c_text(query, "the query")?;
        let patch = arguments.c_text(patch, "the patch")?;
        verbs::update_many(collection, query, patch)
    })
}

/// Deletes the document with an id. Returns 1, or -1 if there is none, or it fails.
///
/// # Safety
///
/// `collection` is null, or a text that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoDeleteById(collection: *const c_char, id: c_longlong) -> c_longlong {
    answer!(-1, |arguments| {
        verbs::delete_by_id(arguments.c_text(collection, "the collection")?, id)
    })
}

/// Deletes all documents that match a query. Returns 1, however many these are, or -1 if it fails.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoDeleteMany(
    collection: *const c_char,
    query: *const c_char,
) -> c_longlong {
    answer!(-1, |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        verbs::delete_many(collection, arguments.c_text(query, "the query")?)
    })
}

/// Returns the ids of the documents whose `_embeddings` are nearest to a vector, `top_k` of them,
/// the nearest first, as a JSON array; null if it fails. Documents whose array has another length,
/// or holds something else, are left out.
///
/// # Safety
///
/// The pointers are null, or texts that a zero byte ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoVectorSearch(
    collection: *const c_char,
    vector: *const c_char,
    top_k: c_longlong,
) -> *mut c_char {
    answer!(ptr::null_mut(), |arguments| {
        let collection = arguments.c_text(collection, "the collection")?;
        let vector = arguments.c_text(vector, "the vector")?;
        Ok(text_out(&vectors::nearest(collection, vector, top_k)?))
    })
}

/// Frees a text that one of the functions has returned; null may be freed, too.
///
/// # Safety
///
/// `text` is null, or was returned by one of these functions and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NanoFree(text: *mut c_char) {
    // SAFETY: the caller promises that it is one of this library.
    unsafe { free(text) }
}
