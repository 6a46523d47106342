//! `nanodb stats`: prints the sizes of a file and its collections.

use std::io::Write;

use nanodb::{CollectionStats, Document, Stats, Value, doc};

use super::print_json;
use crate::arguments::Whole;
use crate::database::Opener;
use crate::failure::Result;
use crate::figures;

/// The figures that have a meaning for a file just opened. Those of memory and of running work
/// describe a running program.
struct File<'a> {
    file_bytes: u64,
    page_count: u64,
    free_pages: u64,
    documents: u64,
    collections: Vec<Row<'a>>,
}

struct Row<'a> {
    name: &'a str,
    count: u64,
    pages: u64,
    reserved_pages: u64,
    overflow_pages: u64,
}

pub(crate) fn run(arguments: &Whole, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let stats = database.stats()?;
    let file = File::new(&stats);
    if arguments.json { print_json(&file.summary(), out) } else { file.print(out) }
}

impl<'a> File<'a> {
    fn new(stats: &'a Stats) -> Self {
        Self {
            file_bytes: stats.file_bytes,
            page_count: stats.page_count,
            free_pages: stats.free_pages,
            documents: stats.collections.iter().map(|collection| collection.count).sum(),
            collections: stats.collections.iter().map(Row::new).collect(),
        }
    }

    /// Returns the figures for programs.
    fn summary(&self) -> Document {
        let collections = self.collections.iter().map(|row| {
            doc! {
                "name": (row.name),
                "count": (row.count),
                "pages": (row.pages),
                "reserved_pages": (row.reserved_pages),
                "overflow_pages": (row.overflow_pages),
            }
        });
        doc! {
            "file_bytes": (self.file_bytes),
            "page_count": (self.page_count),
            "free_pages": (self.free_pages),
            "documents": (self.documents),
            "collections": (collections.map(Value::from).collect::<Vec<_>>()),
        }
    }

    fn print(&self, out: &mut impl Write) -> Result<()> {
        let count = |number| figures::count(number).to_string();
        writeln!(out, "file          {:>13} bytes", count(self.file_bytes))?;
        writeln!(out, "pages         {:>13}", count(self.page_count))?;
        writeln!(out, "free pages    {:>13}", count(self.free_pages))?;
        writeln!(out, "documents     {:>13}", count(self.documents))?;
        if self.collections.is_empty() {
            return Ok(());
        }
        let width = self.collections.iter().map(|row| row.name.chars().count()).max();
        let width = width.unwrap_or(0).max("collection".len());
        writeln!(
            out,
            "\n{:width$}  {:>13}  {:>11}  {:>11}  {:>11}",
            "collection", "documents", "pages", "reserved", "overflow"
        )?;
        for row in &self.collections {
            writeln!(
                out,
                "{:width$}  {:>13}  {:>11}  {:>11}  {:>11}",
                row.name,
                count(row.count),
                count(row.pages),
                count(row.reserved_pages),
                count(row.overflow_pages)
            )?;
        }
        Ok(())
    }
}

impl<'a> Row<'a> {
    fn new(stats: &'a CollectionStats) -> Self {
        Self {
            name: &stats.name,
            count: stats.count,
            pages: stats.pages,
            reserved_pages: stats.reserved_pages,
            overflow_pages: stats.overflow_pages,
        }
    }
}
