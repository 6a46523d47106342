//! `nanodb rename`: gives a collection another name.

use std::io::Write;

use nanodb::doc;

use super::print_json;
use crate::arguments::Rename;
use crate::database::{self, Opener};
use crate::failure::Result;
use crate::figures;

pub(crate) fn run(arguments: &Rename, opener: Opener, out: &mut impl Write) -> Result<()> {
    let Rename { database, from, to, json } = arguments;
    let database = opener.change(database)?;
    let count = database::existing_collection(&database, from)?.count()?;
    database.rename_collection(from, to)?;
    if *json {
        return print_json(&doc! { "collection": to, "count": count }, out);
    }
    writeln!(out, "{to:?}, formerly {from:?}: {}", figures::counted(count, "document"))?;
    Ok(())
}
