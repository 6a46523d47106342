//! Filters built by a program, with types that the compiler checks.
//!
//! The rules and limits are those of text. A chain of conditions returns no errors on the way, so a
//! filter keeps its first problem and drops its conditions: every use of it is that error.

use std::ops::Not;
use std::sync::Arc;

use super::Filter;
use super::cost::Cost;
use super::operand::Operand;
use super::parse;
use super::regex::{Pattern, are_options};
use super::tree::{Choice, Conjunction, Junction, Test};
use super::types::Types;
use crate::IntoFilter;
use crate::error::{Problem, QueryError};
use crate::path::Path;
use nanodb_document::{DocumentError, ErrorParts as _, IntoValue, Value, value_to_bytes};
use nanodb_msgpack::{DEPTH_MAX, RawValue, TypeBracket};

/// Begins a condition on the field at a dotted path.
///
/// A path that is refused in text, such as one of more than 100 parts, is an error when the filter
/// is used; [`Filter::check`] reports it earlier.
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
    // As text, such a condition would be an operator; `$comment` would match everything.
    let path = match path.starts_with('$') {
        true => Err(Problem::OperatorAsField { name: path.to_owned() }),
        false => Path::parse(path),
    };
    FieldName { path }
}

/// The subject of a condition; [`field`] returns it, and each method makes a [`Filter`] of it, as
/// in `users.find(field("age").gte(18).and(!field("name").is_in(["Ada", "Eve"])))`.
///
/// Each method is one of MongoDB's operators, which [`operators`](crate::operators#filters) lists.
/// A condition on an array holds if it does for one of its elements.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::field;
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let a = || field("a");
/// for (filter, text) in [
///     (a().eq(5), r#"{"a": 5}"#),
///     (a().ne(5), r#"{"a": {"$ne": 5}}"#),
///     (a().gt(5), r#"{"a": {"$gt": 5}}"#),
///     (a().gte(5), r#"{"a": {"$gte": 5}}"#),
///     (a().lt(5), r#"{"a": {"$lt": 5}}"#),
///     (a().lte(5), r#"{"a": {"$lte": 5}}"#),
///     (a().is_in([5, 6]), r#"{"a": {"$in": [5, 6]}}"#),
///     (a().not_in([5, 6]), r#"{"a": {"$nin": [5, 6]}}"#),
///     (a().all([5, 6]), r#"{"a": {"$all": [5, 6]}}"#),
///     (a().exists(true), r#"{"a": {"$exists": true}}"#),
///     (a().size(2), r#"{"a": {"$size": 2}}"#),
///     (a().elem_match(field("b").eq(5)), r#"{"a": {"$elemMatch": {"b": 5}}}"#),
///     (a().is_type("string"), r#"{"a": {"$type": "string"}}"#),
///     (a().regex("^x", "i"), r#"{"a": {"$regex": "^x", "$options": "i"}}"#),
///     (a().contains("x"), r#"{"a": {"$regex": "x"}}"#),
///     (a().starts_with("x"), r#"{"a": {"$regex": "\\Ax"}}"#),
///     (a().ends_with("x"), r#"{"a": {"$regex": "x\\z"}}"#),
///     (a().remainder(4, 1), r#"{"a": {"$mod": [4, 1]}}"#),
///     (a().lt(3).or(a().gt(5)), r#"{"$or": [{"a": {"$lt": 3}}, {"a": {"$gt": 5}}]}"#),
/// ] {
///     assert_eq!(filter, nanodb::Filter::parse_json(text)?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FieldName {
    path: Result<Path, Problem>,
}

impl FieldName {
    /// Matches if the field, or one of its elements, equals `value`: `$eq`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("age").eq(30).to_string(), r#"{"age": 30}"#);
    /// ```
    #[must_use]
    pub fn eq(self, value: impl IntoValue) -> Filter {
        self.compared("$eq", value, Test::Equal)
    }

    /// Matches if neither the field nor one of its elements equals `value`: `$ne`. A missing field
    /// matches.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("age").ne(30).to_string(), r#"{"age": {"$ne": 30}}"#);
    /// ```
    #[must_use]
    pub fn ne(self, value: impl IntoValue) -> Filter {
        self.compared("$ne", value, |value| Test::Not(vec![Test::Equal(value)]))
    }

    /// Matches if the field is above `value`, and of its type: `$gt`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("age").gt(30).to_string(), r#"{"age": {"$gt": 30}}"#);
    /// ```
    #[must_use]
    pub fn gt(self, value: impl IntoValue) -> Filter {
        self.compared("$gt", value, Test::Greater)
    }

    /// Matches if the field equals `value` or is above it, and is of its type: `$gte`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("age").gte(18).and(field("age").lt(65));
    /// assert_eq!(filter.to_string(), r#"{"age": {"$gte": 18, "$lt": 65}}"#);
    /// ```
    #[must_use]
    pub fn gte(self, value: impl IntoValue) -> Filter {
        self.compared("$gte", value, Test::GreaterOrEqual)
    }

    /// Matches if the field is below `value`, and of its type: `$lt`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("name").lt("n").to_string(), r#"{"name": {"$lt": "n"}}"#);
    /// ```
    #[must_use]
    pub fn lt(self, value: impl IntoValue) -> Filter {
        self.compared("$lt", value, Test::Less)
    }

    /// Matches if the field equals `value` or is below it, and is of its type: `$lte`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("age").lte(30).to_string(), r#"{"age": {"$lte": 30}}"#);
    /// ```
    #[must_use]
    pub fn lte(self, value: impl IntoValue) -> Filter {
        self.compared("$lte", value, Test::LessOrEqual)
    }

    /// Matches if the field, or one of its elements, equals one of `values`: `$in`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("city").is_in(["Berlin", "Hamburg"]);
    /// assert_eq!(filter.to_string(), r#"{"city": {"$in": ["Berlin", "Hamburg"]}}"#);
    /// ```
    #[must_use]
    pub fn is_in<V: IntoValue>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.listed("$in", values, |values| Test::In(Choice::new(values, Vec::new())))
    }

    /// Matches if neither the field nor one of its elements equals one of `values`: `$nin`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("age").not_in([1, 2]).to_string(), r#"{"age": {"$nin": [1, 2]}}"#);
    /// ```
    #[must_use]
    pub fn not_in<V: IntoValue>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let test = |values| Test::Not(vec![Test::In(Choice::new(values, Vec::new()))]);
        self.listed("$nin", values, test)
    }

    /// Matches if the field is an array that contains all of `values`, or is the only one of them:
    /// `$all`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("tags").all(["a", "b"]).to_string(), r#"{"tags": {"$all": ["a", "b"]}}"#);
    /// ```
    #[must_use]
    pub fn all<V: IntoValue>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let test = |values: Vec<_>| Test::All(values.into_iter().map(Test::Equal).collect());
        self.listed("$all", values, test)
    }

    /// Matches if the field exists, even as null, or if it does not: `$exists`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("end").exists(false).to_string(), r#"{"end": {"$exists": false}}"#);
    /// ```
    #[must_use]
    pub fn exists(self, wanted: bool) -> Filter {
        self.tested(Test::Exists(wanted), Cost::ONE)
    }

    /// Matches if the field is an array of `len` elements: `$size`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("tags").size(2).to_string(), r#"{"tags": {"$size": 2}}"#);
    /// ```
    #[must_use]
    pub fn size(self, len: u32) -> Filter {
        self.tested(Test::Size(len), Cost::ONE)
    }

    /// Matches if the field is an array with an element, a document, that matches `filter`:
    /// `$elemMatch`.
    ///
    /// Conditions on elements that are no documents are written as a document or as text, such as
    /// `doc! { "scores": { "$elemMatch": { "$gt": 4, "$lt": 9 } } }`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("items").elem_match(field("qty").gt(5));
    /// assert_eq!(filter.to_string(), r#"{"items": {"$elemMatch": {"qty": {"$gt": 5}}}}"#);
    /// ```
    #[must_use]
    pub fn elem_match(self, filter: impl IntoFilter) -> Filter {
        let filter = filter.into_filter();
        if filter.refused.is_some() {
            return filter;
        }
        let cost = filter.cost.within(0);
        self.tested(Test::ElementDocument(Box::new(filter.into_root())), cost)
    }

    /// Matches if the field, or one of its elements, is of the type with this name: `$type`.
    ///
    /// A name of no type is the error of every use; [`Filter::check`] reports it earlier.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("n").is_type("int").to_string(), r#"{"n": {"$type": "int"}}"#);
    /// assert!(field("n").is_type("integer").check().is_err());
    /// ```
    #[must_use]
    pub fn is_type(self, name: &str) -> Filter {
        match Types::named(name) {
            Some(types) => self.tested(Test::Type(types), Cost::ONE),
            None => self.refuse("$type", "the name of a type", TypeBracket::String),
        }
    }

    /// Matches if the field, or one of its elements, is a string in which the regular expression
    /// finds something: `$regex`. The options are letters of `imsxu`.
    ///
    /// The syntax is that of PCRE; matching takes time linear in the text. An expression that is
    /// wrong, not supported or too large, and other options, are the error of every use;
    /// [`Filter::check`] reports it earlier. [`contains`](Self::contains) and its siblings need no
    /// expression.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("name").regex("^a", "i");
    /// assert_eq!(filter.to_string(), r#"{"name": {"$regex": "^a", "$options": "i"}}"#);
    /// assert!(field("name").regex("(a", "").check().is_err());
    /// ```
    #[must_use]
    pub fn regex(self, pattern: &str, options: &str) -> Filter {
        if !are_options(options) {
            return self.refuse("$options", "letters of `imsxu`", TypeBracket::String);
        }
        match Pattern::new(pattern, options) {
            Ok(pattern) => self.tested(Test::Regex(pattern), Cost::REGEX),
            Err(reason) => {
                let (pattern, path) = (pattern.to_owned(), self.name());
                Filter::refused(Problem::Regex { pattern, path, reason })
            }
        }
    }

    /// Matches if the field, or one of its elements, truncated to a whole number, leaves this
    /// remainder: `$mod`. A divisor of 0 is the error of every use.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert_eq!(field("n").remainder(4, 1).to_string(), r#"{"n": {"$mod": [4, 1]}}"#);
    /// assert!(field("n").remainder(0, 1).check().is_err());
    /// ```
    #[must_use]
    pub fn remainder(self, divisor: i64, remainder: i64) -> Filter {
        if divisor == 0 {
            return self.refuse("$mod", "a divisor that is not 0", TypeBracket::Number);
        }
        let cost = Cost::ONE.beside(Cost::ONE).within(1);
        self.tested(Test::Mod { divisor, remainder }, cost)
    }

    fn compared(
        self,
        operator: &str,
        value: impl IntoValue,
        test: impl FnOnce(Operand) -> Test,
    ) -> Filter {
        match operand(operator, &self.name(), &value.into_value()) {
            Ok((operand, cost)) => self.tested(test(operand), cost),
            Err(problem) => Filter::refused(problem),
        }
    }

    fn listed<V: IntoValue>(
        self,
        operator: &str,
        values: impl IntoIterator<Item = V>,
        test: impl FnOnce(Vec<Operand>) -> Test,
    ) -> Filter {
        let (mut operands, mut all) = (Vec::new(), Cost::default());
        for value in values {
            match operand(operator, &self.name(), &value.into_value()) {
                Ok((operand, cost)) => {
                    operands.push(operand);
                    all = all.beside(cost);
                }
                Err(problem) => return Filter::refused(problem),
            }
        }
        self.tested(test(operands), all.within(1))
    }

    /// Returns the filter of one condition, whose operand has that cost.
    pub(super) fn tested(self, test: Test, operand: Cost) -> Filter {
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

    pub(super) fn name(&self) -> String {
        self.path.as_ref().map(Path::to_string).unwrap_or_default()
    }

    /// Returns the filter of which every use is that this operand is wrong; or that the path is,
    /// which comes first.
    fn refuse(self, operator: &str, expected: &'static str, found: TypeBracket) -> Filter {
        match self.path {
            Ok(path) => {
                let (operator, path) = (operator.to_owned(), path.to_string());
                Filter::refused(Problem::Operand { operator, path, expected, found })
            }
            Err(problem) => Filter::refused(problem),
        }
    }
}

fn operand(operator: &str, path: &str, value: &Value) -> Result<(Operand, Cost), Problem> {
    let mut bytes = Vec::new();
    value_to_bytes(value, &mut bytes).map_err(|error| {
        match error.internal().and_then(|rule| rule.downcast_ref()) {
            Some(DocumentError::TooDeep { .. }) => Problem::TooDeep { depth_max: DEPTH_MAX },
            _ => Problem::Value { reason: error.to_string() },
        }
    })?;
    let value = RawValue::new(&bytes);
    let cost = Cost::of(value)?;
    let operand = parse::comparand(operator, path, value).map_err(|fault| fault.problem)?;
    Ok((operand, cost))
}

impl Filter {
    /// Returns a filter of which every use is this error.
    pub(crate) fn refused(error: impl Into<QueryError>) -> Self {
        Self { refused: Some(Arc::new(error.into())), ..Self::default() }
    }

    /// Returns a filter if it is within the limits. So no filter nests deeper, however it is put
    /// together.
    pub(super) fn built(root: Conjunction, cost: Cost) -> Self {
        match cost.check() {
            Ok(()) => Self::new(root, cost),
            Err(problem) => Self::refused(problem),
        }
    }

    /// Matches if both filters match: `$and`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("age").gt(30).and(field("city").eq("Berlin"));
    /// assert_eq!(filter.to_string(), r#"{"age": {"$gt": 30}, "city": "Berlin"}"#);
    /// ```
    #[must_use]
    pub fn and(self, other: impl IntoFilter) -> Self {
        let other = other.into_filter();
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

    /// Matches if at least one of the filters matches: `$or`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("age").lt(18).or(field("age").gt(65));
    /// assert_eq!(filter.to_string(), r#"{"$or": [{"age": {"$lt": 18}}, {"age": {"$gt": 65}}]}"#);
    /// ```
    #[must_use]
    pub fn or(self, other: impl IntoFilter) -> Self {
        let other = other.into_filter();
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

/// Matches if the filter does not: `$nor`.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::field;
///
/// let filter = !field("city").eq("Berlin");
/// assert_eq!(filter.to_string(), r#"{"$nor": [{"city": "Berlin"}]}"#);
/// ```
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
