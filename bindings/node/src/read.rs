//! Reading a collection: of a database, of a snapshot, or as a transaction sees it.

use std::sync::{Arc, Mutex};

use nanodb::{Document, Find, ReadCollection, ValueRef, doc};

use crate::cursor::Portions;
use crate::failure::{Failure, Result};
use crate::object::Object;
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request::Request;

/// Of how many bytes a reply to several reads by id is long. It is decoded in one go.
const EACH_BYTES: usize = 64 * 1024;

/// Does what is asked for; false if that does not read.
pub(crate) fn run(
    collection: &impl ReadCollection,
    operation: Operation,
    bytes: &[u8],
    reply: &mut Reply,
) -> Result<bool> {
    let request = Request::new(bytes);
    match operation {
        Operation::Get => get(collection, bytes, reply)?,
        Operation::GetEach => get_each(collection, bytes, reply)?,
        Operation::Find => find(collection, request, reply)?,
        Operation::FindOne => match search(collection, request)?.first()? {
            Some(found) => reply.raw(found.as_bytes()),
            None => reply.nothing(),
        },
        Operation::Count => reply.document(&doc! { "n": (collection.count()?) })?,
        Operation::CountDocuments => {
            let count = search(collection, request)?.count()?;
            reply.document(&doc! { "n": count })?;
        }
        Operation::Distinct => distinct(collection, request, reply)?,
        Operation::Explain => explain(collection, request, reply)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Looks up the document whose id is the request. What cannot be an id is no document's.
#[inline]
fn get(collection: &impl ReadCollection, bytes: &[u8], reply: &mut Reply) -> Result<()> {
    let id = ValueRef::from_bytes(bytes).and_then(|value| value.as_id());
    let found = id.map(|id| collection.get(id)).transpose()?.flatten();
    match found {
        Some(document) => reply.raw(document.as_bytes()),
        None => reply.nothing(),
    }
    Ok(())
}

/// Looks up several: the request is an array. The reply has a document or null for each, in order,
/// but no more of them once it is long: those are asked for again.
fn get_each(collection: &impl ReadCollection, bytes: &[u8], reply: &mut Reply) -> Result<()> {
    let wanted = ValueRef::from_bytes(bytes)
        .and_then(|value| value.as_array())
        .ok_or_else(|| Failure::request("ids"))?;
    for value in wanted {
        let id = value?.as_id();
        match id.map(|id| collection.get(id)).transpose()?.flatten() {
            Some(document) => reply.raw(document.as_bytes()),
            None => reply.null(),
        }
        if reply.len() >= EACH_BYTES {
            break;
        }
    }
    Ok(())
}

/// Prepares the search that the arguments describe.
fn search<'c>(collection: &'c impl ReadCollection, request: Request<'_>) -> Result<Find<'c>> {
    let filter = request.optional_document("filter")?.unwrap_or_default();
    let mut find = collection.find(filter);
    if let Some(sort) = request.optional_document("sort")? {
        find = find.sort(sort);
    }
    if let Some(projection) = request.optional_document("projection")? {
        find = find.projection(projection);
    }
    if let Some(skip) = request.number("skip")? {
        find = find.skip(skip);
    }
    if let Some(limit) = request.number("limit")? {
        find = find.limit(limit);
    }
    if let Some(threads) = request.number("threads")? {
        find = find.threads(usize::try_from(threads).unwrap_or(usize::MAX));
    }
    Ok(find)
}

fn find(collection: &impl ReadCollection, request: Request<'_>, reply: &mut Reply) -> Result<()> {
    let mut portions = Portions::new(search(collection, request)?.run()?, request)?;
    if portions.next(reply)? {
        reply.more();
        reply.object(Object::Cursor(Arc::new(Mutex::new(portions))));
    }
    Ok(())
}

/// Replies with a document for each value, since all of them may be more than one may hold.
fn distinct(
    collection: &impl ReadCollection,
    request: Request<'_>,
    reply: &mut Reply,
) -> Result<()> {
    let filter = request.optional_document("filter")?.unwrap_or_default();
    for value in collection.distinct(request.text("field")?, filter)? {
        let mut document = Document::new();
        document.insert("v", value);
        reply.document(&document)?;
    }
    Ok(())
}

fn explain(
    collection: &impl ReadCollection,
    request: Request<'_>,
    reply: &mut Reply,
) -> Result<()> {
    let explain = search(collection, request)?.explain_analyze()?;
    reply.document(&doc! {
        "stage": (explain.plan.access_path.to_string()),
        "nReturned": (explain.documents_returned),
        "totalDocsExamined": (explain.documents_examined),
        "temporaryBytes": (explain.temporary_bytes),
        "text": (explain.to_string()),
    })
}
