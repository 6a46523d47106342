//! `nanodb delete`: deletes the documents that match a filter.

use std::io::Write;

use nanodb::Filter;
use serde::Serialize;

use super::{parse, print_json};
use crate::arguments::Delete;
use crate::database::{self, Opener};
use crate::failure::Result;
use crate::figures;

#[derive(Serialize)]
struct Summary {
    deleted: u64,
}

pub(crate) fn run(arguments: &Delete, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    let database = opener.change(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let deleted = if arguments.one {
        collection.delete_one(filter)?
    } else {
        collection.delete_many(filter)?
    };
    if arguments.json {
        return print_json(&Summary { deleted }, out);
    }
    writeln!(out, "{} deleted", figures::counted(deleted, "document"))?;
    Ok(())
}
