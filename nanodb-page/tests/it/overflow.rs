//! Heads, fragments and overflow pages.

use std::num::NonZeroU32;

use nanodb_page::overflow::{
    self, FRAGMENT_HEADER_SIZE, HEAD_HEADER_SIZE, Head, Next, OVERFLOW_HEADER_SIZE, Piece,
};
use nanodb_page::{Corruption, PageError, SlotId};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::id;

fn page(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

#[test]
fn constants_are_those_of_the_format() {
    assert_eq!((HEAD_HEADER_SIZE, FRAGMENT_HEADER_SIZE, OVERFLOW_HEADER_SIZE), (10, 6, 8));
    assert_eq!(overflow::overflow_len_max(4064), 4056);
    assert_eq!(overflow::overflow_len_max(7), 0);
    assert_eq!(overflow::overflow_len_max(1 << 20), 65_535);
}

#[test]
fn a_head_has_the_bytes_of_the_table() {
    let head = Head {
        total_len: 0x0004_0302,
        next: Next::Overflow { page: page(0x0706_0501) },
        bytes: b"doc",
    };
    let record = [&head.header()[..], head.bytes].concat();
    assert_eq!(record, b"\x02\x03\x04\x00\x01\x05\x06\x07\xFF\xFFdoc");
    assert_eq!(Head::decode(&record), Ok(head));
}

#[test]
fn a_fragment_has_the_bytes_of_the_table() {
    let next = Some(Next::Fragment { page: page(9), slot: id(0x0102) });
    let piece = Piece { next, bytes: b"more" };
    let record = [&piece.fragment_header()[..], piece.bytes].concat();
    assert_eq!(record, b"\x09\0\0\0\x02\x01more");
    assert_eq!(Piece::decode_fragment(&record), Ok(piece));

    let last = Piece { next: None, bytes: b"end" };
    let record = [&last.fragment_header()[..], last.bytes].concat();
    assert_eq!(record, b"\0\0\0\0\0\0end");
    assert_eq!(Piece::decode_fragment(&record), Ok(last));
}

#[test]
fn an_overflow_page_has_the_bytes_of_the_table() {
    let piece = Piece { next: Some(Next::Overflow { page: page(3) }), bytes: b"bulk" };
    let mut body = [0xEE; 16];
    assert_eq!(piece.encode_overflow(&mut body), Ok(0..12));
    assert_eq!(&body, b"\x03\0\0\0\xFF\xFF\x04\0bulk\xEE\xEE\xEE\xEE");
    assert_eq!(Piece::decode_overflow(&body), Ok(piece));
}

#[test]
fn an_overflow_page_takes_what_fits_exactly_and_no_more() {
    let bytes = [1; 4057];
    let mut body = [0; 4064];
    let full = Piece { next: None, bytes: &bytes[..4056] };
    assert_eq!(full.encode_overflow(&mut body), Ok(0..4064));
    assert_eq!(Piece::decode_overflow(&body), Ok(full));

    let before = body;
    for len in [0, 4057] {
        let refused = Piece { next: None, bytes: &bytes[..len] }.encode_overflow(&mut body);
        assert_eq!(refused, Err(PageError::PieceLen { len, len_max: 4056 }));
    }
    assert_eq!(body, before);
    let refused = full.encode_overflow(&mut []);
    assert_eq!(refused, Err(PageError::PieceLen { len: 4056, len_max: 0 }));
}

#[test]
fn each_contradiction_has_its_own_error() {
    let corrupt = |corruption: Corruption| Some(PageError::from(corruption));

    let short = corrupt(Corruption::Short { len: 9, len_min: 10 });
    assert_eq!(Head::decode(&[1; 9]).err(), short);
    let nowhere = corrupt(Corruption::Next { page: 0, slot: 0 });
    assert_eq!(Head::decode(b"\x09\0\0\0\0\0\0\0\0\0doc").err(), nowhere);
    let whole = corrupt(Corruption::HeadLen { len: 3, total_len: 3 });
    assert_eq!(Head::decode(b"\x03\0\0\0\x01\0\0\0\0\0doc").err(), whole);

    let empty = corrupt(Corruption::Short { len: 6, len_min: 7 });
    assert_eq!(Piece::decode_fragment(&[0; 6]).err(), empty);
    let short = corrupt(Corruption::Short { len: 5, len_min: 6 });
    assert_eq!(Piece::decode_fragment(&[0; 5]).err(), short);
    let no_slot = corrupt(Corruption::Next { page: 1, slot: 1023 });
    assert_eq!(Piece::decode_fragment(b"\x01\0\0\0\xFF\x03x").err(), no_slot);
    let no_page = corrupt(Corruption::Next { page: 0, slot: 0xFFFF });
    assert_eq!(Piece::decode_fragment(b"\0\0\0\0\xFF\xFFx").err(), no_page);

    let too_long = corrupt(Corruption::OverflowLen { len: 3, len_max: 2 });
    assert_eq!(Piece::decode_overflow(b"\0\0\0\0\0\0\x03\0ab").err(), too_long);
    let empty = corrupt(Corruption::OverflowLen { len: 0, len_max: 2 });
    assert_eq!(Piece::decode_overflow(b"\0\0\0\0\0\0\0\0ab").err(), empty);
}

fn next() -> impl Strategy<Value = Next> {
    (1..=u32::MAX, proptest::option::of(0..1023u16)).prop_map(|(number, slot)| {
        match slot.and_then(SlotId::new) {
            Some(slot) => Next::Fragment { page: page(number), slot },
            None => Next::Overflow { page: page(number) },
        }
    })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(
        next in next(),
        last in any::<bool>(),
        bytes in vec(any::<u8>(), 1..200),
        more in 1..u32::MAX / 2,
    ) {
        let total_len = u32::try_from(bytes.len()).unwrap() + more;
        let head = Head { total_len, next, bytes: &bytes };
        let record = [&head.header()[..], &bytes].concat();
        prop_assert_eq!(Head::decode(&record), Ok(head));

        let piece = Piece { next: (!last).then_some(next), bytes: &bytes };
        let record = [&piece.fragment_header()[..], &bytes].concat();
        prop_assert_eq!(Piece::decode_fragment(&record), Ok(piece));
        let mut body = [0; 256];
        piece.encode_overflow(&mut body).unwrap();
        prop_assert_eq!(Piece::decode_overflow(&body), Ok(piece));
    }

    /// Each stored form has one meaning: what decodes, encodes to the same bytes.
    #[test]
    fn arbitrary_bytes_are_refused_or_encode_back(mut bytes in vec(any::<u8>(), 0..40), zeros in any::<u16>()) {
        for (bit, byte) in bytes.iter_mut().enumerate().take(16) {
            if zeros >> bit & 1 == 1 {
                *byte = 0;
            }
        }
        if let Ok(head) = Head::decode(&bytes) {
            prop_assert_eq!([&head.header()[..], head.bytes].concat(), bytes.clone());
        }
        if let Ok(piece) = Piece::decode_fragment(&bytes) {
            prop_assert_eq!([&piece.fragment_header()[..], piece.bytes].concat(), bytes.clone());
        }
        if let Ok(piece) = Piece::decode_overflow(&bytes) {
            let mut body = bytes.clone();
            piece.encode_overflow(&mut body).unwrap();
            prop_assert_eq!(body, bytes);
        }
    }
}
