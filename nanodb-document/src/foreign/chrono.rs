//! `chrono`'s times. Those without a zone are no points in time.

use ::chrono::{DateTime, TimeZone, Utc};

use super::{out_of_range, timestamp};
use crate::{Error, Timestamp, Value};

impl<Tz: TimeZone> From<DateTime<Tz>> for Timestamp {
    fn from(time: DateTime<Tz>) -> Self {
        (&time).into()
    }
}

impl<Tz: TimeZone> From<&DateTime<Tz>> for Timestamp {
    fn from(time: &DateTime<Tz>) -> Self {
        timestamp(time.timestamp(), time.timestamp_subsec_nanos())
    }
}

impl<Tz: TimeZone> From<DateTime<Tz>> for Value {
    fn from(time: DateTime<Tz>) -> Self {
        Self::Timestamp(time.into())
    }
}

impl<Tz: TimeZone> From<&DateTime<Tz>> for Value {
    fn from(time: &DateTime<Tz>) -> Self {
        Self::Timestamp(time.into())
    }
}

/// Fails with [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) beyond 262,000 years.
impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = Error;

    fn try_from(timestamp: Timestamp) -> Result<Self, Error> {
        Self::from_timestamp(timestamp.secs(), timestamp.nanos())
            .ok_or_else(|| out_of_range(timestamp, "DateTime<Utc>"))
    }
}
