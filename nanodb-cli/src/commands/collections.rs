//! `nanodb collections`: lists the collections of a database.

use std::io::Write;

use nanodb::{CollectionInfo, doc};

use super::print_json_list;
use crate::arguments::Whole;
use crate::database::Opener;
use crate::failure::Result;
use crate::figures;

pub(crate) fn run(arguments: &Whole, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let collections = database.collections()?;
    if arguments.json {
        let rows =
            collections.into_iter().map(|one| doc! { "name": (one.name), "count": (one.count) });
        return print_json_list(rows, out);
    }
    let width = collections.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    for CollectionInfo { name, count, .. } in collections {
        writeln!(out, "{name:width$}  {:>13}", figures::count(count).to_string())?;
    }
    Ok(())
}
