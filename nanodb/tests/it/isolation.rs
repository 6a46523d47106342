//! Transactions that interleave, step by step: what each of them sees and does.

mod allowed;
mod prevented;
mod session;

use nanodb::{Database, Durability, StoredDoc, Transaction, doc};

/// A database in memory, and one in a file, in a directory to be kept as long as that.
fn databases() -> [(Database, Option<tempfile::TempDir>); 2] {
    let dir = tempfile::tempdir().unwrap();
    let options = Database::options().durability(Durability::Buffered);
    let file = options.open(dir.path().join("data.nanodb")).unwrap();
    [(Database::in_memory().unwrap(), None), (file, Some(dir))]
}

/// Runs a test on each of them, with the documents 1 and 2 in one collection: 10 and 20.
fn in_one_collection(test: impl Fn(&Database)) {
    for (db, _dir) in databases() {
        db.collection("test").insert_many([doc(1, 10), doc(2, 20)]).unwrap();
        test(&db);
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

/// The same with a collection for each of the two.
fn in_two_collections(test: impl Fn(&Database)) {
    for (db, _dir) in databases() {
        db.collection("a").insert(doc(1, 10)).unwrap();
        db.collection("b").insert(doc(2, 20)).unwrap();
        test(&db);
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

fn doc(id: i64, value: i64) -> nanodb::Document {
    doc! { "_id": id, "value": value }
}

fn value(document: Option<StoredDoc>) -> Option<i64> {
    document?.get("value")?.as_i64()
}

type Values = Vec<(i64, i64)>;

fn values(documents: nanodb::ScanIter) -> Values {
    let pair = |document: nanodb::Result<StoredDoc>| {
        let document = document.unwrap();
        let number = |name| document.get(name).and_then(|value| value.as_i64()).unwrap();
        (number("_id"), number("value"))
    };
    let mut values: Vec<_> = documents.map(pair).collect();
    values.sort_unstable();
    values
}

/// What a transaction reads of a document.
fn get(tx: &Transaction, collection: &str, id: i64) -> nanodb::Result<Option<i64>> {
    Ok(value(tx.collection(collection).get(id)?))
}

/// Lets a transaction change a document, which is there.
fn set(tx: &Transaction, collection: &str, id: i64, value: i64) -> nanodb::Result<()> {
    assert!(tx.collection(collection).replace(id, doc(id, value))?);
    Ok(())
}

/// What a transaction finds by a predicate.
fn find(
    tx: &Transaction,
    collection: &str,
    matches: impl Fn(i64) -> bool,
) -> nanodb::Result<Values> {
    let mut found = values(tx.collection(collection).iter()?);
    found.retain(|&(_, value)| matches(value));
    Ok(found)
}

/// What everybody sees of a collection.
fn all(db: &Database, collection: &str) -> Values {
    values(db.collection(collection).iter().unwrap())
}
