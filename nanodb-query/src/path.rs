//! Dotted paths, and the values that they lead to.
//!
//! A path may lead to many values, since it goes on in every document of an array: `items.qty`
//! leads to the `qty` of each item. The rules are MongoDB's:
//!
//! 1. A part that is a name leads from a document to its field. If there is no such field, or the
//!    path goes on from a scalar, the path leads to something *missing*.
//! 2. From an array the path goes on in each element that is a document. It does not go on in other
//!    elements, nor in an empty array.
//! 3. A part that is a number also leads from an array to the element with that index, and from an
//!    element found so, if it is itself an array, to one of its elements.
//! 4. At the end of a path, an array stands for each of its elements and for itself, one level
//!    deep, except where the last part was an index.

use std::fmt;

use crate::error::Problem;
use nanodb_document::array_index;
use nanodb_msgpack::Cursor;
use nanodb_msgpack::write_string;
use nanodb_msgpack::{DEPTH_MAX, Malformed, RawValue};

/// The most parts of a path that may be numbers. Each may double the number of ways through a
/// document that nests arrays and documents in turn.
pub const PATH_NUMBERS_MAX: usize = 10;

/// A parsed dotted path, such as `address.city` or `items.0.qty`.
#[derive(Clone, PartialEq, Eq)]
pub struct Path {
    text: Box<str>,
    parts: Box<[Part]>,
}

/// The text between two dots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    name: Box<str>,
    /// The name as a MessagePack token, to be compared with stored bytes.
    token: Box<[u8]>,
    /// The array index that the name may be.
    index: Option<u32>,
    /// The index that the name is in an update, where leading zeros are allowed.
    number: Option<u32>,
}

impl Path {
    /// Parses a path.
    ///
    /// ```
    /// use nanodb_query::Path;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let path = Path::parse("items.0.qty")?;
    /// assert_eq!(path.names().collect::<Vec<_>>(), ["items", "0", "qty"]);
    /// assert!(Path::parse(&"a.".repeat(200)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Problem::PathTooLong`] if it has more than [`DEPTH_MAX`] parts, since no document nests
    /// that deep, or more than [`PATH_NUMBERS_MAX`] parts that may be an index.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts: Box<[Part]> = text.split('.').take(DEPTH_MAX + 1).map(Part::new).collect();
        let numbers = parts.iter().filter(|part| part.index.is_some()).count();
        if parts.len() > DEPTH_MAX || numbers > PATH_NUMBERS_MAX {
            return Err(Problem::PathTooLong {
                path: text.to_owned(),
                parts_max: DEPTH_MAX,
                numbers_max: PATH_NUMBERS_MAX,
            });
        }
        Ok(Self { text: text.into(), parts })
    }

    /// Returns a path that a program named. One that is too long is cut where it can't lead
    /// anywhere any more: no document nests that deep.
    pub(crate) fn of_program(text: &str) -> Self {
        let parts = text.split('.').take(DEPTH_MAX + 1).map(Part::new).collect();
        Self { text: text.into(), parts }
    }

    /// Returns the path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names between the dots.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.parts.iter().map(Part::name)
    }

    /// Calls `visit` with each value that the path leads to in a document. An array stands for its
    /// elements.
    ///
    /// ```
    /// use nanodb_query::Path;
    ///
    /// // {"a": [{"b": 1}, {"b": [2, 3]}]}
    /// let document = b"\x81\xa1a\x92\x81\xa1b\x01\x81\xa1b\x92\x02\x03";
    /// let mut found = Vec::new();
    /// Path::parse("a.b")?.for_each_value(document, |value| {
    ///     found.push(value.bytes()?);
    ///     Ok(())
    /// })?;
    /// assert_eq!(found, [[1], [2], [3]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes that were read are not valid MessagePack, or if `visit` returns
    /// it.
    pub fn for_each_value<'a>(
        &self,
        document: &'a [u8],
        mut visit: impl FnMut(RawValue<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        walk(RawValue::new(document), &self.parts, AtEnd::Whole, &mut |value| {
            match value.and_then(RawValue::elements) {
                Some(mut elements) => elements.try_for_each(|element| visit(element?))?,
                None => value.map_or(Ok(()), &mut visit)?,
            }
            Ok(false)
        })
        .map(drop)
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Part {
    pub(crate) fn new(name: &str) -> Self {
        let mut token = Vec::new();
        // A name too long for MessagePack occurs in no document.
        let _ = write_string(&mut token, name);
        let (index, number) = (array_index(name), number(name));
        Self { name: name.into(), token: token.into(), index, number }
    }

    pub(crate) fn of_index(index: u32) -> Self {
        Self::new(&index.to_string())
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name as a MessagePack token.
    pub(crate) fn token(&self) -> &[u8] {
        &self.token
    }

    pub(crate) fn index(&self) -> Option<u32> {
        self.index
    }

    /// The index that the name is in the path of an update: any digits are a number there, `00` is
    /// 0.
    pub(crate) fn number(&self) -> Option<u32> {
        self.number
    }

    /// Returns whether the name at the cursor is this one.
    #[inline]
    pub(crate) fn is_at(&self, cursor: Cursor<'_>) -> bool {
        let bytes = cursor.rest();
        // Names in the shortest form differ in their first byte if their lengths differ.
        match (self.token.first(), bytes.first()) {
            (Some(first), Some(found)) if first == found => bytes.starts_with(&self.token),
            (_, Some(0xd9..=0xdb)) => {
                let mut cursor = cursor;
                cursor.read_string_bytes() == Some(self.name.as_bytes())
            }
            _ => false,
        }
    }
}

/// The number that a name is, if it consists of digits only.
fn number(name: &str) -> Option<u32> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    if digits { name.parse().ok() } else { None }
}

/// How an array at the end of a path is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AtEnd {
    /// As each of its elements, then as itself.
    Elements,
    /// Only as itself.
    Whole,
}

/// Returns the field or element of `container` that `part` names; an array has elements only.
#[inline]
pub(crate) fn step<'a>(
    container: RawValue<'a>,
    part: &Part,
) -> Result<Option<RawValue<'a>>, Malformed> {
    let mut cursor = Cursor::new(container.tail());
    let Some(len) = cursor.read_map_len() else {
        return match part.index {
            Some(index) => container.element(index),
            None => Ok(None),
        };
    };
    for _ in 0..len {
        let found = part.is_at(cursor);
        cursor.read_string_bytes().ok_or(Malformed)?;
        if found {
            return Ok(Some(RawValue::new(cursor.rest())));
        }
        cursor.skip().ok_or(Malformed)?;
    }
    Ok(None)
}

/// Same as [`step`], on the path of an update.
pub(crate) fn step_of_update<'a>(
    container: RawValue<'a>,
    part: &Part,
) -> Result<Option<RawValue<'a>>, Malformed> {
    match part.number {
        Some(number) if container.is_array() => container.element(number),
        _ => step(container, part),
    }
}

/// Calls `visit` with each value that the path leads to from `container`, and with `None` for
/// missing ones, until it returns true. Returns whether it did.
pub(crate) fn walk<'a, F>(
    container: RawValue<'a>,
    parts: &[Part],
    at_end: AtEnd,
    visit: &mut F,
) -> Result<bool, Malformed>
where
    F: FnMut(Option<RawValue<'a>>) -> Result<bool, Malformed>,
{
    let Some((first, rest)) = parts.split_first() else { return visit(Some(container)) };
    let found = step(container, first)?;
    walk_on(found, rest, at_end, visit)
}

/// Same as [`walk`], from the value that the first part led to.
#[inline]
pub(crate) fn walk_on<'a, F>(
    found: Option<RawValue<'a>>,
    rest: &[Part],
    at_end: AtEnd,
    visit: &mut F,
) -> Result<bool, Malformed>
where
    F: FnMut(Option<RawValue<'a>>) -> Result<bool, Malformed>,
{
    let Some(value) = found else { return visit(None) };
    let is_array = value.is_array();
    if rest.is_empty() {
        if is_array && at_end == AtEnd::Elements {
            for element in value.elements().into_iter().flatten() {
                if visit(Some(element?))? {
                    return Ok(true);
                }
            }
        }
        visit(Some(value))
    } else if is_array {
        walk_array(value, rest, at_end, visit)
    } else if value.is_map() {
        walk(value, rest, at_end, visit)
    } else {
        visit(None)
    }
}

fn walk_array<'a, F>(
    array: RawValue<'a>,
    parts: &[Part],
    at_end: AtEnd,
    visit: &mut F,
) -> Result<bool, Malformed>
where
    F: FnMut(Option<RawValue<'a>>) -> Result<bool, Malformed>,
{
    let Some((first, rest)) = parts.split_first() else { return Ok(false) };
    for (index, element) in (0_u32..).zip(array.elements().into_iter().flatten()) {
        let element = element?;
        if element.is_map() && walk(element, parts, at_end, visit)? {
            return Ok(true);
        }
        if first.index != Some(index) {
            continue;
        }
        let done = if rest.is_empty() {
            visit(Some(element))?
        } else if element.is_map() || element.is_array() {
            walk(element, rest, at_end, visit)?
        } else {
            false
        };
        if done {
            return Ok(true);
        }
    }
    Ok(false)
}
