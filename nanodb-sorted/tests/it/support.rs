//! Pages in memory, and keys that are hard to pack.

use std::cell::Cell;
use std::collections::BTreeMap;

use nanodb_sorted::{
    BODY_LEN, DamagedPage, Effect, NewPages, PageKind, Pages, RecordId, Refused, Run, RunBuilder,
};
use proptest::prelude::*;

pub(crate) const INDEX: u32 = 5;

/// What can go wrong in a test.
#[derive(Debug, PartialEq)]
pub(crate) enum Problem {
    Damaged(DamagedPage),
    Refused(Refused),
    NoPage,
}

impl From<DamagedPage> for Problem {
    fn from(damaged: DamagedPage) -> Self {
        Self::Damaged(damaged)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Pages by number, from 100 on.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) pages: Vec<(PageKind, Box<[u8; BODY_LEN]>)>,
    pub(crate) reads: Cell<usize>,
}

const FIRST: usize = 100;

impl NewPages for Memory {
    type Error = Problem;

    fn write(&mut self, kind: PageKind, body: &[u8; BODY_LEN]) -> Result<u32, Problem> {
        self.pages.push((kind, Box::new(*body)));
        Ok(u32::try_from(FIRST + self.pages.len() - 1).unwrap())
    }
}

impl<'m> Pages for &'m Memory {
    type Page = &'m [u8; BODY_LEN];
    type Error = Problem;

    fn page(&self, number: u32, kind: PageKind) -> Result<&'m [u8; BODY_LEN], Problem> {
        self.reads.set(self.reads.get() + 1);
        let at = (number as usize).checked_sub(FIRST).ok_or(Problem::NoPage)?;
        match self.pages.get(at) {
            Some((found, body)) if *found == kind => Ok(body),
            _ => Err(Problem::NoPage),
        }
    }
}

impl Memory {
    /// The body of a page, to be damaged.
    pub(crate) fn body_mut(&mut self, number: u32) -> &mut [u8; BODY_LEN] {
        &mut self.pages[number as usize - FIRST].1
    }
}

pub(crate) type Entries = BTreeMap<(Vec<u8>, RecordId), Effect>;

/// Builds a run of entries.
pub(crate) fn build(memory: &mut Memory, entries: &Entries) -> Option<Run> {
    let mut builder = RunBuilder::new(INDEX, entries.len() as u64);
    for ((key, record), effect) in entries {
        builder.push(memory, key, *record, *effect).unwrap();
    }
    builder.finish(memory).unwrap()
}

/// How many cases a property is tried with.
pub(crate) fn cases(ordinary: u32) -> ProptestConfig {
    let is_long = std::env::var_os("NANODB_TEST_LONG").is_some();
    ProptestConfig::with_cases(if is_long { ordinary * 50 } else { ordinary })
}

/// Keys that share much at the front, at the end, or both, and keys of every length.
pub(crate) fn key() -> impl Strategy<Value = Vec<u8>> {
    let short = prop::collection::vec(0..3_u8, 0..6);
    let ended = (prop::collection::vec(0..3_u8, 0..6), 0..12_usize)
        .prop_map(|(middle, zeros)| [&[0x20; 12][..], &middle, &[0; 12][..zeros]].concat());
    let number = any::<u16>().prop_map(|number| {
        [&[0x18][..], &f64::from(number).to_bits().to_be_bytes(), &[0, 0]].concat()
    });
    let long = (0..4_usize, prop::collection::vec(0..3_u8, 0..4), 0..4_usize).prop_map(
        |(before, middle, behind)| {
            let key = [&vec![7; 300 * before][..], &middle, &vec![9; 300 * behind]].concat();
            key[..key.len().min(1024)].to_vec()
        },
    );
    prop_oneof![4 => short, 3 => ended, 2 => number, 1 => long]
}

pub(crate) fn record() -> impl Strategy<Value = RecordId> {
    let page = prop_oneof![4 => 1000..1004_u32, 2 => 0..100_000_u32, 1 => any::<u32>()];
    let slot = prop_oneof![4 => 0..30_u16, 1 => any::<u16>()];
    (page, slot).prop_map(|(page, slot)| RecordId { page, slot })
}

pub(crate) fn effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        Just(Effect::Added),
        Just(Effect::Removed),
        Just(Effect::Restored),
        Just(Effect::Vanished),
    ]
}

/// Entries of runs from empty ones to some dozen pages: single ones, and keys with many records.
pub(crate) fn entries() -> impl Strategy<Value = Entries> {
    let single = (key(), record(), 1..2_u32, Just(1_u32));
    let list = (key(), record(), 1..3000_u32, 1..9_u32);
    let part = prop_oneof![40 => single, 1 => list];
    let parts = prop_oneof![
        3 => prop::collection::vec(part.clone(), 0..20),
        2 => prop::collection::vec(part, 300..900),
    ];
    // Most runs have additions alone, some have a removal here and there.
    let odd = prop::option::of((effect(), 1..50_usize));
    (parts, odd).prop_map(|(parts, odd)| {
        let mut entries = Entries::new();
        for (key, record, count, slots) in parts {
            for number in 0..count {
                let page = record.page.saturating_add(number / slots);
                let slot = record.slot.wrapping_add(u16::try_from(number % slots).unwrap());
                entries.insert((key.clone(), RecordId { page, slot }), Effect::Added);
            }
        }
        if let Some((effect, step)) = odd {
            entries.values_mut().step_by(step).for_each(|each| *each = effect);
        }
        entries
    })
}
