//! Values as text for people: close to JSON, and never parsed back.
//!
//! `Display` writes one line: strings quoted and escaped as in JSON, binary as
//! `h'0aff'`, timestamps as `t'2024-05-06T07:08:09Z'`, ObjectIds as
//! `oid'65a1b2c3d4e5f60718293a4b'`, UUIDs as `uuid'123e4567-e89b-12d3-a456-426614174000'`, other extensions as
//! `ext(5, h'00')`. `Debug` writes the same leaves, and with `{:#?}` one field a line.

use std::fmt::{self, Write};

use super::{ObjectId, Timestamp, Uuid, Value};
use crate::document::Document;

/// A leaf that knows how to print itself, shared by owned and borrowed values.
pub(crate) enum Text<'a> {
    Null,
    Float(f64),
    String(&'a str),
    Binary(&'a [u8]),
    ObjectId(ObjectId),
    Uuid(Uuid),
    Timestamp(Timestamp),
    Ext(i8, &'a [u8]),
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Null => f.write_str("null"),
            // Debug keeps the ".0" that tells a float from an integer.
            Self::Float(number) => write!(f, "{number:?}"),
            Self::String(text) => quoted(f, text),
            Self::Binary(bytes) => hex(f, bytes),
            Self::ObjectId(id) => write!(f, "oid'{id}'"),
            Self::Uuid(id) => write!(f, "uuid'{id}'"),
            Self::Timestamp(timestamp) => write!(f, "t'{timestamp}'"),
            Self::Ext(tag, data) => {
                write!(f, "ext({tag}, ")?;
                hex(f, data)?;
                f.write_char(')')
            }
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("h'")?;
    for byte in bytes {
        write!(f, "{byte:02x}")?;
    }
    f.write_char('\'')
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            control if u32::from(control) < 0x20 => write!(f, "\\u{:04x}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

impl Value {
    fn leaf(&self) -> Option<Text<'_>> {
        Some(match self {
            Self::Null => Text::Null,
            Self::Float(number) => Text::Float(*number),
            Self::String(text) => Text::String(text),
            Self::Binary(bytes) => Text::Binary(bytes),
            Self::ObjectId(id) => Text::ObjectId(*id),
            Self::Uuid(id) => Text::Uuid(*id),
            Self::Timestamp(timestamp) => Text::Timestamp(*timestamp),
            Self::Ext(tag, data) => Text::Ext(*tag, data),
            _ => return None,
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::UInt(number) => write!(f, "{number}"),
            Self::Array(elements) => {
                f.write_char('[')?;
                for (index, element) in elements.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{element}")?;
                }
                f.write_char(']')
            }
            Self::Document(document) => fmt::Display::fmt(document, f),
            leaf => leaf.leaf().map_or(Ok(()), |text| fmt::Display::fmt(&text, f)),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::UInt(number) => write!(f, "{number}"),
            Self::Array(elements) => f.debug_list().entries(elements).finish(),
            Self::Document(document) => fmt::Debug::fmt(document, f),
            leaf => leaf.leaf().map_or(Ok(()), |text| fmt::Display::fmt(&text, f)),
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        for (index, (name, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}: {value}", Text::String(name))?;
        }
        f.write_char('}')
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self {
            map.entry(&Text::String(name), value);
        }
        map.finish()
    }
}
