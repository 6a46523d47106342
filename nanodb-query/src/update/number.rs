//! Arithmetic of `$inc`, `$mul` and `$bit`.
//!
//! Integers stay integers and are computed exactly; a result that 64 bits don't hold is an error, as
//! a counter that silently became a float would count no further. With a float, the result is one.

use nanodb_msgpack::Number;
use nanodb_msgpack::{write_float, write_int, write_uint};

/// `a + b`, if there is such a number.
pub(super) fn add(a: Number, b: Number) -> Option<Number> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => of_whole(a + b),
        _ => Some(Number::Float(float(a) + float(b))),
    }
}

/// `a * b`, if there is such a number.
pub(super) fn multiply(a: Number, b: Number) -> Option<Number> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.checked_mul(b).and_then(of_whole),
        _ => Some(Number::Float(float(a) * float(b))),
    }
}

/// Zero, an integer or a float as that number is.
pub(super) fn zero_like(number: Number) -> Number {
    match number {
        Number::Float(_) => Number::Float(0.0),
        _ => Number::Int(0),
    }
}

/// The operations of one `$bit`, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bits(pub(super) Vec<(BitOperation, i128)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BitOperation {
    And,
    Or,
    Xor,
}

impl BitOperation {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "and" => Some(Self::And),
            "or" => Some(Self::Or),
            "xor" => Some(Self::Xor),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
        }
    }
}

impl Bits {
    /// What becomes of an integer, if 64 bits hold it.
    pub(super) fn apply(&self, number: i128) -> Option<Number> {
        of_whole(self.0.iter().fold(number, |number, &(operation, operand)| match operation {
            BitOperation::And => number & operand,
            BitOperation::Or => number | operand,
            BitOperation::Xor => number ^ operand,
        }))
    }
}

/// The value of an integer; none of a float, be it whole.
pub(super) fn whole(number: Number) -> Option<i128> {
    match number {
        Number::Int(number) => Some(number.into()),
        Number::UInt(number) => Some(number.into()),
        Number::Float(_) => None,
    }
}

fn of_whole(number: i128) -> Option<Number> {
    match i64::try_from(number) {
        Ok(number) => Some(Number::Int(number)),
        Err(_) => u64::try_from(number).ok().map(Number::UInt),
    }
}

fn float(number: Number) -> f64 {
    match number {
        Number::Int(number) => number as f64,
        Number::UInt(number) => number as f64,
        Number::Float(number) => number,
    }
}

pub(super) fn write(out: &mut Vec<u8>, number: Number) {
    match number {
        Number::Int(number) => write_int(out, number),
        Number::UInt(number) => write_uint(out, number),
        Number::Float(number) => write_float(out, number),
    }
}
