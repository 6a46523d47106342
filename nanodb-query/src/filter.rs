//! Filters: which documents a query returns.
//!
//! A filter is parsed once into a tree ([`tree`]) and then evaluated on each document's bytes
//! ([`eval`]). It is read from JSON text or MessagePack ([`parse`]), or built by [`field`] and its
//! methods ([`build`]), and it prints itself ([`mod@print`]). A search for a string that every
//! match must contain rejects most documents without the tree ([`prefilter`]).

mod bits;
pub(crate) mod build;
mod cost;
mod elements;
mod eval;
mod matched;
mod name;
mod operand;
mod parse;
#[cfg(feature = "regex")]
mod pcre;
#[cfg(feature = "regex")]
mod prefilter;
#[cfg(not(feature = "regex"))]
#[path = "filter/no_prefilter.rs"]
mod prefilter;
mod print;
mod regex;
mod text;
mod tree;
mod types;

use std::fmt;
use std::sync::Arc;

use self::cost::Cost;
pub use self::elements::ElementFilter;
pub(crate) use self::operand::Operand;
pub(crate) use self::parse::operand;
use self::prefilter::Prefilter;
pub(crate) use self::regex::Pattern;
pub(crate) use self::tree::{Choice, Condition, Conjunction, Junction, Test};
pub(crate) use self::types::Types;
use crate::error::{ApplyError, QueryError};
use crate::fault::Fault;
#[cfg(feature = "json")]
use crate::json::Text;
use crate::json::print_string;
use crate::limits::{check, count_patterns};
use crate::path::Path;
use nanodb_document::Error;
use nanodb_msgpack::RawValue;

/// Selects documents, by MongoDB's rules.
///
/// Verbs such as `users.find(&adults)` and `users.delete_many(doc! { "age": { "$lt": 18 } })` take
/// it as [`field`](crate::field) builds it, as `doc!` writes it down, or as text says it;
/// [`operators`](crate::operators#filters) lists all operators.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::{Filter, field};
///
/// # fn main() -> nanodb::Result<()> {
/// let adults = field("age").gte(18).and(field("city").eq("Berlin"));
/// let text = r#"{"age": {"$gte": 18}, "city": "Berlin"}"#;
/// assert_eq!(Filter::parse_json(text)?, adults);
/// assert_eq!(adults.to_string(), text);
///
/// // What is wrong is said with its place.
/// let error = Filter::parse_json(r#"{"age": {"$gtt": 18}}"#).unwrap_err();
/// assert_eq!(error.to_string(), "unknown operator `$gtt` on `age` at line 1, column 10");
/// # Ok(())
/// # }
/// ```
///
/// Cloning is cheap: clones share the tree.
#[derive(Clone, Default)]
pub struct Filter {
    root: Arc<Conjunction>,
    /// Finds text that every match contains.
    prefilter: Option<Prefilter>,
    cost: Cost,
    /// The first problem of a filter that was built of something refused. Every use of it is this
    /// error, and the tree is empty.
    refused: Option<Arc<QueryError>>,
}

impl Filter {
    /// Returns the filter that every document matches, `{}`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Filter;
    ///
    /// assert!(Filter::all().is_all());
    /// assert_eq!(Filter::all().to_string(), "{}");
    /// ```
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Reads a filter from JSON text.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Filter;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// Filter::parse_json(r#"{"age": {"$gte": 30}}"#)?;
    /// let error = Filter::parse_json(r#"{"age": {"$size": "x"}}"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`$size` on `age` takes a whole number from 0, not a string at line 1, column 19",
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error says what is wrong, and where in
    /// the text.
    #[cfg(feature = "json")]
    pub fn parse_json(text: &str) -> Result<Self, Error> {
        let text = Text::parse(text)?;
        let parsed = Self::parse_value(text.value())
            .map_err(|fault| text.locate(fault.problem, fault.tail))?;
        text.check_filter_literals(text.value())?;
        text.check_values()?;
        Ok(parsed)
    }

    /// Same as [`FilterBytes::parse`](crate::bytes::FilterBytes::parse).
    pub(crate) fn parse(document: &[u8]) -> Result<Self, QueryError> {
        let value = RawValue::new(document);
        check(value)?;
        Ok(Self::parse_value(value).map_err(|fault| fault.problem)?)
    }

    /// Reads a part of a query that has been checked already.
    pub(crate) fn parse_value(value: RawValue<'_>) -> Result<Self, Fault<'_>> {
        let root = parse::parse_filter(value)?;
        Ok(Self::new(root, Cost::of_parsed(value, count_patterns(value))))
    }

    fn new(root: Conjunction, cost: Cost) -> Self {
        let prefilter = Prefilter::of(&root);
        Self { root: Arc::new(root), prefilter, cost, refused: None }
    }

    /// Returns the tree, which is empty if the filter is [refused](Self::checked).
    pub(crate) fn root(&self) -> &Conjunction {
        &self.root
    }

    /// Returns the filter of a branch of an `$or`.
    pub(crate) fn of_branch(branch: &Conjunction) -> Self {
        Self::new(branch.clone(), Cost::default())
    }

    fn into_root(self) -> Conjunction {
        Arc::unwrap_or_clone(self.root)
    }

    /// Reports whether this filter can be used.
    ///
    /// A parsed filter always can. A filter that a program built may contain something that is
    /// refused in text too, such as a path that is too long; then every use of it fails with the
    /// error that this returns.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// assert!(field("a").eq(5).check().is_ok());
    /// let error = field(&"a.".repeat(200)).eq(5).check().unwrap_err();
    /// assert!(error.to_string().contains("has more than 100 parts"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error of the first part that is
    /// refused.
    pub fn check(&self) -> Result<(), Error> {
        Ok(self.checked()?)
    }

    /// The same, as this crate knows the error.
    pub(crate) fn checked(&self) -> Result<(), QueryError> {
        self.refused.as_deref().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Same as [`FilterBytes::matches`](crate::bytes::FilterBytes::matches).
    #[inline]
    pub(crate) fn matches(&self, document: &[u8]) -> Result<bool, ApplyError> {
        if let Some(error) = &self.refused {
            return Err((&**error).into());
        }
        if self.prefilter.as_ref().is_some_and(|prefilter| prefilter.excludes(document)) {
            return Ok(false);
        }
        Ok(self.root.matches(RawValue::new(document))?)
    }

    /// Returns whether every document matches, as for `{}`.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.root.is_empty() && self.refused.is_none()
    }

    /// Same as [`FilterBytes::matched_element`](crate::bytes::FilterBytes::matched_element).
    pub(crate) fn matched_element(&self, document: &[u8]) -> Result<Option<u32>, ApplyError> {
        if let Some(error) = &self.refused {
            return Err((&**error).into());
        }
        Ok(self.root.matched_element(RawValue::new(document))?)
    }

    /// Returns the name that all paths begin with, if it is one name.
    pub(crate) fn only_name(&self) -> Option<&str> {
        let mut names = Vec::new();
        self.root.first_names(&mut names);
        let first = *names.first()?;
        names.iter().all(|&name| name == first).then_some(first)
    }

    /// Returns the values that the filter demands for paths.
    pub(crate) fn equalities(&self) -> impl Iterator<Item = (&Path, &Operand)> {
        self.root.equalities()
    }

    /// Same as [`FilterBytes::wanted_ids`](crate::bytes::FilterBytes::wanted_ids).
    pub(crate) fn wanted_ids(&self) -> Option<Vec<Vec<u8>>> {
        self.root.wanted_ids()
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        // The prefilter follows from the tree.
        self.root == other.root && self.refused == other.refused
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({self})")
    }
}

/// Prints JSON that [`Filter::parse_json`] reads back as an equal filter. A filter that
/// [`check`](Filter::check) refuses prints text that is refused too.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.refused {
            f.write_str(r#"{"$refused": "#)?;
            print_string(&error.to_string(), f)?;
            return f.write_str("}");
        }
        print::print_conjunction(&self.root, f)
    }
}

#[cfg(feature = "json")]
impl std::str::FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse_json(text)
    }
}
