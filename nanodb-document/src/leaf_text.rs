//! Printing values other than containers, owned or borrowed, for people; see `value/display.rs`.

use std::fmt::{self, Write};

use nanodb_msgpack::json::print_string;

use crate::{ObjectId, Timestamp, Uuid};

/// A value other than a container, ready to be printed.
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
            // `{:?}` keeps the ".0" that distinguishes a float from an integer.
            Self::Float(number) => write!(f, "{number:?}"),
            Self::String(text) => print_string(text, f),
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
