//! Exact bytes: what these tests hold, files already written rely on.

use nanodb_page::layout::{self, HEADER_SIZE, SLOT_COUNT_MAX, SLOT_SIZE};
use nanodb_page::{PageMut, RecordKind};

use crate::support::{Watched, id};

/// A slot's word, by the table in `layout`.
fn word(offset: u32, len: u32, kind: u32) -> [u8; 4] {
    (offset + (len << 13) + (kind << 26)).to_le_bytes()
}

#[test]
fn constants_are_those_of_the_format() {
    assert_eq!((HEADER_SIZE, SLOT_SIZE, SLOT_COUNT_MAX), (8, 4, 1023));
    assert_eq!((layout::BODY_LEN_MIN, layout::BODY_LEN_MAX), (64, 8191));
    assert_eq!(layout::record_len_max(4064), 4052);
}

#[test]
fn a_fresh_page_is_a_header_alone() {
    let mut body = [0; 4064];
    let mut ranges = Vec::new();
    PageMut::format(&mut body, |range| ranges.push(range)).unwrap();

    // No slots, records at 4064 = 0x0FE0, nothing dead.
    assert_eq!(body[..8], [0, 0, 0xE0, 0x0F, 0, 0, 0, 0]);
    assert!(body[8..].iter().all(|byte| *byte == 0));
    assert_eq!(ranges, vec![0..8; 1]);
}

#[test]
fn a_small_page_has_the_bytes_of_the_tables() {
    let mut page = Watched { body: vec![0; 64] };
    PageMut::format(&mut page.body, |_| ()).unwrap();
    page.change(|page| page.insert(RecordKind::Document, &[b"first"])).unwrap();
    page.change(|page| page.insert(RecordKind::Document, &[b"gone"])).unwrap();
    page.change(|page| page.insert(RecordKind::Head, &[b"he", b"ad"])).unwrap();
    page.change(|page| page.insert(RecordKind::Fragment, &[b"piece"])).unwrap();
    page.change(|page| page.remove(id(1))).unwrap();

    let mut expected = Vec::new();
    expected.extend([4, 0, 46, 0, 4, 0, 1, 0]); // 4 slots, records at 46, 4 dead bytes, 1 free slot
    expected.extend(word(59, 5, 1));
    expected.extend([0; 4]);
    expected.extend(word(51, 4, 2));
    expected.extend(word(46, 5, 3));
    expected.resize(46, 0);
    expected.extend(b"pieceheadgonefirst");
    assert_eq!(page.body, expected);
    assert_eq!(page.body[8..12], [0x3B, 0xA0, 0x00, 0x04], "word of the first slot");

    page.change(|page| page.compact()).unwrap();
    let mut expected = Vec::new();
    expected.extend([4, 0, 50, 0, 0, 0, 1, 0]);
    expected.extend(word(59, 5, 1));
    expected.extend([0; 4]);
    expected.extend(word(55, 4, 2));
    expected.extend(word(50, 5, 3));
    expected.resize(46, 0);
    expected.extend(b"piec"); // left behind in the gap
    expected.extend(b"pieceheadfirst");
    assert_eq!(page.body, expected);
}

#[test]
fn an_insert_that_appends_writes_record_slot_and_header_only() {
    let mut page = Watched::new(4064);
    page.insert(&[1; 100]);
    let (slot, ranges) =
        page.change_reporting(|page| page.insert(RecordKind::Document, &[&[2; 200]]));
    assert_eq!(slot, Ok(Some(id(1))));
    assert_eq!(ranges, [3764..3964, 12..16, 0..8]);
}

#[test]
fn a_replacement_of_the_same_length_writes_only_what_differs() {
    let mut page = Watched::new(64);
    page.insert(b"count: 17, name: x");
    let (answer, ranges) = page.change_reporting(|page| {
        page.replace(id(0), RecordKind::Document, &[b"count: 23,", b" name: x"])
    });
    assert_eq!(answer, Ok(true));
    assert_eq!(ranges, vec![46 + 7..46 + 9; 1]);
    assert_eq!(page.get(0), Some(&b"count: 23, name: x"[..]));
}
