//! Finding one document and changing it, as one step.

use std::os::raw::c_void;

use nanodb::{FindOneAndModify, StoredDoc, WriteCollection};

use super::entry;
use super::search::filter;
use super::update::update;
use crate::arguments::Out;
use crate::failure::Result;
use crate::objects::{with_collection, writing};
use crate::options::{Changing, Verb};
use crate::output::one;
use crate::part::{Format, Given};
use crate::types::{nanodb_buf, nanodb_collection, nanodb_error, nanodb_format, nanodb_status};

/// Updates one document that matches a filter, and returns it, as it was before; nothing (`data` is
/// null) if none matches.
///
/// `options` is a document in the format of the call, or null: `sort` (of the documents that match,
/// the first in this order is changed), `projection`, `return_new` (the document is returned as it
/// is after the change), `upsert`, `array_filters`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_find_one_and_update(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    update: *const c_void,
    update_len: usize,
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
        let options = Changing::new(options, format, Verb::FindAndUpdate)?;
        let update = self::update(arguments, update, update_len, format, &options)?;
        let found = with_collection(collection, |target| {
            writing!(target, collection => {
                run(&options, WriteCollection::find_one_and_update(collection, filter, update))
            })
        })?;
        finish(out, found, format)
    })
}

/// Replaces one document that matches a filter, and returns it; see `nanodb_find_one_and_update`.
/// The new document keeps the id.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_find_one_and_replace(
    collection: nanodb_collection,
    filter: *const c_void,
    filter_len: usize,
    replacement: *const c_void,
    replacement_len: usize,
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
        let options = Changing::new(options, format, Verb::FindAndReplace)?;
        let new = arguments.encoded(replacement, replacement_len, format, "the replacement")?;
        let new = Given::new(new, format)?;
        let found = with_collection(collection, |target| {
            writing!(target, collection => {
                run(&options, WriteCollection::find_one_and_replace(collection, filter, new))
            })
        })?;
        finish(out, found, format)
    })
}

/// Deletes one document that matches a filter, and returns it; nothing (`data` is null) if none
/// matches. `options` is a document in the format of the call, or null: `sort`, `projection`.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_find_one_and_delete(
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
        let options = Changing::new(options, format, Verb::FindAndDelete)?;
        let found = with_collection(collection, |target| {
            writing!(target, collection => {
                run(&options, WriteCollection::find_one_and_delete(collection, filter))
            })
        })?;
        finish(out, found, format)
    })
}

fn run(options: &Changing<'_>, change: FindOneAndModify<'_>) -> Result<Option<StoredDoc>> {
    Ok(options.apply(change).run()?)
}

fn finish(out: Out<'_, nanodb_buf>, found: Option<StoredDoc>, format: Format) -> Result<()> {
    if let Some(document) = found {
        out.set(one(&document, format)?);
    }
    Ok(())
}
