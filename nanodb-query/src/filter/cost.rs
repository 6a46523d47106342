//! The size of a query, so that one that a program builds has the limits of text.

use nanodb_msgpack::{DEPTH_MAX, RawValue};

use crate::error::Problem;
use crate::limits::{QUERY_NODES_MAX, QUERY_REGEXES_MAX};

/// The size of a query as it is printed, or a little more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) nodes: usize,
    pub(super) depth: usize,
    pub(super) regexes: usize,
    /// Whether it may have to be printed as an `$and` of objects.
    is_joined: bool,
}

/// The levels of `{"$and": [...]}` around objects.
const AROUND: usize = 2;

impl Cost {
    /// The cost of an operand that is one value.
    pub(super) const ONE: Self = Self { nodes: 1, depth: 0, regexes: 0, is_joined: false };
    /// The cost of a regular expression and its options.
    pub(super) const REGEX: Self = Self { nodes: 2, depth: 0, regexes: 1, is_joined: false };

    /// Measures a value that is known to be well-formed.
    ///
    /// # Errors
    ///
    /// [`Problem::TooDeep`].
    pub(super) fn of(value: RawValue<'_>) -> Result<Self, Problem> {
        let nodes = value.verify().map_err(|_| too_deep())?;
        if nodes > QUERY_NODES_MAX {
            return Err(Problem::TooManyNodes { nodes_max: QUERY_NODES_MAX });
        }
        Ok(Self { nodes, depth: depth(value), ..Self::default() })
    }

    /// Measures a parsed query, whose regular expressions have been counted.
    pub(super) fn of_parsed(query: RawValue<'_>, regexes: usize) -> Self {
        let nodes = query.verify().unwrap_or(usize::MAX);
        Self { nodes, depth: depth(query), regexes, is_joined: false }
    }

    /// Returns the cost of an object or array around this.
    pub(super) fn within(self, levels: usize) -> Self {
        let joined = if self.is_joined { AROUND } else { 0 };
        Self {
            nodes: self.nodes.saturating_add(levels),
            depth: self.depth.saturating_add(levels + joined),
            regexes: self.regexes,
            is_joined: false,
        }
    }

    /// Returns the cost of one more branch of an `$or`.
    pub(super) fn as_branch(self) -> Self {
        Self { nodes: self.nodes, ..self.within(AROUND) }
    }

    /// Returns the cost of both, next to each other.
    pub(super) fn beside(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            depth: self.depth.max(other.depth),
            regexes: self.regexes.saturating_add(other.regexes),
            is_joined: self.is_joined || other.is_joined,
        }
    }

    /// Returns the cost of both as conditions that must hold.
    pub(super) fn joined(self, other: Self) -> Self {
        let both = self.beside(other);
        // The array and the object of an `$and` are counted once.
        let around = if both.is_joined { 0 } else { AROUND };
        Self { nodes: both.nodes.saturating_add(around), is_joined: true, ..both }
    }

    pub(super) fn check(self) -> Result<(), Problem> {
        let joined = if self.is_joined { AROUND } else { 0 };
        if self.depth.saturating_add(joined) > DEPTH_MAX {
            return Err(too_deep());
        }
        if self.nodes > QUERY_NODES_MAX {
            return Err(Problem::TooManyNodes { nodes_max: QUERY_NODES_MAX });
        }
        if self.regexes > QUERY_REGEXES_MAX {
            return Err(Problem::TooManyRegexes { regexes_max: QUERY_REGEXES_MAX });
        }
        Ok(())
    }
}

fn too_deep() -> Problem {
    Problem::TooDeep { depth_max: DEPTH_MAX }
}

/// Returns how deep a well-formed value nests; its own nesting bounds the recursion.
fn depth(value: RawValue<'_>) -> usize {
    let fields = value.fields().into_iter().flatten().flatten().map(|(_, value)| value);
    let elements = value.elements().into_iter().flatten().flatten();
    let is_container = value.is_map() || value.is_array();
    usize::from(is_container) + fields.chain(elements).map(depth).max().unwrap_or(0)
}
