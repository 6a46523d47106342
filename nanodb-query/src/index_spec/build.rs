//! Indexes built by a program.

use std::fmt;

use super::{Draft, IndexSpec};
use crate::IntoFilter;
use crate::error::QueryError;
use crate::json::print_string;
use nanodb_document::Error;

/// Describes an index: its fields, their order, and what it is for.
///
/// What is refused, such as two fields of the same path, is the error of its use;
/// [`spec`](Self::spec) reports it earlier.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::{Index, field};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let by_city = Index::ascending("city").then_descending("age");
/// assert_eq!(by_city.spec()?.name(), "city_1_age_-1");
///
/// let open = Index::ascending("due").partial(field("open").eq(true)).name("open_due");
/// let text = r#"{"key": {"due": 1}, "name": "open_due",
///     "partialFilterExpression": {"open": true}}"#;
/// assert_eq!(Index::parse_json(text)?, open);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Index {
    draft: Draft,
    /// What was wrong with the document that this was read from.
    refused: Option<Box<QueryError>>,
}

impl Index {
    /// Returns an index on one path, in ascending order.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Index;
    ///
    /// assert_eq!(Index::ascending("address.city").spec()?.name(), "address.city_1");
    /// # Ok::<(), nanodb::Error>(())
    /// ```
    #[must_use]
    pub fn ascending(path: &str) -> Self {
        Self::default().then_ascending(path)
    }

    /// Returns an index on one path, in descending order.
    ///
    /// A search reads an index in both directions: of one field the order does not matter.
    #[must_use]
    pub fn descending(path: &str) -> Self {
        Self::default().then_descending(path)
    }

    /// Orders what is equal so far by another path, ascending.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Index;
    ///
    /// let index = Index::descending("age").then_ascending("name");
    /// assert_eq!(index.to_string(), r#"{"key": {"age": -1, "name": 1}, "name": "age_-1_name_1"}"#);
    /// ```
    #[must_use]
    pub fn then_ascending(self, path: &str) -> Self {
        self.then(path, false)
    }

    /// Orders what is equal so far by another path, descending.
    #[must_use]
    pub fn then_descending(self, path: &str) -> Self {
        self.then(path, true)
    }

    pub(super) fn then(mut self, path: &str, descending: bool) -> Self {
        self.draft.fields.push((path.to_owned(), descending));
        self
    }

    /// Lets a key belong to one document only.
    ///
    /// A missing field counts as null, so that two documents without it clash, unless the index is
    /// [sparse](Self::sparse) or [partial](Self::partial).
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Index;
    ///
    /// assert!(Index::ascending("email").unique().spec()?.is_unique());
    /// # Ok::<(), nanodb::Error>(())
    /// ```
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.draft.unique = true;
        self
    }

    /// Leaves out documents in which none of the fields exists.
    ///
    /// Searches that such documents could match do not use the index.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Index;
    ///
    /// assert!(Index::ascending("email").unique().sparse().spec()?.is_sparse());
    /// # Ok::<(), nanodb::Error>(())
    /// ```
    #[must_use]
    pub fn sparse(mut self) -> Self {
        self.draft.sparse = true;
        self
    }

    /// Leaves out documents that do not match a filter.
    ///
    /// Only searches whose own filter implies this one use the index. The filter has `$eq`, `$gt`,
    /// `$gte`, `$lt`, `$lte`, `$in`, `$type`, `{"$exists": true}`, `$and` and `$or`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::{Index, field};
    ///
    /// let open = field("open").eq(true);
    /// assert_eq!(Index::ascending("due").partial(&open).spec()?.partial(), Some(&open));
    /// # Ok::<(), nanodb::Error>(())
    /// ```
    #[must_use]
    pub fn partial(mut self, filter: impl IntoFilter) -> Self {
        self.draft.partial = Some(filter.into_filter());
        self
    }

    /// Lets a document expire so many seconds after the date in the field; of an array of dates,
    /// after the earliest. 0 to [`INDEX_EXPIRE_AFTER_MAX`](crate::INDEX_EXPIRE_AFTER_MAX).
    ///
    /// An expired document is found until it is removed. One without a date never expires.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Index;
    ///
    /// assert_eq!(Index::ascending("seen").expire_after(3600).spec()?.expire_after(), Some(3600));
    /// # Ok::<(), nanodb::Error>(())
    /// ```
    #[must_use]
    pub fn expire_after(mut self, seconds: u64) -> Self {
        self.draft.expire_after = Some(seconds);
        self
    }

    /// Gives the index a name, instead of one made of its paths.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Index;
    ///
    /// assert_eq!(Index::ascending("due").name("by_date").spec()?.name(), "by_date");
    /// # Ok::<(), nanodb::Error>(())
    /// ```
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.draft.name = Some(name.to_owned());
        self
    }

    /// Returns what was described, checked.
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error says what is refused.
    pub fn spec(&self) -> Result<IndexSpec, Error> {
        Ok(self.checked()?)
    }

    /// The same, as this crate knows the error.
    pub(crate) fn checked(&self) -> Result<IndexSpec, QueryError> {
        match &self.refused {
            Some(error) => Err((**error).clone()),
            None => Ok(IndexSpec::new(&self.draft)?),
        }
    }

    /// Returns what a document describes.
    pub(super) fn of_draft(draft: Draft) -> Self {
        Self { draft, refused: None }
    }

    /// Returns an index of which every use is this error.
    pub(super) fn refused(error: QueryError) -> Self {
        Self { draft: Draft::default(), refused: Some(Box::new(error)) }
    }
}

/// An ascending index on one path.
impl From<&str> for Index {
    fn from(path: &str) -> Self {
        Self::ascending(path)
    }
}

impl From<&Self> for Index {
    fn from(index: &Self) -> Self {
        index.clone()
    }
}

impl From<IndexSpec> for Index {
    fn from(spec: IndexSpec) -> Self {
        let field = |field: &super::IndexField| (field.path.to_string(), field.descending);
        Self::of_draft(Draft {
            name: Some(spec.name().to_owned()),
            fields: spec.fields().iter().map(field).collect(),
            unique: spec.unique,
            sparse: spec.sparse,
            partial: spec.partial().cloned(),
            expire_after: spec.expire_after,
        })
    }
}

/// Two are equal if they describe the same index, or are refused for the same reason.
impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.checked() == other.checked()
    }
}

/// Prints the document that [`Index::parse_json`] reads back as an equal index. One that
/// [`spec`](Index::spec) refuses prints text that is refused too.
impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.checked() {
            Ok(spec) => fmt::Display::fmt(&spec, f),
            Err(error) => {
                f.write_str(r#"{"$refused": "#)?;
                print_string(&error.to_string(), f)?;
                f.write_str("}")
            }
        }
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({self})")
    }
}
