//! Values as JSON text.

use std::error::Error;
use std::fmt::{self, Write};
use std::{io, mem};

use super::digits::print_int;
use super::forms;
use super::leaf::write_leaf;
use super::options::{Format, Layout, WriteOptions};
use super::plain::plain_len;
use crate::{Cursor, Malformed, RawValue, Token, deeper, hex};

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
    fn at(mut self, name: &[u8]) -> Self {
        if let Self::Unheld { path, .. } = &mut self {
            if !path.is_empty() {
                path.insert(0, '.');
            }
            path.insert_str(0, &String::from_utf8_lossy(name));
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

impl From<io::Error> for WriteError {
    fn from(_: io::Error) -> Self {
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
/// Any [`WriteError`]; `out` is then as it was before.
pub fn write_value(
    value: RawValue<'_>,
    options: &WriteOptions,
    out: &mut String,
) -> Result<(), WriteError> {
    append(out, |out| Printer { options, out }.value(&mut Cursor::new(value.tail()), 0))
}

/// Appends a document that stands for itself: unlike one within, it is never taken for a form.
///
/// # Errors
///
/// Same as [`write_value`], and an error if `document` is not a document.
pub fn write_document(
    document: RawValue<'_>,
    options: &WriteOptions,
    out: &mut String,
) -> Result<(), WriteError> {
    append(out, |out| Printer { options, out }.document(document))
}

/// Appends a document to bytes, which is cheaper than to a string: what is there already is not
/// looked at. What is appended is UTF-8.
///
/// ```
/// use nanodb_msgpack::RawValue;
/// use nanodb_msgpack::json::{WriteOptions, append_document};
///
/// # fn main() -> Result<(), nanodb_msgpack::json::WriteError> {
/// let mut out = b"[".to_vec();
/// append_document(RawValue::new(b"\x81\xa1n\x05"), &WriteOptions::new(), &mut out)?;
/// assert_eq!(out, br#"[{"n":5}"#);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Same as [`write_document`]; `out` is then as it was before.
pub fn append_document(
    document: RawValue<'_>,
    options: &WriteOptions,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let start = out.len();
    let written = Printer { options, out }.document(document).and_then(|()| {
        // Strings were copied unseen: a whole text is looked at faster than many short ones.
        let is_text = out.get(start..).is_some_and(|appended| str::from_utf8(appended).is_ok());
        if is_text { Ok(()) } else { Err(WriteError::Malformed) }
    });
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// Appends what `write` writes to a string.
fn append(
    out: &mut String,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    if out.is_empty() {
        // Nothing is there to be looked at once more: its memory can be used.
        let mut bytes = mem::take(out).into_bytes();
        write(&mut bytes)?;
        *out = String::from_utf8(bytes).map_err(|_| WriteError::Malformed)?;
        return Ok(());
    }
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    out.push_str(str::from_utf8(&bytes).map_err(|_| WriteError::Malformed)?);
    Ok(())
}

/// Prints a value as JSON on one line.
///
/// # Errors
///
/// Those of [`Write`], and [`fmt::Error`] if `value` is malformed.
pub fn print_value(value: RawValue<'_>, out: &mut dyn Write) -> fmt::Result {
    let options = WriteOptions::new().layout(Layout::Spaced);
    let mut text = String::new();
    write_value(value, &options, &mut text).map_err(|_| fmt::Error)?;
    out.write_str(&text)
}

/// Prints a string with its quotation marks.
///
/// # Errors
///
/// Those of [`Write`].
pub fn print_string(text: &str, out: &mut dyn Write) -> fmt::Result {
    let mut bytes = Vec::with_capacity(text.len() + 2);
    append_string(text.as_bytes(), &mut bytes);
    // What is written for a text is one.
    out.write_str(str::from_utf8(&bytes).map_err(|_| fmt::Error)?)
}

/// Appends a string with its quotation marks. It need not be UTF-8: what is appended is then not.
pub(super) fn append_string(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    while let Some((plain, [special, after @ ..])) = rest.split_at_checked(plain_len(rest)) {
        out.extend_from_slice(plain);
        let short = match special {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x8 => "\\b",
            0xc => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            control => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&hex::digits(*control));
                ""
            }
        };
        out.extend_from_slice(short.as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Prints values from where a cursor is, and leaves it behind them.
struct Printer<'a> {
    options: &'a WriteOptions,
    out: &'a mut Vec<u8>,
}

impl Printer<'_> {
    fn document(&mut self, document: RawValue<'_>) -> Result<(), WriteError> {
        let mut cursor = Cursor::new(document.tail());
        let len = cursor.read_map_len().ok_or(WriteError::Malformed)?;
        self.fields(&mut cursor, len, 0)
    }

    /// Writes a value within `depth` containers.
    fn value(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), WriteError> {
        match cursor.read().ok_or(WriteError::Malformed)? {
            Token::String(text) => append_string(text, self.out),
            Token::Int(number) if self.options.format != Format::Canonical => {
                print_int(self.out, number);
            }
            Token::Array(len) => self.elements(cursor, len, depth)?,
            Token::Map(len) => self.nested(cursor, len, depth)?,
            scalar => write_leaf(scalar, self.options, self.out)?,
        }
        Ok(())
    }

    fn elements(
        &mut self,
        cursor: &mut Cursor<'_>,
        len: u32,
        depth: usize,
    ) -> Result<(), WriteError> {
        let within = deeper(depth)?;
        self.out.push(b'[');
        for index in 0..len {
            self.separate(index, within);
            self.value(cursor, within).map_err(|error| error.at(index.to_string().as_bytes()))?;
        }
        self.end(len, depth);
        self.out.push(b']');
        Ok(())
    }

    /// Writes a document within another value, where it might be taken for a form.
    fn nested(
        &mut self,
        cursor: &mut Cursor<'_>,
        len: u32,
        depth: usize,
    ) -> Result<(), WriteError> {
        if self.options.format != Format::Full {
            return self.fields(cursor, len, depth);
        }
        // Of an empty document it is what follows it, if anything does.
        let mut ahead = *cursor;
        match ahead.read_string_bytes().filter(|_| len > 0) {
            Some(name) if name.first() == Some(&b'$') && name != forms::REFERENCE.as_bytes() => {
                self.out.push(b'{');
                append_string(forms::LITERAL.as_bytes(), self.out);
                self.colon();
                self.fields(cursor, len, depth)?;
                self.out.push(b'}');
                Ok(())
            }
            _ => self.fields(cursor, len, depth),
        }
    }

    fn fields(
        &mut self,
        cursor: &mut Cursor<'_>,
        len: u32,
        depth: usize,
    ) -> Result<(), WriteError> {
        let within = deeper(depth)?;
        self.out.push(b'{');
        for index in 0..len {
            let name = cursor.read_string_bytes().ok_or(WriteError::Malformed)?;
            let is_form = || str::from_utf8(name).is_ok_and(forms::is_mongodb_form);
            if depth > 0 && self.options.format != Format::Full && is_form() {
                let what = "a document with a name that says a type";
                return Err(WriteError::unheld(what, "; rename the field").at(name));
            }
            self.separate(index, within);
            append_string(name, self.out);
            self.colon();
            self.value(cursor, within).map_err(|error| error.at(name))?;
        }
        self.end(len, depth);
        self.out.push(b'}');
        Ok(())
    }

    /// Writes what comes between a name and its value.
    #[inline]
    fn colon(&mut self) {
        let is_compact = self.options.layout == Layout::Compact;
        self.out.extend_from_slice(if is_compact { b":" } else { b": " });
    }

    /// Writes what comes before the child with that index.
    #[inline]
    fn separate(&mut self, index: u32, depth: usize) {
        if index > 0 {
            self.out.push(b',');
        }
        match self.options.layout {
            Layout::Lines => self.new_line(depth),
            Layout::Spaced if index > 0 => self.out.push(b' '),
            _ => {}
        }
    }

    /// Writes what comes before the closing bracket.
    #[inline]
    fn end(&mut self, len: u32, depth: usize) {
        if self.options.layout == Layout::Lines && len > 0 {
            self.new_line(depth);
        }
    }

    fn new_line(&mut self, depth: usize) {
        self.out.push(b'\n');
        for _ in 0..depth {
            self.out.extend_from_slice(b"  ");
        }
    }
}
