#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! [`Cursor`] steps over tokens, and `write_*` append them. [`RawValue`] reads a value in place,
//! [`compare`] orders all values, [`encode_key`] writes bytes that sort like them, and [`json`]
//! reads and writes them as text.
//!
//! # The bytes
//!
//! ```text
//! first byte  token                        what follows the first byte
//! ----------  ---------------------------  -----------------------------------------
//! 00..7f      integer 0..127               nothing
//! 80..8f      map of 0..15 pairs           the pairs
//! 90..9f      array of 0..15 elements      the elements
//! a0..bf      string of 0..31 bytes        the bytes
//! c0          null                         nothing
//! c1          (never used)                 refused
//! c2 c3       false, true                  nothing
//! c4 c5 c6    binary                       length in 1, 2, 4 bytes; the bytes
//! c7 c8 c9    extension                    length in 1, 2, 4 bytes; type; the bytes
//! ca cb       float                        4, 8 bytes
//! cc cd ce cf unsigned integer             1, 2, 4, 8 bytes
//! d0 d1 d2 d3 signed integer               1, 2, 4, 8 bytes
//! d4..d8      extension of 1 2 4 8 16      type; the bytes
//! d9 da db    string                       length in 1, 2, 4 bytes; the bytes
//! dc dd       array                        length in 2, 4 bytes; the elements
//! de df       map                          length in 2, 4 bytes; the pairs
//! e0..ff      integer -32..-1              nothing
//! ```
//!
//! Numbers are big-endian.
//!
//! # Invariants
//!
//! 1. Reading never panics, whatever the bytes: every step is bounds-checked, and wrong bytes give
//!    `None`.
//! 2. Every step consumes at least one byte, and nesting is counted instead of recursed into, so
//!    the time is bounded by the number of bytes and the stack stays flat.
//! 3. Writing chooses the shortest form of every integer, length and header, and eight bytes for
//!    floats. [`Token::is_canonical`] returns whether bytes that were read are in that form.
//!
//! Strings are not checked to be UTF-8 here: comparing a field's name needs no such check, and
//! functions that return a string do it.

pub mod base64;
mod cursor;
mod hex;
pub mod json;
mod marker;
mod number;
mod order;
mod raw_value;
mod sort_key;
mod text_ids;
mod token;
mod unix_time;
mod write;

pub use self::cursor::Cursor;
pub use self::number::Number;
pub use self::order::{compare, compare_scalars};
pub use self::raw_value::{DEPTH_MAX, Elements, Fields, Malformed, RawValue, TypeBracket, deeper};
pub use self::sort_key::{encode_empty_array_key, encode_key, key_bracket, key_len};
pub use self::text_ids::{
    OBJECT_ID_EXT, ObjectIdText, UUID_EXT, UuidText, parse_object_id, parse_uuid,
};
pub use self::token::Token;
pub use self::unix_time::{TIMESTAMP_EXT, UnixTime};
pub use self::write::{
    INTEGER_BYTES_MAX, MAP_HEADER_BYTES_MAX, write_array_len, write_binary, write_bool, write_ext,
    write_ext_head, write_float, write_int, write_map_len, write_null, write_string, write_uint,
};

#[cfg(test)]
mod tests;
