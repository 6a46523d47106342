//! Random numbers that tell files, logs and hash keys apart.
//!
//! The standard library keys its hash maps from the system's random numbers, once a thread: a
//! [`RandomState`] is that key. What it hashes is new with every call, so what comes out is too.
//! The key alone would not do: a forked child has its parent's, and would go on like it.
//!
//! These numbers are for telling things apart, not for secrets.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::process;

/// Returns 64 random bits.
pub(crate) fn bits() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Relaxed: a count that no other memory depends on.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    RandomState::new().hash_one((process::id(), SystemTime::now(), count))
}

/// Returns a random UUID: 122 random bits, version 4.
pub(crate) fn uuid() -> [u8; 16] {
    let bits = u128::from(bits()) << 64 | u128::from(bits());
    let version = bits & !(0xf << 76) | 4 << 76;
    (version & !(0b11 << 62) | 0b10 << 62).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_thousand_random_numbers_differ_and_each_bit_is_set_in_about_half() {
        let drawn: BTreeSet<u64> = (0..1_000).map(|_| bits()).collect();
        assert_eq!(drawn.len(), 1_000);
        for bit in 0..64 {
            let set = drawn.iter().filter(|bits| *bits >> bit & 1 == 1).count();
            // Ten standard deviations of 16 on either side.
            assert!((340..=660).contains(&set), "bit {bit} is set in {set}");
        }
    }

    #[test]
    fn a_random_uuid_says_that_it_is_one() {
        for _ in 0..100 {
            let uuid = uuid();
            assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (4, 0b10));
        }
        assert_ne!(uuid(), uuid());
    }
}
