//! Orders as they are written on the command line: `age`, `-age,name`, or JSON.

use nanodb::{Result, Sort};

/// The reason why a text is no order.
#[derive(Debug)]
pub(crate) enum OrderError {
    /// It is JSON, but no order.
    Query(nanodb::Error),
    /// It is neither JSON nor names of fields.
    Text(String),
}

/// Reads an order: JSON if it begins with a bracket, else fields with commas between them, each
/// with a minus in front if it is descending.
pub(crate) fn parse(text: &str) -> Result<Sort, OrderError> {
    if text.trim_start().starts_with('{') {
        return Sort::parse_json(text).map_err(OrderError::Query);
    }
    let mut sort = Sort::default();
    for field in text.split(',') {
        let field = field.trim();
        let (name, is_descending) = match field.strip_prefix('-') {
            Some(name) => (name, true),
            None => (field, false),
        };
        if name.is_empty() || name.contains(['{', '}', '[', ']', '"', '\'', ':', ' ']) {
            return Err(OrderError::Text(format!(
                "{text:?} is not one: write age, -age,name or {{\"age\": -1, \"name\": 1}}"
            )));
        }
        sort = if is_descending { sort.then_descending(name) } else { sort.then_ascending(name) };
    }
    sort.check().map_err(OrderError::Query)?;
    Ok(sort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_names_of_fields_or_json() {
        for (text, json) in [
            ("age", r#"{"age": 1}"#),
            ("-age", r#"{"age": -1}"#),
            ("-age,name", r#"{"age": -1, "name": 1}"#),
            ("a.b, -c", r#"{"a.b": 1, "c": -1}"#),
            (r#" {"age": -1}"#, r#"{"age": -1}"#),
        ] {
            assert_eq!(parse(text).unwrap(), Sort::parse_json(json).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_told_both_ways() {
        for text in ["", "-", "age,", "\"age\"", "age: -1", "['age']", "age desc", "[1]"] {
            let Err(OrderError::Text(message)) = parse(text) else { panic!("{text}") };
            assert!(message.contains("write age, -age,name or {\"age\""), "{message}");
        }
        assert!(matches!(parse("{\"age\": 2}"), Err(OrderError::Query(_))));
    }
}
