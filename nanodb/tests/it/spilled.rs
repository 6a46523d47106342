//! Documents too large for a page.

use nanodb::{DOCUMENT_BYTES_MAX, Database, Document, ErrorKind, doc};

fn sized(id: impl Into<nanodb::Value>, size: usize) -> Document {
    let text: String = (0..size).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
    doc! { "_id": (id.into()), "text": text }
}

#[test]
fn documents_of_every_size_around_the_page_boundaries_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let sizes: Vec<usize> = (0..60)
        .map(|n| n * 67)
        .chain(3900..4140)
        .chain((7_900..8_300).step_by(3))
        .chain((12_000..12_400).step_by(7))
        .chain([100_000, 1_000_000])
        .collect();
    {
        let db = Database::options().cache_bytes_max(256 << 10).open(&path).unwrap();
        let all = db.collection("all");
        for (id, &size) in sizes.iter().enumerate() {
            all.insert(sized(id, size)).unwrap();
        }
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
    let db = Database::options().cache_bytes_max(256 << 10).open(&path).unwrap();
    let all = db.collection("all");
    for (id, &size) in sizes.iter().enumerate() {
        let found = all.get(id).unwrap().unwrap().to_document().unwrap();
        assert_eq!(found, sized(id, size));
    }
    let mut at = 0;
    all.scan()
        .unwrap()
        .for_each(|view| {
            assert_eq!(view.id(), Some(at.into()));
            at += 1;
        })
        .unwrap();
    assert_eq!(at, sizes.len());
}

#[test]
fn the_largest_document_fits_and_a_byte_more_is_refused() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    // A map of two, `_id` and its number, `text`, and the header of a long string.
    let overhead = 1 + 4 + 1 + 5 + 5;
    all.insert(sized(1, DOCUMENT_BYTES_MAX - overhead)).unwrap();
    let found = all.get(1).unwrap().unwrap();
    assert_eq!(found.as_bytes().len(), DOCUMENT_BYTES_MAX);

    let error = all.insert(sized(2, DOCUMENT_BYTES_MAX - overhead + 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("16777216"), "{error}");
    assert_eq!(all.count().unwrap(), 1);
}

#[test]
fn long_ids_are_found_wherever_their_documents_are_split() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    let id = |number: usize| format!("{number:0>500}");
    for number in 0..200 {
        all.insert(sized(id(number), number * 61)).unwrap();
    }
    for number in 0..200 {
        assert!(all.contains(id(number)).unwrap());
    }
    assert!(db.check().unwrap().is_clean());
}

#[test]
fn documents_that_shrink_or_go_give_their_pages_back() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    let mut most = 0;
    for round in 0..20 {
        for id in 0..10 {
            if round == 0 {
                all.insert(sized(id, 50_000)).unwrap();
            } else {
                assert!(all.replace(id, sized(id, 50_000 + round * 100)).unwrap());
            }
        }
        let pages = db.stats().unwrap().page_count;
        if round == 2 {
            most = pages;
        }
        if round > 2 {
            assert!(pages <= most + most / 2, "{pages} pages in round {round}, {most} before");
        }
    }
    for id in 0..10 {
        assert!(all.replace(id, sized(id, 10)).unwrap());
    }
    assert_eq!(db.stats().unwrap().collections[0].overflow_pages, 0);
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_cursor_sees_large_documents_as_they_were_when_it_was_made() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    for id in 0..20 {
        all.insert(sized(id, 9_000)).unwrap();
    }
    let mut cursor = all.scan().unwrap();
    for id in 0..20 {
        if id % 2 == 0 {
            assert!(all.delete(id).unwrap());
        } else {
            assert!(all.replace(id, doc! { "small": true }).unwrap());
        }
    }
    db.collection("more").insert_many((0..50).map(|id| sized(id, 6_000))).unwrap();
    for id in 0..20 {
        let view = cursor.next().unwrap().unwrap();
        assert_eq!(view.to_document().unwrap(), sized(id, 9_000));
    }
    assert!(cursor.next().unwrap().is_none());
}
