//! The lines that the demo prints, aligned.

use std::io::Write;

use crate::failure::Result;
use crate::figures;

/// Prints each line as soon as its figures are known.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    pub(super) fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{text}")?;
        Ok(self.out.flush()?)
    }

    /// Prints a step: how many documents, how long, how many a second, doing what.
    pub(super) fn row(
        &mut self,
        name: &str,
        count: &str,
        time: &str,
        rate: &str,
        detail: &str,
    ) -> Result<()> {
        self.line(&format!("  {name:<10}  {count:>9}  {time:>8}  {rate:>13}   {detail}"))
    }

    /// Prints a size, in total and for each document.
    pub(super) fn size(&mut self, name: &str, total: u64, each: f64, note: &str) -> Result<()> {
        let total = figures::bytes(total).to_string();
        self.line(&format!("  {name:<10}  {total:>9}  {each:>5.1} bytes a document{note}"))
    }
}
