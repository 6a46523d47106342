//! Numbers, compared by value in whatever form they are stored.

use std::cmp::Ordering;

/// A number of a document.
///
/// Comparison is exact: no integer is rounded to a float for it. NaN equals itself and is below all
/// other numbers; `-0.0` equals `0`.
///
/// ```
/// use nanodb_msgpack::Number;
///
/// assert!(Number::Int(5) == Number::Float(5.0));
/// // As floats these two would be equal.
/// assert!(Number::Int((1 << 53) + 1) > Number::Float(9_007_199_254_740_992.0));
/// assert!(Number::Float(f64::NAN) < Number::Float(f64::NEG_INFINITY));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer from `i64::MIN` to `i64::MAX`.
    Int(i64),
    /// An integer, usually above `i64::MAX`.
    UInt(u64),
    /// A float.
    Float(f64),
}

impl Number {
    /// Returns this number truncated to a whole one; `None` if it is NaN or exceeds 64 bits.
    #[must_use]
    pub fn truncated(self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(number.into()),
            Self::UInt(number) => Some(number.into()),
            Self::Float(number) if (I64_MIN_FLOAT..U64_END_FLOAT).contains(&number) => {
                Some(truncate(number))
            }
            Self::Float(_) => None,
        }
    }

    /// Returns this number, in any form, if it is whole and fits into 64 bits.
    #[must_use]
    pub fn as_whole(self) -> Option<i128> {
        self.truncated().filter(|_| !matches!(self, Self::Float(number) if number.fract() != 0.0))
    }

    /// Returns whether this is NaN.
    #[must_use]
    #[inline]
    pub fn is_nan(self) -> bool {
        matches!(self, Self::Float(number) if number.is_nan())
    }

    /// Returns the largest float that is not above this number, and the difference to it. Together
    /// they are ordered as the numbers are.
    pub(crate) fn floor_float(self) -> (f64, u16) {
        let whole = match self {
            Self::Float(number) => return (number, 0),
            Self::Int(number) => i128::from(number),
            Self::UInt(number) => i128::from(number),
        };
        let mut float = whole as f64;
        if truncate(float) > whole {
            float = float.next_down();
        }
        // Floats below 2^64 are at most 2048 apart.
        let missing = u16::try_from(whole - truncate(float)).unwrap_or(u16::MAX);
        (float, missing)
    }
}

/// The first float that is above all integers of 64 bits, 2^64.
const U64_END_FLOAT: f64 = 18_446_744_073_709_551_616.0;
/// The least integer of 64 bits.
const I64_MIN_FLOAT: f64 = -9_223_372_036_854_775_808.0;

/// Truncates a float that is far within the range of the result.
#[expect(clippy::cast_possible_truncation, reason = "the callers know that it fits")]
fn truncate(number: f64) -> i128 {
    number as i128
}

impl Ord for Number {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::UInt(a), Self::UInt(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => compare_floats(a, b),
            (Self::Int(a), Self::UInt(b)) => i128::from(a).cmp(&i128::from(b)),
            (Self::UInt(a), Self::Int(b)) => i128::from(a).cmp(&i128::from(b)),
            (Self::Int(a), Self::Float(b)) => compare_with_float(a.into(), b),
            (Self::UInt(a), Self::Float(b)) => compare_with_float(a.into(), b),
            (Self::Float(a), Self::Int(b)) => compare_with_float(b.into(), a).reverse(),
            (Self::Float(a), Self::UInt(b)) => compare_with_float(b.into(), a).reverse(),
        }
    }
}

impl PartialOrd for Number {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

#[inline]
fn compare_floats(a: f64, b: f64) -> Ordering {
    // Only NaN is neither below nor above nor equal.
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

#[inline]
fn compare_with_float(whole: i128, float: f64) -> Ordering {
    if float.is_nan() || float < I64_MIN_FLOAT {
        return Ordering::Greater;
    }
    if float >= U64_END_FLOAT {
        return Ordering::Less;
    }
    whole.cmp(&truncate(float)).then_with(|| compare_floats(0.0, float.fract()))
}
