//! `time`'s times.

use ::time::{OffsetDateTime, UtcDateTime};

use super::{out_of_range, timestamp};
use crate::{Error, Timestamp, Value};

macro_rules! times {
    ($($type:ident)*) => {$(
        impl From<$type> for Timestamp {
            fn from(time: $type) -> Self {
                timestamp(time.unix_timestamp(), time.nanosecond())
            }
        }

        impl From<$type> for Value {
            fn from(time: $type) -> Self {
                Self::Timestamp(time.into())
            }
        }

        impl From<&$type> for Value {
            fn from(time: &$type) -> Self {
                Self::Timestamp((*time).into())
            }
        }

        /// Fails with [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) beyond the year 9999.
        impl TryFrom<Timestamp> for $type {
            type Error = Error;

            fn try_from(timestamp: Timestamp) -> Result<Self, Error> {
                Self::from_unix_timestamp(timestamp.secs())
                    .and_then(|time| time.replace_nanosecond(timestamp.nanos()))
                    .map_err(|_| out_of_range(timestamp, stringify!($type)))
            }
        }
    )*};
}
times!(OffsetDateTime UtcDateTime);
