//! What an index is: its fields and their directions, which documents it has entries of, and what
//! it is for.
//!
//! A program builds one ([`Index`]), or it is read from MongoDB's own document ([`parse`]). Both
//! are checked by the same rules ([`IndexSpec::new`]) and then stored ([`stored`]).
//!
//! # Invariants
//!
//! 1. A spec has 1 to [`INDEX_FIELDS_MAX`] fields of different paths, and a name of 1 to
//!    [`INDEX_NAME_BYTES_MAX`] bytes.
//! 2. It is not both sparse and partial.
//! 3. A partial filter has only operators of which [`plan`](crate::plan) can prove that another
//!    filter implies them.

mod build;
mod parse;
mod partial;
mod stored;

use std::fmt;

pub use self::build::Index;
use self::partial::Partial;
use crate::error::{IndexProblem, Problem};
use crate::filter::Filter;
use crate::json::print_string;
use crate::path::Path;

/// The most fields of an index.
pub const INDEX_FIELDS_MAX: usize = 32;

/// The longest name of an index, in bytes.
pub const INDEX_NAME_BYTES_MAX: usize = 255;

/// The most seconds after which documents expire, as in MongoDB: 68 years.
pub const INDEX_EXPIRE_AFTER_MAX: u64 = i32::MAX as u64;

/// The version of the bytes of keys, which each spec names, so that another one may come.
pub const KEY_FORMAT: u8 = 1;

/// What an index is, checked.
///
/// [`Index`] builds one. Cloning copies the paths and shares the partial filter.
///
/// ```
/// use nanodb_query::{Index, IndexSpec};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec = Index::ascending("city").then_descending("age").spec()?;
/// assert_eq!(spec.name(), "city_1_age_-1");
/// assert_eq!(IndexSpec::decode(&spec.encode())?, spec);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct IndexSpec {
    name: Box<str>,
    fields: Box<[IndexField]>,
    unique: bool,
    sparse: bool,
    partial: Option<Partial>,
    expire_after: Option<u64>,
}

/// One field of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexField {
    path: Path,
    descending: bool,
}

impl IndexField {
    /// Returns the path of the field.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether its keys are in descending order.
    #[must_use]
    pub fn is_descending(&self) -> bool {
        self.descending
    }

    /// Returns whether a part of the path may be the index of an array.
    pub(crate) fn has_number(&self) -> bool {
        self.path.parts().iter().any(|part| part.index().is_some())
    }
}

/// A spec that has not been checked.
#[derive(Clone, Debug, Default, PartialEq)]
struct Draft {
    name: Option<String>,
    /// Each path, and whether it is descending.
    fields: Vec<(String, bool)>,
    unique: bool,
    sparse: bool,
    partial: Option<Filter>,
    expire_after: Option<u64>,
}

impl IndexSpec {
    /// Checks a draft.
    fn new(draft: &Draft) -> Result<Self, Problem> {
        let fields = check_fields(&draft.fields)?;
        if draft.sparse && draft.partial.is_some() {
            return Err(IndexProblem::SparseAndPartial.into());
        }
        let partial = draft.partial.as_ref().map(Partial::new).transpose()?;
        if let Some(seconds) = draft.expire_after {
            if fields.len() > 1 {
                return Err(IndexProblem::ExpiresByFields.into());
            }
            if seconds > INDEX_EXPIRE_AFTER_MAX {
                let seconds_max = INDEX_EXPIRE_AFTER_MAX;
                return Err(IndexProblem::ExpireAfter { seconds_max }.into());
            }
        }
        let name = draft.name.clone().unwrap_or_else(|| default_name(&fields));
        if name.is_empty() || name.len() > INDEX_NAME_BYTES_MAX {
            return Err(IndexProblem::Name { name, bytes_max: INDEX_NAME_BYTES_MAX }.into());
        }
        Ok(Self {
            name: name.into(),
            fields,
            unique: draft.unique,
            sparse: draft.sparse,
            partial,
            expire_after: draft.expire_after,
        })
    }

    /// Returns its name: the one that was given, or paths and directions, such as `city_1_age_-1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its fields, in order.
    #[must_use]
    pub fn fields(&self) -> &[IndexField] {
        &self.fields
    }

    /// Returns whether a key may belong to one document only.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.unique
    }

    /// Returns whether it leaves out documents in which none of its fields exists.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        self.sparse
    }

    /// Returns the filter that a document must match to have entries, if there is one.
    #[must_use]
    pub fn partial(&self) -> Option<&Filter> {
        self.partial.as_ref().map(Partial::filter)
    }

    /// Returns after how many seconds documents expire, if they do.
    #[must_use]
    pub fn expire_after(&self) -> Option<u64> {
        self.expire_after
    }

    /// Returns whether another index has the same fields in the same directions, whatever else
    /// differs.
    #[must_use]
    pub fn has_same_fields(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

fn check_fields(fields: &[(String, bool)]) -> Result<Box<[IndexField]>, Problem> {
    if fields.is_empty() {
        return Err(IndexProblem::NoFields.into());
    }
    if fields.len() > INDEX_FIELDS_MAX {
        return Err(IndexProblem::TooManyFields { fields_max: INDEX_FIELDS_MAX }.into());
    }
    let mut checked: Vec<IndexField> = Vec::with_capacity(fields.len());
    for (text, descending) in fields {
        let path = Path::parse(text)?;
        let wrong = |name: &str| name.is_empty() || name.starts_with('$');
        if text.split('.').any(|name| name == "$**") {
            return Err(IndexProblem::NotSupported { what: "a wildcard".to_owned() }.into());
        }
        if path.names().any(wrong) {
            return Err(IndexProblem::Path { path: text.clone() }.into());
        }
        if checked.iter().any(|field| field.path == path) {
            return Err(IndexProblem::FieldTwice { path: text.clone() }.into());
        }
        checked.push(IndexField { path, descending: *descending });
    }
    Ok(checked.into())
}

fn default_name(fields: &[IndexField]) -> String {
    let part = |field: &IndexField| {
        format!("{}_{}", field.path, if field.descending { "-1" } else { "1" })
    };
    fields.iter().map(part).collect::<Vec<_>>().join("_")
}

/// Prints the document that is read back as the same spec.
impl fmt::Display for IndexSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"{"key": {"#)?;
        for (position, field) in self.fields.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            print_string(field.path.as_str(), f)?;
            f.write_str(if field.descending { ": -1" } else { ": 1" })?;
        }
        f.write_str(r#"}, "name": "#)?;
        print_string(&self.name, f)?;
        if self.unique {
            f.write_str(r#", "unique": true"#)?;
        }
        if self.sparse {
            f.write_str(r#", "sparse": true"#)?;
        }
        if let Some(filter) = self.partial() {
            write!(f, r#", "partialFilterExpression": {filter}"#)?;
        }
        if let Some(seconds) = self.expire_after {
            write!(f, r#", "expireAfterSeconds": {seconds}"#)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests;
