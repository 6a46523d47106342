//! Regular expressions: matched in linear time, and limited in size.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// The most memory that a compiled expression takes, and again its automaton built while matching.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A compiled regular expression, and how it was written.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    options: Box<str>,
    regex: Regex,
}

/// Whether MongoDB knows these options: each of `imsxu` at most once.
pub(super) fn are_options(options: &str) -> bool {
    let mut seen = options.chars().collect::<Vec<_>>();
    seen.sort_unstable();
    seen.windows(2).all(|pair| pair.first() != pair.last())
        && seen.iter().all(|&option| "imsxu".contains(option))
}

impl Pattern {
    pub(super) fn new(text: &str, options: &str) -> Result<Self, regex::Error> {
        let has = |option| options.contains(option);
        let regex = RegexBuilder::new(text)
            .case_insensitive(has('i'))
            .multi_line(has('m'))
            .dot_matches_new_line(has('s'))
            .ignore_whitespace(has('x'))
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build()?;
        Ok(Self { text: text.into(), options: options.into(), regex })
    }

    #[inline]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
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
