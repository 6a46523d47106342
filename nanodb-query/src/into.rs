//! What verbs take for a filter, an update, a sort or a projection.
//!
//! A conversion does not fail: what is refused becomes a query of which every use is the error. So
//! the error comes where the query is used, in the result that the caller looks at anyway. What may
//! be taken for a query by mistake, such as `()` or `None`, has no conversion: a filter that is
//! missing must not select everything.

#[cfg(any(feature = "bson", feature = "serde_json"))]
mod foreign;

use nanodb_document::Document;

use crate::{Filter, Projection, Sort, Update};

/// A type that says which documents are meant: a [`Filter`] or a [`Document`], by value or by
/// reference; with the features of these names, `serde_json::Value` and `bson::Document` too.
///
/// ```
/// # mod nanodb { pub use nanodb_document::doc; pub use nanodb_query::*; }
/// use nanodb::{Filter, IntoFilter, doc, field};
///
/// let adults = field("age").gte(18);
/// assert_eq!(doc! { "age": { "$gte": 18 } }.into_filter(), adults);
/// assert_eq!((&adults).into_filter(), adults);
///
/// // What is refused is the error of every use.
/// let error = doc! { "age": { "$gtt": 18 } }.into_filter().check().unwrap_err();
/// assert_eq!(error.to_string(), "unknown operator `$gtt` on `age`");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter",
    label = "not a filter",
    note = "write `doc! {{ \"age\": {{ \"$gte\": 18 }} }}`, `field(\"age\").gte(18)` or \
            `Filter::parse_json(text)?`; `doc! {{}}` and `Filter::all()` match everything",
    note = "to choose documents by a closure, use `.iter()?.filter(…)`"
)]
pub trait IntoFilter {
    /// Returns the filter.
    fn into_filter(self) -> Filter;
}

/// A type that says how documents are changed.
///
/// ```
/// # mod nanodb { pub use nanodb_document::doc; pub use nanodb_query::*; }
/// use nanodb::{IntoUpdate, Update, doc};
///
/// let birthday = Update::new().inc("age", 1);
/// assert_eq!(doc! { "$inc": { "age": 1 } }.into_update(), birthday);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an update",
    label = "not an update",
    note = "write `doc! {{ \"$set\": {{ \"a\": 1 }} }}`, `Update::new().set(\"a\", 1)` or \
            `Update::parse_json(text)?`",
    note = "to replace a whole document, use `replace_one` or `put`"
)]
pub trait IntoUpdate {
    /// Returns the update.
    fn into_update(self) -> Update;
}

/// A type that says in which order documents are returned.
///
/// ```
/// # mod nanodb { pub use nanodb_document::doc; pub use nanodb_query::*; }
/// use nanodb::{IntoSort, Sort, doc};
///
/// assert_eq!(doc! { "age": -1 }.into_sort(), Sort::descending("age"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sort",
    label = "not a sort",
    note = "write `doc! {{ \"age\": -1 }}`, `Sort::descending(\"age\")` or \
            `Sort::parse_json(text)?`"
)]
pub trait IntoSort {
    /// Returns the sort.
    fn into_sort(self) -> Sort;
}

/// A type that says which fields of documents are returned: a [`Projection`] or a [`Document`], by
/// value or by reference, or names in an array, a slice or a `Vec`, which are included, with `_id`.
///
/// ```
/// # mod nanodb { pub use nanodb_document::doc; pub use nanodb_query::*; }
/// use nanodb::{IntoProjection, Projection, doc};
///
/// let named = Projection::include(["name", "age"]);
/// assert_eq!(["name", "age"].into_projection(), named);
/// assert_eq!(vec!["name".to_owned(), "age".to_owned()].into_projection(), named);
/// assert_eq!(doc! { "password": 0 }.into_projection(), Projection::exclude(["password"]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "not a projection",
    note = "write `doc! {{ \"name\": 1, \"_id\": 0 }}`, `[\"name\"]` or \
            `Projection::exclude([\"a\"])`"
)]
pub trait IntoProjection {
    /// Returns the projection.
    fn into_projection(self) -> Projection;
}

macro_rules! conversions {
    ($($query:ident by $into:ident, $method:ident;)*) => {$(
        impl $into for $query {
            #[inline]
            fn $method(self) -> $query {
                self
            }
        }

        impl $into for &$query {
            #[inline]
            fn $method(self) -> $query {
                self.clone()
            }
        }

        impl $into for &Document {
            fn $method(self) -> $query {
                $query::of_document(self).unwrap_or_else($query::refused)
            }
        }

        impl $into for Document {
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

impl<const N: usize> IntoProjection for [&str; N] {
    fn into_projection(self) -> Projection {
        Projection::include(self)
    }
}

impl<const N: usize> IntoProjection for &[&str; N] {
    fn into_projection(self) -> Projection {
        Projection::include(self)
    }
}

impl<P: AsRef<str>> IntoProjection for &[P] {
    fn into_projection(self) -> Projection {
        Projection::include(self)
    }
}

impl<P: AsRef<str>> IntoProjection for Vec<P> {
    fn into_projection(self) -> Projection {
        Projection::include(self)
    }
}

impl<P: AsRef<str>> IntoProjection for &Vec<P> {
    fn into_projection(self) -> Projection {
        Projection::include(self)
    }
}
