//! Pages that are exactly full, out of slots, or misused.

use nanodb_page::layout::{BODY_LEN_MAX, SLOT_COUNT_MAX, record_len_max};
use nanodb_page::{PageError, PageMut, PageRef, RecordKind, SlotId};

use crate::support::{Watched, id};

#[test]
fn a_record_that_fits_exactly_is_taken_and_one_byte_more_is_not() {
    for body_len in [64, 65, 4064, BODY_LEN_MAX] {
        let len_max = record_len_max(body_len);
        let mut page = Watched::new(body_len);
        assert_eq!(page.view().free_bytes(), len_max);
        assert_eq!(page.insert(&vec![1; len_max + 1]), None);
        assert_eq!(page.insert(&vec![1; len_max]), Some(id(0)));
        assert_eq!(page.view().free_bytes(), 0);
        assert_eq!(page.insert(&[1]), None);
        assert_eq!(page.get(0), Some(&vec![1; len_max][..]));
    }
}

#[test]
fn a_record_longer_than_any_page_does_not_fit() {
    let mut page = Watched::new(64);
    page.insert(b"here");
    for len in [8192, 65_535, 65_536, 1 << 20] {
        assert_eq!(page.insert(&vec![0; len]), None);
        assert_eq!(page.replace(0, &vec![0; len]), Ok(false));
    }
    assert_eq!(page.get(0), Some(&b"here"[..]));
}

#[test]
fn a_page_takes_1023_slots_and_no_more() {
    let mut page = Watched::new(BODY_LEN_MAX);
    for slot in 0..SLOT_COUNT_MAX {
        assert_eq!(
            page.change_reporting(|page| page.insert(RecordKind::Fragment, &[&[7]])).0.unwrap(),
            Some(id(slot))
        );
    }
    page.view().verify().unwrap();
    assert_eq!(page.view().record_count(), 1023);
    assert_eq!(page.view().free_bytes(), 0, "there are bytes, but no slot for them");
    assert_eq!(page.insert(&[7]), None);

    assert!(page.remove(500));
    assert_eq!(page.insert(b"again"), Some(id(500)));
    assert_eq!(page.view().records().count(), 1023);
}

#[test]
fn slot_numbers_end_at_1022() {
    assert_eq!(SlotId::new(1022).map(SlotId::get), Some(1022));
    assert_eq!(SlotId::new(1023), None);
    assert_eq!(SlotId::new(0xFFFF), None);
    assert_eq!(id(1021).next(), Some(id(1022)));
    assert_eq!(id(1022).next(), None);
}

#[test]
fn an_insert_compacts_when_only_that_makes_room() {
    let mut page = Watched::new(64);
    for byte in 0..4 {
        assert_eq!(page.insert(&[byte; 8]), Some(id(byte.into())));
    }
    assert!(page.remove(0));
    assert!(page.remove(2));
    assert_eq!(page.view().dead_bytes(), 16);
    assert_eq!(page.view().free_bytes(), 24);
    assert_eq!(page.insert(&[9; 25]), None);
    assert_eq!(page.insert(&[9; 24]), Some(id(0)));
    assert_eq!(page.view().dead_bytes(), 0);
    assert_eq!(page.get(0), Some(&[9; 24][..]));
    assert_eq!(page.get(1), Some(&[1; 8][..]));
    assert_eq!(page.get(2), None);
    assert_eq!(page.get(3), Some(&[3; 8][..]));
}

#[test]
fn a_record_grows_into_its_own_bytes_on_a_full_page() {
    for grown in [0, 1, 2] {
        let mut page = Watched::new(64);
        for byte in 0..3 {
            page.insert(&[byte; 10]);
        }
        let room = 10 + 64 - 8 - 3 * 14;
        assert_eq!(page.replace(grown, &vec![8; room + 1]), Ok(false));
        assert_eq!(page.get(grown).map(<[u8]>::len), Some(10));
        assert_eq!(page.replace(grown, &vec![8; room]), Ok(true));
        assert_eq!(page.get(grown), Some(&vec![8; room][..]));
        for other in (0..3).filter(|slot| *slot != grown) {
            assert_eq!(page.get(other).map(<[u8]>::len), Some(10));
        }
    }
}

#[test]
fn removing_the_newest_record_gives_its_bytes_back_at_once() {
    let mut page = Watched::new(64);
    page.insert(b"stays");
    page.insert(b"goes");
    assert!(page.remove(1));
    assert_eq!((page.view().slot_count(), page.view().dead_bytes()), (1, 0));
}

#[test]
fn a_page_emptied_in_any_order_is_as_good_as_new() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut page = Watched::new(64);
        for byte in 0..3 {
            page.insert(&[byte; 9]);
        }
        assert!(order.into_iter().all(|slot| page.remove(slot)));
        assert!(page.view().is_empty());
        assert_eq!(page.view().free_bytes(), 52);
        assert_eq!(page.view().records().next(), None);
        assert_eq!(page.body[..8], Watched::new(64).body[..8]);
    }
}

#[test]
fn removing_nothing_says_so_and_changes_nothing() {
    let mut page = Watched::new(64);
    page.insert(b"a");
    page.insert(b"b");
    page.remove(0);
    for slot in [0, 2, 1022] {
        assert_eq!(page.change_reporting(|page| page.remove(id(slot))), (Ok(false), vec![]));
    }
}

#[test]
fn misuse_is_refused_and_changes_nothing() {
    let mut page = Watched::new(64);
    page.insert(b"a");
    let kind = RecordKind::Document;
    for parts in [&[][..], &[&b""[..]], &[b"", b""]] {
        let refused = page.change_reporting(|page| page.insert(kind, parts));
        assert_eq!(refused, (Err(PageError::EmptyRecord), vec![]));
        let refused = page.change_reporting(|page| page.replace(id(0), kind, parts));
        assert_eq!(refused, (Err(PageError::EmptyRecord), vec![]));
    }
    let refused = page.change_reporting(|page| page.replace(id(1), kind, &[b"b"]));
    assert_eq!(refused, (Err(PageError::NoRecord { slot: id(1) }), vec![]));
}

#[test]
fn bodies_of_impossible_length_are_refused() {
    for len in [0, 1, 7, 8, 63, 8192, 65_536, 65_600] {
        let mut body = vec![0; len];
        assert_eq!(PageRef::parse(&body).err(), Some(PageError::BodyLen { len }));
        assert_eq!(PageMut::format(&mut body, |_| ()).err(), Some(PageError::BodyLen { len }));
        assert_eq!(PageMut::parse(&mut body, |_| ()).err(), Some(PageError::BodyLen { len }));
    }
}

#[test]
fn a_walk_can_go_on_from_any_slot() {
    let mut page = Watched::new(4064);
    for byte in 0..10 {
        page.insert(&[byte]);
    }
    page.remove(3);
    let from = |slot| {
        page.view()
            .records_from(id(slot))
            .map(|record| record.unwrap().slot.get())
            .collect::<Vec<_>>()
    };
    assert_eq!(from(0), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
    assert_eq!(from(3), [4, 5, 6, 7, 8, 9]);
    assert_eq!(from(9), [9]);
    assert_eq!(from(10), []);
    assert_eq!(from(1022), []);
}
