//! From the tree to the syntax of the crate `regex`.
//!
//! Written from the last part to the first, since the form of `$` and `\R` depends on what follows
//! them: the crate can't look ahead, and consumes the newline that PCRE only looks at. The end of a
//! match is not used, so that makes no difference if nothing follows; where something may follow,
//! the expression is refused.

use super::node::{Assert, Edge, Node};

/// What may follow a place.
#[derive(Clone, Copy, Debug, Default)]
struct Next {
    /// Whether it may be nothing.
    nothing: bool,
    /// Whether it may begin with a newline.
    newline: bool,
    /// Whether it may begin with an assertion that distinguishes the end from the place before the
    /// last newline.
    asserts: bool,
}

impl Next {
    const END: Self = Self { nothing: true, newline: false, asserts: false };

    /// Returns this for a part that is followed by `next`.
    fn before(self, next: Self) -> Self {
        Self {
            nothing: self.nothing && next.nothing,
            newline: self.newline || self.nothing && next.newline,
            asserts: self.asserts || self.nothing && next.asserts,
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            nothing: self.nothing || other.nothing,
            newline: self.newline || other.newline,
            asserts: self.asserts || other.asserts,
        }
    }
}

pub(super) fn emit(node: &Node) -> Result<String, String> {
    write(node, Next::END)
}

/// Returns how a part begins.
fn beginning(node: &Node) -> Next {
    match node {
        Node::One { newline, .. } => Next { newline: *newline, ..Next::default() },
        Node::LineBreak => Next { newline: true, ..Next::default() },
        Node::Assert(Assert::LastLineEnd) => Next::END,
        Node::Assert(_) => Next { asserts: true, ..Next::END },
        Node::Sequence(nodes) => {
            nodes.iter().rev().fold(Next::END, |next, node| beginning(node).before(next))
        }
        Node::Either(nodes) => nodes.iter().map(beginning).fold(Next::default(), Next::or),
        Node::Repeat { max: Some(0), .. } => Next::END,
        Node::Repeat { node, min: 0, .. } => beginning(node).or(Next::END),
        Node::Repeat { node, .. } => beginning(node),
    }
}

fn write(node: &Node, next: Next) -> Result<String, String> {
    Ok(match node {
        Node::One { text, .. } => text.clone(),
        Node::LineBreak if next.newline => {
            return Err("`\\R` before what may be a newline is not supported".to_owned());
        }
        Node::LineBreak => LINE_BREAK.to_owned(),
        Node::Assert(assert) => write_assert(*assert, next)?.to_owned(),
        Node::Sequence(nodes) => {
            let (mut parts, mut next) = (Vec::with_capacity(nodes.len()), next);
            for node in nodes.iter().rev() {
                let part = write(node, next)?;
                parts.push(match node {
                    Node::Either(_) => format!("(?:{part})"),
                    _ => part,
                });
                next = beginning(node).before(next);
            }
            parts.reverse();
            parts.concat()
        }
        Node::Either(nodes) => {
            let branches = nodes.iter().map(|node| write(node, next));
            branches.collect::<Result<Vec<_>, _>>()?.join("|")
        }
        Node::Repeat { node, min, max } => {
            let is_once = max.is_some_and(|max| max <= 1);
            // With any repetition, line breaks are taken whole if nothing is left for what follows.
            let is_breaks = matches!(**node, Node::LineBreak) && *min <= 1 && max.is_none();
            let within = match is_once || is_breaks {
                true => next,
                false => beginning(node).or(next),
            };
            let part = write(node, within)?;
            let part = match **node {
                Node::One { .. } => part,
                _ => format!("(?:{part})"),
            };
            match (min, max) {
                (0, None) => part + "*",
                (1, None) => part + "+",
                (0, Some(1)) => part + "?",
                (min, None) => format!("{part}{{{min},}}"),
                (min, Some(max)) => format!("{part}{{{min},{max}}}"),
            }
        }
    })
}

const LINE_BREAK: &str = r"(?:\r\n|[\n-\r\x{85}\x{2028}\x{2029}])";

fn write_assert(assert: Assert, next: Next) -> Result<&'static str, String> {
    Ok(match assert {
        Assert::Start => r"\A",
        Assert::LineStart => "(?m:^)",
        Assert::End => r"\z",
        Assert::LineEnd => "(?m:$)",
        Assert::LastLineEnd if next.newline || next.asserts => {
            return Err(
                "`$` or `\\Z` before what may be a newline, or before another place, is not \
                        supported"
                    .to_owned(),
            );
        }
        // What follows takes nothing there, or can't be there.
        Assert::LastLineEnd if next.nothing => r"(?:\n?\z)",
        Assert::LastLineEnd => r"\z",
        Assert::Word { unicode: false, edge } => match edge {
            Edge::Any => r"(?-u:\b)",
            Edge::None => r"(?-u:\B)",
            Edge::Start => r"(?-u:\b{start})",
            Edge::End => r"(?-u:\b{end})",
        },
        Assert::Word { unicode: true, edge } => match edge {
            Edge::Any => r"\b",
            Edge::None => r"\B",
            Edge::Start => r"\b{start}",
            Edge::End => r"\b{end}",
        },
    })
}
