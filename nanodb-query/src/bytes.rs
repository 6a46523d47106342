//! What queries do with the bytes of documents: reading themselves from MessagePack, and matching,
//! ordering, selecting and changing documents.
//!
//! These are traits, so that a crate can hand [`Filter`], [`Sort`], [`Projection`] and [`Update`]
//! on to its users without them. Their errors are this crate's own and say what code asks for.

use crate::{ApplyError, Filter, Projection, QueryError, Sort, Update, UpdateContext, UpdateError};

/// What a [`Filter`] does with the bytes of documents.
///
/// ```
/// use nanodb_query::bytes::FilterBytes;
/// use nanodb_query::{Filter, field};
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
pub trait FilterBytes: Sized {
    /// Reads a filter from a document in MessagePack, by the same rules as from text.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong.
    fn parse(document: &[u8]) -> Result<Self, QueryError>;

    /// Returns whether a document matches.
    ///
    /// One walk over the document's fields, as far as the named ones go, decides all conditions
    /// that must hold. Each `$or`, `$nor` or dotted path through an array may cost another walk. A
    /// document of up to 4 KiB is first searched for a string that it must contain, if the filter
    /// names one, which is several times faster than a walk. Nothing is allocated, except by a
    /// regular expression the first time that a thread uses it.
    ///
    /// ```
    /// use nanodb_query::Filter;
    /// use nanodb_query::bytes::FilterBytes;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let filter = Filter::parse_json(r#"{"a": {"$gt": 1}}"#)?;
    /// assert!(filter.matches(b"\x81\xa1a\x02")?); // {"a": 2}
    /// assert!(!filter.matches(b"\x81\xa1a\x01")?); // {"a": 1}
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ApplyError::Malformed`] if the bytes that were read are not valid MessagePack;
    /// [`ApplyError::Query`] if [`Filter::check`] fails.
    fn matches(&self, document: &[u8]) -> Result<bool, ApplyError>;

    /// Returns the index of the array element by which a matching document matched: what `$` means
    /// in an update. Returns `None` if the filter does not look into an array.
    ///
    /// If several conditions look into arrays, the last one decides.
    ///
    /// ```
    /// use nanodb_query::bytes::FilterBytes;
    /// use nanodb_query::field;
    ///
    /// // {"a": [7, 8, 9]}
    /// let document = b"\x81\xa1a\x93\x07\x08\x09";
    /// assert_eq!(field("a").gt(7).matched_element(document)?, Some(1));
    /// # Ok::<(), nanodb_query::ApplyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`matches`](Self::matches).
    fn matched_element(&self, document: &[u8]) -> Result<Option<u32>, ApplyError>;

    /// Returns the values, as MessagePack, of which `_id` must equal one in a match: one value, or
    /// several for `$in`. Returns `None` if the filter does not restrict `_id` so.
    ///
    /// No other document matches, but not every document with such an id does.
    ///
    /// ```
    /// use nanodb_query::bytes::FilterBytes;
    /// use nanodb_query::field;
    ///
    /// let ids = field("_id").is_in([7, 8]).and(field("a").gt(1)).wanted_ids();
    /// assert_eq!(ids, Some(vec![vec![7], vec![8]]));
    /// assert_eq!(field("a").eq(7).wanted_ids(), None);
    /// ```
    #[must_use]
    fn wanted_ids(&self) -> Option<Vec<Vec<u8>>>;
}

impl FilterBytes for Filter {
    #[inline]
    fn parse(document: &[u8]) -> Result<Self, QueryError> {
        Self::parse(document)
    }

    #[inline]
    fn matches(&self, document: &[u8]) -> Result<bool, ApplyError> {
        Self::matches(self, document)
    }

    #[inline]
    fn matched_element(&self, document: &[u8]) -> Result<Option<u32>, ApplyError> {
        Self::matched_element(self, document)
    }

    #[inline]
    fn wanted_ids(&self) -> Option<Vec<Vec<u8>>> {
        Self::wanted_ids(self)
    }
}

/// What a [`Sort`] does with the bytes of documents.
///
/// ```
/// use nanodb_query::Sort;
/// use nanodb_query::bytes::SortBytes;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sort = Sort::parse_json(r#"{"age": -1, "name": 1}"#)?;
/// assert_eq!(sort, Sort::descending("age").then_ascending("name"));
///
/// // {"age": 31}, {"age": [7, 40]}
/// let (one, two) = (b"\x81\xa3age\x1f", b"\x81\xa3age\x92\x07\x28");
/// assert!(sort.key(one)? > sort.key(two)?);
/// # Ok(())
/// # }
/// ```
pub trait SortBytes: Sized {
    /// Reads a sort from a document in MessagePack.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong.
    fn parse(document: &[u8]) -> Result<Self, QueryError>;

    /// Returns the key of a document. Documents are in order if their keys are, compared as bytes.
    ///
    /// ```
    /// use nanodb_query::Sort;
    /// use nanodb_query::bytes::SortBytes;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sort = Sort::ascending("a");
    /// // {"a": 1}, {"a": 1.5}
    /// let (one, two) = (b"\x81\xa1a\x01", b"\x81\xa1a\xcb\x3f\xf8\0\0\0\0\0\0");
    /// assert!(sort.key(one)? < sort.key(two)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ApplyError::Malformed`] if the document is not valid MessagePack, [`ApplyError::Query`] if
    /// [`Sort::check`] fails.
    fn key(&self, document: &[u8]) -> Result<Vec<u8>, ApplyError> {
        let mut key = Vec::new();
        self.append_key(document, &mut key)?;
        Ok(key)
    }

    /// Appends the key of a document to `out`, for callers that keep many keys in one buffer.
    ///
    /// # Errors
    ///
    /// Same as [`key`](Self::key); `out` then ends in a part of a key.
    fn append_key(&self, document: &[u8], out: &mut Vec<u8>) -> Result<(), ApplyError>;
}

impl SortBytes for Sort {
    #[inline]
    fn parse(document: &[u8]) -> Result<Self, QueryError> {
        Self::parse(document)
    }

    #[inline]
    fn append_key(&self, document: &[u8], out: &mut Vec<u8>) -> Result<(), ApplyError> {
        Self::append_key(self, document, out)
    }
}

/// What a [`Projection`] does with the bytes of documents.
///
/// ```
/// use nanodb_query::Projection;
/// use nanodb_query::bytes::ProjectionBytes;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let projection = Projection::parse_json(r#"{"age": 1, "_id": 0}"#)?;
/// assert_eq!(projection, Projection::include(["age"]).without_id());
///
/// // {"_id": 5, "age": 31, "city": "Berlin"}
/// let document = b"\x83\xa3_id\x05\xa3age\x1f\xa4city\xa6Berlin";
/// let mut out = Vec::new();
/// projection.apply(document, &mut out)?;
/// assert_eq!(out, b"\x81\xa3age\x1f");
/// # Ok(())
/// # }
/// ```
pub trait ProjectionBytes: Sized {
    /// Reads a projection from a document in MessagePack.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong.
    fn parse(document: &[u8]) -> Result<Self, QueryError>;

    /// Returns whether a `$` needs the element by which the document matched the filter; see
    /// [`apply_matched`](Self::apply_matched).
    #[must_use]
    fn needs_match(&self) -> bool;

    /// Appends the selected fields of a document to `out`, in MessagePack.
    ///
    /// Values are copied byte by byte; the cost is two walks over the fields.
    ///
    /// # Errors
    ///
    /// [`ApplyError::Malformed`] if the document is not valid MessagePack; `out` then ends in a
    /// part of one. [`Problem::NoMatch`](crate::Problem::NoMatch) if the projection
    /// [`needs_match`](Self::needs_match).
    fn apply(&self, document: &[u8], out: &mut Vec<u8>) -> Result<(), ApplyError> {
        self.apply_matched(document, None, out)
    }

    /// Same as [`apply`](Self::apply), with the element that `$` means:
    /// [`Filter::matched_element`].
    ///
    /// ```
    /// use nanodb_query::bytes::{FilterBytes, ProjectionBytes};
    /// use nanodb_query::{Filter, Projection};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let filter = Filter::parse_json(r#"{"a": {"$gt": 7}}"#)?;
    /// let projection = Projection::parse_json(r#"{"a.$": 1}"#)?;
    /// // {"a": [7, 8, 9]}
    /// let document = b"\x81\xa1a\x93\x07\x08\x09";
    /// let mut out = Vec::new();
    /// projection.apply_matched(document, filter.matched_element(document)?, &mut out)?;
    /// assert_eq!(out, b"\x81\xa1a\x91\x08");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`apply`](Self::apply); [`Problem::NoMatch`](crate::Problem::NoMatch) if `$` needs
    /// an element and `matched` is `None`.
    ///
    /// [`Filter::matched_element`]: FilterBytes::matched_element
    fn apply_matched(
        &self,
        document: &[u8],
        matched: Option<u32>,
        out: &mut Vec<u8>,
    ) -> Result<(), ApplyError>;

    /// Returns the error for a filter that gives `$` no meaning, if the projection contains a `$`.
    #[must_use]
    fn no_match(&self) -> Option<QueryError>;
}

impl ProjectionBytes for Projection {
    #[inline]
    fn parse(document: &[u8]) -> Result<Self, QueryError> {
        Self::parse(document)
    }

    #[inline]
    fn needs_match(&self) -> bool {
        Self::needs_match(self)
    }

    #[inline]
    fn apply_matched(
        &self,
        document: &[u8],
        matched: Option<u32>,
        out: &mut Vec<u8>,
    ) -> Result<(), ApplyError> {
        Self::apply_matched(self, document, matched, out)
    }

    #[inline]
    fn no_match(&self) -> Option<QueryError> {
        Self::no_match(self)
    }
}

/// What an [`Update`] does with the bytes of documents.
///
/// ```
/// use nanodb_query::bytes::UpdateBytes;
/// use nanodb_query::{Update, UpdateContext};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let update = Update::parse_json(r#"{"$inc": {"age": 1}, "$set": {"city": "Bonn"}}"#)?;
/// // {"age": 31}
/// let mut out = Vec::new();
/// assert!(update.apply(b"\x81\xa3age\x1f", &UpdateContext::default(), &mut out)?);
/// assert_eq!(out, b"\x82\xa3age\x20\xa4city\xa4Bonn");
/// # Ok(())
/// # }
/// ```
pub trait UpdateBytes: Sized {
    /// Reads an update from a document in MessagePack.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong.
    fn parse(document: &[u8]) -> Result<Self, QueryError> {
        Self::parse_with_filters(document, &[0x90])
    }

    /// Reads an update from a document in MessagePack, and the array filters that its `$[id]` refer
    /// to from an array of documents.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is wrong with one of them.
    fn parse_with_filters(document: &[u8], array_filters: &[u8]) -> Result<Self, QueryError>;

    /// Reads a merge patch (RFC 7396) from a document in MessagePack.
    ///
    /// # Errors
    ///
    /// [`QueryError`] if it is not a document or exceeds the limits.
    fn merge_patch(patch: &[u8]) -> Result<Self, QueryError>;

    /// Returns the update that puts a document, in MessagePack, in place of the old one. The
    /// document may have the `_id` of the old one, or none; then it gets that of the old one.
    ///
    /// Unlike a query, it may have any number of values.
    ///
    /// # Errors
    ///
    /// [`QueryError`] if it is not a document, nests too deep or names a field twice; the errors of
    /// [`check_replacement`](Self::check_replacement).
    fn replacement(document: &[u8]) -> Result<Self, QueryError>;

    /// Refuses a replacement document that contains names of operators. Such a document is an
    /// update that was given to the wrong method, which would lose all fields.
    ///
    /// Costs one step for each field.
    ///
    /// # Errors
    ///
    /// [`Problem::OperatorInReplacement`](crate::Problem::OperatorInReplacement) if a name begins
    /// with `$`; [`Problem::NotADocument`](crate::Problem::NotADocument) and
    /// [`Problem::Malformed`](crate::Problem::Malformed).
    fn check_replacement(document: &[u8]) -> Result<(), QueryError>;

    /// Returns whether a `$` needs [`UpdateContext::matched`].
    #[must_use]
    fn needs_match(&self) -> bool;

    /// Appends the changed document to `out`, in MessagePack. Returns whether it differs from the
    /// old one; if not, nothing is appended.
    ///
    /// Costs one walk over the names of the documents in which changes lie; everything else is
    /// copied.
    ///
    /// ```
    /// use nanodb_query::bytes::UpdateBytes;
    /// use nanodb_query::{Update, UpdateContext};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let update = Update::parse_json(r#"{"$max": {"n": 5}}"#)?;
    /// let mut out = Vec::new();
    /// assert!(update.apply(b"\x81\xa1n\x01", &UpdateContext::default(), &mut out)?); // {"n": 1}
    /// assert_eq!(out, b"\x81\xa1n\x05");
    /// // {"n": 7} stays as it is.
    /// assert!(!update.apply(b"\x81\xa1n\x07", &UpdateContext::default(), &mut out)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UpdateError`] if a change is impossible; nothing is appended then.
    fn apply(
        &self,
        document: &[u8],
        context: &UpdateContext,
        out: &mut Vec<u8>,
    ) -> Result<bool, UpdateError>;

    /// Appends the document that an upsert inserts when no document matches the filter: the values
    /// that the filter demands for paths, changed by this update, including `$setOnInsert`. A
    /// replacement takes only `_id` from the filter.
    ///
    /// ```
    /// use nanodb_query::bytes::UpdateBytes;
    /// use nanodb_query::{Update, UpdateContext, field};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let update = Update::parse_json(r#"{"$inc": {"n": 1}, "$setOnInsert": {"new": true}}"#)?;
    /// let mut out = Vec::new();
    /// update.upsert(&field("a").eq(5), &UpdateContext::default(), &mut out)?;
    /// // {"a": 5, "n": 1, "new": true}
    /// assert_eq!(out, b"\x83\xa1a\x05\xa1n\x01\xa3new\xc3");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UpdateError`] if a change is impossible, [`UpdateError::Conflict`] if the filter demands
    /// two values for one field, [`UpdateError::Filter`] if [`Filter::check`] fails; nothing is
    /// appended then.
    fn upsert(
        &self,
        filter: &Filter,
        context: &UpdateContext,
        out: &mut Vec<u8>,
    ) -> Result<(), UpdateError>;

    /// Returns the `_id`, in MessagePack, that a filter demands of a document that an upsert
    /// inserts, if it demands one.
    ///
    /// # Errors
    ///
    /// Same as [`upsert`](Self::upsert).
    fn upserted_id(filter: &Filter) -> Result<Option<Vec<u8>>, UpdateError>;
}

impl UpdateBytes for Update {
    #[inline]
    fn parse_with_filters(document: &[u8], array_filters: &[u8]) -> Result<Self, QueryError> {
        Self::parse_with_filters(document, array_filters)
    }

    #[inline]
    fn merge_patch(patch: &[u8]) -> Result<Self, QueryError> {
        Self::of_patch(patch)
    }

    #[inline]
    fn replacement(document: &[u8]) -> Result<Self, QueryError> {
        Self::of_replacement(document)
    }

    #[inline]
    fn check_replacement(document: &[u8]) -> Result<(), QueryError> {
        Self::check_replacement(document)
    }

    #[inline]
    fn needs_match(&self) -> bool {
        Self::needs_match(self)
    }

    #[inline]
    fn apply(
        &self,
        document: &[u8],
        context: &UpdateContext,
        out: &mut Vec<u8>,
    ) -> Result<bool, UpdateError> {
        Self::apply(self, document, context, out)
    }

    #[inline]
    fn upsert(
        &self,
        filter: &Filter,
        context: &UpdateContext,
        out: &mut Vec<u8>,
    ) -> Result<(), UpdateError> {
        Self::upsert(self, filter, context, out)
    }

    #[inline]
    fn upserted_id(filter: &Filter) -> Result<Option<Vec<u8>>, UpdateError> {
        Self::upserted_id(filter)
    }
}
