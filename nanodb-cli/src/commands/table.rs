//! Documents as a table, for people.

use std::io::Write;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, ContentArrangement};
use nanodb::{DocView, ValueRef};

use crate::failure::{Failure, Result};
use crate::json::print;

/// The most documents in one table. Columns must fit all of them, so they are kept until then.
const ROWS_MAX: usize = 1000;

/// A table being filled. Its columns are the fields of its documents, in the order in which they
/// first occur.
#[derive(Debug, Default)]
pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a document; prints the table once it is large.
    pub(super) fn add(&mut self, document: &DocView, out: &mut impl Write) -> Result<()> {
        let mut row = vec![String::new(); self.columns.len()];
        for field in document {
            let (name, value) = field.map_err(|error| Failure::Database(error.into()))?;
            let at = self.columns.iter().position(|column| column == name).unwrap_or_else(|| {
                self.columns.push(name.to_owned());
                self.columns.len() - 1
            });
            row.resize(self.columns.len(), String::new());
            if let Some(cell) = row.get_mut(at) {
                *cell = text(value)?;
            }
        }
        self.rows.push(row);
        if self.rows.len() < ROWS_MAX { Ok(()) } else { std::mem::take(self).finish(out) }
    }

    /// Prints the rest.
    pub(super) fn finish(self, out: &mut impl Write) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut table = comfy_table::Table::new();
        table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        let columns = self.columns.len();
        table.set_header(self.columns.into_iter().map(Cell::new));
        for mut row in self.rows {
            // A field that first occurred later.
            row.resize(columns, String::new());
            table.add_row(row);
        }
        writeln!(out, "{table}")?;
        Ok(())
    }
}

/// Returns text as it is, anything else as JSON.
fn text(value: ValueRef<'_>) -> Result<String> {
    if let Some(text) = value.as_str() {
        // The content of a document must not control the terminal.
        return Ok(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect());
    }
    let mut json = Vec::new();
    print::print_value(value, &mut json).map_err(Failure::Output)?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}
