//! `nanodb import-go`: makes a database of a file of the Go program NanoDB.
//!
//! The new file is made under another name, and gets its own when it is complete: so it is there
//! as a whole or not at all, also after a crash.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use nanodb::{Database, Document, Durability, GoImportOptions, GoImportReport, Value, doc};
use tempfile::Builder;

use super::print_json;
use crate::arguments::ImportGo;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::figures;

pub(crate) fn run(arguments: &ImportGo, opener: Opener, out: &mut impl Write) -> Result<()> {
    let (old, new) = (&arguments.old, &arguments.new);
    if !fs::metadata(old).is_ok_and(|metadata| metadata.is_file()) {
        return Err(Failure::NoDatabase { path: old.clone(), why: "there is no such file" });
    }
    refuse_existing(new)?;
    let options =
        GoImportOptions::new().skip_damaged(arguments.skip_damaged).lock_timeout(opener.wait);
    let making = |source| Failure::File { doing: "making", path: new.clone(), source };
    // Beside the new one, so that it only needs another name. It goes if anything fails.
    let directory = match new.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let room = Builder::new().prefix(".nanodb-import-go-").tempdir_in(directory);
    let room = room.map_err(making)?;
    let path = room.path().join("new");
    // Closing writes all of it to the disk; before, it is of no use.
    let database = Database::options().durability(Durability::Buffered).open(&path)?;
    let report = database.import_go_with(old, &options)?;
    database.close()?;
    match fs::hard_link(&path, new) {
        Ok(()) => {}
        // Another name that nobody has; where there are no links, the moment in between is short.
        _ => {
            refuse_existing(new)?;
            fs::rename(&path, new).map_err(making)?;
        }
    }
    sync(directory).map_err(making)?;
    if arguments.json {
        print_json(&summary(&report), out)?;
    } else {
        print(&report, out)?;
    }
    match report.problems.len() as u64 {
        0 => Ok(()),
        problems => Err(Failure::Damaged { problems }),
    }
}

fn refuse_existing(new: &Path) -> Result<()> {
    match fs::symlink_metadata(new) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => {
            let path = new.to_owned();
            Err(Failure::NoDatabase { path, why: "the new database must not exist yet" })
        }
    }
}

/// Syncs a directory, so that a file's new name outlasts a power cut.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn print(report: &GoImportReport, out: &mut impl Write) -> Result<()> {
    for problem in &report.problems {
        writeln!(out, "{problem}")?;
    }
    let width = report.collections.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    for collection in &report.collections {
        let count = figures::count(collection.documents).to_string();
        write!(out, "{:width$}  {count:>13}", collection.name)?;
        let mut notes = Vec::new();
        if collection.older_versions > 0 {
            let older = figures::counted(collection.older_versions, "older version");
            notes.push(format!("{older} left out"));
        }
        if collection.vector_lists > 0 {
            notes.push("its list of vectors left out".to_owned());
        }
        if collection.same_name > 1 {
            notes.push(format!("of {} collections", figures::count(collection.same_name)));
        }
        if !notes.is_empty() {
            write!(out, "  {}", notes.join(", "))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{} imported", figures::counted(report.documents(), "document"))?;
    Ok(())
}

/// Returns the report for programs.
fn summary(report: &GoImportReport) -> Document {
    let collections = report.collections.iter().map(|collection| {
        doc! {
            "name": (&collection.name),
            "documents": (collection.documents),
            "older_versions": (collection.older_versions),
            "vector_lists": (collection.vector_lists),
            "same_name": (collection.same_name),
        }
    });
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    doc! {
        "complete": (report.is_complete()),
        "documents": (report.documents()),
        "collections": (collections.map(Value::from).collect::<Vec<_>>()),
        "problems": problems,
    }
}
