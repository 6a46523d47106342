//! Numbers as digits.

use std::io::{self, Write};

/// The digits of all numbers below 100, two each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// The most digits of an integer of 64 bits.
const DIGITS_MAX: usize = 20;

/// Appends an integer.
#[inline]
pub(super) fn print_int(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    print_uint(out, number.unsigned_abs());
}

/// Appends an integer that is not negative.
pub(super) fn print_uint(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for place in pairs.iter_mut().rev() {
        *place = pair(number % 100);
        // One zero in front is no digit of the number.
        start -= if number < 10 { 1 } else { 2 };
        number /= 100;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

#[inline]
fn pair(number: u64) -> [u8; 2] {
    usize::try_from(number).ok().and_then(|number| PAIRS.get(number)).copied().unwrap_or_default()
}

/// Appends a float that is finite, in the fewest digits that are read as the same number. There is
/// always a point or an exponent, which distinguishes floats from integers.
pub(super) fn print_float(out: &mut Vec<u8>, number: f64) -> io::Result<()> {
    match Decimal::of(number) {
        Some(decimal) => {
            decimal.print(out);
            Ok(())
        }
        None => write!(out, "{number:?}"),
    }
}

/// A number of few digits: most floats that people write down are.
struct Decimal {
    is_negative: bool,
    whole: u64,
    /// The digits behind the point, as a number, and how many these are.
    fraction: u64,
    places: usize,
}

/// The powers of ten by which a number is tried to be made whole.
const SCALES: [(f64, u64); 5] = [(1.0, 1), (1e1, 10), (1e2, 100), (1e3, 1_000), (1e4, 10_000)];

/// Below it every decimal number of as many digits is told from its neighbours as a float.
const WHOLE_MAX: f64 = 1e15;

impl Decimal {
    /// Returns the shortest decimal number that is read as `number`, if it has up to 15 digits, and
    /// up to four of them behind the point.
    ///
    /// A reader of "123.45" gets 12345 / 100, rounded once: both are exact as floats. So where the
    /// quotient is `number`, the digits are right; with one place less it was not, so there are no
    /// fewer. Two numbers of up to 15 digits are never read as the same float.
    #[inline]
    fn of(number: f64) -> Option<Self> {
        let magnitude = number.abs();
        // There is an exponent below 10^-5, and between these it is not worth trying.
        if magnitude < 1e-3 && magnitude != 0.0 {
            return None;
        }
        for (places, (scale, divisor)) in SCALES.into_iter().enumerate() {
            let scaled = magnitude * scale;
            if scaled >= WHOLE_MAX {
                return None;
            }
            // The nearest integer; rounding a float is a call of the C library on older processors.
            #[expect(clippy::cast_possible_truncation, reason = "below 10^15, and not negative")]
            let digits = (scaled + 0.5) as i64;
            if digits as f64 / scale == magnitude {
                let digits = digits.unsigned_abs();
                return Some(Self {
                    is_negative: number.is_sign_negative(),
                    whole: digits / divisor,
                    fraction: digits % divisor,
                    places,
                });
            }
        }
        None
    }

    #[inline]
    fn print(&self, out: &mut Vec<u8>) {
        if self.is_negative {
            out.push(b'-');
        }
        print_uint(out, self.whole);
        let [first, second] = pair(self.fraction / 100);
        let [third, fourth] = pair(self.fraction % 100);
        let digits = [b'.', first, second, third, fourth];
        match self.places {
            0 | 1 => out.extend_from_slice(&[b'.', fourth]),
            2 => out.extend_from_slice(&[b'.', third, fourth]),
            3 => out.extend_from_slice(&[b'.', second, third, fourth]),
            _ => out.extend_from_slice(&digits),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn int(number: i64) -> String {
        let mut out = Vec::new();
        print_int(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    fn float(number: f64) -> String {
        let mut out = Vec::new();
        print_float(&mut out, number).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers_of_each_length_have_their_digits() {
        let mut number = 1_i64;
        loop {
            for near in [number - 1, number, number + 1, -number, 1 - number] {
                assert_eq!(int(near), near.to_string());
            }
            match number.checked_mul(10) {
                Some(more) => number = more,
                None => break,
            }
        }
        let mut out = Vec::new();
        print_uint(&mut out, u64::MAX);
        assert_eq!(out, u64::MAX.to_string().as_bytes());
        assert_eq!(int(i64::MIN), i64::MIN.to_string());
    }

    #[test]
    fn floats_are_printed_as_by_the_standard_library() {
        for whole in [0, 1, 9, 10, 99, 100, 4711, 123_456, 99_999_999_999, 999_999_999_999_999_i64]
        {
            for fraction in (0..10_000).step_by(7) {
                for scale in [1e1, 1e2, 1e3, 1e4, 1e5] {
                    let number = whole as f64 + f64::from(fraction) / scale;
                    for number in [number, -number, number.next_up(), number.next_down()] {
                        assert_eq!(float(number), format!("{number:?}"));
                    }
                }
            }
        }
        for number in [1e-3, 1e-4, 1e-5, 1e15, 1e16, 1e17, 0.1 + 0.2, 1e22, 5e-324, f64::MAX] {
            for number in [number, -number, number.next_up(), number.next_down()] {
                assert_eq!(float(number), format!("{number:?}"));
            }
        }
        assert_eq!(float(-0.0), "-0.0");
    }

    proptest! {
        #[test]
        fn any_float_is_printed_as_by_the_standard_library(
            bits in any::<u64>(), digits in 0_u64..10_000_000_000_000_000, places in 0..12,
        ) {
            for number in [f64::from_bits(bits), digits as f64 / 10_f64.powi(places)] {
                if number.is_finite() {
                    prop_assert_eq!(float(number), format!("{:?}", number));
                }
            }
        }

        #[test]
        fn any_integer_has_its_digits(number in any::<i64>()) {
            prop_assert_eq!(int(number), number.to_string());
        }
    }
}
