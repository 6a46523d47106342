//! Tests of the query language from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod bounds;
mod built_update;
mod dialect;
mod errors;
mod filter;
mod generate;
mod hostile;
mod index;
mod index_sets;
mod json;
mod manual;
mod order;
mod pcre;
mod plain;
mod plain_update;
mod projection;
mod refused;
mod text_conditions;
mod update;

use nanodb_document::ErrorParts as _;

/// What is wrong with a query, as the crate itself knows it.
trait HasProblem {
    fn problem(&self) -> &nanodb_query::Problem;
}

impl HasProblem for nanodb_query::Error {
    #[track_caller]
    fn problem(&self) -> &nanodb_query::Problem {
        let made_of: &nanodb_query::QueryError = self.internal().unwrap().downcast_ref().unwrap();
        assert_eq!(self.position(), made_of.position());
        assert_eq!(self.to_string(), made_of.to_string());
        made_of.problem()
    }
}
