//! What the functions do.

use std::fmt::Write as _;
use std::os::raw::c_char;

use nanodb::{Collection, DocView, Document, ErrorKind, Filter, Id, IdRef, StoredDoc, doc};

use super::documents::{Array, New, NewDocuments, merge, patch, random_id, text_of};
use super::state;
use crate::failure::{Failure, Result};
use crate::memory::text_out;

/// So often ids are chosen anew if one of them is taken.
const TRIES: usize = 8;

/// The least integer that JavaScript's numbers cannot tell from its neighbour.
const IDS_END: i64 = 1 << 53;

pub(super) fn create_collection(name: &str) -> Result<i64> {
    state::creating(name, |database| {
        // A collection comes into being with its first document.
        database.write(|transaction| {
            let collection = transaction.collection(name);
            let id = collection.insert(doc! { "_id": "" })?;
            collection.delete(&id)
        })?;
        Ok(())
    })
    .map(i64::from)
}

pub(super) fn collections() -> Result<String> {
    let all = state::database()?.collections()?;
    let names: Vec<nanodb::Value> = all.into_iter().map(|info| info.name.into()).collect();
    Ok(nanodb::Value::Array(names).to_json()?)
}

pub(super) fn insert(collection: &str, document: &str) -> Result<i64> {
    let collection = state::collection(collection)?;
    let document = New::parse(document)?;
    match collection.insert(&document) {
        Ok(id) => below_the_end(&id),
        Err(error) if error.kind() == ErrorKind::Exhausted => {
            let insert = || collection.insert(document.with_id(random_id()));
            below_the_end(&untaken(insert)?)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn insert_many(collection: &str, documents: &str) -> Result<String> {
    let collection = state::collection(collection)?;
    let documents = NewDocuments::parse(documents)?;
    let documents = documents.documents()?;
    let ids = match collection.insert_many(&documents) {
        Err(error) if error.kind() == ErrorKind::Exhausted => untaken(|| {
            collection.insert_many(documents.iter().map(|document| document.with_id(random_id())))
        })?,
        inserted => inserted?,
    };
    let mut text = String::with_capacity(ids.len() * 8 + 2);
    text.push('[');
    for (count, id) in ids.iter().enumerate() {
        if count > 0 {
            text.push(',');
        }
        // A string takes all that is written.
        let _ = write!(text, "{}", below_the_end(id)?);
    }
    text.push(']');
    Ok(text)
}

/// Inserts with other ids as long as one is taken.
fn untaken<T>(mut insert: impl FnMut() -> nanodb::Result<T>) -> Result<T> {
    for _ in 1..TRIES {
        match insert() {
            Err(error) if error.kind() == ErrorKind::DuplicateId => {}
            inserted => return Ok(inserted?),
        }
    }
    Ok(insert()?)
}

fn below_the_end(id: &Id) -> Result<i64> {
    let number = id.as_i64().filter(|number| (0..IDS_END).contains(number));
    number.ok_or_else(|| Failure::invalid("the id is no number below 2^53"))
}

/// An id as the Go program had it: 64 bits without a sign.
fn unsigned(id: i64) -> IdRef<'static> {
    IdRef::from(id.cast_unsigned())
}

pub(super) fn find(collection: &str, query: &str, limit: i64, skip: i64) -> Result<*mut c_char> {
    let collection = state::collection(collection)?;
    let filter = Filter::parse_json(query)?;
    let mut array = Array::new();
    if filter.is_all() && limit <= 0 && skip <= 0 {
        let mut scan = collection.scan()?;
        while let Some(document) = scan.next()? {
            array.push(document)?;
        }
        return array.finish();
    }
    let positive = |number: i64| u64::try_from(number).unwrap_or(0);
    for found in collection.find(filter).limit(positive(limit)).skip(positive(skip)).run()? {
        array.push(&found?)?;
    }
    array.finish()
}

pub(super) fn find_one(collection: &str, query: &str) -> Result<*mut c_char> {
    let collection = state::collection(collection)?;
    or_null(collection.find_one(Filter::parse_json(query)?)?)
}

pub(super) fn find_by_id(collection: &str, id: i64) -> Result<*mut c_char> {
    or_null(state::collection(collection)?.get(unsigned(id))?)
}

fn or_null(found: Option<StoredDoc>) -> Result<*mut c_char> {
    match found {
        Some(document) => text_of(&document),
        None => Ok(text_out("null")),
    }
}

pub(super) fn update_by_id(collection: &str, id: i64, text: &str) -> Result<String> {
    let patch = patch(text)?;
    let collection = state::collection(collection)?;
    let updated = changing(&collection, |collection| {
        let Some(found) = collection.get(unsigned(id))? else { return Ok(None) };
        let mut document = found.to_document()?;
        merge(&mut document, &patch);
        collection.replace(unsigned(id), &document)?;
        Ok(Some(document))
    })?;
    match updated {
        Some(document) => Ok(document.to_json()?),
        None => Err(Failure::invalid("there is no document with this id")),
    }
}

pub(super) fn update_many(collection: &str, query: &str, text: &str) -> Result<*mut c_char> {
    let patch = patch(text)?;
    let filter = Filter::parse_json(query)?;
    let collection = state::collection(collection)?;
    let updated = changing(&collection, |collection| {
        let mut updated: Vec<Document> = Vec::new();
        for found in collection.find(&filter).run()? {
            let found = found?;
            let mut document = found.to_document()?;
            merge(&mut document, &patch);
            if let Some(id) = found.id() {
                collection.replace(id, &document)?;
            }
            updated.push(document);
        }
        Ok(updated)
    })?;
    let mut array = Array::new();
    for document in &updated {
        array.push(DocView::from_bytes(&document.to_msgpack()?))?;
    }
    array.finish()
}

/// Reads and writes a collection as one commit.
fn changing<T>(
    collection: &Collection,
    mut run: impl FnMut(&nanodb::TransactionCollection<'_>) -> nanodb::Result<T>,
) -> Result<T> {
    let name = collection.name();
    Ok(state::database()?.write(|transaction| run(&transaction.collection(name)))?)
}

pub(super) fn delete_by_id(collection: &str, id: i64) -> Result<i64> {
    let was_there = state::collection(collection)?.delete(unsigned(id))?;
    Ok(if was_there { 1 } else { -1 })
}

pub(super) fn delete_many(collection: &str, query: &str) -> Result<i64> {
    let collection = state::collection(collection)?;
    collection.delete_many(Filter::parse_json(query)?)?;
    Ok(1)
}
