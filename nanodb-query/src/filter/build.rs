//! Filters made by a program, their types checked by the compiler.
//!
//! What is refused in text is refused here too, with the same limits. Since conditions are put together
//! without asking for errors, the first problem stays in the filter, whose conditions are dropped: every
//! use of it is that error.

use std::ops::Not;
use std::sync::Arc;

use super::Filter;
use super::cost::Cost;
use super::literal::Literal;
use super::operand::Operand;
use super::parse;
use super::regex::{Pattern, are_options};
use super::tree::{Choice, Conjunction, Junction, Test};
use super::types::Types;
use crate::error::{Problem, QueryError};
use crate::path::Path;
use nanodb_msgpack::{RawValue, TypeBracket};

/// A field that a condition is to be made on, by its dotted path.
///
/// A condition that is refused in text, such as one on a path of more than 100 parts, is an error when
/// the filter is used; [`Filter::check`] says so before.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::field;
///
/// let filter = field("age").gte(30).and(field("city").is_in(["Berlin", "Hamburg"]));
/// assert_eq!(
///     filter.to_string(),
///     r#"{"age": {"$gte": 30}, "city": {"$in": ["Berlin", "Hamburg"]}}"#,
/// );
/// ```
#[must_use]
pub fn field(path: &str) -> FieldName {
    FieldName { path: Path::parse(path) }
}

/// A field, of which a method makes a [`Filter`]; see [`field`].
#[derive(Clone, Debug)]
pub struct FieldName {
    path: Result<Path, Problem>,
}

impl FieldName {
    /// The field, or an element of it, is that value: `$eq`.
    #[must_use]
    pub fn eq(self, value: impl Into<Literal>) -> Filter {
        self.compared("$eq", value, Test::Equal)
    }

    /// Neither the field nor an element of it is that value: `$ne`.
    #[must_use]
    pub fn ne(self, value: impl Into<Literal>) -> Filter {
        self.compared("$ne", value, |value| Test::Not(vec![Test::Equal(value)]))
    }

    /// Above that value, and of its type: `$gt`.
    #[must_use]
    pub fn gt(self, value: impl Into<Literal>) -> Filter {
        self.compared("$gt", value, Test::Greater)
    }

    /// That value or above, and of its type: `$gte`.
    #[must_use]
    pub fn gte(self, value: impl Into<Literal>) -> Filter {
        self.compared("$gte", value, Test::GreaterOrEqual)
    }

    /// Below that value, and of its type: `$lt`.
    #[must_use]
    pub fn lt(self, value: impl Into<Literal>) -> Filter {
        self.compared("$lt", value, Test::Less)
    }

    /// That value or below, and of its type: `$lte`.
    #[must_use]
    pub fn lte(self, value: impl Into<Literal>) -> Filter {
        self.compared("$lte", value, Test::LessOrEqual)
    }

    /// The field, or an element of it, is one of the values: `$in`.
    #[must_use]
    pub fn is_in<V: Into<Literal>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.listed("$in", values, |values| Test::In(Choice::new(values, Vec::new())))
    }

    /// Neither the field nor an element of it is one of the values: `$nin`.
    #[must_use]
    pub fn not_in<V: Into<Literal>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let test = |values| Test::Not(vec![Test::In(Choice::new(values, Vec::new()))]);
        self.listed("$nin", values, test)
    }

    /// The field is an array that holds all of the values, or is the only one: `$all`.
    #[must_use]
    pub fn all<V: Into<Literal>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let test = |values: Vec<_>| Test::All(values.into_iter().map(Test::Equal).collect());
        self.listed("$all", values, test)
    }

    /// The field is there, or is not: `$exists`.
    #[must_use]
    pub fn exists(self, wanted: bool) -> Filter {
        self.tested(Test::Exists(wanted), Cost::ONE)
    }

    /// The field is an array of so many elements: `$size`.
    #[must_use]
    pub fn size(self, len: u32) -> Filter {
        self.tested(Test::Size(len), Cost::ONE)
    }

    /// The field is an array, one element of which is a document that passes: `$elemMatch`.
    #[must_use]
    pub fn elem_match(self, filter: Filter) -> Filter {
        if filter.refused.is_some() {
            return filter;
        }
        let cost = filter.cost.within(0);
        self.tested(Test::ElementDocument(Box::new(filter.into_root())), cost)
    }

    /// The field, or an element of it, is of the type of that name: `$type`.
    ///
    /// # Errors
    ///
    /// [`Problem::Operand`] if there is no such type.
    pub fn is_type(self, name: &str) -> Result<Filter, QueryError> {
        match Types::named(name) {
            Some(types) => self.tested(Test::Type(types), Cost::ONE).checked(),
            None => Err(self.refuse("$type", "the name of a type", TypeBracket::String)),
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
            return Err(self.refuse("$options", "letters of `imsxu`", TypeBracket::String));
        }
        match Pattern::new(pattern, options) {
            Ok(pattern) => self.tested(Test::Regex(pattern), Cost::REGEX).checked(),
            Err(reason) => {
                let (pattern, path) = (pattern.to_owned(), self.name());
                Err(Problem::Regex { pattern, path, reason }.into())
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
            return Err(self.refuse("$mod", "a divisor that is not 0", TypeBracket::Number));
        }
        let cost = Cost::ONE.beside(Cost::ONE).within(1);
        self.tested(Test::Mod { divisor, remainder }, cost).checked()
    }

    fn compared(
        self,
        operator: &str,
        value: impl Into<Literal>,
        test: impl FnOnce(Operand) -> Test,
    ) -> Filter {
        match operand(operator, &self.name(), &value.into()) {
            Ok((operand, cost)) => self.tested(test(operand), cost),
            Err(problem) => Filter::refused(problem),
        }
    }

    fn listed<V: Into<Literal>>(
        self,
        operator: &str,
        values: impl IntoIterator<Item = V>,
        test: impl FnOnce(Vec<Operand>) -> Test,
    ) -> Filter {
        let (mut operands, mut all) = (Vec::new(), Cost::default());
        for value in values {
            match operand(operator, &self.name(), &value.into()) {
                Ok((operand, cost)) => {
                    operands.push(operand);
                    all = all.beside(cost);
                }
                Err(problem) => return Filter::refused(problem),
            }
        }
        self.tested(test(operands), all.within(1))
    }

    /// The filter of one condition, whose operand has that cost.
    fn tested(self, test: Test, operand: Cost) -> Filter {
        // An object of operators within the object of the field.
        let levels =
            if matches!(&test, Test::Equal(operand) if !operand.has_dollar()) { 1 } else { 2 };
        match self.path {
            Ok(path) => {
                let mut root = Conjunction::default();
                root.add(path, test);
                Filter::built(root, operand.within(levels))
            }
            Err(problem) => Filter::refused(problem),
        }
    }

    fn name(&self) -> String {
        self.path.as_ref().map(Path::to_string).unwrap_or_default()
    }

    fn refuse(self, operator: &str, expected: &'static str, found: TypeBracket) -> QueryError {
        let (operator, path) = (operator.to_owned(), self.name());
        Problem::Operand { operator, path, expected, found }.into()
    }
}

fn operand(operator: &str, path: &str, literal: &Literal) -> Result<(Operand, Cost), Problem> {
    let value = RawValue::new(literal.as_bytes().map_err(Problem::clone)?);
    let cost = Cost::of(value)?;
    let operand = parse::comparand(operator, path, value).map_err(|fault| fault.problem)?;
    Ok((operand, cost))
}

impl Filter {
    /// A filter that is not asked about documents: all uses of it are that problem.
    fn refused(problem: Problem) -> Self {
        Self { refused: Some(Arc::new(problem.into())), ..Self::default() }
    }

    /// A filter within the limits. So it never nests deeper, however it is put together.
    fn built(root: Conjunction, cost: Cost) -> Self {
        match cost.check() {
            Ok(()) => Self::new(root, cost),
            Err(problem) => Self::refused(problem),
        }
    }

    fn checked(self) -> Result<Self, QueryError> {
        self.check().map(|()| self)
    }

    /// What passes both: `$and`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.refused.is_some() || other.is_all() {
            return self;
        }
        if other.refused.is_some() || self.is_all() {
            return other;
        }
        let cost = self.cost.joined(other.cost);
        let mut root = self.into_root();
        root.add_all(other.into_root());
        Self::built(root, cost)
    }

    /// What passes one of the two, or both: `$or`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.refused.is_some() {
            return self;
        }
        if other.refused.is_some() {
            return other;
        }
        let (own, added) = (self.cost, other.cost.as_branch());
        let mut root = self.into_root();
        if root.groups.is_empty()
            && let [Junction::Or(branches)] = root.others.as_mut_slice()
        {
            branches.push(other.into_root());
            return Self::built(root, own.beside(added));
        }
        let branches = vec![root, other.into_root()];
        let root = Conjunction { others: vec![Junction::Or(branches)], ..Conjunction::default() };
        Self::built(root, own.within(2).beside(added))
    }
}

/// What does not pass: `$nor`.
impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        if self.refused.is_some() {
            return self;
        }
        let cost = self.cost.within(2);
        let branches = vec![self.into_root()];
        let root = Conjunction { others: vec![Junction::Nor(branches)], ..Conjunction::default() };
        Self::built(root, cost)
    }
}
