//! `nanodb drop`: deletes a collection with all its documents.

use std::io::Write;

use nanodb::doc;

use super::{confirm, print_json};
use crate::arguments::Drop;
use crate::database::{self, Opener};
use crate::failure::Result;
use crate::figures;

pub(crate) fn run(arguments: &Drop, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = match arguments.dry_run {
        // Nothing is written to the file.
        true => opener.read(&arguments.database)?,
        false => opener.change(&arguments.database)?,
    };
    let name = &arguments.collection;
    let count = database::existing_collection(&database, name)?.count()?;
    let documents = figures::counted(count, "document");
    if arguments.dry_run {
        if arguments.json {
            return print_json(&doc! { "would_delete": count }, out);
        }
        writeln!(out, "{documents} would be deleted")?;
        return Ok(());
    }
    confirm(arguments.yes, &format!("drop the collection {name:?} with {documents}"))?;
    database.drop_collection(name)?;
    if arguments.json {
        return print_json(&doc! { "deleted": count }, out);
    }
    writeln!(out, "{documents} deleted")?;
    Ok(())
}
