//! From a text to MessagePack bytes, in one pass.
//!
//! An array or object is written before the number of its children is known: its header takes one
//! byte at first, and is replaced by a longer one if needed. An object whose first name begins with
//! a dollar is written like any other; then the value that it stands for is written in its place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::Range;

use super::error::{JsonError, JsonProblem, Position};
use super::forms::{self, Form};
use super::lex::{Digits, Lexer};
use super::options::ReadOptions;
use crate::marker::{FIX_ARRAY, FIX_MAP};
use crate::{
    DEPTH_MAX, RawValue, write_array_len, write_bool, write_float, write_int, write_map_len,
    write_null, write_string, write_uint,
};

/// The most brackets that may be open at once: each level may stand in a `$literal`, and the last
/// one may hold a form of two.
const NESTING_MAX: usize = 2 * DEPTH_MAX + 2;

/// A text, and the bytes that mean the same.
#[derive(Debug)]
pub struct Text<'a> {
    text: &'a [u8],
    bytes: Vec<u8>,
    /// The places of names and values, in order: the offset in the bytes, and in the text.
    places: Vec<(usize, usize)>,
    /// The documents that stood within `$literal`: their offsets in the bytes.
    literals: Vec<usize>,
}

impl<'a> Text<'a> {
    /// Reads a text that is exactly one JSON value.
    ///
    /// # Errors
    ///
    /// Any [`JsonProblem`], with its place.
    pub fn parse(text: &'a [u8], options: &ReadOptions) -> Result<Self, JsonError> {
        let mut reader = Reader::new(text, *options, true);
        reader.whole()?;
        let Reader { out, places, literals, .. } = reader;
        Ok(Self { text, bytes: out, places, literals })
    }

    /// Returns the value of the text.
    #[must_use]
    pub fn value(&self) -> RawValue<'_> {
        RawValue::new(&self.bytes)
    }

    /// Returns whether the value at the start of `tail`, which holds all bytes from there on, stood
    /// within `$literal`.
    #[must_use]
    pub fn is_literal(&self, tail: &[u8]) -> bool {
        self.literals.binary_search(&self.bytes.len().saturating_sub(tail.len())).is_ok()
    }

    /// Returns the place in the text of a name or value of [`value`](Self::value); `tail` holds all
    /// bytes from there on.
    #[must_use]
    pub fn position_of(&self, tail: &[u8]) -> Position {
        let offset = self.bytes.len().saturating_sub(tail.len());
        let found = self.places.binary_search_by_key(&offset, |&(bytes, _)| bytes);
        let place = found.unwrap_or_else(|next| next.saturating_sub(1));
        let text = self.places.get(place).map_or(0, |&(_, text)| text);
        Position::of(self.text, text)
    }
}

/// Reads a text that is exactly one JSON value, into MessagePack.
///
/// The value itself is never a form, only values within it are.
///
/// ```
/// use nanodb_msgpack::json::{ReadOptions, to_msgpack};
///
/// # fn main() -> Result<(), nanodb_msgpack::json::JsonError> {
/// let bytes = to_msgpack(br#"{"n": {"$numberLong": "5"}}"#, &ReadOptions::new())?;
/// assert_eq!(bytes, b"\x81\xa1n\x05");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Any [`JsonProblem`], with its place.
pub fn to_msgpack(text: &[u8], options: &ReadOptions) -> Result<Vec<u8>, JsonError> {
    let mut reader = Reader::new(text, *options, false);
    reader.whole()?;
    Ok(reader.out)
}

/// Reads a text that is exactly one JSON array, into a MessagePack array. Each element is read as
/// [`to_msgpack`] reads a whole text: the element itself is never a form.
///
/// ```
/// use nanodb_msgpack::json::{ReadOptions, elements_to_msgpack};
///
/// # fn main() -> Result<(), nanodb_msgpack::json::JsonError> {
/// let bytes = elements_to_msgpack(br#"[{"n": 5}, {"n": 6}]"#, &ReadOptions::new())?;
/// assert_eq!(bytes, b"\x92\x81\xa1n\x05\x81\xa1n\x06");
/// assert!(elements_to_msgpack(b"5", &ReadOptions::new()).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Any [`JsonProblem`], with its place.
pub fn elements_to_msgpack(text: &[u8], options: &ReadOptions) -> Result<Vec<u8>, JsonError> {
    let mut reader = Reader::new(text, *options, false);
    match reader.lexer.peek() {
        Some(b'[') => reader.elements(0, ObjectRule::Literally)?,
        Some(_) => return Err(reader.lexer.error("expected a list")),
        None => return Err(reader.lexer.ended("a list")),
    }
    reader.end()?;
    Ok(reader.out)
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    options: ReadOptions,
    out: Vec<u8>,
    with_places: bool,
    places: Vec<(usize, usize)>,
    literals: Vec<usize>,
    values: usize,
    /// The number of open brackets.
    nesting: usize,
    /// The names of all open objects, by their places in `out`.
    names: Vec<Range<usize>>,
    hasher: RandomState,
}

/// How an object is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ObjectRule {
    /// As itself, whatever it looks like.
    Literally,
    /// As a form, if it looks like one.
    AsForm,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], options: ReadOptions, with_places: bool) -> Self {
        Self {
            lexer: Lexer::new(text),
            options,
            // The bytes are rarely longer than the text.
            out: Vec::with_capacity(text.len()),
            with_places,
            places: Vec::new(),
            literals: Vec::new(),
            values: 0,
            nesting: 0,
            names: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    fn whole(&mut self) -> Result<(), JsonError> {
        self.value(0, ObjectRule::Literally)?;
        self.end()
    }

    /// Makes sure that nothing follows.
    fn end(&mut self) -> Result<(), JsonError> {
        match self.lexer.peek() {
            None => Ok(()),
            Some(_) => Err(self.lexer.error("trailing characters")),
        }
    }

    /// Reads a value within `depth` containers.
    fn value(&mut self, depth: usize, rule: ObjectRule) -> Result<(), JsonError> {
        let Some(first) = self.lexer.peek() else { return Err(self.lexer.ended("a value")) };
        let offset = self.lexer.offset();
        if self.values == self.options.values_max {
            let values_max = self.options.values_max;
            return Err(self.lexer.error_at(JsonProblem::TooManyValues { values_max }, offset));
        }
        self.values += 1;
        self.note_place(offset);
        match first {
            b'"' => {
                let text = self.text()?;
                if !write_string(&mut self.out, &text) {
                    return Err(self.too_large(offset));
                }
            }
            b'-' | b'0'..=b'9' => match self.lexer.number()? {
                Digits::Int(number) => write_int(&mut self.out, number),
                Digits::UInt(number) => write_uint(&mut self.out, number),
                Digits::Float(number) => write_float(&mut self.out, number),
            },
            b'{' => self.object(depth, rule, offset)?,
            b'[' => self.array(depth)?,
            b'n' => {
                self.lexer.word("null")?;
                write_null(&mut self.out);
            }
            b't' => {
                self.lexer.word("true")?;
                write_bool(&mut self.out, true);
            }
            b'f' => {
                self.lexer.word("false")?;
                write_bool(&mut self.out, false);
            }
            _ => return Err(self.lexer.no_value()),
        }
        Ok(())
    }

    fn text(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.lexer.string(self.options.replace_surrogates)
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        let depth = self.deeper(depth, self.lexer.offset())?;
        self.nest(self.lexer.offset())?;
        self.elements(depth, ObjectRule::AsForm)?;
        self.nesting -= 1;
        Ok(())
    }

    /// Reads an array whose elements are within `depth` containers.
    fn elements(&mut self, depth: usize, rule: ObjectRule) -> Result<(), JsonError> {
        let start = self.open(FIX_ARRAY);
        let mut count = 0;
        loop {
            match self.lexer.peek() {
                Some(b']') if count == 0 => break,
                Some(_) => {}
                None => return Err(self.lexer.ended("a list")),
            }
            self.value(depth, rule)?;
            count += 1;
            match self.lexer.peek() {
                Some(b',') => self.lexer.bump(),
                Some(b']') => break,
                Some(_) => return Err(self.lexer.error("expected `,` or `]`")),
                None => return Err(self.lexer.ended("a list")),
            }
            if self.lexer.peek() == Some(b']') {
                return Err(self.lexer.error("trailing comma"));
            }
        }
        self.lexer.bump();
        self.close(start, count, write_array_len)
    }

    fn object(&mut self, depth: usize, rule: ObjectRule, offset: usize) -> Result<(), JsonError> {
        self.nest(offset)?;
        let (start, places, names) = (self.open(FIX_MAP), self.places.len(), self.names.len());
        let mut hashes = None;
        let (mut count, mut is_form) = (0, false);
        // Within a form only the document of a `$literal` is a level.
        let mut within = depth + 1;
        loop {
            match self.lexer.peek() {
                Some(b'}') if count == 0 => break,
                Some(b'"') => {}
                Some(_) => return Err(self.lexer.error("key must be a string")),
                None => return Err(self.lexer.ended("an object")),
            }
            let name_offset = self.lexer.offset();
            let name = self.text()?;
            self.add_name(&name, names, &mut hashes, name_offset)?;
            if count == 0 && rule == ObjectRule::AsForm {
                is_form = self.is_form(&name, offset)?;
            }
            let is_literal = is_form && count == 0 && name == forms::LITERAL;
            if count == 0 {
                within = match (is_form, is_literal) {
                    (true, true) => depth,
                    (true, false) => 0,
                    _ => self.deeper(depth, offset)?,
                };
            }
            match self.lexer.peek() {
                Some(b':') => self.lexer.bump(),
                Some(_) => return Err(self.lexer.error("expected `:`")),
                None => return Err(self.lexer.ended("an object")),
            }
            self.value(
                within,
                if is_literal { ObjectRule::Literally } else { ObjectRule::AsForm },
            )?;
            count += 1;
            match self.lexer.peek() {
                Some(b',') => self.lexer.bump(),
                Some(b'}') => break,
                Some(_) => return Err(self.lexer.error("expected `,` or `}`")),
                None => return Err(self.lexer.ended("an object")),
            }
            if self.lexer.peek() == Some(b'}') {
                return Err(self.lexer.error("trailing comma"));
            }
        }
        if count == 0 {
            self.deeper(depth, offset)?;
        }
        self.lexer.bump();
        self.nesting -= 1;
        self.names.truncate(names);
        self.close(start, count, write_map_len)?;
        if is_form { self.interpret(start, places, offset) } else { Ok(()) }
    }

    /// Returns whether the object with this first name is a form.
    fn is_form(&self, first_name: &str, offset: usize) -> Result<bool, JsonError> {
        if !first_name.starts_with('$') {
            return Ok(false);
        }
        if self.options.operators {
            return Ok(forms::is_form_in_query(first_name));
        }
        if forms::is_form(first_name) {
            return Ok(true);
        }
        // A reference to another document is a document to MongoDB, too.
        if first_name == forms::REFERENCE {
            return Ok(false);
        }
        let problem = JsonProblem::UnknownForm { name: first_name.to_owned() };
        Err(self.lexer.error_at(problem, offset))
    }

    /// Replaces the form at `start` by the value that it stands for.
    fn interpret(&mut self, start: usize, places: usize, offset: usize) -> Result<(), JsonError> {
        let written = self.out.get(start..).unwrap_or_default();
        let form = forms::interpret(RawValue::new(written), &self.options)
            .map_err(|problem| self.lexer.error_at(problem, offset))?;
        match form {
            Form::Literal { skipped } => {
                // The document within moves to the place of the form, and its places with it.
                self.out.drain(start..start + skipped);
                self.places.drain(places..(places + 2).min(self.places.len()));
                for (place, _) in self.places.iter_mut().skip(places) {
                    *place -= skipped;
                }
                for literal in self.literals.iter_mut().rev() {
                    if *literal <= start {
                        break;
                    }
                    *literal -= skipped;
                }
                if self.with_places {
                    let at = self.literals.partition_point(|&literal| literal < start);
                    self.literals.insert(at, start);
                }
            }
            value => {
                self.out.truncate(start);
                self.places.truncate(places);
                while self.literals.last().is_some_and(|&literal| literal >= start) {
                    self.literals.pop();
                }
                if !value.write(&mut self.out) {
                    return Err(self.too_large(offset));
                }
            }
        }
        Ok(())
    }

    /// Writes a name, unless the object has it already.
    fn add_name(
        &mut self,
        name: &str,
        first: usize,
        hashes: &mut Option<HashSet<u64>>,
        offset: usize,
    ) -> Result<(), JsonError> {
        /// The most names that are compared one by one; above it they are hashed first.
        const LINEAR_MAX: usize = 16;
        let before = self.names.get(first..).unwrap_or_default();
        let is_same = |range: &Range<usize>| self.out.get(range.clone()) == Some(name.as_bytes());
        let twice = if before.len() < LINEAR_MAX {
            before.iter().any(is_same)
        } else {
            let hash = |range: &Range<usize>| {
                self.hasher.hash_one(self.out.get(range.clone()).unwrap_or_default())
            };
            let hashes = hashes.get_or_insert_with(|| before.iter().map(hash).collect());
            !hashes.insert(self.hasher.hash_one(name.as_bytes())) && before.iter().any(is_same)
        };
        if twice {
            let problem = JsonProblem::DuplicateField { name: name.to_owned() };
            return Err(self.lexer.error_at(problem, offset));
        }
        self.note_place(offset);
        if !write_string(&mut self.out, name) {
            return Err(self.too_large(offset));
        }
        self.names.push(self.out.len() - name.len()..self.out.len());
        Ok(())
    }

    fn note_place(&mut self, offset: usize) {
        if self.with_places {
            self.places.push((self.out.len(), offset));
        }
    }

    /// Begins a container, whose first byte has been read, with the header of an empty one.
    fn open(&mut self, header: u8) -> usize {
        self.lexer.bump();
        self.out.push(header);
        self.out.len() - 1
    }

    /// Writes the header of the container at `start`, now that its length is known.
    fn close(
        &mut self,
        start: usize,
        count: usize,
        write_len: fn(&mut Vec<u8>, u32),
    ) -> Result<(), JsonError> {
        let Ok(count) = u32::try_from(count) else { return Err(self.too_large(0)) };
        if let (Ok(count @ 0..=15), Some(header)) = (u8::try_from(count), self.out.get_mut(start)) {
            *header |= count;
            return Ok(());
        }
        let mut header = Vec::with_capacity(5);
        write_len(&mut header, count);
        let longer = header.len() - 1;
        self.out.splice(start..=start, header);
        if longer > 0 {
            for (place, _) in self.places.iter_mut().rev().take_while(|(place, _)| *place > start) {
                *place += longer;
            }
            for literal in self.literals.iter_mut().rev().take_while(|literal| **literal > start) {
                *literal += longer;
            }
        }
        Ok(())
    }

    /// Returns the next depth, unless it exceeds the limit.
    fn deeper(&self, depth: usize, offset: usize) -> Result<usize, JsonError> {
        if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(self.too_deep(offset)) }
    }

    /// Counts one more open bracket, unless that exceeds the limit.
    fn nest(&mut self, offset: usize) -> Result<(), JsonError> {
        if self.nesting == NESTING_MAX {
            return Err(self.too_deep(offset));
        }
        self.nesting += 1;
        Ok(())
    }

    fn too_deep(&self, offset: usize) -> JsonError {
        self.lexer.error_at(JsonProblem::TooDeep { depth_max: DEPTH_MAX }, offset)
    }

    fn too_large(&self, offset: usize) -> JsonError {
        let message = "a value of more than 4 GiB".to_owned();
        self.lexer.error_at(JsonProblem::Syntax { message }, offset)
    }
}
