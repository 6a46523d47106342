//! Changing the documents that pass a filter, within a transaction.
//!
//! A statement looks at the documents as they were when it began: what it changes it does not find
//! again. One that is refused has changed nothing: where several documents are to change in a
//! transaction that can go on after that, all changes are tried before the first is made.

use nanodb_query::bytes::{FilterBytes, UpdateBytes};
use nanodb_query::{Filter, Sort, Update, UpdateContext, UpdateError};

use super::candidates::Candidates;
use super::find::{matches, not_applied};
use super::plan::{Plan, to_id};
use super::source::Source;
use crate::encode_buffer::{self, with_buffer};
use crate::error::{Result, id_mismatch, malformed, update_failed};
use crate::transaction_collection::TransactionCollection;
use nanodb_collection::StoredDoc;
use nanodb_document::{DOCUMENT_BYTES_MAX, DocView, DocumentError, Encode};
use nanodb_document::{Id, IdRef, Key, same_key};

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdateResult {
    /// How many documents matched the filter: 0 or 1 if one was to be updated.
    pub matched: u64,
    /// How many documents were actually changed.
    pub modified: u64,
    /// The id of the document that was inserted because none matched.
    pub upserted: Option<Id>,
}

/// What is to become of a document.
#[derive(Clone, Copy)]
pub(super) enum Action<'a> {
    Update(&'a Update),
    Replace(&'a dyn Encode),
}

/// Which of the documents that pass are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    First,
    /// All of them; whether the caller gives up the transaction if one fails.
    All {
        or_give_up: bool,
    },
}

/// Updates documents that pass.
pub(super) fn update(
    collection: &TransactionCollection<'_>,
    filter: &Filter,
    action: Action<'_>,
    which: Which,
) -> Result<UpdateResult> {
    collection.check_access()?;
    if let Action::Update(update) = action {
        // Whether a document passes or not.
        update.check()?;
    }
    let context = context();
    if which == (Which::All { or_give_up: false }) {
        for_each(collection, filter, which, |document| {
            try_out(filter, action, &context, document)
        })?;
    }
    let mut updated = UpdateResult::default();
    for_each(collection, filter, which, |document| {
        updated.matched += 1;
        updated.modified += u64::from(change(collection, filter, action, &context, document)?);
        Ok(())
    })?;
    if updated.matched == 0 {
        check(action)?;
    }
    Ok(updated)
}

/// Updates the document with an id; returns whether there is one.
pub(super) fn update_by_id(
    collection: &TransactionCollection<'_>,
    id: IdRef<'_>,
    update: &Update,
) -> Result<bool> {
    collection.check_access()?;
    // Whether there is one or not.
    update.check()?;
    let Some(document) = collection.get(id)? else { return Ok(false) };
    // An id leads into no array: `$` has no meaning, as with a filter on it.
    change(collection, &Filter::all(), Action::Update(update), &context(), &document)
        .map_err(|error| document.blame(collection.name(), error))?;
    Ok(true)
}

/// Updates a document that passes, or inserts one.
pub(super) fn upsert(
    collection: &TransactionCollection<'_>,
    filter: &Filter,
    action: Action<'_>,
) -> Result<UpdateResult> {
    let updated = update(collection, filter, action, Which::First)?;
    if updated.matched > 0 {
        return Ok(updated);
    }
    let upserted = Some(insert(collection, filter, action)?);
    Ok(UpdateResult { upserted, ..updated })
}

/// Deletes documents that pass; returns how many.
pub(super) fn delete(
    collection: &TransactionCollection<'_>,
    filter: &Filter,
    which: Which,
) -> Result<u64> {
    collection.check_access()?;
    let mut count = 0;
    for_each(collection, filter, which, |document| {
        count += u64::from(collection.delete_found(document)?);
        Ok(())
    })?;
    Ok(count)
}

/// Refuses what is refused whether a document passes or not.
pub(super) fn check(action: Action<'_>) -> Result<()> {
    match action {
        Action::Update(_) => Ok(()),
        // With any id, since it is not stored.
        Action::Replace(document) => replacement(document, IdRef::Int(0)).map(drop),
    }
}

/// A document that is to be put in place of another one, encoded, with that id if it has none.
fn replacement(document: &dyn Encode, id: IdRef<'_>) -> Result<Vec<u8>> {
    let mut encoded = Vec::new();
    let draft = document.encode(Some(id), &mut encoded)?;
    let record = draft.record(&encoded).to_vec();
    Update::check_replacement(&record)?;
    Ok(record)
}

/// Inserts the document that an upsert makes when none passes.
pub(super) fn insert(
    collection: &TransactionCollection<'_>,
    filter: &Filter,
    action: Action<'_>,
) -> Result<Id> {
    let failed = |why| update_failed(None, why);
    match action {
        Action::Update(update) => {
            let mut new = Vec::new();
            update.upsert(filter, &context(), &mut new).map_err(failed)?;
            collection.insert(DocView::from_bytes(&new))
        }
        Action::Replace(document) => {
            let Some(wanted) = Update::upserted_id(filter).map_err(failed)? else {
                check(action)?;
                return collection.insert(document);
            };
            let wanted = id_of_value(&wanted)?;
            let record = replacement(document, wanted.as_ref())?;
            let record = DocView::from_bytes(&record);
            match record.id().map(IdRef::to_owned) {
                Some(found) if found != wanted => Err(id_mismatch(wanted.as_ref(), found.as_ref())),
                _ => collection.insert(record),
            }
        }
    }
}

/// The id that a value is, or why it is none.
fn id_of_value(value: &[u8]) -> Result<Id> {
    if let Some(id) = to_id(value) {
        return Ok(id);
    }
    const ONLY_ID: &[u8] = b"\x81\xa3_id";
    let mut encoded = Vec::new();
    let document = [ONLY_ID, value].concat();
    let draft = DocView::from_bytes(&document).encode(None, &mut encoded)?;
    let id = DocView::from_bytes(draft.record(&encoded)).id().map(IdRef::to_owned);
    // Every draft has one.
    id.ok_or_else(|| DocumentError::Malformed { offset: 0 }.into())
}

/// Changes one document; says whether it is another one now.
pub(super) fn change(
    collection: &TransactionCollection<'_>,
    filter: &Filter,
    action: Action<'_>,
    context: &UpdateContext,
    document: &StoredDoc,
) -> Result<bool> {
    let id = id_of(document)?;
    match action {
        Action::Update(update) => {
            let Some(new) = updated(filter, update, context, document)? else { return Ok(false) };
            with_buffer(|buffer| {
                // What an update brings may be in other forms of MessagePack than the stored one,
                // and names may have become too long.
                let new = DocView::from_bytes(&new);
                let draft = encode_buffer::replacement(id, &Key::new(id), new, buffer)?;
                collection.replace_found(document, draft.record(buffer))
            })
        }
        Action::Replace(new) => {
            let record = replacement(new, id)?;
            if record == document.as_bytes() {
                return Ok(false);
            }
            check_id(id, &record)?;
            collection.replace_found(document, &record)
        }
    }
}

/// Refuses a document, in stored form, that has another id.
fn check_id(id: IdRef<'_>, record: &[u8]) -> Result<()> {
    let found = DocView::from_bytes(record).id();
    match found.filter(|&found| !same_key(&Key::new(found), &Key::new(id))) {
        Some(found) => Err(id_mismatch(id, found)),
        None => Ok(()),
    }
}

/// What updates of this statement are applied with.
pub(super) fn context() -> UpdateContext {
    let now = nanodb_document::Timestamp::now();
    UpdateContext { now, bytes_max: DOCUMENT_BYTES_MAX, ..UpdateContext::default() }
}

/// Finds out whether a document can be changed.
fn try_out(
    filter: &Filter,
    action: Action<'_>,
    context: &UpdateContext,
    document: &StoredDoc,
) -> Result<()> {
    let Action::Update(update) = action else { return Ok(()) };
    if let Some(new) = updated(filter, update, context, document)? {
        let _draft = DocView::from_bytes(&new).encode(None, &mut Vec::new())?;
    }
    Ok(())
}

/// What becomes of a document, if that is another one.
fn updated(
    filter: &Filter,
    update: &Update,
    context: &UpdateContext,
    document: &StoredDoc,
) -> Result<Option<Vec<u8>>> {
    let mut context = *context;
    if update.needs_match() {
        context.matched = filter.matched_element(document.as_bytes()).map_err(not_applied)?;
    }
    let mut new = Vec::new();
    match update.apply(document.as_bytes(), &context, &mut new) {
        Ok(changed) => Ok(changed.then_some(new)),
        Err(UpdateError::Malformed(_)) => Err(malformed()),
        Err(why) => Err(update_failed(document.id(), why)),
    }
}

fn for_each(
    collection: &TransactionCollection<'_>,
    filter: &Filter,
    which: Which,
    mut visit: impl FnMut(&StoredDoc) -> Result<()>,
) -> Result<()> {
    let enough = (which == Which::First).then_some(1);
    let plan = Plan::new(filter.clone(), Sort::default())?;
    let mut candidates = Candidates::new(&Source::Transaction(collection), &plan, enough)?;
    while let Some(document) = candidates.next_that(|document| matches(filter, document))? {
        visit(&document).map_err(|error| document.blame(collection.name(), error))?;
        if which == Which::First {
            break;
        }
    }
    Ok(())
}

pub(super) fn id_of(document: &StoredDoc) -> Result<IdRef<'_>> {
    document.id().ok_or_else(malformed)
}
