//! Updates built by a program, with types that the compiler checks.
//!
//! The rules and limits are those of text. A chain of operators returns no errors on the way; what
//! is refused is the error of every use, and [`Update::check`] reports it earlier.

use std::sync::{Arc, OnceLock};

use nanodb_document::{Document, Encode, Error, IntoValue, Value, to_bytes, value_to_bytes};
use nanodb_msgpack::TypeBracket;

use super::push::Push;
use super::source::{Built, Source, document_of};
use super::{Form, MERGE_PATCH, REPLACE_WITH, State, Update};
use crate::error::{Problem, QueryError};
use crate::{IntoFilter, Projection};

/// Operators, each added by a method.
///
/// A value that is given to them is always a value: a document that looks like operators, such as
/// `{"$each": [1]}`, is stored as it is, or refused where no form of the update can say so.
impl Update {
    /// Returns an update to which operators are added, each by a method. It must have one when it
    /// is used.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().set("city", "Bonn").inc("age", 1).push("tags", "new");
    /// assert_eq!(
    ///     update.to_string(),
    ///     r#"{"$set": {"city": "Bonn"}, "$inc": {"age": 1}, "$push": {"tags": "new"}}"#,
    /// );
    /// let error = Update::new().check().unwrap_err();
    /// assert_eq!(error.to_string(), "an update must have operators");
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::unread(Built::default())
    }

    fn unread(built: Built) -> Self {
        Self(Arc::new(State { source: Source::Built(built), form: OnceLock::new() }))
    }

    /// Adds to the operators.
    fn with(self, add: impl FnOnce(&mut Built) -> Result<(), QueryError>) -> Self {
        let alone = match self.0.form.get() {
            // Every use is that error already, and nothing that is added can mend it.
            Some(Err(_)) if matches!(self.0.source, Source::Whole) => return self,
            Some(Ok(Form::Patch { .. })) => MERGE_PATCH,
            _ => REPLACE_WITH,
        };
        match Arc::unwrap_or_clone(self.0).source.built() {
            Ok(Some(mut built)) => match add(&mut built) {
                Ok(()) => Self::unread(built),
                Err(error) => Self::refused(error),
            },
            // As in text: it is no operator beside others.
            Ok(None) => {
                let (operator, path) = (alone.to_owned(), String::new());
                Self::refused(Problem::UnknownOperator { operator, path }.into())
            }
            Err(problem) => Self::refused(problem.into()),
        }
    }

    fn with_value(self, operator: &str, path: &str, value: impl IntoValue) -> Self {
        self.with(|built| Ok(built.add(operator, path, value.into_value())?))
    }

    /// Sets the field at a path: `$set`. What is missing on the way is created.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().set("name", "Ada").set("address.city", "Bonn");
    /// assert_eq!(update.to_string(), r#"{"$set": {"name": "Ada", "address.city": "Bonn"}}"#);
    /// ```
    #[must_use]
    pub fn set(self, path: &str, value: impl IntoValue) -> Self {
        self.with_value("$set", path, value)
    }

    /// Sets the field at a path if an upsert inserts the document: `$setOnInsert`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().inc("hits", 1).set_on_insert("first", true);
    /// assert_eq!(update.to_string(), r#"{"$inc": {"hits": 1}, "$setOnInsert": {"first": true}}"#);
    /// ```
    #[must_use]
    pub fn set_on_insert(self, path: &str, value: impl IntoValue) -> Self {
        self.with_value("$setOnInsert", path, value)
    }

    /// Removes the field at a path: `$unset`. An element of an array becomes null.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().unset("draft").to_string(), r#"{"$unset": {"draft": ""}}"#);
    /// ```
    #[must_use]
    pub fn unset(self, path: &str) -> Self {
        self.with_value("$unset", path, "")
    }

    /// Adds to the number at a path: `$inc`. A missing field becomes the number.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().inc("n", -2).to_string(), r#"{"$inc": {"n": -2}}"#);
    /// ```
    #[must_use]
    pub fn inc(self, path: &str, number: impl IntoValue) -> Self {
        self.with_value("$inc", path, number)
    }

    /// Multiplies the number at a path: `$mul`. A missing field becomes 0.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().mul("n", 1.5).to_string(), r#"{"$mul": {"n": 1.5}}"#);
    /// ```
    #[must_use]
    pub fn mul(self, path: &str, number: impl IntoValue) -> Self {
        self.with_value("$mul", path, number)
    }

    /// Sets the field at a path if it is missing or above the value: `$min`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().min("low", 3).to_string(), r#"{"$min": {"low": 3}}"#);
    /// ```
    #[must_use]
    pub fn min(self, path: &str, value: impl IntoValue) -> Self {
        self.with_value("$min", path, value)
    }

    /// Sets the field at a path if it is missing or below the value: `$max`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().max("high", 9).to_string(), r#"{"$max": {"high": 9}}"#);
    /// ```
    #[must_use]
    pub fn max(self, path: &str, value: impl IntoValue) -> Self {
        self.with_value("$max", path, value)
    }

    /// Sets the field at a path to the time of the update: `$currentDate`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().current_date("seen");
    /// assert_eq!(update.to_string(), r#"{"$currentDate": {"seen": true}}"#);
    /// ```
    #[must_use]
    pub fn current_date(self, path: &str) -> Self {
        self.with_value("$currentDate", path, true)
    }

    /// Moves the field at one path to another, in place of what is there: `$rename`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().rename("mail", "contact.mail");
    /// assert_eq!(update.to_string(), r#"{"$rename": {"mail": "contact.mail"}}"#);
    /// ```
    #[must_use]
    pub fn rename(self, from: &str, to: &str) -> Self {
        self.with_value("$rename", from, to)
    }

    /// Keeps those bits of the integer at a path that are set in `bits`: `$bit` with `and`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().bit_and("flags", 6).bit_or("flags", 1);
    /// assert_eq!(update.to_string(), r#"{"$bit": {"flags": {"and": 6, "or": 1}}}"#);
    /// ```
    #[must_use]
    pub fn bit_and(self, path: &str, bits: i64) -> Self {
        self.with(|built| Ok(built.add_part("$bit", path, ("and", bits.into()))?))
    }

    /// Sets bits of the integer at a path: `$bit` with `or`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().bit_or("flags", 1).to_string(), r#"{"$bit": {"flags": {"or": 1}}}"#);
    /// ```
    #[must_use]
    pub fn bit_or(self, path: &str, bits: i64) -> Self {
        self.with(|built| Ok(built.add_part("$bit", path, ("or", bits.into()))?))
    }

    /// Flips bits of the integer at a path: `$bit` with `xor`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().bit_xor("flags", 1).to_string(), r#"{"$bit": {"flags": {"xor": 1}}}"#);
    /// ```
    #[must_use]
    pub fn bit_xor(self, path: &str, bits: i64) -> Self {
        self.with(|built| Ok(built.add_part("$bit", path, ("xor", bits.into()))?))
    }

    /// Appends a value to the array at a path: `$push`. A missing array is created.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().push("tags", "new").to_string(), r#"{"$push": {"tags": "new"}}"#);
    /// // An array is one element, too.
    /// assert_eq!(Update::new().push("rows", [1, 2]).to_string(), r#"{"$push": {"rows": [1, 2]}}"#);
    /// ```
    #[must_use]
    pub fn push(self, path: &str, value: impl IntoValue) -> Self {
        self.with_value("$push", path, element(value.into_value()))
    }

    /// Appends values to the array at a path, in order: `$push` with `$each`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().push_each("tags", ["a", "b"]);
    /// assert_eq!(update.to_string(), r#"{"$push": {"tags": {"$each": ["a", "b"]}}}"#);
    /// ```
    #[must_use]
    pub fn push_each<V: IntoValue>(self, path: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.with_value("$push", path, each(values))
    }

    /// Adds to the array at a path as a [`Push`] says, which has an example: `$push` with its
    /// modifiers.
    #[must_use]
    pub fn push_with(self, path: &str, push: Push) -> Self {
        self.with(|built| Ok(built.add("$push", path, push.into_value()?)?))
    }

    /// Appends a value to the array at a path unless it is there: `$addToSet`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().add_to_set("tags", "a");
    /// assert_eq!(update.to_string(), r#"{"$addToSet": {"tags": "a"}}"#);
    /// ```
    #[must_use]
    pub fn add_to_set(self, path: &str, value: impl IntoValue) -> Self {
        self.with_value("$addToSet", path, element(value.into_value()))
    }

    /// Appends those of the values to the array at a path that are not there: `$addToSet` with
    /// `$each`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().add_each_to_set("tags", ["a", "b"]);
    /// assert_eq!(update.to_string(), r#"{"$addToSet": {"tags": {"$each": ["a", "b"]}}}"#);
    /// ```
    #[must_use]
    pub fn add_each_to_set<V: IntoValue>(
        self,
        path: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.with_value("$addToSet", path, each(values))
    }

    /// Removes the elements of the array at a path that equal a value: `$pull`, and for a document
    /// `$pullAll`, since `$pull` would take it for a filter. A document of operators is refused.
    ///
    /// [`pull_matching`](Self::pull_matching) removes the documents that match a filter.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().pull("tags", "a").to_string(), r#"{"$pull": {"tags": "a"}}"#);
    /// ```
    #[must_use]
    pub fn pull(self, path: &str, value: impl IntoValue) -> Self {
        match value.into_value() {
            // Would be equal to nothing, and was meant to match something.
            value if has_operators(&value) => self.with(|_| {
                let (operator, path) = ("$pull".to_owned(), path.to_owned());
                let expected = "a value here, and a filter in `pull_matching`";
                let found = TypeBracket::Document;
                Err(Problem::Operand { operator, path, expected, found }.into())
            }),
            value @ Value::Document(_) => self.pull_all(path, [value]),
            value => self.with_value("$pull", path, value),
        }
    }

    /// Removes the elements of the array at a path that are documents and match a filter: `$pull`.
    ///
    /// Conditions on elements of other types are read from a document, such as
    /// `doc! { "$pull": { "scores": { "$lt": 5 } } }`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::{Update, field};
    ///
    /// let update = Update::new().pull_matching("items", field("count").lt(1));
    /// assert_eq!(update.to_string(), r#"{"$pull": {"items": {"count": {"$lt": 1}}}}"#);
    /// ```
    #[must_use]
    pub fn pull_matching(self, path: &str, filter: impl IntoFilter) -> Self {
        self.with(|built| Ok(built.add("$pull", path, to_document(filter)?.into())?))
    }

    /// Removes the elements of the array at a path that equal one of the values: `$pullAll`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// let update = Update::new().pull_all("tags", ["a", "b"]);
    /// assert_eq!(update.to_string(), r#"{"$pullAll": {"tags": ["a", "b"]}}"#);
    /// ```
    #[must_use]
    pub fn pull_all<V: IntoValue>(self, path: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.with_value("$pullAll", path, list(values))
    }

    /// Removes the first element of the array at a path: `$pop` with -1.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().pop_first("queue").to_string(), r#"{"$pop": {"queue": -1}}"#);
    /// ```
    #[must_use]
    pub fn pop_first(self, path: &str) -> Self {
        self.with_value("$pop", path, -1)
    }

    /// Removes the last element of the array at a path: `$pop` with 1.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert_eq!(Update::new().pop_last("stack").to_string(), r#"{"$pop": {"stack": 1}}"#);
    /// ```
    #[must_use]
    pub fn pop_last(self, path: &str) -> Self {
        self.with_value("$pop", path, 1)
    }

    /// Adds an array filter: which elements a `$[id]` on the paths stands for. Its fields begin
    /// with the identifier.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::{Update, field};
    ///
    /// let update = Update::new()
    ///     .set("items.$[big].sale", true)
    ///     .array_filter(field("big.count").gt(5));
    /// assert_eq!(update.to_string(), r#"{"$set": {"items.$[big].sale": true}}"#);
    /// assert_eq!(update.array_filters().to_string(), r#"[{"big.count": {"$gt": 5}}]"#);
    /// ```
    #[must_use]
    pub fn array_filter(self, filter: impl IntoFilter) -> Self {
        self.with(|built| {
            built.add_filter(to_document(filter)?);
            Ok(())
        })
    }
}

impl Update {
    /// Returns the update that puts a document in place of the old one, which keeps its `_id`:
    /// `$replaceWith`. Nothing can be added to it.
    ///
    /// The document is whatever can be inserted. It may have the `_id` of the old one, or none;
    /// names of operators are refused in it, since it was meant as an update then.
    ///
    /// ```
    /// # mod nanodb { pub use nanodb_document::doc; pub use nanodb_query::*; }
    /// use nanodb::{Update, doc};
    ///
    /// let update = Update::replacement(doc! { "a": 1 });
    /// assert_eq!(update.to_string(), r#"{"$replaceWith": {"a": 1}}"#);
    /// assert!(Update::replacement(doc! { "$set": { "a": 1 } }).check().is_err());
    /// ```
    #[must_use]
    pub fn replacement(document: impl Encode) -> Self {
        encoded(&document)
            .and_then(|bytes| Self::of_replacement(&bytes))
            .unwrap_or_else(Self::refused)
    }

    /// Returns the update that a JSON merge patch (RFC 7396) is: null removes a field, a document
    /// changes the fields below, anything else is the new value. Nothing can be added to it.
    ///
    /// ```
    /// # mod nanodb { pub use nanodb_document::doc; pub use nanodb_query::*; }
    /// use nanodb::{Update, doc};
    ///
    /// let update = Update::merge_patch(doc! { "age": 32, "city": null });
    /// assert_eq!(update.to_string(), r#"{"$mergePatch": {"age": 32, "city": null}}"#);
    /// ```
    #[must_use]
    pub fn merge_patch(patch: impl IntoValue) -> Self {
        let bytes = match &patch.into_value() {
            Value::Document(document) => to_bytes(document),
            // Is refused as such.
            value => {
                let mut bytes = Vec::new();
                value_to_bytes(value, &mut bytes).map(|()| bytes)
            }
        };
        match bytes {
            Ok(bytes) => Self::of_patch(&bytes).unwrap_or_else(Self::refused),
            Err(error) => Self::refused(Problem::Document { reason: error.to_string() }.into()),
        }
    }
}

impl Default for Update {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns what `$push` and `$addToSet` take for one element: a document that looks like their
/// modifiers goes into a list.
fn element(value: Value) -> Value {
    if has_operators(&value) { each([value]) } else { value }
}

fn has_operators(value: &Value) -> bool {
    let document = value.as_document();
    document.is_some_and(|document| document.keys().any(|name| name.starts_with('$')))
}

/// Returns the modifier for several elements.
fn each<V: IntoValue>(values: impl IntoIterator<Item = V>) -> Value {
    let mut modifiers = Document::new();
    modifiers.insert("$each", list(values));
    modifiers.into()
}

fn list<V: IntoValue>(values: impl IntoIterator<Item = V>) -> Value {
    Value::Array(values.into_iter().map(IntoValue::into_value).collect())
}

/// Returns a document in MessagePack; without an `_id` if it has none.
fn encoded(document: &dyn Encode) -> Result<Vec<u8>, QueryError> {
    let refused = |error: Error| Problem::Document { reason: error.to_string() };
    let mut buffer = Vec::new();
    let mut draft = document.encode(None, &mut buffer).map_err(refused)?;
    if draft.has_id() {
        return Ok(draft.record(&buffer).to_vec());
    }
    // There is no record without an id: it gets one, which is left out again.
    draft.assign_id(0, &mut buffer);
    let (mut bytes, without_id) = (Vec::new(), Projection::all().without_id());
    let left_out = without_id.apply_matched(draft.record(&buffer), None, &mut bytes);
    left_out.map_err(|_| Problem::Malformed)?;
    Ok(bytes)
}

fn to_document(filter: impl IntoFilter) -> Result<Document, QueryError> {
    let filter = filter.into_filter();
    filter.checked()?;
    document_of(&filter)
}
