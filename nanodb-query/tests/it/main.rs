//! Tests of the query language from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod built_update;
mod dialect;
mod errors;
mod filter;
mod generate;
mod hostile;
mod json;
mod manual;
mod order;
mod pcre;
mod plain;
mod plain_update;
mod projection;
mod refused;
mod update;
