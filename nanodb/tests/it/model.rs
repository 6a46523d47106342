//! Any sequence of operations against a map: writes, transactions, snapshots, reopening,
//! failing calls, killed processes and power cuts.

use nanodb::{Database, Durability, Value, doc};
use nanodb_sim::Random;
use nanodb_sim::workload::{Op, World};
use proptest::prelude::*;

const LEVELS: [Durability; 3] = [Durability::Immediate, Durability::Buffered, Durability::Relaxed];

fn long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

fn run(level: Durability, ops: &[Op]) {
    let mut world = World::new(level);
    ops.iter().for_each(|op| world.apply(op));
    world.check();
    world.apply(&Op::Reopen);
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if long() { 20_000 } else { 200 },
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_operations_agree_with_a_map(
        level in prop::sample::select(&LEVELS[..]),
        ops in prop::collection::vec(any::<u8>(), 0..700).prop_map(|bytes| Op::sequence(&bytes)),
    ) {
        run(level, &ops);
    }
}

/// The same for a long time: one database, and operations by the ten thousand.
#[test]
fn a_soak_agrees_with_a_map() {
    let seed = std::env::var("NANODB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("NANODB_SEED={seed}");
    let soak = |number: u64, level| {
        let mut random = Random::new(seed + number);
        let mut world = World::new(level);
        let (mut done, count) = (0, if long() { 3_400_000 } else { 1_500 });
        while done < count {
            let mut bytes = [0; 400];
            random.fill(&mut bytes);
            for op in Op::sequence(&bytes) {
                world.apply(&op);
                done += 1;
            }
        }
        world.check();
    };
    std::thread::scope(|scope| {
        for (number, level) in (0..).zip(LEVELS) {
            scope.spawn(move || soak(number, level));
        }
    });
}

#[test]
fn values_of_every_type_come_back_as_they_were() {
    let all = doc! {
        "_id": 1,
        "null": null,
        "bool": true,
        "ints": [0, -1, i64::MIN, i64::MAX, u64::MAX],
        "float": 0.1,
        "string": "ünïcode \u{1F980}",
        "binary": (Value::Binary(vec![0, 255])),
        "nested": { "a": [{ "b": [] }, {}] },
        "time": (nanodb::Timestamp::from(std::time::SystemTime::UNIX_EPOCH)),
        "": "an empty name",
        "a.b": "a dot",
    };
    let db = Database::in_memory().unwrap();
    let collection = db.collection("all");
    collection.insert(&all).unwrap();
    assert_eq!(collection.get(1).unwrap().unwrap().to_document().unwrap(), all);
}
