//! `nanodb update`: changes the documents that pass a filter.

use std::io::Write;

use nanodb::{Filter, Update as Change};
use serde::Serialize;

use super::{parse, print_json};
use crate::arguments::Update;
use crate::database::{self, Opener};
use crate::failure::Result;
use crate::figures;

#[derive(Serialize)]
struct Done {
    matched: u64,
    modified: u64,
    upserted: Option<String>,
}

pub(crate) fn run(arguments: &Update, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    let change = match &arguments.array_filters {
        Some(filters) => Change::parse_json_with_filters(&arguments.update, filters),
        None => Change::parse_json(&arguments.update),
    };
    let change = parse("update", change)?;
    let database = opener.change(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let done = if arguments.upsert {
        collection.upsert(filter, &change)?
    } else if arguments.one {
        collection.update_one(filter, &change)?
    } else {
        collection.update_many(filter, &change)?
    };
    let upserted = done.upserted.map(|id| id.to_string());
    let done = Done { matched: done.matched, modified: done.modified, upserted };
    if arguments.json {
        return print_json(&done, out);
    }
    let matched = figures::counted(done.matched, "document");
    writeln!(out, "{matched} matched, {} changed", figures::count(done.modified))?;
    if let Some(id) = done.upserted {
        writeln!(out, "inserted one with the id {id}")?;
    }
    Ok(())
}
