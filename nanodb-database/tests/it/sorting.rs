//! Sorts that take more memory than they may, held against a sort of all documents in memory.

use std::io;
use std::sync::Arc;

use nanodb_collection::EngineError;
use nanodb_database::{
    Collection, Database, Document, Error, ErrorKind, Filter, Options, Projection, Sort, StoredDoc,
    Timestamp, Value, array, doc,
};
use nanodb_query::bytes::SortBytes;
use nanodb_sim::{CallKind, Failure, Fault, SimStorage};
use proptest::prelude::*;

use super::internal;

fn documents(found: impl Iterator<Item = Result<StoredDoc, Error>>) -> Vec<Document> {
    found.map(|document| document.unwrap().to_document().unwrap()).collect()
}

/// What sorts: of all types, with many that are equal, and now and then a long one.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-3_i64..3).prop_map(Value::from),
        2 => prop::sample::select(vec![-0.5, 1.0, 1.5, f64::NAN, f64::INFINITY]).prop_map(Value::from),
        2 => "[ab]{0,3}".prop_map(Value::from),
        1 => (0_usize..2).prop_map(|n| Value::from(format!("{}{n}", "long".repeat(10)))),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => prop::collection::vec(0_u8..2, 0..3).prop_map(Value::Binary),
        1 => (0_i64..3).prop_map(|n| Value::from(Timestamp::new(n, 0).unwrap())),
        1 => (0_i64..2).prop_map(|n| Value::from(doc! { "x": n })),
        1 => (0_i64..2).prop_map(|n| Value::from(array![n, "z"])),
        1 => Just(Value::from(array![])),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    (value(), prop::option::of(value()), 0_usize..400).prop_map(|(a, b, filling)| {
        let mut document = doc! { "a": a };
        if let Some(b) = b {
            document.insert("b", b);
        }
        // One in a few has pieces on several pages.
        let filling = if filling > 390 { filling * 30 } else { filling };
        document.insert("filling", "x".repeat(filling));
        document
    })
}

/// All documents in order, by the keys that the query crate makes.
fn expected(all: &Collection, sort: &Sort) -> Vec<Document> {
    let with_key = |document: Result<StoredDoc, Error>| {
        let document = document.unwrap();
        (sort.key(document.as_bytes()).unwrap(), document.to_document().unwrap())
    };
    let mut all: Vec<_> = all.iter().unwrap().map(with_key).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all.into_iter().map(|(_, document)| document).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_sort_within_any_budget_is_a_sort(
        given in prop::collection::vec(document(), 0..150),
        fields in prop::collection::vec((prop::sample::select(vec!["a", "b", "a.x"]), any::<bool>()), 1..3),
        bytes_max in prop::sample::select(vec![0, 700, 5_000, 20_000, 1 << 20]),
        by_place in any::<bool>(),
        skip in prop_oneof![Just(0_usize), 0_usize..200],
        limit in prop_oneof![Just(None), (0_usize..20).prop_map(Some), (0_usize..200).prop_map(Some)],
        projected in any::<bool>(),
    ) {
        let sort = fields.iter().fold(Sort::default(), |sort, &(path, descending)| {
            if descending { sort.then_descending(path) } else { sort.then_ascending(path) }
        });
        let options = Options::default().cache_bytes_max(if by_place { 64 << 20 } else { 0 });
        let all = options.in_memory().unwrap().collection("all");
        all.insert_many(given).unwrap();
        let mut wanted = expected(&all, &sort);
        // 0 is no limit.
        let taken = limit.filter(|&limit| limit > 0).unwrap_or(usize::MAX);
        wanted = wanted.into_iter().skip(skip).take(taken).collect();
        let mut find = all.find(Filter::all()).sort(sort).skip(skip as u64).sort_bytes_max(bytes_max);
        if let Some(limit) = limit {
            find = find.limit(limit as u64);
        }
        if projected {
            find = find.projection(Projection::exclude(["filling"]));
            for document in &mut wanted {
                document.remove("filling");
            }
        }
        let found = documents(find.run().unwrap());
        // By their text: NaN is not equal to itself.
        prop_assert_eq!(format!("{found:?}"), format!("{wanted:?}"));
    }
}

/// Numbers in disorder, each with some bytes.
fn numbers(options: &Options, storage: &SimStorage, count: i64, filling: usize) -> Collection {
    let all = options.open_on(Arc::new(storage.clone())).unwrap().collection("all");
    let filling = "x".repeat(filling);
    let document = |n| doc! { "n": ((n * 7919) % count), "filling": (filling.as_str()) };
    all.insert_many((0..count).map(document)).unwrap();
    all
}

fn ascending() -> Sort {
    Sort::ascending("n")
}

#[test]
fn a_sort_above_its_budget_goes_to_a_temporary_file_and_one_with_a_limit_does_not() {
    let storage = SimStorage::new();
    let small_cache = Options::default().cache_bytes_max(0);
    let all = numbers(&small_cache, &storage, 5_000, 200);
    let find = || all.find(Filter::all()).sort(ascending());
    assert_eq!(find().explain_analyze().unwrap().temporary_bytes, 0);

    let within = find().sort_bytes_max(100_000);
    let explain = within.clone().explain_analyze().unwrap();
    assert_eq!((explain.documents_examined, explain.documents_returned), (5_000, 5_000));
    assert!(explain.temporary_bytes > 1_000_000, "{explain}");
    assert!(explain.temporary_bytes < 1_500_000, "once is enough: {explain}");
    let numbers = |found: nanodb_database::Cursor| -> Vec<i64> {
        found.map(|document| document.unwrap().get("n").unwrap().as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(within.clone().run().unwrap()), (0..5_000).collect::<Vec<_>>());

    // Only what can be handed out is kept; if that is too much, it goes to the file as well.
    let limited = within.clone().skip(50).limit(50);
    assert_eq!(limited.clone().explain_analyze().unwrap().temporary_bytes, 0);
    assert_eq!(numbers(limited.run().unwrap()), (50..100).collect::<Vec<_>>());
    let limited = within.skip(1_000).limit(1_000);
    assert!(limited.clone().explain_analyze().unwrap().temporary_bytes > 0);
    assert_eq!(numbers(limited.run().unwrap()), (1_000..2_000).collect::<Vec<_>>());

    // So many runs that they are not all merged at once.
    let tiny = find().sort_bytes_max(3_000);
    assert!(tiny.clone().explain_analyze().unwrap().temporary_bytes > 2_500_000);
    assert_eq!(numbers(tiny.run().unwrap()), (0..5_000).collect::<Vec<_>>());

    // Where the collection fits into the cache, documents are not copied.
    drop(all);
    let all = Options::default().open_on(Arc::new(storage)).unwrap().collection("all");
    let by_place = all.find(Filter::all()).sort(ascending()).sort_bytes_max(100_000);
    let explain = by_place.clone().explain_analyze().unwrap();
    assert!((100_000..250_000).contains(&explain.temporary_bytes), "{explain}");
    assert_eq!(numbers(by_place.run().unwrap()), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn documents_that_are_larger_than_the_budget_are_sorted() {
    let all = Database::in_memory().unwrap().collection("all");
    let large = "x".repeat(3_000_000);
    for n in [3, 1, 2, 0] {
        all.insert(doc! { "n": (format!("{large}{n}")) }).unwrap();
    }
    for bytes_max in [0, 1 << 20, 10 << 20] {
        let find = all.find(Filter::all()).sort(ascending()).sort_bytes_max(bytes_max);
        let ids: Vec<_> = documents(find.run().unwrap())
            .iter()
            .map(|document| document.get("_id").and_then(|id| id.as_i64()).unwrap())
            .collect();
        assert_eq!(ids, [4, 2, 3, 1]);
    }
}

#[test]
fn a_sort_is_as_of_one_moment_and_outlives_the_transaction_it_was_made_in() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    all.insert_many((0..500).map(|n| doc! { "n": (499 - n) })).unwrap();
    for bytes_max in [1_000, 1 << 20] {
        let found = all.find(Filter::all()).sort(ascending()).sort_bytes_max(bytes_max).run();
        all.delete_many(Filter::all()).unwrap();
        all.insert_many((0..500).map(|n| doc! { "n": (499 - n), "later": true })).unwrap();
        let found = documents(found.unwrap());
        assert_eq!(found.len(), 500);
        assert!(found.is_sorted_by_key(|document| document.get("n").unwrap().as_i64()));
        all.delete_many(Filter::all()).unwrap();
        all.insert_many((0..500).map(|n| doc! { "n": (499 - n) })).unwrap();

        let tx = db.begin_write();
        tx.collection("all").insert(doc! { "n": -1 }).unwrap();
        let within = tx.collection("all");
        let found = within.find(Filter::all()).sort(ascending()).sort_bytes_max(bytes_max).run();
        tx.rollback();
        let found = documents(found.unwrap());
        assert_eq!((found.len(), found[0].get("n").unwrap().as_i64()), (501, Some(-1)));
    }
}

#[test]
fn a_temporary_file_that_fails_is_an_error_that_says_so_and_harms_nothing_else() {
    let storage = SimStorage::new();
    let all = numbers(&Options::default().cache_bytes_max(0), &storage, 2_000, 100);
    let find = || all.find(Filter::all()).sort(ascending()).sort_bytes_max(10_000);
    let mut failed = 0;
    for failure in [Failure::Device, Failure::NoSpace, Failure::Short] {
        // Not each call: each costs a whole sort.
        for after in (0..).step_by(29) {
            storage.set_fault(Fault::once(after, failure).of(CallKind::TempFile));
            let found = find().run();
            let error = match found {
                Err(error) => error,
                Ok(mut found) => match found.by_ref().find_map(Result::err) {
                    Some(error) => {
                        assert!(found.next().is_none(), "after an error there is no more");
                        error
                    }
                    None => break,
                },
            };
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.to_string().starts_with("a sort of more than 10000 bytes"), "{error:?}");
            let Some(EngineError::Storage(source)) = internal(&error) else { panic!("{error:?}") };
            assert!(source.to_string().contains("temporary file"), "{source}");
            failed += 1;
        }
    }
    assert!(failed > 20, "{failed}");
    storage.clear_fault();
    assert_eq!(documents(find().run().unwrap()).len(), 2_000);
    // With a limit no such file is needed.
    storage.set_fault(Fault::once(0, Failure::NoSpace).of(CallKind::TempFile).for_ever());
    assert_eq!(documents(find().limit(10).run().unwrap()).len(), 10);
    all.insert(doc! { "n": 1 }).unwrap();
}

#[test]
fn damage_to_the_temporary_file_is_noticed() {
    let storage = SimStorage::new();
    let all = numbers(&Options::default().cache_bytes_max(0), &storage, 2_000, 100);
    let find = || all.find(Filter::all()).sort(ascending()).sort_bytes_max(100_000);
    let sorted = documents(find().run().unwrap());
    let len = storage.temp_file_contents().len();
    assert!(len > 200_000);
    let mut noticed = 0;
    for at in (0..len).step_by(19_999) {
        let mut found = find().run().unwrap();
        let mut bytes = storage.temp_file_contents();
        bytes[at] ^= 1;
        storage.set_temp_file_contents(bytes);
        let mut good = Vec::new();
        let error = loop {
            match found.next() {
                Some(Ok(document)) => good.push(document.to_document().unwrap()),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        assert_eq!(good, sorted[..good.len()]);
        // What was in memory already is handed out.
        let Some(error) = &error else {
            assert_eq!(good.len(), 2_000);
            continue;
        };
        assert!(error.to_string().starts_with("a sort of more than"), "{error:?}");
        assert_eq!(error.io_error().unwrap().kind(), io::ErrorKind::InvalidData);
        noticed += 1;
    }
    assert!(noticed > 3);
}
