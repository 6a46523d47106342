//! Searching by a filter.
//!
//! A filter is a document in MongoDB's language; a null pointer is the filter that every document
//! matches.

use std::os::raw::{c_char, c_void};

use nanodb::{AccessPath, Document, Filter, Plan, ReadCollection};

use super::entry;
use crate::arguments::Arguments;
use crate::failure::Result;
use crate::objects::{CursorSource, OpenCursor, insert_cursor, reading, with_collection};
use crate::options::Searching;
use crate::output::{List, one, report};
use crate::part::{Format, Part};
use crate::types::{
    nanodb_buf, nanodb_collection, nanodb_cursor, nanodb_error, nanodb_format, nanodb_status,
};

/// Returns the filter that was handed in; without one, that of all documents.
pub(super) fn filter(
    arguments: &Arguments,
    filter: *const c_void,
    filter_len: usize,
    format: Format,
) -> Result<Filter> {
    match arguments.optional_encoded(filter, filter_len, format, "the filter")? {
        Some(bytes) => Part::new(bytes, format, "the filter")?.filter(),
        None => Ok(Filter::all()),
    }
}

/// Starts a search for the documents that match a filter.
///
/// `options` is a document in the format of the call, or null. Its fields, all of which may be left
/// out: `sort` and `projection` (documents as in MongoDB), `skip`, `limit` (0: none), `threads`
/// (1: how many evaluate the filter), `sort_bytes_max` (100 MiB: how much memory a sort takes
/// before it uses a temporary file).
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_find(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    cursor: *mut nanodb_cursor,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(cursor)?;
        let format = Format::new(format)?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = Searching::new(options, format)?;
        let found = with_collection(
            collection,
            |target| reading!(target, collection => Ok(options.apply(collection.find(filter)).run()?)),
        )?;
        let source = CursorSource::Find(Box::new(found));
        out.set(insert_cursor(OpenCursor { source, pending: None }.into())?);
        Ok(())
    })
}

/// Returns the first document that matches a filter; nothing (`data` is null) if none does.
/// `options` as in `nanodb_find`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_find_one(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    document: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(document)?;
        let format = Format::new(format)?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = Searching::new(options, format)?;
        let found = with_collection(
            collection,
            |target| reading!(target, collection => Ok(options.apply(collection.find(filter)).first()?)),
        )?;
        if let Some(document) = found {
            out.set(one(&document, format)?);
        }
        Ok(())
    })
}

/// Returns how many documents a collection has. Costs the same for any number.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_count(
    collection: nanodb_collection,
    count: *mut u64,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(count)?;
        out.set(with_collection(
            collection,
            |target| reading!(target, collection => Ok(collection.count()?)),
        )?);
        Ok(())
    })
}

/// Returns how many documents match a filter. Of the `options` of `nanodb_find`, `skip`, `limit`
/// and `threads` matter.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_count_documents(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    count: *mut u64,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(count)?;
        let format = Format::new(format)?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = Searching::new(options, format)?;
        out.set(with_collection(collection, |target| {
            reading!(target, collection => Ok(options.apply(collection.find(filter)).count()?))
        })?);
        Ok(())
    })
}

/// Returns whether a document matches a filter. The search ends with the first that does.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_exists(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    format: nanodb_format,
    found: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(found)?;
        let filter = self::filter(arguments, filter, filter_len, Format::new(format)?)?;
        out.set(with_collection(
            collection,
            |target| reading!(target, collection => Ok(collection.exists(filter)?)),
        )?);
        Ok(())
    })
}

/// Returns the values at a path in the documents that match a filter, each once, as an array in
/// their order.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_distinct(
    collection: nanodb_collection,
    path: *const c_char,
    path_len: usize,
    filter: *const c_void,
    filter_len: usize,
    format: nanodb_format,
    values: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(values)?;
        let format = Format::new(format)?;
        let path = arguments.text(path, path_len, "the path")?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let found = with_collection(
            collection,
            |target| reading!(target, collection => Ok(collection.distinct(path, filter)?)),
        )?;
        let mut list = List::new(format);
        for value in &found {
            list.push(|output| output.value(value))?;
        }
        out.set(list.finish()?);
        Ok(())
    })
}

/// Returns the values at a path in the documents that match a filter, and how many documents have
/// each, as an array of documents `{"value": ..., "count": ...}`, the most frequent first.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_count_by(
    collection: nanodb_collection,
    path: *const c_char,
    path_len: usize,
    filter: *const c_void,
    filter_len: usize,
    format: nanodb_format,
    values: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(values)?;
        let format = Format::new(format)?;
        let path = arguments.text(path, path_len, "the path")?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let found = with_collection(
            collection,
            |target| reading!(target, collection => Ok(collection.count_by(path, filter)?)),
        )?;
        let mut list = List::new(format);
        for (value, count) in found {
            let mut document = Document::new();
            document.insert("value", value);
            document.insert("count", count);
            list.push(|output| output.value(&document.into()))?;
        }
        out.set(list.finish()?);
        Ok(())
    })
}

/// Returns how a search would go, as a document: `access_path` ("id_lookup" or "collection_scan"),
/// `ids` (how many are looked up), `sorted`. `options` as in `nanodb_find`, and `analyze`: if that
/// is true the search is carried out, and `documents_examined`, `documents_returned` and
/// `temporary_bytes` are told.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_explain(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    plan: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(plan)?;
        let format = Format::new(format)?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = Searching::explaining(options, format)?;
        let explained = with_collection(
            collection,
            |target| reading!(target, collection => explain(collection, filter, &options)),
        )?;
        out.set(report(&explained, format)?);
        Ok(())
    })
}

fn explain(
    collection: &impl ReadCollection,
    filter: Filter,
    options: &Searching,
) -> Result<Document> {
    let find = options.apply(collection.find(filter));
    if !options.analyze {
        return Ok(described(&find.explain()?));
    }
    let explain = find.explain_analyze()?;
    let mut document = described(&explain.plan);
    document.insert("documents_examined", explain.documents_examined);
    document.insert("documents_returned", explain.documents_returned);
    document.insert("temporary_bytes", explain.temporary_bytes);
    Ok(document)
}

fn described(plan: &Plan) -> Document {
    let mut document = Document::new();
    match plan.access_path {
        AccessPath::IdLookup { count } => {
            document.insert("access_path", "id_lookup");
            document.insert("ids", u64::try_from(count).unwrap_or(u64::MAX));
        }
        _ => {
            document.insert("access_path", "collection_scan");
        }
    }
    document.insert("sorted", !plan.sort.is_empty());
    document
}
