//! `nanodb collections`: lists the collections of a database.

use std::io::Write;

use serde::Serialize;

use super::print_json;
use crate::arguments::Whole;
use crate::database::Opener;
use crate::failure::Result;
use crate::figures;

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    count: u64,
}

pub(crate) fn run(arguments: &Whole, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let collections = database.collections()?;
    let rows: Vec<Row<'_>> = collections
        .iter()
        .map(|collection| Row { name: &collection.name, count: collection.count })
        .collect();
    if arguments.json {
        return print_json(&rows, out);
    }
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for Row { name, count } in rows {
        writeln!(out, "{name:width$}  {:>13}", figures::count(count).to_string())?;
    }
    Ok(())
}
