//! Any sequence of changes against a map from slot to record.

use std::collections::BTreeMap;

use nanodb_page::layout::{HEADER_SIZE, SLOT_SIZE};
use nanodb_page::{PageError, RecordKind};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Watched, id};

#[derive(Clone, Debug)]
enum Op {
    Insert(RecordKind, Vec<u8>),
    Replace(u16, RecordKind, Vec<u8>),
    Remove(u16),
    Compact,
}

fn kind() -> impl Strategy<Value = RecordKind> {
    prop_oneof![Just(RecordKind::Document), Just(RecordKind::Head), Just(RecordKind::Fragment)]
}

fn op(body_len: usize) -> impl Strategy<Value = Op> {
    let bytes = || {
        prop_oneof![
            6 => vec(any::<u8>(), 1..=body_len / 8),
            1 => vec(any::<u8>(), 1..=body_len),
        ]
    };
    let slot = 0..20u16;
    prop_oneof![
        5 => (kind(), bytes()).prop_map(|(kind, bytes)| Op::Insert(kind, bytes)),
        4 => (slot.clone(), kind(), bytes()).prop_map(|(slot, kind, bytes)| Op::Replace(slot, kind, bytes)),
        3 => slot.prop_map(Op::Remove),
        1 => Just(Op::Compact),
    ]
}

/// What a page must be: nothing but its records and the space they leave.
#[derive(Default)]
struct Model {
    records: BTreeMap<u16, (RecordKind, Vec<u8>)>,
}

impl Model {
    fn slot_count(&self) -> u16 {
        self.records.last_key_value().map_or(0, |(slot, _)| slot + 1)
    }

    /// The slot that the next insert takes.
    fn vacant(&self) -> u16 {
        (0..).find(|slot| !self.records.contains_key(slot)).unwrap()
    }

    fn live_bytes(&self) -> usize {
        self.records.values().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Bytes of a body taken by header, `slot_count` slots and records.
    fn used(&self, slot_count: u16) -> usize {
        HEADER_SIZE + SLOT_SIZE * usize::from(slot_count) + self.live_bytes()
    }

    fn fits(&self, len: usize, body_len: usize) -> bool {
        self.used(self.slot_count().max(self.vacant() + 1)) + len <= body_len
    }

    fn apply(&mut self, op: Op, page: &mut Watched) {
        let body_len = page.body.len();
        match op {
            Op::Insert(kind, bytes) => {
                // Two parts, so that the seam between parts is tested everywhere.
                let (front, back) = bytes.split_at(bytes.len() / 2);
                let answer = page.change(|page| page.insert(kind, &[front, back])).unwrap();
                let expected = self.fits(bytes.len(), body_len).then(|| self.vacant());
                assert_eq!(answer, expected.map(id));
                self.records.extend(expected.map(|slot| (slot, (kind, bytes))));
            }
            Op::Replace(slot, kind, bytes) => {
                let (front, back) = bytes.split_at(bytes.len() / 3);
                let answer = page.change(|page| page.replace(id(slot), kind, &[front, back]));
                let Some((_, old)) = self.records.get(&slot) else {
                    assert_eq!(answer, Err(PageError::NoRecord { slot: id(slot) }));
                    return;
                };
                let fits = self.used(self.slot_count()) - old.len() + bytes.len() <= body_len;
                assert_eq!(answer, Ok(fits));
                if fits {
                    self.records.insert(slot, (kind, bytes));
                }
            }
            Op::Remove(slot) => {
                assert_eq!(page.remove(slot), self.records.remove(&slot).is_some());
            }
            Op::Compact => {
                page.change(|page| page.compact()).unwrap();
                assert_eq!(page.view().dead_bytes(), 0);
            }
        }
    }

    fn assert_is(&self, page: &Watched) {
        let view = page.view();
        let found: BTreeMap<_, _> = view
            .records()
            .map(Result::unwrap)
            .map(|record| (record.slot.get(), (record.kind, record.bytes.to_vec())))
            .collect();
        assert_eq!(found, self.records);
        assert!(view.records().map(|record| record.unwrap().slot).is_sorted());
        for slot in 0..40 {
            let expected = self.records.get(&slot).map(|(_, bytes)| &bytes[..]);
            assert_eq!(page.get(slot), expected);
        }
        assert_eq!(usize::from(view.record_count()), self.records.len());
        assert_eq!(view.slot_count(), self.slot_count());
        assert_eq!(view.live_bytes(), self.live_bytes());
        let free =
            page.body.len().saturating_sub(self.used(self.slot_count().max(self.vacant() + 1)));
        assert_eq!(view.free_bytes(), free);
    }
}

fn cases() -> u32 {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { 20_000 } else { 500 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn a_page_behaves_like_a_map_after_every_step(
        (body_len, ops) in prop_oneof![Just(64usize), 64..300usize, Just(4064usize)]
            .prop_flat_map(|body_len| (Just(body_len), vec(op(body_len), 1..80)))
    ) {
        let mut page = Watched::new(body_len);
        let mut model = Model::default();
        for op in ops {
            model.apply(op, &mut page);
            model.assert_is(&page);
        }
    }
}
