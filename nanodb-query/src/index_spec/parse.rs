//! Indexes read from MongoDB's own document: `{"key": {"city": 1, "age": -1}, "unique": true}`.

use super::{Draft, Index, IndexSpec};
use crate::entries::{Entry, entries};
use crate::error::{IndexProblem, Problem, QueryError};
use crate::fault::{Fault, fault, refuse};
use crate::filter::Filter;
#[cfg(feature = "json")]
use crate::json::Text;
use crate::limits::check;
use nanodb_document::{Document, Error, to_bytes};
use nanodb_msgpack::{RawValue, Token, TypeBracket};

/// What MongoDB has besides, and NanoDB has not.
const NOT_SUPPORTED: &[&str] = &[
    "2dsphereIndexVersion",
    "bits",
    "bucketSize",
    "collation",
    "commitQuorum",
    "default_language",
    "hidden",
    "language_override",
    "max",
    "min",
    "prepareUnique",
    "storageEngine",
    "textIndexVersion",
    "weights",
    "wildcardProjection",
];

impl Index {
    /// Reads an index from JSON text, MongoDB's own document: `key`, `name`, `unique`, `sparse`,
    /// `partialFilterExpression` and `expireAfterSeconds`. `v` and `background` are ignored.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Index;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let index = Index::parse_json(r#"{"key": {"city": 1, "age": -1}, "unique": true}"#)?;
    /// assert_eq!(index, Index::ascending("city").then_descending("age").unique());
    ///
    /// let error = Index::parse_json(r#"{"key": {"about": "text"}}"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`text` is not supported in an index at line 1, column 19",
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
        let index = parse(text.value()).map_err(|fault| text.locate(fault.problem, fault.tail))?;
        if let Some(partial) = entries(text.value()).find(|entry| entry.name == PARTIAL) {
            text.check_filter_literals(partial.value)?;
        }
        text.check_values()?;
        Ok(index)
    }

    /// Same as [`IndexSpec::parse`], before the index is checked.
    fn parse_bytes(document: &[u8]) -> Result<Self, QueryError> {
        let value = RawValue::new(document);
        check(value)?;
        Ok(parse(value).map_err(|fault| fault.problem)?)
    }
}

impl IndexSpec {
    /// Reads an index from MongoDB's own document in MessagePack, by the same rules as from text.
    ///
    /// ```
    /// use nanodb_query::IndexSpec;
    ///
    /// // {"key": {"a": 1}}
    /// assert_eq!(IndexSpec::parse(b"\x81\xa3key\x81\xa1a\x01")?.name(), "a_1");
    /// # Ok::<(), nanodb_query::QueryError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong.
    pub fn parse(document: &[u8]) -> Result<Self, QueryError> {
        Index::parse_bytes(document)?.checked()
    }
}

/// Reads MongoDB's own document. What is refused is the error of every use.
impl From<&Document> for Index {
    fn from(document: &Document) -> Self {
        let refused = |error: Error| Problem::Document { reason: error.to_string() }.into();
        let bytes = to_bytes(document).map_err(refused);
        bytes.and_then(|bytes| Self::parse_bytes(&bytes)).unwrap_or_else(Self::refused)
    }
}

/// Reads MongoDB's own document. What is refused is the error of every use.
impl From<Document> for Index {
    fn from(document: Document) -> Self {
        Self::from(&document)
    }
}

#[cfg(feature = "json")]
impl std::str::FromStr for Index {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse_json(text)
    }
}

const PARTIAL: &str = "partialFilterExpression";

fn parse(value: RawValue<'_>) -> Result<Index, Fault<'_>> {
    if !value.is_map() {
        let found = value.bracket().unwrap_or(TypeBracket::Null);
        return Err(fault(Problem::NotADocument { what: "an index", found }, value));
    }
    let mut draft = Draft::default();
    for entry in entries(value) {
        let Entry { name, value, .. } = entry;
        match name {
            "key" => draft.fields = parse_key(value)?,
            "name" => {
                let text = value.token().ok().and_then(Token::text);
                let text = text.ok_or_else(|| refuse(name, "", "a string", value))?;
                draft.name = Some(text.to_owned());
            }
            "unique" => draft.unique = parse_truth(entry)?,
            "sparse" => draft.sparse = parse_truth(entry)?,
            PARTIAL => draft.partial = Some(Filter::parse_value(value)?),
            "expireAfterSeconds" => {
                let seconds = value.token().ok().and_then(Token::number);
                let seconds = seconds.and_then(|seconds| u64::try_from(seconds.as_whole()?).ok());
                let expected = "a whole number from 0";
                let seconds = seconds.ok_or_else(|| refuse(name, "", expected, value))?;
                draft.expire_after = Some(seconds);
            }
            // The version of MongoDB's own bytes, and how it builds.
            "v" | "background" => {}
            _ => {
                let problem = match NOT_SUPPORTED.contains(&name) {
                    true => IndexProblem::NotSupported { what: format!("`{name}`") },
                    false => IndexProblem::UnknownOption { name: name.to_owned() },
                };
                return Err(Fault { problem: problem.into(), tail: entry.tail });
            }
        }
    }
    // Where it is wrong as a whole.
    IndexSpec::new(&draft).map_err(|problem| fault(problem, value))?;
    Ok(Index::of_draft(draft))
}

fn parse_key(value: RawValue<'_>) -> Result<Vec<(String, bool)>, Fault<'_>> {
    if !value.is_map() {
        let found = value.bracket().unwrap_or(TypeBracket::Null);
        return Err(fault(Problem::NotADocument { what: "the key of an index", found }, value));
    }
    let mut fields = Vec::new();
    for Entry { name, value, .. } in entries(value) {
        let token = value.token().ok();
        if let Some(kind) = token.and_then(Token::text) {
            // "text", "hashed", "2dsphere"
            let problem = IndexProblem::NotSupported { what: format!("`{kind}`") };
            return Err(fault(problem.into(), value));
        }
        let descending = match token.and_then(|token| token.number()?.as_whole()) {
            Some(1) => false,
            Some(-1) => true,
            _ => return Err(fault(Problem::Direction { path: name.to_owned() }, value)),
        };
        fields.push((name.to_owned(), descending));
    }
    Ok(fields)
}

fn parse_truth(entry: Entry<'_>) -> Result<bool, Fault<'_>> {
    match entry.value.token() {
        Ok(Token::Bool(wanted)) => Ok(wanted),
        _ => Err(refuse(entry.name, "", "true or false", entry.value)),
    }
}
