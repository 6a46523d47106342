//! `nanodb update`: changes the documents that match a filter.

use std::io::Write;

use nanodb::{Filter, Id, Update as Change, doc};
use serde::Serialize;

use super::{parse, print_json};
use crate::arguments::Update;
use crate::database::{self, Opener};
use crate::failure::{Failure, Result};
use crate::figures;

#[derive(Serialize)]
struct Summary {
    matched: u64,
    modified: u64,
    upserted: Option<serde_json::Value>,
}

pub(crate) fn run(arguments: &Update, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    let change = match &arguments.array_filters {
        Some(filters) => Change::parse_json_with_filters(&arguments.update, filters),
        None => Change::parse_json(&arguments.update),
    };
    let change = parse("update", change)?;
    let database = opener.change(&arguments.database)?;
    // An upsert, like an import, may be the first write to a collection.
    let collection = if arguments.upsert {
        database.collection(&arguments.collection)
    } else {
        database::existing_collection(&database, &arguments.collection)?
    };
    let done = if arguments.upsert {
        collection.upsert(filter, &change)?
    } else if arguments.one {
        collection.update_one(filter, &change)?
    } else {
        collection.update_many(filter, &change)?
    };
    if arguments.json {
        let upserted = done.upserted.map(json_of).transpose()?;
        let done = Summary { matched: done.matched, modified: done.modified, upserted };
        return print_json(&done, out);
    }
    let matched = figures::counted(done.matched, "document");
    writeln!(out, "{matched} matched, {} changed", figures::count(done.modified))?;
    if let Some(id) = done.upserted {
        writeln!(out, "inserted one with the id {id}")?;
    }
    Ok(())
}

/// Returns an id in the form in which `nanodb export` writes it.
fn json_of(id: Id) -> Result<serde_json::Value> {
    const NAME: &str = "id";
    let text = doc! { NAME: (id) }.to_json().map_err(nanodb::Error::from)?;
    let mut document: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| Failure::Output(error.into()))?;
    Ok(document.get_mut(NAME).map(serde_json::Value::take).unwrap_or_default())
}
