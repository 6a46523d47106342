//! Errors of fields that are not there, or of another type than the one asked for; of documents in
//! memory and of stored ones.

use std::fmt::Display;

use crate::ValueType;
use crate::error::{Error, ErrorBuilder, ErrorKind};

/// The most names that an error lists.
const NAMES_MAX: usize = 20;

/// Returns the error that there is no such field; `names` are those that there are.
#[cold]
pub(crate) fn not_found<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let mut names = names.map(|name| format!("`{name}`"));
    let listed: Vec<_> = names.by_ref().take(NAMES_MAX).collect();
    let there_are = match (listed.is_empty(), names.count()) {
        (true, _) => "; the document is empty".to_owned(),
        (_, 0) => format!("; there are: {}", listed.join(", ")),
        (_, more) => format!("; there are: {}, and {more} more", listed.join(", ")),
    };
    let text = format!("there is no field `{name}`{there_are}");
    ErrorBuilder::new(ErrorKind::NotFound, text).path(name).into()
}

/// Returns the error that a field is of another type.
#[cold]
pub(crate) fn wrong_type(name: &str, found: ValueType, wanted: &str) -> Error {
    let text = format!("`{name}` is {}, not {wanted}", found.with_article());
    ErrorBuilder::new(ErrorKind::WrongType, text).path(name).into()
}

/// Returns the error that an integer does not fit into the type asked for.
#[cold]
pub(crate) fn out_of_range(name: &str, value: impl Display, wanted: &str) -> Error {
    let text = format!("`{name}` is {value}, which does not fit into {wanted}");
    ErrorBuilder::new(ErrorKind::WrongType, text).path(name).into()
}
