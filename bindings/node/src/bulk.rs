//! Several writes in one call.
//!
//! The request is a list of documents. The first says whether the writes are ordered; each of the
//! others is the request of one, under `kind` the name that the driver's `bulkWrite` has for it.

use nanodb::{DocView, Document, ErrorKind, TransactionCollection, UpdateResult, Value, doc};

use crate::failure::{Failure, Result};
use crate::reply::Reply;
use crate::request::{Request, documents};
use crate::write::{Target, filter, replace_one, update_many, update_one};

#[derive(Default)]
struct Written {
    inserted: u64,
    matched: u64,
    modified: u64,
    deleted: u64,
    /// The ids that the database has assigned, and those of upserts: position and id.
    inserted_ids: Vec<Value>,
    upserted_ids: Vec<Value>,
    errors: Vec<Value>,
}

/// Runs the writes as one commit, or as one step of a transaction. If one is refused, those before
/// it stay done, and those after it are done, too, unless they are ordered; the reply tells which
/// were refused.
pub(crate) fn run(target: Target<'_>, bytes: &[u8], reply: &mut Reply) -> Result<()> {
    let all = documents(bytes)?;
    let (first, operations) = all.split_first().ok_or_else(|| Failure::request("operations"))?;
    let ordered = Request::new(first.as_bytes()).flag("ordered");
    let written = target.atomically(|collection| {
        let mut written = Written::default();
        for (position, operation) in operations.iter().enumerate() {
            let position = u64::try_from(position).unwrap_or(u64::MAX);
            let done = run_one(collection, position, operation, &mut written);
            let Err(failure) = done else { continue };
            if !is_of_one_operation(&failure) {
                return Err(failure);
            }
            written.errors.push(Value::Document(failure.at(position).to_document()));
            if ordered {
                break;
            }
        }
        Ok(written)
    })?;
    written.tell(reply)
}

/// Inserts documents one by one, of which inserting all at once was refused.
pub(crate) fn insert_some(
    target: Target<'_>,
    documents: &[&DocView],
    reply: &mut Reply,
) -> Result<()> {
    let written = target.atomically(|collection| {
        let mut written = Written::default();
        for (position, document) in documents.iter().enumerate() {
            let position = u64::try_from(position).unwrap_or(u64::MAX);
            let Err(failure) = written.insert(collection, position, document) else { continue };
            if !is_of_one_operation(&failure) {
                return Err(failure);
            }
            written.errors.push(Value::Document(failure.at(position).to_document()));
            break;
        }
        Ok(written)
    })?;
    written.tell(reply)
}

/// Returns whether a failure says that one operation was refused, and nothing of the others.
pub(crate) fn is_of_one_operation(failure: &Failure) -> bool {
    matches!(
        failure.kind(),
        None | Some(ErrorKind::Invalid | ErrorKind::DuplicateId | ErrorKind::WrongType)
    )
}

fn run_one(
    collection: &TransactionCollection<'_>,
    position: u64,
    operation: &DocView,
    written: &mut Written,
) -> Result<()> {
    let request = Request::new(operation.as_bytes());
    let target = Target::Transaction(collection);
    match request.text("kind")? {
        "insertOne" => written.insert(collection, position, request.view("document")?)?,
        "updateOne" => written.add(position, update_one(collection, target, request)?),
        "updateMany" => written.add(position, update_many(collection, target, request)?),
        "replaceOne" => written.add(position, replace_one(collection, target, request)?),
        "deleteOne" => written.deleted += collection.delete_one(filter(request)?)?,
        "deleteMany" => written.deleted += collection.delete_many(filter(request)?)?,
        other => return Err(Failure::invalid(format!("no operation is named {other:?}"))),
    }
    Ok(())
}

impl Written {
    fn insert(
        &mut self,
        collection: &TransactionCollection<'_>,
        position: u64,
        document: &DocView,
    ) -> Result<()> {
        let has_id = document.id().is_some();
        let id = collection.insert(document)?;
        self.inserted += 1;
        if !has_id {
            self.inserted_ids.push(at(position, id.into()));
        }
        Ok(())
    }

    fn add(&mut self, position: u64, updated: UpdateResult) {
        self.matched += updated.matched;
        self.modified += updated.modified;
        if let Some(id) = updated.upserted {
            self.upserted_ids.push(at(position, id.into()));
        }
    }

    fn tell(self, reply: &mut Reply) -> Result<()> {
        reply.document(&doc! {
            "inserted": (self.inserted),
            "matched": (self.matched),
            "modified": (self.modified),
            "deleted": (self.deleted),
        })?;
        // Each in a document of its own: all of them may be more than one may hold.
        for (name, list) in [
            ("inserted", self.inserted_ids),
            ("upserted", self.upserted_ids),
            ("error", self.errors),
        ] {
            for value in list {
                let mut document = Document::new();
                document.insert(name, value);
                reply.document(&document)?;
            }
        }
        Ok(())
    }
}

fn at(position: u64, id: Value) -> Value {
    let mut document = doc! { "index": position };
    document.insert("_id", id);
    Value::Document(document)
}
