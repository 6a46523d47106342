//! JSON as a tree whose nodes know where they stand in the text.

use std::cell::Cell;
use std::fmt;
use std::io;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::error::{JsonError, JsonProblem, Position};
use crate::DEPTH_MAX;

/// A value of a text.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it begins, in bytes.
    pub(super) offset: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Field>),
}

#[derive(Debug)]
pub(super) struct Field {
    /// Where the name's quotation mark is.
    pub(super) offset: usize,
    pub(super) name: String,
    pub(super) node: Node,
}

/// Reads a text that is one value of JSON.
pub(super) fn parse(text: &str, values_max: usize) -> Result<Node, JsonError> {
    let state = State {
        text,
        taken: Cell::new(0),
        values_max,
        left: Cell::new(values_max),
        limit: Cell::new(None),
    };
    let mut json = serde_json::Deserializer::from_reader(Counted(&state));
    let seed = NodeSeed { state: &state, peeked: false, depth: 0 };
    let node = seed.deserialize(&mut json).and_then(|node| json.end().map(|()| node));
    node.map_err(|error| match state.limit.take() {
        Some(problem) => JsonError::new(problem, state.here()),
        None => locate(text, &error),
    })
}

fn locate(text: &str, error: &serde_json::Error) -> JsonError {
    let mut message = error.to_string();
    // The place is given once, as ours.
    let place = format!(" at line {} column {}", error.line(), error.column());
    if let Some(bare) = message.strip_suffix(&place) {
        message.truncate(bare.len());
    }
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let offset = lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
    let position = Position { offset, line: error.line(), column: error.column().max(1) };
    JsonError::new(JsonProblem::Syntax { message }, position)
}

/// What all seeds of one parse share.
struct State<'a> {
    text: &'a str,
    /// Bytes that the parser took: reading byte by byte, it knows no place but this.
    taken: Cell<usize>,
    values_max: usize,
    /// How many values may yet come.
    left: Cell<usize>,
    /// Which limit was passed.
    limit: Cell<Option<JsonProblem>>,
}

impl State<'_> {
    fn here(&self) -> Position {
        Position::of(self.text, self.taken.get().saturating_sub(1))
    }

    fn refuse<E: Error>(&self, problem: JsonProblem) -> E {
        self.limit.set(Some(problem));
        E::custom("limit")
    }

    /// Where the value begins that is read next; its first byte is taken already if `peeked`.
    fn start(&self, peeked: bool) -> usize {
        let taken = self.taken.get();
        if peeked {
            return taken.saturating_sub(1);
        }
        let rest = self.text.as_bytes().get(taken..).unwrap_or_default();
        taken + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }
}

/// The text as a reader that counts.
struct Counted<'a>(&'a State<'a>);

impl io::Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.0.taken.get();
        let rest = self.0.text.as_bytes().get(taken..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.0.taken.set(taken + count);
        Ok(count)
    }
}

#[derive(Clone, Copy)]
struct NodeSeed<'a> {
    state: &'a State<'a>,
    /// The parser has looked at the value's first byte: it does so for elements of an array.
    peeked: bool,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let offset = self.state.start(self.peeked);
        let Some(left) = self.state.left.get().checked_sub(1) else {
            return Err(self
                .state
                .refuse(JsonProblem::TooManyValues { values_max: self.state.values_max }));
        };
        self.state.left.set(left);
        let value = deserializer.deserialize_any(self)?;
        Ok(Node { offset, value })
    }
}

impl NodeSeed<'_> {
    fn below<E: Error>(self, peeked: bool) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(self.state.refuse(JsonProblem::TooDeep { depth_max: DEPTH_MAX }));
        }
        Ok(Self { state: self.state, peeked, depth: self.depth + 1 })
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::UInt(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let seed = self.below(true)?;
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(seed)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let seed = self.below(false)?;
        let mut fields = Vec::new();
        while let Some((offset, name)) = map.next_key_seed(NameSeed(self.state))? {
            let node = map.next_value_seed(seed)?;
            fields.push(Field { offset, name, node });
        }
        Ok(Value::Object(fields))
    }
}

/// A name, and where it is.
struct NameSeed<'a>(&'a State<'a>);

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = (usize, String);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let offset = self.0.start(true);
        Ok((offset, serde::de::Deserialize::deserialize(deserializer)?))
    }
}
