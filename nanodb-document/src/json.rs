//! Documents from and to JSON text: [`Document::parse_json`], [`Document::to_json`],
//! [`DocView::write_json`]; the dialect is that of [`nanodb_msgpack::json`].

use std::str::FromStr;

use nanodb_msgpack::RawValue;
pub use nanodb_msgpack::json::{
    Decimals, Format, Inexact, Layout, Position, ReadOptions, WriteOptions,
};
use nanodb_msgpack::json::{JsonError, WriteError, to_msgpack, write_document, write_value};

use crate::document_error::Damage;
use crate::error::{Error, ErrorBuilder, ErrorKind, Result};
use crate::view::decode::{decode_document, decode_value};
use crate::{DocView, Document, DocumentError, Value, ValueRef, to_bytes};

/// Returns the MessagePack of a document in JSON, as it is written: with or without `_id`, and that
/// in its place.
///
/// This is what [`Document::parse_json`] reads, without the document in memory:
/// [`DocView::from_bytes`] of it can be stored.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::json::{ReadOptions, document_to_msgpack};
///
/// # fn main() -> nanodb::Result<()> {
/// let options = ReadOptions::new();
/// let bytes = document_to_msgpack(br#"{"name": "Alice"}"#, &options)?;
/// assert_eq!(bytes, b"\x81\xa4name\xa5Alice");
/// assert!(document_to_msgpack(b"[1]", &options).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Same as [`Document::parse_json`]. Whether a document may be stored is found out when it is.
pub fn document_to_msgpack(text: &[u8], options: &ReadOptions) -> Result<Vec<u8>> {
    let bytes = to_msgpack(text, options)?;
    // What was read is one whole value: it is a map, or it begins as something else.
    if !matches!(bytes.first(), Some(0x80..=0x8f | 0xde | 0xdf)) {
        let decoded = DocView::from_bytes(&bytes).to_document();
        decoded.map_err(|error| JsonError::of_whole(&error))?;
    }
    Ok(bytes)
}

impl Document {
    /// Reads a document from JSON: MongoDB's Extended JSON in any of its forms, and all that
    /// [`to_json`](Self::to_json) writes.
    ///
    /// The document itself is taken as it is. An object within it whose first name begins with a
    /// dollar is the form of a value that JSON lacks; an unknown form is refused.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::{Document, Timestamp, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{"name": "Alice", "born": {"$date": "1991-05-06T00:00:00Z"}}"#;
    /// let alice = Document::parse_json(text)?;
    /// assert_eq!(alice["born"].as_timestamp(), Timestamp::new(673_488_000, 0));
    /// assert_eq!(Document::parse_json(&alice.to_json()?)?, alice);
    ///
    /// let error = Document::parse_json(r#"{"a": {"$dat": 5}}"#).unwrap_err();
    /// assert!(error.to_string().starts_with("unknown form `$dat`"));
    /// assert_eq!(error.position().map(|position| position.column), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with the [place](Error::position): invalid JSON, not
    /// an object, a field that occurs twice, half of a surrogate pair, a form that is wrong or has
    /// no meaning here, or more than 100 levels.
    pub fn parse_json(text: &str) -> Result<Self> {
        Self::parse_json_with(text.as_bytes(), &ReadOptions::new())
    }

    /// Reads a document from JSON in UTF-8, with options.
    ///
    /// # Errors
    ///
    /// Same as [`parse_json`](Self::parse_json).
    pub fn parse_json_with(text: &[u8], options: &ReadOptions) -> Result<Self> {
        let bytes = to_msgpack(text, options)?;
        Ok(decode_document(&bytes).map_err(|error| JsonError::of_whole(&error))?)
    }

    /// Writes this document as JSON on one line: relaxed Extended JSON with all digits of a time,
    /// and `$ext` and `$literal` for values that it lacks. [`parse_json`](Self::parse_json) reads
    /// back an equal document.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the document breaks a rule.
    pub fn to_json(&self) -> Result<String> {
        DocView::from_bytes(&to_bytes(self)?).to_json()
    }

    /// Writes this document as JSON with a field a line, as [`to_json`](Self::to_json) does on one.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::doc;
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let text = doc! { "name": "Alice", "tags": ["a"] }.to_json_pretty()?;
    /// assert_eq!(text, "{\n  \"name\": \"Alice\",\n  \"tags\": [\n    \"a\"\n  ]\n}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`to_json`](Self::to_json).
    pub fn to_json_pretty(&self) -> Result<String> {
        DocView::from_bytes(&to_bytes(self)?).to_json_pretty()
    }
}

impl Value {
    /// Reads a value from JSON, as within a document: an object may be a form.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::{Timestamp, Value};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let value = Value::parse_json(r#"{"$date": "1970-01-01T00:00:05Z"}"#)?;
    /// assert_eq!(value.as_timestamp(), Timestamp::new(5, 0));
    /// assert_eq!(Value::parse_json(&value.to_json()?)?, value);
    ///
    /// let list: Value = "[1]".parse()?;
    /// assert_eq!(list.to_json_pretty()?, "[\n  1\n]");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Document::parse_json`], but for 99 levels at most: the document that the value is
    /// to be in is one more. The place is that within the text.
    pub fn parse_json(text: &str) -> Result<Self> {
        // The text itself would be no form. The array counts as a level, as the document will.
        let bytes = to_msgpack(format!("[{text}\n]").as_bytes(), &ReadOptions::new())
            .map_err(|error| error.moved_left(1))?;
        match decode_value(&bytes)?.into_array().map(<[Value; 1]>::try_from) {
            Ok(Ok([value])) => Ok(value),
            _ => Err(JsonError::of_whole(&"expected one value").into()),
        }
    }

    /// Writes this value as JSON on one line, as within a document; see [`Document::to_json`].
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the value breaks a rule of documents.
    pub fn to_json(&self) -> Result<String> {
        self.write_json(&WriteOptions::new())
    }

    /// Writes this value as JSON with a field or an element a line; see
    /// [`Document::to_json_pretty`].
    ///
    /// # Errors
    ///
    /// Same as [`to_json`](Self::to_json).
    pub fn to_json_pretty(&self) -> Result<String> {
        self.write_json(&WriteOptions::new().layout(Layout::Lines))
    }

    fn write_json(&self, options: &WriteOptions) -> Result<String> {
        let (mut bytes, mut out) = (Vec::new(), String::new());
        crate::value_to_bytes(self, &mut bytes)?;
        write_value(RawValue::new(&bytes), options, &mut out).map_err(DocumentError::from)?;
        Ok(out)
    }
}

/// Same as [`Document::parse_json`].
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Document, doc};
///
/// # fn main() -> nanodb::Result<()> {
/// let alice: Document = r#"{"name": "Alice"}"#.parse()?;
/// assert_eq!(alice, doc! { "name": "Alice" });
/// # Ok(())
/// # }
/// ```
impl FromStr for Document {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse_json(text)
    }
}

/// Same as [`Value::parse_json`].
impl FromStr for Value {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse_json(text)
    }
}

impl DocView {
    /// Writes this document as JSON on one line; see [`Document::to_json`].
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::ErrorKind::Damaged), if the bytes are damaged.
    pub fn to_json(&self) -> Result<String> {
        let mut out = String::new();
        self.write_json(&WriteOptions::new(), &mut out)?;
        Ok(out)
    }

    /// Writes this document as JSON with a field a line; see [`Document::to_json_pretty`].
    ///
    /// # Errors
    ///
    /// Same as [`to_json`](Self::to_json).
    pub fn to_json_pretty(&self) -> Result<String> {
        let mut out = String::new();
        self.write_json(&WriteOptions::new().layout(Layout::Lines), &mut out)?;
        Ok(out)
    }

    /// Appends this document to `out` as JSON, with options.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::json::{Format, WriteOptions};
    /// use nanodb::{DocView, Encode, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut buffer = Vec::new();
    /// let draft = doc! { "_id": 1, "big": u64::MAX }.encode(None, &mut buffer)?;
    /// let view = DocView::from_bytes(draft.record(&buffer));
    /// let mut out = String::new();
    /// let canonical = WriteOptions::new().format(Format::Canonical);
    /// let error = view.write_json(&canonical, &mut out).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "an integer above 2^63-1 at `big` has no form in MongoDB's Extended JSON; it can be \
    ///      rounded, or written as a string",
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::ErrorKind::Damaged), if the bytes are damaged;
    /// [`Invalid`](crate::ErrorKind::Invalid), if the format has no form for a value. `out` then
    /// is as it was before.
    pub fn write_json(&self, options: &WriteOptions, out: &mut String) -> Result<()> {
        match write_document(RawValue::new(self.as_bytes()), options, out) {
            Err(WriteError::Malformed) => Err(Damage(WriteError::Malformed.into()).into()),
            written => Ok(written.map_err(DocumentError::from)?),
        }
    }
}

impl ValueRef<'_> {
    /// Writes this value as JSON on one line, as within a document; see [`Document::to_json`].
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::ErrorKind::Damaged), if the bytes are damaged.
    pub fn to_json(&self) -> Result<String> {
        self.to_value()?.to_json()
    }

    /// Writes this value as JSON with a field or an element a line; see
    /// [`Document::to_json_pretty`].
    ///
    /// # Errors
    ///
    /// Same as [`to_json`](Self::to_json).
    pub fn to_json_pretty(&self) -> Result<String> {
        self.to_value()?.to_json_pretty()
    }
}

impl From<WriteError> for DocumentError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Malformed => Self::Malformed { offset: 0 },
            other => Self::NoJson(other),
        }
    }
}

impl From<JsonError> for Error {
    #[cold]
    fn from(error: JsonError) -> Self {
        let position = error.position();
        ErrorBuilder::telling(ErrorKind::Invalid, error).position(position).into()
    }
}
