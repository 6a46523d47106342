//! `nanodb update`: changes the documents that match a filter.

use std::io::Write;

use nanodb::{Filter, Update as Change, Value, doc};

use super::{parse, print_json};
use crate::arguments::Update;
use crate::database::{self, Opener};
use crate::failure::Result;
use crate::figures;

pub(crate) fn run(arguments: &Update, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    let change = match &arguments.array_filters {
        Some(filters) => Change::parse_json_with_filters(&arguments.update, filters),
        None => Change::parse_json(&arguments.update),
    };
    let change = parse("update", change)?;
    if arguments.dry_run {
        return count(arguments, filter, opener, out);
    }
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
        let upserted = done.upserted.map_or(Value::Null, Value::from);
        let (matched, modified) = (done.matched, done.modified);
        let done = doc! { "matched": matched, "modified": modified, "upserted": upserted };
        return print_json(&done, out);
    }
    let matched = figures::counted(done.matched, "document");
    writeln!(out, "{matched} matched, {} changed", figures::count(done.modified))?;
    if let Some(id) = done.upserted {
        writeln!(out, "inserted one with the id {id}")?;
    }
    Ok(())
}

/// Prints how many documents would be changed, those included that are so already. Nothing is
/// written to the file.
fn count(arguments: &Update, filter: Filter, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let is_there = database.collections()?.iter().any(|one| one.name == arguments.collection);
    let collection = if arguments.upsert && !is_there {
        database.collection(&arguments.collection)
    } else {
        database::existing_collection(&database, &arguments.collection)?
    };
    let limit = u64::from(arguments.one || arguments.upsert);
    let count = collection.find(filter).limit(limit).count()?;
    let inserts = arguments.upsert && count == 0;
    if arguments.json {
        let would_insert = u64::from(inserts);
        return print_json(&doc! { "would_update": count, "would_insert": would_insert }, out);
    }
    if inserts {
        writeln!(out, "1 document would be inserted")?;
    } else {
        writeln!(out, "{} would be updated", figures::counted(count, "document"))?;
    }
    Ok(())
}
