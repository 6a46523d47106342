//! Looking after a database: compacting, checking, statistics, and saving what is left of a damaged
//! file.

use std::ops::ControlFlow;
use std::os::raw::{c_char, c_void};

use nanodb::{
    CheckReport, Database, Document, GoImportReport, Problem, SalvageMode, SalvageReport, Stats,
    Value,
};

use super::database::{database, path_of};
use super::entry;
use crate::failure::Failure;
use crate::options;
use crate::output::report;
use crate::part::Format;
use crate::status::NANODB_CANCELLED;
use crate::types::{
    nanodb_buf, nanodb_db, nanodb_error, nanodb_format, nanodb_progress, nanodb_progress_fn,
    nanodb_status,
};

/// Whom a call tells how far it has come.
struct Listener {
    call: nanodb_progress_fn,
    user: *mut c_void,
}

impl Listener {
    /// Tells it, and returns whether to go on.
    ///
    /// # Safety
    ///
    /// The function may be called with `user`, and returns.
    unsafe fn tell(&self, progress: nanodb_progress) -> ControlFlow<()> {
        let Some(call) = self.call else { return ControlFlow::Continue(()) };
        // SAFETY: the caller promises that it may be called; `progress` lives until it returns.
        match unsafe { call(self.user, &raw const progress) } {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
}

#[cold]
fn cancelled() -> Failure {
    Failure::Own(NANODB_CANCELLED, "the progress callback has stopped the call".into())
}

/// Makes the file as short as possible, by moving documents to its front. Readers and writers go on
/// meanwhile.
///
/// `progress`, which may be null, is called now and then on this thread, with `user`; if it returns
/// anything but 0 the call ends with `NANODB_CANCELLED`, and what was moved until then is moved.
///
/// # Safety
///
/// The pointers are what the head of this header asks; `progress` may be called with `user` until
/// the call returns, and returns itself.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_compact(
    db: nanodb_db,
    progress: nanodb_progress_fn,
    user: *mut c_void,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |_arguments| {
        let listener = Listener { call: progress, user };
        let done = database(db)?.compact_with(|at| {
            let nanodb::CompactProgress { round, pages_done, pages, file_bytes, .. } = at;
            // SAFETY: the caller promises that the function may be called, and returns.
            unsafe { listener.tell(nanodb_progress { round, pages_done, pages, file_bytes }) }
        })?;
        if done.is_continue() { Ok(()) } else { Err(cancelled()) }
    })
}

/// Reads everything and reports what is wrong, as a document: `collections`, `documents`, `pages`
/// (how many there are), `problems`, an array of `{"collection": ..., "page": ..., "text": ...}`,
/// which is empty if all is well. `progress` as in `nanodb_db_compact`, after each page.
///
/// Damage is not an error of this call; it is in the report.
///
/// # Safety
///
/// The pointers are what the head of this header asks; `progress` may be called with `user` until
/// the call returns, and returns itself.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_check(
    db: nanodb_db,
    progress: nanodb_progress_fn,
    user: *mut c_void,
    format: nanodb_format,
    report: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(report)?;
        let format = Format::new(format)?;
        let listener = Listener { call: progress, user };
        let found = database(db)?.check_with(|at| {
            let (pages_done, pages) = (at.pages_done, at.pages);
            let progress = nanodb_progress { round: 0, pages_done, pages, file_bytes: 0 };
            // SAFETY: the caller promises that the function may be called, and returns.
            unsafe { listener.tell(progress) }
        })?;
        let found = found.continue_value().ok_or_else(cancelled)?;
        out.set(self::report(&checked(&found), format)?);
        Ok(())
    })
}

fn checked(found: &CheckReport) -> Document {
    let mut document = Document::new();
    document.insert("collections", found.collections);
    document.insert("documents", found.documents);
    document.insert("pages", found.pages);
    document.insert("problems", problems(&found.problems));
    document
}

fn problems(all: &[Problem]) -> Value {
    let one = |problem: &Problem| {
        let mut document = Document::new();
        if let Some(name) = &problem.collection {
            document.insert("collection", name.as_str());
        }
        if let Some(page) = problem.page {
            document.insert("page", page);
        }
        document.insert("text", problem.to_string());
        Value::from(document)
    };
    Value::Array(all.iter().map(one).collect())
}

/// Returns figures of the file and of each collection, as a document with the names that they have
/// in Rust: `file_bytes`, `page_count`, `free_pages`, `cached_bytes`, `dirty_bytes`, `older_bytes`,
/// `spilled_bytes`, `log_bytes`, `checkpoints`, and `collections`, an array of documents with
/// `name`, `count`, `pages`, `reserved_pages`, `overflow_pages`, `index_bytes`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_stats(
    db: nanodb_db,
    format: nanodb_format,
    stats: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(stats)?;
        let format = Format::new(format)?;
        out.set(report(&figures(&database(db)?.stats()?), format)?);
        Ok(())
    })
}

fn figures(stats: &Stats) -> Document {
    let mut document = Document::new();
    document.insert("file_bytes", stats.file_bytes);
    document.insert("page_count", stats.page_count);
    document.insert("free_pages", stats.free_pages);
    document.insert("cached_bytes", stats.cached_bytes);
    document.insert("dirty_bytes", stats.dirty_bytes);
    document.insert("older_bytes", stats.older_bytes);
    document.insert("spilled_bytes", stats.spilled_bytes);
    document.insert("log_bytes", stats.log_bytes);
    document.insert("checkpoints", stats.checkpoints);
    let collections = stats.collections.iter().map(|collection| {
        let mut document = Document::new();
        document.insert("name", collection.name.as_str());
        document.insert("count", collection.count);
        document.insert("pages", collection.pages);
        document.insert("reserved_pages", collection.reserved_pages);
        document.insert("overflow_pages", collection.overflow_pages);
        document.insert("index_bytes", collection.index_bytes);
        Value::from(document)
    });
    document.insert("collections", Value::Array(collections.collect()));
    document
}

/// Returns what opening the file found, as a document: `clean`, `commits_replayed`,
/// `bytes_replayed`, `log_lost`, `free_map_lost`, `milliseconds`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_open_report(
    db: nanodb_db,
    format: nanodb_format,
    report: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(report)?;
        let format = Format::new(format)?;
        let found = database(db)?.open_report();
        let mut document = Document::new();
        document.insert("clean", found.clean);
        document.insert("commits_replayed", found.commits_replayed);
        document.insert("bytes_replayed", found.bytes_replayed);
        document.insert("log_lost", found.log_lost);
        document.insert("free_map_lost", found.free_map_lost);
        document.insert("milliseconds", found.duration.as_secs_f64() * 1000.0);
        out.set(self::report(&document, format)?);
        Ok(())
    })
}

/// Copies whatever can be read of the file at `path`, however damaged, into this database, and
/// reports what could not be read, as a document: `how` ("opened", "by_pages" or "unverified"),
/// `uncertain`, `documents`, `collections`, an array of
/// `{"name": ..., "documents": ..., "expected": ...}`, and `problems` as in `nanodb_db_check`.
///
/// Nothing is written to the damaged file. Salvage into an empty database.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_salvage(
    db: nanodb_db,
    path: *const c_char,
    path_len: usize,
    format: nanodb_format,
    report: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(report)?;
        let format = Format::new(format)?;
        let path = path_of(arguments.bytes(path, path_len, "the path")?)?;
        let saved = database(db)?.salvage(path)?;
        out.set(self::report(&salvaged(&saved), format)?);
        Ok(())
    })
}

fn salvaged(saved: &SalvageReport) -> Document {
    let mut document = Document::new();
    let how = match saved.how {
        SalvageMode::Opened => "opened",
        SalvageMode::ByPages => "by_pages",
        _ => "unverified",
    };
    document.insert("how", how);
    document.insert("uncertain", saved.uncertain);
    document.insert("documents", saved.documents());
    let collections = saved.collections.iter().map(|collection| {
        let mut document = Document::new();
        document.insert("name", collection.name.as_str());
        document.insert("documents", collection.documents);
        document.insert("expected", collection.expected.map_or(Value::Null, Value::from));
        Value::from(document)
    });
    document.insert("collections", Value::Array(collections.collect()));
    document.insert("problems", problems(&saved.problems));
    document
}

/// Imports all collections of a file of the Go program, of either version, and reports what was
/// imported, as a document: `documents`, `collections`, an array of
/// `{"name": ..., "documents": ..., "older_versions": ..., "vector_lists": ..., "same_name": ...}`,
/// and `problems` as in `nanodb_db_check`.
///
/// All of the file is checked before anything is stored. `options` is a document in the format of
/// the call, or null: `skip_damaged` (false: damage is an error), `lock_timeout_ms` (0). Nothing is
/// written to the file.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_db_import_go(
    db: nanodb_db,
    path: *const c_char,
    path_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    report: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(report)?;
        let format = Format::new(format)?;
        let path = path_of(arguments.bytes(path, path_len, "the path")?)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = options::importing(options, format)?;
        let imported = database(db)?.import_go_with(path, &options)?;
        out.set(self::report(&self::imported(&imported), format)?);
        Ok(())
    })
}

/// Puts a database in the place of a file of the Go program, with all that this has, and keeps the
/// old file beside it: as a whole or not at all, whenever it is interrupted. Call this before
/// `nanodb_open` if the file may be an old one.
///
/// `report` is as in `nanodb_db_import_go`, and has the path of the old file as `backup`; it is
/// nothing (`data` is null) if there was nothing to convert. `options` as there.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_convert_go_file(
    path: *const c_char,
    path_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    report: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(report)?;
        let format = Format::new(format)?;
        let path = path_of(arguments.bytes(path, path_len, "the path")?)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = options::importing(options, format)?;
        if let Some(done) = Database::convert_go_file_with(path, &options)? {
            let mut document = imported(&done.report);
            document.insert("backup", done.backup.to_string_lossy().into_owned());
            out.set(self::report(&document, format)?);
        }
        Ok(())
    })
}

fn imported(report: &GoImportReport) -> Document {
    let mut document = Document::new();
    document.insert("documents", report.documents());
    let collections = report.collections.iter().map(|collection| {
        let mut document = Document::new();
        document.insert("name", collection.name.as_str());
        document.insert("documents", collection.documents);
        document.insert("older_versions", collection.older_versions);
        document.insert("vector_lists", collection.vector_lists);
        document.insert("same_name", collection.same_name);
        Value::from(document)
    });
    document.insert("collections", Value::Array(collections.collect()));
    document.insert("problems", problems(&report.problems));
    document
}
