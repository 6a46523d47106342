//! `nanodb count`: prints how many documents a collection has, or how many match a filter.

use std::io::Write;

use nanodb::{Filter, doc};

use super::{parse, print_json};
use crate::arguments::Count;
use crate::database::{self, Opener};
use crate::failure::Result;

pub(crate) fn run(arguments: &Count, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = arguments.filter.as_deref().map(Filter::parse_json).transpose();
    let filter = parse("filter", filter)?;
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let count = match filter {
        Some(filter) => collection.count_documents(filter)?,
        None => collection.count()?,
    };
    if arguments.json {
        return print_json(&doc! { "collection": (&arguments.collection), "count": count }, out);
    }
    // Digits only, for scripts.
    writeln!(out, "{count}")?;
    Ok(())
}
