//! A small client, so that a test says what it calls in one line. It frees what it is given, and
//! checks what every call promises.

use std::ffi::CStr;
use std::ptr;

use nanodb_ffi::*;

/// Why a call failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) status: nanodb_status,
    pub(crate) message: String,
    pub(crate) details: String,
}

/// Calls an entry with an error to fill in.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let mut error = nanodb_ffi::nanodb_error::default();
        // SAFETY: the pointers are of Rust's own slices and places, or null.
        #[allow(unused_unsafe)]
        let status = unsafe { nanodb_ffi::$function($($argument,)* &mut error) };
        $crate::c::checked(status, error)
    }};
}
pub(crate) use call;

/// Looks at what a call has returned.
pub(crate) fn checked(status: nanodb_status, mut error: nanodb_error) -> Result<(), Failed> {
    assert_eq!(error.status, status);
    if status == NANODB_OK {
        assert!(error.message.is_null() && error.details.is_null());
        return Ok(());
    }
    // SAFETY: a failed call has written both.
    let text = |text| unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned();
    let failed = Failed { status, message: text(error.message), details: text(error.details) };
    assert!(!failed.message.is_empty() && !failed.message.contains('\n'), "{failed:?}");
    assert!(failed.details.starts_with('{') && failed.details.ends_with('}'), "{failed:?}");
    // SAFETY: the error is of the library.
    unsafe { nanodb_error_free(&mut error) };
    assert!(error.message.is_null() && error.status == 0);
    Err(failed)
}

/// Copies what a buffer holds, and frees it.
pub(crate) fn bytes(mut buffer: nanodb_buf) -> Option<Vec<u8>> {
    if buffer.data.is_null() {
        assert_eq!(buffer.len, 0);
        return None;
    }
    // SAFETY: the library has written it, with a zero byte behind it.
    let with_end = unsafe { std::slice::from_raw_parts(buffer.data.cast::<u8>(), buffer.len + 1) };
    assert_eq!(with_end[buffer.len], 0);
    let copy = with_end[..buffer.len].to_vec();
    // SAFETY: the buffer is of the library.
    unsafe { nanodb_buf_free(&mut buffer) };
    assert!(buffer.data.is_null());
    Some(copy)
}

/// The same of JSON.
pub(crate) fn text(buffer: nanodb_buf) -> Option<String> {
    bytes(buffer).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Returns the pointer of a text; of an empty one, null.
pub(crate) fn at<T>(text: &str) -> *const T {
    if text.is_empty() { ptr::null() } else { text.as_ptr().cast() }
}

/// A database in memory, and its handle's end.
pub(crate) struct Db(pub(crate) nanodb_db);

impl Db {
    pub(crate) fn in_memory() -> Self {
        let mut db = nanodb_db::default();
        call!(nanodb_open_in_memory(ptr::null(), 0, NANODB_JSON, &mut db)).unwrap();
        Self(db)
    }

    pub(crate) fn open(path: &std::path::Path, options: &str) -> Result<Self, Failed> {
        let (mut db, path) = (nanodb_db::default(), path.to_str().unwrap());
        call!(nanodb_open(
            path.as_ptr().cast(),
            path.len(),
            at(options),
            options.len(),
            NANODB_JSON,
            &mut db
        ))?;
        Ok(Self(db))
    }

    pub(crate) fn collection(&self, name: &str) -> Coll {
        let mut collection = nanodb_collection::default();
        call!(nanodb_db_collection(self.0, name.as_ptr().cast(), name.len(), &mut collection))
            .unwrap();
        Coll(collection)
    }

    pub(crate) fn close(&self) -> Result<u64, Failed> {
        let mut others = 0;
        call!(nanodb_close(self.0, &mut others))?;
        Ok(others)
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        nanodb_db_free(self.0);
    }
}

/// A collection, in JSON.
pub(crate) struct Coll(pub(crate) nanodb_collection);

impl Drop for Coll {
    fn drop(&mut self) {
        nanodb_collection_free(self.0);
    }
}

impl Coll {
    pub(crate) fn insert(&self, document: &str) -> Result<String, Failed> {
        let mut id = nanodb_buf::default();
        call!(nanodb_insert(self.0, at(document), document.len(), NANODB_JSON, &mut id))?;
        Ok(text(id).unwrap())
    }

    pub(crate) fn insert_many(&self, documents: &str) -> Result<String, Failed> {
        let mut ids = nanodb_buf::default();
        call!(nanodb_insert_many(self.0, at(documents), documents.len(), NANODB_JSON, &mut ids))?;
        Ok(text(ids).unwrap())
    }

    pub(crate) fn get(&self, id: &str) -> Result<Option<String>, Failed> {
        let mut document = nanodb_buf::default();
        call!(nanodb_get(self.0, at(id), id.len(), NANODB_JSON, &mut document))?;
        Ok(text(document))
    }

    pub(crate) fn count(&self) -> Result<u64, Failed> {
        let mut count = 0;
        call!(nanodb_count(self.0, &mut count))?;
        Ok(count)
    }

    pub(crate) fn find(&self, filter: &str, options: &str) -> Result<Cur, Failed> {
        let mut cursor = nanodb_cursor::default();
        call!(nanodb_find(
            self.0,
            at(filter),
            filter.len(),
            at(options),
            options.len(),
            NANODB_JSON,
            &mut cursor
        ))?;
        Ok(Cur(cursor))
    }

    pub(crate) fn scan(&self) -> Result<Cur, Failed> {
        let mut cursor = nanodb_cursor::default();
        call!(nanodb_scan(self.0, &mut cursor))?;
        Ok(Cur(cursor))
    }

    pub(crate) fn update_one(
        &self,
        filter: &str,
        update: &str,
        options: &str,
    ) -> Result<Updated, Failed> {
        let mut result = nanodb_update_result::default();
        call!(nanodb_update_one(
            self.0,
            at(filter),
            filter.len(),
            at(update),
            update.len(),
            at(options),
            options.len(),
            NANODB_JSON,
            &mut result
        ))?;
        Ok(updated(result))
    }

    pub(crate) fn delete_i64(&self, id: i64) -> Result<bool, Failed> {
        let mut deleted = false;
        call!(nanodb_delete_i64(self.0, id, &mut deleted))?;
        Ok(deleted)
    }
}

/// What an update did.
pub(crate) type Updated = (u64, u64, Option<String>);

pub(crate) fn updated(result: nanodb_update_result) -> Updated {
    (result.matched, result.modified, text(result.upserted_id))
}

/// A cursor, in JSON.
pub(crate) struct Cur(pub(crate) nanodb_cursor);

impl Drop for Cur {
    fn drop(&mut self) {
        nanodb_cursor_free(self.0);
    }
}

impl Cur {
    /// Returns the next documents, and how many.
    pub(crate) fn next(&self, documents_max: usize) -> Result<(Option<String>, usize), Failed> {
        let (mut documents, mut count) = (nanodb_buf::default(), 0);
        call!(nanodb_cursor_next(self.0, documents_max, NANODB_JSON, &mut documents, &mut count))?;
        Ok((text(documents), count))
    }

    /// Returns all that are left.
    pub(crate) fn all(&self) -> Result<String, Failed> {
        Ok(self.next(usize::MAX)?.0.unwrap_or_default())
    }
}
