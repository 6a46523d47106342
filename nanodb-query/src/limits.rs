//! The limits of queries, and the checks that a query keeps them.

use std::collections::HashSet;

use nanodb_msgpack::RawValue;

use crate::entries::{elements, entries};
use crate::error::Problem;
use crate::fault::{Fault, fault};

/// The most values in a query; names and operators are not counted.
pub const QUERY_NODES_MAX: usize = 10_000;

/// The most regular expressions in a query. Each may take 1 MiB, and as much again on each thread
/// that uses it.
pub const QUERY_REGEXES_MAX: usize = 50;

/// Refuses a query that is not well-formed or exceeds the limits.
pub(crate) fn check(value: RawValue<'_>) -> Result<(), Problem> {
    let nodes = value.verify().map_err(|_| Problem::Malformed)?;
    if nodes > QUERY_NODES_MAX {
        return Err(Problem::TooManyNodes { nodes_max: QUERY_NODES_MAX });
    }
    check_names(value)
}

/// Refuses documents that name a field twice, in a value that is known to be well-formed.
pub(crate) fn check_names(value: RawValue<'_>) -> Result<(), Problem> {
    let mut names = HashSet::new();
    for entry in entries(value) {
        if !names.insert(entry.name) {
            return Err(Problem::DuplicateField { name: entry.name.to_owned() });
        }
        check_names(entry.value)?;
    }
    elements(value).try_for_each(check_names)
}

/// Refuses too many regular expressions.
pub(crate) fn check_patterns(value: RawValue<'_>) -> Result<(), Fault<'_>> {
    if count_patterns(value) > QUERY_REGEXES_MAX {
        return Err(fault(Problem::TooManyRegexes { regexes_max: QUERY_REGEXES_MAX }, value));
    }
    Ok(())
}

pub(crate) fn count_patterns(value: RawValue<'_>) -> usize {
    let fields = entries(value).map(|entry| {
        let own = matches!(entry.name, "$regex" | "$regularExpression");
        usize::from(own) + count_patterns(entry.value)
    });
    fields.sum::<usize>() + elements(value).map(count_patterns).sum::<usize>()
}
