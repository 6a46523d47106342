//! Values as text for people: similar to JSON, and never parsed back.
//!
//! `Display` writes one line; `Debug` writes the same leaves, and with `{:#?}` one field a line.
//! Strings are quoted and escaped as in JSON. Other leaves that JSON lacks look like this:
//!
//! ```text
//! binary      h'0aff'
//! timestamp   t'2024-05-06T07:08:09Z'
//! ObjectId    oid'65a1b2c3d4e5f60718293a4b'
//! UUID        uuid'123e4567-e89b-12d3-a456-426614174000'
//! extension   ext(5, h'00')
//! ```

use std::fmt::{self, Write};

use super::Value;
use crate::document::Document;
use crate::leaf_text::Text;

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
