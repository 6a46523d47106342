//! The bytes of each kind of page, as docs/format.md promises them.

use nanodb_sorted::{
    BODY_LEN, Effect, Operation, PageKind, RecordId, RunBuilder, SavedPageBuilder,
};

use crate::support::{Entries, Memory, build};

fn record(page: u32, slot: u16) -> RecordId {
    RecordId { page, slot }
}

/// The bytes of a page up to the last one that is not zero, in hexadecimal, 32 a line.
fn hex(body: &[u8]) -> String {
    let len = body.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    body[..len].chunks(32).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_leaf_of_additions() {
    let mut memory = Memory::default();
    let mut builder = RunBuilder::new(258, 4);
    for (key, page, slot) in [
        (&b"\x20ada\0\0"[..], 300, 2),
        (b"\x20adam\0\0", 300, 1),
        (b"\x20adam\0\0", 300, 5),
        (b"\x20adam\0\0", 511, 3),
        (b"\x20alan\0\0", 299, 0),
    ] {
        builder.push(&mut memory, key, record(page, slot), Effect::Added).unwrap();
    }
    let run = builder.finish(&mut memory).unwrap().unwrap();
    assert_eq!((run.height, run.entries, run.distinct, run.switches), (1, 5, 3, 3));
    assert_eq!(memory.pages[0].0, PageKind::Leaf);
    let expected = concat!(
        "0201000003000100020002002b01000000003d00206100006461000000000000\n",
        "24000000020001010202016d030701010004d3010300036c616e01",
    );
    assert_eq!(hex(&*memory.pages[0].1), expected);
}

#[test]
fn a_leaf_of_effects() {
    let mut memory = Memory::default();
    let entries = Entries::from([
        ((vec![1, 2, 3], record(7, 1)), Effect::Removed),
        ((vec![1, 2, 3], record(7, 2)), Effect::Vanished),
        ((vec![1, 2, 3], record(70, 1)), Effect::Removed),
        ((vec![1, 2, 4, 5], record(8, 0)), Effect::Restored),
        ((vec![1, 2, 4, 6], record(9, 0)), Effect::Added),
    ]);
    let run = build(&mut memory, &entries).unwrap();
    assert_eq!((run.removed, run.net), (3, -1));
    let expected = concat!(
        "0500000003000100020000000700000001003d00010203000000000000002200\n",
        "0000010003030701010301fd01010002040501000600010106010208",
    );
    assert_eq!(hex(&*memory.pages[0].1), expected);
}

#[test]
fn a_leaf_that_goes_on_and_the_page_above_it() {
    let mut memory = Memory::default();
    let mut entries = Entries::new();
    for page in 0..4_000_u32 {
        entries.insert((b"\x20same-key-of-many\0\0".to_vec(), record(page, 7)), Effect::Added);
    }
    entries.insert((b"\x20same-key-of-one\0\0".to_vec(), record(9, 7)), Effect::Added);
    let run = build(&mut memory, &entries).unwrap();
    let kinds: Vec<PageKind> = memory.pages.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [PageKind::Leaf, PageKind::Leaf, PageKind::Inner]);
    assert_eq!((run.height, run.root), (2, 102));
    let expected = concat!(
        "05000000020001000d000200090000000400d80f2073616d652d6b65792d6f66\n",
        "2d00006d616e79000000002f0000000400cd0f9b1fca0f070107010701070107",
    );
    assert_eq!(hex(&memory.pages[1].1[..64]), expected);
    let expected = concat!(
        "0500000002000100a10f00000000000013004b002073616d652d6b65792d6f66\n",
        "2d6d616e790000000000000000000000804b0064000000650000000000000000\n",
        "000000d307",
    );
    assert_eq!(hex(&*memory.pages[2].1), expected);
}

#[test]
fn separators_are_as_short_as_they_can_be() {
    let mut memory = Memory::default();
    let mut entries = Entries::new();
    for number in 0..1_200_u32 {
        let key = format!("\x20number {number:04} of many\0\0").into_bytes();
        entries.insert((key, record(number, 0)), Effect::Added);
    }
    let run = build(&mut memory, &entries).unwrap();
    let expected = concat!(
        "0500000003000100b00400000000000008005800206e756d6265722030353332\n",
        "0000000031303634000000000400040058005800640000006500000066000000\n",
        "000000000000000014020000000000002804",
    );
    let root = memory.body_mut(run.root);
    assert_eq!(hex(root), expected);
}

#[test]
fn a_page_of_a_filter() {
    let mut memory = Memory::default();
    let mut entries = Entries::new();
    for page in 0..5_000_u32 {
        entries.insert((vec![u8::try_from(page % 5).unwrap()], record(page, 0)), Effect::Added);
    }
    let run = build(&mut memory, &entries).unwrap();
    let filter = run.filter.unwrap();
    assert_eq!((filter.blocks, filter.extents.len(), filter.extents[0].pages), (49, 1, 1));
    let (kind, body) = memory.pages.last().unwrap();
    assert_eq!(*kind, PageKind::Filter);
    let bits = |(at, &byte): (usize, &u8)| (byte != 0).then(|| format!("{at}:{byte:02x}"));
    let set: Vec<String> = body.iter().enumerate().filter_map(bits).collect();
    let expected = concat!(
        "0:05 230:01 237:08 244:08 254:08 256:08 265:02 277:80 282:40 ",
        "1446:08 1455:08 1463:08 1466:04 1479:04 1486:40 1491:02 1501:04 2403:80 ",
        "2414:01 2420:20 2429:20 2433:02 2447:20 2454:40 2459:40 2465:01 2473:02 ",
        "2482:02 2494:40 2499:02 2506:02 2512:02 2524:40 2787:10 2795:08 2806:01 ",
        "2809:01 2818:01 2830:80 2835:80 2841:10",
    );
    assert_eq!(set.join(" "), expected);
}

#[test]
fn a_page_of_saved_operations() {
    let operation = |key: &'static [u8], page, slot, removed| Operation {
        key,
        record: record(page, slot),
        removed,
    };
    let operations = [
        operation(b"\x20ada\0\0", 300, 2, false),
        operation(b"\x20alan\0\0", 299, 200, true),
        operation(b"\x20alan\0\0", 301, 0, false),
        operation(b"", 301, 0, true),
    ];
    let mut builder = SavedPageBuilder::new(258);
    for (ordinal, operation) in (1 << 40..).zip(operations) {
        assert!(builder.push(ordinal, operation));
    }
    let mut body = [1; BODY_LEN];
    builder.finish(&mut body);
    let expected = concat!(
        "0201000004002d000000000000010000000c206164610000d80402020b6c616e\n",
        "000001c801070004000001",
    );
    assert_eq!(hex(&body), expected);
}
