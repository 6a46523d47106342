//! Array filters: the elements that a `$[id]` stands for.

use crate::Filter;
use crate::entries::elements;
use crate::error::Problem;
use crate::fault::{Fault, fault};
use crate::limits::check_patterns;
use nanodb_msgpack::{RawValue, TypeBracket};

/// A filter on fields below one name, its identifier.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArrayFilter {
    pub(super) identifier: Box<str>,
    pub(super) filter: Filter,
}

/// Reads an array of filters.
pub(super) fn parse(value: RawValue<'_>) -> Result<Vec<ArrayFilter>, Fault<'_>> {
    if !value.is_array() {
        let found = value.bracket().unwrap_or(TypeBracket::Null);
        return Err(fault(Problem::NotAnArray { what: "a list of array filters", found }, value));
    }
    check_patterns(value)?;
    let mut filters: Vec<ArrayFilter> = Vec::new();
    for element in elements(value) {
        let filter = Filter::parse_value(element)?;
        let Some(identifier) = filter.only_name().map(Box::<str>::from) else {
            let problem = "must be about the fields of one name";
            return Err(fault(
                Problem::ArrayFilter { identifier: String::new(), problem },
                element,
            ));
        };
        let refused = |problem| {
            fault(Problem::ArrayFilter { identifier: identifier.to_string(), problem }, element)
        };
        if !is_identifier(&identifier) {
            return Err(refused("must begin with a lower case letter and have letters and digits"));
        }
        if filters.iter().any(|other| other.identifier == identifier) {
            return Err(refused("is there twice"));
        }
        filters.push(ArrayFilter { identifier, filter });
    }
    Ok(filters)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}
