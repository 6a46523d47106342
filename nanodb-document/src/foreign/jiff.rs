//! `jiff`'s times. Those without a zone are no points in time.

use ::jiff::Zoned;

use super::out_of_range;
use crate::{Error, Timestamp, Value};

impl From<::jiff::Timestamp> for Timestamp {
    fn from(time: ::jiff::Timestamp) -> Self {
        // Its nanoseconds count backward before 1970, and ours do not.
        let nanos = time.as_nanosecond();
        let (secs, nanos) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
        let parts = i64::try_from(secs).ok().zip(u32::try_from(nanos).ok());
        parts.and_then(|(secs, nanos)| Self::new(secs, nanos)).unwrap_or_default()
    }
}

impl From<&Zoned> for Timestamp {
    fn from(time: &Zoned) -> Self {
        time.timestamp().into()
    }
}

impl From<Zoned> for Timestamp {
    fn from(time: Zoned) -> Self {
        time.timestamp().into()
    }
}

macro_rules! values {
    ($($type:ty)*) => {$(
        impl From<$type> for Value {
            fn from(time: $type) -> Self {
                Self::Timestamp(time.into())
            }
        }
    )*};
}
values!(::jiff::Timestamp Zoned &Zoned);

impl From<&::jiff::Timestamp> for Value {
    fn from(time: &::jiff::Timestamp) -> Self {
        Self::Timestamp((*time).into())
    }
}

/// Fails with [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) beyond the year 9999.
impl TryFrom<Timestamp> for ::jiff::Timestamp {
    type Error = Error;

    fn try_from(timestamp: Timestamp) -> Result<Self, Error> {
        let nanos = i128::from(timestamp.secs()) * 1_000_000_000 + i128::from(timestamp.nanos());
        Self::from_nanosecond(nanos).map_err(|_| out_of_range(timestamp, "jiff::Timestamp"))
    }
}
