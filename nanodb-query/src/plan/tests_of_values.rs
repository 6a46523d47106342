//! Which keys pass a test.
//!
//! A test is asked of the values that a path leads to, or of one element of an array. What it says
//! of their keys is a set, and whether the set is *exact*: whether a key within it passes. Every
//! key that passes is within, exact or not. Only an exact set may be turned round, for `$not`.
//!
//! Each operator stands in [`Keys::of`]: a new one does not compile without a row.

use nanodb_msgpack::{
    Malformed, Number, RawValue, TypeBracket, encode_empty_array_key, encode_key, key_bracket,
};

use super::ranges::{KeyRange, KeyRanges};
use crate::filter::{Choice, Operand, Pattern, Test, Types};

/// What a test is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The values that a path leads to, in which an array stands for its elements.
    Path {
        /// Whether an index has met arrays on the path.
        multikey: bool,
        /// Whether a part of the path may be an index.
        number: bool,
    },
    /// One value, as it is.
    Value,
}

/// The keys that may pass a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) ranges: KeyRanges,
    /// Whether a key within passes by itself.
    pub(super) is_exact: bool,
}

/// Why a test says nothing of keys: the name of its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Silent {
    pub(super) operator: &'static str,
    /// Whether that is because the operand is an array.
    pub(super) by_array: bool,
}

const fn silent(operator: &'static str) -> Result<Keys, Silent> {
    Err(Silent { operator, by_array: false })
}

impl Keys {
    fn exact(ranges: KeyRanges) -> Self {
        Self { ranges, is_exact: true }
    }

    fn inexact(ranges: KeyRanges) -> Self {
        Self { ranges, is_exact: false }
    }

    /// Returns the keys that may pass a test.
    pub(super) fn of(test: &Test, asked: Asked) -> Result<Self, Silent> {
        let mut keys = Self::of_any(test, asked)?;
        if let Asked::Path { number: true, .. } = asked {
            keys.is_exact = false;
        }
        Ok(keys)
    }

    fn of_any(test: &Test, asked: Asked) -> Result<Self, Silent> {
        let is_value = asked == Asked::Value;
        // Of one value, what only arrays pass.
        let arrays = || Self::inexact(bracket(TypeBracket::Array));
        match test {
            Test::Equal(operand) => Ok(equal(operand, asked)),
            Test::Greater(operand) => compared("$gt", operand, asked, Side::ABOVE),
            Test::GreaterOrEqual(operand) => compared("$gte", operand, asked, Side::FROM),
            Test::Less(operand) => compared("$lt", operand, asked, Side::BELOW),
            Test::LessOrEqual(operand) => compared("$lte", operand, asked, Side::TO),
            Test::In(choice) => Ok(one_of(choice, asked)),
            Test::Exists(true) if is_value => Ok(Self::exact(KeyRanges::all())),
            Test::Exists(true) => silent("$exists"),
            Test::Exists(false) if is_value => Ok(Self::exact(KeyRanges::none())),
            Test::Exists(false) => Ok(Self::inexact(null())),
            Test::Type(types) => of_types(*types, asked),
            Test::Regex(pattern) => Ok(Self::inexact(texts(pattern))),
            Test::Size(_) if is_value => Ok(arrays()),
            Test::Size(_) => silent("$size"),
            Test::Mod { .. } => Ok(Self::inexact(bracket(TypeBracket::Number))),
            Test::Bits(_) => {
                Ok(Self::inexact(bracket(TypeBracket::Number).union(&bracket(TypeBracket::Binary))))
            }
            Test::All(tests) => all(tests, asked),
            Test::ElementDocument(_) | Test::ElementValue(_) if is_value => Ok(arrays()),
            Test::ElementDocument(_) => silent("$elemMatch"),
            Test::ElementValue(tests) => Ok(Self::inexact(of_element(tests))),
            Test::Not(tests) => not(tests.iter(), asked),
        }
    }

    /// Returns the keys that may pass if not all tests hold.
    pub(super) fn of_not<'t>(
        tests: impl IntoIterator<Item = &'t Test>,
        asked: Asked,
    ) -> Result<Self, Silent> {
        not(tests.into_iter(), asked)
    }
}

fn null() -> KeyRanges {
    bracket(TypeBracket::Null)
}

fn bracket(bracket: TypeBracket) -> KeyRanges {
    let [start, end] = key_bracket(bracket);
    KeyRanges::one(KeyRange::new([start], [end]))
}

fn key(value: RawValue<'_>) -> Result<Vec<u8>, Malformed> {
    let mut key = Vec::new();
    encode_key(Some(value), &mut key)?;
    Ok(key)
}

/// Returns the key of an operand, which was read completely when it was made; or else all keys.
fn point(value: RawValue<'_>) -> KeyRanges {
    key(value).map_or_else(|_| KeyRanges::all(), KeyRanges::point)
}

fn equal(operand: &Operand, asked: Asked) -> Keys {
    let value = operand.value();
    let Asked::Path { multikey, .. } = asked else { return Keys::exact(point(value)) };
    if operand.is_null() {
        // Null is the key of whatever a path does not lead to, where arrays are on the way, too.
        return Keys { ranges: null(), is_exact: !multikey };
    }
    let Some(mut elements) = value.elements() else { return Keys::exact(point(value)) };
    // A whole array is no key, but where it is an element: its first element is.
    let first = match elements.next() {
        Some(Ok(element)) => point(element),
        Some(Err(Malformed)) => KeyRanges::all(),
        None => {
            let mut key = Vec::new();
            encode_empty_array_key(&mut key);
            KeyRanges::point(key)
        }
    };
    Keys::inexact(first.union(&point(value)))
}

/// Which side of an operand a comparison asks for.
#[derive(Clone, Copy)]
struct Side {
    is_above: bool,
    is_equal: bool,
}

impl Side {
    const ABOVE: Self = Self { is_above: true, is_equal: false };
    const FROM: Self = Self { is_above: true, is_equal: true };
    const BELOW: Self = Self { is_above: false, is_equal: false };
    const TO: Self = Self { is_above: false, is_equal: true };
}

fn compared(
    operator: &'static str,
    operand: &Operand,
    asked: Asked,
    side: Side,
) -> Result<Keys, Silent> {
    let value = operand.value();
    let Ok(token) = value.token() else { return silent(operator) };
    let is_nan = token.number().is_some_and(Number::is_nan);
    if operand.is_null() || is_nan {
        // Nothing is above or below them.
        return Ok(match side.is_equal {
            true => equal(operand, asked),
            false => Keys::exact(KeyRanges::none()),
        });
    }
    if value.is_array() && asked != Asked::Value {
        return Err(Silent { operator, by_array: true });
    }
    let Ok(key) = key(value) else { return silent(operator) };
    let of = token.bracket();
    let [first, end] = key_bracket(of);
    let beyond = crate::keys::successor(&key);
    let range = match side {
        Side { is_above: true, is_equal: true } => KeyRange::new(key, [end]),
        Side { is_above: true, is_equal: false } => KeyRange::new(beyond, [end]),
        Side { is_above: false, is_equal } => {
            // NaN has the least key of all numbers, and is not less than any.
            let start = match of {
                TypeBracket::Number => crate::keys::successor(&NAN_KEY),
                _ => vec![first],
            };
            KeyRange::new(start, if is_equal { beyond } else { key })
        }
    };
    Ok(Keys::exact(KeyRanges::one(range)))
}

/// The key of NaN.
const NAN_KEY: [u8; 11] = [0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn one_of(choice: &Choice, asked: Asked) -> Keys {
    let (mut ranges, mut is_exact) = (Vec::new(), choice.patterns.is_empty());
    for operand in &choice.values {
        let keys = equal(operand, asked);
        ranges.extend_from_slice(keys.ranges.ranges());
        is_exact &= keys.is_exact;
    }
    for pattern in &choice.patterns {
        ranges.extend_from_slice(texts(pattern).ranges());
    }
    Keys { ranges: KeyRanges::of(ranges), is_exact }
}

fn of_types(types: Types, asked: Asked) -> Result<Keys, Silent> {
    let (mut ranges, mut is_exact) = (Vec::new(), asked == Asked::Value);
    for (of, is_whole) in types.brackets() {
        if of == TypeBracket::Array && asked != Asked::Value {
            return Err(Silent { operator: "$type", by_array: true });
        }
        ranges.extend_from_slice(bracket(of).ranges());
        is_exact &= is_whole;
    }
    Ok(Keys { ranges: KeyRanges::of(ranges), is_exact })
}

/// Returns the keys of texts in which an expression may find something.
fn texts(pattern: &Pattern) -> KeyRanges {
    let of_strings = bracket(TypeBracket::String);
    let Some(prefixes) = pattern.prefixes() else { return of_strings };
    let range = |prefix: Vec<u8>| {
        let [first, _] = key_bracket(TypeBracket::String);
        let mut start = vec![first];
        for byte in prefix {
            start.push(byte);
            if byte == 0 {
                start.push(0xff);
            }
        }
        KeyRange::of_prefix(start)
    };
    KeyRanges::of(prefixes.into_iter().map(range).collect()).intersection(&of_strings)
}

fn all(tests: &[Test], asked: Asked) -> Result<Keys, Silent> {
    match (tests, asked) {
        // It never holds.
        ([], _) => Ok(Keys::exact(KeyRanges::none())),
        ([only], _) => Keys::of(only, asked),
        (tests, Asked::Value) => Ok(of_value(tests)),
        // Each may hold of another element.
        (_, Asked::Path { .. }) => silent("$all"),
    }
}

/// Returns the keys of one value that passes all tests; those that say nothing are left out.
fn of_value(tests: &[Test]) -> Keys {
    let (mut ranges, mut is_exact) = (KeyRanges::all(), true);
    for test in tests {
        match Keys::of(test, Asked::Value) {
            Ok(keys) => {
                ranges = ranges.intersection(&keys.ranges);
                is_exact &= keys.is_exact;
            }
            Err(_) => is_exact = false,
        }
    }
    Keys { ranges, is_exact }
}

/// Returns the keys of an element that passes all tests: one element serves all, so that their
/// keys may be intersected.
fn of_element(tests: &[Test]) -> KeyRanges {
    of_value(tests).ranges
}

fn not<'t>(tests: impl Iterator<Item = &'t Test>, asked: Asked) -> Result<Keys, Silent> {
    let (mut ranges, mut count) = (KeyRanges::all(), 0);
    for test in tests {
        let keys = Keys::of(test, asked)?;
        if !keys.is_exact {
            return silent("$not");
        }
        ranges = ranges.intersection(&keys.ranges);
        count += 1;
    }
    // Of several tests each may hold of another value: of what they have in common nothing follows.
    let is_exact = count < 2 || !matches!(asked, Asked::Path { multikey: true, .. });
    Ok(Keys { ranges: ranges.complement(), is_exact })
}
