//! Arithmetic of `$inc`, `$mul` and `$bit`.
//!
//! Integers stay integers and are computed exactly. A result that exceeds 64 bits is an error,
//! since a counter that silently became a float would stop counting. If one number is a float, the
//! result is one.

use nanodb_msgpack::Number;
use nanodb_msgpack::{write_float, write_int, write_uint};

/// Returns `a + b`, if 64 bits can hold it.
pub(super) fn add(a: Number, b: Number) -> Option<Number> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => of_whole(a + b),
        _ => Some(Number::Float(float(a) + float(b))),
    }
}

/// Returns `a * b`, if 64 bits can hold it.
pub(super) fn multiply(a: Number, b: Number) -> Option<Number> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.checked_mul(b).and_then(of_whole),
        _ => Some(Number::Float(float(a) * float(b))),
    }
}

/// Returns zero, as an integer or a float like `number`.
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
    /// Returns the new integer, if 64 bits can hold it.
    pub(super) fn apply(&self, number: i128) -> Option<Number> {
        of_whole(self.0.iter().fold(number, |number, &(operation, operand)| match operation {
            BitOperation::And => number & operand,
            BitOperation::Or => number | operand,
            BitOperation::Xor => number ^ operand,
        }))
    }
}

/// Returns the value of an integer; `None` for a float, even a whole one.
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
