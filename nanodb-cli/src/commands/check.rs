//! `nanodb check`: reads everything and lists what is wrong.

use std::io::Write;

use nanodb::{CheckReport, Document, Value, doc};

use super::print_json;
use crate::arguments::Whole;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::figures;

pub(crate) fn run(arguments: &Whole, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let report = database.check()?;
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

fn print(report: &CheckReport, out: &mut impl Write) -> Result<()> {
    for problem in &report.problems {
        writeln!(out, "{problem}")?;
    }
    writeln!(
        out,
        "{} in {} on {}: {}",
        figures::counted(report.documents, "document"),
        figures::counted(report.collections, "collection"),
        figures::counted(report.pages, "page"),
        match report.problems.len() as u64 {
            0 => "no problems".to_owned(),
            problems => figures::counted(problems, "problem"),
        }
    )?;
    Ok(())
}

/// Returns the report for programs.
fn summary(report: &CheckReport) -> Document {
    let problems = report.problems.iter().map(|problem| {
        doc! {
            "collection": (problem.collection.clone()),
            "page": (problem.page),
            "problem": (problem.kind.to_string()),
        }
    });
    doc! {
        "clean": (report.is_clean()),
        "collections": (report.collections),
        "documents": (report.documents),
        "pages": (report.pages),
        "problems": (problems.map(Value::from).collect::<Vec<_>>()),
    }
}
