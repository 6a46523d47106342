//! From stored bytes to owned values.

use std::str;

use crate::encode::rules::check_depth;
use crate::{Document, DocumentError, Value};
use nanodb_msgpack::{Cursor, Token};

/// The most children that space is reserved for before they are seen: a length may be wrong.
const CAPACITY_MAX: u32 = 64;

/// Decodes `bytes`, which must be exactly one map.
pub(crate) fn decode_document(bytes: &[u8]) -> Result<Document, DocumentError> {
    let value = decode_value(bytes)?;
    match value {
        Value::Document(document) => Ok(document),
        other => Err(DocumentError::NotADocument { found: other.value_type() }),
    }
}

/// Decodes `bytes`, which must be exactly one value.
pub(crate) fn decode_value(bytes: &[u8]) -> Result<Value, DocumentError> {
    let mut decoder = Decoder { size: bytes.len(), cursor: Cursor::new(bytes) };
    let value = decoder.value(0)?;
    match decoder.cursor.rest().len() {
        0 => Ok(value),
        size => Err(DocumentError::TrailingBytes { size }),
    }
}

struct Decoder<'a> {
    size: usize,
    cursor: Cursor<'a>,
}

impl Decoder<'_> {
    /// Decodes a value that lies in a container at this depth.
    fn value(&mut self, depth: usize) -> Result<Value, DocumentError> {
        let offset = self.size - self.cursor.rest().len();
        let token = self.cursor.read().ok_or(DocumentError::Malformed { offset })?;
        Ok(match token {
            Token::Null => Value::Null,
            Token::Bool(value) => Value::Bool(value),
            Token::Int(number) => Value::Int(number),
            Token::UInt(number) => Value::UInt(number),
            Token::Float(number) => Value::Float(number),
            Token::String(bytes) => Value::String(utf8(bytes)?.to_owned()),
            Token::Binary(bytes) => Value::Binary(bytes.to_vec()),
            Token::Array(len) => Value::Array(self.array(len, depth + 1)?),
            Token::Map(len) => Value::Document(self.map(len, depth + 1)?),
            Token::Ext(tag, data) => Value::from_ext(tag, data),
        })
    }

    fn array(&mut self, len: u32, depth: usize) -> Result<Vec<Value>, DocumentError> {
        check_depth(depth)?;
        let mut elements = Vec::with_capacity(capacity(len));
        for index in 0..len {
            let element = self.value(depth);
            elements.push(element.map_err(|error| error.at_index(index))?);
        }
        Ok(elements)
    }

    fn map(&mut self, len: u32, depth: usize) -> Result<Document, DocumentError> {
        check_depth(depth)?;
        let mut fields = Vec::with_capacity(capacity(len));
        for _ in 0..len {
            let offset = self.size - self.cursor.rest().len();
            let name = self.cursor.read_string_bytes();
            let name = utf8(name.ok_or(DocumentError::Malformed { offset })?)?;
            let value = self.value(depth).map_err(|error| error.at_field(name))?;
            fields.push((name.to_owned(), value));
        }
        Document::from_distinct(fields).map_err(DocumentError::duplicate_field)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, DocumentError> {
    str::from_utf8(bytes).map_err(|_| DocumentError::not_utf8())
}

fn capacity(len: u32) -> usize {
    usize::try_from(len.min(CAPACITY_MAX)).unwrap_or_default()
}
