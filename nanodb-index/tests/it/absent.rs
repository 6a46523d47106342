//! An index that is loaded piece by piece from a list that stands for a file, dropped and
//! loaded again, holds what one in memory does.

#![allow(clippy::unwrap_used, reason = "a test says so by panicking")]

use std::collections::BTreeSet;

use nanodb_index::run::apply;
use nanodb_index::{Change, IdIndex, IndexMemory, KeyHash, RecordId};
use proptest::collection::vec;
use proptest::prelude::*;

type Entries = BTreeSet<(KeyHash, RecordId)>;

#[derive(Clone, Debug)]
enum Op {
    Insert { first: u32, count: u32 },
    Remove { first: u32, count: u32, pending: bool },
    LookUp { first: u32, count: u32 },
    Drop(u32),
    Save,
    CarryOut,
}

fn hash(id: u32) -> KeyHash {
    // Some ids have keys of which there are many, some one key.
    match id % 64 {
        0 => KeyHash::of(5 << 40 | u64::from(id % 3) << 33),
        _ => KeyHash::of_id(3, &id.to_le_bytes()),
    }
}

fn record_id(id: u32) -> RecordId {
    RecordId { page: 2 + id / 30, slot: (id % 30) as u16 }
}

struct Harness {
    index: IdIndex,
    number: u64,
    /// Entries as they are, without those that are to go.
    now: Entries,
    /// As they were when they were saved.
    saved: Vec<Change>,
    /// Removals that are not carried out: by number, hash and record id.
    pending: Vec<(u64, KeyHash, RecordId)>,
}

impl Harness {
    fn new(entries: u32) -> Self {
        let now: Entries = (0..entries).map(|id| (hash(id), record_id(id))).collect();
        let index = IdIndex::absent(entries.into());
        Self { index, number: 1, saved: listed(&now), now, pending: Vec::new() }
    }

    fn load(&self, hash: KeyHash) {
        while let Some(range) = self.index.absent_range(hash) {
            let within = |change: &&Change| (range.0..=range.1).contains(&change.key.bits());
            let old: Vec<Change> = self.saved.iter().filter(within).copied().collect();
            let mut writer = self.index.write();
            if IdIndex::is_too_wide(range, self.saved.len() as u64) && writer.split_absent(hash) {
                continue;
            }
            let entries = apply(&old, &writer.recorded(range));
            assert!(writer.load(range, &entries));
            assert!(!writer.load(range, &entries));
        }
    }

    fn perform(&mut self, op: Op) {
        self.number += 1;
        match op {
            Op::Insert { first, count } => {
                for id in first..first + count {
                    let (key, record_id) = (hash(id), record_id(id));
                    let revived = self.pending.iter().position(|e| (e.1, e.2) == (key, record_id));
                    let mut writer = self.index.write();
                    if self.now.insert((key, record_id)) {
                        writer.record(self.number, Change { key, record_id, removed: false });
                        match revived {
                            Some(at) => drop(self.pending.remove(at)),
                            None => writer.insert(key, record_id),
                        }
                    }
                }
            }
            Op::Remove { first, count, pending } => {
                for id in first..first + count {
                    let (key, record_id) = (hash(id), record_id(id));
                    if self.now.remove(&(key, record_id)) {
                        let change = Change { key, record_id, removed: true };
                        self.index.write().record(self.number, change);
                        self.pending.push((self.number, key, record_id));
                    }
                }
                self.index.write().set_pending(self.pending.first().map(|entry| entry.0));
                if !pending {
                    self.perform(Op::CarryOut);
                }
            }
            Op::CarryOut => {
                let mut writer = self.index.write();
                for (_, hash, record_id) in self.pending.drain(..) {
                    writer.retire(hash, record_id);
                }
                writer.set_pending(None);
            }
            Op::LookUp { first, count } => {
                for id in first..first + count {
                    self.look_up(id);
                }
            }
            Op::Drop(count) => {
                for id in 0..count {
                    self.index.write().drop_one(hash(id));
                }
            }
            Op::Save => {
                self.saved = listed(&self.now);
                let mut at = 0;
                while self.index.write().forget(at, self.number) {
                    at += 1;
                }
            }
        }
    }

    /// An entry is found exactly once if it is there or still to go, and else not.
    fn look_up(&self, id: u32) {
        let (hash, record_id) = (hash(id), record_id(id));
        let find = || {
            let mut times = 0;
            let found = self.index.look_up(hash, |candidate| {
                times += usize::from(candidate == record_id);
                None::<()>
            });
            found.map(|_| times)
        };
        let times = find().unwrap_or_else(|_| {
            self.load(hash);
            find().unwrap()
        });
        let there = self.now.contains(&(hash, record_id));
        let pending = self.pending.iter().any(|entry| (entry.1, entry.2) == (hash, record_id));
        assert_eq!(times, usize::from(there || pending), "{id}");
    }

    /// All entries, loaded group by group.
    fn len(&self) -> usize {
        let (mut len, mut key) = (0, Some(0_u32));
        while let Some(first) = key {
            let hash = KeyHash::from_bits(first);
            self.load(hash);
            let (entries, last) = self.index.write().entries_at(hash).unwrap();
            assert!(entries.iter().all(|(key, _)| (first..=last).contains(&key.bits())));
            len += entries.len();
            key = last.checked_add(1);
        }
        len
    }
}

fn listed(entries: &Entries) -> Vec<Change> {
    let change =
        |&(key, record_id): &(KeyHash, RecordId)| Change { key, record_id, removed: false };
    entries.iter().map(change).collect()
}

fn ops() -> impl Strategy<Value = Op> {
    let some = || (0..6000_u32, 1..400_u32);
    prop_oneof![
        4 => some().prop_map(|(first, count)| Op::Insert { first, count }),
        3 => (some(), any::<bool>())
            .prop_map(|((first, count), pending)| Op::Remove { first, count, pending }),
        4 => some().prop_map(|(first, count)| Op::LookUp { first, count }),
        3 => (0..4_u32).prop_map(Op::Drop),
        2 => Just(Op::Save),
        1 => Just(Op::CarryOut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("NANODB_TEST_LONG").is_some() { 2000 } else { 24 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_index_loaded_in_pieces_holds_what_one_in_memory_does(
        entries in prop_oneof![0..50_u32, 0..7000_u32],
        ops in vec(ops(), 1..60),
    ) {
        let mut harness = Harness::new(entries);
        for op in ops {
            harness.perform(op);
        }
        for id in 0..6500 {
            harness.look_up(id);
        }
        prop_assert_eq!(harness.len(), harness.now.len() + harness.pending.len());
        prop_assert_eq!(harness.index.len(), harness.len());
        harness.perform(Op::CarryOut);
        prop_assert_eq!(harness.len(), harness.now.len());
    }
}

#[test]
fn groups_that_are_dropped_leave_their_memory_to_others() {
    let harness = Harness::new(60_000);
    let mut most = 0;
    for round in 0..3 {
        for id in (0..60_000).step_by(7) {
            harness.look_up(id);
            while harness.index.loaded_bytes() > 200_000 {
                assert!(harness.index.write().drop_one(hash(id)));
            }
        }
        if round == 0 {
            most = harness.index.memory_bytes();
        }
    }
    assert_eq!(harness.index.memory_bytes(), most);
    assert!(most < 400_000, "{most}");
}

#[test]
fn an_index_that_nobody_touches_takes_little_memory() {
    let index = IdIndex::absent(10_000_000);
    assert!(index.memory_bytes() < 300_000, "{}", index.memory_bytes());
    assert_eq!(index.loaded_bytes(), 0);
    assert!(index.look_up(hash(1), |_| Some(())).is_err());
    assert_eq!(IdIndex::absent(0).absent_range(KeyHash::from_bits(0)), Some((0, u32::MAX)));
}

/// What is always looked at beside much that is looked at once or seldom is hardly ever dropped,
/// however the groups lie.
#[test]
fn groups_that_are_always_looked_at_stay_while_others_are_gone_through() {
    const IDS: u32 = 40_000;
    const HOT: [u32; 3] = [1, 2, 3];
    for seed in 0..12 {
        let hash = |id: u32| KeyHash::of_id(seed, &id.to_le_bytes());
        let now: Entries = (0..IDS).map(|id| (hash(id), record_id(id))).collect();
        let saved = listed(&now);
        let index = IdIndex::absent_within(&IndexMemory::with_marks(), IDS.into());
        let steps = 2_000;
        let mut loads = 0;
        for step in 0..steps {
            for id in HOT.into_iter().chain([step * 7919 % IDS]) {
                if index.absent_range(hash(id)).is_some() {
                    loads += u32::from(HOT.contains(&id));
                    load(&index, &saved, hash(id));
                    drop_down_to(&index, 150_000, hash(id));
                }
                assert!(index.look_up(hash(id), Some).unwrap().is_some());
            }
        }
        let looks = 3 * steps;
        assert!(loads < looks / 100, "{loads} times of {looks} not in memory; seed {seed}");
    }
}

#[test]
fn a_group_that_nobody_looks_at_goes_after_the_passes_that_are_promised() {
    let now: Entries = (0..40_u32).map(|id| (hash(id), record_id(id))).collect();
    for looks in 0..10 {
        let index = IdIndex::absent_within(&IndexMemory::with_marks(), 40);
        load(&index, &listed(&now), hash(1));
        for _ in 0..looks {
            assert!(index.look_up(hash(1), Some).unwrap().is_some());
            let passed = index.write().drop_unused(None, false);
            assert!(!passed.dropped && passed.at_end, "looked at, and gone after {looks}");
        }
        let mut passes = 1;
        while !index.write().drop_unused(None, false).dropped {
            passes += 1;
        }
        assert!(passes <= nanodb_index::IndexWriter::PASSES_MAX, "{passes} after {looks}");
        assert!(looks < 2 || passes > 1, "{looks} looks have earned nothing");
        assert_eq!(index.loaded_bytes(), 0);
    }
}

fn load(index: &IdIndex, saved: &[Change], hash: KeyHash) {
    if let Some(range) = index.absent_range(hash) {
        let from = saved.partition_point(|change| change.key.bits() < range.0);
        let to = saved.partition_point(|change| change.key.bits() <= range.1);
        assert!(index.write().load(range, &saved[from..to]));
    }
}

/// Drops as whoever has a budget does.
fn drop_down_to(index: &IdIndex, bytes_max: usize, spared: KeyHash) {
    while index.loaded_bytes() > bytes_max {
        index.write().drop_unused(Some(spared), false);
    }
}
