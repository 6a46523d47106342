//! From a text to the MessagePack bytes that the parsers read.

use std::collections::HashSet;

use super::error::{JsonError, JsonProblem, Position};
use super::forms::{Form, interpret};
use super::text::{self, Field, Node, Value};
use crate::{DEPTH_MAX, RawValue};
use crate::{
    write_array_len, write_binary, write_bool, write_ext, write_float, write_int, write_map_len,
    write_null, write_string, write_uint,
};

/// A text, and the bytes that mean the same.
#[derive(Debug)]
pub struct Text<'a> {
    text: &'a str,
    bytes: Vec<u8>,
    /// For names and values, in order: where they begin in the bytes, and where in the text.
    places: Vec<(usize, usize)>,
}

impl<'a> Text<'a> {
    /// Reads a text that is one value of JSON, of at most `values_max` values.
    ///
    /// # Errors
    ///
    /// Any [`JsonProblem`], with its place.
    pub fn parse(text: &'a str, values_max: usize) -> Result<Self, JsonError> {
        let node = text::parse(text, values_max)?;
        let mut read = Self { text, bytes: Vec::new(), places: Vec::new() };
        match &node.value {
            // The whole text is never a form.
            Value::Object(fields) => {
                read.places.push((0, node.offset));
                read.write_object(fields)?;
            }
            _ => read.write(&node)?,
        }
        Ok(read)
    }

    /// What the text says.
    #[must_use]
    pub fn value(&self) -> RawValue<'_> {
        RawValue::new(&self.bytes)
    }

    /// Where in the text that is which `tail` begins with: a name or value of
    /// [`value`](Self::value), and all after it.
    #[must_use]
    pub fn position_of(&self, tail: &[u8]) -> Position {
        let offset = self.bytes.len().saturating_sub(tail.len());
        let found = self.places.binary_search_by_key(&offset, |&(bytes, _)| bytes);
        let place = found.unwrap_or_else(|next| next.saturating_sub(1));
        let text = self.places.get(place).map_or(0, |&(_, text)| text);
        Position::of(self.text, text)
    }

    fn write(&mut self, node: &Node) -> Result<(), JsonError> {
        self.places.push((self.bytes.len(), node.offset));
        let out = &mut self.bytes;
        // A text of gigabytes has more values than are allowed, or one too large for anything.
        let fits = match &node.value {
            Value::Null => {
                write_null(out);
                true
            }
            Value::Bool(value) => {
                write_bool(out, *value);
                true
            }
            Value::Int(number) => {
                write_int(out, *number);
                true
            }
            Value::UInt(number) => {
                write_uint(out, *number);
                true
            }
            Value::Float(number) => {
                write_float(out, *number);
                true
            }
            Value::String(text) => write_string(out, text),
            Value::Array(elements) => {
                write_array_len(out, len32(elements.len()));
                for element in elements {
                    self.write(element)?;
                }
                true
            }
            Value::Object(fields) => match interpret(fields) {
                None => {
                    self.write_object(fields)?;
                    true
                }
                Some(Err(problem)) => return Err(self.at(problem, node.offset)),
                Some(Ok(Form::Literal(fields))) => {
                    self.write_object(fields)?;
                    true
                }
                Some(Ok(Form::Binary(bytes))) => write_binary(out, &bytes),
                Some(Ok(Form::Timestamp(time))) => time.with_ext(|data| write_ext(out, -1, data)),
                Some(Ok(Form::Ext(tag, data))) => write_ext(out, tag, &data),
                Some(Ok(Form::Float(number))) => {
                    write_float(out, number);
                    true
                }
            },
        };
        if fits { Ok(()) } else { Err(self.at(too_deep(), node.offset)) }
    }

    fn write_object(&mut self, fields: &[Field]) -> Result<(), JsonError> {
        write_map_len(&mut self.bytes, len32(fields.len()));
        let mut names = HashSet::new();
        for field in fields {
            if !names.insert(field.name.as_str()) {
                let problem = JsonProblem::DuplicateField { name: field.name.clone() };
                return Err(self.at(problem, field.offset));
            }
            self.places.push((self.bytes.len(), field.offset));
            if !write_string(&mut self.bytes, &field.name) {
                return Err(self.at(too_deep(), field.offset));
            }
            self.write(&field.node)?;
        }
        Ok(())
    }

    fn at(&self, problem: JsonProblem, offset: usize) -> JsonError {
        JsonError::new(problem, Position::of(self.text, offset))
    }
}

fn too_deep() -> JsonProblem {
    JsonProblem::TooDeep { depth_max: DEPTH_MAX }
}

/// More values than this are too many for a caller to allow.
fn len32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
