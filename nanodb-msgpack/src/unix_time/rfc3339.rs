//! Reading times in the format of RFC 3339, of any year.

use super::UnixTime;

/// Reads `2023-11-14T22:13:20.5Z`.
///
/// The `T` may be a space, and the `Z` an offset such as `+02:00` or `+0200`. Years may have a sign
/// and more than four digits. Returns `None` for more than nine digits after the second, and for a
/// date that the calendar lacks.
pub(super) fn parse(text: &str) -> Option<UnixTime> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let days = parse_date(date)?;
    let (time, offset) = split_offset(time)?;
    let (second, nanos) = parse_time(time)?;
    let secs = i128::from(days) * 86_400 + i128::from(second) - i128::from(offset);
    UnixTime::new(i64::try_from(secs).ok()?, nanos)
}

/// Returns the number of days after 1970-01-01.
fn parse_date(date: &str) -> Option<i64> {
    let (rest, day) = date.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    let digits = year.strip_prefix(['-', '+']).unwrap_or(year);
    if digits.len() < 3 || !is_digits(digits) {
        return None;
    }
    let (year, month, day) = (year.parse().ok()?, two_digits(month)?, two_digits(day)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    days_before(year, month)?.checked_add(day - 1)
}

/// Returns the second of the day, and nanoseconds.
fn parse_time(time: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = whole.split(':');
    let (hour, minute) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let second = two_digits(parts.next()?)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if !is_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some((hour * 3600 + minute * 60 + second, nanos))
}

/// Splits a time into the part before the offset from UTC, and the offset in seconds.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let sign_at = time.rfind(['+', '-'])?;
    let (time, offset) = time.split_at_checked(sign_at)?;
    let (sign, offset) = offset.split_at_checked(1)?;
    // MongoDB's older tools leave the colon out.
    let (hours, minutes) = offset.split_once(':').or_else(|| offset.split_at_checked(2))?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some((time, if sign == "-" { -seconds } else { seconds }))
}

fn two_digits(text: &str) -> Option<i64> {
    if text.len() == 2 && is_digits(text) { text.parse().ok() } else { None }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days from 1970-01-01 to the first of a month; `None` for years that no timestamp
/// reaches.
fn days_before(year: i64, month: i64) -> Option<i64> {
    // A timestamp has 63 bits of seconds, which is below 300 billion years.
    if year.abs() > 300_000_000_000 {
        return None;
    }
    // The leap day ends a year that begins in March.
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month_from_march + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_timestamps_print_is_read_back() {
        let nanos = [0, 1, 500_000_000, 999_999_999];
        let days = (-1_000_000..1_000_000).step_by(997).map(|day: i64| day * 86_400 + 12_345);
        for secs in days.chain([i64::MIN, i64::MAX, -1, 0, 951_782_400, 68_169_600]) {
            for nanos in nanos {
                let timestamp = UnixTime::new(secs, nanos).unwrap();
                assert_eq!(parse(&timestamp.to_string()), Some(timestamp), "{timestamp}");
            }
        }
    }

    #[test]
    fn seconds_have_as_many_digits_behind_them_as_needed() {
        for (nanos, printed) in [
            (0, "Z"),
            (1, ".000000001Z"),
            (100, ".0000001Z"),
            (10_203_000, ".010203Z"),
            (120_000_000, ".12Z"),
            (999_999_999, ".999999999Z"),
        ] {
            let days = [(1_700_000_000, "2023-11-14T22:13:20"), (-1, "1969-12-31T23:59:59")];
            for (secs, second) in days {
                let time = UnixTime::new(secs, nanos).unwrap();
                assert_eq!(time.to_string(), format!("{second}{printed}"));
            }
            let late = UnixTime::new(253_402_300_800, nanos).unwrap();
            assert_eq!(late.to_string(), format!("+010000-01-01T00:00:00{printed}"));
        }
    }

    #[test]
    fn offsets_and_lower_case_are_understood() {
        let noon = UnixTime::new(1_700_000_000, 0);
        assert_eq!(parse("2023-11-14T22:13:20Z"), noon);
        assert_eq!(parse("2023-11-14t22:13:20z"), noon);
        assert_eq!(parse("2023-11-14 23:43:20+01:30"), noon);
        assert_eq!(parse("2023-11-14T20:13:20.000-02:00"), noon);
        assert_eq!(parse("2023-11-14T22:13:20.000+0000"), noon);
        assert_eq!(parse("2023-11-14T20:13:20.000-0200"), noon);
    }

    #[test]
    fn years_before_0_have_six_digits_and_were_once_printed_with_three() {
        let ides = UnixTime::new(-63_517_824_000, 0).unwrap();
        assert_eq!(ides.to_string(), "-000043-03-15T00:00:00Z");
        assert_eq!(parse("-043-03-15T00:00:00Z"), Some(ides));
        assert_eq!(parse("-0043-03-15T00:00:00Z"), Some(ides));
        let year_0 = parse("0000-03-01T00:00:00Z").unwrap();
        assert_eq!(year_0.to_string(), "0000-03-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "soon",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14T22:13:60Z",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20.1234567890Z",
            "23-11-14T22:13:20Z",
            "2023-1-14T22:13:20Z",
            "9223372036854775807-01-01T00:00:00Z",
            "2023-11-14T22:13:20+1:00",
            "2023-11-14T22:13:20+100",
            "2023-11-14T22:13:20+",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
