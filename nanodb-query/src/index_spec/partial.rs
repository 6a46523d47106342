//! The filter of a partial index, with the bytes that are stored of it.

use nanodb_msgpack::json;
use nanodb_msgpack::json::ReadOptions;

use crate::error::{IndexProblem, Problem};
use crate::filter::{Conjunction, Filter, Junction, Test};
use crate::limits::QUERY_NODES_MAX;

/// A partial filter that has been checked.
#[derive(Clone, Debug)]
pub(super) struct Partial {
    filter: Filter,
    /// The filter in MessagePack.
    bytes: Box<[u8]>,
}

impl PartialEq for Partial {
    fn eq(&self, other: &Self) -> bool {
        // The bytes follow from the filter.
        self.filter == other.filter
    }
}

impl Partial {
    pub(super) fn new(filter: &Filter) -> Result<Self, Problem> {
        filter.checked().map_err(|error| error.problem().clone())?;
        check(filter.root())?;
        let bytes = to_msgpack(filter).ok_or(Problem::Malformed)?;
        Ok(Self { filter: filter.clone(), bytes: bytes.into() })
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns the MessagePack that is read as an equal filter.
fn to_msgpack(filter: &Filter) -> Option<Vec<u8>> {
    let options = ReadOptions::new().operators(true).values_max(QUERY_NODES_MAX);
    let bytes = json::to_msgpack(filter.to_string().as_bytes(), &options).ok()?;
    let again = Filter::parse(&bytes).ok()?;
    (again == *filter).then_some(bytes)
}

fn check(conjunction: &Conjunction) -> Result<(), Problem> {
    for condition in conjunction.groups.iter().flat_map(|group| &group.conditions) {
        check_test(&condition.test, condition.path.as_str())?;
    }
    for junction in &conjunction.others {
        match junction {
            Junction::Or(branches) => branches.iter().try_for_each(check)?,
            Junction::Nor(_) => return Err(refuse("$nor", "")),
        }
    }
    Ok(())
}

fn check_test(test: &Test, path: &str) -> Result<(), Problem> {
    let operator = match test {
        Test::Equal(_)
        | Test::Greater(_)
        | Test::GreaterOrEqual(_)
        | Test::Less(_)
        | Test::LessOrEqual(_)
        | Test::Exists(true)
        | Test::Type(_) => return Ok(()),
        Test::In(choice) if choice.patterns.is_empty() => return Ok(()),
        Test::In(_) | Test::Regex(_) => "$regex",
        Test::Exists(false) => "$exists: false",
        Test::Size(_) => "$size",
        Test::Mod { .. } => "$mod",
        Test::Bits(bits) => bits.name(),
        Test::All(_) => "$all",
        Test::ElementDocument(_) | Test::ElementValue(_) => "$elemMatch",
        Test::Not(tests) => match tests.as_slice() {
            [Test::Equal(_)] => "$ne",
            [Test::In(_)] => "$nin",
            _ => "$not",
        },
    };
    Err(refuse(operator, path))
}

fn refuse(operator: &str, path: &str) -> Problem {
    let (operator, path) = (operator.to_owned(), path.to_owned());
    IndexProblem::PartialOperator { operator, path }.into()
}
