//! Opening a database, and what is done with all of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nanodb::{Closed, CollectionInfo, Database, Snapshot, Value, doc};

use crate::failure::{Failure, Result};
use crate::object::{Object, OpenDatabase};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request::Request;
use crate::transaction::{begin, durability};

/// Opens what the request names.
pub(crate) fn open(request: Request<'_>, reply: &mut Reply) -> Result<()> {
    let options = options(request)?;
    let (database, file) = match request.optional_text("path") {
        Some(path) => {
            let database = options.open(path)?;
            // The file is there by now. Two names of one file that no path tells apart only wait
            // less well for each other's transactions.
            let file = Path::new(path).canonicalize();
            let file = file.map_or_else(|_| path.to_owned(), |file| file.display().to_string());
            (database, file)
        }
        None => {
            static COUNT: AtomicU64 = AtomicU64::new(0);
            // Only that it differs matters. No path begins so.
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            (options.in_memory()?, format!("\0memory {number}"))
        }
    };
    reply.object(Object::Database(Arc::new(OpenDatabase { database, file: file.into() })));
    Ok(())
}

fn options(request: Request<'_>) -> Result<nanodb::Options> {
    let mut options = Database::options();
    let size = |name: &str| -> Result<Option<usize>> {
        let bytes = request.number(name)?;
        Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)))
    };
    if let Some(name) = request.optional_text("durability") {
        options = options.durability(durability(name)?);
    }
    if let Some(bytes) = size("cacheBytesMax")? {
        options = options.cache_bytes_max(bytes);
    }
    if let Some(bytes) = size("indexBytesMax")? {
        options = options.index_bytes_max(bytes);
    }
    if let Some(bytes) = size("transactionBytesMax")? {
        options = options.transaction_bytes_max(bytes);
    }
    if let Some(bytes) = request.number("logBytesMax")? {
        options = options.log_bytes_max(bytes);
    }
    if let Some(bytes) = request.number("fileBytesMax")? {
        options = options.file_bytes_max(bytes);
    }
    if let Some(milliseconds) = request.number("relaxedFlushIntervalMs")? {
        options = options.relaxed_flush_interval(Duration::from_millis(milliseconds));
    }
    if let Some(milliseconds) = request.number("timeout")? {
        options = options.lock_timeout(Duration::from_millis(milliseconds));
    }
    if let Some(background) = request.optional_flag("background") {
        options = options.background(background);
    }
    Ok(options
        .create(!request.flag("fileMustExist"))
        .read_only(request.flag("readonly"))
        .allow_missing_log(request.flag("allowMissingLog")))
}

/// Does what is asked for.
pub(crate) fn run(
    open: &OpenDatabase,
    operation: Operation,
    bytes: &[u8],
    reply: &mut Reply,
) -> Result<()> {
    let (database, request) = (&open.database, Request::new(bytes));
    match operation {
        Operation::Close => {
            let others = match database.clone().close()? {
                Closed::OthersHoldIt(others) => others,
                _ => 0,
            };
            return reply.document(&doc! { "others": others });
        }
        Operation::Collections => return list(database.collections()?, reply),
        Operation::DropCollection => {
            let dropped = database.drop_collection(request.text("name")?)?;
            return reply.document(&doc! { "dropped": dropped });
        }
        Operation::RenameCollection => rename(database, request)?,
        Operation::Sync => database.sync()?,
        Operation::Checkpoint => database.checkpoint()?,
        Operation::Compact => database.compact()?,
        Operation::Stats => return stats(database, reply),
        Operation::Check => return check(database, reply),
        Operation::Snapshot => reply.object(Object::Snapshot(database.snapshot())),
        Operation::Begin => begin(open, request, reply)?,
        _ => return Err(Failure::request("an operation of a database")),
    }
    Ok(())
}

/// The collections of a snapshot.
pub(crate) fn run_snapshot(
    snapshot: &Snapshot,
    operation: Operation,
    reply: &mut Reply,
) -> Result<()> {
    match operation {
        Operation::Collections => list(snapshot.collections()?, reply),
        _ => Err(Failure::request("an operation of a snapshot")),
    }
}

fn list(collections: Vec<CollectionInfo>, reply: &mut Reply) -> Result<()> {
    for info in collections {
        reply.document(&doc! { "name": (info.name), "count": (info.count) })?;
    }
    Ok(())
}

fn rename(database: &Database, request: Request<'_>) -> Result<()> {
    let (from, to) = (request.text("from")?, request.text("to")?);
    let exists = |name| -> Result<bool> {
        Ok(database.collections()?.iter().any(|collection| collection.name == name))
    };
    // A rename that is going to be refused drops nothing.
    if request.flag("dropTarget") && from != to && exists(from)? {
        database.drop_collection(to)?;
    }
    Ok(database.rename_collection(from, to)?)
}

fn stats(database: &Database, reply: &mut Reply) -> Result<()> {
    let stats = database.stats()?;
    let collections: Vec<Value> = stats
        .collections
        .iter()
        .map(|collection| {
            Value::Document(doc! {
                "name": (collection.name.as_str()),
                "count": (collection.count),
                "pages": (collection.pages),
                "reservedPages": (collection.reserved_pages),
                "overflowPages": (collection.overflow_pages),
                "indexBytes": (collection.index_bytes),
            })
        })
        .collect();
    let mut document = doc! {
        "fileBytes": (stats.file_bytes),
        "pageCount": (stats.page_count),
        "freePages": (stats.free_pages),
        "cachedBytes": (stats.cached_bytes),
        "dirtyBytes": (stats.dirty_bytes),
        "olderBytes": (stats.older_bytes),
        "spilledBytes": (stats.spilled_bytes),
        "logBytes": (stats.log_bytes),
        "checkpoints": (stats.checkpoints),
    };
    document.insert("collections", Value::Array(collections));
    reply.document(&document)
}

/// Replies with how much was read, and a document for each thing that is wrong.
fn check(database: &Database, reply: &mut Reply) -> Result<()> {
    let report = database.check()?;
    reply.document(&doc! {
        "collections": (report.collections),
        "documents": (report.documents),
        "pages": (report.pages),
    })?;
    for problem in report.problems {
        let mut document = doc! { "text": (problem.to_string()) };
        if let Some(name) = &problem.collection {
            document.insert("collection", name.as_str());
        }
        if let Some(page) = problem.page {
            document.insert("page", page);
        }
        reply.document(&document)?;
    }
    Ok(())
}
