//! `nanodb export`: prints a collection.

use std::io::{self, Write};

use nanodb::{Collection, DocView, ErrorKind};

use crate::arguments::{Export, OutputFormat};
use crate::database::{self, Opener};
use crate::failure::{Failure, Result, describe};
use crate::output::{Columns, Printer};
use crate::screen::Screen;

pub(crate) fn run(
    arguments: &Export,
    opener: Opener,
    screen: Screen,
    out: &mut impl Write,
) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    // On a terminal, too: an export is for programs.
    let format = match arguments.output.format {
        OutputFormat::Auto => OutputFormat::Lines,
        format => format,
    };
    let columns = match format {
        OutputFormat::Csv => columns(&collection)?,
        _ => Columns::default(),
    };
    let mut printer = Printer::new(format, &arguments.output, columns, screen, out)?;
    let mut cursor = collection.scan()?;
    let mut problems = 0;
    loop {
        let problem = match cursor.next() {
            Ok(None) => break,
            Ok(Some(document)) => match printer.document(document) {
                Ok(()) => continue,
                Err(Failure::Database(error)) => {
                    format!("{}: {}", name(document), describe(&error))
                }
                Err(failure) => return Err(failure),
            },
            // The scan continues after damage, and so does the export: it may be all that can be
            // saved.
            Err(error) if error.kind() == ErrorKind::Damaged => describe(&error),
            Err(error) => return Err(error.into()),
        };
        problems += 1;
        let _ = writeln!(io::stderr(), "nanodb: left out: {problem}");
    }
    printer.finish()?;
    if problems > 0 {
        return Err(Failure::Damaged { problems });
    }
    Ok(())
}

/// Returns the fields of all documents, apart from damaged ones: these are told of later.
fn columns(collection: &Collection) -> Result<Columns> {
    let mut columns = Columns::default();
    let mut cursor = collection.scan()?;
    loop {
        match cursor.next() {
            Ok(None) => return Ok(columns),
            Ok(Some(document)) => drop(columns.add(document)),
            Err(error) if error.kind() == ErrorKind::Damaged => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns what a message calls a document.
fn name(document: &DocView) -> String {
    match document.id() {
        Some(id) => format!("the document with the id {id}"),
        None => "a document without an id".to_owned(),
    }
}
