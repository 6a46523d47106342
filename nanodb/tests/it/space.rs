//! How much larger than its data a file is.

use nanodb::{Database, Encode, doc};

/// The file's bytes over those of the documents, for documents of one size.
fn ratio(size: usize, total: usize) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let mut encoded = Vec::new();
    let empty = doc! { "text": "" }.encode(Some((1 << 20).into()), &mut encoded).unwrap();
    let overhead = empty.record(&encoded).len() + if size > 300 { 2 } else { 1 };
    let document = doc! { "text": "x".repeat(size.saturating_sub(overhead)) };

    let db = Database::open(&path).unwrap();
    let all = db.collection("all");
    let mut left = total / size;
    while left > 0 {
        let batch = left.min(500);
        all.insert_many((0..batch).map(|_| &document)).unwrap();
        left -= batch;
    }
    let mut bytes = 0;
    all.scan().unwrap().for_each(|view| bytes += view.as_bytes().len()).unwrap();
    drop(all);
    db.close().unwrap();
    std::fs::metadata(&path).unwrap().len() as f64 / bytes as f64
}

#[test]
fn a_file_is_at_most_a_quarter_larger_than_its_documents_of_any_one_size() {
    let sizes = [
        50, 80, 165, 350, 509, 513, 700, 1000, 1370, 1400, 1800, 2040, 2050, 2600, 3000, 3500,
        3700, 4000, 4060, 4100, 4500, 6000, 8000, 8200, 12_000, 20_000,
    ];
    let worst = sizes.map(|size| (ratio(size, 6_000_000), size));
    for (ratio, size) in worst {
        assert!(ratio <= 1.25, "{ratio:.3} for documents of {size} bytes");
    }
    let (ratio, _) = worst[2];
    assert!(ratio <= 1.11, "{ratio:.3} for documents of 165 bytes");
}

#[test]
fn a_database_without_documents_is_small() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    Database::open(&path).unwrap().close().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() <= 16 * 1024);
}
