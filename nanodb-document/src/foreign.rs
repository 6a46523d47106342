//! From and to the types of other crates, each behind a feature of that crate's name.

#[cfg(feature = "bson")]
pub(crate) mod bson;
#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "serde_json")]
mod serde_json;
#[cfg(feature = "time")]
mod time;
#[cfg(feature = "uuid")]
pub(crate) mod uuid;

#[cfg(any(feature = "chrono", feature = "time", feature = "jiff"))]
use crate::{Error, ErrorBuilder, ErrorKind, Timestamp};

/// Returns the timestamp of a time; `nanos` count forward, and a leap second is the last moment of
/// the second before.
#[cfg(any(feature = "chrono", feature = "time"))]
fn timestamp(secs: i64, nanos: u32) -> Timestamp {
    Timestamp::new(secs, nanos.min(999_999_999)).unwrap_or_default()
}

/// Returns the error that a type does not reach so far.
#[cfg(any(feature = "chrono", feature = "time", feature = "jiff"))]
#[cold]
fn out_of_range(timestamp: Timestamp, type_name: &str) -> Error {
    let text = format!("the time {timestamp} is out of the range of `{type_name}`");
    ErrorBuilder::new(ErrorKind::Invalid, text).into()
}
