//! Numbers for people.

use std::fmt;
use std::time::Duration;

/// A count, printed with separated thousands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(u64);

/// A size, printed with a unit that suits it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(u64);

/// Formats a count with separated thousands.
pub(crate) fn count(number: u64) -> Count {
    Count(number)
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut size = self.0 as f64;
        let mut unit = "B";
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            if size < 1024.0 {
                break;
            }
            (size, unit) = (size / 1024.0, larger);
        }
        let text = if unit == "B" { format!("{size} B") } else { format!("{size:.2} {unit}") };
        f.pad(&text)
    }
}

/// Formats a count of things that have a regular plural.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Formats a size as KiB, MiB or GiB.
pub(crate) fn bytes(size: u64) -> Bytes {
    Bytes(size)
}

/// Prints a time with a sensible number of digits.
pub(crate) struct Time(pub(crate) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let text = if seconds >= 0.9995 {
            format!("{seconds:.2} s")
        } else if seconds >= 0.000_999_5 {
            format!("{:.1} ms", seconds * 1e3)
        } else {
            format!("{:.1} µs", seconds * 1e6)
        };
        f.pad(&text)
    }
}

/// Returns how many there are in a second, rounded to three digits.
pub(crate) fn rate(number: u64, time: Duration) -> Count {
    let exact = number as f64 / time.as_secs_f64().max(1e-9);
    let unit = 10_f64.powf(exact.max(1.0).log10().floor() - 2.0).max(1.0);
    #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
    let rounded = ((exact / unit).round() * unit) as u64;
    Count(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_to_what_means_something() {
        assert_eq!(count(135_233).to_string(), "135,233");
        assert_eq!(count(0).to_string() + &count(999).to_string(), "0999");
        assert_eq!(count(u64::MAX).to_string(), "18,446,744,073,709,551,615");
        assert_eq!(bytes(1023).to_string(), "1023 B");
        assert_eq!(bytes(1024).to_string(), "1.00 KiB");
        assert_eq!(bytes(32_768_000).to_string(), "31.25 MiB");
        assert_eq!(bytes(5 << 40).to_string(), "5.00 TiB");
        assert_eq!(counted(1, "page"), "1 page");
        assert_eq!(counted(1000, "page"), "1,000 pages");
        assert_eq!(rate(1_234_567, Duration::from_secs(1)).to_string(), "1,230,000");
        assert_eq!(rate(7, Duration::from_secs(2)).to_string(), "4");
        assert_eq!(rate(0, Duration::ZERO).to_string(), "0");
        assert_eq!(Time(Duration::from_millis(1234)).to_string(), "1.23 s");
        assert_eq!(Time(Duration::from_micros(12_340)).to_string(), "12.3 ms");
        assert_eq!(Time(Duration::from_nanos(7_890)).to_string(), "7.9 µs");
        assert_eq!(format!("{:>9}|", Time(Duration::from_secs(1))), "   1.00 s|");
    }
}
