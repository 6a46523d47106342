//! Filters made by a program, their types checked by the compiler.

use std::ops::Not;

use super::Filter;
use super::literal::Literal;
use super::operand::Operand;
use super::parse;
use super::regex::{Pattern, are_options};
use super::tree::{Choice, Conjunction, Junction, Test};
use super::types::Types;
use crate::error::{Problem, QueryError};
use crate::path::Path;
use nanodb_msgpack::{Kind, RawValue};

/// A field that a condition is to be made on, by its dotted path.
///
/// ```
/// use nanodb_query::field;
///
/// let filter = field("age").gte(30).and(field("city").is_in(["Berlin", "Hamburg"]));
/// assert_eq!(
///     filter.to_string(),
///     r#"{"age": {"$gte": 30}, "city": {"$in": ["Berlin", "Hamburg"]}}"#,
/// );
/// ```
#[must_use]
pub fn field(path: &str) -> FieldName {
    FieldName { path: Path::of_program(path) }
}

/// A field, of which a method makes a [`Filter`]; see [`field`].
#[derive(Clone, Debug)]
pub struct FieldName {
    path: Path,
}

impl FieldName {
    /// The field, or an element of it, is that value: `$eq`.
    #[must_use]
    pub fn eq(self, value: impl Into<Literal>) -> Filter {
        self.compared(value, Test::Equal)
    }

    /// Neither the field nor an element of it is that value: `$ne`.
    #[must_use]
    pub fn ne(self, value: impl Into<Literal>) -> Filter {
        self.compared(value, |value| Test::Not(vec![Test::Equal(value)]))
    }

    /// Above that value, and of its type: `$gt`.
    #[must_use]
    pub fn gt(self, value: impl Into<Literal>) -> Filter {
        self.compared(value, Test::Greater)
    }

    /// That value or above, and of its type: `$gte`.
    #[must_use]
    pub fn gte(self, value: impl Into<Literal>) -> Filter {
        self.compared(value, Test::GreaterOrEqual)
    }

    /// Below that value, and of its type: `$lt`.
    #[must_use]
    pub fn lt(self, value: impl Into<Literal>) -> Filter {
        self.compared(value, Test::Less)
    }

    /// That value or below, and of its type: `$lte`.
    #[must_use]
    pub fn lte(self, value: impl Into<Literal>) -> Filter {
        self.compared(value, Test::LessOrEqual)
    }

    /// The field, or an element of it, is one of the values: `$in`.
    #[must_use]
    pub fn is_in<V: Into<Literal>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.tested(Test::In(choice(values)))
    }

    /// Neither the field nor an element of it is one of the values: `$nin`.
    #[must_use]
    pub fn not_in<V: Into<Literal>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.tested(Test::Not(vec![Test::In(choice(values))]))
    }

    /// The field is an array that holds all of the values, or is the only one: `$all`.
    #[must_use]
    pub fn all<V: Into<Literal>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let tests = values.into_iter().filter_map(|value| operand(&value.into()));
        self.tested(Test::All(tests.map(Test::Equal).collect()))
    }

    /// The field is there, or is not: `$exists`.
    #[must_use]
    pub fn exists(self, wanted: bool) -> Filter {
        self.tested(Test::Exists(wanted))
    }

    /// The field is an array of so many elements: `$size`.
    #[must_use]
    pub fn size(self, len: u32) -> Filter {
        self.tested(Test::Size(len))
    }

    /// The field is an array, one element of which is a document that passes: `$elemMatch`.
    #[must_use]
    pub fn elem_match(self, filter: Filter) -> Filter {
        self.tested(Test::ElementDocument(Box::new(filter.root)))
    }

    /// The field, or an element of it, is of the type of that name: `$type`.
    ///
    /// # Errors
    ///
    /// [`Problem::Operand`] if there is no such type.
    pub fn is_type(self, name: &str) -> Result<Filter, QueryError> {
        match Types::named(name) {
            Some(types) => Ok(self.tested(Test::Type(types))),
            None => Err(self.refuse("$type", "the name of a type", Kind::String)),
        }
    }

    /// The field, or an element of it, is a string that the regular expression finds something
    /// in: `$regex`. The options are letters of `imsxu`.
    ///
    /// # Errors
    ///
    /// [`Problem::Regex`] if it is none, or too large; [`Problem::Operand`] for other options.
    pub fn regex(self, pattern: &str, options: &str) -> Result<Filter, QueryError> {
        if !are_options(options) {
            return Err(self.refuse("$options", "letters of `imsxu`", Kind::String));
        }
        match Pattern::new(pattern, options) {
            Ok(pattern) => Ok(self.tested(Test::Regex(pattern))),
            Err(source) => {
                let (pattern, path) = (pattern.to_owned(), self.path.to_string());
                Err(Problem::Regex { pattern, path, source }.into())
            }
        }
    }

    /// The field, or an element of it, cut off to a whole number, leaves that remainder: `$mod`.
    ///
    /// # Errors
    ///
    /// [`Problem::Operand`] if the divisor is 0.
    pub fn remainder(self, divisor: i64, remainder: i64) -> Result<Filter, QueryError> {
        if divisor == 0 {
            return Err(self.refuse("$mod", "a divisor that is not 0", Kind::Number));
        }
        Ok(self.tested(Test::Mod { divisor, remainder }))
    }

    fn compared(self, value: impl Into<Literal>, test: impl FnOnce(Operand) -> Test) -> Filter {
        match operand(&value.into()) {
            Some(operand) => self.tested(test(operand)),
            None => Filter::all(),
        }
    }

    fn tested(self, test: Test) -> Filter {
        let mut root = Conjunction::default();
        root.add(self.path, test);
        Filter::new(root)
    }

    fn refuse(&self, operator: &str, expected: &'static str, found: Kind) -> QueryError {
        let (operator, path) = (operator.to_owned(), self.path.to_string());
        Problem::Operand { operator, path, expected, found }.into()
    }
}

/// Always there: a literal is well-formed.
fn operand(literal: &Literal) -> Option<Operand> {
    parse::operand(RawValue::new(literal.as_bytes())).ok()
}

fn choice<V: Into<Literal>>(values: impl IntoIterator<Item = V>) -> Choice {
    let values = values.into_iter().filter_map(|value| operand(&value.into()));
    Choice::new(values.collect(), Vec::new())
}

impl Filter {
    /// What passes both: `$and`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.root.add_all(other.root);
        Self::new(self.root)
    }

    /// What passes one of the two, or both: `$or`.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        if self.root.groups.is_empty()
            && let [Junction::Or(branches)] = self.root.others.as_mut_slice()
        {
            branches.push(other.root);
            return Self::new(self.root);
        }
        let mut root = Conjunction::default();
        root.others.push(Junction::Or(vec![self.root, other.root]));
        Self::new(root)
    }
}

/// What does not pass: `$nor`.
impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        let mut root = Conjunction::default();
        root.others.push(Junction::Nor(vec![self.root]));
        Self::new(root)
    }
}
