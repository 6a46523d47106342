//! Documents by their ids.
//!
//! An id is MessagePack or JSON of one value: an integer, a string, binary, an ObjectId or a UUID.
//! The functions that end in `_i64` take an integer as it is.

use std::os::raw::c_void;

use nanodb::{IdRef, StoredDoc};

use super::entry;
use crate::arguments::{Arguments, Out};
use crate::failure::Result;
use crate::objects::{reading, with_collection, writing};
use crate::output::{self, List};
use crate::part::{Format, Given, GivenId, Part};
use crate::types::{nanodb_buf, nanodb_collection, nanodb_error, nanodb_format, nanodb_status};

/// Returns the document with this id; nothing (`data` is null) if there is none.
///
/// Costs one probe of the id index and one page, however large the collection is.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_get(
    collection: nanodb_collection,
    id: *const c_void,
    id_len: usize,
    format: nanodb_format,
    document: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(document)?;
        let format = Format::new(format)?;
        let id = GivenId::taken(arguments, id, id_len, format)?;
        get(collection, id.get(), format, out)
    })
}

/// Returns the document with this integer as its id; nothing (`data` is null) if there is none.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_get_i64(
    collection: nanodb_collection,
    id: i64,
    format: nanodb_format,
    document: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(document)?;
        get(collection, IdRef::from(id), Format::new(format)?, out)
    })
}

#[inline]
fn get(
    collection: nanodb_collection,
    id: IdRef<'_>,
    format: Format,
    out: Out<'_, nanodb_buf>,
) -> Result<()> {
    // Copied where it is found: moving it costs more.
    let copy = with_collection(collection, |target| {
        reading!(target, collection => match collection.get(id)? {
            Some(document) => output::one(&document, format),
            None => Ok(nanodb_buf::default()),
        })
    })?;
    out.set(copy);
    Ok(())
}

/// Returns the documents with the ids of an array, in the same order, as an array: null where there
/// is none. All are as of one moment.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_get_many(
    collection: nanodb_collection,
    ids: *const c_void,
    ids_len: usize,
    format: nanodb_format,
    documents: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(documents)?;
        let format = Format::new(format)?;
        let ids = arguments.encoded(ids, ids_len, format, "the ids")?;
        let ids = Part::new(ids, format, "the ids")?.elements()?;
        let ids = ids.iter().map(Part::id).collect::<Result<Vec<_>>>()?;
        let found: Vec<Option<StoredDoc>> = with_collection(
            collection,
            |target| reading!(target, collection => Ok(collection.get_many(&ids)?)),
        )?;
        let mut list = List::new(format);
        for document in found {
            list.push(|output| match &document {
                Some(document) => output.document(document),
                None => {
                    output.null();
                    Ok(())
                }
            })?;
        }
        out.set(list.finish()?);
        Ok(())
    })
}

/// Returns whether there is a document with this id.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_contains(
    collection: nanodb_collection,
    id: *const c_void,
    id_len: usize,
    format: nanodb_format,
    found: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(found)?;
        let format = Format::new(format)?;
        let id = GivenId::taken(arguments, id, id_len, format)?;
        contains(collection, id.get(), out)
    })
}

/// Returns whether there is a document with this integer as its id.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_contains_i64(
    collection: nanodb_collection,
    id: i64,
    found: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(found)?;
        contains(collection, IdRef::from(id), out)
    })
}

fn contains(collection: nanodb_collection, id: IdRef<'_>, out: Out<'_, bool>) -> Result<()> {
    out.set(with_collection(
        collection,
        |target| reading!(target, collection => Ok(collection.contains(id)?)),
    )?);
    Ok(())
}

/// What is to become of a document.
#[derive(Clone, Copy)]
enum Store {
    Put,
    Replace,
}

/// Stores a document under an id, whether there is one or not. The document keeps the id, whether
/// it has an `_id` or not.
///
/// `replaced`, which may be null, is whether it took another's place.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_put(
    collection: nanodb_collection,
    id: *const c_void,
    id_len: usize,
    document: *const c_void,
    document_len: usize,
    format: nanodb_format,
    replaced: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(replaced)?;
        let given = GivenId::taken(arguments, id, id_len, Format::new(format)?)?;
        store(arguments, collection, given.get(), (document, document_len, format), out, Store::Put)
    })
}

/// Stores a document under an integer as its id; see `nanodb_put`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_put_i64(
    collection: nanodb_collection,
    id: i64,
    document: *const c_void,
    document_len: usize,
    format: nanodb_format,
    replaced: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(replaced)?;
        let id = IdRef::from(id);
        store(arguments, collection, id, (document, document_len, format), out, Store::Put)
    })
}

/// Replaces the document with this id. The new one keeps the id, whether it has an `_id` or not.
///
/// `replaced`, which may be null, is whether there was one.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_replace(
    collection: nanodb_collection,
    id: *const c_void,
    id_len: usize,
    document: *const c_void,
    document_len: usize,
    format: nanodb_format,
    replaced: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(replaced)?;
        let given = GivenId::taken(arguments, id, id_len, Format::new(format)?)?;
        let document = (document, document_len, format);
        store(arguments, collection, given.get(), document, out, Store::Replace)
    })
}

/// Replaces the document with this integer as its id; see `nanodb_replace`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_replace_i64(
    collection: nanodb_collection,
    id: i64,
    document: *const c_void,
    document_len: usize,
    format: nanodb_format,
    replaced: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(replaced)?;
        let id = IdRef::from(id);
        store(arguments, collection, id, (document, document_len, format), out, Store::Replace)
    })
}

fn store(
    arguments: &Arguments,
    collection: nanodb_collection,
    id: IdRef<'_>,
    (document, document_len, format): (*const c_void, usize, nanodb_format),
    out: Option<Out<'_, bool>>,
    how: Store,
) -> Result<()> {
    let format = Format::new(format)?;
    let document = arguments.encoded(document, document_len, format, "the document")?;
    let document = Given::new(document, format)?;
    let replaced = with_collection(collection, |target| {
        writing!(target, collection => Ok(match how {
            Store::Put => collection.put(id, document)?,
            Store::Replace => collection.replace(id, document)?,
        }))
    })?;
    if let Some(out) = out {
        out.set(replaced);
    }
    Ok(())
}

/// Deletes the document with this id. `deleted`, which may be null, is whether there was one.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_delete(
    collection: nanodb_collection,
    id: *const c_void,
    id_len: usize,
    format: nanodb_format,
    deleted: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(deleted)?;
        let format = Format::new(format)?;
        let id = GivenId::taken(arguments, id, id_len, format)?;
        delete(collection, id.get(), out)
    })
}

/// Deletes the document with this integer as its id; see `nanodb_delete`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_delete_i64(
    collection: nanodb_collection,
    id: i64,
    deleted: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(deleted)?;
        delete(collection, IdRef::from(id), out)
    })
}

fn delete(collection: nanodb_collection, id: IdRef<'_>, out: Option<Out<'_, bool>>) -> Result<()> {
    let deleted = with_collection(
        collection,
        |target| writing!(target, collection => Ok(collection.delete(id)?)),
    )?;
    if let Some(out) = out {
        out.set(deleted);
    }
    Ok(())
}
