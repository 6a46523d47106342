//! Filters: which documents are wanted.
//!
//! A filter is parsed once into a tree ([`tree`]) and then asked about each document's bytes
//! ([`eval`]). It comes from text or MessagePack ([`parse`]) or from [`field`] and its methods
//! ([`build`]), and prints itself ([`print`]). Most documents that do not pass for want of a string are told
//! without the tree ([`prefilter`]).

mod bits;
pub(crate) mod build;
mod cost;
mod elements;
mod eval;
mod literal;
mod matched;
mod name;
mod operand;
mod parse;
mod pcre;
mod prefilter;
mod print;
mod regex;
mod tree;
mod types;

use std::fmt;
use std::sync::Arc;

use self::cost::Cost;
pub use self::elements::ElementFilter;
pub use self::literal::Literal;
pub(crate) use self::operand::Operand;
pub(crate) use self::parse::operand;
use self::prefilter::Prefilter;
use self::tree::Conjunction;
use crate::error::{ApplyError, QueryError};
use crate::fault::Fault;
use crate::json::{Text, print_string};
use crate::limits::{check, count_patterns};
use crate::path::Path;
use nanodb_msgpack::RawValue;

/// Which documents are wanted, by MongoDB's rules.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::{Filter, field};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let parsed = Filter::parse_json(r#"{"age": {"$gte": 30}, "city": "Berlin"}"#)?;
/// let built = field("age").gte(30).and(field("city").eq("Berlin"));
/// assert_eq!(parsed, built);
/// assert_eq!(built.to_string(), r#"{"age": {"$gte": 30}, "city": "Berlin"}"#);
///
/// // {"age": 31, "city": "Berlin"}
/// let document = b"\x82\xa3age\x1f\xa4city\xa6Berlin";
/// assert!(parsed.matches(document)?);
/// # Ok(())
/// # }
/// ```
///
/// Copying one copies references.
#[derive(Clone, Default)]
pub struct Filter {
    root: Arc<Conjunction>,
    /// Text that every document has that passes.
    prefilter: Option<Prefilter>,
    cost: Cost,
    /// Why there is nothing to ask documents about: the filter was built of what is refused. The tree is
    /// empty then.
    refused: Option<Arc<QueryError>>,
}

impl Filter {
    /// The filter that every document passes, `{}`.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Reads a filter from JSON text.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong with it and where.
    pub fn parse_json(text: &str) -> Result<Self, QueryError> {
        let text = Text::parse(text)?;
        let parsed = Self::parse_value(text.value())
            .map_err(|fault| text.locate(fault.problem, fault.tail))?;
        text.check_filter_literals(text.value())?;
        text.check_values().map(|()| parsed)
    }

    /// Reads a filter from a document in MessagePack.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong with it.
    pub fn parse(document: &[u8]) -> Result<Self, QueryError> {
        let value = RawValue::new(document);
        check(value)?;
        Ok(Self::parse_value(value).map_err(|fault| fault.problem)?)
    }

    /// Reads a filter within a query that was checked already.
    pub(crate) fn parse_value(value: RawValue<'_>) -> Result<Self, Fault<'_>> {
        let root = parse::parse_filter(value)?;
        Ok(Self::new(root, Cost::of_parsed(value, count_patterns(value))))
    }

    fn new(root: Conjunction, cost: Cost) -> Self {
        let prefilter = Prefilter::of(&root);
        Self { root: Arc::new(root), prefilter, cost, refused: None }
    }

    fn into_root(self) -> Conjunction {
        Arc::unwrap_or_clone(self.root)
    }

    /// Whether documents can be asked about: a filter that was parsed can; one that was built can, unless a
    /// part of it is refused in text too.
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
    /// The first [`QueryError`] of its parts.
    pub fn check(&self) -> Result<(), QueryError> {
        self.refused.as_deref().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Whether a document passes.
    ///
    /// Costs one walk over the document's fields, as far as the wanted ones go, for all conditions
    /// that must hold; each `$or`, `$nor` or dotted path through an array may cost one of its own.
    /// A document of up to 4 KiB is first searched for a string that it must have to pass, where the filter
    /// names one: that is faster by far than a walk. Nothing is allocated, but by regular expressions when first
    /// used on a thread.
    ///
    /// # Errors
    ///
    /// [`ApplyError::Malformed`] if the bytes are wrong where they were looked at, [`ApplyError::Query`] as
    /// [`check`](Self::check).
    #[inline]
    pub fn matches(&self, document: &[u8]) -> Result<bool, ApplyError> {
        if let Some(error) = &self.refused {
            return Err((&**error).into());
        }
        if self.prefilter.as_ref().is_some_and(|prefilter| prefilter.excludes(document)) {
            return Ok(false);
        }
        Ok(self.root.matches(RawValue::new(document))?)
    }

    /// Whether every document passes.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.root.is_empty() && self.refused.is_none()
    }

    /// Of a document that passes, the index of the array's element by which it does: what `$` stands
    /// for in an update. `None` if the filter does not look into an array.
    ///
    /// Where the filter looks into several arrays, it is that of the last condition that does.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// // {"a": [7, 8, 9]}
    /// let document = b"\x81\xa1a\x93\x07\x08\x09";
    /// assert_eq!(field("a").gt(7).matched_element(document)?, Some(1));
    /// # Ok::<(), nanodb::ApplyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`matches`](Self::matches).
    pub fn matched_element(&self, document: &[u8]) -> Result<Option<u32>, ApplyError> {
        if let Some(error) = &self.refused {
            return Err((&**error).into());
        }
        Ok(self.root.matched_element(RawValue::new(document))?)
    }

    /// The name that all of its paths begin with, if there is one.
    pub(crate) fn only_name(&self) -> Option<&str> {
        let mut names = Vec::new();
        self.root.first_names(&mut names);
        let first = *names.first()?;
        names.iter().all(|&name| name == first).then_some(first)
    }

    /// What a document must have to pass, as far as the filter names values for paths.
    pub(crate) fn equalities(&self) -> impl Iterator<Item = (&Path, &Operand)> {
        self.root.equalities()
    }

    /// What `_id` must equal to pass, as MessagePack bytes: one value, or several for `$in`. `None`
    /// if the filter does not say so. Other documents do not pass, but not all of these need to.
    #[must_use]
    pub fn wanted_ids(&self) -> Option<Vec<Vec<u8>>> {
        self.root.wanted_ids()
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        // The prefilter follows from the tree.
        self.root == other.root && self.refused == other.refused
    }
}

/// So that what takes a filter takes one that is to be used again, too.
impl From<&Self> for Filter {
    fn from(filter: &Self) -> Self {
        filter.clone()
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({self})")
    }
}

/// Prints JSON that [`Filter::parse_json`] reads back as an equal filter; of one that was built of what is
/// refused, text that is refused too.
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

impl std::str::FromStr for Filter {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Self::parse_json(text)
    }
}
