//! Projections: which fields of a document a query returns.
//!
//! Paths become a tree of names ([`Node`]), and a document is copied along it. The rules are
//! MongoDB's:
//!
//! 1. Fields are either included or excluded. `_id` is included unless it is excluded.
//! 2. A path goes on in every document of an array, and of arrays within it. An inclusion drops
//!    elements that are not documents, an exclusion keeps them; the same holds of a scalar where
//!    the path goes on. A number is a name, never an index.
//! 3. `$slice` keeps a part of an array, and leaves other values as they are. Alone it includes all
//!    other fields. `$elemMatch` keeps the first element that matches; the field is left out if
//!    none does, or if it is not an array. If nothing else decides, `$elemMatch` includes, unless
//!    there is a `$slice` as well.
//! 4. `"a.$"` includes an array with one element: the one by which the document matched the filter,
//!    in the first array on the path.
//! 5. Fields keep the order in which they are stored.

mod apply;
mod parse;
mod print;

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{ApplyError, Problem, QueryError};
use crate::filter::ElementFilter;
#[cfg(feature = "json")]
use crate::json::Text;
use crate::json::print_string;
use crate::limits::{QUERY_NODES_MAX, check};
use nanodb_document::Error;
use nanodb_msgpack::RawValue;

/// Selects the fields of a document that a query returns, as in
/// `users.find(adults).projection(names)`.
///
/// [`operators`](crate::operators#projections) lists what text can say as well, such as `$slice`.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::Projection;
///
/// # fn main() -> nanodb::Result<()> {
/// let names = Projection::include(["name", "address.city"]).without_id();
/// let text = r#"{"address.city": 1, "name": 1, "_id": 0}"#;
/// assert_eq!(names.to_string(), text);
/// assert_eq!(Projection::parse_json(text)?, names);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct Projection {
    mode: Mode,
    fields: Fields,
    /// The path before `.$`.
    positional: Option<Box<str>>,
    /// The first problem of a projection that was made of something refused. Every use of it is
    /// this error.
    refused: Option<Box<QueryError>>,
}

/// Whether the named fields are kept, or all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Include,
    Exclude,
}

/// The names below a document, and what to do with each.
type Fields = BTreeMap<Box<str>, Node>;

/// What to do with a field.
#[derive(Clone, PartialEq, Debug)]
enum Node {
    /// Keep it or leave it out, as the mode says.
    Whole,
    /// Keep it; of the first array on the way keep the element by which the document matched.
    Matched,
    /// The path goes on.
    Below(Fields),
    Slice(Slice),
    ElemMatch(ElementFilter),
}

/// A part of an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slice {
    /// Elements from the start.
    First(u32),
    /// Elements from the end.
    Last(u32),
    /// Elements after the first `skip`, which counts from the end if negative.
    Range { skip: i64, limit: u32 },
}

/// The most paths of a projection that a program builds: as text, the object and `_id` are beside
/// them.
const BUILT_PATHS_MAX: usize = QUERY_NODES_MAX - 2;

impl Projection {
    /// Returns the projection that keeps documents as they are, `{}`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Projection;
    ///
    /// assert!(Projection::all().is_all());
    /// ```
    #[must_use]
    pub fn all() -> Self {
        Self { mode: Mode::Exclude, fields: Fields::new(), positional: None, refused: None }
    }

    /// Returns a projection of which every use is this error.
    pub(crate) fn refused(error: QueryError) -> Self {
        Self { refused: Some(Box::new(error)), ..Self::all() }
    }

    /// Reports whether this projection can be used.
    ///
    /// A parsed projection always can. One that a program built, or converted from a document, may
    /// have something that is refused in text too, such as a path that leads through another; then
    /// every use of it fails with the error that this returns.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Projection;
    ///
    /// assert!(Projection::include(["name"]).check().is_ok());
    /// let error = Projection::include(["address", "address.city"]).check().unwrap_err();
    /// assert_eq!(error.to_string(), "the paths `address` and `address.city` collide");
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error for which it is refused.
    pub fn check(&self) -> Result<(), Error> {
        self.refused.as_deref().map_or(Ok(()), |error| Err(error.clone().into()))
    }

    /// Returns the projection that keeps only the fields at these paths, and `_id`.
    ///
    /// What text is refused for is the error of every use: one path leads through another, is too
    /// long or has a name that begins with `$`; or there are too many. [`check`](Self::check)
    /// reports it earlier.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Projection;
    ///
    /// let projection = Projection::include(["name", "address.city"]).without_id();
    /// assert_eq!(projection.to_string(), r#"{"address.city": 1, "name": 1, "_id": 0}"#);
    ///
    /// let names: Vec<String> = vec!["age".into()];
    /// assert_eq!(Projection::include(&names).to_string(), r#"{"age": 1}"#);
    /// ```
    #[must_use]
    pub fn include<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Self {
        let mut projection = Self::built(Mode::Include, paths);
        if projection.refused.is_none() {
            projection.fields.entry("_id".into()).or_insert(Node::Whole);
        }
        projection
    }

    /// Returns the projection that keeps all fields but those at these paths.
    ///
    /// What is refused is the error of every use, as it is of [`include`](Self::include).
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Projection;
    ///
    /// let projection = Projection::exclude(["password"]);
    /// assert_eq!(projection.to_string(), r#"{"password": 0}"#);
    /// ```
    #[must_use]
    pub fn exclude<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self::built(Mode::Exclude, paths)
    }

    fn built<P: AsRef<str>>(mode: Mode, paths: impl IntoIterator<Item = P>) -> Self {
        let mut projection = Self { mode, ..Self::all() };
        for (index, path) in paths.into_iter().enumerate() {
            if let Err(problem) = projection.add(index, path.as_ref()) {
                return Self::refused(problem.into());
            }
        }
        projection
    }

    /// Adds a path, within the limits of text.
    fn add(&mut self, index: usize, path: &str) -> Result<(), Problem> {
        if index >= BUILT_PATHS_MAX {
            return Err(Problem::TooManyNodes { nodes_max: QUERY_NODES_MAX });
        }
        if path.split('.').any(|name| name.starts_with('$')) {
            let (operator, path) = (path.to_owned(), String::new());
            return Err(Problem::Unsupported { operator, path });
        }
        self.insert(path, Node::Whole)
    }

    /// Leaves out `_id`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Projection;
    ///
    /// let projection = Projection::include(["age"]).without_id();
    /// assert_eq!(projection.to_string(), r#"{"age": 1, "_id": 0}"#);
    /// ```
    #[must_use]
    pub fn without_id(mut self) -> Self {
        if self.refused.is_some() {
            return self;
        }
        match self.mode {
            Mode::Include => self.fields.remove("_id"),
            Mode::Exclude => self.fields.insert("_id".into(), Node::Whole),
        };
        self
    }

    /// Reads a projection from JSON text.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Projection;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// Projection::parse_json(r#"{"name": 1, "tags": {"$slice": 2}}"#)?;
    /// assert!(Projection::parse_json(r#"{"a": 1, "b": 0}"#).is_err());
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
        let parsed =
            parse::parse(text.value()).map_err(|fault| text.locate(fault.problem, fault.tail))?;
        text.check_values()?;
        Ok(parsed)
    }

    /// Same as [`ProjectionBytes::parse`](crate::bytes::ProjectionBytes::parse).
    pub(crate) fn parse(document: &[u8]) -> Result<Self, QueryError> {
        let value = RawValue::new(document);
        check(value)?;
        Ok(parse::parse(value).map_err(|fault| fault.problem)?)
    }

    /// Returns whether documents stay as they are.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.mode == Mode::Exclude && self.fields.is_empty() && self.refused.is_none()
    }

    /// Same as [`ProjectionBytes::needs_match`](crate::bytes::ProjectionBytes::needs_match).
    pub(crate) fn needs_match(&self) -> bool {
        self.positional.is_some()
    }

    /// Same as [`ProjectionBytes::apply_matched`](crate::bytes::ProjectionBytes::apply_matched).
    pub(crate) fn apply_matched(
        &self,
        document: &[u8],
        matched: Option<u32>,
        out: &mut Vec<u8>,
    ) -> Result<(), ApplyError> {
        if let Some(error) = &self.refused {
            return Err((&**error).into());
        }
        let context =
            apply::Context { mode: self.mode, matched, positional: self.positional.as_deref() };
        apply::apply(context, &self.fields, RawValue::new(document), out)
    }

    /// Same as [`ProjectionBytes::no_match`](crate::bytes::ProjectionBytes::no_match).
    pub(crate) fn no_match(&self) -> Option<QueryError> {
        self.positional.as_deref().map(no_match)
    }

    /// Adds what to do with the field at a path.
    fn insert(&mut self, path: &str, node: Node) -> Result<(), Problem> {
        crate::Path::parse(path)?;
        let mut fields = &mut self.fields;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                return match fields.insert(name.into(), node) {
                    None => Ok(()),
                    Some(_) => Err(collision(path, path)),
                };
            }
            match fields.entry(name.into()).or_insert_with(|| Node::Below(Fields::new())) {
                Node::Below(below) => fields = below,
                _ => return Err(collision(path, name)),
            }
        }
        Ok(())
    }
}

fn no_match(path: &str) -> QueryError {
    Problem::NoMatch { path: format!("{path}.$") }.into()
}

fn collision(path: &str, name: &str) -> Problem {
    // The shorter path ends at the name.
    let end = path.find(name).map_or(path.len(), |start| start + name.len());
    let first = path.get(..end).unwrap_or(path).to_owned();
    Problem::PathCollision { first, second: path.to_owned() }
}

/// Keeps documents as they are.
impl Default for Projection {
    fn default() -> Self {
        Self::all()
    }
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Projection({self})")
    }
}

/// Prints JSON that [`Projection::parse_json`] reads back as an equal projection. One that
/// [`check`](Projection::check) refuses prints text that is refused too.
impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.refused {
            f.write_str(r#"{"$refused": "#)?;
            print_string(&error.to_string(), f)?;
            return f.write_str("}");
        }
        print::print(self.mode, &self.fields, f)
    }
}

#[cfg(feature = "json")]
impl std::str::FromStr for Projection {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse_json(text)
    }
}
