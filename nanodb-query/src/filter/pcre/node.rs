//! An expression as a tree, without what makes no difference to whether a text matches.

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// One character of a set, as it is written in the translation.
    One {
        text: String,
        /// Whether the set has the newline.
        newline: bool,
    },
    /// `\R`: any end of a line, of which `\r\n` is never taken apart.
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

/// What holds of a place.
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
