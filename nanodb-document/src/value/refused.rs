//! Values of Rust types that serde refused, on their way to where an error can be returned.
//!
//! [`ser`](crate::ser) returns a value, so that it can stand in `doc!` and in conditions, which
//! return none either. What can't be serialised becomes an extension of the type of timestamps that
//! is not one, and so does a stored value that is damaged. Whatever encodes a value refuses such an
//! extension, and says the reason.

use super::Value;
use crate::Timestamp;

/// What the data begin with: too long for the data of a timestamp, whatever the reason is.
const BEGINNING: &str = "not serialised: ";

impl Value {
    /// Returns the value that every encoder refuses for this reason.
    #[cold]
    pub(crate) fn refused(reason: impl std::fmt::Display) -> Self {
        Self::Ext(Timestamp::EXT_TYPE, format!("{BEGINNING}{reason}").into_bytes())
    }

    /// Returns the reason for which this value is refused, if it is.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Ext(tag, data) => refusal(*tag, data),
            _ => None,
        }
    }
}

/// Returns the reason for which an extension is refused, if there is one.
pub(crate) fn refusal(tag: i8, data: &[u8]) -> Option<&str> {
    if tag != Timestamp::EXT_TYPE {
        return None;
    }
    std::str::from_utf8(data).ok()?.strip_prefix(BEGINNING)
}
