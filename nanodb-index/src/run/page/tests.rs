use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn change(key: u32, page: u32, slot: u16, removed: bool) -> Change {
    Change { key: KeyHash::from_bits(key), record_id: RecordId { page, slot }, removed }
}

/// Changes in order, each entry once: spread or close, on few pages or any.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let key = prop_oneof![any::<u32>(), 0..50_u32, Just(u32::MAX)];
    let page = prop_oneof![2..100_u32, any::<u32>()];
    let entry = (key, page, 0..RecordId::SLOTS, prop::bool::weighted(0.1));
    prop::collection::vec(entry, 1..2500).prop_map(|entries| {
        let map: BTreeMap<(KeyHash, RecordId), bool> = entries
            .into_iter()
            .map(|(key, page, slot, removed)| {
                ((KeyHash::from_bits(key), RecordId { page, slot }), removed)
            })
            .collect();
        map.into_iter()
            .map(|((key, record_id), removed)| Change { key, record_id, removed })
            .collect()
    })
}

#[test]
fn a_page_has_these_bytes_for_ever() {
    let changes = [change(10, 7, 3, false), change(10, 9, 0, true), change(1000, 300, 1, false)];
    let mut body = [0xff; 40];
    assert_eq!(encode_page(&changes, &mut body), 3);
    let expected: Vec<u8> = [
        &[10, 0, 0, 0][..], // first key
        &[7, 0, 0, 0],      // lowest page
        &[3, 0],            // entries
        &[7, 9, 2, 1],      // bits: of a difference, a page, a slot; some were removed
        &[0, 0],
    ]
    .concat();
    assert_eq!(body[..16], expected);
    // 0 | 0000000 | 000000000 | 11 | 0, then 0 | 0000000 | 010000000 | 00 | 1, then
    // 1111111 0 | 0111101 (94) | 101001001 (293) | 10 | 0, lowest bits first.
    let bits = "00000000000000000110".to_owned()
        + "00000000010000000001"
        + "111111100111101"
        + "101001001"
        + "100";
    let mut packed = vec![0_u8; 24];
    for (at, bit) in bits.bytes().enumerate() {
        packed[at / 8] |= (bit - b'0') << (at % 8);
    }
    assert_eq!(body[16..], packed);
    let mut read = Vec::new();
    decode_page(&body, &mut read).unwrap();
    assert_eq!(read, changes);
}

#[test]
fn ten_million_even_keys_take_under_five_bytes_each() {
    // A stretch of them: the keys are as close as they are in the whole.
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(state >> 32).unwrap()
    };
    let mut keys: Vec<u32> = (0..1200).map(|_| random() % (1200 * 429)).collect();
    keys.sort_unstable();
    keys.dedup();
    let changes: Vec<Change> = keys
        .into_iter()
        .map(|key| change(key, 2 + random() % 280_000, (random() % 35) as u16, false))
        .collect();
    let mut body = vec![0; 4064];
    let count = encode_page(&changes, &mut body);
    assert!(count * 46 > 4096 * 10, "{count} entries on a page");
}

#[test]
fn bodies_too_small_for_anything_take_nothing() {
    for len in 0..16 {
        assert_eq!(encode_page(&[change(1, 1, 1, false)], &mut vec![0; len]), 0);
    }
    assert_eq!(encode_page(&[], &mut [0; 100]), 0);
}

proptest! {
    #[test]
    fn what_was_packed_is_unpacked(changes in changes(), len in 32..6000_usize) {
        let mut body = vec![0xab; len];
        let count = encode_page(&changes, &mut body);
        prop_assert!((1..=changes.len()).contains(&count));
        prop_assert_eq!(first_key(&body), Ok(changes[0].key));
        let mut read = Vec::new();
        decode_page(&body, &mut read).unwrap();
        prop_assert_eq!(&read[..], &changes[..count]);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut read = Vec::new();
        let sound = decode_page(&bytes, &mut read).is_ok();
        prop_assert!(read.len() <= PAGE_COUNT_MAX);
        prop_assert!(read.is_sorted_by(|a, b| a.entry() < b.entry()));
        prop_assert!(!sound || read.iter().all(|change| change.record_id.slot < RecordId::SLOTS));
    }

    #[test]
    fn flipped_bits_are_read_or_refused(changes in changes(), bit in 0..4064_usize * 8) {
        let mut body = vec![0; 4064];
        encode_page(&changes, &mut body);
        body[bit / 8] ^= 1 << (bit % 8);
        let mut read = Vec::new();
        let sound = decode_page(&body, &mut read).is_ok();
        prop_assert!(!sound || read.is_sorted_by(|a, b| a.entry() < b.entry()));
    }
}
