//! Every entry in one list, each called with arguments of one shape: for tests that call all of
//! them wrongly, or at random.

use std::os::raw::c_void;
use std::ptr;

use nanodb_ffi::*;

/// What a handle is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Db,
    Collection,
    Transaction,
    Snapshot,
    Cursor,
}

pub(crate) const KINDS: [Kind; 5] =
    [Kind::Db, Kind::Collection, Kind::Transaction, Kind::Snapshot, Kind::Cursor];

/// The arguments of any entry. It takes those that it has.
#[derive(Clone, Debug)]
pub(crate) struct Arguments<'a> {
    pub(crate) handle: u64,
    pub(crate) inputs: [(*const u8, usize); 4],
    pub(crate) number: i64,
    pub(crate) format: nanodb_format,
    /// Whether results are wanted.
    pub(crate) out: bool,
    /// Whether the reason is wanted.
    pub(crate) error: bool,
    /// What the inputs point to.
    pub(crate) _inputs: std::marker::PhantomData<&'a [u8]>,
}

/// What an entry has returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    pub(crate) status: nanodb_status,
    /// A handle that it has made.
    pub(crate) made: Option<(Kind, u64)>,
}

/// An entry, and what it asks for.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) handle: Option<Kind>,
    /// Inputs that it takes, each with one that is right. A null pointer is refused where the name
    /// of the input does not begin with `?`.
    pub(crate) inputs: &'static [(&'static str, &'static str)],
    pub(crate) has_format: bool,
    /// Whether it refuses a null out-parameter.
    pub(crate) needs_out: bool,
    pub(crate) call: fn(&Arguments<'_>) -> Called,
}

impl<'a> Arguments<'a> {
    /// Returns right ones for an entry.
    pub(crate) fn right(entry: &Entry, handle: u64) -> Self {
        let mut inputs = [(ptr::null(), 0); 4];
        for (to, (_, text)) in inputs.iter_mut().zip(entry.inputs) {
            *to = (text.as_ptr(), text.len());
        }
        let _inputs = std::marker::PhantomData;
        Self { handle, inputs, number: 1, format: NANODB_JSON, out: true, error: true, _inputs }
    }

    fn input<T>(&self, at: usize) -> *const T {
        self.inputs[at].0.cast()
    }

    fn len(&self, at: usize) -> usize {
        self.inputs[at].1
    }

    fn place<T>(&self, place: &mut T) -> *mut T {
        if self.out { place } else { ptr::null_mut() }
    }

    /// Calls with an error, and looks at it.
    fn run(&self, call: impl FnOnce(*mut nanodb_error) -> nanodb_status) -> nanodb_status {
        let mut error = nanodb_error::default();
        if !self.error {
            return call(ptr::null_mut());
        }
        let status = call(&mut error);
        assert_eq!(error.status, status);
        assert_eq!(error.message.is_null(), status == NANODB_OK);
        assert_eq!(error.details.is_null(), status == NANODB_OK);
        assert_ne!(status, NANODB_PANIC, "{:?}", {
            // SAFETY: a call that failed has written the message.
            unsafe { std::ffi::CStr::from_ptr(error.message) }
        });
        // SAFETY: the error is of the library.
        unsafe { nanodb_error_free(&mut error) };
        status
    }
}

/// Makes the list. In each call `a` are the arguments and `e` the error; the results are one
/// place, whose type decides how it is freed.
macro_rules! entries {
    ($($name:ident, $handle:expr, [$($input:literal : $right:literal),*], $format:literal,
       $out:literal, $result:ty, |$a:ident, $h:ident, $o:ident, $e:ident| $call:expr;)*) => {
        &[$(Entry {
            name: stringify!($name),
            handle: $handle,
            inputs: &[$(($input, $right)),*],
            has_format: $format,
            needs_out: $out,
            call: |$a| {
                let mut result = <$result>::default();
                let $o = $a.place(&mut result);
                let $h = $a.handle;
                // SAFETY: the pointers are null, or those of texts and places that are there.
                let status = $a.run(|$e| unsafe { $call });
                Called { status, made: result.end(status) }
            },
        }),*]
    };
}

/// A place for results.
trait Place: Default {
    /// Frees what it holds, or returns the handle.
    fn end(self, status: nanodb_status) -> Option<(Kind, u64)>;
}

impl Place for nanodb_buf {
    fn end(mut self, status: nanodb_status) -> Option<(Kind, u64)> {
        assert!(status == NANODB_OK || self.data.is_null());
        // SAFETY: it is zero, or of the library.
        unsafe { nanodb_buf_free(&mut self) };
        None
    }
}

impl Place for nanodb_update_result {
    fn end(self, status: nanodb_status) -> Option<(Kind, u64)> {
        self.upserted_id.end(status)
    }
}

macro_rules! plain_places {
    ($($type:ty),*) => {$(
        impl Place for $type {
            fn end(self, status: nanodb_status) -> Option<(Kind, u64)> {
                assert!(status == NANODB_OK || self == <$type>::default());
                None
            }
        }
    )*};
}
plain_places!(bool, u64, ());

macro_rules! handle_places {
    ($($type:ty, $kind:ident;)*) => {$(
        impl Place for $type {
            fn end(self, status: nanodb_status) -> Option<(Kind, u64)> {
                assert!(status == NANODB_OK || self.id == 0);
                (self.id != 0).then_some((Kind::$kind, self.id))
            }
        }
    )*};
}
handle_places! {
    nanodb_db, Db;
    nanodb_collection, Collection;
    nanodb_transaction, Transaction;
    nanodb_snapshot, Snapshot;
    nanodb_cursor, Cursor;
}

/// Frees a handle.
pub(crate) fn free(kind: Kind, id: u64) {
    match kind {
        Kind::Db => nanodb_db_free(nanodb_db { id }),
        Kind::Collection => nanodb_collection_free(nanodb_collection { id }),
        Kind::Transaction => nanodb_transaction_free(nanodb_transaction { id }),
        Kind::Snapshot => nanodb_snapshot_free(nanodb_snapshot { id }),
        Kind::Cursor => nanodb_cursor_free(nanodb_cursor { id }),
    }
}

/// Goes on unless `user` is null.
unsafe extern "C" fn listen(user: *mut c_void, progress: *const nanodb_progress) -> i32 {
    // SAFETY: the library hands in a progress.
    let progress = unsafe { &*progress };
    assert!(progress.pages_done <= progress.pages || progress.pages == 0);
    i32::from(user.is_null())
}

/// A callback's argument that lets it go on, or stop.
fn user(number: i64) -> *mut c_void {
    if number % 2 == 0 { ptr::dangling_mut::<u8>().cast() } else { ptr::null_mut() }
}

#[rustfmt::skip]
pub(crate) const ENTRIES: &[Entry] = entries! {
    nanodb_convert, None, ["document": "{}"], true, true, nanodb_buf, |a, _h, o, e|
        nanodb_convert(a.input(0), a.len(0), a.format, a.format, o, e);
    nanodb_open_in_memory, None, ["?options": "{}"], true, true, nanodb_db, |a, _h, o, e|
        nanodb_open_in_memory(a.input(0), a.len(0), a.format, o, e);
    nanodb_close, Some(Kind::Db), [], false, false, u64, |a, h, o, e|
        nanodb_close(nanodb_db { id: h }, o, e);
    nanodb_db_path, Some(Kind::Db), [], false, true, nanodb_buf, |a, h, o, e|
        nanodb_db_path(nanodb_db { id: h }, o, e);
    nanodb_db_collections, Some(Kind::Db), [], true, true, nanodb_buf, |a, h, o, e|
        nanodb_db_collections(nanodb_db { id: h }, a.format, o, e);
    nanodb_db_drop_collection, Some(Kind::Db), ["name": "a"], false, false, bool, |a, h, o, e|
        nanodb_db_drop_collection(nanodb_db { id: h }, a.input(0), a.len(0), o, e);
    nanodb_db_rename_collection, Some(Kind::Db), ["from": "a", "to": "b"], false, false, (), |a, h, _o, e|
        nanodb_db_rename_collection(nanodb_db { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), e);
    nanodb_db_begin, Some(Kind::Db), [], false, true, nanodb_transaction, |a, h, o, e|
        nanodb_db_begin(nanodb_db { id: h }, o, e);
    nanodb_db_snapshot, Some(Kind::Db), [], false, true, nanodb_snapshot, |a, h, o, e|
        nanodb_db_snapshot(nanodb_db { id: h }, o, e);
    nanodb_db_sync, Some(Kind::Db), [], false, false, (), |a, h, _o, e|
        nanodb_db_sync(nanodb_db { id: h }, e);
    nanodb_db_checkpoint, Some(Kind::Db), [], false, false, (), |a, h, _o, e|
        nanodb_db_checkpoint(nanodb_db { id: h }, e);
    nanodb_db_compact, Some(Kind::Db), [], false, false, (), |a, h, _o, e|
        nanodb_db_compact(nanodb_db { id: h }, Some(listen), user(a.number), e);
    nanodb_db_check, Some(Kind::Db), [], true, true, nanodb_buf, |a, h, o, e|
        nanodb_db_check(nanodb_db { id: h }, Some(listen), user(a.number), a.format, o, e);
    nanodb_db_stats, Some(Kind::Db), [], true, true, nanodb_buf, |a, h, o, e|
        nanodb_db_stats(nanodb_db { id: h }, a.format, o, e);
    nanodb_db_open_report, Some(Kind::Db), [], true, true, nanodb_buf, |a, h, o, e|
        nanodb_db_open_report(nanodb_db { id: h }, a.format, o, e);
    nanodb_db_salvage, Some(Kind::Db), ["path": "/dev/null"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_db_salvage(nanodb_db { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_db_import_go, Some(Kind::Db), ["path": "/dev/null", "?options": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_db_import_go(nanodb_db { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_convert_go_file, None, ["path": "/dev/null/none", "?options": "{}"], true, true, nanodb_buf, |a, _h, o, e|
        nanodb_convert_go_file(a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_db_collection, Some(Kind::Db), ["name": "a"], false, true, nanodb_collection, |a, h, o, e|
        nanodb_db_collection(nanodb_db { id: h }, a.input(0), a.len(0), o, e);

    nanodb_collection_name, Some(Kind::Collection), [], false, true, nanodb_buf, |a, h, o, e|
        nanodb_collection_name(nanodb_collection { id: h }, o, e);
    nanodb_insert, Some(Kind::Collection), ["document": "{}"], true, false, nanodb_buf, |a, h, o, e|
        nanodb_insert(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_insert_many, Some(Kind::Collection), ["documents": "[{}]"], true, false, nanodb_buf, |a, h, o, e|
        nanodb_insert_many(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_get, Some(Kind::Collection), ["id": "1"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_get(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_get_i64, Some(Kind::Collection), [], true, true, nanodb_buf, |a, h, o, e|
        nanodb_get_i64(nanodb_collection { id: h }, a.number, a.format, o, e);
    nanodb_get_many, Some(Kind::Collection), ["ids": "[1]"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_get_many(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_contains, Some(Kind::Collection), ["id": "1"], true, true, bool, |a, h, o, e|
        nanodb_contains(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_contains_i64, Some(Kind::Collection), [], false, true, bool, |a, h, o, e|
        nanodb_contains_i64(nanodb_collection { id: h }, a.number, o, e);
    nanodb_put, Some(Kind::Collection), ["id": "1", "document": "{}"], true, false, bool, |a, h, o, e|
        nanodb_put(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_put_i64, Some(Kind::Collection), ["document": "{}"], true, false, bool, |a, h, o, e|
        nanodb_put_i64(nanodb_collection { id: h }, a.number, a.input(0), a.len(0), a.format, o, e);
    nanodb_replace, Some(Kind::Collection), ["id": "1", "document": "{}"], true, false, bool, |a, h, o, e|
        nanodb_replace(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_replace_i64, Some(Kind::Collection), ["document": "{}"], true, false, bool, |a, h, o, e|
        nanodb_replace_i64(nanodb_collection { id: h }, a.number, a.input(0), a.len(0), a.format, o, e);
    nanodb_delete, Some(Kind::Collection), ["id": "1"], true, false, bool, |a, h, o, e|
        nanodb_delete(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_delete_i64, Some(Kind::Collection), [], false, false, bool, |a, h, o, e|
        nanodb_delete_i64(nanodb_collection { id: h }, a.number, o, e);
    nanodb_find, Some(Kind::Collection), ["?filter": "{}", "?options": "{}"], true, true, nanodb_cursor, |a, h, o, e|
        nanodb_find(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_find_one, Some(Kind::Collection), ["?filter": "{}", "?options": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_find_one(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_count, Some(Kind::Collection), [], false, true, u64, |a, h, o, e|
        nanodb_count(nanodb_collection { id: h }, o, e);
    nanodb_count_documents, Some(Kind::Collection), ["?filter": "{}", "?options": "{}"], true, true, u64, |a, h, o, e|
        nanodb_count_documents(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_exists, Some(Kind::Collection), ["?filter": "{}"], true, true, bool, |a, h, o, e|
        nanodb_exists(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_distinct, Some(Kind::Collection), ["field": "a", "?filter": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_distinct(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_count_by, Some(Kind::Collection), ["field": "a", "?filter": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_count_by(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_explain, Some(Kind::Collection), ["?filter": "{}", "?options": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_explain(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_scan, Some(Kind::Collection), [], false, true, nanodb_cursor, |a, h, o, e|
        nanodb_scan(nanodb_collection { id: h }, o, e);
    nanodb_update, Some(Kind::Collection), ["id": "1", "update": "{\"$set\": {\"a\": 1}}"], true, false, bool, |a, h, o, e|
        nanodb_update(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_update_i64, Some(Kind::Collection), ["update": "{\"$set\": {\"a\": 1}}"], true, false, bool, |a, h, o, e|
        nanodb_update_i64(nanodb_collection { id: h }, a.number, a.input(0), a.len(0), a.format, o, e);
    nanodb_update_one, Some(Kind::Collection), ["?filter": "{}", "update": "{\"$set\": {\"a\": 1}}", "?options": "{}"], true, false, nanodb_update_result, |a, h, o, e|
        nanodb_update_one(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.input(2), a.len(2), a.format, o, e);
    nanodb_update_many, Some(Kind::Collection), ["?filter": "{}", "update": "{\"$set\": {\"a\": 1}}", "?options": "{}"], true, false, nanodb_update_result, |a, h, o, e|
        nanodb_update_many(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.input(2), a.len(2), a.format, o, e);
    nanodb_replace_one, Some(Kind::Collection), ["?filter": "{}", "document": "{\"a\": 1}", "?options": "{}"], true, false, nanodb_update_result, |a, h, o, e|
        nanodb_replace_one(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.input(2), a.len(2), a.format, o, e);
    nanodb_delete_one, Some(Kind::Collection), ["?filter": "{}"], true, false, u64, |a, h, o, e|
        nanodb_delete_one(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_delete_many, Some(Kind::Collection), ["filter": "{}"], true, false, u64, |a, h, o, e|
        nanodb_delete_many(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);
    nanodb_find_one_and_update, Some(Kind::Collection), ["?filter": "{}", "update": "{\"$set\": {\"a\": 1}}", "?options": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_find_one_and_update(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.input(2), a.len(2), a.format, o, e);
    nanodb_find_one_and_replace, Some(Kind::Collection), ["?filter": "{}", "document": "{\"a\": 1}", "?options": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_find_one_and_replace(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.input(2), a.len(2), a.format, o, e);
    nanodb_find_one_and_delete, Some(Kind::Collection), ["?filter": "{}", "?options": "{}"], true, true, nanodb_buf, |a, h, o, e|
        nanodb_find_one_and_delete(nanodb_collection { id: h }, a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
    nanodb_bulk_write, Some(Kind::Collection), ["operations": "[{\"insert_one\": {\"document\": {}}}]"], true, false, nanodb_buf, |a, h, o, e|
        nanodb_bulk_write(nanodb_collection { id: h }, a.input(0), a.len(0), a.format, o, e);

    nanodb_transaction_collection, Some(Kind::Transaction), ["name": "a"], false, true, nanodb_collection, |a, h, o, e|
        nanodb_transaction_collection(nanodb_transaction { id: h }, a.input(0), a.len(0), o, e);
    nanodb_transaction_set_durability, Some(Kind::Transaction), [], false, false, (), |a, h, _o, e|
        nanodb_transaction_set_durability(nanodb_transaction { id: h }, c"buffered".as_ptr(), e);
    nanodb_transaction_commit, Some(Kind::Transaction), [], false, false, (), |a, h, _o, e|
        nanodb_transaction_commit(nanodb_transaction { id: h }, e);
    nanodb_transaction_rollback, Some(Kind::Transaction), [], false, false, (), |a, h, _o, e|
        nanodb_transaction_rollback(nanodb_transaction { id: h }, e);

    nanodb_snapshot_collection, Some(Kind::Snapshot), ["name": "a"], false, true, nanodb_collection, |a, h, o, e|
        nanodb_snapshot_collection(nanodb_snapshot { id: h }, a.input(0), a.len(0), o, e);
    nanodb_snapshot_collections, Some(Kind::Snapshot), [], true, true, nanodb_buf, |a, h, o, e|
        nanodb_snapshot_collections(nanodb_snapshot { id: h }, a.format, o, e);

    nanodb_cursor_next, Some(Kind::Cursor), [], true, true, nanodb_buf, |a, h, o, e| {
        let mut count = 0;
        let max = usize::try_from(a.number).unwrap_or(0);
        nanodb_cursor_next(nanodb_cursor { id: h }, max, a.format, o, a.place(&mut count), e)
    };
    // The file of that name, in a directory that is there.
    nanodb_open, None, ["path": "/dev/null", "?options": "{}"], true, true, nanodb_db, |a, _h, o, e|
        nanodb_open(a.input(0), a.len(0), a.input(1), a.len(1), a.format, o, e);
};

/// Entries that have no error to fill in, and are called by every test.
pub(crate) const WITHOUT_ERROR: [&str; 12] = [
    "nanodb_buf_free",
    "nanodb_error_free",
    "nanodb_db_free",
    "nanodb_collection_free",
    "nanodb_transaction_free",
    "nanodb_snapshot_free",
    "nanodb_cursor_free",
    "nanodb_strerror",
    "nanodb_status_name",
    "nanodb_version",
    "nanodb_version_number",
    "nanodb_live_handles",
];
