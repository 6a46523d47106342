//! Regular expressions in the syntax of PCRE, matched in linear time, and limited in size.

use std::fmt;

use self::automaton::Automaton;
use self::plain::PlainText;
pub(super) use self::plain::escape;

#[cfg(feature = "regex")]
mod automaton;
#[cfg(not(feature = "regex"))]
#[path = "regex/no_automaton.rs"]
mod automaton;
#[cfg(feature = "regex")]
mod needle;
#[cfg(not(feature = "regex"))]
#[path = "regex/no_needle.rs"]
mod needle;
mod plain;

/// The longest expression, in bytes; MongoDB has the same limit.
const PATTERN_BYTES_MAX: usize = 32_764;

/// A compiled regular expression, and how it was written.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    options: Box<str>,
    matcher: Matcher,
}

/// What finds an expression in a text.
#[derive(Clone)]
enum Matcher {
    Plain(PlainText),
    Automaton(Automaton),
}

/// Returns whether MongoDB knows these options: each letter of `imsxu` at most once.
pub(super) fn are_options(options: &str) -> bool {
    let mut seen = options.chars().collect::<Vec<_>>();
    seen.sort_unstable();
    seen.windows(2).all(|pair| pair.first() != pair.last())
        && seen.iter().all(|&option| "imsxu".contains(option))
}

impl Pattern {
    pub(super) fn new(text: &str, options: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("it is longer than {PATTERN_BYTES_MAX} bytes"));
        }
        let matcher = match PlainText::of(text, options) {
            Some(plain) => Matcher::Plain(plain),
            None => Matcher::Automaton(Automaton::new(text, options)?),
        };
        Ok(Self { text: text.into(), options: options.into(), matcher })
    }

    #[inline]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        match &self.matcher {
            Matcher::Plain(plain) => plain.is_match(text),
            Matcher::Automaton(automaton) => automaton.is_match(text),
        }
    }

    /// Returns texts of which every match begins with one, 64 at most. Returns `None` if a match
    /// may begin anyhow, or elsewhere than at the start.
    ///
    /// They come from the parsed expression: where `^` stands in the text says nothing.
    pub(crate) fn prefixes(&self) -> Option<Vec<Vec<u8>>> {
        match &self.matcher {
            Matcher::Plain(PlainText::StartsWith(text)) if !text.is_empty() => {
                Some(vec![text.as_bytes().to_vec()])
            }
            Matcher::Plain(_) => None,
            Matcher::Automaton(_) => automaton::prefixes(&self.text, &self.options),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn options(&self) -> &str {
        &self.options
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.options == other.options
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.text, self.options)
    }
}
