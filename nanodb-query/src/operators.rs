//! The operators of filters, sorts, projections and updates, and the methods that build them.
//!
//! They are MongoDB's, with the same answers. A query is written in three ways, by the same rules:
//! as a document, as text, or built by the methods below.
//!
//! ```
//! # mod nanodb { pub use nanodb_document::doc; pub use nanodb_query::*; }
//! use nanodb::{Filter, IntoFilter, doc, field};
//!
//! # fn main() -> Result<(), nanodb::Error> {
//! let built = field("age").gte(18).and(field("city").eq("Berlin"));
//! assert_eq!(built, doc! { "age": { "$gte": 18 }, "city": "Berlin" }.into_filter());
//! assert_eq!(built, Filter::parse_json(r#"{"age": {"$gte": 18}, "city": "Berlin"}"#)?);
//! # Ok(())
//! # }
//! ```
//!
//! `docs/query.md` in the repository has an example of each operator, with what it does to arrays,
//! to missing fields and to values of other types, and lists what differs from MongoDB.
//!
//! # Filters
//!
//! A path such as `address.city` or `items.0.qty` leads into documents and arrays. A condition on
//! an array holds if it does for one of its elements.
//!
//! | operator | method | matches if the field |
//! |---|---|---|
//! | `{"a": 5}`, `$eq` | [`eq`](crate::FieldName::eq) | equals the value |
//! | `$ne` | [`ne`](crate::FieldName::ne) | does not, or is missing |
//! | `$gt`, `$gte` | [`gt`](crate::FieldName::gt), [`gte`](crate::FieldName::gte) | is above the value, or equal to it, and of its type |
//! | `$lt`, `$lte` | [`lt`](crate::FieldName::lt), [`lte`](crate::FieldName::lte) | is below the value, or equal to it, and of its type |
//! | `$in` | [`is_in`](crate::FieldName::is_in) | equals one of the values |
//! | `$nin` | [`not_in`](crate::FieldName::not_in) | equals none of them, or is missing |
//! | `$exists` | [`exists`](crate::FieldName::exists) | is there, even as null; or is not |
//! | `$type` | [`is_type`](crate::FieldName::is_type) | is of a type |
//! | `$regex`, `$options` | [`regex`](crate::FieldName::regex), [`contains`](crate::FieldName::contains), [`starts_with`](crate::FieldName::starts_with), [`ends_with`](crate::FieldName::ends_with), [`ignoring_case`](crate::Filter::ignoring_case) | is text in which an expression, or a text, is found |
//! | `$mod` | [`remainder`](crate::FieldName::remainder) | is a number that leaves a remainder |
//! | `$bitsAllSet`, `$bitsAllClear`, `$bitsAnySet`, `$bitsAnyClear` | | is a number, or binary, with such bits |
//! | `$all` | [`all`](crate::FieldName::all) | is an array with all of the values |
//! | `$elemMatch` | [`elem_match`](crate::FieldName::elem_match) | is an array with an element that meets all conditions |
//! | `$size` | [`size`](crate::FieldName::size) | is an array of so many elements |
//!
//! Filters are put together by
//!
//! | operator | method | matches if |
//! |---|---|---|
//! | `$and` | [`and`](crate::Filter::and) | all filters do |
//! | `$or` | [`or`](crate::Filter::or) | one of them does |
//! | `$nor`, `$not` | `!filter` | none of them does |
//! | `$comment` | | always: it is text for who reads the query |
//!
//! # Sorts
//!
//! | operator | method | documents are |
//! |---|---|---|
//! | `{"a": 1}` | [`ascending`](crate::Sort::ascending), [`then_ascending`](crate::Sort::then_ascending) | in order |
//! | `{"a": -1}` | [`descending`](crate::Sort::descending), [`then_descending`](crate::Sort::then_descending) | in the opposite order |
//!
//! Values of different types follow each other: null, numbers, strings, documents, arrays, binary
//! and UUIDs, ObjectIds, booleans, timestamps, extensions. A missing field counts as null, and an
//! array as its least element, in a descending order as its greatest.
//!
//! # Projections
//!
//! | operator | method | a document is returned |
//! |---|---|---|
//! | `{"a": 1}` | [`include`](crate::Projection::include) | with these fields, and `_id` |
//! | `{"a": 0}` | [`exclude`](crate::Projection::exclude) | without these fields |
//! | `{"_id": 0}` | [`without_id`](crate::Projection::without_id) | without its id |
//! | `$slice` | | with a part of an array |
//! | `$elemMatch` | | with the first element of an array that matches |
//! | `{"a.$": 1}` | | with the element by which it matched the filter |
//!
//! # Updates
//!
//! | operator | method | does to a field |
//! |---|---|---|
//! | `$set` | [`set`](crate::Update::set) | sets it |
//! | `$setOnInsert` | [`set_on_insert`](crate::Update::set_on_insert) | sets it if an upsert inserts the document |
//! | `$unset` | [`unset`](crate::Update::unset) | removes it |
//! | `$rename` | [`rename`](crate::Update::rename) | moves it |
//! | `$currentDate` | [`current_date`](crate::Update::current_date) | sets it to the time of the update |
//! | `$inc`, `$mul` | [`inc`](crate::Update::inc), [`mul`](crate::Update::mul) | adds to the number, or multiplies it |
//! | `$min`, `$max` | [`min`](crate::Update::min), [`max`](crate::Update::max) | sets it if the value is less, or greater |
//! | `$bit` | [`bit_and`](crate::Update::bit_and), [`bit_or`](crate::Update::bit_or), [`bit_xor`](crate::Update::bit_xor) | changes bits of the integer |
//! | `$push` | [`push`](crate::Update::push), [`push_each`](crate::Update::push_each), [`push_with`](crate::Update::push_with) | appends to the array; with `$each`, `$position`, `$sort`, `$slice` |
//! | `$addToSet` | [`add_to_set`](crate::Update::add_to_set), [`add_each_to_set`](crate::Update::add_each_to_set) | appends what is not there yet |
//! | `$pull`, `$pullAll` | [`pull`](crate::Update::pull), [`pull_matching`](crate::Update::pull_matching), [`pull_all`](crate::Update::pull_all) | removes elements |
//! | `$pop` | [`pop_first`](crate::Update::pop_first), [`pop_last`](crate::Update::pop_last) | removes the first or the last element |
//!
//! In a path of an update, `$` is the element by which the document matched the filter, `$[]` all
//! elements, and `$[id]` those that match an [`array_filter`](crate::Update::array_filter).
//!
//! | operator | method | does to the whole document |
//! |---|---|---|
//! | `$replaceWith` | [`replacement`](crate::Update::replacement) | puts another in its place |
//! | `$mergePatch` | [`merge_patch`](crate::Update::merge_patch) | applies a JSON merge patch (RFC 7396) |
