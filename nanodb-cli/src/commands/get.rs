//! `nanodb get`: prints the document with an id.

use std::io::Write;

use nanodb::Id;

use crate::arguments::{Get, IdType, OutputFormat};
use crate::database::{self, Opener};
use crate::failure::{Failure, Result};
use crate::id_text;
use crate::output::{Columns, Printer};
use crate::screen::Screen;

pub(crate) fn run(
    arguments: &Get,
    opener: Opener,
    screen: Screen,
    out: &mut impl Write,
) -> Result<()> {
    let id = id_text::parse(&arguments.id, arguments.id_type).map_err(Failure::NoDocument)?;
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let Some(document) = collection.get(&id)? else {
        return Err(Failure::NoDocument(not_found(arguments, &id)));
    };
    let format = match arguments.output.format {
        OutputFormat::Auto if arguments.pretty || screen.is_terminal => OutputFormat::Pretty,
        // One document is no list.
        OutputFormat::Auto | OutputFormat::Json => OutputFormat::Lines,
        format => format,
    };
    let mut columns = Columns::default();
    columns.add(&document)?;
    let mut printer = Printer::new(format, &arguments.output, columns, screen, out)?;
    printer.document(&document)?;
    printer.finish()?;
    Ok(())
}

fn not_found(arguments: &Get, id: &Id) -> String {
    let mut message =
        format!("collection {:?} has no document with the id {id}", arguments.collection);
    if arguments.id_type == IdType::Auto && id.as_str().is_none() {
        message.push_str(", an integer; --id-type string looks for the string");
    }
    message
}
