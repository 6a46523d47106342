//! Values as JSON text.

use std::error::Error;
use std::fmt::{self, Write};

use super::forms;
use super::leaf::write_leaf;
use super::options::{Format, Layout, WriteOptions};
use crate::{Elements, Fields, Malformed, RawValue, Token, deeper};

/// The reason why a value is not written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The value is not well-formed, or the destination failed.
    Malformed,
    /// MongoDB's formats have no form for a value.
    Unheld {
        /// The path of the value: names and indexes, joined by dots.
        path: String,
        /// The kind of value.
        what: &'static str,
        /// What can be done about it.
        way_out: &'static str,
    },
}

impl WriteError {
    pub(super) fn unheld(what: &'static str, way_out: &'static str) -> Self {
        Self::Unheld { path: String::new(), what, way_out }
    }

    /// Adds a field or element to the front of the path.
    #[cold]
    fn at(mut self, name: &str) -> Self {
        if let Self::Unheld { path, .. } = &mut self {
            if !path.is_empty() {
                path.insert(0, '.');
            }
            path.insert_str(0, name);
        }
        self
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => fmt::Display::fmt(&Malformed, f),
            Self::Unheld { path, what, way_out } => {
                write!(f, "{what} at `{path}` has no form in MongoDB's Extended JSON{way_out}")
            }
        }
    }
}

impl Error for WriteError {}

impl From<Malformed> for WriteError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<fmt::Error> for WriteError {
    fn from(_: fmt::Error) -> Self {
        Self::Malformed
    }
}

/// Appends a value as JSON.
///
/// ```
/// use nanodb_msgpack::RawValue;
/// use nanodb_msgpack::json::{Format, WriteOptions, write_value};
///
/// # fn main() -> Result<(), nanodb_msgpack::json::WriteError> {
/// let value = RawValue::new(b"\x81\xa1n\x05");
/// let mut out = String::new();
/// write_value(value, &WriteOptions::new().format(Format::Canonical), &mut out)?;
/// assert_eq!(out, r#"{"n":{"$numberInt":"5"}}"#);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Any [`WriteError`]; `out` then ends in a part of the value.
pub fn write_value(
    value: RawValue<'_>,
    options: &WriteOptions,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    Printer { options, out }.value(value, 0)
}

/// Appends a document that stands for itself: unlike one within, it is never taken for a form.
///
/// # Errors
///
/// Same as [`write_value`], and an error if `document` is not a document.
pub fn write_document(
    document: RawValue<'_>,
    options: &WriteOptions,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    let fields = document.fields().ok_or(WriteError::Malformed)?;
    Printer { options, out }.fields(fields, 0)
}

/// Prints a value as JSON on one line.
///
/// # Errors
///
/// Those of [`Write`], and [`fmt::Error`] if `value` is malformed.
pub fn print_value(value: RawValue<'_>, out: &mut dyn Write) -> fmt::Result {
    let options = WriteOptions::new().layout(Layout::Spaced);
    write_value(value, &options, out).map_err(|_| fmt::Error)
}

/// Prints a string with its quotation marks.
///
/// # Errors
///
/// Those of [`Write`].
pub fn print_string(text: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or_default();
        out.write_str(plain)?;
        let mut characters = special.chars();
        match characters.next() {
            Some('"') => out.write_str("\\\"")?,
            Some('\\') => out.write_str("\\\\")?,
            Some('\u{8}') => out.write_str("\\b")?,
            Some('\u{c}') => out.write_str("\\f")?,
            Some('\n') => out.write_str("\\n")?,
            Some('\r') => out.write_str("\\r")?,
            Some('\t') => out.write_str("\\t")?,
            Some(control) => write!(out, "\\u{:04x}", u32::from(control))?,
            None => break,
        }
        rest = characters.as_str();
    }
    out.write_str(rest)?;
    out.write_char('"')
}

struct Printer<'a> {
    options: &'a WriteOptions,
    out: &'a mut dyn Write,
}

impl Printer<'_> {
    /// Writes a value within `depth` containers.
    fn value(&mut self, value: RawValue<'_>, depth: usize) -> Result<(), WriteError> {
        match value.token()? {
            Token::Array(_) => match value.elements() {
                Some(elements) => self.elements(elements, depth),
                None => Err(WriteError::Malformed),
            },
            Token::Map(_) => match value.fields() {
                Some(fields) => self.nested(fields, depth),
                None => Err(WriteError::Malformed),
            },
            scalar => write_leaf(scalar, self.options, self.out),
        }
    }

    fn elements(&mut self, elements: Elements<'_>, depth: usize) -> Result<(), WriteError> {
        let within = deeper(depth)?;
        self.out.write_char('[')?;
        let is_empty = elements.is_empty();
        for (index, element) in elements.enumerate() {
            self.separate(index, within)?;
            self.value(element?, within).map_err(|error| error.at(&index.to_string()))?;
        }
        self.end(is_empty, depth)?;
        Ok(self.out.write_char(']')?)
    }

    /// Writes a document within another value, where it might be taken for a form.
    fn nested(&mut self, fields: Fields<'_>, depth: usize) -> Result<(), WriteError> {
        let first = fields.clone().next().transpose()?;
        if self.options.format != Format::Full {
            return self.fields(fields, depth);
        }
        match first {
            Some((name, _))
                if name.first() == Some(&b'$') && name != forms::REFERENCE.as_bytes() =>
            {
                let colon = if self.options.layout == Layout::Compact { ":" } else { ": " };
                write!(self.out, "{{\"{}\"{colon}", forms::LITERAL)?;
                self.fields(fields, depth)?;
                Ok(self.out.write_char('}')?)
            }
            _ => self.fields(fields, depth),
        }
    }

    fn fields(&mut self, fields: Fields<'_>, depth: usize) -> Result<(), WriteError> {
        let within = deeper(depth)?;
        self.out.write_char('{')?;
        let is_empty = fields.is_empty();
        for (index, field) in fields.enumerate() {
            let (name, value) = field?;
            let name = str::from_utf8(name).map_err(|_| WriteError::Malformed)?;
            if depth > 0 && self.options.format != Format::Full && forms::is_mongodb_form(name) {
                let what = "a document with a name that says a type";
                return Err(WriteError::unheld(what, "; rename the field").at(name));
            }
            self.separate(index, within)?;
            print_string(name, self.out)?;
            let is_compact = self.options.layout == Layout::Compact;
            self.out.write_str(if is_compact { ":" } else { ": " })?;
            self.value(value, within).map_err(|error| error.at(name))?;
        }
        self.end(is_empty, depth)?;
        Ok(self.out.write_char('}')?)
    }

    /// Writes what comes before the child with that index.
    fn separate(&mut self, index: usize, depth: usize) -> fmt::Result {
        if index > 0 {
            self.out.write_char(',')?;
        }
        match self.options.layout {
            Layout::Lines => self.new_line(depth),
            Layout::Spaced if index > 0 => self.out.write_char(' '),
            _ => Ok(()),
        }
    }

    /// Writes what comes before the closing bracket.
    fn end(&mut self, is_empty: bool, depth: usize) -> fmt::Result {
        if self.options.layout == Layout::Lines && !is_empty {
            return self.new_line(depth);
        }
        Ok(())
    }

    fn new_line(&mut self, depth: usize) -> fmt::Result {
        self.out.write_char('\n')?;
        (0..depth).try_for_each(|_| self.out.write_str("  "))
    }
}
