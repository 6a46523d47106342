//! Documents as filters, sorts, projections and updates, and values as operands.

use nanodb_document::{Document, Error, Id, IdRef, Value, to_bytes, value_to_bytes};

use crate::{Filter, Literal, Problem, Projection, QueryError, Sort, Update};

macro_rules! parsed {
    ($($query:ident)*) => {$(
        impl $query {
            /// The same conversion, with the error as this crate knows it.
            pub(crate) fn of_document(document: &Document) -> Result<Self, QueryError> {
                let bytes = to_bytes(document);
                let refused = |error: Error| Problem::Document { reason: error.to_string() };
                Self::parse(&bytes.map_err(refused)?)
            }
        }

        /// Reads MongoDB's language from a document.
        impl TryFrom<&Document> for $query {
            type Error = Error;

            fn try_from(document: &Document) -> Result<Self, Error> {
                Ok(Self::of_document(document)?)
            }
        }

        /// Reads MongoDB's language from a document.
        impl TryFrom<Document> for $query {
            type Error = Error;

            fn try_from(document: Document) -> Result<Self, Error> {
                Self::try_from(&document)
            }
        }
    )*};
}
parsed!(Filter Sort Projection Update);

/// A value that can't be stored, because it is too deep or too long, makes every use of a filter
/// made of it an error.
impl From<&Value> for Literal {
    fn from(value: &Value) -> Self {
        let mut bytes = Vec::new();
        match value_to_bytes(value, &mut bytes) {
            Ok(()) => Self::from_bytes(&bytes).unwrap_or_else(Self::refused),
            Err(error) => Self::refused(Problem::Value { reason: error.to_string() }),
        }
    }
}

impl From<Value> for Literal {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl From<IdRef<'_>> for Literal {
    fn from(id: IdRef<'_>) -> Self {
        match id {
            IdRef::Int(number) => number.into(),
            IdRef::UInt(number) => number.into(),
            IdRef::String(text) => text.into(),
            IdRef::Binary(bytes) => bytes.into(),
            IdRef::ObjectId(id) => Self::from(&Value::ObjectId(id)),
            IdRef::Uuid(id) => Self::from(&Value::Uuid(id)),
        }
    }
}

impl From<&Id> for Literal {
    fn from(id: &Id) -> Self {
        id.as_ref().into()
    }
}

impl From<Id> for Literal {
    fn from(id: Id) -> Self {
        Self::from(&id)
    }
}
