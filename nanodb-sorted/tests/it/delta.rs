//! Deltas: chunks, their merging, and what readers see of them.

use nanodb_sorted::{Delta, Operation, Pending, RecordId, Refused};
use proptest::prelude::*;

use crate::support::{cases, key, record};

type Listed = Vec<(Vec<u8>, RecordId, bool)>;

fn append(delta: &Delta, operations: &[(Vec<u8>, RecordId, bool)]) -> u64 {
    let mut pending = Pending::new();
    for (key, record, removed) in operations {
        pending.push(Operation { key, record: *record, removed: *removed }).unwrap();
    }
    let until = delta.append(&mut pending).unwrap();
    assert!(pending.is_empty());
    until
}

fn in_order(delta: &Delta, from: u64) -> Vec<(u64, Vec<u8>, RecordId, bool)> {
    let mut found = Vec::new();
    delta.for_each_in_order(from, &mut |ordinal, operation| {
        found.push((ordinal, operation.key.to_vec(), operation.record, operation.removed));
    });
    found
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn operations_come_in_the_order_of_their_commits(
        commits in prop::collection::vec(
            prop::collection::vec((key(), record(), any::<bool>()), 0..40),
            0..40,
        ),
        start in 0..1_u64 << 40,
        skipped in 0..1_000_u64,
    ) {
        let delta = Delta::new(start);
        let mut all = Listed::new();
        for commit in &commits {
            all.extend_from_slice(commit);
            prop_assert_eq!(append(&delta, commit), start + all.len() as u64);
        }
        prop_assert_eq!(delta.len(), all.len() as u64);
        let expected: Vec<_> = (start..)
            .zip(&all)
            .map(|(ordinal, (key, record, removed))| (ordinal, key.clone(), *record, *removed))
            .collect();
        prop_assert_eq!(in_order(&delta, start), &expected[..]);

        let from = start + skipped.min(all.len() as u64);
        let left = &expected[usize::try_from(from - start).unwrap()..];
        prop_assert_eq!(in_order(&delta, from), left);
        let rest = delta.since(from).unwrap();
        prop_assert_eq!((rest.start(), rest.end()), (from, delta.end()));
        prop_assert_eq!(in_order(&rest, 0), left);
    }

    #[test]
    fn pending_operations_stay_in_order_however_often_they_are_read(
        parts in prop::collection::vec(
            prop::collection::vec((key(), record(), any::<bool>()), 0..10),
            0..20,
        ),
    ) {
        let mut pending = Pending::new();
        let mut all = Listed::new();
        for part in parts {
            for (key, record, removed) in part {
                pending.push(Operation { key: &key, record, removed }).unwrap();
                all.push((key, record, removed));
            }
            // Reading sorts.
            let _ = nanodb_sorted::IndexView::new(
                &crate::support::Memory::default(),
                0,
                std::sync::Arc::from([]),
            )
            .with_pending(&mut pending);
        }
        let mut found = Listed::new();
        pending.for_each_in_order(&mut |operation| {
            found.push((operation.key.to_vec(), operation.record, operation.removed));
        });
        prop_assert_eq!(&found, &all);
        prop_assert_eq!(pending.len(), all.len());
    }
}

#[test]
fn a_key_too_long_is_refused() {
    let mut pending = Pending::new();
    let operation = Operation { key: &[0; 1025], record: RecordId::default(), removed: false };
    assert_eq!(pending.push(operation), Err(Refused::KeyTooLong { len: 1025 }));
    assert!(pending.is_empty());
}

#[test]
fn appending_from_several_threads_loses_nothing() {
    let delta = Delta::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let delta = &delta;
            scope.spawn(move || {
                for number in 0..500_u32 {
                    let record = RecordId { page: number, slot: 0 };
                    append(delta, &[(thread.to_be_bytes().to_vec(), record, false)]);
                }
            });
        }
    });
    let found = in_order(&delta, 0);
    assert_eq!(found.len(), 2_000);
    for thread in 0..4_u32 {
        let of_thread = found.iter().filter(|(_, key, ..)| *key == thread.to_be_bytes());
        assert!(of_thread.map(|(_, _, record, _)| record.page).eq(0..500), "{thread}");
    }
}
