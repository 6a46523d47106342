//! A program in Rust that loads the shared library when it runs, as programs in other languages do.
//!
//! It knows nothing of NanoDB's crates, only what `nanodb.h` says: whoever can use the crate
//! `nanodb` has no need of this.
//!
//! ```text
//! cargo run -p nanodb-ffi --example load -- libnanodb.so [FILE]
//! ```

use std::error::Error;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io::Write;
use std::ptr;

use libloading::{Library, Symbol};

const OK: c_int = 0;
const JSON: c_int = 2;

/// A handle: a struct of a number, which is passed as the number is.
type Handle = u64;

/// `nanodb_buf`.
#[repr(C)]
struct Buffer {
    data: *mut c_char,
    len: usize,
}

/// `nanodb_error`.
#[repr(C)]
struct Failure {
    status: c_int,
    message: *mut c_char,
    details: *mut c_char,
}

type Open = unsafe extern "C" fn(
    *const c_void,
    usize,
    *const c_void,
    usize,
    c_int,
    *mut Handle,
    *mut Failure,
) -> c_int;
type Collection =
    unsafe extern "C" fn(Handle, *const c_void, usize, *mut Handle, *mut Failure) -> c_int;
type Insert =
    unsafe extern "C" fn(Handle, *const c_void, usize, c_int, *mut Buffer, *mut Failure) -> c_int;
type Find = unsafe extern "C" fn(
    Handle,
    *const c_void,
    usize,
    *const c_void,
    usize,
    c_int,
    *mut Handle,
    *mut Failure,
) -> c_int;
type Next =
    unsafe extern "C" fn(Handle, usize, c_int, *mut Buffer, *mut usize, *mut Failure) -> c_int;
type Close = unsafe extern "C" fn(Handle, *mut u64, *mut Failure) -> c_int;

/// The functions that the program calls, as long as the library is loaded.
struct NanoDb<'a> {
    open: Symbol<'a, Open>,
    collection: Symbol<'a, Collection>,
    insert: Symbol<'a, Insert>,
    find: Symbol<'a, Find>,
    next: Symbol<'a, Next>,
    close: Symbol<'a, Close>,
    free_buffer: Symbol<'a, unsafe extern "C" fn(*mut Buffer)>,
    free_error: Symbol<'a, unsafe extern "C" fn(*mut Failure)>,
    free_cursor: Symbol<'a, unsafe extern "C" fn(Handle)>,
    free_collection: Symbol<'a, unsafe extern "C" fn(Handle)>,
    free_db: Symbol<'a, unsafe extern "C" fn(Handle)>,
}

impl<'a> NanoDb<'a> {
    fn of(library: &'a Library) -> Result<Self, libloading::Error> {
        // SAFETY: the types are those that `nanodb.h` declares.
        unsafe {
            Ok(Self {
                open: library.get(b"nanodb_open")?,
                collection: library.get(b"nanodb_db_collection")?,
                insert: library.get(b"nanodb_insert")?,
                find: library.get(b"nanodb_find")?,
                next: library.get(b"nanodb_cursor_next")?,
                close: library.get(b"nanodb_close")?,
                free_buffer: library.get(b"nanodb_buf_free")?,
                free_error: library.get(b"nanodb_error_free")?,
                free_cursor: library.get(b"nanodb_cursor_free")?,
                free_collection: library.get(b"nanodb_collection_free")?,
                free_db: library.get(b"nanodb_db_free")?,
            })
        }
    }

    /// Makes what a call has returned a result, and frees the error.
    fn checked(&self, status: c_int, error: &mut Failure) -> Result<(), String> {
        if status == OK {
            return Ok(());
        }
        // SAFETY: a call that fails writes a text, which lives until the error is freed.
        let text = unsafe { CStr::from_ptr(error.message) }.to_string_lossy().into_owned();
        // SAFETY: the library has written it, and it is freed once.
        unsafe { (self.free_error)(error) };
        Err(text)
    }

    /// Copies what a buffer holds, and frees it.
    fn text(&self, mut buffer: Buffer) -> String {
        let text = if buffer.data.is_null() {
            String::new()
        } else {
            // SAFETY: the library has written it, with a zero byte behind the text.
            unsafe { CStr::from_ptr(buffer.data) }.to_string_lossy().into_owned()
        };
        // SAFETY: the same, and it is freed once.
        unsafe { (self.free_buffer)(&mut buffer) };
        text
    }

    fn open(&self, path: &str) -> Result<Handle, String> {
        let (mut db, mut error) = (0, Failure::none());
        let (at, len) = borrowed(path);
        // SAFETY: the text lives until the call has returned, and so do the places.
        let status = unsafe { (self.open)(at, len, ptr::null(), 0, JSON, &mut db, &mut error) };
        self.checked(status, &mut error).map(|()| db)
    }

    fn collection(&self, db: Handle, name: &str) -> Result<Handle, String> {
        let (mut collection, mut error) = (0, Failure::none());
        let (at, len) = borrowed(name);
        // SAFETY: as above.
        let status = unsafe { (self.collection)(db, at, len, &mut collection, &mut error) };
        self.checked(status, &mut error).map(|()| collection)
    }

    /// Inserts a document, and returns its id as JSON.
    fn insert(&self, collection: Handle, document: &str) -> Result<String, String> {
        let (mut id, mut error) = (Buffer::none(), Failure::none());
        let (at, len) = borrowed(document);
        // SAFETY: as above.
        let status = unsafe { (self.insert)(collection, at, len, JSON, &mut id, &mut error) };
        self.checked(status, &mut error).map(|()| self.text(id))
    }

    /// Returns the documents that match a filter, some of them at a time.
    fn find(&self, collection: Handle, filter: &str, options: &str) -> Result<Vec<String>, String> {
        let (mut cursor, mut error) = (0, Failure::none());
        let ((filter, filter_len), (options, options_len)) = (borrowed(filter), borrowed(options));
        // SAFETY: as above.
        let status = unsafe {
            (self.find)(
                collection,
                filter,
                filter_len,
                options,
                options_len,
                JSON,
                &mut cursor,
                &mut error,
            )
        };
        self.checked(status, &mut error)?;
        let mut portions = Vec::new();
        let ended = loop {
            let (mut documents, mut count) = (Buffer::none(), 0);
            // SAFETY: as above.
            let status =
                unsafe { (self.next)(cursor, 100, JSON, &mut documents, &mut count, &mut error) };
            match self.checked(status, &mut error) {
                Ok(()) if count > 0 => portions.push(self.text(documents)),
                ended => break ended,
            }
        };
        // SAFETY: any number may be freed.
        unsafe { (self.free_cursor)(cursor) };
        ended.map(|()| portions)
    }
}

impl Buffer {
    fn none() -> Self {
        Self { data: ptr::null_mut(), len: 0 }
    }
}

impl Failure {
    fn none() -> Self {
        Self { status: OK, message: ptr::null_mut(), details: ptr::null_mut() }
    }
}

/// A text as the library takes it: a pointer and a length.
fn borrowed(text: &str) -> (*const c_void, usize) {
    (text.as_ptr().cast(), text.len())
}

/// Inserts two people into the users of a file, and writes what it finds.
pub(crate) fn run(library: &OsStr, file: &str, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    // SAFETY: the library does nothing when it is loaded.
    let library = unsafe { Library::new(library) }?;
    let nanodb = NanoDb::of(&library)?;

    let db = nanodb.open(file)?;
    let users = nanodb.collection(db, "users")?;
    writeln!(out, "Ann has the id {}", nanodb.insert(users, r#"{"name": "Ann", "age": 31}"#)?)?;
    nanodb.insert(users, r#"{"name": "Bob", "age": 45}"#)?;
    for portion in nanodb.find(users, r#"{"age": {"$gte": 18}}"#, r#"{"sort": {"age": -1}}"#)? {
        writeln!(out, "{portion}")?;
    }
    if let Err(text) = nanodb.find(users, r#"{"age": {"$gtt": 18}}"#, "{}") {
        writeln!(out, "{text}")?;
    }

    let mut error = Failure::none();
    // SAFETY: as above.
    let status = unsafe { (nanodb.close)(db, ptr::null_mut(), &mut error) };
    nanodb.checked(status, &mut error)?;
    // SAFETY: any number may be freed.
    unsafe {
        (nanodb.free_collection)(users);
        (nanodb.free_db)(db);
    }
    // Threads of the library may still be about to end: what they run stays loaded.
    std::mem::forget(library);
    Ok(())
}

#[cfg_attr(test, allow(dead_code, reason = "the test calls `run`"))]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let library = arguments.next().ok_or("usage: load LIBRARY [FILE]")?;
    let file = arguments.next().unwrap_or_else(|| "users.nanodb".into());
    run(&library, file.to_str().ok_or("the path is no text")?, &mut std::io::stdout())
}
