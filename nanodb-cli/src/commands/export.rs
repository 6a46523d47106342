//! `nanodb export`: prints a collection as JSON Lines.

use std::io::{self, Write};

use nanodb::json::{self, WriteOptions};
use nanodb::{DocView, ErrorKind};

use crate::arguments::{Export, Forms, Inexact};
use crate::database::{self, Opener};
use crate::failure::{Failure, Result, describe};

pub(crate) fn run(arguments: &Export, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let mut cursor = collection.scan()?;
    let options = write_options(arguments);
    let mut line = String::new();
    let mut problems = 0;
    loop {
        let problem = match cursor.next() {
            Ok(None) => break,
            Ok(Some(document)) => match print_line(document, &options, &mut line) {
                Ok(()) => {
                    out.write_all(line.as_bytes())?;
                    continue;
                }
                Err(LineError::Inexact(problem)) => return Err(Failure::Inexact(problem)),
                Err(LineError::Damaged(problem)) => problem,
            },
            // The scan continues after damage, and so does the export: it may be all that can be
            // saved.
            Err(error) if error.kind() == ErrorKind::Damaged => describe(&error),
            Err(error) => return Err(error.into()),
        };
        problems += 1;
        let _ = writeln!(io::stderr(), "nanodb: left out: {problem}");
    }
    if problems > 0 {
        return Err(Failure::Damaged { problems });
    }
    Ok(())
}

fn write_options(arguments: &Export) -> WriteOptions {
    let format = match arguments.format {
        Forms::Full => json::Format::Full,
        Forms::Relaxed => json::Format::Relaxed,
        Forms::Canonical => json::Format::Canonical,
    };
    let inexact = match arguments.inexact {
        Inexact::Refuse => json::Inexact::Refuse,
        Inexact::Round => json::Inexact::Round,
        Inexact::Text => json::Inexact::Text,
    };
    WriteOptions::new().format(format).inexact(inexact)
}

/// The reason why a document can't be printed, in a text that names the document.
enum LineError {
    /// The format has no form for a value.
    Inexact(String),
    Damaged(String),
}

fn print_line(
    document: &DocView,
    options: &WriteOptions,
    line: &mut String,
) -> Result<(), LineError> {
    line.clear();
    document.write_json(options, line).map_err(|error| {
        let problem = match document.id() {
            Some(id) => format!("the document with the id {id}: {error}"),
            None => format!("a document without an id: {error}"),
        };
        // A value without a form has a place; bytes that can't be read have none.
        match error.path() {
            Some(_) => LineError::Inexact(problem),
            None => LineError::Damaged(problem),
        }
    })?;
    line.push('\n');
    Ok(())
}
