//! The progress bar.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::figures;
use crate::input::{Input, Progress};

/// Shows the progress of an import, if standard error is a terminal.
pub(super) struct Meter {
    bar: ProgressBar,
    progress: Progress,
}

impl Meter {
    pub(super) fn new(input: &Input) -> Self {
        let template = match input.size {
            Some(_) => "{bar:40} {percent:>3}%  {msg}  {eta} left",
            None => "{spinner} {binary_bytes}  {msg}  {elapsed}",
        };
        // Draws nothing if standard error is not a terminal.
        let bar = ProgressBar::with_draw_target(input.size, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if input.size.is_none() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, progress: input.progress.clone() }
    }

    pub(super) fn show(&self, documents: u64) {
        self.bar.set_position(self.progress.bytes());
        self.bar.set_message(format!("{} documents", figures::count(documents)));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_understood() {
        for template in [
            "{bar:40} {percent:>3}%  {msg}  {eta} left",
            "{spinner} {binary_bytes}  {msg}  {elapsed}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
