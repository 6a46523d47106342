//! What is wrong with a file: the end of an import, or one more line of its report.

use std::io;

use nanodb_collection::{Problem, ProblemKind};
use nanodb_document::{ErrorBuilder, ErrorKind};

use super::file::failed_read;
use crate::error::Result;

/// More problems are not told of one by one.
const PROBLEMS_MAX: usize = 100_000;

/// Problems, as they are found.
pub(super) struct Problems {
    /// Whether an import goes on behind them.
    skip_damaged: bool,
    pub(super) list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(skip_damaged: bool) -> Self {
        Self { skip_damaged, list: Vec::new() }
    }

    /// Notes a problem, or returns it as the error that ends the import.
    pub(super) fn add(
        &mut self,
        collection: Option<&str>,
        page: u32,
        kind: ProblemKind,
    ) -> Result<()> {
        let problem = Problem::new(collection, Some(page), kind);
        if self.skip_damaged && self.list.len() < PROBLEMS_MAX {
            self.list.push(problem);
            return Ok(());
        }
        let mut error = ErrorBuilder::new(ErrorKind::Damaged, problem.to_string()).page(page);
        if let Some(collection) = collection {
            error = error.collection(collection);
        }
        Err(error.into())
    }

    /// Notes a record that is not what it should be.
    pub(super) fn record(
        &mut self,
        collection: Option<&str>,
        page: u32,
        why: String,
    ) -> Result<()> {
        let kind = match collection {
            Some(_) => ProblemKind::DamagedDocument { why },
            None => ProblemKind::DamagedFile { why: format!("in the list of collections: {why}") },
        };
        self.add(collection, page, kind)
    }

    /// Notes a page that the device does not read.
    pub(super) fn unreadable(
        &mut self,
        collection: Option<&str>,
        page: u32,
        error: io::Error,
    ) -> Result<()> {
        if !self.skip_damaged {
            return Err(failed_read(error, page));
        }
        let kind = ProblemKind::UnreadablePages { pages: 1, why: error.to_string() };
        self.add(collection, page, kind)
    }
}
