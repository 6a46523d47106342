//! PCRE's syntax, translated to that of the crates of `regex`.
//!
//! The two look alike and differ in meaning in places: to PCRE `[[a]b]` is a set followed by text,
//! to `regex` a set of sets. So an expression is parsed by PCRE's rules to a tree ([`parse`]), and
//! written again in the few forms that mean the same to both ([`mod@emit`]): every set of
//! characters by its ranges, and no flags but those written here.
//!
//! What the crate can't express is refused by name: look-around, back-references, recursion,
//! conditions, atomic groups and possessive quantifiers, callouts and verbs, `\X` and `\C`. Greedy
//! and lazy quantifiers are the same here, since only the existence of a match counts, and so are
//! capturing and other groups.
//!
//! As in MongoDB, texts are UTF-8 and a newline is `\n`. `\d`, `\s`, `\w`, `\b` and the classes of
//! POSIX know ASCII only, unless the expression begins with `(*UCP)`.

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

/// The longest translation: a longer one would be too large when compiled.
const TRANSLATED_BYTES_MAX: usize = 1 << 20;

/// Returns the expression for the crates of `regex`, or the reason why there is none.
pub(super) fn translate(pattern: &str, options: &str) -> Result<String, String> {
    emit(&Parser::new(pattern, options).parse()?)
}
