//! A line on a terminal that says how far a long command has come.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::figures;

/// How often the line is drawn at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// The places of the bar.
const BAR_WIDTH: u64 = 30;

/// The line: a bar, a percentage, a text and the time left. It is drawn on standard error if that
/// is a terminal, at most ten times a second.
#[derive(Debug)]
pub(crate) struct Progress {
    /// `None` if nobody sees it.
    line: Option<Line>,
}

#[derive(Debug)]
struct Line {
    start: Instant,
    /// When it was drawn last.
    drawn: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let line = Line { start: Instant::now(), drawn: None };
        Self { line: io::stderr().is_terminal().then_some(line) }
    }

    /// Shows that `done` of `total` is done, if that is known, with what `text` says.
    pub(crate) fn show(&mut self, done: u64, total: Option<u64>, text: impl FnOnce() -> String) {
        let Some(line) = &mut self.line else { return };
        let now = Instant::now();
        if line.drawn.is_some_and(|drawn| now - drawn < INTERVAL) {
            return;
        }
        line.drawn = Some(now);
        let shown = render(done, total, &text(), now - line.start);
        // The line is a help, not the work.
        let _ = write!(io::stderr(), "\r\u{1b}[K{shown}");
    }

    /// Removes the line.
    pub(crate) fn finish(&mut self) {
        if self.line.take().is_some_and(|line| line.drawn.is_some()) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// A failure is printed after the line is gone.
impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Returns the line without what removes the one before.
fn render(done: u64, total: Option<u64>, text: &str, elapsed: Duration) -> String {
    let mut line = String::new();
    let Some(total) = total else {
        // Writing to a string never fails.
        let _ = write!(line, "{}  {text}  {} s", figures::bytes(done), elapsed.as_secs());
        return line;
    };
    let done = done.min(total);
    let share = if total == 0 { 1.0 } else { done as f64 / total as f64 };
    #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
    let full = (share * BAR_WIDTH as f64) as usize;
    let empty = usize::try_from(BAR_WIDTH).unwrap_or(0).saturating_sub(full);
    let _ = write!(line, "{}{} {:>3.0}%", "█".repeat(full), "░".repeat(empty), share * 100.0);
    let _ = write!(line, "  {text}");
    if share > 0.0 && elapsed >= Duration::from_secs(1) {
        let left = elapsed.as_secs_f64() * (1.0 - share) / share;
        let _ = write!(line, "  {} left", time(left));
    }
    line
}

/// Returns seconds as people say them, roughly.
fn time(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
    let seconds = seconds.round() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_is_done_and_how_long_the_rest_takes() {
        let seconds = Duration::from_secs;
        let half = format!("{}{}  50%  5 documents", "█".repeat(15), "░".repeat(15));
        assert_eq!(render(50, Some(100), "5 documents", seconds(0)), half);
        let line = render(50, Some(100), "5 documents", seconds(7));
        assert_eq!(line, format!("{half}  7 s left"));
        assert!(render(0, Some(100), "", seconds(7)).ends_with("  0%  "));
        assert!(render(1, Some(100_000), "", seconds(1)).ends_with("27 h left"));
        assert!(render(101, Some(100), "x", seconds(2)).ends_with("100%  x  0 s left"));
        assert!(render(0, Some(0), "x", seconds(0)).ends_with("100%  x"));
        assert_eq!(render(2048, None, "5 documents", seconds(7)), "2.00 KiB  5 documents  7 s");
    }
}
