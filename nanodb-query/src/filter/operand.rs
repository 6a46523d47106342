//! The value that an operator is given.

use std::cmp::Ordering;
use std::fmt;

use nanodb_msgpack::Number;
use nanodb_msgpack::Token;
use nanodb_msgpack::{Malformed, RawValue, TypeBracket};
use nanodb_msgpack::{compare, compare_scalars};

use crate::entries::entries;

/// A value in a filter: its bytes, and what evaluating needs of them for every document.
#[derive(Clone)]
pub(crate) struct Operand {
    bytes: Box<[u8]>,
    shape: Shape,
}

/// What a comparison needs, read from the bytes once.
#[derive(Clone, Copy)]
enum Shape {
    Null,
    Number(Number),
    /// The offset of the text in the bytes.
    String {
        start: u8,
    },
    Scalar,
    Container(TypeBracket),
}

impl Operand {
    /// Copies a value that is known to be well-formed.
    pub(crate) fn new(value: RawValue<'_>) -> Result<Self, Malformed> {
        let bytes = value.bytes()?;
        let token = value.token()?;
        let shape = match token {
            Token::Null => Shape::Null,
            Token::String(text) => {
                let start = u8::try_from(bytes.len() - text.len()).map_err(|_| Malformed)?;
                Shape::String { start }
            }
            Token::Array(_) | Token::Map(_) => Shape::Container(token.bracket()),
            _ => token.number().map_or(Shape::Scalar, Shape::Number),
        };
        Ok(Self { bytes: bytes.into(), shape })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn value(&self) -> RawValue<'_> {
        RawValue::new(&self.bytes)
    }

    /// Returns whether this looks like operators, so that it must be printed within `$eq`.
    pub(super) fn has_dollar(&self) -> bool {
        entries(self.value()).any(|entry| entry.name.starts_with('$'))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.shape, Shape::Null)
    }

    /// Returns the bytes of a string, without the header.
    #[inline]
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self.shape {
            Shape::String { start } => self.bytes.get(usize::from(start)..),
            _ => None,
        }
    }

    /// Returns whether a stored value, or a missing one, equals this.
    #[inline]
    pub(super) fn equals(&self, stored: Option<RawValue<'_>>) -> Result<bool, Malformed> {
        if let (Some(text), Some(value)) = (self.text(), stored) {
            return Ok(match value.token()? {
                Token::String(found) => found == text,
                _ => false,
            });
        }
        Ok(self.compared(stored)? == Some(Ordering::Equal))
    }

    /// Compares a stored value with this. Returns `None` if it is of another type, or if exactly
    /// one of the two is NaN.
    #[inline]
    pub(super) fn compared(
        &self,
        stored: Option<RawValue<'_>>,
    ) -> Result<Option<Ordering>, Malformed> {
        let Some(value) = stored else {
            return Ok(if self.is_null() { Some(Ordering::Equal) } else { None });
        };
        let token = value.token()?;
        Ok(match self.shape {
            Shape::Null => matches!(token, Token::Null).then_some(Ordering::Equal),
            Shape::Number(number) => token
                .number()
                .filter(|found| found.is_nan() == number.is_nan())
                .map(|found| found.cmp(&number)),
            Shape::Container(bracket) if token.bracket() == bracket => {
                Some(compare(value, self.value())?)
            }
            Shape::Container(_) => None,
            Shape::String { .. } | Shape::Scalar => {
                let own = self.value().token()?;
                (own.bracket() == token.bracket()).then(|| compare_scalars(token, own))
            }
        })
    }

    /// Compares in the order over all values.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        // Both were read completely when they were made.
        compare(self.value(), other.value()).unwrap_or(Ordering::Equal)
    }
}

impl PartialEq for Operand {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other).is_eq()
    }
}

impl fmt::Debug for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::json::print_value(self.value(), f)
    }
}
