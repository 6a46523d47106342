//! Regular expressions in the syntax of PCRE, matched in linear time, and limited in size.

use std::fmt;

use self::automaton::Automaton;

#[cfg(feature = "regex")]
mod automaton;
#[cfg(not(feature = "regex"))]
#[path = "regex/no_automaton.rs"]
mod automaton;

/// A compiled regular expression, and how it was written.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    options: Box<str>,
    automaton: Automaton,
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
        let automaton = Automaton::new(text, options)?;
        Ok(Self { text: text.into(), options: options.into(), automaton })
    }

    #[inline]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.automaton.is_match(text)
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
