//! `nanodb find`: prints the documents that match a filter.

use std::io::{self, IsTerminal as _, Write};

use nanodb::{Filter, Projection, Sort};

use super::parse;
use super::table::Table;
use crate::arguments::{Find, Output};
use crate::database::{self, Opener};
use crate::failure::{Failure, Result};
use crate::json::print;

pub(crate) fn run(arguments: &Find, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    let sort = arguments.sort.as_deref().map(Sort::parse_json).transpose();
    let projection = arguments.projection.as_deref().map(Projection::parse_json).transpose();
    let (sort, projection) = (parse("order", sort)?, parse("projection", projection)?);

    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let mut find = collection.find(filter).skip(arguments.skip.unwrap_or(0));
    if let Some(sort) = sort {
        find = find.sort(sort);
    }
    if let Some(projection) = projection {
        find = find.projection(projection);
    }
    if let Some(limit) = arguments.limit {
        find = find.limit(limit);
    }
    if arguments.explain {
        writeln!(out, "{}", find.explain_analyze()?)?;
        return Ok(());
    }
    let is_table = match arguments.output {
        Output::Auto => io::stdout().is_terminal(),
        Output::Lines => false,
        Output::Table => true,
    };
    let mut table = is_table.then(Table::default);
    let mut line = Vec::new();
    for document in find.run()? {
        let document = document?;
        if let Some(table) = &mut table {
            table.add(&document, out)?;
            continue;
        }
        line.clear();
        print::print_document(&document, &mut line).map_err(Failure::Output)?;
        line.push(b'\n');
        out.write_all(&line)?;
    }
    match table {
        Some(table) => table.finish(out),
        None => Ok(()),
    }
}
