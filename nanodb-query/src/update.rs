//! Updates: how documents are changed.
//!
//! Operators are parsed once into changes, each of one field, and into a tree of the names on their
//! paths ([`tree`]). A walk over a document along that tree writes the new document: unchanged
//! parts are copied in large pieces, and only what an operator reads is decoded ([`apply`]). The
//! rules are MongoDB's:
//!
//! 1. If one change of an update is impossible, the update is an error and changes nothing.
//! 2. No two changes have the same path, and none is below another.
//! 3. A path leads through arrays by indexes only; `$`, `$[]` and `$[id]` stand for indexes. What
//!    is missing on the way is created, as documents; arrays are padded with null.
//! 4. A new field is added after the others, in the order in which the update names them.
//! 5. `_id` does not change.

mod apply;
mod array;
mod build;
mod changes;
mod error;
mod expand;
mod filters;
mod leaf;
mod merge_patch;
mod number;
mod operator;
mod parse;
mod print;
mod push;
mod replace;
mod source;
mod tree;
mod writer;

use std::fmt;
use std::sync::{Arc, OnceLock};

pub use self::apply::UPDATE_NULLS_MAX;
use self::apply::UpdateWalk;
use self::changes::Changes;
pub use self::error::UpdateError;
use self::expand::Expansion;
pub use self::expand::UPDATE_STEPS_MAX;
use self::operator::{Change, Operator};
pub use self::push::Push;
use self::source::Source;
use self::writer::Writer;
#[cfg(feature = "json")]
use crate::entries::elements;
use crate::entries::{Entry, entries};
use crate::error::{Problem, QueryError};
use crate::fault::{Fault, fault};
use crate::filter::{Operand, operand};
#[cfg(feature = "json")]
use crate::json::Text;
use crate::json::{print_string, print_value};
use crate::limits::{check, check_names};
use crate::{Filter, Timestamp};
use nanodb_document::Error;
use nanodb_msgpack::{RawValue, TypeBracket};

/// Changes documents, by MongoDB's rules.
///
/// An update is a document of operators, a JSON merge patch, `{"$mergePatch": {...}}`, or a new
/// document in place of the old one, `{"$replaceWith": {...}}`;
/// [`operators`](crate::operators#updates) lists all operators. Verbs take it as it is built here,
/// as `doc!` writes it down, or as text says it: `users.update(1, &birthday)`.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::Update;
///
/// # fn main() -> nanodb::Result<()> {
/// let birthday = Update::new().inc("age", 1).set("city", "Bonn");
/// let text = r#"{"$inc": {"age": 1}, "$set": {"city": "Bonn"}}"#;
/// assert_eq!(birthday.to_string(), text);
/// assert_eq!(Update::parse_json(text)?, birthday);
/// # Ok(())
/// # }
/// ```
///
/// Cloning is cheap: clones share the changes.
#[derive(Clone)]
pub struct Update(Arc<State>);

/// An update, before and after it is read.
#[derive(Clone)]
struct State {
    source: Source,
    /// What the source means, or its first problem, of which every use is the error; read when it
    /// is first asked for.
    form: OnceLock<Result<Form, QueryError>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Operators(Changes),
    Patch { patch: Operand, changes: Changes },
    Replacement(Operand),
}

/// What an update needs to know besides the document.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::{Timestamp, UpdateContext};
///
/// let context = UpdateContext { now: Timestamp::now(), ..UpdateContext::default() };
/// assert_eq!(context.bytes_max, 16 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateContext {
    /// The time that `$currentDate` sets.
    pub now: Timestamp,
    /// The index that `$` stands for: [`matched_element`][matched] of the filter. It is only
    /// needed if the update [`needs_match`](crate::bytes::UpdateBytes::needs_match).
    ///
    /// [matched]: crate::bytes::FilterBytes::matched_element
    pub matched: Option<u32>,
    /// The most bytes that the new document may take.
    pub bytes_max: usize,
}

/// The year 1970, no matched element, 16 MiB.
impl Default for UpdateContext {
    fn default() -> Self {
        Self { now: Timestamp::default(), matched: None, bytes_max: 16 << 20 }
    }
}

const MERGE_PATCH: &str = "$mergePatch";
const REPLACE_WITH: &str = "$replaceWith";

impl Update {
    /// Returns an update that has been read from a document and an array of filters.
    fn read(form: Form, operators: RawValue<'_>, filters: RawValue<'_>) -> Self {
        let source = match form {
            Form::Operators(_) => Source::read(operators, filters),
            Form::Patch { .. } | Form::Replacement(_) => Source::Whole,
        };
        Self(Arc::new(State { source, form: Ok(form).into() }))
    }

    /// Returns an update to which nothing can be added.
    fn whole(form: Form) -> Self {
        Self(Arc::new(State { source: Source::Whole, form: Ok(form).into() }))
    }

    /// Returns an update of which every use is this error.
    pub(crate) fn refused(error: QueryError) -> Self {
        Self(Arc::new(State { source: Source::Whole, form: Err(error).into() }))
    }

    #[inline]
    fn form(&self) -> Result<&Form, &QueryError> {
        self.0.form.get_or_init(|| self.0.source.form()).as_ref()
    }

    /// Reports whether this update can be used.
    ///
    /// A parsed update always can. One that a program built may have something that is refused in
    /// text too, such as two changes of one field; then every use of it fails with the error that
    /// this returns.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// assert!(Update::new().set("a", 1).check().is_ok());
    /// let error = Update::new().set("a", 1).inc("a.b", 1).check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "updating the path `a.b` would create a conflict at `a`",
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error of the first part that is
    /// refused.
    pub fn check(&self) -> Result<(), Error> {
        Ok(self.form().map(drop).map_err(QueryError::clone)?)
    }
}

impl Update {
    /// Reads an update from JSON text.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// Update::parse_json(r#"{"$inc": {"n": 1}}"#)?;
    /// let error = Update::parse_json(r#"{"n": 1}"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "unknown operator `n`: an update's names are operators such as `$set`; to replace a \
    ///      document use `replace_one` or `Update::replacement` at line 1, column 2",
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
        Self::parse_json_with_filters(text, "[]")
    }

    /// Reads an update from JSON text, and from a second text the array filters that its `$[id]`
    /// refer to, such as `[{"id.qty": {"$gt": 5}}]`.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let text = r#"{"$set": {"items.$[big].sale": true}}"#;
    /// Update::parse_json_with_filters(text, r#"[{"big.qty": {"$gt": 5}}]"#)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error says what is wrong with one of
    /// the texts, and where.
    #[cfg(feature = "json")]
    pub fn parse_json_with_filters(text: &str, array_filters: &str) -> Result<Self, Error> {
        let filters = Text::parse(array_filters)?;
        let parsed = filters::parse(filters.value())
            .map_err(|fault| filters.locate(fault.problem, fault.tail))?;
        elements(filters.value()).try_for_each(|filter| filters.check_filter_literals(filter))?;
        filters.check_values()?;
        let text = Text::parse(text)?;
        let form =
            parse(text.value(), parsed).map_err(|fault| text.locate(fault.problem, fault.tail))?;
        text.check_update_literals()?;
        text.check_values()?;
        Ok(Self::read(form, text.value(), filters.value()))
    }

    /// Same as [`UpdateBytes::parse`](crate::bytes::UpdateBytes::parse).
    pub(crate) fn parse(document: &[u8]) -> Result<Self, QueryError> {
        Self::parse_with_filters(document, &[0x90])
    }

    /// Same as [`UpdateBytes::parse_with_filters`](crate::bytes::UpdateBytes::parse_with_filters).
    pub(crate) fn parse_with_filters(
        document: &[u8],
        array_filters: &[u8],
    ) -> Result<Self, QueryError> {
        let (document, filters) = (RawValue::new(document), RawValue::new(array_filters));
        check(filters)?;
        let parsed = filters::parse(filters).map_err(|fault| fault.problem)?;
        check(document)?;
        let form = parse(document, parsed).map_err(|fault| fault.problem)?;
        Ok(Self::read(form, document, filters))
    }

    /// Same as [`UpdateBytes::merge_patch`](crate::bytes::UpdateBytes::merge_patch).
    pub(crate) fn of_patch(patch: &[u8]) -> Result<Self, QueryError> {
        let patch = RawValue::new(patch);
        check(patch)?;
        Ok(Self::whole(parse_patch(patch).map_err(|fault| fault.problem)?))
    }

    /// Reads a merge patch (RFC 7396) from JSON text.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let update = Update::merge_patch_json(r#"{"age": 32, "city": null}"#)?;
    /// assert_eq!(update.to_string(), r#"{"$mergePatch": {"age": 32, "city": null}}"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error says what is wrong, and where in
    /// the text.
    #[cfg(feature = "json")]
    pub fn merge_patch_json(text: &str) -> Result<Self, Error> {
        let text = Text::parse(text)?;
        let form =
            parse_patch(text.value()).map_err(|fault| text.locate(fault.problem, fault.tail))?;
        text.check_values()?;
        Ok(Self::whole(form))
    }

    /// Same as [`UpdateBytes::replacement`](crate::bytes::UpdateBytes::replacement).
    pub(crate) fn of_replacement(document: &[u8]) -> Result<Self, QueryError> {
        let document = RawValue::new(document);
        document.verify().map_err(|_| Problem::Malformed)?;
        check_names(document)?;
        Ok(Self::whole(parse_replacement(document).map_err(|fault| fault.problem)?))
    }

    /// Same as [`UpdateBytes::check_replacement`](crate::bytes::UpdateBytes::check_replacement).
    pub(crate) fn check_replacement(document: &[u8]) -> Result<(), QueryError> {
        let document = RawValue::new(document);
        check_document("a replacement", document).map_err(|fault| fault.problem)?;
        for field in document.fields().into_iter().flatten() {
            let (name, _) = field.map_err(|_| Problem::Malformed)?;
            if name.starts_with(b"$") {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(Problem::OperatorInReplacement { name }.into());
            }
        }
        Ok(())
    }

    /// Returns the update that puts a document, read from JSON text, in place of the old one.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let update = Update::replacement_json(r#"{"a": 1}"#)?;
    /// assert_eq!(update.to_string(), r#"{"$replaceWith": {"a": 1}}"#);
    /// // An update that was taken for a document.
    /// assert!(Update::replacement_json(r#"{"$set": {"a": 1}}"#).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](nanodb_document::ErrorKind::Invalid): the error says what is wrong, and where in
    /// the text.
    #[cfg(feature = "json")]
    pub fn replacement_json(text: &str) -> Result<Self, Error> {
        let text = Text::parse(text)?;
        let form = parse_replacement(text.value())
            .map_err(|fault| text.locate(fault.problem, fault.tail))?;
        text.check_values()?;
        Ok(Self::whole(form))
    }

    /// Same as [`UpdateBytes::needs_match`](crate::bytes::UpdateBytes::needs_match).
    pub(crate) fn needs_match(&self) -> bool {
        match self.form() {
            Ok(Form::Operators(changes)) if !changes.is_plain => {
                changes.root.iter().any(|(_, node)| node.needs_match())
            }
            _ => false,
        }
    }

    /// Returns the array filters, which [`Display`](fmt::Display) of the update leaves out. They
    /// print text that [`parse_json_with_filters`](Self::parse_json_with_filters) reads.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::Update;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let text = r#"{"$set": {"items.$[big].sale": true}}"#;
    /// let update = Update::parse_json_with_filters(text, r#"[{"big": {"$gt": 5}}]"#)?;
    /// assert_eq!(update.to_string(), text);
    /// assert_eq!(update.array_filters().to_string(), r#"[{"big": {"$gt": 5}}]"#);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn array_filters(&self) -> ArrayFilters<'_> {
        ArrayFilters(self)
    }

    /// Same as [`UpdateBytes::apply`](crate::bytes::UpdateBytes::apply).
    pub(crate) fn apply(
        &self,
        document: &[u8],
        context: &UpdateContext,
        out: &mut Vec<u8>,
    ) -> Result<bool, UpdateError> {
        let start = out.len();
        let changed = self.write(document, context, false, out);
        if changed != Ok(true) {
            out.truncate(start);
        }
        changed
    }

    /// Same as [`UpdateBytes::upsert`](crate::bytes::UpdateBytes::upsert).
    pub(crate) fn upsert(
        &self,
        filter: &Filter,
        context: &UpdateContext,
        out: &mut Vec<u8>,
    ) -> Result<(), UpdateError> {
        filter.checked().map_err(|error| UpdateError::Filter(Box::new(error)))?;
        let only_id = matches!(self.form(), Ok(Form::Replacement(_)));
        let mut base = Vec::new();
        write_base(filter, only_id, context, &mut base)?;
        let start = out.len();
        match self.write(&base, context, true, out) {
            Ok(true) => Ok(()),
            Ok(false) => {
                out.truncate(start);
                out.extend_from_slice(&base);
                Ok(())
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    /// Same as [`UpdateBytes::upserted_id`](crate::bytes::UpdateBytes::upserted_id).
    pub(crate) fn upserted_id(filter: &Filter) -> Result<Option<Vec<u8>>, UpdateError> {
        filter.checked().map_err(|error| UpdateError::Filter(Box::new(error)))?;
        let mut base = Vec::new();
        write_base(filter, true, &UpdateContext::default(), &mut base)?;
        let id = RawValue::new(&base).field("_id")?;
        Ok(id.map(|id| id.bytes().map(<[u8]>::to_vec)).transpose()?)
    }

    fn write(
        &self,
        document: &[u8],
        context: &UpdateContext,
        inserting: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, UpdateError> {
        let form = self.form().map_err(|error| UpdateError::Refused(Box::new(error.clone())))?;
        let changes = match form {
            Form::Operators(changes) | Form::Patch { changes, .. } => changes,
            Form::Replacement(new) => {
                let start = out.len();
                replace::replace(RawValue::new(document), new.value(), context.bytes_max, out)?;
                return Ok(out.get(start..) != Some(document));
            }
        };
        let writer = Writer::new(document, out, context.bytes_max);
        let applying = UpdateWalk::new(&changes.list, (context.now, inserting), document, writer);
        if changes.is_plain {
            return applying.run(&changes.root);
        }
        let expansion = Expansion::new(&changes.list, &changes.filters, context.matched);
        let root = expansion.expand_children(&changes.root, Some(RawValue::new(document)))?;
        applying.run(&root)
    }
}

/// Writes the document of the values that a filter demands for paths.
fn write_base(
    filter: &Filter,
    only_id: bool,
    context: &UpdateContext,
    out: &mut Vec<u8>,
) -> Result<(), UpdateError> {
    let mut changes = Changes::new(Vec::new());
    let is_id = |path: &str| path == "_id";
    let mut equalities: Vec<_> = filter.equalities().collect();
    // `_id` comes first.
    equalities.sort_by_key(|(path, _)| !is_id(path.as_str()));
    for (path, value) in equalities {
        if only_id && !is_id(path.as_str()) {
            continue;
        }
        let change = Change { path: path.clone(), operator: Operator::Set(value.clone()) };
        changes.add(change).map_err(|problem| match problem {
            Problem::Conflict { path, at } => UpdateError::Conflict { path, at },
            _ => UpdateError::Conflict { path: path.to_string(), at: path.to_string() },
        })?;
    }
    const EMPTY: &[u8] = &[0x80];
    let writer = Writer::new(EMPTY, out, context.bytes_max);
    if !UpdateWalk::new(&changes.list, (context.now, true), EMPTY, writer).run(&changes.root)? {
        out.clear();
        out.extend_from_slice(EMPTY);
    }
    Ok(())
}

fn parse(document: RawValue<'_>, filters: Vec<filters::ArrayFilter>) -> Result<Form, Fault<'_>> {
    check_document("an update", document)?;
    let mut operators = entries(document);
    match (operators.next(), operators.next()) {
        (None, _) => return Err(fault(Problem::NoOperators, document)),
        (Some(Entry { name: MERGE_PATCH, value, .. }), None) => return parse_patch(value),
        (Some(Entry { name: REPLACE_WITH, value, .. }), None) => return parse_replacement(value),
        _ => {}
    }
    Ok(Form::Operators(parse::parse(document, filters)?))
}

fn parse_patch(patch: RawValue<'_>) -> Result<Form, Fault<'_>> {
    check_document("a merge patch", patch)?;
    let changes = merge_patch::parse(patch)?;
    Ok(Form::Patch { patch: operand(patch)?, changes })
}

fn parse_replacement(document: RawValue<'_>) -> Result<Form, Fault<'_>> {
    check_document("a replacement", document)?;
    if let Some(Entry { name, tail, .. }) =
        entries(document).find(|entry| entry.name.starts_with('$'))
    {
        return Err(Fault {
            problem: Problem::OperatorInReplacement { name: name.to_owned() },
            tail,
        });
    }
    Ok(Form::Replacement(operand(document)?))
}

fn check_document<'a>(what: &'static str, value: RawValue<'a>) -> Result<(), Fault<'a>> {
    if value.is_map() {
        return Ok(());
    }
    let found = value.bracket().unwrap_or(TypeBracket::Null);
    Err(fault(Problem::NotADocument { what, found }, value))
}

impl PartialEq for Update {
    fn eq(&self, other: &Self) -> bool {
        // The source may be another one of the same changes.
        self.form() == other.form()
    }
}

impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Update({self})")
    }
}

/// Prints JSON that [`Update::parse_json`] reads back as an equal update, given
/// [`array_filters`](Update::array_filters) if there are any. An update that
/// [`check`](Update::check) refuses prints text that is refused too.
impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, document) = match self.form() {
            Ok(Form::Operators(changes)) => return print::print_changes(&changes.list, f),
            Ok(Form::Patch { patch, .. }) => (MERGE_PATCH, patch),
            Ok(Form::Replacement(document)) => (REPLACE_WITH, document),
            Err(error) => {
                f.write_str(r#"{"$refused": "#)?;
                print_string(&error.to_string(), f)?;
                return f.write_str("}");
            }
        };
        write!(f, r#"{{"{name}": "#)?;
        print_value(document.value(), f)?;
        f.write_str("}")
    }
}

#[cfg(feature = "json")]
impl std::str::FromStr for Update {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse_json(text)
    }
}

/// The array filters of an update, for printing.
#[derive(Clone, Copy, Debug)]
pub struct ArrayFilters<'u>(&'u Update);

impl fmt::Display for ArrayFilters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.form() {
            Ok(Form::Operators(changes)) => print::print_filters(&changes.filters, f),
            _ => f.write_str("[]"),
        }
    }
}
