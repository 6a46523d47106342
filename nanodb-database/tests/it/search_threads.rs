//! Searches on several threads, held against the same on one.

use std::sync::Arc;

use nanodb_database::{
    Collection, Database, Document, Error, ErrorKind, Filter, Find, Options, Projection, Sort,
    StoredDoc, Update, doc, field,
};
use nanodb_sim::{CallKind, Failure, Fault, SimStorage};
use proptest::prelude::*;

fn documents(found: impl Iterator<Item = Result<StoredDoc, Error>>) -> Vec<Document> {
    found.map(|document| document.unwrap().to_document().unwrap()).collect()
}

/// Documents on many pages, some of them in several pieces, with gaps where others were.
fn fill(all: &Collection, count: i64) {
    let document = |n: i64| {
        let filling = if n % 97 == 0 { 9_000 } else { 150 };
        doc! { "_id": n, "n": (n * 7 % 100), "filling": ("x".repeat(filling)) }
    };
    all.insert_many((0..count).map(document)).unwrap();
    all.delete_many(field("_id").gte(count / 3).and(field("_id").lt(count / 2))).unwrap();
}

fn collection(count: i64) -> Collection {
    let all = Database::in_memory().unwrap().collection("all");
    fill(&all, count);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn several_threads_find_what_one_finds(
        count in prop::sample::select(vec![0_i64, 1, 30, 3_000]),
        threads in prop::sample::select(vec![0_usize, 2, 3, 8, usize::MAX]),
        least in 0_i64..110,
        skip in prop_oneof![Just(0_u64), 0_u64..500],
        limit in prop_oneof![Just(None), (0_u64..10).prop_map(Some), (0_u64..2_000).prop_map(Some)],
        sorted in any::<bool>(),
        sort_bytes_max in prop::sample::select(vec![2_000_usize, 1 << 20]),
        projected in any::<bool>(),
        small_cache in any::<bool>(),
    ) {
        let options = Options::default().cache_bytes_max(if small_cache { 0 } else { 64 << 20 });
        let db = options.in_memory().unwrap();
        let all = db.collection("all");
        fill(&all, count);
        let find = |threads| -> Find<'_> {
            let mut find = all.find(field("n").gte(least)).skip(skip).threads(threads);
            if let Some(limit) = limit {
                find = find.limit(limit);
            }
            if sorted {
                find = find.sort(Sort::descending("n")).sort_bytes_max(sort_bytes_max);
            }
            if projected {
                find = find.projection(Projection::include(["n"]));
            }
            find
        };
        prop_assert_eq!(documents(find(threads).run().unwrap()), documents(find(1).run().unwrap()));
        prop_assert_eq!(find(threads).count().unwrap(), find(1).count().unwrap());
        let first = |threads| documents(find(threads).first().unwrap().map(Ok).into_iter());
        prop_assert_eq!(first(threads), first(1));
    }
}

/// How many threads of searches this process has; none where the system does not tell.
fn search_threads() -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let names = tasks.flatten().map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|name| name.starts_with("nanodb search")).count()
}

#[test]
fn a_search_is_as_of_one_moment_whatever_is_written_between_its_rounds() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    fill(&all, 3_000);
    let before = documents(all.iter().unwrap());
    let mut found = all.find(Filter::all()).threads(3).run().unwrap();
    let mut seen = documents(found.by_ref().take(10));
    let change = Update::parse_json(r#"{"$set": {"n": -1}, "$push": {"list": 1}}"#).unwrap();
    all.update_many(Filter::all(), &change).unwrap();
    all.delete_many(field("_id").lt(500)).unwrap();
    seen.extend(documents(found));
    assert_eq!(seen, before);

    let snapshot = db.snapshot().collection("all");
    all.delete_many(Filter::all()).unwrap();
    let find = || snapshot.find(field("n").eq(-1)).threads(3);
    assert_eq!(find().count().unwrap(), find().threads(1).count().unwrap());
    assert!(find().count().unwrap() > 1_000);

    // What a transaction sees, too.
    let tx = db.begin_write();
    let within = tx.collection("all");
    within.insert_many((0..2_000).map(|n| doc! { "_id": n, "n": 1 })).unwrap();
    assert_eq!(within.find(field("n").eq(1)).threads(4).count().unwrap(), 2_000);
    let mut found = within.find(field("n").eq(1)).threads(4).run().unwrap();
    assert!(found.next().unwrap().is_ok());
    assert_eq!(all.find(Filter::all()).threads(4).count().unwrap(), 0);
    drop(within);
    tx.rollback();
    let is_over = |error: Error| error.kind() == ErrorKind::TransactionOver;
    assert!(found.any(|document| document.is_err_and(is_over)));
}

#[test]
fn a_search_that_ends_early_has_not_looked_at_everything_and_leaves_no_thread() {
    let all = collection(20_000);
    let examined =
        all.find(Filter::all()).threads(2).limit(5).explain_analyze().unwrap().documents_examined;
    assert!(examined < 2_000, "{examined}");
    let whole = all.find(Filter::all()).threads(2).explain_analyze().unwrap();
    assert_eq!(whole.documents_examined, all.count().unwrap());
    assert_eq!(
        all.find(field("_id").eq(7)).threads(4).explain_analyze().unwrap().documents_examined,
        1
    );

    let mut found = all.find(Filter::all()).threads(4).run().unwrap();
    assert!(found.next().is_some());
    // Other tests run beside this one, so a thread may be theirs, but not for long.
    assert!((0..10_000).any(|_| {
        std::thread::yield_now();
        search_threads() == 0
    }));
    drop(found);
    let unlimited = all.find(Filter::all()).threads(4).limit(0).run().unwrap();
    assert_eq!(unlimited.count() as u64, all.count().unwrap());
}

#[test]
fn what_cannot_be_read_is_an_error_where_it_would_be_on_one_thread() {
    let storage = SimStorage::new();
    let options = Options::default().cache_bytes_max(0).background(false);
    let db = options.open_on(Arc::new(storage.clone())).unwrap();
    fill(&db.collection("all"), 3_000);
    db.close().unwrap();
    let mut bytes = storage.contents();
    // In the middle of the documents.
    for at in [bytes.len() / 2, bytes.len() / 2 + 40_000] {
        bytes[at] ^= 1;
    }
    storage.set_contents(bytes);
    let all = options.open_on(Arc::new(storage.clone())).unwrap().collection("all");
    let run = |threads| -> Vec<Result<Document, String>> {
        let found = all.find(field("n").gte(20)).threads(threads).run().unwrap();
        found
            .map(|document| match document {
                Ok(document) => Ok(document.to_document().unwrap()),
                Err(error) => Err(error.to_string()),
            })
            .collect()
    };
    let one = run(1);
    assert!(one.iter().filter(|document| document.is_err()).count() >= 2);
    assert!(run(3) == one && run(8) == one);
    let failed = |threads| {
        let find = || all.find(field("n").gte(20)).threads(threads);
        let count = find().count().unwrap_err();
        let sorted = find().sort(Sort::ascending("n")).run().map(drop).unwrap_err();
        assert_eq!((count.kind(), sorted.kind()), (ErrorKind::Damaged, ErrorKind::Damaged));
        (count.to_string(), sorted.to_string())
    };
    assert_eq!(failed(4), failed(1));

    // A disk that fails for good: each thread ends.
    storage.set_fault(Fault::once(5, Failure::Device).of(CallKind::Read).for_ever());
    assert!(all.find(field("n").gte(20)).threads(4).count().is_err());
    assert!(all.find(Filter::all()).threads(4).run().unwrap().any(|document| document.is_err()));
    storage.clear_fault();
}
