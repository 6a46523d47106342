//! Values as JSON text: read to MessagePack with the places kept, and printed.
//!
//! JSON has fewer types than documents. What it lacks is written as an object with one field whose
//! name begins with a dollar, a *form*:
//!
//! ```text
//! value                     JSON
//! ------------------------  ----------------------------------------------------------
//! null, boolean, string     the same
//! integer                   digits; those above 2^64-1 or below -2^63 are read as floats
//! float                     with a point or an exponent
//! NaN, infinities           {"$float": "NaN"}, "Infinity", "-Infinity"
//! binary                    {"$binary": "AQID"}, base64
//! timestamp                 {"$date": "2023-11-14T22:13:20.5Z"}, RFC 3339
//! extension                 {"$ext": {"type": 5, "base64": "AQID"}}
//! document, array           object, array, fields in their order
//! document that looks like  {"$literal": {"$date": "soon"}}
//!   a form
//! ```
//!
//! The whole text is never a form, only values within it are.

mod error;
mod forms;
mod print;
mod read;
mod rfc3339;
mod text;

pub use self::error::{JsonError, JsonProblem, Position};
pub use self::print::{print_string, print_value};
pub use self::read::Text;
