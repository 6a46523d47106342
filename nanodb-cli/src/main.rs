//! The `nanodb` command: import, export, inspect and check NanoDB files.
//!
//! Where to start reading: [`arguments`] defines the command line, [`commands`] has a file for each
//! command, [`json`] reads documents from JSON, [`output`] prints them in each form, [`failure`]
//! maps failures to exit codes.
//! Only [`database`] and the commands call the database.

mod arguments;
mod commands;
mod database;
mod failure;
mod figures;
mod id_text;
mod input;
mod json;
mod order;
mod output;
mod progress;
mod screen;
mod style;

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::Arguments;
use self::database::Opener;
use self::screen::Screen;

/// The size of the output buffer; exports are long.
const OUTPUT_BUFFER_SIZE: usize = 128 * 1024;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = BufWriter::with_capacity(OUTPUT_BUFFER_SIZE, io::stdout().lock());
    let (opener, screen) = (Opener { wait: arguments.wait }, Screen::new(arguments.color));
    let result = commands::run(&arguments.command, opener, screen, &mut out);
    // Output before a failure stays printed, and comes before the failure's message.
    let flushed = out.flush().map_err(failure::Failure::Output);
    match result.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output has closed it.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // If the message can't be printed, the exit code still says it.
            let name = screen::of_messages(arguments.color).paint(style::FAILURE, "nanodb:");
            let _ = writeln!(io::stderr(), "{name} {}", failure.message());
            failure.exit_code()
        }
    }
}
