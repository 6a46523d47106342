//! Any operations on a database, failing calls, kills and power cuts among them, beside a model.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_sim::workload::{Op, World};

fuzz_target!(|bytes: &[u8]| {
    let Some((&level, bytes)) = bytes.split_first() else { return };
    let mut world = World::new(match level % 3 {
        0 => nanodb::Durability::Relaxed,
        1 => nanodb::Durability::Buffered,
        _ => nanodb::Durability::Immediate,
    });
    Op::sequence(bytes).iter().for_each(|op| world.apply(op));
    world.check();
});
