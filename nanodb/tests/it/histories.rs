//! Transactions at random, side by side: what they saw has an order that explains it.
//!
//! Write transactions, single calls and snapshots together are strictly serializable. Each
//! thread writes down what it did and saw; afterwards a [checker] looks for what cannot have
//! happened one after the other. `NANODB_SEED=7` begins with history 7: the threads do the
//! same again, but in which order they get to run is not for a test to say.

mod bites;
mod checker;
mod history;
mod workload;

use std::sync::atomic::Ordering;
use std::time::Instant;

use nanodb::{Database, Durability};

use self::checker::{Anomaly, check};
use self::history::History;
use self::workload::{Plan, Tally, run};

/// How many histories, at least, and how many operations.
struct Extent {
    histories: usize,
    ops: usize,
}

fn first_seed() -> u64 {
    std::env::var("NANODB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

fn is_long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

/// Runs and checks so many histories on databases that `open` makes.
fn explain(name: &str, extent: &Extent, open: impl Fn(u64) -> Database) {
    let (first, began) = (first_seed(), Instant::now());
    let tally = Tally::default();
    let (mut histories, mut ops, mut overlapping) = (0, 0, 0);
    while histories < extent.histories || ops < extent.ops {
        let plan = Plan::new(first + histories as u64);
        let db = open(plan.seed);
        let history = run(&plan, &db, &tally);
        let found = check(&history);
        assert!(found.is_empty(), "NANODB_SEED={}: {found:?}\n{plan:?}\n{history}", plan.seed);
        overlapping += overlaps(&history);
        ops += history.op_count();
        histories += 1;
        if histories % 64 == 0 {
            let report = db.check().unwrap();
            assert!(report.is_clean(), "NANODB_SEED={}: {report}", plan.seed);
        }
    }
    println!(
        "{name}: seeds from {first}, {histories} histories, {ops} operations, \
         {overlapping} pairs of transactions at the same time, {} conflicts, {} rolled back, \
         {} snapshots, {:.1} s",
        tally.conflicts.load(Ordering::Relaxed),
        tally.rolled_back.load(Ordering::Relaxed),
        tally.snapshots.load(Ordering::Relaxed),
        began.elapsed().as_secs_f64(),
    );
    assert!(overlapping > 0, "nothing ran side by side");
}

/// How many pairs of transactions were under way at the same time.
fn overlaps(history: &History) -> usize {
    let all = &history.transactions;
    let with = |at: usize| {
        let one = &all[at];
        all[..at].iter().filter(|two| one.begun < two.ended && two.begun < one.ended).count()
    };
    (0..all.len()).map(with).sum()
}

#[test]
fn transactions_at_random_have_an_order_that_explains_what_they_saw() {
    let long = Extent { histories: 10_000, ops: 1_000_000 };
    let extent = if is_long() { long } else { Extent { histories: 60, ops: 8_000 } };
    explain("in memory", &extent, |_| Database::in_memory().unwrap());
}

#[test]
fn transactions_on_a_file_with_checkpoints_have_an_order_that_explains_what_they_saw() {
    let long = Extent { histories: 300, ops: 30_000 };
    let extent = if is_long() { long } else { Extent { histories: 10, ops: 2_000 } };
    let dir = tempfile::tempdir().unwrap();
    // A small cache and log: old versions are spilled, and checkpoints run meanwhile.
    let options = Database::options().cache_bytes_max(1 << 16).log_bytes_max(1 << 16);
    let options = options.durability(Durability::Buffered);
    explain("on a file", &extent, |seed| {
        options.open(dir.path().join(format!("{seed}.nanodb"))).unwrap()
    });
}

#[test]
fn an_update_lost_by_reading_outside_of_the_transaction_is_found_by_the_checker() {
    for seed in 1..=10 {
        let plan = Plan { reads_outside: true, ..Plan::new(seed) };
        let history = run(&plan, &Database::in_memory().unwrap(), &Tally::default());
        let found = check(&history);
        let lost = found.iter().filter(|anomaly| matches!(anomaly, Anomaly::LostUpdate { .. }));
        // Each thread but the last has lost what it appended first, if no more.
        assert!(lost.count() >= plan.threads - 1, "{found:?}");
    }
}
