//! Changing and deleting what matches a filter.
//!
//! An update is a document of operators, as in MongoDB: `{"$set": {...}}`.

use std::os::raw::c_void;

use nanodb::{Database, Filter, IdRef, Update, UpdateResult, WriteCollection};

use super::entry;
use super::search::filter;
use crate::arguments::{Arguments, Out};
use crate::failure::Result;
use crate::objects::{Target, with_collection, writing};
use crate::options::{Changing, Verb};
use crate::output;
use crate::part::{Format, Given, GivenId, Part};
use crate::types::{
    nanodb_collection, nanodb_error, nanodb_format, nanodb_status, nanodb_update_result,
};

/// Updates the document with this id. `found`, which may be null, is whether there is one.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_update(
    collection: nanodb_collection,
    id: *const c_void,
    id_len: usize,
    update: *const c_void,
    update_len: usize,
    format: nanodb_format,
    found: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(found)?;
        let format = Format::new(format)?;
        let id = GivenId::taken(arguments, id, id_len, format)?;
        let update = self::update(arguments, update, update_len, format, &Changing::default())?;
        update_by_id(collection, id.get(), update, out)
    })
}

/// Updates the document with this integer as its id; see `nanodb_update`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_update_i64(
    collection: nanodb_collection,
    id: i64,
    update: *const c_void,
    update_len: usize,
    format: nanodb_format,
    found: *mut bool,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(found)?;
        let format = Format::new(format)?;
        let update = self::update(arguments, update, update_len, format, &Changing::default())?;
        update_by_id(collection, IdRef::from(id), update, out)
    })
}

fn update_by_id(
    collection: nanodb_collection,
    id: IdRef<'_>,
    update: Update,
    out: Option<Out<'_, bool>>,
) -> Result<()> {
    let found = with_collection(
        collection,
        |target| writing!(target, collection => Ok(collection.update(id, update)?)),
    )?;
    if let Some(out) = out {
        out.set(found);
    }
    Ok(())
}

/// Updates one document that matches a filter.
///
/// `options` is a document in the format of the call, or null: `upsert` (whether a document is
/// inserted if none matches), `array_filters` (an array of filters that `$[name]` in the update
/// refers to). `result` may be null.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_update_one(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    update: *const c_void,
    update_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    result: *mut nanodb_update_result,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(result)?;
        let format = Format::new(format)?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = Changing::new(options, format, Verb::Update)?;
        let update = self::update(arguments, update, update_len, format, &options)?;
        let done = with_collection(collection, |target| {
            writing!(target, collection => Ok(match options.upsert {
                true => collection.upsert(filter, update)?,
                false => collection.update_one(filter, update)?,
            }))
        })?;
        finish(out, done, format)
    })
}

/// Updates all documents that match a filter, or none if one of them cannot be updated. `options`
/// and `result` as in `nanodb_update_one`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_update_many(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    update: *const c_void,
    update_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    result: *mut nanodb_update_result,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(result)?;
        let format = Format::new(format)?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = Changing::new(options, format, Verb::Update)?;
        let update = self::update(arguments, update, update_len, format, &options)?;
        let done = with_collection(collection, |target| match (target, options.upsert) {
            (Target::Collection(collection, database), true) => {
                update_many_or_insert(database, collection.name(), &filter, &update)
            }
            (target, upsert) => {
                writing!(target, collection => update_many(collection, &filter, &update, upsert))
            }
        })?;
        finish(out, done, format)
    })
}

fn update_many(
    collection: &impl WriteCollection,
    filter: &Filter,
    update: &Update,
    upsert: bool,
) -> Result<UpdateResult> {
    let done = collection.update_many(filter, update)?;
    Ok(if upsert && done.matched == 0 { collection.upsert(filter, update)? } else { done })
}

/// Two steps, in one transaction: none else inserts what matches in between.
fn update_many_or_insert(
    database: &Database,
    name: &str,
    filter: &Filter,
    update: &Update,
) -> Result<UpdateResult> {
    Ok(database.write(|transaction| {
        let collection = transaction.collection(name);
        let done = collection.update_many(filter, update)?;
        if done.matched == 0 { collection.upsert(filter, update) } else { Ok(done) }
    })?)
}

/// Replaces one document that matches a filter; the new one keeps its id. `options` is a document
/// in the format of the call, or null: `upsert` (whether the new document is inserted if none
/// matches). `result` may be null.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_replace_one(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    document: *const c_void,
    document_len: usize,
    options: *const c_void,
    options_len: usize,
    format: nanodb_format,
    result: *mut nanodb_update_result,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(result)?;
        let format = Format::new(format)?;
        let filter = self::filter(arguments, filter, filter_len, format)?;
        let options = arguments.optional_encoded(options, options_len, format, "the options")?;
        let options = Changing::new(options, format, Verb::Replace)?;
        let document = arguments.encoded(document, document_len, format, "the document")?;
        let document = Given::new(document, format)?;
        let done = with_collection(collection, |target| {
            writing!(target, collection => Ok(match options.upsert {
                true => collection.replace_or_insert(filter, document)?,
                false => collection.replace_one(filter, document)?,
            }))
        })?;
        finish(out, done, format)
    })
}

/// Returns the update that was handed in.
pub(super) fn update(
    arguments: &Arguments,
    update: *const c_void,
    update_len: usize,
    format: Format,
    options: &Changing<'_>,
) -> Result<Update> {
    let update = arguments.encoded(update, update_len, format, "the update")?;
    Part::new(update, format, "the update")?.update(options.array_filters.as_ref())
}

fn finish(
    out: Option<Out<'_, nanodb_update_result>>,
    done: UpdateResult,
    format: Format,
) -> Result<()> {
    let Some(out) = out else { return Ok(()) };
    let UpdateResult { matched, modified, upserted, .. } = done;
    let upserted_id = upserted.map(|id| output::id(&id, format)).transpose()?.unwrap_or_default();
    out.set(nanodb_update_result { matched, modified, upserted_id });
    Ok(())
}

/// Deletes one document that matches a filter. `deleted`, which may be null, is how many did: 0
/// or 1.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_delete_one(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    format: nanodb_format,
    deleted: *mut u64,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(deleted)?;
        let filter = self::filter(arguments, filter, filter_len, Format::new(format)?)?;
        let count = with_collection(
            collection,
            |target| writing!(target, collection => Ok(collection.delete_one(filter)?)),
        )?;
        if let Some(out) = out {
            out.set(count);
        }
        Ok(())
    })
}

/// Deletes all documents that match a filter. `deleted`, which may be null, is how many did. A null
/// filter is refused: to delete all, hand in `{}`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_delete_many(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    format: nanodb_format,
    deleted: *mut u64,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(deleted)?;
        let format = Format::new(format)?;
        let filter = arguments.encoded(filter, filter_len, format, "the filter")?;
        let filter = Part::new(filter, format, "the filter")?.filter()?;
        let count = with_collection(
            collection,
            |target| writing!(target, collection => Ok(collection.delete_many(filter)?)),
        )?;
        if let Some(out) = out {
            out.set(count);
        }
        Ok(())
    })
}
