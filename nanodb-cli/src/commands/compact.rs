//! `nanodb compact`: makes the file as short as possible.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use nanodb::{CompactProgress, doc};

use super::print_json;
use crate::arguments::Whole;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::figures;
use crate::progress::Progress;

pub(crate) fn run(arguments: &Whole, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.change(&arguments.database)?;
    // The space that an open file reserves for a full disk goes when it is closed, so the lengths
    // are those of the file alone.
    let bytes_before = file_bytes(&arguments.database)?;
    let mut bar = Progress::new();
    let done = database.compact_with(|progress| {
        show(&mut bar, &progress);
        ControlFlow::Continue(())
    });
    bar.finish();
    // Nothing stops it.
    let _ = done?;
    database.close()?;
    let bytes_after = file_bytes(&arguments.database)?;
    if arguments.json {
        return print_json(&doc! { "bytes_before": bytes_before, "bytes_after": bytes_after }, out);
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

fn show(bar: &mut Progress, progress: &CompactProgress) {
    bar.show(progress.pages_done, Some(progress.pages), || {
        format!("round {}, {}", progress.round, figures::bytes(progress.file_bytes))
    });
}
