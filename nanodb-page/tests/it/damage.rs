//! Bytes that no page ever wrote: every function answers, none panics.

use nanodb_page::layout::{BODY_LEN_MAX, SLOT_COUNT_MAX};
use nanodb_page::{Corruption, PageError, PageMut, PageRef, RecordKind};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Watched, id};

/// A page with dead slots and dead bytes.
fn sample(body_len: usize) -> Watched {
    let mut page = Watched::new(body_len);
    let mut len = 1;
    while page.insert(&vec![0x5A; len]).is_some() {
        len = len % 11 + 1;
    }
    page.remove(0);
    page.remove(3);
    page.replace(2, b"ab").unwrap();
    page
}

fn corruption(body: &[u8]) -> Option<Corruption> {
    match PageRef::parse(body).and_then(|page| page.verify()) {
        Ok(()) => None,
        Err(PageError::Corrupt(corruption)) => Some(corruption),
        Err(other) => panic!("damage reported as misuse: {other}"),
    }
}

/// Calls everything there is to call. Only corruption may be reported, a change that
/// fails must leave the body alone, and a change must be within its reports.
fn exercise(body: &[u8]) {
    let Ok(page) = PageRef::parse(body) else { return };
    let _ = (page.free_bytes(), page.live_bytes(), page.record_count(), page.is_empty());
    let sound = page.verify().is_ok();
    assert!(page.records().count() <= SLOT_COUNT_MAX.into());
    for slot in 0..SLOT_COUNT_MAX {
        let record = page.get(id(slot));
        assert!(!sound || record.is_ok());
    }

    let mut watched = Watched { body: body.to_vec() };
    let attempt =
        |watched: &mut Watched,
         change: &mut dyn FnMut(&mut crate::support::Page<'_>) -> Result<bool, PageError>| {
            let before = watched.body.clone();
            let (answer, ranges) = watched.change_reporting(change);
            match answer {
                Ok(true) => {}
                Ok(false) => assert_eq!(watched.body, before),
                Err(PageError::Corrupt(_) | PageError::NoRecord { .. }) => {
                    assert_eq!((&watched.body, ranges), (&before, vec![]));
                }
                Err(other) => panic!("damage reported as misuse: {other}"),
            }
            if sound {
                watched.view().verify().unwrap();
            }
        };
    for len in [1, 9, 40, page.free_bytes().max(1), 3000] {
        let bytes = vec![0xC3; len];
        let kind = RecordKind::Document;
        let mut fresh = watched.clone();
        attempt(&mut fresh, &mut |page| Ok(page.insert(kind, &[&bytes])?.is_some()));
        for slot in 0..12 {
            let mut fresh = watched.clone();
            attempt(&mut fresh, &mut |page| page.replace(id(slot), kind, &[&bytes]));
        }
        attempt(&mut watched, &mut |page| Ok(page.insert(kind, &[&bytes])?.is_some()));
    }
    attempt(&mut watched.clone(), &mut |page| page.compact().map(|()| true));
    for slot in (0..40).chain([900, 1022]) {
        attempt(&mut watched, &mut |page| page.remove(id(slot)));
    }
    attempt(&mut watched, &mut |page| page.compact().map(|()| true));
}

#[test]
fn every_flipped_bit_of_a_page_is_survived_and_in_header_and_slots_found() {
    let page = sample(160);
    let slots_end = 8 + 4 * usize::from(page.view().slot_count());
    let mut undetected = Vec::new();
    for bit in 0..page.body.len() * 8 {
        let mut body = page.body.clone();
        body[bit / 8] ^= 1 << (bit % 8);
        exercise(&body);
        if bit / 8 < slots_end && corruption(&body).is_none() {
            undetected.push(bit);
        }
    }
    // What may pass is a change of one valid kind into another, 1 and 3 or 2 and 3, and
    // a record that moves into dead bytes next to it: both make a sound page.
    for bit in undetected {
        let mut body = page.body.clone();
        body[bit / 8] ^= 1 << (bit % 8);
        assert!(bit / 8 >= 8, "bit {bit} of the header changed unnoticed");
        let slot = id(u16::try_from(bit / 32 - 2).unwrap());
        let (old, new) = (page.view().get(slot).unwrap(), PageRef::parse(&body).unwrap().get(slot));
        let (old, new) = (old.unwrap(), new.unwrap().unwrap());
        assert_eq!(old.bytes.len(), new.bytes.len());
    }
}

#[test]
fn each_contradiction_has_its_own_error() {
    let sound = sample(160);
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut body = sound.body.clone();
        change(&mut body);
        corruption(&body)
    };
    let word = |body: &mut Vec<u8>, slot: usize, offset: u32, len: u32, kind: u32| {
        body[8 + 4 * slot..12 + 4 * slot]
            .copy_from_slice(&(offset | len << 13 | kind << 26).to_le_bytes());
    };
    let count = sound.view().slot_count();
    let start = u16::from_le_bytes([sound.body[2], sound.body[3]]);

    assert_eq!(damaged(&|_| ()), None);
    assert_eq!(
        damaged(&|body| body[0..2].copy_from_slice(&1024u16.to_le_bytes())),
        Some(Corruption::SlotCount { slot_count: 1024 })
    );
    assert_eq!(
        damaged(&|body| body[2] = 161),
        Some(Corruption::RecordsStart {
            records_start: 161,
            slots_end: 8 + 4 * count,
            body_len: 160
        })
    );
    assert_eq!(
        damaged(&|body| body[4] = 200),
        Some(Corruption::DeadBytes { dead_bytes: 200, record_bytes: 160 - start })
    );
    assert_eq!(
        damaged(&|body| body[6] = 1),
        Some(Corruption::FreeSlots { free_slots: 1, found: 2 })
    );
    assert_eq!(
        damaged(&|body| body[4] += 1),
        Some(Corruption::Accounting {
            live: u16::try_from(sound.view().live_bytes()).unwrap(),
            dead_bytes: u16::from(sound.body[4]) + 1,
            record_bytes: 160 - start
        })
    );
    assert_eq!(
        damaged(&|body| word(body, 1, 150, 2, 9)),
        Some(Corruption::SlotKind { slot: id(1), kind: 9 })
    );
    assert_eq!(
        damaged(&|body| word(body, 0, 150, 2, 0)),
        Some(Corruption::SlotKind { slot: id(0), kind: 0 })
    );
    assert_eq!(
        damaged(&|body| word(body, 1, 159, 2, 1)),
        Some(Corruption::RecordBounds { slot: id(1), offset: 159, len: 2 })
    );
    assert_eq!(
        damaged(&|body| word(body, 1, 158, 0, 1)),
        Some(Corruption::RecordBounds { slot: id(1), offset: 158, len: 0 })
    );
    assert_eq!(
        damaged(&|body| word(body, 1, 5, 2, 1)),
        Some(Corruption::RecordBounds { slot: id(1), offset: 5, len: 2 })
    );
    assert_eq!(
        damaged(&|body| body.copy_within(12..16, 16)),
        Some(Corruption::Overlap { lower: id(1), upper: id(2) })
    );
    assert_eq!(
        damaged(&|body| {
            word(body, usize::from(count) - 1, 0, 0, 0);
            body[6] += 1;
        }),
        Some(Corruption::DeadLastSlot { slot: id(count - 1) })
    );
}

#[test]
fn a_page_never_formatted_is_refused() {
    let zeros = [0; 4064];
    let expected = Corruption::RecordsStart { records_start: 0, slots_end: 8, body_len: 4064 };
    assert_eq!(PageRef::parse(&zeros).err(), Some(expected.into()));
}

#[test]
fn a_damaged_slot_does_not_hide_the_others() {
    let mut page = Watched::new(64);
    for record in [b"a", b"b", b"c"] {
        page.insert(record);
    }
    page.body[12..16].fill(0xFF);
    let found: Vec<_> = page.view().records().map(|record| record.map(|it| it.bytes)).collect();
    let expected = Corruption::SlotKind { slot: id(1), kind: 63 };
    assert_eq!(found, [Ok(&b"a"[..]), Err(expected.into()), Ok(&b"c"[..])]);
    assert_eq!(page.view().get(id(1)), Err(expected.into()));
}

fn cases() -> u32 {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { 50_000 } else { 600 }
}

/// A body of arbitrary bytes behind a header that often gets past the first checks.
fn arbitrary_body() -> impl Strategy<Value = Vec<u8>> {
    (64..400usize).prop_flat_map(|len| {
        let header = prop_oneof![
            any::<[u8; 8]>().prop_map(|bytes| bytes.to_vec()),
            (0..30u8, 0..=255u8, 0..40u8, 0..30u8)
                .prop_map(|(slots, start, dead, free)| vec![slots, 0, start, 0, dead, 0, free, 0]),
        ];
        (header, vec(any::<u8>(), len - 8)).prop_map(|(header, rest)| [header, rest].concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn arbitrary_bytes_are_refused_or_usable(body in arbitrary_body()) {
        exercise(&body);
    }

    #[test]
    fn a_page_with_several_damaged_bytes_is_refused_or_usable(
        body_len in 64..400usize,
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_front in any::<bool>(),
    ) {
        let mut body = sample(body_len).body;
        for (at, byte) in damage {
            let at = at.index(if in_front { body_len / 3 } else { body_len });
            body[at] ^= byte;
        }
        exercise(&body);
    }

    #[test]
    fn formatting_makes_a_sound_page_of_any_bytes(mut body in vec(any::<u8>(), 64..=BODY_LEN_MAX)) {
        PageMut::format(&mut body, |_| ()).unwrap();
        prop_assert_eq!(corruption(&body), None);
        prop_assert!(PageRef::parse(&body).unwrap().is_empty());
    }
}
