//! Documents in the form that the command line asks for.
//!
//! [`Printer`] prints one document after the other. [`layout`] decides on the columns of a table,
//! [`cell`] says what stands in them, [`table`] draws it; [`csv`] writes CSV.

mod cell;
mod csv;
mod layout;
mod table;

use std::io::Write;

use nanodb::json::{Format as Dialect, Inexact as Rounding, Layout, WriteOptions};
use nanodb::{DocView, Document, Encode as _, Id, IdRef, Value, doc};

pub(crate) use self::csv::Columns;

use self::table::Table;
use crate::arguments::{Inexact, Output, OutputFormat};
use crate::failure::{Failure, Result, describe};
use crate::screen::Screen;
use crate::style::Painter;

/// The name of the field that a single value is put into to be printed.
const VALUE: &str = "value";

/// Prints documents, or values, in one form.
pub(crate) struct Printer<'o> {
    form: Form,
    options: WriteOptions,
    screen: Screen,
    out: &'o mut dyn Write,
    /// The JSON of one document, kept for its memory.
    text: String,
}

enum Form {
    /// One after the other, on one line each or on several.
    Json,
    /// The elements of one array; whether one was printed.
    Array(bool),
    Csv(Columns),
    Table(Table),
}

impl<'o> Printer<'o> {
    /// Returns a printer of what `output` asks for, which is not [`OutputFormat::Auto`]; CSV has
    /// these columns.
    pub(crate) fn new(
        format: OutputFormat,
        output: &Output,
        columns: Columns,
        screen: Screen,
        out: &'o mut dyn Write,
    ) -> Result<Self> {
        let dialect = match format {
            OutputFormat::Relaxed => Dialect::Relaxed,
            OutputFormat::Canonical => Dialect::Canonical,
            _ => Dialect::Full,
        };
        let inexact = match output.inexact {
            Inexact::Refuse => Rounding::Refuse,
            Inexact::Round => Rounding::Round,
            Inexact::Text => Rounding::Text,
        };
        let mut options = WriteOptions::new().format(dialect).inexact(inexact);
        let form = match format {
            OutputFormat::Json => Form::Array(false),
            OutputFormat::Csv => {
                columns.write_names(out)?;
                Form::Csv(columns)
            }
            OutputFormat::Table => {
                let width = output.width.map_or(screen.width, |width| width.get());
                Form::Table(Table::new(width, screen.painter))
            }
            OutputFormat::Pretty => {
                options = options.layout(Layout::Lines);
                Form::Json
            }
            OutputFormat::Auto
            | OutputFormat::Lines
            | OutputFormat::Relaxed
            | OutputFormat::Canonical => Form::Json,
        };
        Ok(Self { form, options, screen, out, text: String::new() })
    }

    /// Prints a document. If that fails for the document's content, nothing of it is printed.
    pub(crate) fn document(&mut self, document: &DocView) -> Result<()> {
        match &mut self.form {
            Form::Csv(columns) => columns.write(document, self.out),
            Form::Table(table) => table.add(document, self.out),
            Form::Json | Form::Array(_) => {
                self.write_json(document).map_err(|error| failure(document, error))?;
                self.print(None)
            }
        }
    }

    /// Prints a document that has no id.
    pub(crate) fn row(&mut self, row: Document) -> Result<()> {
        with_view(row, |row| self.document(row))
    }

    /// Prints a value by itself; in a table, and in CSV, it is the only column.
    pub(crate) fn value(&mut self, value: Value) -> Result<()> {
        with_view(doc! { VALUE: value }, |row| match self.form {
            Form::Csv(_) | Form::Table(_) => self.document(row),
            Form::Json | Form::Array(_) => {
                self.write_json(row).map_err(|error| failure(row, error))?;
                let value = unwrap(&self.text);
                self.print(Some(&value))
            }
        })
    }

    /// Prints what is left to print. Returns whether nothing at all was printed, if it is a table.
    pub(crate) fn finish(self) -> Result<bool> {
        match self.form {
            Form::Json | Form::Csv(_) => Ok(false),
            Form::Array(has_elements) => {
                writeln!(self.out, "{}", if has_elements { "]" } else { "[]" })?;
                Ok(false)
            }
            Form::Table(mut table) => {
                table.finish(self.out)?;
                Ok(table.is_empty())
            }
        }
    }

    fn write_json(&mut self, document: &DocView) -> nanodb::Result<()> {
        self.text.clear();
        document.write_json(&self.options, &mut self.text)
    }

    /// Prints JSON: that of the last document, unless it is another one.
    fn print(&mut self, json: Option<&str>) -> Result<()> {
        let json = json.unwrap_or(&self.text);
        if let Form::Array(has_elements) = &mut self.form {
            write!(self.out, "{}", if *has_elements { ",\n" } else { "[" })?;
            *has_elements = true;
        }
        match (self.screen.is_terminal, self.screen.painter) {
            (false, Painter::PLAIN) => self.out.write_all(json.as_bytes())?,
            (false, painter) => self.out.write_all(painter.paint_json(json).as_bytes())?,
            (true, painter) => self.out.write_all(painter.paint_json(&escape(json)).as_bytes())?,
        }
        if !matches!(self.form, Form::Array(_)) {
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// Returns an id as `export` writes it.
pub(crate) fn id_json(id: Id) -> Result<String> {
    let json = doc! { VALUE: (Value::from(id)) }.to_json()?;
    Ok(unwrap(&json))
}

/// Calls `print` with a document as it is stored within another one: so it needs no id.
fn with_view(row: Document, print: impl FnOnce(&DocView) -> Result<()>) -> Result<()> {
    let mut buffer = Vec::new();
    let whole = doc! { VALUE: row };
    let draft = whole.encode(Some(IdRef::from(0)), &mut buffer)?;
    let whole = DocView::from_bytes(draft.record(&buffer));
    whole.get(VALUE).and_then(|row| row.as_document()).map_or(Ok(()), print)
}

/// Returns the failure to print a document, which names it.
fn failure(document: &DocView, error: nanodb::Error) -> Failure {
    // A value without a form has a place; bytes that can't be read have none.
    if error.path().is_none() {
        return Failure::Database(error);
    }
    Failure::Inexact(match document.id() {
        Some(id) => format!("the document with the id {id}: {}", describe(&error)),
        None => describe(&error),
    })
}

/// Returns the value in the text of a document that has it in its only field.
fn unwrap(document: &str) -> String {
    let begin = format!("\"{VALUE}\":");
    let value = document.split_once(&begin).map_or(document, |(_, value)| value);
    let value = value.strip_suffix('}').unwrap_or(value).trim();
    // On several lines it is indented as a field. No string contains a line's end.
    value.replace("\n  ", "\n")
}

/// Returns JSON with the characters escaped that control a terminal, which JSON itself allows in
/// strings.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\u{7f}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => escaped.push_str(&format!("\\u{:04x}", letter as u32)),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_by_itself_on_one_line_or_several() {
        for (text, expected) in [
            (r#"{"value":5}"#, "5"),
            (r#"{"value":{"value":"}"}}"#, r#"{"value":"}"}"#),
            ("{\n  \"value\": [\n    1\n  ]\n}", "[\n  1\n]"),
        ] {
            assert_eq!(unwrap(text), expected);
        }
    }

    #[test]
    fn json_on_a_terminal_does_not_control_it() {
        assert_eq!(escape("\"a\u{9b}1m\u{202e}é\""), "\"a\\u009b1m\\u202eé\"");
    }
}
