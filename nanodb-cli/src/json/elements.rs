//! Splitting a stream into the texts of its documents, in memory for one document.
//!
//! The stream is a JSON array of objects, or objects one after the other with any white space
//! between them, such as JSON Lines. The end of an object is found by counting brackets outside of
//! strings; the content is left to [`parse`](super::parse). So the parser reports a broken object,
//! with the place.

mod scan;
#[cfg(test)]
mod tests;

use std::io::Read;

use nanodb::Document;
use nanodb::json::ReadOptions;

use self::scan::Scanner;
use super::parse::{find_error, parse_document};
use super::{JsonError, Position};

/// The most bytes of JSON for one document. A document has at most 16 MiB, and each of its bytes
/// may take six letters of JSON (`\u0001`).
const ELEMENT_SIZE_MAX: usize = 128 * 1024 * 1024;

/// The least number of bytes to read at once.
const READ_SIZE: usize = 256 * 1024;

/// An object that has grown to this size without an end is checked for errors, and again each time
/// its size has doubled: a bracket that is missing early in a large input is then found early.
const PROBE_SIZE: usize = 1024 * 1024;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// How documents follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    /// In a JSON array.
    Array,
    /// One after the other, each on a line of its own or not.
    Lines,
}

/// Reads the documents of a stream one by one.
#[derive(Debug)]
pub(crate) struct Elements<R> {
    reader: R,
    ended: bool,
    buffer: Vec<u8>,
    /// Everything in `buffer` before this was returned or skipped.
    start: usize,
    /// The place of `start` in the stream.
    position: Position,
    state: State,
    options: ReadOptions,
    /// Where the last element began, in `buffer` and in the stream.
    last: (usize, Position),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing has been read. The layout is this, or what the first byte says.
    Start(Option<Layout>),
    /// After the `[` of an array.
    Open,
    /// After an element of an array.
    AfterElement,
    /// Objects without an array around them.
    Lines,
    /// After the `]`.
    Closed,
}

/// The text of one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) text: &'a [u8],
    /// The place of its first byte.
    pub(crate) at: Position,
    options: ReadOptions,
}

impl Element<'_> {
    /// Reads the document in this text.
    pub(crate) fn parse(&self) -> Result<Document, JsonError> {
        parse_document(self.text, self.at, &self.options)
    }
}

impl<R: Read> Elements<R> {
    /// Returns a reader of `reader`, in larger pieces. The first byte decides a layout of `None`.
    pub(crate) fn new(reader: R, layout: Option<Layout>) -> Self {
        Self {
            reader,
            ended: false,
            buffer: Vec::new(),
            start: 0,
            position: Position::START,
            state: State::Start(layout),
            options: ReadOptions::new(),
            last: (0, Position::START),
        }
    }

    /// Sets the options for reading documents from now on.
    pub(crate) fn reading(self, options: ReadOptions) -> Self {
        Self { options, ..self }
    }

    /// Returns the text of the next document, or `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Element<'_>>, JsonError> {
        if !self.find_element()? {
            return Ok(None);
        }
        let size = self.scan_element()?;
        let (at, start) = (self.position, self.start);
        self.last = (start, at);
        self.skip(size);
        let text = self.buffer.get(start..start + size).unwrap_or_default();
        Ok(Some(Element { text, at, options: self.options }))
    }

    /// Returns whether the begin of the next document is known if one is broken, which it is not
    /// within an array.
    pub(crate) fn are_lines(&self) -> bool {
        self.state == State::Lines
    }

    /// Cuts the last element, which is not a document, if another one begins within it: on a later
    /// line, with a bracket in the column of its own first one. Returns the text of the broken one.
    pub(crate) fn shorten_last(&mut self) -> Vec<u8> {
        let (start, at) = self.last;
        let text = self.buffer.get(start..self.start).unwrap_or_default();
        let len = if self.state == State::Lines { broken_len(text, at.column) } else { text.len() };
        let broken = text.get(..len).unwrap_or_default().to_vec();
        (self.start, self.position) = (start + len, at.after(&broken));
        broken
    }

    /// Skips the rest of this line, and returns it.
    pub(crate) fn skip_line(&mut self) -> Result<Vec<u8>, JsonError> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            let end = rest.iter().position(|&byte| byte == b'\n');
            if end.is_none() && rest.len() <= ELEMENT_SIZE_MAX && self.fill()? {
                continue;
            }
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().to_vec();
            self.skip(line.len());
            return Ok(line);
        }
    }

    /// Moves to the first byte of the next element; false if there is none.
    fn find_element(&mut self) -> Result<bool, JsonError> {
        if let State::Start(layout) = self.state {
            self.skip_bom()?;
            self.state = match (self.peek()?, layout) {
                (Some(b'['), None | Some(Layout::Array)) => {
                    self.skip(1);
                    State::Open
                }
                (Some(_), Some(Layout::Array)) => return Err(self.unexpected("`[`")),
                _ => State::Lines,
            };
        }
        match (self.state, self.peek()?) {
            (State::Lines | State::Closed, None) => Ok(false),
            (State::Closed, Some(_)) => Err(self.unexpected("nothing after the array's end")),
            (State::Open | State::AfterElement, Some(b']')) => {
                self.skip(1);
                self.state = State::Closed;
                self.find_element()
            }
            (State::AfterElement, Some(b',')) => {
                self.skip(1);
                self.peek()?;
                self.expect_object()
            }
            (State::AfterElement, _) => Err(self.unexpected("`,` or `]`")),
            (State::Open | State::Lines | State::Start(_), _) => {
                if self.state == State::Open {
                    self.state = State::AfterElement;
                }
                self.expect_object()
            }
        }
    }

    fn expect_object(&mut self) -> Result<bool, JsonError> {
        match self.peek()? {
            Some(b'{') => Ok(true),
            _ => Err(self.unexpected("a document, which begins with `{`")),
        }
    }

    /// Returns the length of the object that begins here, all of which is in the buffer then.
    fn scan_element(&mut self) -> Result<usize, JsonError> {
        let mut scanner = Scanner::default();
        let mut probe_size = PROBE_SIZE;
        loop {
            let text = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(size) = scanner.scan(text) {
                return Ok(size);
            }
            if text.len() >= probe_size {
                probe_size = text.len().saturating_mul(2);
                if let Some(error) = find_error(text, self.position, &self.options) {
                    return Err(error);
                }
            }
            if text.len() > ELEMENT_SIZE_MAX {
                let message =
                    format!("a document of more than {ELEMENT_SIZE_MAX} bytes of JSON begins here");
                return Err(JsonError::syntax(self.position, message));
            }
            if !self.fill()? {
                // Cut off: the parser says where, and what is missing.
                return Ok(self.buffer.len() - self.start);
            }
        }
    }

    /// Returns the next byte that is not white space, which is skipped; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, JsonError> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            match rest.iter().position(|byte| !is_space(byte)) {
                Some(spaces) => {
                    self.skip(spaces);
                    return Ok(self.buffer.get(self.start).copied());
                }
                None => self.skip(rest.len()),
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn skip_bom(&mut self) -> Result<(), JsonError> {
        while self.buffer.len() < BOM.len() && self.fill()? {}
        if self.buffer.starts_with(BOM) {
            // It has no width: the first line begins after it.
            self.start = BOM.len();
        }
        if self.buffer.starts_with(b"\xff\xfe") || self.buffer.starts_with(b"\xfe\xff") {
            let message = "the text is UTF-16; JSON must be UTF-8";
            return Err(JsonError::syntax(self.position, message));
        }
        Ok(())
    }

    fn skip(&mut self, size: usize) {
        let text = self.buffer.get(self.start..self.start + size).unwrap_or_default();
        self.position = self.position.after(text);
        self.start += size;
    }

    /// Reads more bytes; false at the end of the stream.
    fn fill(&mut self) -> Result<bool, JsonError> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let len = self.buffer.len();
        // As much again as there is, so that large objects are not copied too often.
        self.buffer.resize(len + len.max(READ_SIZE), 0);
        let result = loop {
            match self.reader.read(self.buffer.get_mut(len..).unwrap_or_default()) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(len + *result.as_ref().unwrap_or(&0));
        self.ended = result? == 0;
        Ok(!self.ended)
    }

    fn unexpected(&mut self, expected: &str) -> JsonError {
        let found = match self.buffer.get(self.start) {
            None => "the end of the input".to_owned(),
            Some(b'[') => "an array".to_owned(),
            Some(b'"') => "a string".to_owned(),
            Some(b'-' | b'0'..=b'9') => "a number".to_owned(),
            Some(byte) if byte.is_ascii_graphic() => format!("`{}`", char::from(*byte)),
            Some(byte) => format!("the byte {byte:#04x}"),
        };
        JsonError::syntax(self.position, format!("expected {expected}, found {found}"))
    }
}

/// Returns how much of `text`, which begins in `column`, comes before a later line with an opening
/// bracket in that column; all of it if there is no such line.
fn broken_len(text: &[u8], column: u64) -> usize {
    let newlines = text.iter().enumerate().filter(|&(_, &byte)| byte == b'\n');
    for line in newlines.map(|(index, _)| index + 1) {
        let rest = text.get(line..).unwrap_or_default();
        let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if rest.get(spaces) == Some(&b'{') && spaces as u64 + 1 == column {
            return line;
        }
    }
    text.len()
}
