//! PCRE's syntax, translated to that of the crate `regex`.
//!
//! The two look alike and mean different things in places: `[[a]b]` is a set and a text to the one, a set
//! of sets to the other. So an expression is parsed by PCRE's rules to a tree ([`parse`]), and written
//! anew from that in the few forms that mean the same to both ([`emit`]): every set of characters by its
//! ranges, no flags but those written here.
//!
//! What the crate can't say is refused by its name: look-around, back-references, recursion, conditions,
//! atomic groups and possessive quantifiers, callouts and verbs, `\X` and `\C`. Greedy and lazy are the
//! same, since nobody asks where a match ends, and so are groups that capture and others.
//!
//! As MongoDB compiles them, texts are UTF-8, and a newline is `\n`. `\d`, `\s`, `\w`, `\b` and the classes
//! of POSIX know ASCII only, unless the expression begins with `(*UCP)`.

mod class;
mod emit;
mod escape;
mod node;
mod parse;
mod sets;
#[cfg(test)]
mod tests;

use self::emit::emit;
use self::parse::Parser;

/// The longest expression, in bytes; it is MongoDB's.
const PATTERN_BYTES_MAX: usize = 32_764;

/// The longest translation: what is longer is too large when it is compiled.
const TRANSLATED_BYTES_MAX: usize = 1 << 20;

/// What the crate `regex` is to be given for an expression, or why there is nothing.
pub(super) fn translate(pattern: &str, options: &str) -> Result<String, String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("it is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    emit(&Parser::new(pattern, options).parse()?)
}
