//! `nanodb delete`: deletes the documents that match a filter.

use std::io::Write;

use nanodb::{Filter, doc};

use super::{confirm, parse, print_json};
use crate::arguments::Delete;
use crate::database::{self, Opener};
use crate::failure::Result;
use crate::figures;

pub(crate) fn run(arguments: &Delete, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    if arguments.dry_run {
        return count(arguments, filter, opener, out);
    }
    let database = opener.change(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    if filter.is_all() && !arguments.one {
        // Nobody else writes meanwhile.
        let documents = match collection.count()? {
            1 => "the only document".to_owned(),
            count => format!("all {} documents", figures::count(count)),
        };
        confirm(arguments.yes, &format!("delete {documents} of {:?}", arguments.collection))?;
    }
    let deleted = if arguments.one {
        collection.delete_one(filter)?
    } else {
        collection.delete_many(filter)?
    };
    if arguments.json {
        return print_json(&doc! { "deleted": deleted }, out);
    }
    writeln!(out, "{} deleted", figures::counted(deleted, "document"))?;
    Ok(())
}

/// Prints how many documents would be deleted. Nothing is written to the file.
fn count(arguments: &Delete, filter: Filter, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let limit = u64::from(arguments.one);
    let count = collection.find(filter).limit(limit).count()?;
    if arguments.json {
        return print_json(&doc! { "would_delete": count }, out);
    }
    writeln!(out, "{} would be deleted", figures::counted(count, "document"))?;
    Ok(())
}
