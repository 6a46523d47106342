//! Sorts: in which order a query returns documents.
//!
//! The place of a document is a key of bytes, made once for each document and compared as bytes.
//! The rules for the values that a path leads to are MongoDB's, and differ from those of filters:
//!
//! 1. A missing value sorts like null.
//! 2. An array sorts by its least element, descending by its greatest; an empty array sorts before
//!    null.
//! 3. Where a path goes on from an array, each element counts. An element that is not a document,
//!    and an empty array, count as missing. A number that is an index of the array leads to that
//!    element only.

use std::fmt;

use crate::entries::entries;
use crate::error::{ApplyError, Problem, QueryError};
use crate::fault::{Fault, fault};
#[cfg(feature = "json")]
use crate::json::Text;
use crate::json::print_string;
use crate::limits::{QUERY_NODES_MAX, check};
use crate::path::{Part, Path, step};
use nanodb_document::Error;
use nanodb_msgpack::{Malformed, RawValue, TypeBracket};
use nanodb_msgpack::{encode_empty_array_key, encode_key};

/// Orders documents by one or more fields, as in `users.find(adults).sort(by_age).limit(10)`.
///
/// [`operators`](crate::operators#sorts) says how values of different types, arrays and missing
/// fields are ordered.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::Sort;
///
/// let by_age = Sort::descending("age").then_ascending("name");
/// assert_eq!(by_age.to_string(), r#"{"age": -1, "name": 1}"#);
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct Sort {
    fields: Vec<SortField>,
    /// The first problem of the paths that a program named.
    refused: Option<Box<QueryError>>,
}

/// The most fields of a sort that a program builds: in text, the object counts as a value, too.
const BUILT_FIELDS_MAX: usize = QUERY_NODES_MAX - 1;

#[derive(Clone, Debug, PartialEq)]
struct SortField {
    path: Path,
    descending: bool,
}

impl Sort {
    /// Returns a sort by one path, in ascending order.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Sort;
    ///
    /// assert_eq!(Sort::ascending("age").to_string(), r#"{"age": 1}"#);
    /// ```
    #[must_use]
    pub fn ascending(path: &str) -> Self {
        Self::default().then_ascending(path)
    }

    /// Returns a sort by one path, in descending order.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Sort;
    ///
    /// assert_eq!(Sort::descending("age").to_string(), r#"{"age": -1}"#);
    /// ```
    #[must_use]
    pub fn descending(path: &str) -> Self {
        Self::default().then_descending(path)
    }

    /// Orders documents that are equal so far by another path, ascending.
    ///
    /// A path may be named again: of arrays, the least and the greatest element count in turn. In
    /// text each path is named once.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Sort;
    ///
    /// let sort = Sort::descending("age").then_ascending("name");
    /// assert_eq!(sort.to_string(), r#"{"age": -1, "name": 1}"#);
    /// ```
    #[must_use]
    pub fn then_ascending(self, path: &str) -> Self {
        self.then(path, false)
    }

    /// Orders documents that are equal so far by another path, descending.
    #[must_use]
    pub fn then_descending(self, path: &str) -> Self {
        self.then(path, true)
    }

    fn then(mut self, path: &str, descending: bool) -> Self {
        if self.refused.is_some() {
            return self;
        }
        match self.next_path(path) {
            Ok(path) => self.fields.push(SortField { path, descending }),
            Err(problem) => self.refused = Some(Box::new(problem.into())),
        }
        self
    }

    /// Returns the path of one more field, within the limits of text.
    fn next_path(&self, path: &str) -> Result<Path, Problem> {
        if self.fields.len() >= BUILT_FIELDS_MAX {
            return Err(Problem::TooManyNodes { nodes_max: QUERY_NODES_MAX });
        }
        Path::parse(path)
    }

    /// Returns a sort of which every use is this error.
    pub(crate) fn refused(error: QueryError) -> Self {
        Self { fields: Vec::new(), refused: Some(Box::new(error)) }
    }

    /// Reports whether this sort can be used.
    ///
    /// A parsed sort always can; one that was built can unless text would be refused for the same
    /// reason.
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid), if a path is too long, or there are too
    /// many: whichever came first.
    pub fn check(&self) -> Result<(), Error> {
        Ok(self.checked()?)
    }

    /// The same, as this crate knows the error.
    pub(crate) fn checked(&self) -> Result<(), QueryError> {
        self.refused.as_deref().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Reads a sort from JSON text: an object of paths, each with 1 or -1.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Sort;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let sort = Sort::parse_json(r#"{"age": -1, "name": 1}"#)?;
    /// assert_eq!(sort, Sort::descending("age").then_ascending("name"));
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
        Ok(parse(text.value()).map_err(|fault| text.locate(fault.problem, fault.tail))?)
    }

    /// Same as [`SortBytes::parse`](crate::bytes::SortBytes::parse).
    pub(crate) fn parse(document: &[u8]) -> Result<Self, QueryError> {
        let value = RawValue::new(document);
        check(value)?;
        Ok(parse(value).map_err(|fault| fault.problem)?)
    }

    /// Reads a sort within a query that has been checked already.
    pub(crate) fn parse_value(value: RawValue<'_>) -> Result<Self, Fault<'_>> {
        parse(value)
    }

    /// Returns whether this sort names no field, so that documents keep their order.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.refused.is_none()
    }

    /// Returns the paths, each with whether it is descending.
    pub(crate) fn fields(&self) -> impl ExactSizeIterator<Item = (&Path, bool)> {
        self.fields.iter().map(|field| (&field.path, field.descending))
    }

    /// Same as [`SortBytes::append_key`](crate::bytes::SortBytes::append_key).
    pub(crate) fn append_key(&self, document: &[u8], out: &mut Vec<u8>) -> Result<(), ApplyError> {
        if let Some(error) = &self.refused {
            return Err((&**error).into());
        }
        for SortField { path, descending } in &self.fields {
            let start = out.len();
            let mut best = BestKey { out: &mut *out, start, descending: *descending };
            best.walk(RawValue::new(document), path.parts())?;
        }
        Ok(())
    }
}

/// The key of the best value so far, at the end of the bytes; empty before the first.
struct BestKey<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    descending: bool,
}

impl BestKey<'_> {
    fn walk(&mut self, container: RawValue<'_>, parts: &[Part]) -> Result<(), Malformed> {
        match parts.split_first() {
            None => self.end(Some(container)),
            Some((first, rest)) => {
                let found = step(container, first)?;
                self.walk_on(found, rest)
            }
        }
    }

    fn walk_on(&mut self, found: Option<RawValue<'_>>, rest: &[Part]) -> Result<(), Malformed> {
        let (Some(value), Some((first, after))) = (found, rest.split_first()) else {
            return self.end(found);
        };
        if value.is_map() {
            return self.walk(value, rest);
        }
        let Some(elements) = value.elements().filter(|elements| !elements.is_empty()) else {
            return self.end(None);
        };
        if let Some(index) = first.index().filter(|&index| index < elements.len()) {
            return self.walk_on(value.element(index)?, after);
        }
        for element in elements {
            let element = element?;
            if element.is_map() {
                self.walk(element, rest)?;
            } else {
                self.end(None)?;
            }
        }
        Ok(())
    }

    /// Offers the values at the end of the path.
    fn end(&mut self, found: Option<RawValue<'_>>) -> Result<(), Malformed> {
        let Some(elements) = found.and_then(RawValue::elements) else {
            return self.offer(|out| encode_key(found, out));
        };
        if elements.is_empty() {
            return self.offer(|out| {
                encode_empty_array_key(out);
                Ok(())
            });
        }
        for element in elements {
            let element = element?;
            self.offer(|out| encode_key(Some(element), out))?;
        }
        Ok(())
    }

    /// Keeps the key that `write` writes if it is less than the one before.
    fn offer(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let middle = self.out.len();
        write(self.out)?;
        if self.descending {
            // With all bits flipped, the greatest key is the least.
            self.out.iter_mut().skip(middle).for_each(|byte| *byte = !*byte);
        }
        let (old, new) = match self
            .out
            .get(self.start..)
            .and_then(|keys| keys.split_at_checked(middle - self.start))
        {
            Some(pair) => pair,
            None => return Ok(()),
        };
        if old.is_empty() {
            return Ok(());
        }
        if new < old {
            self.out.drain(self.start..middle);
        } else {
            self.out.truncate(middle);
        }
        Ok(())
    }
}

fn parse(value: RawValue<'_>) -> Result<Sort, Fault<'_>> {
    if !value.is_map() {
        let found = value.bracket().unwrap_or(TypeBracket::Null);
        return Err(fault(Problem::NotADocument { what: "a sort", found }, value));
    }
    let mut fields = Vec::new();
    for entry in entries(value) {
        let path = Path::parse(entry.name);
        let path = path.map_err(|problem| Fault { problem, tail: entry.tail })?;
        let direction = entry.value.token().ok().and_then(|token| token.number()?.as_whole());
        let descending = match direction {
            Some(1) => false,
            Some(-1) => true,
            _ => {
                return Err(fault(Problem::Direction { path: entry.name.to_owned() }, entry.value));
            }
        };
        fields.push(SortField { path, descending });
    }
    Ok(Sort { fields, refused: None })
}

impl fmt::Debug for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sort({self})")
    }
}

/// Prints JSON that [`Sort::parse_json`] reads back as an equal sort. One that
/// [`check`](Sort::check) refuses, or that names a path twice, prints text that is refused too.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.refused {
            f.write_str(r#"{"$refused": "#)?;
            print_string(&error.to_string(), f)?;
            return f.write_str("}");
        }
        f.write_str("{")?;
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            print_string(field.path.as_str(), f)?;
            f.write_str(if field.descending { ": -1" } else { ": 1" })?;
        }
        f.write_str("}")
    }
}

#[cfg(feature = "json")]
impl std::str::FromStr for Sort {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse_json(text)
    }
}
