//! `nanodb compact`: makes the file as short as possible.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nanodb::CompactProgress;
use serde::Serialize;

use super::print_json;
use crate::arguments::Whole;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::figures;

const TEMPLATE: &str = "{bar:40} {percent:>3}%  {msg}  {eta} left";

#[derive(Serialize)]
struct Summary {
    bytes_before: u64,
    bytes_after: u64,
}

pub(crate) fn run(arguments: &Whole, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.change(&arguments.database)?;
    // The space that an open file reserves for a full disk goes when it is closed, so the lengths
    // are those of the file alone.
    let bytes_before = file_bytes(&arguments.database)?;
    // Draws nothing if standard error is not a terminal.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    let done = database.compact_with(|progress| {
        show(&bar, &progress);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    // Nothing stops it.
    let _ = done?;
    database.close()?;
    let bytes_after = file_bytes(&arguments.database)?;
    if arguments.json {
        return print_json(&Summary { bytes_before, bytes_after }, out);
    }
    let (before, after) = (figures::bytes(bytes_before), figures::bytes(bytes_after));
    writeln!(out, "{before} before, {after} now")?;
    Ok(())
}

fn file_bytes(path: &Path) -> Result<u64> {
    let length = path.metadata().map(|metadata| metadata.len());
    length.map_err(|source| Failure::File {
        doing: "asking for the length of",
        path: path.to_owned(),
        source,
    })
}

fn show(bar: &ProgressBar, progress: &CompactProgress) {
    bar.set_length(progress.pages);
    bar.set_position(progress.pages_done);
    let bytes = figures::bytes(progress.file_bytes);
    bar.set_message(format!("round {}, {bytes}", progress.round));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_understood() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
