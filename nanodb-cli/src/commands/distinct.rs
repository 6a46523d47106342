//! `nanodb distinct`: prints the values of a field, or how many documents have each.

use std::io::{self, Write};

use nanodb::{Filter, doc};

use super::parse;
use crate::arguments::{Distinct, OutputFormat};
use crate::database::{self, Opener};
use crate::failure::Result;
use crate::output::{Columns, Printer};
use crate::screen::Screen;

pub(crate) fn run(
    arguments: &Distinct,
    opener: Opener,
    screen: Screen,
    out: &mut impl Write,
) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let format = match arguments.output.format {
        OutputFormat::Auto if screen.is_terminal && arguments.count => OutputFormat::Table,
        OutputFormat::Auto => OutputFormat::Lines,
        format => format,
    };
    let mut columns = Columns::default();
    columns.add_name("value");
    let limit = match arguments.limit {
        None | Some(0) => usize::MAX,
        Some(limit) => limit,
    };
    if arguments.count {
        columns.add_name("count");
        let counts = collection.count_by(&arguments.path, filter)?;
        let mut printer = Printer::new(format, &arguments.output, columns, screen, out)?;
        for (value, count) in counts.into_iter().take(limit) {
            printer.row(doc! { "value": value, "count": count })?;
        }
        return finish(printer);
    }
    let values = collection.distinct(&arguments.path, filter)?;
    let mut printer = Printer::new(format, &arguments.output, columns, screen, out)?;
    for value in values.into_iter().take(limit) {
        printer.value(value)?;
    }
    finish(printer)
}

fn finish(printer: Printer<'_>) -> Result<()> {
    if printer.finish()? {
        let _ = writeln!(io::stderr(), "nothing found");
    }
    Ok(())
}
