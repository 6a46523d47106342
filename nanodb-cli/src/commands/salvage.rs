//! `nanodb salvage`: copies everything that can be read of a damaged database to a new one.

use std::fs;
use std::io::Write;

use nanodb::{Document, SalvageMode, SalvageReport, Value, doc};

use super::print_json;
use crate::arguments::Salvage;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::figures;

pub(crate) fn run(arguments: &Salvage, opener: Opener, out: &mut impl Write) -> Result<()> {
    if !fs::metadata(&arguments.damaged).is_ok_and(|metadata| metadata.is_file()) {
        let path = arguments.damaged.clone();
        return Err(Failure::NoDatabase { path, why: "there is no such file" });
    }
    if fs::exists(&arguments.new).unwrap_or(true) {
        let path = arguments.new.clone();
        return Err(Failure::NoDatabase { path, why: "the new database must not exist yet" });
    }
    let saved = opener.make(&arguments.new)?;
    let report = match saved.salvage(&arguments.damaged) {
        Ok(report) => report,
        Err(error) => {
            // What was copied so far is kept; an empty database is of no use.
            if saved.collections().is_ok_and(|all| all.is_empty()) {
                drop(saved);
                let _ = fs::remove_file(&arguments.new);
            }
            return Err(error.into());
        }
    };
    saved.close()?;
    if arguments.json {
        print_json(&summary(&report), out)?;
    } else {
        print(&report, out)?;
    }
    let short = report
        .collections
        .iter()
        .filter(|saved| saved.expected.is_some_and(|expected| expected != saved.documents));
    let problems = report.problems.len().max(short.count()) as u64;
    if report.is_complete() { Ok(()) } else { Err(Failure::Damaged { problems: problems.max(1) }) }
}

fn print(report: &SalvageReport, out: &mut impl Write) -> Result<()> {
    for problem in &report.problems {
        writeln!(out, "{problem}")?;
    }
    if report.how != SalvageMode::Opened {
        writeln!(out, "{}", report.how)?;
    }
    if report.uncertain {
        writeln!(out, "documents may be among these that were deleted or never committed")?;
    }
    for collection in &report.collections {
        write!(
            out,
            "{:?}: {}",
            collection.name,
            figures::counted(collection.documents, "document")
        )?;
        match collection.expected {
            Some(expected) if expected != collection.documents => {
                writeln!(out, " of {}", figures::count(expected))?;
            }
            _ => writeln!(out)?,
        }
    }
    writeln!(out, "{} saved", figures::counted(report.documents(), "document"))?;
    Ok(())
}

/// Returns the report for programs.
fn summary(report: &SalvageReport) -> Document {
    let collections = report.collections.iter().map(|collection| {
        doc! {
            "name": (&collection.name),
            "documents": (collection.documents),
            "expected": (collection.expected),
        }
    });
    let how = match report.how {
        SalvageMode::Opened => "opened",
        SalvageMode::ByPages => "by pages",
        _ => "unverified",
    };
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    doc! {
        "complete": (report.is_complete()),
        "how": how,
        "documents": (report.documents()),
        "collections": (collections.map(Value::from).collect::<Vec<_>>()),
        "problems": problems,
        "uncertain": (report.uncertain),
    }
}
