//! `nanodb distinct`: prints the values of a field.

use std::io::Write;

use nanodb::{DocView, Encode as _, Filter, IdRef, doc};

use super::parse;
use crate::arguments::Distinct;
use crate::database::{self, Opener};
use crate::failure::{Failure, Result};
use crate::json::print;

pub(crate) fn run(arguments: &Distinct, opener: Opener, out: &mut impl Write) -> Result<()> {
    let filter = parse("filter", Filter::parse_json(&arguments.filter))?;
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let (mut buffer, mut line) = (Vec::new(), Vec::new());
    for value in collection.distinct(&arguments.path, filter)? {
        buffer.clear();
        let encoded = doc! { "value": value }.encode(Some(IdRef::from(0)), &mut buffer);
        let draft = encoded.map_err(|error| Failure::Database(error.into()))?;
        line.clear();
        if let Some(value) = DocView::from_bytes(draft.record(&buffer)).get("value") {
            print::print_value(value, &mut line).map_err(Failure::Output)?;
        }
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(())
}
