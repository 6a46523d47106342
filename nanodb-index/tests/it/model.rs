use std::collections::HashMap;

use super::support::{find, listed_entries, relocate};
use nanodb_index::{IdIndex, KeyHash, RecordId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Clone, Debug)]
enum Op {
    Insert(KeyHash, RecordId),
    InsertMany { first: u32, count: u32 },
    Remove(Index),
    RemoveMany(Vec<Index>),
    RemoveAbsent(KeyHash, RecordId),
    Retire(Index),
    Relocate(Index, RecordId),
    RelocateAbsent(KeyHash, RecordId, RecordId),
    Clear,
}

/// Spread hashes, a few that many entries share, and many with one key or one tag.
fn hashes() -> impl Strategy<Value = KeyHash> {
    let hashes = prop_oneof![
        4 => any::<u64>(),
        2 => (0..20u64).prop_map(|few| nanodb_index::hash_id(1, &few.to_le_bytes())),
        2 => any::<u32>().prop_map(u64::from),
        1 => (0..1024u64).prop_map(|upper| upper << 54),
        1 => (0..1024u64).prop_map(|upper| upper << 54 | 5 << 32),
    ];
    hashes.prop_map(KeyHash::of)
}

fn record_ids() -> impl Strategy<Value = RecordId> {
    let page = prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()];
    let slot = prop_oneof![20 => 0..RecordId::SLOTS, 1 => any::<u16>()];
    (page, slot).prop_map(|(page, slot)| RecordId { page, slot })
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => (hashes(), record_ids()).prop_map(|(hash, record_id)| Op::Insert(hash, record_id)),
        6 => (any::<u32>(), 1..3000u32).prop_map(|(first, count)| Op::InsertMany { first, count }),
        10 => any::<Index>().prop_map(Op::Remove),
        4 => vec(any::<Index>(), 0..2000).prop_map(Op::RemoveMany),
        2 => (hashes(), record_ids()).prop_map(|(hash, record_id)| Op::RemoveAbsent(hash, record_id)),
        5 => any::<Index>().prop_map(Op::Retire),
        5 => (any::<Index>(), record_ids()).prop_map(|(entry, to)| Op::Relocate(entry, to)),
        2 => (hashes(), record_ids(), record_ids())
            .prop_map(|(hash, from, to)| Op::RelocateAbsent(hash, from, to)),
        1 => Just(Op::Clear),
    ]
}

/// What the index is to hold: entries in a list, any number of them alike.
#[derive(Default)]
struct Model {
    entries: Vec<(KeyHash, RecordId)>,
}

impl Model {
    fn take(&mut self, index: Index) -> Option<(KeyHash, RecordId)> {
        let count = self.entries.len();
        (count > 0).then(|| self.entries.swap_remove(index.index(count)))
    }

    /// Removes an entry of the same key; the index knows no more of a hash.
    fn remove(&mut self, hash: KeyHash, record_id: RecordId) -> bool {
        let found = self.entries.iter().position(|&entry| entry == (hash, record_id));
        found.map(|found| self.entries.swap_remove(found)).is_some()
    }
}

fn apply(index: &IdIndex, model: &mut Model, op: Op) {
    match op {
        Op::Insert(hash, record_id) => {
            index.write().insert(hash, record_id);
            model.entries.push((hash, record_id));
        }
        Op::InsertMany { first, count } => {
            let mut writer = index.write();
            for number in (0..count).map(|number| first.wrapping_add(number)) {
                let hash = KeyHash::of_id(2, &number.to_le_bytes());
                let record_id = RecordId { page: number / 20, slot: (number % 20) as u16 };
                writer.insert(hash, record_id);
                model.entries.push((hash, record_id));
            }
        }
        Op::Remove(entry) => {
            if let Some((hash, record_id)) = model.take(entry) {
                assert!(index.write().remove(hash, record_id));
            }
        }
        Op::RemoveMany(entries) => {
            for entry in entries {
                apply(index, model, Op::Remove(entry));
            }
        }
        Op::RemoveAbsent(hash, record_id) => {
            assert_eq!(index.write().remove(hash, record_id), model.remove(hash, record_id));
        }
        Op::Retire(entry) => {
            if let Some((hash, record_id)) = model.take(entry) {
                let moves = index.moves();
                assert!(index.write().retire(hash, record_id));
                assert_ne!(index.moves(), moves);
            }
        }
        Op::Relocate(entry, to) => {
            if let Some((hash, from)) = model.take(entry) {
                let moves = index.moves();
                assert!(relocate(index, hash, from, to));
                assert_ne!(index.moves(), moves);
                model.entries.push((hash, to));
            }
        }
        Op::RelocateAbsent(hash, from, to) => {
            let there = model.remove(hash, from);
            assert_eq!(relocate(index, hash, from, to), there);
            if there {
                model.entries.push((hash, to));
            }
        }
        Op::Clear => {
            for (hash, record_id) in model.entries.drain(..) {
                assert!(index.write().remove(hash, record_id));
            }
        }
    }
}

/// Every entry is a candidate of its hash as often as it was inserted, and the index
/// lists exactly what it holds.
fn check(index: &IdIndex, model: &Model) {
    assert_eq!(index.len(), model.entries.len());

    let mut expected = HashMap::<(KeyHash, RecordId), usize>::new();
    for &(hash, record_id) in &model.entries {
        *expected.entry((hash, record_id)).or_default() += 1;
    }
    let mut listed = HashMap::<(KeyHash, RecordId), usize>::new();
    listed_entries(index).into_iter().for_each(|entry| *listed.entry(entry).or_default() += 1);
    assert_eq!(listed, expected);

    for &(hash, record_id) in &model.entries {
        let mut times = 0;
        let all: Option<()> = find(index, hash, |candidate| {
            times += usize::from(candidate == record_id);
            None
        });
        assert_eq!(all, None);
        assert!(times >= expected[&(hash, record_id)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("NANODB_TEST_LONG").is_some() { 2000 } else { 64 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_index_holds_what_a_list_of_entries_holds(ops in vec(ops(), 1..100)) {
        let (index, mut model) = (IdIndex::new(), Model::default());
        for op in ops {
            apply(&index, &mut model, op);
        }
        check(&index, &model);
    }
}

#[test]
fn growth_and_shrinking_by_the_hundred_thousand_lose_nothing() {
    let (index, mut model) = (IdIndex::new(), Model::default());
    for round in 0..4 {
        apply(&index, &mut model, Op::InsertMany { first: round * 60_000, count: 60_000 });
        check(&index, &model);
        // Every other entry of those so far, so that buckets are refilled from behind.
        for number in (0..model.entries.len() / 2).rev() {
            let (hash, record_id) = model.entries.swap_remove(number * 2);
            assert!(index.write().remove(hash, record_id));
        }
        check(&index, &model);
    }
}

#[test]
fn more_entries_with_one_hash_than_any_window_holds_are_all_found() {
    let (index, mut model) = (IdIndex::new(), Model::default());
    for page in 0..1000 {
        apply(&index, &mut model, Op::Insert(KeyHash::of(7 << 40), RecordId { page, slot: 3 }));
    }
    check(&index, &model);
    apply(&index, &mut model, Op::InsertMany { first: 0, count: 20_000 });
    check(&index, &model);
    assert!(index.memory_bytes() < 500_000, "{}", index.memory_bytes());
    while let Some((hash, record_id)) = model.entries.pop() {
        assert!(index.write().remove(hash, record_id));
    }
    check(&index, &model);
}
