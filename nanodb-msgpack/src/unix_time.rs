//! Points in time, stored as MessagePack's extension -1.
//!
//! ```text
//! data bytes  meaning                                        written when
//! ----------  ---------------------------------------------  --------------------------
//! 4           seconds u32                                    nanos 0, seconds fit
//! 8           nanoseconds in the upper 30 bits, seconds in   seconds fit in 34 bits
//!             the lower 34
//! 12          nanoseconds u32, then seconds i64              otherwise
//! ```
//!
//! All numbers are big-endian. Seconds count from 1970-01-01 00:00:00 UTC, without leap seconds.

mod rfc3339;

use std::fmt;

/// The extension type of timestamps.
pub const TIMESTAMP_EXT: i8 = -1;

const NANOS_MAX: u32 = 999_999_999;

/// A point in time, with a resolution of nanoseconds.
///
/// ```
/// use nanodb_msgpack::UnixTime;
///
/// let time = UnixTime::new(1_700_000_000, 500_000_000).unwrap();
/// assert_eq!(time.to_string(), "2023-11-14T22:13:20.5Z");
/// assert_eq!(UnixTime::parse_rfc3339("2023-11-14T23:13:20.5+01:00"), Some(time));
/// assert_eq!(UnixTime::new(0, 1_000_000_000), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    secs: i64,
    nanos: u32,
}

impl UnixTime {
    /// Returns the time `secs` seconds and `nanos` nanoseconds after the beginning of 1970; `None`
    /// if `nanos` is a second or more. Before 1970 `secs` is negative and `nanos` still counts
    /// forward.
    #[must_use]
    pub const fn new(secs: i64, nanos: u32) -> Option<Self> {
        if nanos > NANOS_MAX { None } else { Some(Self { secs, nanos }) }
    }

    /// Returns the time with these seconds and nanoseconds; more nanoseconds than there are in a
    /// second are the last one.
    #[must_use]
    pub const fn saturated(secs: i64, nanos: u32) -> Self {
        Self { secs, nanos: if nanos > NANOS_MAX { NANOS_MAX } else { nanos } }
    }

    /// Returns the time so many milliseconds after the beginning of 1970, or before it if the
    /// number is negative.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "below 1,000, whatever the sign")]
        let within = millis.rem_euclid(1000).unsigned_abs() as u32;
        Self { secs: millis.div_euclid(1000), nanos: within * 1_000_000 }
    }

    /// Reads a time in the format of RFC 3339, of any year: `2023-11-14T22:13:20.5Z`.
    ///
    /// The `T` may be a space, and the `Z` an offset such as `+02:00` or `+0200`. Years may have a
    /// sign and more than four digits. Returns `None` for more than nine digits after the second,
    /// and for a date that the calendar lacks.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        rfc3339::parse(text)
    }

    /// Returns the whole seconds since the beginning of 1970, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.secs
    }

    /// Returns the nanoseconds after the whole second, below 1,000,000,000.
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// Reads the data of an extension of type [`TIMESTAMP_EXT`]. Returns `None` if it
    /// does not have 4, 8 or 12 bytes, or if its nanoseconds are a second or more.
    #[must_use]
    pub fn from_ext(data: &[u8]) -> Option<Self> {
        if let Ok(data) = <[u8; 4]>::try_from(data) {
            return Self::new(i64::from(u32::from_be_bytes(data)), 0);
        }
        if let Ok(data) = <[u8; 8]>::try_from(data) {
            let packed = u64::from_be_bytes(data);
            let nanos = u32::try_from(packed >> 34).ok()?;
            return Self::new((packed & 0x3_ffff_ffff).cast_signed(), nanos);
        }
        let (nanos, secs) = data.split_first_chunk::<4>()?;
        let secs = <[u8; 8]>::try_from(secs).ok()?;
        Self::new(i64::from_be_bytes(secs), u32::from_be_bytes(*nanos))
    }

    /// Calls `write` with the data of the shortest extension for this time.
    pub fn with_ext<R>(self, write: impl FnOnce(&[u8]) -> R) -> R {
        match u64::try_from(self.secs) {
            Ok(secs) if secs < 1 << 34 => match (self.nanos, u32::try_from(secs)) {
                (0, Ok(secs)) => write(&secs.to_be_bytes()),
                _ => write(&((u64::from(self.nanos) << 34) | secs).to_be_bytes()),
            },
            _ => {
                let mut data = [0; 12];
                let (nanos, secs) = data.split_at_mut(4);
                nanos.copy_from_slice(&self.nanos.to_be_bytes());
                secs.copy_from_slice(&self.secs.to_be_bytes());
                write(&data)
            }
        }
    }
}

/// Prints the time in the format of RFC 3339, in UTC, with as many digits after the second as
/// needed. Years before 0 and after 9999 have a sign and at least six digits, as in ISO 8601.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.secs.div_euclid(86_400));
        let second = self.secs.rem_euclid(86_400);
        let pairs = [month, day, second / 3600, second / 60 % 60, second % 60].map(two_digits);
        let mut text = *b"-00-00T00:00:00.000000000Z";
        for (place, digits) in [1, 4, 7, 10, 13].into_iter().zip(pairs) {
            if let Some(place) = text.get_mut(place..place + 2) {
                place.copy_from_slice(&digits);
            }
        }
        let mut nanos = self.nanos;
        let mut len = text.len() - 1;
        for (place, digit) in text.iter_mut().enumerate().skip(16).take(9).rev() {
            let [_, last] = two_digits((nanos % 10).into());
            *digit = last;
            nanos /= 10;
            // A zero at the end is left out.
            if last == b'0' && place + 1 == len {
                len = place;
            }
        }
        // The point goes with the last digit behind it.
        let len = if len == 16 { 15 } else { len };
        if let Some(end) = text.get_mut(len) {
            *end = b'Z';
        }
        // ISO 8601 requires four digits, or a sign and six.
        match year {
            0..=9999 => [year / 100, year % 100]
                .map(two_digits)
                .iter()
                .try_for_each(|digits| f.write_str(str::from_utf8(digits).unwrap_or_default()))?,
            _ => write!(f, "{year:+07}")?,
        }
        f.write_str(text.get(..=len).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default())
    }
}

/// Returns the digits of a number below 100.
fn two_digits(number: i64) -> [u8; 2] {
    let number = u8::try_from(number).unwrap_or_default();
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

/// Returns year, month and day of the Gregorian calendar, `days` after 1970-01-01.
///
/// Counts in eras of 400 years from 0000-03-01, so that a leap day ends its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
