//! Documents, ids and their stored bytes: the crate's tests from outside, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adapters;
mod any;
mod conversions;
mod fields;
mod for_people;
mod foreign;
mod golden;
mod hostile;
mod ids;
mod into_values;
mod json;
mod json_util;
mod limits;
mod macros;
mod paths;
mod refused;
mod round_trips;
mod shapes;
mod times;
mod wide;

use nanodb_document::{DocumentError, Encode, Error, ErrorParts, IdRef};

/// The stored form of a document, with the id 1 if it has none.
fn encode(document: &impl Encode) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let draft = document.encode(Some(IdRef::Int(1)), &mut out)?;
    Ok(draft.record(&out).to_vec())
}

/// The rule that a document breaks.
#[track_caller]
fn rule(error: Error) -> DocumentError {
    *error.into_internal().unwrap().downcast().unwrap()
}
