//! `nanodb count`: how many documents a collection has.

use std::io::Write;

use serde::Serialize;

use super::print_json;
use crate::arguments::Count;
use crate::database;
use crate::failure::Result;

#[derive(Serialize)]
struct Counted<'a> {
    collection: &'a str,
    count: u64,
}

pub(crate) fn run(arguments: &Count, out: &mut impl Write) -> Result<()> {
    let database = database::open_existing(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let count = collection.count();
    if arguments.json {
        return print_json(&Counted { collection: &arguments.collection, count }, out);
    }
    // Bare digits, for scripts.
    writeln!(out, "{count}")?;
    Ok(())
}
