//! Fields of other crates' time types, stored as timestamps.
//!
//! For every type that converts from and to [`SystemTime`]: that of the standard library, and those
//! of the crates chrono, time and jiff. Without this they are what their crates write, such as a
//! string.
//!
//! ```
//! # extern crate nanodb_document as nanodb;
//! use std::time::{Duration, SystemTime, UNIX_EPOCH};
//!
//! use nanodb::{Timestamp, from_document, to_document};
//!
//! #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
//! struct Event {
//!     #[serde(with = "nanodb::as_timestamp")]
//!     at: SystemTime,
//!     #[serde(with = "nanodb::as_timestamp::option", default)]
//!     until: Option<SystemTime>,
//! }
//!
//! # fn main() -> nanodb::Result<()> {
//! let event = Event { at: UNIX_EPOCH + Duration::from_millis(1500), until: None };
//! let document = to_document(&event)?;
//! assert_eq!(document["at"].as_timestamp(), Timestamp::new(1, 500_000_000));
//! assert_eq!(from_document::<Event>(&document)?, event);
//! # Ok(())
//! # }
//! ```
//!
//! In formats for people, such as JSON, the time is text: `"1970-01-01T00:00:01.5Z"`.
//!
//! Times from the year -9999 to 9999 are written and read; others are an error on both sides. All
//! of the types reach so far, and some of them panic beyond it.

use std::fmt::Display;
use std::time::SystemTime;

use serde_core::de::{Deserialize, Deserializer};
use serde_core::ser::{Error as _, Serialize, Serializer};

use crate::Timestamp;

/// The first and the last second that are written and read.
const SECS: std::ops::RangeInclusive<i64> = -377_705_116_800..=253_402_300_799;

/// Writes a time as a timestamp.
///
/// # Errors
///
/// Those of the serializer, and an error for a time out of range.
pub fn serialize<T: Clone + Into<SystemTime>, S: Serializer>(
    time: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let timestamp = Timestamp::from(time.clone().into());
    if !SECS.contains(&timestamp.secs()) {
        return Err(S::Error::custom(out_of_range(timestamp)));
    }
    timestamp.serialize(serializer)
}

/// Reads a timestamp.
///
/// # Errors
///
/// Those of the deserializer, and an error for a time that is out of range.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<SystemTime, Error: Display>,
    D: Deserializer<'de>,
{
    of_timestamp(Timestamp::deserialize(deserializer)?)
}

fn of_timestamp<T: TryFrom<SystemTime, Error: Display>, E: serde_core::de::Error>(
    timestamp: Timestamp,
) -> Result<T, E> {
    if !SECS.contains(&timestamp.secs()) {
        return Err(E::custom(out_of_range(timestamp)));
    }
    let system = SystemTime::try_from(timestamp).map_err(E::custom)?;
    T::try_from(system).map_err(E::custom)
}

fn out_of_range(timestamp: Timestamp) -> String {
    format!("the time {timestamp} is not between the years -9999 and 9999")
}

/// Fields of other crates' time types that may be null, stored as timestamps.
pub mod option {
    use super::{
        Deserialize, Deserializer, Display, Serializer, SystemTime, Timestamp, of_timestamp,
    };
    use serde_core::ser::Serialize;

    /// Writes a time as a timestamp, or null.
    ///
    /// # Errors
    ///
    /// Same as [`serialize`](super::serialize()).
    pub fn serialize<T: Clone + Into<SystemTime>, S: Serializer>(
        time: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        struct Within<'a, T>(&'a T);

        impl<T: Clone + Into<SystemTime>> Serialize for Within<'_, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                super::serialize(self.0, serializer)
            }
        }
        match time {
            Some(time) => serializer.serialize_some(&Within(time)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a timestamp, or null.
    ///
    /// # Errors
    ///
    /// Same as [`deserialize`](super::deserialize()).
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: TryFrom<SystemTime, Error: Display>,
        D: Deserializer<'de>,
    {
        Option::<Timestamp>::deserialize(deserializer)?.map(of_timestamp).transpose()
    }
}
