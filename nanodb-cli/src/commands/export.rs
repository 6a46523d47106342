//! `nanodb export`: a collection as JSON Lines.

use std::io::{self, Write};

use nanodb::{DocView, ErrorKind};

use crate::arguments::Export;
use crate::database::{self, Opener};
use crate::failure::{Failure, Result, describe};
use crate::json::print;

pub(crate) fn run(arguments: &Export, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let mut cursor = collection.scan()?;
    let mut line = Vec::new();
    let mut problems = 0;
    loop {
        let problem = match cursor.next() {
            Ok(None) => break,
            Ok(Some(document)) => match print_line(document, &mut line) {
                Ok(()) => {
                    out.write_all(&line)?;
                    continue;
                }
                Err(problem) => problem,
            },
            // The cursor goes on behind what is damaged, and so do we: an export may be
            // all that can be saved.
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

fn print_line(document: &DocView, line: &mut Vec<u8>) -> Result<(), String> {
    line.clear();
    print::print_document(document, line).map_err(|error| match document.id() {
        Some(id) => format!("the document with the id {id}: {error}"),
        None => format!("a document without an id: {error}"),
    })?;
    line.push(b'\n');
    Ok(())
}
