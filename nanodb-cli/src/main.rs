//! The `nanodb` command: import, export, inspect and check NanoDB files.
//!
//! Where to start reading: [`arguments`] says what can be asked for, [`commands`] has a
//! file for each command, [`json`] says how documents are written as JSON, [`failure`]
//! which exit code means what. Only [`database`] and the commands call the database.

mod arguments;
mod commands;
mod database;
mod failure;
mod figures;
mod input;
mod json;

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::Arguments;
use self::database::Opener;

/// Output is collected to pieces of this size, for exports are long.
const OUTPUT_BUFFER_SIZE: usize = 128 * 1024;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = BufWriter::with_capacity(OUTPUT_BUFFER_SIZE, io::stdout().lock());
    let result = commands::run(&arguments.command, Opener { wait: arguments.wait }, &mut out);
    // What was printed before a failure stays printed, and before what is said of it.
    let flushed = out.flush().map_err(failure::Failure::Output);
    match result.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has enough.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // Where even this cannot be said, the exit code still can.
            let _ = writeln!(io::stderr(), "nanodb: {}", failure.message());
            failure.exit_code()
        }
    }
}
