//! What can go wrong: damaged pages, and requests that can't be served.

use std::fmt;

/// Why the bytes of a page are refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Damage {
    /// The body does not have [`BODY_LEN`](crate::BODY_LEN) bytes.
    Length,
    /// The page belongs to another index.
    Index,
    /// A field of the header contradicts another one, or what it may be.
    Header,
    /// The page is at another level of its run than what led to it says.
    Level,
    /// An offset leads out of the part of the page that it should lead into.
    Offset,
    /// A number is not in its shortest form, too large, or cut off.
    Number,
    /// Keys, separators or records are not in rising order.
    Order,
    /// A count is not that of what is there.
    Count,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "the body has a wrong length",
            Self::Index => "the page belongs to another index",
            Self::Header => "the header contradicts itself",
            Self::Level => "the page is at another level of its run",
            Self::Offset => "an offset leads out of its part of the page",
            Self::Number => "a number is not a valid one",
            Self::Order => "the order is wrong",
            Self::Count => "a count is wrong",
        })
    }
}

impl std::error::Error for Damage {}

/// A page whose bytes no writer of this crate has made, or that is out of its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DamagedPage {
    /// The page's number.
    pub page: u32,
    /// Why it is refused.
    pub damage: Damage,
}

impl fmt::Display for DamagedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {} of an index is damaged", self.page)
    }
}

impl std::error::Error for DamagedPage {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.damage)
    }
}

/// An entry can't be added to a run or to a delta.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The key is longer than [`KEY_LEN_MAX`](crate::KEY_LEN_MAX).
    KeyTooLong {
        /// Its bytes.
        len: usize,
    },
    /// The entry is not above the one before it.
    OutOfOrder,
    /// The operations of one transaction, or of one delta, have more than 4 GiB.
    TooMany,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyTooLong { len } => write!(f, "a key of {len} bytes is too long"),
            Self::OutOfOrder => f.write_str("an entry is not above the one before it"),
            Self::TooMany => f.write_str("more than 4 GiB of operations"),
        }
    }
}

impl std::error::Error for Refused {}
