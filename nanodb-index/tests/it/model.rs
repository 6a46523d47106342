use std::collections::HashMap;

use nanodb_index::{IdIndex, Place, hash_id};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Clone, Debug)]
enum Op {
    Insert(u64, Place),
    InsertMany { first: u32, count: u32 },
    Remove(Index),
    RemoveMany(Vec<Index>),
    RemoveAbsent(u64, Place),
    Retire(Index),
    Relocate(Index, Place),
    RelocateAbsent(u64, Place, Place),
    Clear,
}

/// Spread hashes, a few that many entries share, and many with one key or one tag.
fn hashes() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => any::<u64>(),
        2 => (0..20u64).prop_map(|few| hash_id(1, &few.to_le_bytes())),
        2 => any::<u32>().prop_map(u64::from),
        1 => (0..1024u64).prop_map(|upper| upper << 54),
        1 => (0..1024u64).prop_map(|upper| upper << 54 | 5 << 32),
    ]
}

fn places() -> impl Strategy<Value = Place> {
    let page = prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()];
    let slot = prop_oneof![20 => 0..Place::SLOTS, 1 => any::<u16>()];
    (page, slot).prop_map(|(page, slot)| Place { page, slot })
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => (hashes(), places()).prop_map(|(hash, place)| Op::Insert(hash, place)),
        6 => (any::<u32>(), 1..3000u32).prop_map(|(first, count)| Op::InsertMany { first, count }),
        10 => any::<Index>().prop_map(Op::Remove),
        4 => vec(any::<Index>(), 0..2000).prop_map(Op::RemoveMany),
        2 => (hashes(), places()).prop_map(|(hash, place)| Op::RemoveAbsent(hash, place)),
        5 => any::<Index>().prop_map(Op::Retire),
        5 => (any::<Index>(), places()).prop_map(|(entry, to)| Op::Relocate(entry, to)),
        2 => (hashes(), places(), places())
            .prop_map(|(hash, from, to)| Op::RelocateAbsent(hash, from, to)),
        1 => Just(Op::Clear),
    ]
}

/// What the index is to hold: entries in a list, any number of them alike.
#[derive(Default)]
struct Model {
    entries: Vec<(u64, Place)>,
}

impl Model {
    fn take(&mut self, index: Index) -> Option<(u64, Place)> {
        let count = self.entries.len();
        (count > 0).then(|| self.entries.swap_remove(index.index(count)))
    }

    /// Removes an entry of the same key; the index knows no more of a hash.
    fn remove(&mut self, hash: u64, place: Place) -> bool {
        let key = IdIndex::key_bits(hash);
        let alike =
            |&(hash, other): &(u64, Place)| (IdIndex::key_bits(hash), other) == (key, place);
        let found = self.entries.iter().position(alike);
        found.map(|found| self.entries.swap_remove(found)).is_some()
    }
}

fn apply(index: &IdIndex, model: &mut Model, op: Op) {
    match op {
        Op::Insert(hash, place) => {
            index.insert(hash, place);
            model.entries.push((hash, place));
        }
        Op::InsertMany { first, count } => {
            let mut writer = index.write();
            for number in (0..count).map(|number| first.wrapping_add(number)) {
                let hash = hash_id(2, &number.to_le_bytes());
                let place = Place { page: number / 20, slot: (number % 20) as u16 };
                writer.insert(hash, place);
                model.entries.push((hash, place));
            }
        }
        Op::Remove(entry) => {
            if let Some((hash, place)) = model.take(entry) {
                assert!(index.remove(hash, place));
            }
        }
        Op::RemoveMany(entries) => {
            for entry in entries {
                apply(index, model, Op::Remove(entry));
            }
        }
        Op::RemoveAbsent(hash, place) => {
            assert_eq!(index.remove(hash, place), model.remove(hash, place));
        }
        Op::Retire(entry) => {
            if let Some((hash, place)) = model.take(entry) {
                let moves = index.moves();
                assert!(index.retire(hash, place));
                assert_ne!(index.moves(), moves);
            }
        }
        Op::Relocate(entry, to) => {
            if let Some((hash, from)) = model.take(entry) {
                let moves = index.moves();
                assert!(index.relocate(hash, from, to));
                assert_ne!(index.moves(), moves);
                model.entries.push((hash, to));
            }
        }
        Op::RelocateAbsent(hash, from, to) => {
            let there = model.remove(hash, from);
            assert_eq!(index.relocate(hash, from, to), there);
            if there {
                model.entries.push((hash, to));
            }
        }
        Op::Clear => {
            index.clear();
            model.entries.clear();
        }
    }
}

/// Every entry is a candidate of its hash as often as it was inserted, and the index
/// lists exactly what it holds.
fn check(index: &IdIndex, model: &Model) {
    assert_eq!(index.len(), model.entries.len());

    let mut expected = HashMap::<(u32, Place), usize>::new();
    for &(hash, place) in &model.entries {
        *expected.entry((IdIndex::key_bits(hash), place)).or_default() += 1;
    }
    let mut listed = HashMap::<(u32, Place), usize>::new();
    index.for_each(|key, place| *listed.entry((key, place)).or_default() += 1);
    assert_eq!(listed, expected);

    for &(hash, place) in &model.entries {
        let mut times = 0;
        let all: Option<()> = index.find(hash, |candidate| {
            times += usize::from(candidate == place);
            None
        });
        assert_eq!(all, None);
        assert!(times >= expected[&(IdIndex::key_bits(hash), place)]);
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
            let (hash, place) = model.entries.swap_remove(number * 2);
            assert!(index.remove(hash, place));
        }
        check(&index, &model);
    }
}

#[test]
fn more_entries_with_one_hash_than_any_window_holds_are_all_found() {
    let (index, mut model) = (IdIndex::new(), Model::default());
    for page in 0..1000 {
        apply(&index, &mut model, Op::Insert(7 << 40, Place { page, slot: 3 }));
    }
    check(&index, &model);
    apply(&index, &mut model, Op::InsertMany { first: 0, count: 20_000 });
    check(&index, &model);
    assert!(index.memory_bytes() < 500_000, "{}", index.memory_bytes());
    while let Some((hash, place)) = model.entries.pop() {
        assert!(index.remove(hash, place));
    }
    check(&index, &model);
}
