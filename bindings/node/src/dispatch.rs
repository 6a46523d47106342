//! From an operation to the function that does it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use nanodb::ErrorKind;

use crate::failure::{Failure, Result};
use crate::gate::{self, Answer};
use crate::object::Object;
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request::Request;
use crate::write::Target;
use crate::{database, read, write};

/// Does an operation of an object, and replies with what came of it, whatever that is. Returns
/// whether it lost a conflict with a transaction.
pub(crate) fn run(
    object: Option<&Object>,
    operation: u32,
    bytes: &[u8],
    reply: &mut Reply,
) -> bool {
    reply.begin();
    // What is shared is safe after a panic: the database poisons what was half done, and a reply is
    // begun again.
    let done = catch_unwind(AssertUnwindSafe(|| run_one(object, operation, bytes, reply)));
    match done {
        Ok(Ok(())) => false,
        Ok(Err(failure)) => {
            reply.fail(&failure);
            failure.kind() == Some(ErrorKind::Conflict)
        }
        Err(payload) => {
            reply.fail(&Failure::panicked(&*payload));
            false
        }
    }
}

fn run_one(object: Option<&Object>, operation: u32, bytes: &[u8], reply: &mut Reply) -> Result<()> {
    let operation =
        Operation::of_number(operation).ok_or_else(|| Failure::request("an operation"))?;
    if operation == Operation::Open {
        return database::open(Request::new(bytes), reply);
    }
    let object = object.ok_or_else(|| Failure::closed("object"))?;
    if operation == Operation::Collection {
        let name = Request::new(bytes).text("name")?;
        let collection = object.collection(name)?;
        reply.object(collection.ok_or_else(|| Failure::request("a database"))?);
        return Ok(());
    }
    match object {
        Object::Database(open) => database::run(open, operation, bytes, reply),
        Object::Snapshot(snapshot) => database::run_snapshot(snapshot, operation, reply),
        Object::Transaction(transaction) => transaction.run(operation, reply),
        Object::Collection(of) => {
            let target = Target::Collection(&of.database, &of.collection);
            read_or_write(&of.collection, target, operation, bytes, reply)
        }
        Object::SnapshotCollection(collection) => {
            match read::run(&**collection, operation, bytes, reply)? {
                true => Ok(()),
                false => Err(Failure::Own {
                    code: "NANODB_READ_ONLY",
                    text: "a snapshot is not written to".to_owned(),
                }),
            }
        }
        Object::TransactionCollection(of) => of.with(|collection| {
            let target = Target::Transaction(collection);
            read_or_write(collection, target, operation, bytes, reply)
        }),
        Object::Cursor(portions) => {
            let mut portions = portions.lock().unwrap_or_else(PoisonError::into_inner);
            if portions.next(reply)? {
                reply.more();
            }
            Ok(())
        }
    }
}

#[inline]
fn read_or_write(
    collection: &impl nanodb::WriteCollection,
    target: Target<'_>,
    operation: Operation,
    bytes: &[u8],
    reply: &mut Reply,
) -> Result<()> {
    if read::run(collection, operation, bytes, reply)?
        || write::run(collection, target, operation, bytes, reply)?
    {
        return Ok(());
    }
    Err(Failure::request("an operation of a collection"))
}

/// Returns whether what an asynchronous call asks of an object may begin.
pub(crate) fn ask(object: Option<&Object>, thread: u32) -> Answer {
    match object {
        Some(Object::Collection(of)) => gate::ask(&of.key, thread),
        Some(Object::TransactionCollection(of)) => of.ask(),
        _ => Answer::Begin,
    }
}
