//! Writing to a collection: each call a commit of its own, or a step of a transaction.

use nanodb::{
    AccessPath, Collection, Database, DocView, Document, Filter, FindOneAndModify, IdRef,
    IntoFilter, IntoUpdate, StoredDoc, TransactionCollection, Update, UpdateResult, Value,
    WriteCollection, doc,
};

use crate::bulk;
use crate::failure::{Failure, Result};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request::{Request, documents};

/// Whose documents are changed, for calls that take several steps.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    Collection(&'a Database, &'a Collection),
    Transaction(&'a TransactionCollection<'a>),
}

impl Target<'_> {
    /// Runs steps as one. `run` is called again after a conflict, unless this is a transaction's.
    pub(crate) fn atomically<T>(
        self,
        mut run: impl FnMut(&TransactionCollection<'_>) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Collection(database, collection) => {
                database.write_with(|tx| run(&tx.collection(collection.name())))
            }
            Self::Transaction(collection) => run(collection),
        }
    }
}

/// Does what is asked for; false if that does not write.
pub(crate) fn run(
    collection: &impl WriteCollection,
    target: Target<'_>,
    operation: Operation,
    bytes: &[u8],
    reply: &mut Reply,
) -> Result<bool> {
    let request = Request::new(bytes);
    match operation {
        Operation::Insert => insert(collection, bytes, reply)?,
        Operation::InsertMany => insert_many(collection, target, bytes, reply)?,
        Operation::UpdateOne => updated(update_one(collection, target, request)?, reply)?,
        Operation::UpdateMany => updated(update_many(collection, target, request)?, reply)?,
        Operation::ReplaceOne => updated(replace_one(collection, target, request)?, reply)?,
        Operation::DeleteOne => {
            let count = collection.delete_one(filter(request)?)?;
            reply.document(&doc! { "n": count })?;
        }
        Operation::DeleteMany => {
            let count = collection.delete_many(filter(request)?)?;
            reply.document(&doc! { "n": count })?;
        }
        Operation::FindOneAndUpdate
        | Operation::FindOneAndReplace
        | Operation::FindOneAndDelete => {
            find_one_and_modify(collection, target, operation, request, reply)?;
        }
        Operation::BulkWrite => bulk::run(target, bytes, reply)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Returns the filter of a request.
pub(crate) fn filter(request: Request<'_>) -> Result<Filter> {
    Ok(request.document("filter")?.into_filter())
}

/// Returns the update of a request, under that name, with its filters of array elements.
fn update(request: Request<'_>, name: &str) -> Result<Update> {
    match request.optional_array("arrayFilters")? {
        Some(filters) => {
            let update = request.view(name)?.as_bytes();
            Ok(Update::from_msgpack_with_filters(update, filters)?)
        }
        None => Ok(request.document(name)?.into_update()),
    }
}

/// Returns the update of a request, and the one that inserts where nothing matches, if there is to
/// be one.
struct Updates {
    update: Update,
    on_insert: Option<Update>,
}

impl Updates {
    fn of(request: Request<'_>) -> Result<Self> {
        let update = update(request, "update")?;
        let on_insert = if !request.flag("upsert") {
            None
        } else if request.flag("hasOnInsert") {
            Some(self::update(request, "onInsert")?)
        } else {
            Some(update.clone())
        };
        Ok(Self { update, on_insert })
    }
}

/// Inserts the document that the request is; replies with its id if it has none.
#[inline]
fn insert(collection: &impl WriteCollection, bytes: &[u8], reply: &mut Reply) -> Result<()> {
    let document = DocView::from_bytes(bytes);
    let has_id = document.id().is_some();
    let id = collection.insert(document)?;
    if has_id {
        reply.nothing();
        return Ok(());
    }
    reply.document(&doc! { "_id": id })
}

/// Inserts documents as one commit; replies with their ids, each in a document, unless all have one
/// in front. If one is refused, those before it are inserted, and the reply is a bulk write's.
fn insert_many(
    collection: &impl WriteCollection,
    target: Target<'_>,
    bytes: &[u8],
    reply: &mut Reply,
) -> Result<()> {
    let documents = documents(bytes)?;
    let have_ids = documents.iter().all(|document| document.id().is_some());
    match collection.insert_many(documents.iter().copied()) {
        Ok(_) if have_ids => reply.nothing(),
        Ok(ids) => {
            for id in ids {
                reply.document(&doc! { "_id": id })?;
            }
        }
        Err(error) => {
            let failure = error.into();
            if !bulk::is_of_one_operation(&failure) {
                return Err(failure);
            }
            bulk::insert_some(target, &documents, reply)?;
        }
    }
    Ok(())
}

fn updated(updated: UpdateResult, reply: &mut Reply) -> Result<()> {
    let mut document = doc! { "matched": (updated.matched), "modified": (updated.modified) };
    if let Some(id) = updated.upserted {
        document.insert("upserted", id);
    }
    reply.document(&document)
}

/// Updates the first document that matches.
pub(crate) fn update_one(
    collection: &impl WriteCollection,
    target: Target<'_>,
    request: Request<'_>,
) -> Result<UpdateResult> {
    let (filter, updates) = (filter(request)?, Updates::of(request)?);
    let Updates { update, on_insert } = &updates;
    match on_insert {
        None => Ok(collection.update_one(&filter, update)?),
        Some(_) => target.atomically(|collection| {
            let updated = collection.update_one(&filter, update)?;
            or_upsert(collection, &filter, updated, &updates)
        }),
    }
}

/// Updates all documents that match.
pub(crate) fn update_many(
    collection: &impl WriteCollection,
    target: Target<'_>,
    request: Request<'_>,
) -> Result<UpdateResult> {
    let (filter, updates) = (filter(request)?, Updates::of(request)?);
    let Updates { update, on_insert } = &updates;
    match on_insert {
        None => Ok(collection.update_many(&filter, update)?),
        Some(_) => target.atomically(|collection| {
            let updated = collection.update_many(&filter, update)?;
            or_upsert(collection, &filter, updated, &updates)
        }),
    }
}

fn or_upsert(
    collection: &TransactionCollection<'_>,
    filter: &Filter,
    updated: UpdateResult,
    Updates { update, on_insert }: &Updates,
) -> Result<UpdateResult> {
    if updated.matched > 0 {
        return Ok(updated);
    }
    let on_insert = on_insert.as_ref().filter(|_| !demands_id(collection, filter));
    Ok(collection.upsert(filter, on_insert.unwrap_or(update))?)
}

/// Returns whether a filter demands one id, which an upsert inserts: not the one that was made for
/// it, which a request has in what it names `onInsert`.
fn demands_id(collection: &TransactionCollection<'_>, filter: &Filter) -> bool {
    let plan = collection.find(filter).explain();
    // What is wrong with the filter is told by who uses it.
    plan.is_ok_and(|plan| plan.access_path == AccessPath::IdLookup { count: 1 })
}

/// Replaces the first document that matches.
pub(crate) fn replace_one(
    collection: &impl WriteCollection,
    target: Target<'_>,
    request: Request<'_>,
) -> Result<UpdateResult> {
    let (filter, document) = (filter(request)?, request.view("document")?);
    if !request.flag("upsert") {
        return Ok(collection.replace_one(&filter, document)?);
    }
    let on_insert = new_document(request, document)?;
    target.atomically(|collection| {
        let replaced = collection.replace_one(&filter, document)?;
        if replaced.matched > 0 {
            return Ok(replaced);
        }
        let on_insert = if demands_id(collection, &filter) { document } else { on_insert };
        Ok(collection.replace_or_insert(&filter, on_insert)?)
    })
}

/// Returns what is inserted where a replacement finds nothing to replace.
fn new_document<'a>(request: Request<'a>, document: &'a DocView) -> Result<&'a DocView> {
    if request.flag("hasOnInsert") { request.view("onInsert") } else { Ok(document) }
}

/// What a find-and-modify did, besides what it returns.
struct Modified {
    document: Option<StoredDoc>,
    existed: bool,
    upserted: Option<Value>,
}

fn find_one_and_modify(
    collection: &impl WriteCollection,
    target: Target<'_>,
    operation: Operation,
    request: Request<'_>,
    reply: &mut Reply,
) -> Result<()> {
    let options = ModifyOptions::of(request)?;
    let filter = filter(request)?;
    let modified = match operation {
        Operation::FindOneAndDelete => {
            found(options.apply(collection.find_one_and_delete(&filter)).run()?)
        }
        Operation::FindOneAndUpdate => {
            let Updates { update, on_insert } = Updates::of(request)?;
            match on_insert {
                None => {
                    let modify = collection.find_one_and_update(&filter, &update);
                    found(options.apply(modify).run()?)
                }
                Some(on_insert) => {
                    let (change, on_insert) = (Change::Update(&update), Change::Update(&on_insert));
                    options.upsert(target, &filter, change, on_insert)?
                }
            }
        }
        _ => {
            let document = request.view("document")?;
            if request.flag("upsert") {
                let on_insert = Change::Replace(new_document(request, document)?);
                options.upsert(target, &filter, Change::Replace(document), on_insert)?
            } else {
                let modify = collection.find_one_and_replace(&filter, document);
                found(options.apply(modify).run()?)
            }
        }
    };
    if request.flag("meta") {
        let mut told = doc! { "existed": (modified.existed) };
        if let Some(id) = modified.upserted {
            told.insert("upserted", id);
        }
        reply.document(&told)?;
    }
    match modified.document {
        Some(document) => reply.raw(document.as_bytes()),
        None if request.flag("meta") => {}
        None => reply.nothing(),
    }
    Ok(())
}

/// Without an upsert, there was a document if one is returned.
fn found(document: Option<StoredDoc>) -> Modified {
    Modified { existed: document.is_some(), document, upserted: None }
}

/// What is done to the document that was found.
#[derive(Clone, Copy)]
enum Change<'a> {
    Update(&'a Update),
    Replace(&'a DocView),
}

impl<'a> Change<'a> {
    fn of(
        self,
        collection: &'a TransactionCollection<'a>,
        filter: &Filter,
    ) -> FindOneAndModify<'a> {
        match self {
            Self::Update(update) => collection.find_one_and_update(filter, update),
            Self::Replace(document) => collection.find_one_and_replace(filter, document),
        }
    }
}

struct ModifyOptions {
    sort: Option<Document>,
    projection: Option<Document>,
    returns_new: bool,
}

impl ModifyOptions {
    fn of(request: Request<'_>) -> Result<Self> {
        Ok(Self {
            sort: request.optional_document("sort")?,
            projection: request.optional_document("projection")?,
            returns_new: request.flag("new"),
        })
    }

    fn apply<'c>(&self, mut modify: FindOneAndModify<'c>) -> FindOneAndModify<'c> {
        if let Some(sort) = &self.sort {
            modify = modify.sort(sort);
        }
        if let Some(projection) = &self.projection {
            modify = modify.projection(projection);
        }
        if self.returns_new { modify.return_new() } else { modify }
    }

    fn upsert(
        &self,
        target: Target<'_>,
        filter: &Filter,
        change: Change<'_>,
        on_insert: Change<'_>,
    ) -> Result<Modified> {
        target.atomically(|collection| {
            if collection.exists(filter)? {
                let document = self.apply(change.of(collection, filter)).run()?;
                return Ok(Modified { document, existed: true, upserted: None });
            }
            // Its id is told even if the document is not wanted, or not all of it.
            let on_insert = if demands_id(collection, filter) { change } else { on_insert };
            let new = on_insert.of(collection, filter).upsert().return_new().run()?;
            let id = new.as_ref().and_then(|new| new.id()).map(Value::from);
            let document = if self.returns_new { self.projected(collection, &id)? } else { None };
            Ok(Modified { document, existed: false, upserted: id })
        })
    }

    fn projected(
        &self,
        collection: &TransactionCollection<'_>,
        id: &Option<Value>,
    ) -> Result<Option<StoredDoc>> {
        let id = id.as_ref().and_then(|id| IdRef::try_from(id).ok());
        let id = id.ok_or_else(|| Failure::request("an id"))?;
        let mut wanted = Document::new();
        wanted.insert("_id", id);
        let mut find = collection.find(wanted);
        if let Some(projection) = &self.projection {
            find = find.projection(projection);
        }
        Ok(find.first()?)
    }
}
