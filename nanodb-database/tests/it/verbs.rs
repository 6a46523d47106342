//! What the verbs take, and those that stand beside MongoDB's: `put`, `count_by`, `write_with`.

use nanodb_database::{
    BulkOperation, Collection, Database, Document, ErrorKind, Filter, FindOneAndModify, Id, IdRef,
    IntoUpdate, Projection, Result, Sort, Update, Value, WriteCollection, doc, field,
};

fn shop() -> (Database, Collection) {
    let db = Database::in_memory().unwrap();
    let items = db.collection("items");
    items
        .insert_many([
            doc! { "_id": 1, "name": "tea", "price": 4, "tags": ["hot", "dry"] },
            doc! { "_id": 2, "name": "milk", "price": 1, "tags": "cold" },
            doc! { "_id": 3, "name": "cocoa", "price": 6, "tags": ["hot", "hot"] },
        ])
        .unwrap();
    (db, items)
}

fn names(found: nanodb_database::Find<'_>) -> Vec<String> {
    let name = |document: Result<nanodb_database::StoredDoc>| {
        document.unwrap().to_document().unwrap()["name"].as_str().unwrap().to_owned()
    };
    found.run().unwrap().map(name).collect()
}

#[test]
fn a_document_is_taken_wherever_a_query_is() {
    let (db, items) = shop();
    let hot = doc! { "tags": "hot" };
    let wanted = ["cocoa", "tea"];
    assert_eq!(names(items.find(&hot).sort(doc! { "price": -1 })), wanted);
    assert_eq!(names(items.find(hot.clone()).sort(Sort::descending("price"))), wanted);
    let filter = field("tags").eq("hot");
    assert_eq!(names(items.find(&filter).sort(Sort::descending("price"))), wanted);
    assert_eq!(names(items.find(filter.clone()).sort(&doc! { "name": 1 })), wanted);
    let first =
        |found: nanodb_database::Find<'_>| found.first().unwrap().unwrap().to_document().unwrap();
    let only_name = doc! { "_id": 2, "name": "milk" };
    let milk = || items.find(doc! { "_id": 2 });
    assert_eq!(first(milk().projection(["name"])), only_name);
    assert_eq!(first(milk().projection(doc! { "name": 1 })), only_name);
    assert_eq!(first(milk().projection(Projection::include(["name"]))), only_name);

    let dearer = Update::new().inc("price", 1);
    assert_eq!(items.update_many(&hot, &dearer).unwrap().modified, 2);
    assert_eq!(items.update_one(&filter, dearer.clone()).unwrap().modified, 1);
    assert_eq!(items.update_many(doc! {}, &doc! { "$inc": { "price": 1 } }).unwrap().modified, 3);
    let upserted = items.upsert(doc! { "_id": 9 }, doc! { "$set": { "name": "x" } }).unwrap();
    assert_eq!(upserted.upserted, Some(9.into()));
    assert_eq!(items.replace_one(doc! { "_id": 9 }, doc! { "name": "y" }).unwrap().modified, 1);
    assert!(items.exists(doc! { "name": "y" }).unwrap());
    assert_eq!(items.delete_many(doc! { "name": "y" }).unwrap(), 1);
    let old = items.find_one_and_update(doc! { "_id": 1 }, doc! { "$set": { "name": "TEA" } });
    assert_eq!(old.run().unwrap().unwrap().to_document().unwrap()["name"], "tea");
    assert_eq!(items.distinct("tags", doc! { "_id": { "$ne": 2 } }).unwrap().len(), 2);
    let done = items.bulk_write([
        BulkOperation::update_many(&hot, doc! { "$unset": { "tags": "" } }),
        BulkOperation::update_one(doc! { "_id": 1 }, &dearer),
        BulkOperation::delete_one(hot),
    ]);
    assert_eq!(done.unwrap().modified, 3);
    db.write(|tx| {
        let items = tx.collection("items");
        assert_eq!(items.update_many(doc! {}, Update::new().set("n", 1))?.modified, 3);
        assert_eq!(items.count_documents(doc! { "n": 1 })?, 3);
        Ok(())
    })
    .unwrap();
    assert_eq!(db.snapshot().collection("items").count_documents(doc! { "n": 1 }).unwrap(), 3);
}

#[test]
fn an_id_is_taken_in_any_form() {
    let (_, items) = shop();
    let number = 1_u64;
    assert!(items.contains(1).unwrap() && items.contains(number).unwrap());
    assert!(items.get(Id::from(1)).unwrap().is_some() && items.get(Id::from(1)).unwrap().is_some());
    assert!(items.get(IdRef::from(1)).unwrap().is_some());
    let key = String::from("key");
    items.put(&key, doc! {}).unwrap();
    assert!(items.contains(key.as_str()).unwrap() && items.contains(key).unwrap());
    items.put([7_u8; 16], doc! {}).unwrap();
    assert!(items.contains(vec![7_u8; 16]).unwrap() && items.contains(&[7_u8; 16][..]).unwrap());
    let ids = vec![Id::from(1), Id::from("key"), Id::from(8)];
    let found = items.get_many(&ids).unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(items.get_many(ids).unwrap().len(), 3);
    assert!(items.delete("key").unwrap());
}

/// Nothing is done, nothing is returned, and the error says what is wrong.
#[test]
fn what_is_refused_is_the_error_of_the_call() {
    let (db, items) = shop();
    let before: Vec<_> = items.iter().unwrap().map(|item| item.unwrap().to_string()).collect();
    let filter = || doc! { "price": { "$gtt": 3 } };
    let update = || doc! { "price": 3 };
    let all = Filter::all;
    let set = || Update::new().set("a", 1);
    let errors = [
        (items.find(filter()).run().unwrap_err(), "unknown operator `$gtt` on `price`"),
        (items.find(filter()).count().unwrap_err(), "`$gtt`"),
        (items.find(all()).sort(doc! { "a": 2 }).count().unwrap_err(), "sorted by 1 or -1"),
        (items.find(all()).projection(["a", "a"]).count().unwrap_err(), "collide"),
        (items.find(filter()).explain().unwrap_err(), "`$gtt`"),
        (items.find_one(filter()).unwrap_err(), "`$gtt`"),
        (items.exists(filter()).unwrap_err(), "`$gtt`"),
        (items.distinct("price", filter()).unwrap_err(), "`$gtt`"),
        (items.count_by("price", filter()).unwrap_err(), "`$gtt`"),
        (items.delete_many(filter()).unwrap_err(), "`$gtt`"),
        (items.delete_one(filter()).unwrap_err(), "`$gtt`"),
        (items.update_many(filter(), set()).unwrap_err(), "`$gtt`"),
        (items.replace_one(filter(), doc! {}).unwrap_err(), "`$gtt`"),
        (items.replace_or_insert(filter(), doc! {}).unwrap_err(), "`$gtt`"),
        (items.upsert(filter(), set()).unwrap_err(), "`$gtt`"),
        (items.find_one_and_delete(filter()).run().unwrap_err(), "`$gtt`"),
        (items.find_one_and_update(filter(), set()).run().unwrap_err(), "`$gtt`"),
        (items.update_many(all(), update()).unwrap_err(), "`price`"),
        (items.update_one(all(), update()).unwrap_err(), "`price`"),
        (items.update_one(all(), Update::new()).unwrap_err(), "must have operators"),
        // Whether a document passes or not.
        (items.update_one(doc! { "_id": 99 }, update()).unwrap_err(), "`price`"),
        (items.upsert(doc! { "_id": 99 }, update()).unwrap_err(), "`price`"),
        (items.find_one_and_update(doc! { "_id": 99 }, update()).run().unwrap_err(), "`price`"),
        (items.find_one_and_update(all(), update()).upsert().run().unwrap_err(), "`price`"),
        (items.find(all()).sort(doc! { "a": 2 }).run().unwrap_err(), "sorted by 1 or -1"),
        (items.find(all()).projection(["a", "a.b"]).run().unwrap_err(), "collide"),
        (items.find(doc! { "_id": 99 }).projection(["a", "a"]).first().unwrap_err(), "collide"),
        (items.find(all()).projection(["a", "a"]).explain().unwrap_err(), "collide"),
        (items.find_one_and_delete(all()).projection(["a", "a"]).run().unwrap_err(), "collide"),
        (
            items.find_one_and_delete(all()).sort(doc! { "a": "x" }).run().unwrap_err(),
            "sorted by 1 or -1",
        ),
    ];
    for (error, text) in errors {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let mut whole = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            whole.push_str(&cause.to_string());
            source = cause.source();
        }
        assert!(whole.contains(text), "{whole} lacks {text}");
    }
    db.write(|tx| {
        let items = tx.collection("items");
        assert!(items.update_many(doc! {}, update()).is_err());
        assert!(items.find_one_and_update(doc! {}, update()).run().is_err());
        assert!(items.bulk_write([BulkOperation::update_many(doc! {}, update())]).is_err());
        Ok(())
    })
    .unwrap();
    assert!(items.bulk_write([BulkOperation::upsert(doc! { "_id": 99 }, update())]).is_err());
    let after: Vec<_> = items.iter().unwrap().map(|item| item.unwrap().to_string()).collect();
    assert_eq!(after, before);
}

/// The same through every handle that writes.
fn update_all(items: &impl WriteCollection) {
    items.insert(doc! { "_id": "a", "n": 1, "list": [1, 2] }).unwrap();
    let found = || items.get("a").unwrap().unwrap().to_document().unwrap();
    assert!(items.update("a", Update::new().inc("n", 1)).unwrap());
    assert!(items.update(String::from("a"), &doc! { "$set": { "b": true } }).unwrap());
    let expected = doc! { "_id": "a", "n": 2, "list": [1, 2], "b": true };
    assert_eq!(found(), expected);
    // It is there, whether it changes or not.
    assert!(items.update("a", Update::new().set("n", 2)).unwrap());
    assert!(!items.update("b", Update::new().inc("n", 1)).unwrap());
    assert!(!items.update(7, doc! { "$set": { "n": 1 } }).unwrap());
    assert_eq!(items.count().unwrap(), 1);
    for (update, text) in [
        (Update::new(), "an update must have operators"),
        (doc! { "n": 3 }.into_update(), "unknown operator `n`"),
        (Update::new().set("_id", "b"), "updating the document with the id \"a\": "),
        (Update::new().inc("list", 1), "updating the document with the id \"a\": "),
        // No filter has found an element.
        (Update::new().set("list.$", 5), "updating the document with the id \"a\": "),
        (
            Update::new().set("x", "x".repeat(17 << 20)),
            "the value at `$set.x` takes 17825792 bytes",
        ),
    ] {
        let error = items.update("a", &update).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
        // What is no update is refused whether there is such a document or not.
        assert_eq!(items.update("b", &update).is_err(), update.check().is_err());
    }
    assert_eq!(found(), expected);
    assert!(items.update("a", Update::replacement(doc! { "s": "x".repeat(100_000) })).unwrap());
    assert_eq!(found()["s"].as_str().unwrap().len(), 100_000);
}

#[test]
fn update_changes_the_document_with_an_id() {
    let db = Database::in_memory().unwrap();
    update_all(&db.collection("direct"));
    db.write(|tx| {
        update_all(&tx.collection("within"));
        Ok(())
    })
    .unwrap();
    assert!(db.check().unwrap().is_clean());
    // A collection that is not there is not made.
    assert!(!db.collection("none").update(1, Update::new().set("a", 1)).unwrap());
    let names: Vec<String> = db.collections().unwrap().into_iter().map(|info| info.name).collect();
    assert_eq!(names, ["direct", "within"]);
}

#[test]
fn threads_that_update_the_same_document_lose_nothing() {
    let db = Database::in_memory().unwrap();
    let items = db.collection("items");
    items.insert(doc! { "_id": 1, "n": 0 }).unwrap();
    let count = Update::new().inc("n", 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).all(|_| items.update(1, &count).unwrap()));
        }
    });
    assert_eq!(items.get(1).unwrap().unwrap().get_i64("n").unwrap(), 800);
}

#[test]
fn what_has_no_meaning_for_a_deletion_is_refused_and_nothing_is_deleted() {
    fn check<'c>(delete: impl Fn() -> FindOneAndModify<'c>) {
        for (modify, method) in [
            (delete().upsert(), "`upsert`"),
            (delete().return_new(), "`return_new`"),
            (delete().return_new().upsert(), "`upsert`"),
        ] {
            let error = modify.run().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            assert!(error.to_string().starts_with(method), "{error}");
            assert!(error.to_string().contains("`find_one_and_delete`"), "{error}");
        }
    }
    let (db, items) = shop();
    check(|| items.find_one_and_delete(doc! {}));
    check(|| items.find_one_and_delete(doc! { "_id": 99 }));
    let tx = db.begin_write();
    let within = tx.collection("items");
    check(|| within.find_one_and_delete(doc! {}));
    tx.commit().unwrap();
    assert_eq!(items.count().unwrap(), 3);
    assert!(items.find_one_and_delete(doc! {}).run().unwrap().is_some());
}

/// The same through every handle that writes.
fn put_all(items: &impl WriteCollection) {
    assert!(!items.put("a", doc! { "n": 1 }).unwrap());
    assert!(items.put("a", doc! { "_id": "a", "n": 2 }).unwrap());
    let found = items.get("a").unwrap().unwrap().to_document().unwrap();
    assert_eq!(found, doc! { "_id": "a", "n": 2 });
    assert_eq!(items.put("a", doc! { "_id": "b" }).unwrap_err().kind(), ErrorKind::Invalid);
    // Of integers, those that are chosen count as those that are assigned.
    assert!(!items.put(40, doc! {}).unwrap());
    assert_eq!(items.insert(doc! {}).unwrap(), 41.into());
    assert!(items.put(41, doc! { "n": "x".repeat(100_000) }).unwrap());
    assert_eq!(items.count_documents(doc! { "n": { "$type": "string" } }).unwrap(), 1);
    let id = "x".repeat(5_000);
    assert_eq!(items.put(id, doc! {}).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn put_replaces_or_inserts() {
    let db = Database::in_memory().unwrap();
    put_all(&db.collection("direct"));
    assert_eq!(db.collection("direct").iter().unwrap().count(), 3);
    db.write(|tx| {
        put_all(&tx.collection("within"));
        Ok(())
    })
    .unwrap();
    assert_eq!(db.collection("within").iter().unwrap().count(), 3);
    assert!(db.check().unwrap().is_clean());
}

#[test]
fn threads_that_put_the_same_id_leave_one_document() {
    let db = Database::in_memory().unwrap();
    let items = db.collection("items");
    let inserted: usize = std::thread::scope(|scope| {
        let put = |thread: i32| {
            let items = items.clone();
            move || (0..200).filter(|n| !items.put(n % 5, doc! { "by": thread }).unwrap()).count()
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(put(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((inserted, items.iter().unwrap().count()), (5, 5));
}

#[test]
fn count_by_counts_documents() {
    let (db, items) = shop();
    let tags = items.count_by("tags", doc! {}).unwrap();
    let values = |counts: &[(&str, u64)]| -> Vec<(Value, u64)> {
        counts.iter().map(|&(value, count)| (Value::from(value), count)).collect()
    };
    // Twice in one document is once; the most frequent comes first, then by value.
    assert_eq!(tags, values(&[("hot", 2), ("cold", 1), ("dry", 1)]));
    let cheap = doc! { "price": { "$lt": 5 } };
    assert_eq!(
        db.snapshot().collection("items").count_by("tags", &cheap).unwrap(),
        values(&[("cold", 1), ("dry", 1), ("hot", 1)]),
    );
    items.insert_many([doc! { "price": 1.0 }, doc! { "price": null }]).unwrap();
    let prices = items.count_by("price", doc! {}).unwrap();
    // Numbers are one value if they are equal; a field that is missing is none.
    assert_eq!(prices[0], (Value::from(1), 2));
    assert_eq!(prices[1], (Value::Null, 1));
    assert_eq!(items.count_by("nothing", doc! {}).unwrap(), []);
    let path = "a.".repeat(200);
    assert_eq!(items.count_by(&path, doc! {}).unwrap_err().kind(), ErrorKind::Invalid);
    let distinct: Vec<Value> = items.distinct("tags", doc! {}).unwrap();
    assert_eq!(distinct, ["cold", "dry", "hot"].map(Value::from));
}

#[test]
fn a_transaction_ends_in_an_error_of_the_program_and_nothing_is_done() {
    #[derive(Debug, PartialEq)]
    enum Mine {
        Wanted(i32),
        Database(ErrorKind),
    }
    impl From<nanodb_database::Error> for Mine {
        fn from(error: nanodb_database::Error) -> Self {
            Self::Database(error.kind())
        }
    }
    let (db, items) = shop();
    let ended: std::result::Result<(), Mine> = db.write_with(|tx| {
        tx.collection("items").delete(1)?;
        Err(Mine::Wanted(5))
    });
    assert_eq!(ended, Err(Mine::Wanted(5)));
    let taken =
        db.write_with(|tx| Ok::<_, Mine>(tx.collection("items").insert(doc! { "_id": 1 })?));
    assert_eq!(taken, Err(Mine::Database(ErrorKind::DuplicateId)));
    assert_eq!(db.write_with(|tx| Ok::<_, Mine>(tx.collection("items").count()?)), Ok(3));
    assert!(items.contains(1).unwrap());
}

#[test]
fn text_is_found_as_it_is_typed() {
    let (_, items) = shop();
    items.insert(doc! { "_id": 7, "name": "C++ (2nd)" }).unwrap();
    let found = |filter: Filter| -> Vec<Document> {
        let found = items.find(filter).projection(doc! { "name": 1, "_id": 0 }).run().unwrap();
        found.map(|document| document.unwrap().to_document().unwrap()).collect()
    };
    let book = || vec![doc! { "name": "C++ (2nd)" }];
    assert_eq!(found(field("name").contains("+ (")), book());
    assert_eq!(found(field("name").contains("c++")), []);
    assert_eq!(found(field("name").contains("c++").ignoring_case()), book());
    assert_eq!(found(field("name").starts_with("C+")), book());
    assert_eq!(found(field("name").ends_with("2ND)").ignoring_case()), book());
}
