//! The tokens of JSON, and their places.

use std::borrow::Cow;

use super::error::{JsonError, JsonProblem, Position};
use super::plain::plain_len;

/// A place in a text.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    /// The same, if all of it is UTF-8: its parts then need not be looked at one by one.
    utf8: Option<&'a str>,
    at: usize,
}

/// A number, in the form that it has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Digits {
    Int(i64),
    UInt(u64),
    Float(f64),
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, utf8: str::from_utf8(text).ok(), at: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Returns the next byte that is not white space, after stepping over white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Steps over a byte that has been read.
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    pub(super) fn error_at(&self, problem: JsonProblem, offset: usize) -> JsonError {
        JsonError::new(problem, Position::of(self.text, offset))
    }

    pub(super) fn error(&self, message: impl Into<String>) -> JsonError {
        JsonError::syntax(message, Position::of(self.text, self.at))
    }

    /// Returns the error that the text ends here; its place is the last byte.
    pub(super) fn ended(&self, within: &'static str) -> JsonError {
        let last = self.text.len().saturating_sub(1);
        self.error_at(JsonProblem::Ended { within }, last)
    }

    /// Steps over one of the words `null`, `true` and `false`.
    pub(super) fn word(&mut self, word: &str) -> Result<(), JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        if word.as_bytes().starts_with(rest) {
            return Err(self.ended("a value"));
        }
        Err(self.error("expected value"))
    }

    /// Returns the error for something that is not a value.
    pub(super) fn no_value(&self) -> JsonError {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let names = [("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity")];
        match names.iter().find(|(word, _)| rest.starts_with(word.as_bytes())) {
            Some((_, name)) => self.error_at(JsonProblem::NotANumber { name }, self.at),
            None => self.error("expected value"),
        }
    }

    /// Reads a number, whose first byte has been read.
    pub(super) fn number(&mut self) -> Result<Digits, JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if let Some((number, size)) = short_integer(rest) {
            self.at += size;
            return Ok(Digits::Int(number));
        }
        let Some((size, is_whole)) = number_size(rest) else {
            if rest.starts_with(b"-I") {
                return Err(self.no_value());
            }
            let is_end =
                rest.iter().all(|&b| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
            return Err(if is_end { self.ended("a value") } else { self.error("invalid number") });
        };
        let digits = rest.get(..size).and_then(|digits| str::from_utf8(digits).ok());
        let digits = digits.ok_or_else(|| self.error("invalid number"))?;
        self.at += size;
        // An integer has no negative zero.
        if is_whole && digits != "-0" {
            if let Ok(number) = digits.parse() {
                return Ok(Digits::Int(number));
            }
            if let Ok(number) = digits.parse() {
                return Ok(Digits::UInt(number));
            }
        }
        match digits.parse() {
            Ok(number) if f64::is_finite(number) => Ok(Digits::Float(number)),
            _ => {
                let problem = JsonProblem::Syntax { message: "number out of range".to_owned() };
                Err(self.error_at(problem, self.at - 1))
            }
        }
    }

    /// Reads a string, whose quotation mark has been read.
    pub(super) fn string(&mut self, replace_surrogates: bool) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let run = self.plain_run()?;
        if self.text.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(run));
        }
        let mut out = run.to_owned();
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(out));
                }
                Some(b'\\') => self.escape(replace_surrogates, &mut out)?,
                other => {
                    // What follows shows that a line ends within a string.
                    self.at += usize::from(other == Some(&b'\n'));
                    return Err(self.error(
                        "control character (\\u0000-\\u001F) found while parsing a string",
                    ));
                }
            }
            out.push_str(self.plain_run()?);
        }
    }

    /// Steps over the characters of a string that stand for themselves.
    fn plain_run(&mut self) -> Result<&'a str, JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let plain = plain_len(rest);
        let end = self.at + plain;
        if end == self.text.len() {
            return Err(self.ended("a string"));
        }
        // Both ends are beside ASCII.
        let run = match self.utf8.and_then(|text| text.get(self.at..end)) {
            Some(run) => run,
            None => {
                let run = rest.get(..plain).unwrap_or_default();
                str::from_utf8(run).map_err(|error| {
                    let problem =
                        JsonProblem::Syntax { message: "a string is not UTF-8".to_owned() };
                    self.error_at(problem, self.at + error.valid_up_to())
                })?
            }
        };
        self.at = end;
        Ok(run)
    }

    /// Reads an escape sequence.
    fn escape(&mut self, replace_surrogates: bool, out: &mut String) -> Result<(), JsonError> {
        let Some(&kind) = self.text.get(self.at + 1) else { return Err(self.ended("a string")) };
        let character = match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(replace_surrogates, out),
            _ => return Err(self.error("invalid escape")),
        };
        self.at += 2;
        out.push(character);
        Ok(())
    }

    /// Reads `\uXXXX`, or two of them that make up a pair.
    fn unicode(&mut self, replace_surrogates: bool, out: &mut String) -> Result<(), JsonError> {
        let first = self.hex(self.at)?;
        let rest = self.text.get(self.at + 6..).unwrap_or_default();
        let is_first_half = matches!(first, 0xd800..=0xdbff);
        if is_first_half && b"\\u".starts_with(rest) {
            // The other half may have been cut off.
            return Err(self.ended("a string"));
        }
        if is_first_half && rest.starts_with(b"\\u") {
            let second = self.hex(self.at + 6)?;
            if let Some(Ok(character)) = char::decode_utf16([first, second]).next() {
                self.at += 12;
                out.push(character);
                return Ok(());
            }
        }
        match char::from_u32(first.into()) {
            Some(character) => out.push(character),
            None if replace_surrogates => out.push(char::REPLACEMENT_CHARACTER),
            None => return Err(self.error_at(JsonProblem::Surrogate { half: first }, self.at)),
        }
        self.at += 6;
        Ok(())
    }

    /// Returns the four digits of the `\uXXXX` at `at`.
    fn hex(&self, at: usize) -> Result<u16, JsonError> {
        let Some(digits) = self.text.get(at + 2..at + 6) else {
            return Err(self.ended("a string"));
        };
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = str::from_utf8(digits).ok().filter(|_| is_hex);
        digits
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("invalid escape"))
    }
}

/// Returns the integer that `text` begins with, and the number of its bytes; `None` if it is
/// something else, or so long that it might not fit.
#[inline]
fn short_integer(text: &[u8]) -> Option<(i64, usize)> {
    /// All integers of so many digits fit.
    const DIGITS_MAX: usize = 18;
    let sign = usize::from(text.first() == Some(&b'-'));
    let digits = text.get(sign..)?;
    let mut number = 0;
    let mut count = 0;
    while let Some(digit @ b'0'..=b'9') = digits.get(count) {
        if count == DIGITS_MAX {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
        count += 1;
    }
    // A zero in front is an error, and one with a sign is a float.
    let is_odd = digits.first() == Some(&b'0') && count + sign > 1;
    if count == 0 || is_odd || matches!(digits.get(count), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    Some((if sign == 1 { -number } else { number }, sign + count))
}

/// Returns the number of bytes of the number that `text` begins with, and whether it is an integer;
/// `None` if there is no number.
fn number_size(text: &[u8]) -> Option<(usize, bool)> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let start = usize::from(text.first() == Some(&b'-'));
    let whole = digits(start)?;
    if text.get(start) == Some(&b'0') && whole > start + 1 {
        return None;
    }
    let mut size = whole;
    if text.get(size) == Some(&b'.') {
        size = digits(size + 1)?;
    }
    if matches!(text.get(size), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(size + 1), Some(b'+' | b'-')));
        size = digits(size + 1 + sign)?;
    }
    Some((size, size == whole))
}
