//! Cursors, which hand out many documents a call.

use super::entry;
use crate::failure::{Failure, Result};
use crate::objects::{
    CursorSource, OpenCursor, insert_cursor, reading, remove_cursor, with_collection, with_cursor,
};
use crate::output::List;
use crate::part::Format;
use crate::status::{NANODB_CLOSED, NANODB_TRANSACTION_OVER};
use crate::types::{
    nanodb_buf, nanodb_collection, nanodb_cursor, nanodb_error, nanodb_format, nanodb_status,
};

/// So many documents are handed out where the caller does not say.
const DOCUMENTS_MAX_DEFAULT: usize = 1000;

/// Once a batch has so many bytes no more documents are added.
const BATCH_BYTES: usize = 4 << 20;

/// Starts to read all documents of a collection, in the order in which they are stored.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_scan(
    collection: nanodb_collection,
    cursor: *mut nanodb_cursor,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.out(cursor)?;
        let scan = with_collection(
            collection,
            |target| reading!(target, collection => Ok(collection.scan()?)),
        )?;
        let source = CursorSource::Scan(Box::new(scan));
        out.set(insert_cursor(OpenCursor { source, pending: None }.into())?);
        Ok(())
    })
}

/// Returns the next documents as an array: at most `documents_max`, or 1,000 if that is 0, and
/// fewer if they are large (no more are added once there are 4 MiB) or at the end.
///
/// `count` is how many; at the end it is 0, and `documents` is nothing (`data` is null).
///
/// An error of a damaged page is returned once; the next call goes on behind it. What was found
/// before it is returned first, and nothing is lost. One call at a time uses a cursor; others wait.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_cursor_next(
    cursor: nanodb_cursor,
    documents_max: usize,
    format: nanodb_format,
    documents: *mut nanodb_buf,
    count: *mut usize,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let (out, out_count) = (arguments.out(documents)?, arguments.out(count)?);
        let format = Format::new(format)?;
        let documents_max = if documents_max == 0 { DOCUMENTS_MAX_DEFAULT } else { documents_max };
        let list = with_cursor(cursor, |open| batch(&mut open.lock(), documents_max, format))?;
        let count = list.count();
        if count > 0 {
            out.set(list.finish()?);
            out_count.set(count);
        }
        Ok(())
    })
}

fn batch(open: &mut OpenCursor, documents_max: usize, format: Format) -> Result<List> {
    if let Some(failure) = open.pending.take() {
        return Err(failure);
    }
    let mut list = List::new(format);
    while list.count() < documents_max && list.bytes_len() < BATCH_BYTES {
        match push_next(&mut open.source, &mut list) {
            Ok(true) => {}
            Ok(false) => break,
            // A database that was closed has nothing to hand out any more.
            Err(failure) if list.count() == 0 || is_final(&failure) => return Err(failure),
            Err(failure) => {
                open.pending = Some(failure);
                break;
            }
        }
    }
    Ok(list)
}

fn is_final(failure: &Failure) -> bool {
    matches!(failure.status(), NANODB_CLOSED | NANODB_TRANSACTION_OVER)
}

/// Adds the next document; returns false at the end.
fn push_next(source: &mut CursorSource, list: &mut List) -> Result<bool> {
    match source {
        CursorSource::Find(found) => {
            let Some(document) = found.next() else { return Ok(false) };
            let document = document?;
            list.push(|output| output.document(&document))?;
        }
        CursorSource::Scan(scan) => {
            let Some(document) = scan.next()? else { return Ok(false) };
            list.push(|output| output.document(document))?;
        }
    }
    Ok(true)
}

/// Frees a cursor.
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_cursor_free(cursor: nanodb_cursor) {
    super::freeing(|| remove_cursor(cursor));
}
