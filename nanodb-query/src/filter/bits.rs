//! `$bitsAllSet` and its siblings: tests of single bits.
//!
//! A number has the bits of its two's complement, with the sign extended without end. Of floats
//! only whole ones that fit into 64 bits have bits. Binary, a UUID too, begins with its lowest bits
//! and has none past its end.

use nanodb_msgpack::{Malformed, RawValue, Token};

use super::operand::Operand;

/// What must hold of the bits in the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BitTest {
    AllSet,
    AllClear,
    AnySet,
    AnyClear,
}

/// The names of the operators.
const NAMES: [(&str, BitTest); 4] = [
    ("$bitsAllSet", BitTest::AllSet),
    ("$bitsAllClear", BitTest::AllClear),
    ("$bitsAnySet", BitTest::AnySet),
    ("$bitsAnyClear", BitTest::AnyClear),
];

/// A mask, and what must hold of its bits.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    test: BitTest,
    mask: Mask,
    /// The mask as it was written.
    operand: Operand,
}

#[derive(Clone, Debug)]
enum Mask {
    /// The bits that are set; bit 0 is the lowest bit of the first byte.
    Bytes(Box<[u8]>),
    Positions(Box<[u32]>),
}

impl BitTest {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|&(_, test)| test)
    }
}

impl Bits {
    /// Returns `None` if the value is no mask: a whole number from 0, binary, or an array of
    /// positions.
    pub(super) fn new(test: BitTest, value: RawValue<'_>) -> Option<Self> {
        let operand = Operand::new(value).ok()?;
        let whole = |value: RawValue<'_>| value.token().ok()?.number()?.as_whole();
        let token = value.token().ok()?;
        let mask = match token {
            Token::Array(_) => {
                let positions = value.elements()?.map(|element| {
                    i32::try_from(whole(element.ok()?)?).ok().and_then(|at| u32::try_from(at).ok())
                });
                Mask::Positions(positions.collect::<Option<_>>()?)
            }
            _ if token.binary().is_some() => Mask::Bytes(token.binary()?.into()),
            _ => {
                let number = i64::try_from(whole(value)?).ok().filter(|&number| number >= 0)?;
                Mask::Bytes(number.to_le_bytes().into())
            }
        };
        Some(Self { test, mask, operand })
    }

    pub(crate) fn name(&self) -> &'static str {
        NAMES.iter().find(|(_, test)| *test == self.test).map_or("", |&(name, _)| name)
    }

    pub(super) fn operand(&self) -> &Operand {
        &self.operand
    }

    pub(super) fn hold_of(&self, value: RawValue<'_>) -> Result<bool, Malformed> {
        let token = value.token()?;
        if let Some(bytes) = token.binary() {
            return Ok(self.hold(|position| {
                let byte = usize::try_from(position / 8).ok().and_then(|at| bytes.get(at));
                byte.is_some_and(|byte| byte >> (position % 8) & 1 == 1)
            }));
        }
        let Some(number) = token.number() else { return Ok(false) };
        let is_float = matches!(token, Token::Float(_));
        Ok(match number.as_whole() {
            Some(whole) if !is_float || i64::try_from(whole).is_ok() => {
                self.hold(|position| whole >> position.min(127) & 1 == 1)
            }
            _ => false,
        })
    }

    fn hold(&self, is_set: impl Fn(u32) -> bool) -> bool {
        match &self.mask {
            Mask::Positions(positions) => self.ask(positions.iter().copied(), is_set),
            Mask::Bytes(bytes) => {
                let bits = (0_u32..).zip(bytes.iter()).flat_map(|(at, &byte)| {
                    (0..8)
                        .filter(move |bit| byte >> bit & 1 == 1)
                        .map(move |bit| at.saturating_mul(8) + bit)
                });
                self.ask(bits, is_set)
            }
        }
    }

    fn ask(&self, mut positions: impl Iterator<Item = u32>, is_set: impl Fn(u32) -> bool) -> bool {
        match self.test {
            BitTest::AllSet => positions.all(is_set),
            BitTest::AllClear => !positions.any(is_set),
            BitTest::AnySet => positions.any(is_set),
            BitTest::AnyClear => !positions.all(is_set),
        }
    }
}

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.test == other.test && self.operand == other.operand
    }
}
