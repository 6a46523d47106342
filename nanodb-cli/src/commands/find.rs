//! `nanodb find`: prints the documents that match a filter.

use std::io::{self, Write};

use nanodb::{Collection, Cursor, Document, Filter, ID_FIELD, Projection, Sort};

use super::parse;
use crate::arguments::{Find, OutputFormat};
use crate::database::{self, Opener};
use crate::failure::{Failure, Result};
use crate::figures;
use crate::order::{self, OrderError};
use crate::output::{Columns, Printer};
use crate::screen::Screen;
use crate::style::DIM;

/// The most documents in a table, unless one says otherwise.
const TABLE_LIMIT: u64 = 50;

pub(crate) fn run(
    arguments: &Find,
    opener: Opener,
    screen: Screen,
    out: &mut impl Write,
) -> Result<()> {
    let search = Search::new(arguments)?;
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let limit = arguments.limit;
    if arguments.explain {
        writeln!(out, "{}", search.find(&collection, limit).explain_analyze()?)?;
        return Ok(());
    }
    let format = match arguments.output.format {
        OutputFormat::Auto if screen.is_terminal => OutputFormat::Table,
        OutputFormat::Auto => OutputFormat::Lines,
        format => format,
    };
    let is_table = format == OutputFormat::Table;
    // Nobody writes meanwhile: the file is open for reading. So each search sees the same.
    let columns = match format {
        OutputFormat::Csv => search.columns(&collection, limit)?,
        _ => Columns::default(),
    };
    let mut printer = Printer::new(format, &arguments.output, columns, screen, out)?;
    let limit = if is_table { limit.or(Some(TABLE_LIMIT)) } else { limit };
    let mut count = 0;
    for document in search.run(&collection, limit)? {
        printer.document(&document?)?;
        count += 1;
    }
    if printer.finish()? {
        let _ = writeln!(io::stderr(), "nothing found");
    }
    if is_table && arguments.limit.is_none() && count == TABLE_LIMIT {
        let more = search.count(&collection)?.saturating_sub(count);
        if more > 0 {
            let more = format!("… {} more: --limit N, or --format lines", figures::count(more));
            writeln!(out, "{}", screen.painter.paint(DIM, &more))?;
        }
    }
    Ok(())
}

/// What the command line asks for.
struct Search<'a> {
    filter: Filter,
    sort: Option<Sort>,
    skip: u64,
    projection: Option<Projection>,
    /// The projection as it is written.
    projected: Option<&'a str>,
}

impl<'a> Search<'a> {
    fn new(arguments: &'a Find) -> Result<Self> {
        let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
        let projected = arguments.projection.as_deref();
        let projection = parse("projection", projected.map(Projection::parse_json).transpose())?;
        let sort = arguments.sort.as_deref().map(order::parse).transpose();
        let sort = sort.map_err(|error| match error {
            OrderError::Query(source) => Failure::Query { what: "order", source },
            OrderError::Text(message) => Failure::Order(message),
        })?;
        Ok(Self { filter, sort, skip: arguments.skip.unwrap_or(0), projection, projected })
    }

    fn find<'c>(&self, collection: &'c Collection, limit: Option<u64>) -> nanodb::Find<'c> {
        let mut find = collection.find(&self.filter).skip(self.skip).limit(limit.unwrap_or(0));
        if let Some(sort) = &self.sort {
            find = find.sort(sort.clone());
        }
        if let Some(projection) = &self.projection {
            find = find.projection(projection.clone());
        }
        find
    }

    fn run(&self, collection: &Collection, limit: Option<u64>) -> Result<Cursor> {
        Ok(self.find(collection, limit).run()?)
    }

    /// Returns how many documents there are without a limit.
    fn count(&self, collection: &Collection) -> Result<u64> {
        Ok(collection.find(&self.filter).skip(self.skip).count()?)
    }

    /// Returns the columns of CSV: the fields that a projection names, in its order, or else all
    /// fields of all documents.
    fn columns(&self, collection: &Collection, limit: Option<u64>) -> Result<Columns> {
        let mut columns = Columns::default();
        if let Some(names) = self.projected.and_then(named_fields) {
            names.iter().for_each(|name| columns.add_name(name));
            return Ok(columns);
        }
        for document in self.run(collection, limit)? {
            columns.add(&document?)?;
        }
        Ok(columns)
    }
}

/// Returns the fields that a projection includes, `_id` first unless it is left out; `None` if it
/// does anything else.
fn named_fields(projection: &str) -> Option<Vec<String>> {
    let projection = Document::parse_json(projection).ok()?;
    let (mut id, mut names) = (true, Vec::new());
    for (name, value) in &projection {
        let is_included = match (value.as_bool(), value.as_i64()) {
            (Some(is_included), _) => is_included,
            (None, Some(number)) => number != 0,
            _ => return None,
        };
        match (name, is_included) {
            (ID_FIELD, _) => id = is_included,
            (_, true) if !name.contains('.') => names.push(name.to_owned()),
            _ => return None,
        }
    }
    if names.is_empty() {
        return None;
    }
    Some(id.then(|| ID_FIELD.to_owned()).into_iter().chain(names).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projection_that_names_fields_decides_on_the_columns() {
        let names = |projection| named_fields(projection).map(|names| names.join(" "));
        for (projection, expected) in [
            (r#"{"b": 1, "a": true}"#, Some("_id b a")),
            (r#"{"b": 1, "_id": 0}"#, Some("b")),
            (r#"{"_id": 1, "b": 1}"#, Some("_id b")),
            (r#"{"a": 0}"#, None),
            (r#"{"_id": 0}"#, None),
            (r#"{"a.b": 1}"#, None),
            (r#"{"a": {"$slice": 1}}"#, None),
            ("{}", None),
        ] {
            assert_eq!(names(projection).as_deref(), expected, "{projection}");
        }
    }
}
