//! Files whose checksums are right and whose contents make no sense.
//!
//! No answer is right or wrong here. But there is one, an error if need be, it comes
//! soon, and it costs no more memory than the file warrants.

use std::sync::Arc;
use std::time::Instant;

use nanodb_database::{Collection, Database, Document, Error, ErrorKind, Id, doc};
use nanodb_pager::PAGE_SIZE;
use nanodb_sim::{Forgery, Random, SimStorage};

use super::CASE_TIME_MAX;
use super::sample::{Sample, open};

/// Calls everything; says how opening ended.
fn survive(sample: &Sample, forgery: Forgery, case: &str) -> Result<(), ErrorKind> {
    let begun = Instant::now();
    let file = forgery.into_bytes();
    let result = match open(&file) {
        Ok((db, storage)) => {
            use_it(sample, &db, case);
            drop(db);
            let again = storage.contents();
            assert!(again.len() < 4 * file.len() + (1 << 20), "{case}: {} bytes", again.len());
            if let Ok((db, _)) = open(&again) {
                let _report = typed(db.check(), case);
            }
            Ok(())
        }
        Err(error) => Err(error.kind()),
    };
    assert!(begun.elapsed() < CASE_TIME_MAX, "{case} took {:?}", begun.elapsed());
    result
}

fn use_it(sample: &Sample, db: &Database, case: &str) {
    let _report = typed(db.check(), case);
    let listed = db.collections().unwrap();
    assert!(listed.len() <= 4_000, "{case}");
    for (name, documents) in &sample.collections {
        use_collection(&db.collection(name), documents.keys().cloned(), case);
    }
    for info in listed.iter().take(8) {
        let collection = db.collection(&info.name);
        use_collection(&collection, (1..4).map(Id::from), case);
    }
    let _report = typed(db.check(), case);
    if let Some(first) = listed.first() {
        typed(db.rename_collection(&first.name, "renamed"), case);
        typed(db.drop_collection("renamed"), case);
    }
    let _stats = typed(db.stats(), case);
    typed(db.checkpoint(), case);
}

fn use_collection(collection: &Collection, ids: impl Iterator<Item = Id>, case: &str) {
    let ids: Vec<Id> = ids.collect();
    for id in &ids {
        if let Some(Some(found)) = typed(collection.get(id), case) {
            let _text = found.to_document().map(|document| document.to_string());
        }
        typed(collection.contains(id), case);
    }
    typed(collection.get_many(&ids).map(drop), case);
    let mut errors = 0;
    let mut cursor = collection.scan().unwrap();
    for count in 0_usize.. {
        assert!(count < 100_000, "{case}: the scan does not end");
        match cursor.next() {
            Ok(Some(view)) => drop(view.to_document()),
            Ok(None) => break,
            Err(error) => {
                typed::<()>(Err(error), case);
                errors += 1;
            }
        }
    }
    assert!(errors < 50_000, "{case}");
    let text = |size: usize| "t".repeat(size);
    typed(collection.insert(doc! { "text": (text(10)) }), case);
    typed(collection.insert(doc! { "_id": "large", "text": (text(9_000)) }), case);
    for (at, id) in ids.iter().enumerate().take(12) {
        match at % 3 {
            0 => typed(collection.replace(id, doc! { "text": (text(7_000)) }), case),
            1 => typed(collection.replace(id, doc! {}), case),
            _ => typed(collection.delete(id), case),
        };
    }
    typed(collection.insert_many((0..20).map(|_| doc! { "text": (text(300)) })), case);
    let _count = collection.count().unwrap();
}

/// The result, if there is one; that it is an error of a kind to be expected, if not.
fn typed<T>(result: Result<T, Error>, case: &str) -> Option<T> {
    use ErrorKind::{AlreadyExists, Damaged, DuplicateId, Exhausted, Invalid, NotFound, Poisoned};
    result
        .map_err(|error| {
            let expected = matches!(
                error.kind(),
                Damaged | DuplicateId | Exhausted | Poisoned | NotFound | AlreadyExists | Invalid
            );
            assert!(expected, "{case}: {error:?}");
        })
        .ok()
}

fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// A collection in a root.
#[derive(Clone, Debug)]
struct Entry {
    id: u64,
    name: Vec<u8>,
    /// Count, next id, pages in use.
    numbers: [u64; 3],
    extents: Vec<(u64, u64)>,
    overflow: Vec<(u64, u64)>,
}

fn root(next_collection: u64, entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for n in [2, next_collection, entries.len() as u64] {
        number(&mut out, n);
    }
    for entry in entries {
        number(&mut out, entry.id);
        number(&mut out, entry.name.len() as u64);
        out.extend_from_slice(&entry.name);
        entry.numbers.iter().for_each(|&n| number(&mut out, n));
        for runs in [&entry.extents, &entry.overflow] {
            number(&mut out, runs.len() as u64);
            for &(start, pages) in runs {
                number(&mut out, start);
                number(&mut out, pages);
            }
        }
        // Its index is to be built from the pages, and it has no sections.
        number(&mut out, 0);
        number(&mut out, 0);
    }
    number(&mut out, 0);
    out
}

/// An entry like that of the collection `numbers`.
fn entry(id: u64) -> Entry {
    Entry {
        id,
        name: format!("c{id}").into_bytes(),
        numbers: [25, 1 << 20, 2],
        extents: vec![(3, 2)],
        overflow: Vec::new(),
    }
}

#[test]
fn the_forged_root_is_one_that_is_read() {
    let sample = Sample::new();
    let mut forgery = Forgery::of(&sample.file);
    forgery.set_root(&root(3, &[Entry { numbers: [25, 25, 2], ..entry(2) }]));
    let (db, _) = open(&forgery.into_bytes()).unwrap();
    let found = db.collection("c2").get(1).unwrap().unwrap().to_document().unwrap();
    let expected: &Document = &sample.collections["numbers"][&Id::from(1)];
    assert_eq!(&found, expected);
}

#[test]
fn roots_that_make_no_sense_are_survived() {
    let sample = Sample::new();
    let whole = (0, u64::from(u32::MAX));
    let many = |extent: (u64, u64), count: usize| vec![extent; count];
    let with = |change: &dyn Fn(&mut Entry)| {
        let mut entry = entry(2);
        change(&mut entry);
        vec![entry]
    };
    let cases: Vec<(&str, Vec<Entry>)> = vec![
        ("id 0", vec![entry(0)]),
        ("the same id twice", vec![entry(2), entry(2)]),
        ("falling ids", vec![entry(3), entry(2)]),
        ("the same name twice", vec![entry(2), Entry { name: b"c2".to_vec(), ..entry(3) }]),
        ("an id not given yet", vec![entry(99)]),
        ("next id 0", with(&|e| e.numbers[1] = 0)),
        ("next id used", with(&|e| e.numbers[1] = 3)),
        ("next id at its end", with(&|e| e.numbers[1] = 1 << 53)),
        ("next id beyond", with(&|e| e.numbers[1] = u64::MAX)),
        ("count 0", with(&|e| e.numbers[0] = 0)),
        ("count at its end", with(&|e| e.numbers[0] = u64::MAX)),
        ("more pages than extents", with(&|e| e.numbers[2] = 3)),
        ("pages at their end", with(&|e| e.numbers[2] = u64::MAX)),
        ("no page in use", with(&|e| e.numbers[2] = 0)),
        ("an empty name", with(&|e| e.name.clear())),
        ("a long name", with(&|e| e.name = vec![b'n'; 256])),
        ("a name that is no text", with(&|e| e.name = vec![0xff])),
        ("a name with a NUL", with(&|e| e.name = vec![0])),
        ("an empty extent", with(&|e| e.extents = vec![(3, 0), (4, 2)])),
        (
            "all pages there can be",
            with(&|e| {
                e.extents = vec![whole];
                e.numbers[2] = whole.1;
            }),
        ),
        (
            "all pages, many times",
            with(&|e| {
                e.extents = many(whole, 500);
                e.numbers[2] = 500 * whole.1;
            }),
        ),
        ("pages behind the end", with(&|e| e.extents = vec![(1 << 20, 2)])),
        ("the last page numbers", with(&|e| e.extents = vec![(u64::from(u32::MAX) - 1, 2)])),
        ("past the last page number", with(&|e| e.extents = vec![(u64::from(u32::MAX), 2)])),
        ("the header as a page", with(&|e| e.extents = vec![(0, 2)])),
        ("the root as a page", with(&|e| e.extents = vec![(17, 2)])),
        (
            "the same extent twice",
            with(&|e| {
                e.extents = many((3, 2), 2);
                e.numbers[2] = 4;
            }),
        ),
        (
            "the same extent very often",
            with(&|e| {
                e.extents = many((3, 2), 1_500);
                e.numbers[2] = 3_000;
            }),
        ),
        ("unused room without end", with(&|e| e.extents = vec![(3, 1), (4, 1), (0, 1 << 31)])),
        (
            "pages of another collection",
            with(&|e| {
                e.extents = vec![(2, 12)];
                e.numbers[2] = 12;
            }),
        ),
        ("overflow everywhere", with(&|e| e.overflow = vec![whole])),
        ("overflow behind the end", with(&|e| e.overflow = vec![(1 << 30, 1 << 30)])),
        ("overflow in its own extents", with(&|e| e.overflow = vec![(3, 2)])),
        ("many collections on one page", (1..300).map(entry).collect()),
        (
            "many collections on all pages",
            (1..300)
                .map(|id| Entry { extents: vec![whole], numbers: [1, 1, whole.1], ..entry(id) })
                .collect(),
        ),
    ];
    for (case, entries) in cases {
        let next = if case == "an id not given yet" { 4 } else { 300 };
        let mut forgery = Forgery::of(&sample.file);
        forgery.set_root(&root(next, &entries));
        let _opened = survive(&sample, forgery, case);
    }
    for (case, bytes, kind) in [
        (
            "a count of collections beyond the bytes",
            vec![2, 9, 0xff, 0xff, 0xff, 0x7f],
            ErrorKind::Damaged,
        ),
        ("a newer version", vec![3, 1, 0, 0], ErrorKind::NewerFormat),
        ("an older version", vec![1, 1, 0], ErrorKind::OlderFormat),
        ("a section of a newer library", vec![2, 1, 0, 1, 9, 1, 7], ErrorKind::NewerFormat),
        ("a section that ends early", vec![2, 1, 0, 1, 9, 2, 7], ErrorKind::Damaged),
        ("a number without end", vec![0xff; 40], ErrorKind::Damaged),
        ("bytes behind the end", vec![2, 1, 0, 0, 0], ErrorKind::Damaged),
    ] {
        let mut forgery = Forgery::of(&sample.file);
        forgery.set_root(&bytes);
        assert_eq!(survive(&sample, forgery, case), Err(kind), "{case}");
    }
}

#[test]
fn a_catalog_of_another_version_is_refused_as_such_where_a_log_goes_on_from_it() {
    let storage = SimStorage::new();
    let db = Database::options().background(false).open_on(Arc::new(storage.clone())).unwrap();
    db.collection("a").insert(doc! { "_id": 1 }).unwrap();
    db.checkpoint().unwrap();
    db.collection("a").insert(doc! { "_id": 2 }).unwrap();
    let killed = storage.files();
    assert!(killed.len() > 1, "a log");
    let target = Database::in_memory().unwrap();
    for (version, kind) in [(3, ErrorKind::NewerFormat), (1, ErrorKind::OlderFormat)] {
        let mut files = killed.clone();
        let mut forgery = Forgery::of(&files[""]);
        let mut catalog = forgery.root().to_vec();
        catalog[0] = version;
        forgery.set_root(&catalog);
        files.insert(String::new(), forgery.into_bytes());
        let open = || SimStorage::from_files(files.clone());
        let refused = Database::options().open_on(Arc::new(open())).unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
        // It is not lost, so it is not for a salvage to guess at.
        let refused = target.salvage_on(Arc::new(open())).unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
    }
}

#[test]
fn headers_that_make_no_sense_are_survived() {
    let sample = Sample::new();
    for offset in [52, 72, 80, 88, 96, 100, 104, 112, 120, 124, 128, 136, 144, 152, 160] {
        for value in [0, 1, 2, 13, 16, 18, 19, 1 << 31, u64::from(u32::MAX), 1 << 62, u64::MAX] {
            let mut forgery = Forgery::of(&sample.file);
            let len = if matches!(offset, 52 | 96 | 100 | 120 | 124) { 4 } else { 8 };
            forgery.put_header(offset, &value.to_le_bytes()[..len]);
            let _opened = survive(&sample, forgery, &format!("{value:#x} at {offset}"));
        }
    }
}

/// A record with its kind.
type Slot = (u32, Vec<u8>);

/// A slotted body with these records.
fn slotted(records: &[Slot]) -> Vec<u8> {
    let mut body = vec![0; 4064];
    let mut start = body.len();
    for (slot, (kind, record)) in records.iter().enumerate() {
        start -= record.len();
        body[start..start + record.len()].copy_from_slice(record);
        let word = u32::try_from(start | record.len() << 13).unwrap() | kind << 26;
        body[8 + 4 * slot..12 + 4 * slot].copy_from_slice(&word.to_le_bytes());
    }
    body[..2].copy_from_slice(&u16::try_from(records.len()).unwrap().to_le_bytes());
    body[2..4].copy_from_slice(&u16::try_from(start).unwrap().to_le_bytes());
    body
}

fn head(total: u32, page: u32, slot: u16, id: u8) -> Slot {
    let start = [0x82, 0xa3, b'_', b'i', b'd', id];
    (2, [&total.to_le_bytes()[..], &page.to_le_bytes(), &slot.to_le_bytes(), &start].concat())
}

fn fragment(page: u32, slot: u16, len: usize) -> Slot {
    let bytes = vec![7; len];
    (3, [&page.to_le_bytes()[..], &slot.to_le_bytes(), &bytes].concat())
}

fn overflow(page: u32, slot: u16, len: u16) -> Vec<u8> {
    [&page.to_le_bytes()[..], &slot.to_le_bytes(), &len.to_le_bytes()].concat()
}

#[test]
fn chains_that_make_no_sense_are_survived() {
    const LARGEST: u32 = 16 << 20;
    let sample = Sample::new();
    let overflow_page = 7;
    let bodies: Vec<(&str, Vec<Slot>, Vec<u8>)> = vec![
        (
            "a fragment that leads to itself",
            vec![head(LARGEST, 3, 1, 1), fragment(3, 1, 1)],
            vec![],
        ),
        (
            "many that lead in a circle",
            {
                let mut all: Vec<_> = (0..100).map(|id| head(LARGEST, 3, 100, id)).collect();
                all.extend([fragment(3, 101, 1), fragment(3, 100, 2)]);
                all
            },
            vec![],
        ),
        (
            "large pieces in a circle",
            {
                let mut all: Vec<_> = (0..100).map(|id| head(LARGEST, 3, 100, id)).collect();
                all.push(fragment(3, 100, 1_500));
                all
            },
            vec![],
        ),
        ("longer than allowed", vec![head(u32::MAX, 3, 1, 1), fragment(3, 1, 1)], vec![]),
        ("a head as a piece", vec![head(100, 3, 0, 1)], vec![]),
        ("a piece behind the slots", vec![head(100, 3, 1_000, 1)], vec![]),
        ("a piece behind the end", vec![head(100, 1 << 30, 0, 1)], vec![]),
        ("a header as a piece", vec![head(100, 1, 0xffff, 1)], vec![]),
        ("the root as a piece", vec![head(100, 17, 0xffff, 1)], vec![]),
        ("shorter than its head", vec![head(2, 3, 0, 1)], vec![]),
        (
            "an overflow page that leads to itself",
            vec![head(LARGEST, overflow_page, 0xffff, 1)],
            overflow(overflow_page, 0xffff, 4_056),
        ),
        (
            "an overflow page of one byte that leads to itself",
            (0..100).map(|id| head(LARGEST, overflow_page, 0xffff, id)).collect(),
            overflow(overflow_page, 0xffff, 1),
        ),
        ("an empty overflow page", vec![head(100, overflow_page, 0xffff, 1)], overflow(0, 0, 0)),
        (
            "an overflow page beyond its end",
            vec![head(100, overflow_page, 0xffff, 1)],
            overflow(0, 0, 0xffff),
        ),
        (
            "the same id on all slots",
            (0..300).map(|_| (1, vec![0x81, 0xa3, b'_', b'i', b'd', 1])).collect(),
            vec![],
        ),
    ];
    for (case, records, piece) in bodies {
        let mut forgery = Forgery::of(&sample.file);
        forgery.put_body(3, 0, &slotted(&records));
        if !piece.is_empty() {
            forgery.put_body(7, 0, &piece).put(7, 20, &2_u32.to_le_bytes());
        }
        assert_eq!(survive(&sample, forgery, case), Ok(()), "{case}");
    }
}

/// The most documents with one id that a file can have: an index of hashes must not try
/// to tell them apart by growing.
#[test]
fn one_id_on_all_pages_is_survived() {
    let sample = Sample::new();
    let mut forgery = Forgery::of(&sample.file);
    let records = vec![(1, vec![0x81, 0xa3, b'_', b'i', b'd', 1]); 400];
    for page in 2..14 {
        forgery.put(page, 20, &2_u32.to_le_bytes()).put(page, 24, &[16]);
        forgery.put_body(page, 0, &slotted(&records));
    }
    let all = Entry { extents: vec![(2, 12)], numbers: [4_800, 2, 12], ..entry(2) };
    forgery.set_root(&root(3, &[all]));
    assert_eq!(survive(&sample, forgery, "one id"), Ok(()));
}

#[test]
fn slots_that_make_no_sense_are_survived() {
    let sample = Sample::new();
    let word = |offset: u32, len: u32, kind: u32| (offset | len << 13 | kind << 26).to_le_bytes();
    for page in [2, 3, 4, 5, 6, 9, 10] {
        for (offset, bytes) in [
            (0, &[0xff, 0xff][..]),
            (0, &[0xff, 0x03]),
            (0, &[0, 0]),
            (2, &[0, 0]),
            (2, &[0xe0, 0x0f]),
            (2, &[0xff, 0xff]),
            (4, &[0xff, 0x0f]),
            (4, &[0, 0]),
            (6, &[1, 0]),
            (6, &[0xff, 0xff]),
            (8, &[0; 4]),
            (8, &word(4_063, 1, 1)),
            (8, &word(4_000, 65, 1)),
            (8, &word(0, 4_064, 1)),
            (8, &word(2_000, 2_000, 2)),
            (8, &word(2_000, 2_000, 3)),
            (8, &word(2_000, 2_000, 63)),
            (8, &word(4_000, 0, 1)),
        ] {
            let mut forgery = Forgery::of(&sample.file);
            forgery.put_body(page, offset, bytes);
            let case = format!("{bytes:?} at {offset} of the body of page {page}");
            let _opened = survive(&sample, forgery, &case);
        }
    }
}

#[test]
fn random_forgeries_are_survived() {
    let sample = Sample::new();
    let rounds = if super::is_long() { 100_000 } else { 2_500 };
    let mut random = Random::new(11);
    for round in 0..rounds {
        let mut forgery = Forgery::of(&sample.file);
        for _ in 0..=random.below(4) {
            let mut bytes = vec![0; 1 + random.below(6)];
            random.fill(&mut bytes);
            let page = 2 + random.below(17);
            // Where the meaning is: the header of the page, of the body, its slots, its
            // end; the root and its like.
            let offset = match random.below(4) {
                0 => 8 + random.below(24),
                1 => 32 + random.below(12),
                2 => 40 + random.below(60),
                _ => 32 + random.below(PAGE_SIZE - 40),
            };
            if random.below(8) == 0 {
                let mut root = forgery.root().to_vec();
                let at = random.below(root.len());
                root[at] = bytes[0];
                forgery.set_root(&root);
            } else {
                forgery.put(page, offset, &bytes);
            }
        }
        let _opened = survive(&sample, forgery, &format!("round {round}"));
    }
}
