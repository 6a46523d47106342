//! Sets of types, as `$type` names them.

use nanodb_msgpack::{Token, TypeBracket};

/// Each type that `$type` distinguishes: its name, its number, its bits.
const NAMES: [(&str, Option<i64>, u16); 13] = [
    ("double", Some(1), 1),
    ("string", Some(2), 1 << 1),
    ("object", Some(3), 1 << 2),
    ("array", Some(4), 1 << 3),
    ("binData", Some(5), 1 << 4),
    ("objectId", Some(7), 1 << 11),
    ("bool", Some(8), 1 << 5),
    ("date", Some(9), 1 << 6),
    ("null", Some(10), 1 << 7),
    ("int", Some(16), 1 << 8),
    ("long", Some(18), 1 << 9),
    ("ext", None, 1 << 10),
    ("number", None, 1 | 1 << 8 | 1 << 9),
];

/// A set of types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Types(u16);

impl Types {
    /// Returns the types with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, ..)| *known == name).map(|&(.., bits)| Self(bits))
    }

    /// Returns the type with this number.
    pub(super) fn numbered(number: i128) -> Option<Self> {
        let same = |known: Option<i64>| known.is_some_and(|known| i128::from(known) == number);
        NAMES.iter().find(|(_, known, _)| same(*known)).map(|&(.., bits)| Self(bits))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether a value with that token is of one of the types.
    #[inline]
    pub(super) fn contain(self, token: Token<'_>) -> bool {
        let bit = match token {
            Token::Float(_) => 1,
            Token::String(_) => 1 << 1,
            Token::Map(_) => 1 << 2,
            Token::Array(_) => 1 << 3,
            Token::Binary(_) => 1 << 4,
            Token::Bool(_) => 1 << 5,
            Token::Ext(..) if token.timestamp().is_some() => 1 << 6,
            Token::Ext(..) if token.object_id().is_some() => 1 << 11,
            Token::Ext(..) if token.uuid().is_some() => 1 << 4,
            Token::Null => 1 << 7,
            Token::Int(number) if i32::try_from(number).is_ok() => 1 << 8,
            Token::Int(_) | Token::UInt(_) => 1 << 9,
            Token::Ext(..) => 1 << 10,
        };
        self.0 & bit != 0
    }

    /// Returns the brackets of the types, each with whether all of its values are of these types.
    pub(crate) fn brackets(self) -> impl Iterator<Item = (TypeBracket, bool)> {
        const NUMBERS: u16 = 1 | 1 << 8 | 1 << 9;
        let brackets = [
            (TypeBracket::Null, 1 << 7),
            (TypeBracket::Number, NUMBERS),
            (TypeBracket::String, 1 << 1),
            (TypeBracket::Document, 1 << 2),
            (TypeBracket::Array, 1 << 3),
            (TypeBracket::Binary, 1 << 4),
            (TypeBracket::ObjectId, 1 << 11),
            (TypeBracket::Bool, 1 << 5),
            (TypeBracket::Timestamp, 1 << 6),
            (TypeBracket::Extension, 1 << 10),
        ];
        let own = brackets.into_iter().filter(move |(_, bits)| self.0 & bits != 0);
        own.map(move |(bracket, bits)| (bracket, self.0 & bits == bits))
    }

    /// Returns the names of the types.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let single = NAMES.iter().filter(|(.., bits)| bits.count_ones() == 1);
        single.filter(move |(.., bits)| self.0 & bits != 0).map(|(name, ..)| *name)
    }
}
