//! Documents as filters, sorts, projections and updates.

use nanodb_document::{Document, Error, to_bytes};

use crate::{Filter, Problem, Projection, QueryError, Sort, Update};

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
