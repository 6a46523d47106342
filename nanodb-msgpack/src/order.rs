//! The order over all values.
//!
//! Values of different types sort by type bracket, as [`TypeBracket`] lists them. Within a bracket:
//!
//! ```text
//! type       order
//! ---------  ----------------------------------------------------------------------------
//! null       all equal; a missing field is null
//! number     by value, integers and floats alike, exactly; NaN lowest, -0.0 equal to 0
//! string     by UTF-8 bytes
//! document   field by field: type of the value, then name, then value; a shorter one that
//!            begins the longer one is below it
//! array      element by element; a shorter one that begins the longer one is below it
//! binary     by length, then by bytes; a UUID is the binary of its 16 bytes
//! ObjectId   by bytes
//! boolean    false below true
//! timestamp  by time
//! extension  by type number, then length, then bytes
//! ```
//!
//! [`encode_key`](crate::encode_key) writes bytes that sort in this order.
//!
//! # Invariants
//!
//! 1. The order is total on well-formed values: antisymmetric, transitive, any two are compared.
//! 2. Recursion is bounded by [`DEPTH_MAX`](crate::DEPTH_MAX).

use std::cmp::Ordering;

use crate::raw_value::{Malformed, RawValue, TypeBracket, deeper};
use crate::{Cursor, Token};

/// Compares two values in the order over all values.
///
/// ```
/// use std::cmp::Ordering;
/// use nanodb_msgpack::{RawValue, compare};
///
/// // 5 and "a": all strings are above all numbers.
/// let (number, text) = (RawValue::new(&[5]), RawValue::new(&[0xa1, b'a']));
/// assert_eq!(compare(number, text), Ok(Ordering::Less));
/// ```
///
/// # Errors
///
/// [`Malformed`] if wrong bytes are read before the order is known; what follows is not read.
pub fn compare(a: RawValue<'_>, b: RawValue<'_>) -> Result<Ordering, Malformed> {
    compare_next(&mut Cursor::new(a.tail()), &mut Cursor::new(b.tail()), 0)
}

/// Compares the next value of each cursor, and steps over both if they are equal.
fn compare_next(
    a: &mut Cursor<'_>,
    b: &mut Cursor<'_>,
    depth: usize,
) -> Result<Ordering, Malformed> {
    let (x, y) = (a.read().ok_or(Malformed)?, b.read().ok_or(Malformed)?);
    Ok(match (x, y) {
        (Token::Array(x), Token::Array(y)) => return compare_arrays(a, b, (x, y), deeper(depth)?),
        (Token::Map(x), Token::Map(y)) => return compare_documents(a, b, (x, y), deeper(depth)?),
        _ => compare_scalars(x, y),
    })
}

/// Compares tokens in the order over all values; arrays and maps only by type.
#[must_use]
#[inline]
pub fn compare_scalars(a: Token<'_>, b: Token<'_>) -> Ordering {
    match (a, b) {
        (Token::String(a), Token::String(b)) => a.cmp(b),
        (Token::Bool(a), Token::Bool(b)) => a.cmp(&b),
        (Token::Binary(a), Token::Binary(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Token::Ext(..), _) | (_, Token::Ext(..)) => compare_extensions(a, b),
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.bracket().cmp(&b.bracket()),
        },
    }
}

/// Compares two tokens of which one is an extension, or a value stored as one.
fn compare_extensions(a: Token<'_>, b: Token<'_>) -> Ordering {
    a.bracket().cmp(&b.bracket()).then_with(|| {
        if let (Some(a), Some(b)) = (a.timestamp(), b.timestamp()) {
            return a.cmp(&b);
        }
        if let (Some(a), Some(b)) = (a.binary(), b.binary()) {
            return a.len().cmp(&b.len()).then_with(|| a.cmp(b));
        }
        match (a, b) {
            (Token::Ext(tag_a, data_a), Token::Ext(tag_b, data_b)) => tag_a
                .cmp(&tag_b)
                .then_with(|| data_a.len().cmp(&data_b.len()))
                .then_with(|| data_a.cmp(data_b)),
            _ => Ordering::Equal,
        }
    })
}

fn compare_arrays(
    a: &mut Cursor<'_>,
    b: &mut Cursor<'_>,
    (len_a, len_b): (u32, u32),
    depth: usize,
) -> Result<Ordering, Malformed> {
    for _ in 0..len_a.min(len_b) {
        let order = compare_next(a, b, depth)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(len_a.cmp(&len_b))
}

fn compare_documents(
    a: &mut Cursor<'_>,
    b: &mut Cursor<'_>,
    (len_a, len_b): (u32, u32),
    depth: usize,
) -> Result<Ordering, Malformed> {
    for _ in 0..len_a.min(len_b) {
        let name_a = a.read_string_bytes().ok_or(Malformed)?;
        let name_b = b.read_string_bytes().ok_or(Malformed)?;
        let order = bracket_at(a)?.cmp(&bracket_at(b)?).then_with(|| name_a.cmp(name_b));
        if order.is_ne() {
            return Ok(order);
        }
        let order = compare_next(a, b, depth)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(len_a.cmp(&len_b))
}

fn bracket_at(cursor: &Cursor<'_>) -> Result<TypeBracket, Malformed> {
    RawValue::new(cursor.rest()).bracket()
}
