//! Stored documents as JSON in bytes, for all output.

use std::io;

use nanodb::json::{Layout, WriteOptions};
use nanodb::{DocView, ValueRef};

/// Appends a document to `out` as JSON on one line, without a newline.
pub(crate) fn print_document(document: &DocView, out: &mut Vec<u8>) -> io::Result<()> {
    write(document, &WriteOptions::new(), out)
}

/// Appends a document to `out` as JSON on many lines, indented.
pub(crate) fn print_pretty(document: &DocView, out: &mut Vec<u8>) -> io::Result<()> {
    write(document, &WriteOptions::new().layout(Layout::Lines), out)
}

/// Appends a value to `out` as JSON on one line.
pub(crate) fn print_value(value: ValueRef<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(value.to_json().map_err(io::Error::other)?.as_bytes());
    Ok(())
}

fn write(document: &DocView, options: &WriteOptions, out: &mut Vec<u8>) -> io::Result<()> {
    let mut text = String::new();
    document.write_json(options, &mut text).map_err(io::Error::other)?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}
