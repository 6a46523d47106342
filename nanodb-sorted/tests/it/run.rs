//! A run against a map.

use std::ops::Bound;
use std::sync::Arc;

use nanodb_sorted::{
    Effect, IndexView, KEY_LEN_MAX, KeyRange, RecordId, Refused, Run, RunBuilder, RunCursor,
    verify_run,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{Entries, INDEX, Memory, Problem, build, cases, entries, key};

type Listed = Vec<((Vec<u8>, RecordId), Effect)>;

fn listed(entries: &Entries) -> Listed {
    entries.iter().map(|(entry, effect)| (entry.clone(), *effect)).collect()
}

fn at(cursor: &RunCursor<&Memory>) -> Option<((Vec<u8>, RecordId), Effect)> {
    cursor.posting().map(|(record, effect)| ((cursor.key().to_vec(), record), effect))
}

/// The position of the first entry behind a boundary.
fn position(entries: &Listed, key: &[u8], is_after: bool) -> usize {
    entries.partition_point(|((other, _), _)| &**other < key || (is_after && &**other == key))
}

/// Keys to look for: those that are there, and others near them.
fn wanted(entries: &Listed, others: &[Vec<u8>], picks: &[Index]) -> Vec<Vec<u8>> {
    let mut wanted = others.to_vec();
    if !entries.is_empty() {
        for pick in picks {
            let key = &pick.get(entries).0.0;
            wanted.push(key.clone());
            wanted.push([key, &[0][..]].concat());
            wanted.extend(key.split_last().map(|(_, front)| front.to_vec()));
            let mut next = key.clone();
            if let Some(last) = next.last_mut() {
                *last = last.wrapping_add(1);
            }
            wanted.push(next);
        }
    }
    wanted
}

#[derive(Clone, Debug)]
enum Step {
    Next,
    Previous,
    NextKey,
    PreviousKey,
    Seek(Index, bool),
    SeekBack(Index, bool),
    SkipTo(Index, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Next),
        6 => Just(Step::Previous),
        2 => Just(Step::NextKey),
        2 => Just(Step::PreviousKey),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(key, after)| Step::Seek(key, after)),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(key, after)| Step::SeekBack(key, after)),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(key, after)| Step::SkipTo(key, after)),
    ]
}

fn check_description(run: &Run, entries: &Entries) {
    let mut last_page = None;
    let mut switches = 0;
    for (_, record) in entries.keys() {
        switches += u64::from(last_page != Some(record.page));
        last_page = Some(record.page);
    }
    let mut keys: Vec<&Vec<u8>> = entries.keys().map(|(key, _)| key).collect();
    keys.dedup();
    assert_eq!(run.entries, entries.len() as u64);
    assert_eq!(run.distinct, keys.len() as u64);
    assert_eq!(run.switches, switches);
    assert_eq!(run.removed, entries.values().filter(|effect| !effect.is_there()).count() as u64);
    assert_eq!(run.net, entries.values().map(|effect| i64::from(effect.net())).sum::<i64>());
    assert_eq!(run.has_long_keys, keys.iter().any(|key| key.len() == KEY_LEN_MAX));
    assert_eq!(run.filter.is_some(), entries.len() >= 4096);
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_run_has_what_it_was_built_of(
        entries in entries(),
        others in prop::collection::vec(key(), 10),
        picks in prop::collection::vec(any::<Index>(), 10),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut memory = Memory::default();
        let run = build(&mut memory, &entries);
        prop_assert_eq!(run.is_none(), entries.is_empty());
        let Some(run) = run else { return Ok(()) };
        prop_assert_eq!(run.pages, memory.pages.len() as u64);
        check_description(&run, &entries);
        let list = listed(&entries);
        let memory = &memory;

        let mut seen = Vec::new();
        verify_run(&memory, INDEX, &run, &mut |key, record, effect| {
            seen.push(((key.to_vec(), record), effect));
        }).unwrap();
        prop_assert_eq!(&seen, &list);

        let mut cursor = RunCursor::new(memory, INDEX, &run);
        for entry in &list {
            prop_assert!(cursor.next_entry().unwrap());
            assert_eq!(at(&cursor).as_ref(), Some(entry));
        }
        prop_assert!(!cursor.next_entry().unwrap());
        for entry in list.iter().rev() {
            prop_assert!(cursor.previous_entry().unwrap());
            assert_eq!(at(&cursor).as_ref(), Some(entry));
        }
        prop_assert!(!cursor.previous_entry().unwrap());

        let keys = wanted(&list, &others, &picks);
        let view = IndexView::new(memory, INDEX, Arc::from([run.clone()]));
        for key in &keys {
            for is_after in [false, true] {
                let position = position(&list, key, is_after);
                prop_assert_eq!(cursor.seek(key, is_after).unwrap(), position < list.len());
                assert_eq!(at(&cursor).as_ref(), list.get(position));
                prop_assert_eq!(cursor.seek_back(key, is_after).unwrap(), position > 0);
                assert_eq!(
                    at(&cursor).as_ref(),
                    position.checked_sub(1).and_then(|before| list.get(before))
                );
                let net = |entries: &[((Vec<u8>, RecordId), Effect)]| -> i64 {
                    entries.iter().map(|(_, effect)| i64::from(effect.net())).sum()
                };
                let below = net(&list[..position]);
                let end = if is_after { Bound::Included(&**key) } else { Bound::Excluded(&**key) };
                let range = KeyRange { start: Bound::Unbounded, end };
                prop_assert_eq!(view.count(range).unwrap(), u64::try_from(below).unwrap_or(0));
            }
            let is_there = list.iter().any(|((other, _), _)| other == key);
            prop_assert!(!is_there || run.may_contain(&memory, INDEX, key).unwrap());
        }

        // A walk here and there, with the position beside it: 0 is in front of the first one.
        let mut cursor = RunCursor::new(memory, INDEX, &run);
        let mut place = 0;
        for step in steps {
            let key_at = |place: usize| &list[place - 1].0.0;
            let is_entry = (1..=list.len()).contains(&place);
            let found = match &step {
                Step::Next => {
                    place = (place + 1).min(list.len() + 1);
                    cursor.next_entry()
                }
                Step::Previous => {
                    place = place.saturating_sub(1);
                    cursor.previous_entry()
                }
                Step::NextKey => {
                    place = if is_entry {
                        position(&list, key_at(place), true) + 1
                    } else {
                        (place + 1).min(list.len() + 1)
                    };
                    cursor.next_key()
                }
                Step::PreviousKey => {
                    place = if is_entry {
                        position(&list, key_at(place), false)
                    } else {
                        place.saturating_sub(1)
                    };
                    cursor.previous_key()
                }
                Step::Seek(pick, is_after) => {
                    let key = pick.get(&keys);
                    place = position(&list, key, *is_after) + 1;
                    cursor.seek(key, *is_after)
                }
                Step::SeekBack(pick, is_after) => {
                    let key = pick.get(&keys);
                    place = position(&list, key, *is_after);
                    cursor.seek_back(key, *is_after)
                }
                Step::SkipTo(pick, is_after) => {
                    let key = pick.get(&keys);
                    place = place.max(position(&list, key, *is_after) + 1);
                    cursor.skip_to(key, *is_after)
                }
            };
            let expected = place.checked_sub(1).and_then(|before| list.get(before));
            prop_assert_eq!(found.unwrap(), expected.is_some(), "{:?}", step);
            assert_eq!(at(&cursor).as_ref(), expected, "{:?}", step);
        }
    }
}

#[test]
fn long_keys_make_a_high_tree() {
    let mut memory = Memory::default();
    let key = |number: u32| [&[7; KEY_LEN_MAX - 4][..], &number.to_be_bytes()].concat();
    let mut entries = Entries::new();
    for number in 0..400 {
        // Different at the front and at the end, so that neither is shared.
        let mut key = key(number);
        key[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
        for record in 0..400 {
            let record = RecordId { page: record * number, slot: 0 };
            entries.insert((key.clone(), record), Effect::Added);
        }
    }
    let run = build(&mut memory, &entries).unwrap();
    assert!(run.height >= 3, "{run:?}");
    verify_run(&&memory, INDEX, &run, &mut |_, _, _| ()).unwrap();
}

#[test]
fn a_look_up_reads_one_page_of_each_level() {
    let mut memory = Memory::default();
    let mut entries = Entries::new();
    for number in 0..100_000_u32 {
        let key = f64::from(number).to_bits().to_be_bytes().to_vec();
        entries.insert((key, RecordId { page: number / 20, slot: 0 }), Effect::Added);
    }
    let run = build(&mut memory, &entries).unwrap();
    assert_eq!(run.height, 3);
    let memory = &memory;
    let mut cursor = RunCursor::new(memory, INDEX, &run);
    for number in (0..100_000_u32).step_by(997) {
        memory.reads.set(0);
        assert!(cursor.seek(&f64::from(number).to_bits().to_be_bytes(), false).unwrap());
        assert_eq!(memory.reads.get(), 3);
    }
    // The sum of what inner pages say, without looking at the entries.
    memory.reads.set(0);
    let view = IndexView::new(memory, INDEX, Arc::from([run]));
    let (start, end) = (5_000_f64.to_bits().to_be_bytes(), 95_000_f64.to_bits().to_be_bytes());
    let range = KeyRange { start: Bound::Included(&start), end: Bound::Excluded(&end) };
    assert_eq!(view.count(range).unwrap(), 90_000);
    assert_eq!(memory.reads.get(), 6);
}

#[test]
fn entries_take_few_bytes() {
    let bytes = |entries: &Entries| {
        let mut memory = Memory::default();
        build(&mut memory, entries);
        memory.pages.len() as f64 * 4096.0 / entries.len() as f64
    };
    let number = |number: u32| {
        [&[0x18][..], &(f64::from(number).to_bits() | 1 << 63).to_be_bytes(), &[0, 0]].concat()
    };
    let record = |number: u32| RecordId { page: number / 20, slot: (number % 20) as u16 };
    let of_all = |key: &dyn Fn(u32) -> Vec<u8>| -> Entries {
        (0..200_000).map(|id| ((key(id), record(id)), Effect::Added)).collect()
    };
    let few = bytes(&of_all(&|id| number(id.wrapping_mul(0x9e37_79b9) >> 16 & 63)));
    assert!(few < 2.6, "few values: {few}");
    let unique = bytes(&of_all(&|id| number(id.wrapping_mul(0x9e37_79b9))));
    assert!(unique < 13.0, "unique numbers: {unique}");
    let email = bytes(&of_all(&|id| {
        let id = id.wrapping_mul(0x9e37_79b9);
        [format!("\x20user{id:010}@example.com").as_bytes(), &[0, 0]].concat()
    }));
    assert!(email < 15.0, "unique strings: {email}");
}

#[test]
fn entries_out_of_order_and_keys_too_long_are_refused() {
    let mut memory = Memory::default();
    let record = RecordId { page: 7, slot: 3 };
    let lower = RecordId { page: 7, slot: 2 };
    for (key, record) in [(&b"b"[..], record), (b"b", lower), (b"a", record), (b"", record)] {
        let mut builder = RunBuilder::new(INDEX, 2);
        builder.push(&mut memory, b"b", RecordId { page: 7, slot: 3 }, Effect::Added).unwrap();
        let refused = builder.push(&mut memory, key, record, Effect::Added);
        assert_eq!(refused, Err(Problem::Refused(Refused::OutOfOrder)));
    }
    let refused = RunBuilder::new(INDEX, 1).push(&mut memory, &[0; 1025], record, Effect::Added);
    assert_eq!(refused, Err(Problem::Refused(Refused::KeyTooLong { len: 1025 })));
    assert_eq!(RunBuilder::new(INDEX, 0).finish(&mut memory), Ok(None));
}
