//! `bson`'s values.

use ::bson::spec::BinarySubtype;
use ::bson::{Binary, Bson};

use crate::encode::draft::Draft;
use crate::error::Result;
use crate::{
    AsId, DOCUMENT_DEPTH_MAX, Document, DocumentError, Encode, Error, ErrorBuilder, ErrorKind, Id,
    IdRef, ObjectId, Timestamp, Uuid, Value,
};

impl From<::bson::oid::ObjectId> for ObjectId {
    fn from(id: ::bson::oid::ObjectId) -> Self {
        Self::from_bytes(id.bytes())
    }
}

impl From<ObjectId> for ::bson::oid::ObjectId {
    fn from(id: ObjectId) -> Self {
        Self::from_bytes(*id.bytes())
    }
}

impl From<::bson::Uuid> for Uuid {
    fn from(id: ::bson::Uuid) -> Self {
        Self::from_bytes(id.bytes())
    }
}

impl From<Uuid> for ::bson::Uuid {
    fn from(id: Uuid) -> Self {
        Self::from_bytes(*id.bytes())
    }
}

impl From<::bson::DateTime> for Timestamp {
    fn from(time: ::bson::DateTime) -> Self {
        Self::from_millis(time.timestamp_millis())
    }
}

macro_rules! values {
    ($($type:ty: $variant:ident)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
values! { ::bson::oid::ObjectId: ObjectId ::bson::Uuid: Uuid ::bson::DateTime: Timestamp }

macro_rules! ids {
    ($($type:ty: $variant:ident)*) => {$(
        impl From<$type> for Id {
            fn from(id: $type) -> Self {
                Self::$variant(id.into())
            }
        }

        impl From<$type> for IdRef<'_> {
            fn from(id: $type) -> Self {
                Self::$variant(id.into())
            }
        }

        impl AsId for $type {
            #[inline]
            fn as_id(&self) -> IdRef<'_> {
                (*self).into()
            }
        }
    )*};
}
ids! { ::bson::oid::ObjectId: ObjectId ::bson::Uuid: Uuid }

/// The reason why a value has no counterpart, and where it is.
struct Problem {
    path: String,
    text: String,
}

impl Problem {
    #[cold]
    fn new(text: impl Into<String>) -> Self {
        Self { path: String::new(), text: text.into() }
    }

    #[cold]
    fn at(mut self, step: &str) -> Self {
        if !self.path.is_empty() {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, step);
        self
    }
}

impl From<Problem> for Error {
    #[cold]
    fn from(Problem { path, text }: Problem) -> Self {
        let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
        ErrorBuilder::new(ErrorKind::Invalid, format!("{text}{place}")).path(&path).into()
    }
}

type Converted<T> = std::result::Result<T, Problem>;

/// Fails with [`ErrorKind::Invalid`] and the path for values of BSON that have no counterpart, such
/// as `Decimal128`, and for documents that nest too deep.
impl TryFrom<Bson> for Value {
    type Error = Error;

    fn try_from(value: Bson) -> Result<Self> {
        Ok(from_bson(value, 1)?)
    }
}

/// Fails as the conversion to [`Value`] does.
impl TryFrom<::bson::Document> for Document {
    type Error = Error;

    fn try_from(document: ::bson::Document) -> Result<Self> {
        Ok(from_document(document, 1)?)
    }
}

/// As by value.
impl TryFrom<&::bson::Document> for Document {
    type Error = Error;

    fn try_from(document: &::bson::Document) -> Result<Self> {
        document.clone().try_into()
    }
}

/// Fails with [`ErrorKind::Invalid`] and the path for values that BSON lacks: integers above
/// `i64::MAX`, times finer than a millisecond or further than it counts, and extensions.
impl TryFrom<Value> for Bson {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        Ok(to_bson(value)?)
    }
}

/// Fails as the conversion of a [`Value`] does.
impl TryFrom<Document> for ::bson::Document {
    type Error = Error;

    fn try_from(document: Document) -> Result<Self> {
        Ok(to_document(document)?)
    }
}

impl Encode for ::bson::Document {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        Document::try_from(self)?.encode(fallback, out)
    }
}

fn from_bson(value: Bson, depth: usize) -> Converted<Value> {
    let none = |what| Err(Problem::new(format!("{what} of BSON is no value here")));
    Ok(match value {
        Bson::Double(number) => Value::Float(number),
        Bson::String(text) | Bson::Symbol(text) => Value::String(text),
        Bson::Array(elements) => {
            check_depth(depth)?;
            let elements = elements.into_iter().enumerate().map(|(index, element)| {
                from_bson(element, depth + 1).map_err(|problem| problem.at(&index.to_string()))
            });
            Value::Array(elements.collect::<Converted<_>>()?)
        }
        Bson::Document(document) => Value::Document(from_document(document, depth)?),
        Bson::Boolean(value) => Value::Bool(value),
        Bson::Null | Bson::Undefined => Value::Null,
        Bson::Int32(number) => Value::Int(number.into()),
        Bson::Int64(number) => Value::Int(number),
        Bson::ObjectId(id) => Value::ObjectId(id.into()),
        Bson::DateTime(time) => Value::Timestamp(time.into()),
        Bson::Binary(Binary { subtype, bytes }) => match (subtype, <[u8; 16]>::try_from(&*bytes)) {
            (BinarySubtype::Generic, _) => Value::Binary(bytes),
            (BinarySubtype::Uuid, Ok(bytes)) => Value::Uuid(Uuid::from_bytes(bytes)),
            _ => return none("binary of this subtype"),
        },
        Bson::Decimal128(_) => return none("a Decimal128"),
        Bson::RegularExpression(_) => return none("a regular expression"),
        Bson::JavaScriptCode(_) | Bson::JavaScriptCodeWithScope(_) => return none("code"),
        Bson::Timestamp(_) => return none("a timestamp for replication"),
        Bson::MaxKey | Bson::MinKey => return none("the least or the greatest key"),
        Bson::DbPointer(_) => return none("a pointer to another database"),
    })
}

fn check_depth(depth: usize) -> Converted<()> {
    if depth > DOCUMENT_DEPTH_MAX {
        return Err(Problem::new(format!("more than {DOCUMENT_DEPTH_MAX} levels")));
    }
    Ok(())
}

fn from_document(document: ::bson::Document, depth: usize) -> Converted<Document> {
    check_depth(depth)?;
    let fields = document.into_iter().map(|(name, value)| {
        let value = from_bson(value, depth + 1).map_err(|problem| problem.at(&name))?;
        Ok((name, value))
    });
    let fields = fields.collect::<Converted<Vec<_>>>()?;
    Document::from_distinct(fields)
        .map_err(|name| Problem::new(DocumentError::duplicate_field(name).to_string()))
}

fn to_bson(value: Value) -> Converted<Bson> {
    if let Some(reason) = value.refusal() {
        return Err(Problem::new(reason));
    }
    let none = |what| Err(Problem::new(format!("{what} is no value of BSON")));
    Ok(match value {
        Value::Null => Bson::Null,
        Value::Bool(value) => Bson::Boolean(value),
        // As its drivers write integers: in 32 bits if they fit.
        Value::Int(number) => i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32),
        Value::UInt(number) => match i64::try_from(number) {
            Ok(number) => return to_bson(Value::Int(number)),
            Err(_) => return none("an integer above 2^63-1"),
        },
        Value::Float(number) => Bson::Double(number),
        Value::String(text) => Bson::String(text),
        Value::Binary(bytes) => Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes }),
        Value::ObjectId(id) => Bson::ObjectId(id.into()),
        Value::Uuid(id) => {
            Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: id.bytes().to_vec() })
        }
        Value::Array(elements) => {
            let elements = elements.into_iter().enumerate().map(|(index, element)| {
                to_bson(element).map_err(|problem| problem.at(&index.to_string()))
            });
            Bson::Array(elements.collect::<Converted<_>>()?)
        }
        Value::Document(document) => Bson::Document(to_document(document)?),
        Value::Timestamp(time) => {
            let millis = time.as_millis();
            if Timestamp::from_millis(millis) != time {
                return none("a time finer than a millisecond, or further than it counts,");
            }
            Bson::DateTime(::bson::DateTime::from_millis(millis))
        }
        Value::Ext(..) => return none("an extension"),
    })
}

fn to_document(document: Document) -> Converted<::bson::Document> {
    let fields = document.into_iter().map(|(name, value)| {
        let value = to_bson(value).map_err(|problem| problem.at(&name))?;
        Ok((name, value))
    });
    fields.collect()
}
