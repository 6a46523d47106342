//! Points in time.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nanodb_msgpack::{TIMESTAMP_EXT, UnixTime};

use crate::error::{Error, ErrorBuilder, ErrorKind};

const NANOS_MAX: u32 = 999_999_999;

/// A point in time, with a resolution of nanoseconds.
///
/// A field of a Rust type that is a `Timestamp` is stored as one, and so is any type that converts
/// from and to a [`SystemTime`], with `#[serde(with = "nanodb::as_timestamp")]`.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use std::time::{Duration, SystemTime};
///
/// use nanodb::{Timestamp, doc};
///
/// # fn main() -> nanodb::Result<()> {
/// let at: Timestamp = "2023-11-14T22:13:20.5Z".parse()?;
/// assert_eq!(Timestamp::new(1_700_000_000, 500_000_000), Some(at));
/// assert_eq!((at.secs(), at.nanos()), (1_700_000_000, 500_000_000));
/// assert_eq!(at.to_string(), "2023-11-14T22:13:20.5Z");
/// assert_eq!(Timestamp::new(0, 1_000_000_000), None);
///
/// // Milliseconds, as JavaScript and MongoDB count.
/// assert_eq!(at.as_millis(), 1_700_000_000_500);
/// assert_eq!(Timestamp::from_millis(1_700_000_000_500), at);
///
/// // Arithmetic, and the system's type.
/// let hour = Duration::from_secs(3600);
/// assert_eq!((at + hour).to_string(), "2023-11-14T23:13:20.5Z");
/// assert_eq!((at + hour).duration_since(at), Some(hour));
/// assert_eq!(at.checked_sub(hour), Some(at - hour));
/// assert!(at.checked_add(Duration::MAX).is_none());
/// assert_eq!((at + Duration::MAX, at - Duration::MAX), (Timestamp::MAX, Timestamp::MIN));
/// let system: SystemTime = at.try_into()?;
/// assert_eq!(Timestamp::from(system), at);
///
/// let event = doc! { "at": at, "seen": SystemTime::now() };
/// assert!(event["seen"].as_timestamp() <= Some(Timestamp::now()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(UnixTime);

impl Timestamp {
    /// The extension type of timestamps.
    #[doc(hidden)]
    pub const EXT_TYPE: i8 = TIMESTAMP_EXT;

    /// The last time that there is: some 292 thousand million years from now.
    pub const MAX: Self = Self::saturated(i64::MAX, NANOS_MAX);

    /// The first time that there is, as long ago.
    pub const MIN: Self = Self::saturated(i64::MIN, 0);

    const fn saturated(secs: i64, nanos: u32) -> Self {
        Self(UnixTime::saturated(secs, nanos))
    }

    /// Returns the time `secs` seconds and `nanos` nanoseconds after the beginning of 1970; `None`
    /// if `nanos` is a second or more. Before 1970 `secs` is negative and `nanos` still counts
    /// forward.
    #[must_use]
    pub const fn new(secs: i64, nanos: u32) -> Option<Self> {
        match UnixTime::new(secs, nanos) {
            Some(time) => Some(Self(time)),
            None => None,
        }
    }

    /// Returns the time so many milliseconds after the beginning of 1970, or before it if the
    /// number is negative.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(UnixTime::from_millis(millis))
    }

    /// Returns the current time of the system's clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Returns the whole seconds since the beginning of 1970, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.secs()
    }

    /// Returns the nanoseconds after the whole second, below 1,000,000,000.
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.0.nanos()
    }

    /// Returns the whole milliseconds since the beginning of 1970, rounded down. Times further away
    /// than an `i64` counts, 292 million years, become the first or the last that it does.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        let millis = i128::from(self.secs()) * 1000 + i128::from(self.nanos() / 1_000_000);
        let end = if millis < 0 { i64::MIN } else { i64::MAX };
        i64::try_from(millis).unwrap_or(end)
    }

    /// Returns the time so much later, or `None` if it is beyond the last one.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let secs = self.secs().checked_add_unsigned(duration.as_secs())?;
        let nanos = self.nanos() + duration.subsec_nanos();
        match nanos.checked_sub(NANOS_MAX + 1) {
            Some(nanos) => Self::new(secs.checked_add(1)?, nanos),
            None => Self::new(secs, nanos),
        }
    }

    /// Returns the time so much earlier, or `None` if it is before the first one.
    #[must_use]
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        let secs = self.secs().checked_sub_unsigned(duration.as_secs())?;
        match self.nanos().checked_sub(duration.subsec_nanos()) {
            Some(nanos) => Self::new(secs, nanos),
            None => {
                let nanos = self.nanos() + (NANOS_MAX + 1 - duration.subsec_nanos());
                Self::new(secs.checked_sub(1)?, nanos)
            }
        }
    }

    /// Returns how much later this is than `earlier`, or `None` if it is earlier.
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Option<Duration> {
        if self < earlier {
            return None;
        }
        let secs = self.secs().abs_diff(earlier.secs());
        Some(match self.nanos().checked_sub(earlier.nanos()) {
            Some(nanos) => Duration::new(secs, nanos),
            None => Duration::new(secs - 1, self.nanos() + (NANOS_MAX + 1 - earlier.nanos())),
        })
    }

    /// Reads the data of an extension of type [`EXT_TYPE`](Self::EXT_TYPE). Returns `None` if it
    /// does not have 4, 8 or 12 bytes, or if its nanoseconds are a second or more.
    #[must_use]
    #[doc(hidden)]
    pub fn from_ext(data: &[u8]) -> Option<Self> {
        UnixTime::from_ext(data).map(Self)
    }

    /// Calls `write` with the data of the shortest extension for this time.
    #[doc(hidden)]
    pub fn with_ext<R>(self, write: impl FnOnce(&[u8]) -> R) -> R {
        self.0.with_ext(write)
    }
}

#[doc(hidden)]
impl From<UnixTime> for Timestamp {
    fn from(time: UnixTime) -> Self {
        Self(time)
    }
}

#[doc(hidden)]
impl From<Timestamp> for UnixTime {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

/// Prints the time in the format of RFC 3339, in UTC, with as many digits after the second as
/// needed. Years before 0 and after 9999 have a sign and at least six digits, as in ISO 8601.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Reads a time in the format of RFC 3339: `2023-11-14T22:13:20.5Z`, or with an offset such as
/// `+02:00`.
impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        UnixTime::parse_rfc3339(text).map(Self).ok_or_else(|| {
            let text = format!("{text:?} is not a time like 2023-11-14T22:13:20.5Z");
            ErrorBuilder::new(ErrorKind::Invalid, text).into()
        })
    }
}

/// Returns the time so much later, or the last one that there is.
impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }
}

/// Returns the time so much earlier, or the first one that there is.
impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        self.checked_sub(duration).unwrap_or(Self::MIN)
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl SubAssign<Duration> for Timestamp {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

/// A time out of range, billions of years away, becomes the first or last timestamp.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let epoch = Self::default();
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => epoch + after,
            Err(error) => epoch - error.duration(),
        }
    }
}

/// Fails with [`ErrorKind::Invalid`] if the platform's clock can't represent the time.
impl TryFrom<Timestamp> for SystemTime {
    type Error = Error;

    fn try_from(timestamp: Timestamp) -> Result<Self, Error> {
        let whole = Duration::from_secs(timestamp.secs().unsigned_abs());
        let whole = if timestamp.secs() < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        let nanos = Duration::from_nanos(timestamp.nanos().into());
        whole.and_then(|whole| whole.checked_add(nanos)).ok_or_else(|| {
            let text = format!("the time {timestamp} is out of the range of this system's clock");
            ErrorBuilder::new(ErrorKind::Invalid, text).into()
        })
    }
}
