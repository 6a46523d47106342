//! Expressions that are a text and nothing else, maybe at the start or the end: they are searched
//! for as they are, without an automaton, and in a library without the feature `regex` as well.

use super::needle::Needle;

/// A text to be found in a string.
#[derive(Clone)]
pub(super) enum PlainText {
    Contains(Needle),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
}

impl PlainText {
    /// Returns the text that an expression is, if it is one.
    pub(super) fn of(pattern: &str, options: &str) -> Option<Self> {
        // The others change what letters, `^` and spaces mean.
        if options.chars().any(|option| !matches!(option, 's' | 'u')) {
            return None;
        }
        let after_start = pattern.strip_prefix("\\A").or_else(|| pattern.strip_prefix('^'));
        let mut letters = after_start.unwrap_or(pattern).chars();
        let (mut text, mut ends) = (String::new(), false);
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next()? {
                    'z' if letters.as_str().is_empty() => ends = true,
                    escaped if escaped.is_ascii_punctuation() => text.push(escaped),
                    _ => return None,
                },
                special if SPECIAL.contains(&special) => return None,
                letter => text.push(letter),
            }
        }
        match (after_start, ends) {
            (None, false) => Some(Self::Contains(Needle::new(&text))),
            (Some(_), false) => Some(Self::StartsWith(text.into())),
            (None, true) => Some(Self::EndsWith(text.into())),
            (Some(_), true) => None,
        }
    }

    #[inline]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        match self {
            Self::Contains(needle) => needle.is_in(text),
            Self::StartsWith(start) => text.starts_with(start.as_bytes()),
            Self::EndsWith(end) => text.ends_with(end.as_bytes()),
        }
    }
}

/// The characters that mean something in an expression.
const SPECIAL: [char; 14] = ['\\', '.', '^', '$', '|', '?', '*', '+', '(', ')', '[', ']', '{', '}'];

/// Appends a text to an expression, in which it stands for itself.
pub(crate) fn escape(text: &str, pattern: &mut String) {
    for letter in text.chars() {
        if SPECIAL.contains(&letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
}
