//! New ObjectIds, as MongoDB's drivers make them.
//!
//! ```text
//! offset  size  field    meaning
//! ------  ----  -------  ---------------------------------------------------------------
//!      0     4  secs     seconds since the beginning of 1970, big-endian; modulo 2^32
//!      4     5  process  drawn at random, once for a process
//!      9     3  counter  begins at a random number, goes up by 1, big-endian; modulo 2^24
//! ```
//!
//! The random numbers are hashes with a key that the standard library asks the operating system
//! for. That of the process is the hash of its number, so that a fork, which has the key and the
//! counter of its parent, makes other ids.

use std::hash::{BuildHasher, RandomState};
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::ObjectId;
use crate::Timestamp;

/// What is hashed for the number that the counter begins at; no process has the same number.
const OF_COUNTER: u64 = u64::MAX;

impl ObjectId {
    /// Returns a new ObjectId, as MongoDB's drivers make them: of the time in seconds, a number
    /// that was drawn at random for this process, and a counter.
    ///
    /// It differs from all others that this process makes, as long as it makes fewer than 16
    /// million in a second, and, but for a chance of one in a million million, from those that
    /// another one makes in the same second. It is no secret: others can be guessed from it.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::{ObjectId, Timestamp};
    ///
    /// let (first, second) = (ObjectId::new(), ObjectId::new());
    /// assert_ne!(first, second);
    /// assert!(first.timestamp() <= Timestamp::now());
    /// ```
    #[must_use]
    #[expect(clippy::new_without_default, reason = "what is another each time is no default")]
    pub fn new() -> Self {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        static COUNTER: AtomicU32 = AtomicU32::new(0);

        let key = KEY.get_or_init(RandomState::new);
        // Relaxed: each call gets another number, and nothing else is read by it.
        let count = u64::from(COUNTER.fetch_add(1, Ordering::Relaxed));
        let count = key.hash_one(OF_COUNTER).wrapping_add(count);
        Self::of_parts(Timestamp::now().secs(), key.hash_one(u64::from(process::id())), count)
    }

    /// Returns the time that this was made at, to the second, if it was made as [`new`](Self::new)
    /// does.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        let [a, b, c, d, ..] = self.0;
        Timestamp::new(u32::from_be_bytes([a, b, c, d]).into(), 0).unwrap_or_default()
    }

    /// Returns the ObjectId of the lowest bytes of these numbers.
    fn of_parts(secs: i64, process: u64, counter: u64) -> Self {
        let [.., s0, s1, s2, s3] = secs.to_be_bytes();
        let [.., p0, p1, p2, p3, p4] = process.to_be_bytes();
        let [.., c0, c1, c2] = counter.to_be_bytes();
        Self([s0, s1, s2, s3, p0, p1, p2, p3, p4, c0, c1, c2])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn no_two_of_a_process_are_the_same() {
        let make = || (0..5_000).map(|_| ObjectId::new()).collect::<Vec<_>>();
        let made: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
        let process: HashSet<_> = made.iter().map(|id| &id.bytes()[4..9]).collect();
        assert_eq!(process.len(), 1, "all are of one process");
        let (first, last) = (made.iter().min().unwrap(), made.iter().max().unwrap());
        assert!(last.timestamp().secs() - first.timestamp().secs() < 60);
        assert!((Timestamp::now().secs() - first.timestamp().secs()).abs() < 60);
    }

    #[test]
    fn the_parts_lie_where_the_table_says() {
        let id = ObjectId::of_parts(0x65f1_c0ff, 0xaabb_cc01_0203_0405, 0xffff_ffff_ff0a_0b0c);
        assert_eq!(id.to_string(), "65f1c0ff01020304050a0b0c");
        assert_eq!(id.timestamp(), Timestamp::new(0x65f1_c0ff, 0).unwrap());
        // Times before 1970 and after 2106 wrap around.
        assert_eq!(ObjectId::of_parts(-1, 0, 0).timestamp().secs(), i64::from(u32::MAX));
        assert_eq!(ObjectId::of_parts(1 << 32, 0, 0).timestamp().secs(), 0);
    }

    #[test]
    fn a_fork_makes_others() {
        let key = RandomState::new();
        let process = |id: u32| ObjectId::of_parts(0, key.hash_one(u64::from(id)), 0);
        assert_ne!(process(1), process(2));
    }
}
