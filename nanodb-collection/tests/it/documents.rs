//! Documents, ids and their stored bytes.

mod any;
mod conversions;
mod golden;
mod hostile;
mod ids;
mod limits;
mod macros;
mod paths;
mod round_trips;

use nanodb_collection::{DocumentError, Encode, IdRef};

/// The stored form of a document, with the id 1 if it has none.
fn encode(document: &impl Encode) -> Result<Vec<u8>, DocumentError> {
    let mut out = Vec::new();
    let draft = document.encode(Some(IdRef::Int(1)), &mut out)?;
    Ok(draft.record(&out).to_vec())
}
