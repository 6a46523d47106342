//! An expression as a tree, without what does not affect whether a text matches.

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// One character of a set, as it is written in the translation.
    One {
        text: String,
        /// Whether the set has the newline.
        newline: bool,
    },
    /// `\R`: any end of a line; `\r\n` is never split.
    LineBreak,
    Assert(Assert),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
    },
}

/// A condition on a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assert {
    /// The start of the text: `\A`, `\G`, and `^` without `m`.
    Start,
    /// `^` with `m`.
    LineStart,
    /// The very end of the text: `\z`.
    End,
    /// The end, or before a newline that ends the text: `\Z`, and `$` without `m`.
    LastLineEnd,
    /// `$` with `m`.
    LineEnd,
    Word {
        /// Whether words are those of Unicode.
        unicode: bool,
        edge: Edge,
    },
}

/// Where a word begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// `\b`.
    Any,
    /// `\B`.
    None,
    /// `[[:<:]]`.
    Start,
    /// `[[:>:]]`.
    End,
}
