//! Values in either format: what the caller hands in, and the parts of it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use nanodb::json::{ReadOptions, document_to_msgpack};
use nanodb::{
    DocView, Draft, Encode, Filter, Id, IdRef, Projection, Sort, Update, Value, ValueRef,
};

use crate::arguments::{Arguments, utf8};
use crate::failure::{Failure, Result};
use crate::json_parts;
use crate::types::{NANODB_JSON, NANODB_MSGPACK, nanodb_format};

/// The format of what goes in and comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    MsgPack,
    Json,
}

impl Format {
    pub(crate) fn new(format: nanodb_format) -> Result<Self> {
        match format {
            NANODB_MSGPACK => Ok(Self::MsgPack),
            NANODB_JSON => Ok(Self::Json),
            _ => Err(Failure::misuse(format!("{format} is no format"))),
        }
    }
}

/// A document as it was handed in. It is looked at when it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    MsgPack(&'a [u8]),
    Json(&'a str),
}

impl Encode for Given<'_> {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> nanodb::Result<Draft> {
        match self {
            Self::MsgPack(bytes) => DocView::from_bytes(bytes).encode(fallback, out),
            Self::Json(text) => {
                let bytes = document_to_msgpack(text.as_bytes(), &ReadOptions::new())?;
                DocView::from_bytes(&bytes).encode(fallback, out)
            }
        }
    }
}

impl<'a> Given<'a> {
    pub(crate) fn new(bytes: &'a [u8], format: Format) -> Result<Self> {
        Ok(match format {
            Format::MsgPack => Self::MsgPack(bytes),
            Format::Json => Self::Json(utf8(bytes, "the document")?),
        })
    }

    /// Returns several: of an array, or one after the other.
    pub(crate) fn many(bytes: &'a [u8], format: Format) -> Result<Vec<Self>> {
        match format {
            Format::Json => {
                let elements = json_parts::elements(utf8(bytes, "the documents")?)?;
                Ok(elements.into_iter().map(Self::Json).collect())
            }
            Format::MsgPack => {
                if is_array(bytes) {
                    let parts = Part::new(bytes, format, "the documents")?.elements()?;
                    return parts.iter().map(Part::given).collect();
                }
                let (mut rest, mut found) = (bytes, Vec::new());
                while !rest.is_empty() {
                    let Some(ValueRef::Document(document)) = ValueRef::from_bytes(rest) else {
                        let at = found.len();
                        let text = format!("document {at}, counted from 0, is no whole document");
                        return Err(Failure::invalid(text));
                    };
                    found.push(Self::MsgPack(document.as_bytes()));
                    rest = rest.get(document.as_bytes().len()..).unwrap_or_default();
                }
                Ok(found)
            }
        }
    }
}

/// Whether MessagePack begins with an array.
fn is_array(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0x90..=0x9f | 0xdc | 0xdd))
}

/// A value that was handed in, or a part of one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    MsgPack(ValueRef<'a>),
    Json(&'a str),
}

impl<'a> Part<'a> {
    /// Takes a document or an array.
    pub(crate) fn new(bytes: &'a [u8], format: Format, what: &'static str) -> Result<Self> {
        if format == Format::Json {
            return Ok(Self::Json(utf8(bytes, what)?));
        }
        let value = ValueRef::from_bytes(bytes);
        let len = match &value {
            Some(ValueRef::Document(document)) => Some(document.as_bytes().len()),
            Some(ValueRef::Array(array)) => Some(array.as_bytes().len()),
            _ => None,
        };
        match value {
            Some(value) if len == Some(bytes.len()) => Ok(Self::MsgPack(value)),
            _ => Err(Failure::invalid(format!("{what}: not MessagePack of one document or array"))),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        match self {
            Self::MsgPack(value) => value.is_null(),
            Self::Json(text) => text.trim_ascii() == "null",
        }
    }

    /// Returns the fields of a document, in order. One that occurs twice is refused: which of the
    /// two is meant nobody knows.
    pub(crate) fn fields(&self) -> Result<Vec<(Cow<'a, str>, Part<'a>)>> {
        let fields = self.all_fields()?;
        let mut names = BTreeSet::new();
        match fields.iter().find(|(name, _)| !names.insert(&**name)) {
            Some((name, _)) => Err(Failure::invalid(format!("the field `{name}` occurs twice"))),
            None => Ok(fields),
        }
    }

    fn all_fields(&self) -> Result<Vec<(Cow<'a, str>, Part<'a>)>> {
        match self {
            Self::Json(text) => {
                let fields = json_parts::fields(text)?.into_iter();
                Ok(fields.map(|(name, value)| (name, Self::Json(value))).collect())
            }
            Self::MsgPack(value) => {
                let Some(document) = value.as_document() else { return Err(no("document")) };
                let fields = document.iter().map(|field| {
                    let (name, value) = field.map_err(not_msgpack)?;
                    Ok((Cow::Borrowed(name), Self::MsgPack(value)))
                });
                fields.collect()
            }
        }
    }

    /// Returns the elements of an array.
    pub(crate) fn elements(&self) -> Result<Vec<Part<'a>>> {
        match self {
            Self::Json(text) => {
                if !text.trim_ascii_start().starts_with('[') {
                    return Err(no("array"));
                }
                Ok(json_parts::elements(text)?.into_iter().map(Self::Json).collect())
            }
            Self::MsgPack(value) => {
                let Some(array) = value.as_array() else { return Err(no("array")) };
                let elements =
                    array.iter().map(|element| Ok(Self::MsgPack(element.map_err(not_msgpack)?)));
                elements.collect()
            }
        }
    }

    pub(crate) fn value(&self) -> Result<Value> {
        Ok(match self {
            Self::Json(text) => Value::parse_json(text)?,
            Self::MsgPack(value) => value.to_value().map_err(not_msgpack)?,
        })
    }

    pub(crate) fn bool(&self) -> Result<bool> {
        self.value()?.as_bool().ok_or_else(|| no("boolean"))
    }

    /// Returns a whole number from 0 up, whatever its type.
    pub(crate) fn count(&self) -> Result<u64> {
        let value = self.value()?;
        let whole = |number: f64| {
            // Beyond that, floats are not whole numbers but multiples of some.
            let fits = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it fits")]
            fits.then_some(number as u64)
        };
        let number = value.as_u64().or_else(|| value.as_f64().and_then(whole));
        number.ok_or_else(|| no("whole number from 0 up"))
    }

    pub(crate) fn text(&self) -> Result<String> {
        self.value()?.into_string().map_err(|_| no("string"))
    }

    /// Returns a document that is to be stored.
    pub(crate) fn given(&self) -> Result<Given<'a>> {
        match self {
            Self::Json(text) => Ok(Given::Json(text)),
            Self::MsgPack(value) => match value.as_document() {
                Some(document) => Ok(Given::MsgPack(document.as_bytes())),
                None => Err(no("document")),
            },
        }
    }

    /// Returns the bytes of a document.
    fn document(value: &ValueRef<'a>) -> Result<&'a [u8]> {
        value.as_document().map(DocView::as_bytes).ok_or_else(|| no("document"))
    }

    pub(crate) fn filter(&self) -> Result<Filter> {
        Ok(match self {
            Self::Json(text) => Filter::parse_json(text)?,
            Self::MsgPack(value) => Filter::from_msgpack(Self::document(value)?)?,
        })
    }

    /// Returns an update, with the filters that its `$[name]` refer to.
    pub(crate) fn update(&self, filters: Option<&Part<'_>>) -> Result<Update> {
        Ok(match (self, filters) {
            (Self::Json(text), Some(Part::Json(filters))) => {
                Update::parse_json_with_filters(text, filters)?
            }
            (Self::Json(text), _) => Update::parse_json(text)?,
            (Self::MsgPack(value), Some(Part::MsgPack(filters))) => {
                let filters = filters.as_array().ok_or_else(|| no("array"))?;
                Update::from_msgpack_with_filters(Self::document(value)?, filters.as_bytes())?
            }
            (Self::MsgPack(value), _) => Update::from_msgpack(Self::document(value)?)?,
        })
    }

    pub(crate) fn sort(&self) -> Result<Sort> {
        Ok(match self {
            Self::Json(text) => Sort::parse_json(text)?,
            Self::MsgPack(value) => Sort::from_msgpack(Self::document(value)?)?,
        })
    }

    pub(crate) fn projection(&self) -> Result<Projection> {
        Ok(match self {
            Self::Json(text) => Projection::parse_json(text)?,
            Self::MsgPack(value) => Projection::from_msgpack(Self::document(value)?)?,
        })
    }

    /// Returns an id.
    pub(crate) fn id(&self) -> Result<Id> {
        Ok(Id::try_from(self.value()?)?)
    }
}

/// What was handed in is not what is stored: it is no damage.
#[cold]
fn not_msgpack(error: nanodb::Error) -> Failure {
    Failure::invalid(format!("it is no MessagePack of a document's values: {error}"))
}

/// A part is of another type.
#[cold]
fn no(wanted: &'static str) -> Failure {
    Failure::invalid(format!("it is no {wanted}"))
}

/// An id that was handed in: borrowed, where it can be.
#[derive(Debug)]
pub(crate) enum GivenId<'a> {
    Borrowed(IdRef<'a>),
    Owned(Id),
}

impl<'a> GivenId<'a> {
    /// Takes the id of a call.
    #[inline]
    pub(crate) fn taken<T>(
        arguments: &'a Arguments,
        id: *const T,
        id_len: usize,
        format: Format,
    ) -> Result<Self> {
        Self::new(arguments.encoded(id, id_len, format, "the id")?, format)
    }

    fn new(bytes: &'a [u8], format: Format) -> Result<Self> {
        match format {
            Format::MsgPack => match IdRef::from_key(bytes) {
                Some(id) => Ok(Self::Borrowed(id)),
                None => {
                    Err(Failure::invalid("the id is no MessagePack of one value that can be an id"))
                }
            },
            Format::Json => {
                let text = utf8(bytes, "the id")?;
                match text.parse::<i64>() {
                    // JSON has no plus, and no zeros before a number.
                    Ok(number) if !text.starts_with(['+', '0']) && !text.starts_with("-0") => {
                        Ok(Self::Borrowed(IdRef::from(number)))
                    }
                    _ => Ok(Self::Owned(Part::Json(text).id()?)),
                }
            }
        }
    }

    pub(crate) fn get(&self) -> IdRef<'_> {
        match self {
            Self::Borrowed(id) => *id,
            Self::Owned(id) => id.as_ref(),
        }
    }
}
