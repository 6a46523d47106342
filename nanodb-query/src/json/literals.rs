//! Refusing a document within `$literal` where operators may stand.
//!
//! Once the text has been read, such a document has the same bytes as one of operators, and would
//! be taken for operators, the opposite of what `$literal` asks for. Where a value is expected,
//! `$literal` is accepted.

use nanodb_msgpack::RawValue;

use super::Text;
use crate::entries::{elements, entries};
use crate::error::{Problem, QueryError};

/// What to write instead in a condition.
const IN_CONDITION: &str = "write `{\"$eq\": {\"$literal\": {...}}}`";
/// What to write instead for an element to be added.
const IN_ADDING: &str = "write `{\"$each\": [{\"$literal\": {...}}]}`";
const OF_OPERATORS: &str = "operators are not within `$literal`";

impl Text<'_> {
    /// Checks a filter that has been parsed.
    pub(crate) fn check_filter_literals(&self, filter: RawValue<'_>) -> Result<(), QueryError> {
        self.refuse_literal(filter, OF_OPERATORS)?;
        for entry in entries(filter) {
            match entry.name {
                "$and" | "$or" | "$nor" => {
                    elements(entry.value).try_for_each(|one| self.check_filter_literals(one))?;
                }
                "$comment" => {}
                _ => self.check_condition_literals(entry.value)?,
            }
        }
        Ok(())
    }

    /// Checks an update that has been parsed.
    pub(crate) fn check_update_literals(&self) -> Result<(), QueryError> {
        for operator in entries(self.value()) {
            let mut fields = entries(operator.value);
            match operator.name {
                "$pull" => fields.try_for_each(|f| self.check_element_literals(f.value))?,
                "$push" | "$addToSet" => {
                    fields.try_for_each(|field| self.refuse_literal(field.value, IN_ADDING))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks what must hold of a field or an element.
    fn check_condition_literals(&self, condition: RawValue<'_>) -> Result<(), QueryError> {
        self.refuse_literal(condition, IN_CONDITION)?;
        for operator in entries(condition) {
            match operator.name {
                "$not" => self.check_condition_literals(operator.value)?,
                "$elemMatch" => self.check_element_literals(operator.value)?,
                "$all" => {
                    for element in elements(operator.value) {
                        let first = entries(element).next();
                        if let Some(first) = first.filter(|first| first.name == "$elemMatch") {
                            self.refuse_literal(element, IN_CONDITION)?;
                            self.check_element_literals(first.value)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks operators, or a filter.
    fn check_element_literals(&self, element: RawValue<'_>) -> Result<(), QueryError> {
        let first = entries(element).next();
        match first {
            Some(first) if !first.name.starts_with('$') => self.check_filter_literals(element),
            Some(first) if matches!(first.name, "$and" | "$or" | "$nor") => {
                self.check_filter_literals(element)
            }
            _ => self.check_condition_literals(element),
        }
    }

    fn refuse_literal(&self, value: RawValue<'_>, instead: &'static str) -> Result<(), QueryError> {
        let like_operators = entries(value).any(|entry| entry.name.starts_with('$'));
        if like_operators && self.is_literal(value) {
            return Err(self.locate(Problem::LiteralOfOperators { instead }, value.tail()));
        }
        Ok(())
    }
}
