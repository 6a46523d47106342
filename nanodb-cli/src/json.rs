//! Documents as JSON, in and out.
//!
//! JSON has fewer types than documents. What it lacks is written as an object with one
//! field whose name begins with a dollar, a *form*:
//!
//! ```text
//! value                     JSON
//! ------------------------  ----------------------------------------------------------
//! null, boolean, string     the same
//! integer                   digits; those above 2^64-1 or below -2^63 are read as floats
//! float                     with a point or an exponent: 5.0 stays apart from 5
//! NaN, infinities           {"$float": "NaN"}, "Infinity", "-Infinity"
//! binary                    {"$binary": "AQID"}, base64
//! timestamp                 {"$date": "2023-11-14T22:13:20.5Z"}, RFC 3339
//! extension                 {"$ext": {"type": 5, "base64": "AQID"}}
//! document, array           object, array, fields in their order
//! document that looks like  {"$literal": {"$date": "soon"}}
//!   a form
//! ```
//!
//! A document itself is never a form, only values within it are; nor is a form what has
//! more fields, except that an object which begins with `$literal` must have no other. Whatever is printed is
//! read back as an equal value. An object that names a field twice keeps the last value,
//! where the first one stood.
//!
//! [`elements`] finds where one document of a stream ends and the next begins,
//! [`parse`] reads one, [`mod@print`] writes one.

pub(crate) mod elements;
mod forms;
pub(crate) mod parse;
mod position;
pub(crate) mod print;
mod rfc3339;
#[cfg(test)]
mod tests;

pub(crate) use self::elements::{Elements, Layout};
pub(crate) use self::position::{JsonError, Position};
