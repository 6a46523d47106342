//! A page that cannot be read costs the documents on it, and no more.

use nanodb::{Database, ErrorKind, doc};

#[test]
fn a_damaged_page_costs_its_documents_and_is_never_taken_for_their_absence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = Database::open(&path).unwrap();
    let all = db.collection("all");
    all.insert_many((1..=1000).map(|n| doc! { "n": n, "pad": "p".repeat(150) })).unwrap();
    let other = db.collection("other");
    other.insert(doc! { "_id": "here" }).unwrap();
    drop((all, other));
    db.close().unwrap();

    let mut bytes = std::fs::read(&path).unwrap();
    let page = 12;
    bytes[page * 4096 + 2000] ^= 1;
    std::fs::write(&path, bytes).unwrap();

    let db = Database::open(&path).unwrap();
    let all = db.collection("all");
    let lost: Vec<i32> = (1..=1000).filter(|&id| all.get(id).is_err()).collect();
    assert!((15..30).contains(&lost.len()), "{} lost", lost.len());
    for &id in &lost {
        // The index knows that it is on that page.
        let error = all.get(id).unwrap_err();
        assert_eq!((error.kind(), error.page()), (ErrorKind::Damaged, Some(page as u32)));
        assert!(all.contains(id).is_err() && all.delete(id).is_err());
        assert!(all.replace(id, doc! {}).is_err());
        assert!(all.insert(doc! { "_id": id }).is_err());
        assert!(all.get_many([1, id]).is_err());
    }
    // And that this one is not: damage to a page of documents is none to the index.
    assert!(all.get("never there").unwrap().is_none());
    assert!(!all.contains(1_000_000).unwrap());
    // What needs no look-up goes on.
    assert_eq!(all.insert(doc! {}).unwrap(), 1001.into());
    assert!(db.collection("other").get("never there").unwrap().is_none());

    let (mut seen, mut errors) = (0, 0);
    let mut cursor = all.scan().unwrap();
    loop {
        match cursor.next() {
            Ok(Some(_)) => seen += 1,
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.page(), Some(page as u32));
                errors += 1;
            }
        }
    }
    assert_eq!((seen, errors), (1001 - lost.len(), 1));
    assert_eq!(all.iter().unwrap().filter(|document| document.is_ok()).count(), seen);

    let report = db.check().unwrap();
    assert!(!report.is_clean());
    assert!(report.problems.iter().all(|problem| problem.page == Some(page as u32)), "{report}");
}
