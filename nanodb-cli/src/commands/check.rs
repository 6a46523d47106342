//! `nanodb check`: reads everything and lists what is wrong.

use std::io::Write;

use nanodb::{CheckReport, Problem};
use serde::Serialize;

use super::print_json;
use crate::arguments::Whole;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::figures;

#[derive(Serialize)]
struct Report<'a> {
    clean: bool,
    collections: u64,
    documents: u64,
    pages: u64,
    problems: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    collection: Option<&'a str>,
    page: Option<u32>,
    problem: String,
}

pub(crate) fn run(arguments: &Whole, opener: Opener, out: &mut impl Write) -> Result<()> {
    let database = opener.read(&arguments.database)?;
    let report = database.check()?;
    if arguments.json {
        print_json(&Report::new(&report), out)?;
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

impl<'a> Report<'a> {
    fn new(report: &'a CheckReport) -> Self {
        Self {
            clean: report.is_clean(),
            collections: report.collections,
            documents: report.documents,
            pages: report.pages,
            problems: report.problems.iter().map(Row::new).collect(),
        }
    }
}

impl<'a> Row<'a> {
    fn new(problem: &'a Problem) -> Self {
        Self {
            collection: problem.collection.as_deref(),
            page: problem.page,
            problem: problem.kind.to_string(),
        }
    }
}
