//! `nanodb insert`: stores documents that are written on the command line.

use std::io::{self, Read, Write};

use nanodb::{Database, Document, Id};

use crate::arguments::Insert;
use crate::database::{NewFile, Opener};
use crate::failure::{Failure, Result};
use crate::json::{Elements, JsonError, Position};
use crate::output::id_json;

pub(crate) fn run(arguments: &Insert, opener: Opener, out: &mut impl Write) -> Result<()> {
    let parts = read(&arguments.documents)?;
    let new_file = NewFile::watch(&arguments.database);
    let database = opener.make(&arguments.database)?;
    let inserted = insert(&database, &arguments.collection, &parts);
    let closed = database.close();
    if inserted.is_err() {
        new_file.remove_if_empty();
    }
    let ids = inserted?;
    closed?;
    for id in ids {
        writeln!(out, "{}", id_json(id)?)?;
    }
    Ok(())
}

/// A document, and where it begins.
struct Part {
    document: Document,
    input: String,
    at: Position,
}

/// Stores all documents or none.
fn insert(database: &Database, name: &str, parts: &[Part]) -> Result<Vec<Id>> {
    let mut refused = None;
    let ids = database.write(|tx| {
        // The closure may run again.
        refused = None;
        let collection = tx.collection(name);
        let insert = |part: &Part| {
            let stored = collection.insert(&part.document);
            stored.inspect_err(|_| refused = Some((part.input.clone(), part.at)))
        };
        parts.iter().map(insert).collect::<nanodb::Result<Vec<Id>>>()
    });
    ids.map_err(|error| match refused {
        Some((name, at)) => Failure::Refused { name, at, why: crate::failure::describe(&error) },
        None => error.into(),
    })
}

/// Reads the documents of all arguments, before anything is stored.
fn read(arguments: &[String]) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        let (input, reader): (String, Box<dyn Read>) = match argument.as_str() {
            "-" => ("standard input".to_owned(), Box::new(io::stdin())),
            text => (format!("document {}", index + 1), Box::new(text.as_bytes())),
        };
        let failure = |source: JsonError| Failure::Input { name: input.clone(), source };
        let mut elements = Elements::new(reader, None);
        let before = parts.len();
        while let Some(element) = elements.next().map_err(failure)? {
            let document = element.parse().map_err(failure)?;
            parts.push(Part { document, input: input.clone(), at: element.at });
        }
        if parts.len() == before {
            return Err(Failure::NoDocument(format!("{input}: there is none")));
        }
    }
    Ok(parts)
}
