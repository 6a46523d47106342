//! The tree of a filter.
//!
//! # Invariants
//!
//! 1. A conjunction has one [`FieldGroup`] for each first name, so that one walk over a document
//!    serves all of them.
//! 2. `$ne` is `Not([Equal])` and `$nin` is `Not([In])`: the tree has one form for each meaning,
//!    and printing chooses the shortest name.

use super::bits::Bits;
use super::name::Name;
use super::operand::Operand;
use super::regex::Pattern;
use super::types::Types;
use crate::path::Path;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conjunction {
    pub(crate) groups: Vec<FieldGroup>,
    pub(crate) others: Vec<Junction>,
}

/// The conditions on fields below one name of the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldGroup {
    /// The name, in the form in which a walk over a document looks for it.
    pub(super) name: Name,
    pub(crate) conditions: Vec<Condition>,
}

/// What must hold of the values that a path leads to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) path: Path,
    pub(crate) test: Test,
}

/// `$or` and `$nor`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Junction {
    Or(Vec<Conjunction>),
    Nor(Vec<Conjunction>),
}

/// One operator and its operand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Equal(Operand),
    Greater(Operand),
    GreaterOrEqual(Operand),
    Less(Operand),
    LessOrEqual(Operand),
    In(Choice),
    Exists(bool),
    Type(Types),
    Regex(Pattern),
    Size(u32),
    Mod { divisor: i64, remainder: i64 },
    Bits(Bits),
    All(Vec<Test>),
    ElementDocument(Box<Conjunction>),
    ElementValue(Vec<Test>),
    Not(Vec<Test>),
}

/// The values of `$in`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// Sorted in the order over all values, without duplicates.
    pub(crate) values: Vec<Operand>,
    pub(crate) patterns: Vec<Pattern>,
}

impl Choice {
    pub(super) fn new(mut values: Vec<Operand>, patterns: Vec<Pattern>) -> Self {
        values.sort_by(Operand::compare);
        values.dedup_by(|a, b| a.compare(b).is_eq());
        Self { values, patterns }
    }
}

impl Test {
    /// Returns the values of which something must equal each for this test to hold: that of `$eq`,
    /// the only one of `$in`, those of `$all`. A regular expression in `$all` demands no value.
    fn equalities(&self) -> impl Iterator<Item = &Operand> {
        let (single, all) = match self {
            Self::Equal(value) => (Some(value), [].as_slice()),
            Self::In(choice) if choice.patterns.is_empty() && choice.values.len() == 1 => {
                (choice.values.first(), [].as_slice())
            }
            Self::All(tests) => (None, tests.as_slice()),
            _ => (None, [].as_slice()),
        };
        single.into_iter().chain(all.iter().filter_map(|test| match test {
            Self::Equal(value) => Some(value),
            _ => None,
        }))
    }
}

impl Conjunction {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.others.is_empty()
    }

    pub(crate) fn add(&mut self, path: Path, test: Test) {
        let condition = Condition { path, test };
        let same = |group: &&mut FieldGroup| {
            let first = group.conditions.first().and_then(|there| there.path.parts().first());
            first.is_some_and(|part| Some(part) == condition.path.parts().first())
        };
        match self.groups.iter_mut().find(same) {
            Some(group) => group.conditions.push(condition),
            None => {
                let name = Name::new(condition.path.parts().first());
                self.groups.push(FieldGroup { name, conditions: vec![condition] });
            }
        }
    }

    pub(super) fn add_all(&mut self, other: Self) {
        for condition in other.groups.into_iter().flat_map(|group| group.conditions) {
            self.add(condition.path, condition.test);
        }
        self.others.extend(other.others);
    }

    /// Appends the first names of all paths, including those of branches.
    pub(super) fn first_names<'a>(&'a self, out: &mut Vec<&'a str>) {
        let conditions = self.groups.iter().filter_map(|group| group.conditions.first());
        out.extend(conditions.filter_map(|condition| condition.path.names().next()));
        for junction in &self.others {
            let (Junction::Or(branches) | Junction::Nor(branches)) = junction;
            branches.iter().for_each(|branch| branch.first_names(out));
        }
    }

    /// Returns the values that paths must equal, or contain as elements. Only conditions that must
    /// all hold count; those of an `$or` only if it has one branch.
    pub(super) fn equalities(&self) -> impl Iterator<Item = (&Path, &Operand)> {
        let conditions = self.groups.iter().flat_map(|group| &group.conditions);
        let own = conditions.flat_map(|condition| {
            let path = &condition.path;
            condition.test.equalities().map(move |value| (path, value))
        });
        let branches = self.others.iter().filter_map(|junction| match junction {
            Junction::Or(branches) => match branches.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            Junction::Nor(_) => None,
        });
        own.chain(
            branches
                .flat_map(|branch| Box::new(branch.equalities()) as Box<dyn Iterator<Item = _>>),
        )
    }

    /// Returns the only ids that can match; see [`Filter::wanted_ids`](super::Filter::wanted_ids).
    pub(super) fn wanted_ids(&self) -> Option<Vec<Vec<u8>>> {
        let conditions = self.groups.iter().flat_map(|group| &group.conditions);
        conditions.filter(|condition| condition.path.as_str() == "_id").find_map(|condition| {
            match &condition.test {
                Test::Equal(value) => Some(vec![value.bytes().to_vec()]),
                Test::In(choice) if choice.patterns.is_empty() => {
                    Some(choice.values.iter().map(|value| value.bytes().to_vec()).collect())
                }
                _ => None,
            }
        })
    }
}
