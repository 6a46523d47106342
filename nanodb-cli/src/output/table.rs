//! Documents as a table, for people.

use std::io::Write;

use nanodb::DocView;

use super::cell::{Cell, cut, width};
use super::layout::{Column, GAP, Kind, TEXT_WIDTH_MAX, layout};
use crate::failure::Result;
use crate::figures;
use crate::style::{BOLD, DIM, Painter};

/// The most documents in one table. Columns must fit all of them, so they are kept until then.
const ROWS_MAX: usize = 1000;

/// A table being filled. Its columns are the fields of its documents, in the order in which they
/// first occur.
#[derive(Debug)]
pub(super) struct Table {
    /// The places of a line.
    width: usize,
    painter: Painter,
    columns: Vec<String>,
    rows: Vec<Vec<Option<Cell>>>,
    is_empty: bool,
}

impl Table {
    pub(super) fn new(width: usize, painter: Painter) -> Self {
        Self { width, painter, columns: Vec::new(), rows: Vec::new(), is_empty: true }
    }

    /// Returns whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Adds a document; prints the table once it is large.
    pub(super) fn add(&mut self, document: &DocView, out: &mut dyn Write) -> Result<()> {
        let mut row: Vec<Option<Cell>> = vec![None; self.columns.len()];
        for field in document {
            let (name, value) = field?;
            let cell = Cell::new(value, TEXT_WIDTH_MAX)?;
            let at = self.columns.iter().position(|column| column == name).unwrap_or_else(|| {
                self.columns.push(name.to_owned());
                self.columns.len() - 1
            });
            if row.len() <= at {
                row.resize(at + 1, None);
            }
            if let Some(place) = row.get_mut(at) {
                *place = Some(cell);
            }
        }
        self.is_empty = false;
        self.rows.push(row);
        if self.rows.len() < ROWS_MAX { Ok(()) } else { self.finish(out) }
    }

    /// Prints what was added since the last time.
    pub(super) fn finish(&mut self, out: &mut dyn Write) -> Result<()> {
        let (names, rows) = (std::mem::take(&mut self.columns), std::mem::take(&mut self.rows));
        if rows.is_empty() {
            return Ok(());
        }
        let columns: Vec<Column> =
            names.iter().enumerate().map(|(at, name)| column(name, &rows, at)).collect();
        let layout = layout(&columns, self.width);
        let shown: Vec<(Kind, usize)> =
            columns.iter().map(|column| column.kind).zip(layout.widths).collect();

        let header = names.iter().zip(&shown).map(|(name, &(_, width))| Some(cut(name, width)));
        self.line(&shown, header.map(|name| (name, Some(BOLD))), out)?;
        let rules = shown.iter().map(|&(_, width)| Some("─".repeat(width)));
        self.line(&shown, rules.map(|rule| (rule, Some(DIM))), out)?;
        for row in rows {
            // Fields that first occurred later have no cells in it.
            let cells = row.into_iter().chain(std::iter::repeat_with(|| None)).zip(&shown);
            let cells = cells.map(|(cell, &(_, width))| match cell {
                Some(cell) => (Some(cut(&cell.text, width)), cell.is_null.then_some(DIM)),
                None => (None, None),
            });
            self.line(&shown, cells, out)?;
        }
        if layout.left_out > 0 {
            let names = names.get(shown.len()..).unwrap_or_default();
            writeln!(out, "{}", self.painter.paint(DIM, &left_out(names, self.width)))?;
        }
        Ok(())
    }

    /// Prints a line of cells, without spaces at its end.
    fn line(
        &self,
        columns: &[(Kind, usize)],
        cells: impl Iterator<Item = (Option<String>, Option<anstyle::Style>)>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let mut line = String::new();
        // Spaces that are owed: printed only if something follows.
        let mut spaces = 0;
        for (&(kind, column_width), (text, style)) in columns.iter().zip(cells) {
            let text = text.unwrap_or_default();
            let free = column_width.saturating_sub(width(&text));
            let (before, after) = if kind == Kind::Number { (free, 0) } else { (0, free) };
            spaces += before;
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', spaces));
                spaces = 0;
                match style {
                    Some(style) => line.push_str(&self.painter.paint(style, &text)),
                    None => line.push_str(&text),
                }
            }
            spaces += after + GAP;
        }
        writeln!(out, "{line}")?;
        Ok(())
    }
}

/// Returns what the column at an index is like.
fn column(name: &str, rows: &[Vec<Option<Cell>>], at: usize) -> Column {
    let mut column = Column { kind: Kind::Text, name_width: width(&cut(name, 200)), cell_width: 0 };
    let mut kinds = Kinds::default();
    for cell in rows.iter().filter_map(|row| row.get(at)?.as_ref()) {
        column.cell_width = column.cell_width.max(width(&cell.text));
        if !cell.is_null {
            kinds.add(cell.kind);
        }
    }
    column.kind = kinds.of_column();
    column
}

/// The kinds of the cells of a column.
#[derive(Default)]
struct Kinds {
    numbers: bool,
    wholes: bool,
    texts: bool,
}

impl Kinds {
    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Number => self.numbers = true,
            Kind::Whole => self.wholes = true,
            Kind::Text => self.texts = true,
        }
    }

    /// Returns the kind that all cells can be shown as: without text nothing is cut.
    fn of_column(&self) -> Kind {
        match self {
            Self { texts: true, .. } => Kind::Text,
            Self { wholes: true, .. } => Kind::Whole,
            Self { numbers: true, .. } => Kind::Number,
            _ => Kind::Text,
        }
    }
}

/// Returns the line that names the columns left out, as many of them as fit; and how to see them,
/// if there is room for that beside one name.
fn left_out(names: &[String], width_max: usize) -> String {
    const WAYS: &str = " (--projection, or --format lines)";
    let count = figures::counted(names.len() as u64, "more column");
    let list = |ways: &str| {
        let room = width_max.saturating_sub(width(&count) + width(ways));
        list(names, room).map(|list| format!("{count}{list}{ways}"))
    };
    list(WAYS).or_else(|| list("")).unwrap_or(count.clone())
}

/// Returns the names that fit, after a colon; `None` if none does.
fn list(names: &[String], width_max: usize) -> Option<String> {
    const MORE: &str = ", …";
    let mut list = String::new();
    for (index, name) in names.iter().enumerate() {
        let name = format!("{}{}", if index == 0 { ": " } else { ", " }, cut(name, TEXT_WIDTH_MAX));
        let more = if index + 1 == names.len() { 0 } else { width(MORE) };
        if width(&list) + width(&name) + more > width_max {
            return (index > 0).then(|| list + MORE);
        }
        list.push_str(&name);
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use nanodb::{Document, Encode as _, doc};

    use super::*;

    fn table(width: usize, documents: &[Document]) -> String {
        let (mut table, mut out) = (Table::new(width, Painter::PLAIN), Vec::new());
        for document in documents {
            let mut buffer = Vec::new();
            let draft = document.encode(None, &mut buffer).unwrap();
            table.add(DocView::from_bytes(draft.record(&buffer)), &mut out).unwrap();
        }
        table.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_columns_and_missing_ones_are_empty() {
        let documents = [
            doc! { "_id": 1, "name": "Ada", "age": 36, "tags": ["a", "b"] },
            doc! { "_id": 12, "name": "Bob", "tags": ["b"], "ok": true },
            doc! { "_id": 3, "name": (), "age": 5.5 },
        ];
        assert_eq!(
            table(80, &documents),
            "_id  name  age  tags       ok\n\
             ───  ────  ───  ─────────  ────\n\
             \x20 1  Ada    36  [\"a\",\"b\"]\n\
             \x2012  Bob        [\"b\"]      true\n\
             \x20 3  null  5.5\n"
        );
    }

    #[test]
    fn columns_left_out_are_named_as_far_as_there_is_room() {
        let document = doc! { "_id": 1, "a": 1, "city": "x", "zip": 5, "note": "a note" };
        let shown = table(9, &[document]);
        assert!(shown.ends_with("\n3 more columns\n"), "{shown}");
        let names = ["city", "zip", "note"].map(str::to_owned);
        assert_eq!(
            left_out(&names, 80),
            "3 more columns: city, zip, note (--projection, or --format lines)"
        );
        assert_eq!(
            left_out(&names, 64),
            "3 more columns: city, zip, … (--projection, or --format lines)"
        );
        assert_eq!(left_out(&names, 50), "3 more columns: city, zip, note");
        assert_eq!(left_out(&names, 30), "3 more columns: city, zip, …");
        assert_eq!(left_out(&names, 15), "3 more columns");
        assert_eq!(
            left_out(&names[..1], 80),
            "1 more column: city (--projection, or --format lines)"
        );
    }

    #[test]
    fn a_long_table_is_printed_in_parts() {
        let documents: Vec<Document> = (0..2_500).map(|n| doc! { "_id": n }).collect();
        assert_eq!(table(80, &documents).matches("_id").count(), 3);
    }
}
