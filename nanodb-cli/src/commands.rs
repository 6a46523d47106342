//! The commands, one in each file.

mod check;
mod collections;
mod compact;
mod count;
mod delete;
mod demo;
mod distinct;
mod export;
mod find;
mod get;
mod import;
mod salvage;
mod stats;
mod table;
mod update;

use std::io::Write;

use serde::Serialize;

use crate::arguments::Command;
use crate::database::Opener;
use crate::failure::{Failure, Result};

/// Runs a command, which prints to `out`.
pub(crate) fn run(command: &Command, opener: Opener, out: &mut impl Write) -> Result<()> {
    match command {
        Command::Import(arguments) => import::run(arguments, opener, out),
        Command::Get(arguments) => get::run(arguments, opener, out),
        Command::Export(arguments) => export::run(arguments, opener, out),
        Command::Collections(arguments) => collections::run(arguments, opener, out),
        Command::Count(arguments) => count::run(arguments, opener, out),
        Command::Find(arguments) => find::run(arguments, opener, out),
        Command::Distinct(arguments) => distinct::run(arguments, opener, out),
        Command::Update(arguments) => update::run(arguments, opener, out),
        Command::Delete(arguments) => delete::run(arguments, opener, out),
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

/// Prints a value as one line of JSON.
fn print_json(value: &impl Serialize, out: &mut impl Write) -> Result<()> {
    let line = serde_json::to_string(value).map_err(|error| Failure::Output(error.into()))?;
    writeln!(out, "{line}")?;
    Ok(())
}
