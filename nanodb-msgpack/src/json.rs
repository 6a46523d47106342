//! Values as JSON text: one dialect, for reading and writing.
//!
//! It is MongoDB's relaxed Extended JSON, version 2, with `$ext` and `$literal` for values that it
//! lacks. A value that JSON has no type for is written as an object whose name begins with a
//! dollar, a *form*:
//!
//! ```text
//! value                     written as                        read, too
//! ------------------------  --------------------------------  ---------------------------------
//! null, boolean, string     the same
//! integer                   digits                            {"$numberInt": "5"},
//!                                                             {"$numberLong": "5"}
//! float                     with a point or an exponent       {"$numberDouble": "5.0"};
//!                                                             integers above 2^64-1 or below -2^63
//! NaN, infinities           {"$numberDouble": "NaN"},         {"$float": "NaN"}
//!                           "Infinity", "-Infinity"
//! binary                    {"$binary": {"base64": "AQID",    {"$binary": "AQID"},
//!                           "subType": "00"}}                 {"$binary": "AQID", "$type": "00"}
//! timestamp                 {"$date": "2023-11-14T22:13:20.5Z"},  any offset; {"$date": 5},
//!                           all digits of it                  {"$date": {"$numberLong": "5"}}
//! ObjectId                  {"$oid": "65a1b2c3d4e5f60718293a4b"}
//! UUID                      {"$uuid": "123e4567-…"}           {"$binary": {…, "subType": "04"}}
//! extension                 {"$ext": {"type": 5, "base64": "AQID"}}
//! document, array           object, array, fields in their order
//! document whose first      {"$literal": {"$date": "soon"}}
//!   name begins with `$`
//! string                                                      {"$symbol": "a"}
//! null                                                        {"$undefined": true}
//! ```
//!
//! [`Decimals`] says how `$numberDecimal` is read. `$timestamp`, `$minKey`, `$maxKey`, `$code`,
//! `$scope`, `$dbPointer`, `$regularExpression`, `$regex` with `$options`, and binary of other
//! subtypes are refused: there are no such values here. Every other object whose first name begins
//! with a dollar is refused as well, except `{"$ref": ..., "$id": ...}`, which is a document to
//! MongoDB, too. The text itself is never a form, only values within it are. An object that names a
//! field twice is an error.
//!
//! A text in [`Format::Full`] is read back as the same value.

mod digits;
mod error;
mod forms;
mod leaf;
mod lex;
mod options;
mod plain;
mod print;
mod read;

#[cfg(test)]
mod tests;

pub use self::error::{JsonError, JsonProblem, Position};
pub use self::forms::form_to_msgpack;
pub use self::options::{Decimals, Format, Inexact, Layout, ReadOptions, WriteOptions};
pub use self::print::{
    WriteError, append_document, print_string, print_value, write_document, write_value,
};
pub use self::read::{Text, elements_to_msgpack, to_msgpack};
