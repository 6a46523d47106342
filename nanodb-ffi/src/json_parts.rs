//! Where the parts of a JSON text begin and end.
//!
//! Filters, updates and projections are read from text by the library, which says what is wrong and
//! where. When they are parts of a larger text, as of options or of a bulk write, this finds them.
//! It steps over values without looking at what they are; whoever reads a part checks it.

use std::borrow::Cow;

use nanodb::Value;

use crate::failure::{Failure, Result};

/// Returns the elements of an array, or the values of a text that has one after the other.
pub(crate) fn elements(text: &str) -> Result<Vec<&str>> {
    let mut parts = Parts { text, at: 0 };
    parts.skip_space();
    let mut found = Vec::new();
    if !parts.take(b'[') {
        while !parts.is_at_end() {
            found.push(parts.value()?);
            parts.skip_space();
        }
        return Ok(found);
    }
    parts.skip_space();
    let mut ends = parts.take(b']');
    while !ends {
        found.push(parts.value()?);
        ends = parts.comma_or(b']')?;
    }
    parts.end()?;
    Ok(found)
}

/// Returns the fields of an object, in order.
pub(crate) fn fields(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>> {
    let mut parts = Parts { text, at: 0 };
    parts.skip_space();
    parts.expect(b'{')?;
    parts.skip_space();
    let mut found = Vec::new();
    let mut ends = parts.take(b'}');
    while !ends {
        parts.skip_space();
        let name = unquoted(parts.value()?)?;
        parts.skip_space();
        parts.expect(b':')?;
        found.push((name, parts.value()?));
        ends = parts.comma_or(b'}')?;
    }
    parts.end()?;
    Ok(found)
}

/// Returns a string without its quotes.
pub(crate) fn unquoted(text: &str) -> Result<Cow<'_, str>> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match inner {
        // What the library would refuse in a string is refused there.
        Some(inner) if inner.bytes().all(|byte| byte >= b' ' && byte != b'\\' && byte != b'"') => {
            Ok(Cow::Borrowed(inner))
        }
        _ => match Value::parse_json(text)?.into_string() {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => Err(Failure::invalid("a name in the JSON is no string")),
        },
    }
}

struct Parts<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parts<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong(byte)) }
    }

    /// Steps over what follows a value; returns whether that was the last.
    fn comma_or(&mut self, close: u8) -> Result<bool> {
        self.skip_space();
        if self.take(close) {
            return Ok(true);
        }
        self.expect(b',')?;
        Ok(false)
    }

    fn end(&mut self) -> Result<()> {
        self.skip_space();
        if self.is_at_end() {
            return Ok(());
        }
        Err(Failure::invalid(format!("there is more behind the JSON, at byte {}", self.at)))
    }

    /// Steps over a value and returns its text.
    fn value(&mut self) -> Result<&'a str> {
        self.skip_space();
        let start = self.at;
        let (mut depth, mut is_cut) = (0_usize, false);
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => is_cut = !self.string(),
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b']' | b'}' => break,
                b',' | b':' if depth > 0 => self.at += 1,
                b',' | b':' => break,
                b' ' | b'\t' | b'\n' | b'\r' if depth > 0 => self.at += 1,
                b' ' | b'\t' | b'\n' | b'\r' => break,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            // A string, an array or an object that is whole ends the value.
            if depth == 0 {
                break;
            }
        }
        // Both ends are beside ASCII.
        match self.text.get(start..self.at) {
            Some(value) if !value.is_empty() && depth == 0 && !is_cut => Ok(value),
            _ => Err(Failure::invalid(format!(
                "a JSON value is missing or not whole, at byte {start}"
            ))),
        }
    }

    /// Steps over a string, or to the end if it has none; returns whether it has one.
    fn string(&mut self) -> bool {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return true,
                // What is escaped ends nothing.
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.at = self.at.min(self.text.len());
        false
    }

    #[cold]
    fn wrong(&self, wanted: u8) -> Failure {
        let (at, wanted) = (self.at, char::from(wanted));
        match self.text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(found) => Failure::invalid(format!(
                "expected `{wanted}` in the JSON, not `{found}`, at byte {at}"
            )),
            None => Failure::invalid(format!("the JSON ends where `{wanted}` is expected")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_of_an_array_and_values_in_a_row_are_found() {
        let expected = [r#"{"a": "],\"}"}"#, "5", r#""x,y""#, "[1, {}]", "null", "-1e5"];
        let joined = expected.join(" , ");
        assert_eq!(elements(&format!(" [ {joined} ] \n")).unwrap(), expected);
        assert_eq!(elements(&expected.join("\n")).unwrap(), expected);
        assert_eq!(elements("{}{}").unwrap(), ["{}", "{}"]);
        assert!(elements(" [ ] ").unwrap().is_empty());
        assert!(elements("").unwrap().is_empty());
    }

    #[test]
    fn the_fields_of_an_object_are_found() {
        let found = fields(r#"{ "a" : 1, "\u0062":{"c":[]} , "ü": "ö" }"#).unwrap();
        let found: Vec<_> = found.iter().map(|(name, value)| (&**name, *value)).collect();
        assert_eq!(found, [("a", "1"), ("b", r#"{"c":[]}"#), ("ü", r#""ö""#)]);
        assert!(fields("{}").unwrap().is_empty());
    }

    #[test]
    fn a_text_that_is_cut_anywhere_or_has_more_behind_it_is_refused() {
        let text = r#"{"a": [1, {"b": "\"ü"}], "c": true}"#;
        assert_eq!(fields(text).unwrap().len(), 2);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(fields(&text[..end]).is_err(), "{end}");
            assert!(elements(&format!("[{}", &text[..end])).is_err(), "{end}");
        }
        for wrong in ["{} {}", "{,}", "{\"a\":1,}", "{1:2}", "{\"a\" 1}", "{\"a\":}", "[1]"] {
            assert!(fields(wrong).is_err(), "{wrong}");
        }
        for wrong in ["[1] 2", "[,]", "[1,]", "[1 2]", "]", ",", "1,2", "\"a"] {
            assert!(elements(wrong).is_err(), "{wrong}");
        }
    }
}
