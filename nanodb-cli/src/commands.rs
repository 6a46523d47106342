//! The commands, one in each file.

mod check;
mod collections;
mod compact;
mod count;
mod delete;
mod demo;
mod distinct;
mod drop;
mod export;
mod find;
mod get;
mod import;
mod import_go;
mod insert;
mod rename;
mod salvage;
mod stats;
mod update;

use std::io::Write;

use nanodb::Document;

use crate::arguments::Command;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::screen::{self, Screen};

/// Runs a command, which prints to `out`.
pub(crate) fn run(
    command: &Command,
    opener: Opener,
    screen: Screen,
    out: &mut impl Write,
) -> Result<()> {
    match command {
        Command::Import(arguments) => import::run(arguments, opener, out),
        Command::ImportGo(arguments) => import_go::run(arguments, opener, out),
        Command::Insert(arguments) => insert::run(arguments, opener, out),
        Command::Get(arguments) => get::run(arguments, opener, screen, out),
        Command::Export(arguments) => export::run(arguments, opener, screen, out),
        Command::Collections(arguments) => collections::run(arguments, opener, out),
        Command::Count(arguments) => count::run(arguments, opener, out),
        Command::Find(arguments) => find::run(arguments, opener, screen, out),
        Command::Distinct(arguments) => distinct::run(arguments, opener, screen, out),
        Command::Update(arguments) => update::run(arguments, opener, out),
        Command::Delete(arguments) => delete::run(arguments, opener, out),
        Command::Drop(arguments) => drop::run(arguments, opener, out),
        Command::Rename(arguments) => rename::run(arguments, opener, out),
        Command::Stats(arguments) => stats::run(arguments, opener, out),
        Command::Check(arguments) => check::run(arguments, opener, out),
        Command::Compact(arguments) => compact::run(arguments, opener, out),
        Command::Salvage(arguments) => salvage::run(arguments, opener, out),
        Command::Demo(arguments) => demo::run(arguments, opener, out),
    }
}

/// Returns a part of a query on the command line; the error calls it `what`.
fn parse<T>(what: &'static str, parsed: nanodb::Result<T>) -> Result<T> {
    parsed.map_err(|source| Failure::Query { what, source })
}

/// Prints a document as one line of JSON.
fn print_json(document: &Document, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{}", document.to_json()?)?;
    Ok(())
}

/// Prints documents as the elements of one array, on one line.
fn print_json_list(
    documents: impl IntoIterator<Item = Document>,
    out: &mut impl Write,
) -> Result<()> {
    let json = documents.into_iter().map(|document| document.to_json());
    let json = json.collect::<Result<Vec<String>, _>>()?;
    writeln!(out, "[{}]", json.join(","))?;
    Ok(())
}

/// Asks before something is deleted, unless `is_sure`; fails where nobody can be asked, or if the
/// answer is no.
fn confirm(is_sure: bool, what: &str) -> Result<()> {
    if is_sure {
        return Ok(());
    }
    match screen::ask(&format!("{what}?"))? {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::Declined),
        None => Err(Failure::NotSure { what: what.to_owned() }),
    }
}
