//! The terminal that the output goes to, if it does.

use std::io::{self, BufRead as _, IsTerminal, Write as _};

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Width, terminal_size};

use crate::arguments::Color;
use crate::failure::{Failure, Result};
use crate::style::Painter;

/// The places of a line where nobody knows them.
const WIDTH_DEFAULT: usize = 80;

/// What the output is shown on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Whether standard output is a terminal.
    pub(crate) is_terminal: bool,
    /// The places of a line.
    pub(crate) width: usize,
    pub(crate) painter: Painter,
}

impl Screen {
    pub(crate) fn new(color: Color) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let width = terminal_size().filter(|_| is_terminal);
        let width = width.map_or(WIDTH_DEFAULT, |(Width(width), _)| usize::from(width).max(1));
        Self { is_terminal, width, painter: painter(color, &io::stdout()) }
    }
}

/// Returns the colours for messages about failures.
pub(crate) fn of_messages(color: Color) -> Painter {
    painter(color, &io::stderr())
}

fn painter(color: Color, stream: &impl anstream::stream::RawStream) -> Painter {
    Painter::new(match color {
        Color::Always => true,
        Color::Never => false,
        // A terminal that has colours, unless NO_COLOR is set.
        Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    })
}

/// Asks a question to be answered by yes or no; anything else, and the end of the input, is no.
/// `None` if there is nobody to ask.
pub(crate) fn ask(question: &str) -> Result<Option<bool>> {
    let (stdin, mut stderr) = (io::stdin(), io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Ok(None);
    }
    let failed = |source| Failure::Asking { source };
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    if stdin.lock().read_line(&mut answer).map_err(failed)? == 0 {
        // The answer has not ended the line.
        writeln!(stderr).map_err(failed)?;
    }
    let answer = answer.trim();
    Ok(Some(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")))
}
