//! Regular expressions, which only filters and updates may hold.

use nanodb_msgpack::{write_map_len, write_string};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::foreign::cant;
use super::{Result, Syntax, Walk};
use crate::refusal::Refusal;

impl<'py> Walk<'_, 'py> {
    /// A compiled regular expression.
    pub(super) fn pattern(&mut self, value: &Bound<'py, PyAny>) -> Result {
        if self.syntax == Syntax::Document {
            return Err(cant("a pattern", value, "store its `.pattern`"));
        }
        let (pattern, options) = self.pattern_parts(value)?;
        write_map_len(self.out, 1);
        self.write_literal("$regularExpression");
        write_map_len(self.out, 2);
        self.write_literal("pattern");
        self.text(&pattern)?;
        self.write_literal("options");
        self.write_literal(&options);
        Ok(())
    }

    /// The same as the operand of `$regex`, with the options within it.
    pub(super) fn pattern_as_text(&mut self, value: &Bound<'py, PyAny>) -> Result {
        let (pattern, options) = self.pattern_parts(value)?;
        let options = options.replace('u', "");
        let text = match options.is_empty() {
            true => pattern.to_cow()?.into_owned(),
            false => format!("(?{options}){}", pattern.to_cow()?),
        };
        self.write_literal(&text);
        Ok(())
    }

    pub(super) fn is_pattern(&self, value: &Bound<'py, PyAny>) -> bool {
        self.syntax == Syntax::Query && value.is_exact_instance(self.known.pattern.bind(self.py))
    }

    fn pattern_parts(&self, value: &Bound<'py, PyAny>) -> Result<(Bound<'py, PyString>, String)> {
        let pattern = value.getattr(intern!(self.py, "pattern"))?;
        let Ok(pattern) = pattern.cast_into::<PyString>() else {
            return Err(Refusal::new("a pattern must be made of a str, not of bytes"));
        };
        let flags: u32 = value.getattr(intern!(self.py, "flags"))?.extract()?;
        // `re.I`, `re.M`, `re.S`, `re.U`, `re.X`.
        let letters = [(2, 'i'), (8, 'm'), (16, 's'), (32, 'u'), (64, 'x')];
        let options = letters.iter().filter(|(flag, _)| flags & flag != 0);
        Ok((pattern, options.map(|(_, letter)| *letter).collect()))
    }

    fn write_literal(&mut self, text: &str) {
        // It is short, or was a `str` that has been measured.
        let _fits = write_string(self.out, text);
    }
}
