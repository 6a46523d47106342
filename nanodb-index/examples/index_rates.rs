//! What an insert, a look-up and an entry's memory cost on this machine.
//!
//! ```text
//! cargo run --release -p nanodb-index --example index_rates -- 1000000
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use nanodb_index::{IdIndex, KeyHash, RecordId, hash_id};

fn main() {
    let count: u32 =
        std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let hashes: Vec<KeyHash> = (0..count).map(|id| KeyHash::of_id(1, &id.to_le_bytes())).collect();
    let mut shuffled: Vec<(KeyHash, u32)> = hashes.iter().copied().zip(0..).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut shuffled);

    let index = IdIndex::new();
    report("insert, a lock each", count, || {
        hashes
            .iter()
            .zip(0..)
            .for_each(|(&hash, number)| index.write().insert(hash, record_id(number)));
    });
    let index = IdIndex::new();
    let mut longest = Duration::ZERO;
    report("insert, one lock", count, || {
        let mut writer = index.write();
        for (&hash, number) in hashes.iter().zip(0..) {
            writer.insert(hash, record_id(number));
        }
    });
    report("find, in random order", count, || {
        for &(hash, number) in &shuffled {
            let wanted = record_id(number);
            let found =
                index.look_up(hash, |found| (found == wanted).then_some(found)).ok().flatten();
            assert!(black_box(found).is_some());
        }
    });
    report("find, each after the one before", count, || {
        let mut next = 0u32;
        for &(hash, number) in &shuffled {
            let wanted = record_id(number);
            let key = KeyHash::from_bits(hash.bits() ^ next);
            let found = index.look_up(key, |found| (found == wanted).then_some(found));
            next = black_box(u32::from(found.ok().flatten().is_none()));
        }
    });
    let mut candidates = 0u64;
    report("find, absent", count, || {
        for &(hash, _) in &shuffled {
            let absent = KeyHash::from_bits(hash.bits().wrapping_mul(0x9e37_79b9));
            let found = index.look_up(absent, |_| {
                candidates += 1;
                None::<()>
            });
            assert!(black_box(found).is_ok_and(|found| found.is_none()));
        }
    });
    let per_entry = index.memory_bytes() as f64 / f64::from(count);
    println!("{per_entry:>8.2} bytes an entry, {candidates} needless candidates");

    report("remove, in random order", count, || {
        let mut writer = index.write();
        for &(hash, number) in &shuffled {
            assert!(writer.remove(hash, record_id(number)));
        }
    });
    let index = IdIndex::new();
    for (&hash, number) in hashes.iter().zip(0..) {
        let started = Instant::now();
        index.write().insert(hash, record_id(number));
        longest = longest.max(started.elapsed());
    }
    println!("{:>8.2} us for the longest insert", longest.as_secs_f64() * 1e6);

    let ids: Vec<String> = (0..count).map(|id| format!("user:{id:08}")).collect();
    report("hash of 13 bytes", count, || {
        black_box(ids.iter().fold(0, |sum, id| sum ^ hash_id(1, id.as_bytes())));
    });
}

/// Twenty documents a page.
fn record_id(number: u32) -> RecordId {
    RecordId { page: number / 20, slot: u16::try_from(number % 20).unwrap_or_default() }
}

fn report(what: &str, count: u32, run: impl FnOnce()) {
    let started = Instant::now();
    run();
    println!("{:>8.1} ns {what}", started.elapsed().as_secs_f64() * 1e9 / f64::from(count));
}
