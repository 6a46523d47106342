//! Whether one filter follows from another: whether a partial index has entries of all documents
//! that match.
//!
//! A condition follows if a condition of the query on the same path is at least as strict: whatever
//! value makes that one hold makes this one hold. So it holds of arrays, too, whose elements are
//! asked one by one. What can't be proved like that does not follow.

use super::ranges::KeyRanges;
use super::tests_of_values::{Asked, Keys};
use crate::filter::{Condition, Conjunction, Filter, Junction, Test};
use crate::path::Path;

/// How many branches of `$or` are looked into, in all.
const BRANCHES_MAX: usize = 64;

/// Returns whether every document that matches `filter` is known to match `other`.
///
/// ```
/// use nanodb_query::{field, plan};
///
/// let filter = field("age").gt(30).and(field("city").eq("Bonn"));
/// assert!(plan::implies(&filter, &field("age").gte(18)));
/// assert!(!plan::implies(&filter, &field("age").gte(65)));
/// ```
#[must_use]
pub fn implies(filter: &Filter, other: &Filter) -> bool {
    missing_condition(filter, other).is_none()
}

/// Returns a condition of `other` that `filter` is not known to imply, as text.
///
/// ```
/// use nanodb_query::{field, plan};
///
/// let missing = plan::missing_condition(&field("due").lt(5), &field("open").eq(true));
/// assert_eq!(missing.as_deref(), Some(r#"{"open": true}"#));
/// ```
#[must_use]
pub fn missing_condition(filter: &Filter, other: &Filter) -> Option<String> {
    if filter.checked().is_err() || other.checked().is_err() {
        return Some(other.to_string());
    }
    let known = Known::of(filter.root());
    let root = other.root();
    let refused = |missing: Conjunction| Filter::of_branch(&missing).to_string();
    for condition in conditions(root) {
        if !known.implies_condition(condition, &mut BRANCHES_MAX.clone()) {
            let mut missing = Conjunction::default();
            missing.add(condition.path.clone(), condition.test.clone());
            return Some(refused(missing));
        }
    }
    for junction in &root.others {
        if !known.implies_junction(junction, &mut BRANCHES_MAX.clone()) {
            let missing = Conjunction { others: vec![junction.clone()], ..Conjunction::default() };
            return Some(refused(missing));
        }
    }
    None
}

/// Returns whether a filter has this very condition, which must hold.
pub(super) fn has_condition(filter: &Filter, condition: &Condition) -> bool {
    conditions(filter.root()).any(|own| own == condition)
}

fn conditions(conjunction: &Conjunction) -> impl Iterator<Item = &Condition> {
    conjunction.groups.iter().flat_map(|group| &group.conditions)
}

/// What is known of a document.
#[derive(Clone)]
struct Known<'f> {
    /// It matches all of these.
    conjunctions: Vec<&'f Conjunction>,
    /// And a branch of each of these, which has not been looked into.
    branches: Vec<&'f [Conjunction]>,
}

impl<'f> Known<'f> {
    fn of(root: &'f Conjunction) -> Self {
        let mut known = Self { conjunctions: Vec::new(), branches: Vec::new() };
        known.add(root);
        known
    }

    fn add(&mut self, conjunction: &'f Conjunction) {
        self.conjunctions.push(conjunction);
        self.branches.extend(conjunction.others.iter().filter_map(|junction| match junction {
            Junction::Or(branches) => Some(branches.as_slice()),
            Junction::Nor(_) => None,
        }));
    }

    fn implies(&self, other: &Conjunction, budget: &mut usize) -> bool {
        conditions(other).all(|condition| self.implies_condition(condition, budget))
            && other.others.iter().all(|junction| self.implies_junction(junction, budget))
    }

    fn implies_condition(&self, condition: &Condition, budget: &mut usize) -> bool {
        let Condition { path, test } = condition;
        let mut known = self.conjunctions.iter().flat_map(|conjunction| conditions(conjunction));
        known.any(|known| known.path == *path && follows(path, test, &known.test))
            || self.by_branches(budget, &|with, budget| with.implies_condition(condition, budget))
    }

    fn implies_junction(&self, junction: &Junction, budget: &mut usize) -> bool {
        if self.conjunctions.iter().any(|known| known.others.contains(junction)) {
            return true;
        }
        let Junction::Or(branches) = junction else { return false };
        branches.iter().any(|branch| self.implies(branch, budget))
            || self.by_branches(budget, &|with, budget| with.implies_junction(junction, budget))
    }

    /// Returns whether something follows from each branch of an `$or` that is known.
    fn by_branches(&self, budget: &mut usize, follows: &dyn Fn(&Self, &mut usize) -> bool) -> bool {
        (0..self.branches.len()).any(|at| {
            let mut rest = self.clone();
            let branches = rest.branches.swap_remove(at);
            let Some(left) = budget.checked_sub(branches.len()) else { return false };
            *budget = left;
            branches.iter().all(|branch| {
                let mut with = rest.clone();
                with.add(branch);
                follows(&with, budget)
            })
        })
    }
}

/// Returns whether a test holds of a path if another one is known to hold of it.
fn follows(path: &Path, test: &Test, known: &Test) -> bool {
    if test == known {
        return true;
    }
    if let Test::All(tests) = known {
        return tests.iter().any(|known| follows(path, test, known));
    }
    match test {
        Test::Exists(true) => demands_existence(path, known),
        Test::Equal(_)
        | Test::Greater(_)
        | Test::GreaterOrEqual(_)
        | Test::Less(_)
        | Test::LessOrEqual(_)
        | Test::In(_)
        | Test::Type(_) => {
            let Ok(wanted) = Keys::of(test, Asked::Value) else { return false };
            wanted.is_exact
                && values_of(path, known).is_some_and(|known| {
                    known.is_subset(&wanted.ranges)
                        // A missing value has the key of null, and is of no type.
                        && !(matches!(test, Test::Type(_)) && known.contains(&[0x10]))
                })
        }
        Test::Exists(false)
        | Test::Regex(_)
        | Test::Size(_)
        | Test::Mod { .. }
        | Test::Bits(_)
        | Test::All(_)
        | Test::ElementDocument(_)
        | Test::ElementValue(_)
        | Test::Not(_) => false,
    }
}

fn has_number(path: &Path) -> bool {
    path.parts().iter().any(|part| part.index().is_some())
}

/// Returns the keys of the values of which one must be there for a test to hold; `None` if it holds
/// by what is not there.
fn values_of(path: &Path, test: &Test) -> Option<KeyRanges> {
    match test {
        Test::Equal(_)
        | Test::Greater(_)
        | Test::GreaterOrEqual(_)
        | Test::Less(_)
        | Test::LessOrEqual(_)
        | Test::In(_)
        | Test::Type(_)
        | Test::Regex(_)
        | Test::Mod { .. }
        | Test::Bits(_) => Keys::of(test, Asked::Value).ok().map(|keys| keys.ranges),
        // It is asked of elements, and other tests are too; but not of those of an array that is
        // found by its index.
        Test::ElementValue(_) if !has_number(path) => {
            Keys::of(test, Asked::Path { multikey: true, number: false })
                .ok()
                .map(|keys| keys.ranges)
        }
        Test::ElementValue(_)
        | Test::Exists(_)
        | Test::Size(_)
        | Test::All(_)
        | Test::ElementDocument(_)
        | Test::Not(_) => None,
    }
}

/// Returns whether a test holds only if the path leads to something.
fn demands_existence(path: &Path, test: &Test) -> bool {
    match test {
        Test::Exists(wanted) => *wanted,
        Test::Type(_)
        | Test::Regex(_)
        | Test::Size(_)
        | Test::Mod { .. }
        | Test::Bits(_)
        | Test::ElementDocument(_)
        | Test::ElementValue(_) => true,
        Test::Equal(_)
        | Test::Greater(_)
        | Test::GreaterOrEqual(_)
        | Test::Less(_)
        | Test::LessOrEqual(_)
        | Test::In(_) => {
            // Null is what is missing, too.
            values_of(path, test).is_some_and(|values| !values.contains(&[0x10]))
        }
        // A path of one part leads to something or is missing, and then equals null.
        Test::Not(tests) => match (path.parts(), tests.as_slice()) {
            ([_], [Test::Equal(operand)]) => operand.is_null(),
            _ => false,
        },
        Test::All(tests) => tests.iter().any(|test| demands_existence(path, test)),
    }
}
