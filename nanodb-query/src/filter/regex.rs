//! Regular expressions in the syntax of PCRE, matched in linear time, and limited in size.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

use super::pcre::translate;

/// The most memory for a compiled expression, and again for its automaton built while matching.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A compiled regular expression, and how it was written.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    options: Box<str>,
    regex: Regex,
}

/// Each level of groups becomes several levels in the translation.
const NEST_LIMIT: u32 = 2_000;

/// Returns whether MongoDB knows these options: each letter of `imsxu` at most once.
pub(super) fn are_options(options: &str) -> bool {
    let mut seen = options.chars().collect::<Vec<_>>();
    seen.sort_unstable();
    seen.windows(2).all(|pair| pair.first() != pair.last())
        && seen.iter().all(|&option| "imsxu".contains(option))
}

impl Pattern {
    pub(super) fn new(text: &str, options: &str) -> Result<Self, String> {
        let too_large = || format!("compiled, it takes more than {REGEX_BYTES_MAX} bytes");
        let regex = RegexBuilder::new(&translate(text, options)?)
            .nest_limit(NEST_LIMIT)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => too_large(),
                // The translation has no other errors.
                error => error.to_string(),
            })?;
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
