//! Several writes in one call.

use std::collections::BTreeMap;
use std::os::raw::c_void;

use nanodb::{BulkOperation, BulkWriteResult, Document, Id, Value, WriteCollection};

use super::entry;
use crate::failure::{Failure, Result};
use crate::objects::{with_collection, writing};
use crate::options::{Changing, Verb};
use crate::output::report;
use crate::part::{Format, Part};
use crate::types::{nanodb_buf, nanodb_collection, nanodb_error, nanodb_format, nanodb_status};

/// Makes several writes, one after the other, as one commit: all or none. In a transaction, those
/// before the first that fails stay done.
///
/// `operations` is an array of documents, each with one field that names what is to be done:
///
/// * `{"insert_one": {"document": ...}}`
/// * `{"update_one": {"filter": ..., "update": ..., "upsert": true, "array_filters": [...]}}`, and
///   `update_many` likewise, without `upsert`
/// * `{"replace_one": {"filter": ..., "replacement": ..., "upsert": true}}`
/// * `{"delete_one": {"filter": ...}}`, and `delete_many` likewise
///
/// `result`, which may be null, is a document: `inserted`, `matched`, `modified`, `deleted`,
/// `upserted` (how many), and `inserted_ids` and `upserted_ids`, arrays of
/// `{"operation": ..., "id": ...}`, where operations are counted from 0.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_bulk_write(
    collection: nanodb_collection,
    operations: *const c_void,
    operations_len: usize,
    format: nanodb_format,
    result: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let out = arguments.optional_out(result)?;
        let format = Format::new(format)?;
        let operations = arguments.encoded(operations, operations_len, format, "the operations")?;
        let operations = Part::new(operations, format, "the operations")?.elements()?;
        let operations = operations.iter().enumerate().map(|(at, part)| {
            operation(part).map_err(|failure| match failure {
                Failure::Own(status, text) => {
                    Failure::Own(status, format!("operation {at}, counted from 0: {text}").into())
                }
                Failure::Database(error) => Failure::Document(at, error),
                other => other,
            })
        });
        let operations = operations.collect::<Result<Vec<_>>>()?;
        let done = with_collection(
            collection,
            |target| writing!(target, collection => Ok(WriteCollection::bulk_write(collection, operations)?)),
        )?;
        if let Some(out) = out {
            out.set(report(&described(done), format)?);
        }
        Ok(())
    })
}

/// The fields of an operation.
#[derive(Default)]
struct Fields<'a> {
    filter: Option<Part<'a>>,
    document: Option<Part<'a>>,
    update: Option<Part<'a>>,
    changing: Changing<'a>,
}

fn operation<'a>(part: &Part<'a>) -> Result<BulkOperation<'a>> {
    let fields = part.fields()?;
    let Ok([(name, part)]) = <[_; 1]>::try_from(fields) else {
        return Err(Failure::invalid("an operation is a document with one field, which names it"));
    };
    let (known, verb): (&[&str], _) = match &*name {
        "insert_one" => (&["document"], None),
        "update_one" => (&["filter", "update"], Some(Verb::Update)),
        "update_many" => (&["filter", "update", "array_filters"], None),
        "replace_one" => (&["filter", "replacement"], Some(Verb::Replace)),
        "delete_one" | "delete_many" => (&["filter"], None),
        _ => {
            let text = format!(
                "there is no operation `{name}`, only insert_one, update_one, update_many, \
                 replace_one, delete_one, delete_many"
            );
            return Err(Failure::invalid(text));
        }
    };
    let mut all = Fields::default();
    for (field, part) in part.fields()?.into_iter().filter(|(_, part)| !part.is_null()) {
        match (&*field, verb) {
            (other, None) if !known.contains(&other) => return Err(unknown(&name, other)),
            ("filter", _) if known.contains(&"filter") => all.filter = Some(part),
            ("document" | "replacement", _) if known.contains(&&*field) => {
                all.document = Some(part);
            }
            ("update", _) if known.contains(&"update") => all.update = Some(part),
            (option, verb) => all.changing.set(option, part, verb.unwrap_or(Verb::Update))?,
        }
    }
    let need = |part: Option<Part<'a>>, what: &str| {
        part.ok_or_else(|| Failure::invalid(format!("`{name}` has no `{what}`")))
    };
    let Fields { filter, document, update, changing } = all;
    Ok(match &*name {
        "insert_one" => BulkOperation::insert(need(document, "document")?.given()?),
        "delete_one" => BulkOperation::delete_one(need(filter, "filter")?.filter()?),
        "delete_many" => BulkOperation::delete_many(need(filter, "filter")?.filter()?),
        "replace_one" => {
            let filter = need(filter, "filter")?.filter()?;
            let document = need(document, "replacement")?.given()?;
            match changing.upsert {
                true => BulkOperation::replace_or_insert(filter, document),
                false => BulkOperation::replace_one(filter, document),
            }
        }
        _ => {
            let filter = need(filter, "filter")?.filter()?;
            let update = need(update, "update")?.update(changing.array_filters.as_ref())?;
            match (&*name, changing.upsert) {
                ("update_many", _) => BulkOperation::update_many(filter, update),
                (_, true) => BulkOperation::upsert(filter, update),
                (_, false) => BulkOperation::update_one(filter, update),
            }
        }
    })
}

#[cold]
fn unknown(operation: &str, field: &str) -> Failure {
    Failure::invalid(format!("`{operation}` has no field `{field}`"))
}

fn described(done: BulkWriteResult) -> Document {
    let ids = |ids: BTreeMap<usize, Id>| {
        let one = |(at, id): (usize, Id)| {
            let mut document = Document::new();
            document.insert("operation", u64::try_from(at).unwrap_or(u64::MAX));
            document.insert("id", Value::from(id));
            Value::from(document)
        };
        Value::Array(ids.into_iter().map(one).collect())
    };
    let mut document = Document::new();
    document.insert("inserted", done.inserted);
    document.insert("matched", done.matched);
    document.insert("modified", done.modified);
    document.insert("deleted", done.deleted);
    document.insert("upserted", done.upserted);
    document.insert("inserted_ids", ids(done.inserted_ids));
    document.insert("upserted_ids", ids(done.upserted_ids));
    document
}
