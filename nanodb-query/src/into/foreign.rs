//! Documents of other crates as queries, each behind a feature of that crate's name.
//!
//! `serde_json`'s are taken as their text would be: `{"$date": ...}` means a time.

#[cfg(feature = "bson")]
use nanodb_document::Document;
#[cfg(feature = "serde_json")]
use nanodb_document::{Error, ErrorParts};

use crate::error::{Problem, QueryError};
use crate::{Filter, IntoFilter, IntoProjection, IntoSort, IntoUpdate, Projection, Sort, Update};

macro_rules! conversions {
    ($($query:ident by $into:ident, $method:ident;)*) => {$(
        #[cfg(feature = "serde_json")]
        impl $into for &serde_json::Value {
            fn $method(self) -> $query {
                let parsed = $query::parse_json(&self.to_string());
                parsed.unwrap_or_else(|error| $query::refused(of_text(error)))
            }
        }

        #[cfg(feature = "serde_json")]
        impl $into for serde_json::Value {
            fn $method(self) -> $query {
                (&self).$method()
            }
        }

        #[cfg(feature = "bson")]
        impl $into for &bson::Document {
            fn $method(self) -> $query {
                match Document::try_from(self) {
                    Ok(document) => document.$method(),
                    Err(error) => $query::refused(not_a_document(&error)),
                }
            }
        }

        #[cfg(feature = "bson")]
        impl $into for bson::Document {
            fn $method(self) -> $query {
                (&self).$method()
            }
        }
    )*};
}
conversions! {
    Filter by IntoFilter, into_filter;
    Update by IntoUpdate, into_update;
    Sort by IntoSort, into_sort;
    Projection by IntoProjection, into_projection;
}

/// Returns the reason for which a text was refused.
#[cfg(feature = "serde_json")]
fn of_text(error: Error) -> QueryError {
    let reason = error.to_string();
    match error.into_internal().map(|internal| internal.downcast()) {
        Some(Ok(query_error)) => *query_error,
        _ => Problem::Document { reason }.into(),
    }
}

#[cfg(feature = "bson")]
fn not_a_document(error: &nanodb_document::Error) -> QueryError {
    Problem::Document { reason: error.to_string() }.into()
}

#[cfg(test)]
#[cfg(all(feature = "serde_json", feature = "bson"))]
mod tests {
    use bson::doc as bson_doc;
    use serde_json::json;

    use super::*;
    use crate::field;
    use nanodb_document::Timestamp;

    #[test]
    fn documents_of_other_crates_are_queries() {
        let since = field("at").gte(Timestamp::new(5, 0));
        let by_json = json!({ "at": { "$gte": { "$date": "1970-01-01T00:00:05Z" } } });
        assert_eq!((&by_json).into_filter(), since);
        assert_eq!(by_json.into_filter(), since);
        let at = bson::DateTime::from_millis(5000);
        let by_bson = bson_doc! { "at": { "$gte": at } };
        assert_eq!((&by_bson).into_filter(), since);
        assert_eq!(by_bson.into_filter(), since);

        let birthday = Update::new().inc("age", 1);
        assert_eq!(json!({ "$inc": { "age": 1 } }).into_update(), birthday);
        assert_eq!(bson_doc! { "$inc": { "age": 1 } }.into_update(), birthday);
        let oldest = Sort::descending("age");
        assert_eq!(json!({ "age": -1 }).into_sort(), oldest);
        assert_eq!(bson_doc! { "age": -1 }.into_sort(), oldest);
        let names = Projection::include(["name"]);
        assert_eq!(json!({ "name": 1 }).into_projection(), names);
        assert_eq!(bson_doc! { "name": 1 }.into_projection(), names);
    }

    #[test]
    fn what_is_refused_is_the_error_of_every_use() {
        let error = json!({ "age": { "$gtt": 18 } }).into_filter().check().unwrap_err();
        assert!(error.to_string().starts_with("unknown operator `$gtt` on `age`"), "{error}");
        let error = json!([1]).into_update().check().unwrap_err();
        assert_eq!(error.kind(), nanodb_document::ErrorKind::Invalid);
        let decimal = bson::Decimal128::from_bytes([0; 16]);
        let error = bson_doc! { "a": decimal }.into_filter().check().unwrap_err();
        assert!(error.to_string().contains("a Decimal128 of BSON"), "{error}");
    }
}
