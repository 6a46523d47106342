//! Each verb does what it says.

use std::ptr;

use nanodb_ffi::*;

use crate::c::{Coll, Db, at, bytes, call, text, updated};

fn three() -> (Db, Coll) {
    let db = Db::in_memory();
    let users = db.collection("users");
    let ids = users.insert_many(
        r#"[{"_id": 1, "name": "Ann", "age": 30}, {"_id": 2, "name": "Bob", "age": 12},
            {"_id": 3, "name": "Cem", "age": 45}]"#,
    );
    assert_eq!(ids.unwrap(), "[1,2,3]");
    (db, users)
}

#[test]
fn inserts_return_ids_and_refuse_what_breaks_a_rule() {
    let db = Db::in_memory();
    let users = db.collection("users");
    assert_eq!(users.insert(r#"{"name": "Ann"}"#).unwrap(), "1");
    assert_eq!(users.insert(r#"{"_id": "b"}"#).unwrap(), r#""b""#);
    assert_eq!(
        users.insert(r#"{"_id": {"$oid": "65a1b2c3d4e5f60718293a4b"}}"#).unwrap(),
        r#"{"$oid":"65a1b2c3d4e5f60718293a4b"}"#
    );
    let uuid = r#"{"$uuid":"123e4567-e89b-12d3-a456-426614174000"}"#;
    assert_eq!(users.insert(&format!(r#"{{"_id": {uuid}}}"#)).unwrap(), uuid);

    let taken = users.insert(r#"{"_id": "b"}"#).unwrap_err();
    assert_eq!(taken.status, NANODB_DUPLICATE_ID);
    assert_eq!(taken.details, r#"{"status":"NANODB_DUPLICATE_ID","collection":"users","id":"b"}"#);
    let wrong = users.insert(r#"{"a": {"$dat": 1}}"#).unwrap_err();
    assert_eq!(wrong.status, NANODB_INVALID);
    assert!(wrong.details.contains(r#""line":1,"column":7"#), "{wrong:?}");
    assert_eq!(users.count().unwrap(), 4);
}

#[test]
fn many_documents_are_inserted_all_or_none_from_an_array_or_in_a_row() {
    let db = Db::in_memory();
    let logs = db.collection("logs");
    assert_eq!(logs.insert_many("{\"n\": 1}\n{\"n\": 2}\n").unwrap(), "[1,2]");
    assert_eq!(logs.insert_many("[]").unwrap(), "[]");
    let refused = logs.insert_many(r#"[{"n": 3}, {"n": {"$dat": 5}}]"#).unwrap_err();
    assert_eq!(refused.status, NANODB_INVALID);
    assert!(refused.message.starts_with("document 1 of those given, counted from 0: "));
    assert!(refused.details.contains(r#""operation":1"#), "{refused:?}");
    assert_eq!(
        logs.insert_many(r#"[{"n": 3}, {"_id": 2}]"#).unwrap_err().status,
        NANODB_DUPLICATE_ID
    );
    assert_eq!(logs.count().unwrap(), 2);
}

#[test]
fn documents_are_read_stored_and_deleted_by_id() {
    let (_db, users) = three();
    assert_eq!(users.get("1").unwrap().unwrap(), r#"{"_id":1,"name":"Ann","age":30}"#);
    assert_eq!(users.get("9").unwrap(), None);
    assert_eq!(users.get("\"1\"").unwrap(), None);

    let (mut document, mut flag) = (nanodb_buf::default(), false);
    call!(nanodb_get_i64(users.0, 2, NANODB_JSON, &mut document)).unwrap();
    assert_eq!(text(document).unwrap(), r#"{"_id":2,"name":"Bob","age":12}"#);
    let mut document = nanodb_buf::default();
    call!(nanodb_get_i64(users.0, -2, NANODB_JSON, &mut document)).unwrap();
    assert_eq!(text(document), None);

    let ids = "[3, 7, 1]";
    let mut found = nanodb_buf::default();
    call!(nanodb_get_many(users.0, ids.as_ptr().cast(), ids.len(), NANODB_JSON, &mut found))
        .unwrap();
    assert_eq!(
        text(found).unwrap(),
        r#"[{"_id":3,"name":"Cem","age":45},null,{"_id":1,"name":"Ann","age":30}]"#
    );

    call!(nanodb_contains(users.0, "3".as_ptr().cast(), 1, NANODB_JSON, &mut flag)).unwrap();
    assert!(flag);
    call!(nanodb_contains_i64(users.0, 4, &mut flag)).unwrap();
    assert!(!flag);

    let new = r#"{"name": "Dan"}"#;
    let (new, len) = (new.as_ptr().cast(), new.len());
    call!(nanodb_put(users.0, "4".as_ptr().cast(), 1, new, len, NANODB_JSON, &mut flag)).unwrap();
    assert!(!flag);
    call!(nanodb_put_i64(users.0, 4, new, len, NANODB_JSON, &mut flag)).unwrap();
    assert!(flag);
    call!(nanodb_replace(users.0, "1".as_ptr().cast(), 1, new, len, NANODB_JSON, &mut flag))
        .unwrap();
    assert!(flag);
    call!(nanodb_replace_i64(users.0, 9, new, len, NANODB_JSON, &mut flag)).unwrap();
    assert!(!flag);
    assert_eq!(users.get("1").unwrap().unwrap(), r#"{"_id":1,"name":"Dan"}"#);
    let other = r#"{"_id": 8}"#;
    let refused = call!(nanodb_put_i64(
        users.0,
        4,
        other.as_ptr().cast(),
        other.len(),
        NANODB_JSON,
        &mut flag
    ));
    assert_eq!(refused.unwrap_err().status, NANODB_INVALID);

    call!(nanodb_delete(users.0, "4".as_ptr().cast(), 1, NANODB_JSON, &mut flag)).unwrap();
    assert!(flag);
    assert!(!users.delete_i64(4).unwrap());
    // Results that nobody wants.
    call!(nanodb_delete_i64(users.0, 3, ptr::null_mut())).unwrap();
    assert_eq!(users.count().unwrap(), 2);
}

#[test]
fn searches_filter_sort_project_and_count() {
    let (_db, users) = three();
    let options = r#"{"sort": {"age": -1}, "projection": {"name": 1, "_id": 0}, "limit": 2}"#;
    assert_eq!(
        users.find("", options).unwrap().all().unwrap(),
        r#"[{"name":"Cem"},{"name":"Ann"}]"#
    );
    let options = r#"{"skip": 1, "threads": 2, "sort_bytes_max": 100000, "sort": null}"#;
    let adults = r#"{"age": {"$gte": 18}}"#;
    assert_eq!(
        users.find(adults, options).unwrap().all().unwrap(),
        r#"[{"_id":3,"name":"Cem","age":45}]"#
    );

    let (mut document, mut count, mut flag) = (nanodb_buf::default(), 0, false);
    call!(nanodb_find_one(
        users.0,
        adults.as_ptr().cast(),
        adults.len(),
        ptr::null(),
        0,
        NANODB_JSON,
        &mut document
    ))
    .unwrap();
    assert_eq!(text(document).unwrap(), r#"{"_id":1,"name":"Ann","age":30}"#);
    let none = r#"{"age": 99}"#;
    let mut document = nanodb_buf::default();
    call!(nanodb_find_one(
        users.0,
        none.as_ptr().cast(),
        none.len(),
        ptr::null(),
        0,
        NANODB_JSON,
        &mut document
    ))
    .unwrap();
    assert_eq!(text(document), None);
    call!(nanodb_count_documents(
        users.0,
        adults.as_ptr().cast(),
        adults.len(),
        ptr::null(),
        0,
        NANODB_JSON,
        &mut count
    ))
    .unwrap();
    assert_eq!(count, 2);
    call!(nanodb_exists(users.0, none.as_ptr().cast(), none.len(), NANODB_JSON, &mut flag))
        .unwrap();
    assert!(!flag);
    call!(nanodb_exists(users.0, ptr::null(), 0, NANODB_JSON, &mut flag)).unwrap();
    assert!(flag);

    let mut values = nanodb_buf::default();
    call!(nanodb_distinct(
        users.0,
        "age".as_ptr().cast(),
        3,
        ptr::null(),
        0,
        NANODB_JSON,
        &mut values
    ))
    .unwrap();
    assert_eq!(text(values).unwrap(), "[12,30,45]");
    users.insert(r#"{"age": 45}"#).unwrap();
    let mut values = nanodb_buf::default();
    call!(nanodb_count_by(
        users.0,
        "age".as_ptr().cast(),
        3,
        adults.as_ptr().cast(),
        adults.len(),
        NANODB_JSON,
        &mut values
    ))
    .unwrap();
    assert_eq!(text(values).unwrap(), r#"[{"value":45,"count":2},{"value":30,"count":1}]"#);
}

#[test]
fn a_search_says_how_it_goes() {
    let (_db, users) = three();
    let explain = |filter: &str, options: &str| {
        let mut plan = nanodb_buf::default();
        call!(nanodb_explain(
            users.0,
            at(filter),
            filter.len(),
            at(options),
            options.len(),
            NANODB_JSON,
            &mut plan
        ))
        .map(|()| text(plan).unwrap())
    };
    assert_eq!(
        explain(r#"{"_id": {"$in": [1, 2]}}"#, "").unwrap(),
        r#"{"access_path":"id_lookup","ids":2,"sorted":false}"#
    );
    assert_eq!(
        explain(r#"{"age": 30}"#, r#"{"sort": {"age": 1}, "analyze": true}"#).unwrap(),
        r#"{"access_path":"collection_scan","sorted":true,"documents_examined":3,"documents_returned":1,"temporary_bytes":0}"#
    );
    let refused = explain("", r#"{"sorted": 1}"#).unwrap_err();
    assert_eq!(refused.status, NANODB_INVALID);
    assert!(refused.message.starts_with("there is no option `sorted`, only sort,"), "{refused:?}");
}

#[test]
fn what_is_wrong_with_a_query_is_said() {
    let (_db, users) = three();
    let wrong = |filter: &str, options: &str| match users.find(filter, options) {
        Err(failed) => {
            assert_eq!(failed.status, NANODB_INVALID);
            failed.message
        }
        Ok(_) => panic!("it was taken"),
    };
    assert!(wrong(r#"{"age": {"$gtt": 1}}"#, "").starts_with("unknown operator `$gtt`"));
    assert_eq!(wrong("", r#"{"limit": -1}"#), "option `limit`: it is no whole number from 0 up");
    assert_eq!(wrong("", r#"{"limit": 1.5}"#), "option `limit`: it is no whole number from 0 up");
    assert_eq!(wrong("", "{"), "the options: a JSON value is missing or not whole, at byte 1");
    assert!(wrong("", "[]").starts_with("the options: expected `{`"));
    assert!(
        wrong("{\"a\": \"\u{1}\"}", "").contains("control character")
            || !wrong("{\"a\": \"\u{1}\"}", "").is_empty()
    );
}

#[test]
fn updates_change_insert_and_use_array_filters() {
    let (_db, users) = three();
    assert_eq!(
        users.update_one(r#"{"_id": 1}"#, r#"{"$inc": {"age": 1}}"#, "").unwrap(),
        (1, 1, None)
    );
    let (mut found, inc) = (false, r#"{"$inc": {"age": 1}}"#);
    let (at_inc, inc_len) = (at(inc), inc.len());
    call!(nanodb_update(users.0, at("1"), 1, at_inc, inc_len, NANODB_JSON, &mut found)).unwrap();
    assert!(found);
    call!(nanodb_update_i64(users.0, 9, at_inc, inc_len, NANODB_JSON, &mut found)).unwrap();
    assert!(!found);
    assert_eq!(users.get("1").unwrap().unwrap(), r#"{"_id":1,"name":"Ann","age":32}"#);
    let upsert = r#"{"upsert": true}"#;
    assert_eq!(
        users.update_one(r#"{"name": "Eve"}"#, r#"{"$set": {"age": 5}}"#, upsert).unwrap(),
        (0, 0, Some("4".to_owned()))
    );
    users.insert(r#"{"_id": "marks", "marks": [1, 5, 9]}"#).unwrap();
    let filters = r#"{"array_filters": [{"low": {"$lt": 6}}]}"#;
    let set = r#"{"$set": {"marks.$[low]": 0}}"#;
    assert_eq!(users.update_one(r#"{"_id": "marks"}"#, set, filters).unwrap(), (1, 1, None));
    assert_eq!(users.get(r#""marks""#).unwrap().unwrap(), r#"{"_id":"marks","marks":[0,0,9]}"#);

    let many = |filter: &str, update: &str, options: &str| {
        let mut result = nanodb_update_result::default();
        call!(nanodb_update_many(
            users.0,
            at(filter),
            filter.len(),
            at(update),
            update.len(),
            at(options),
            options.len(),
            NANODB_JSON,
            &mut result
        ))
        .map(|()| updated(result))
    };
    assert_eq!(many("", r#"{"$set": {"seen": true}}"#, "").unwrap(), (5, 5, None));
    assert_eq!(
        many(r#"{"_id": "new"}"#, r#"{"$set": {"a": 1}}"#, upsert).unwrap(),
        (0, 0, Some(r#""new""#.to_owned()))
    );
    assert_eq!(many(r#"{"_id": "new"}"#, r#"{"$set": {"a": 2}}"#, upsert).unwrap(), (1, 1, None));
    assert_eq!(many("", r#"{"a": 2}"#, "").unwrap_err().status, NANODB_INVALID);

    let replace = |filter: &str, document: &str, options: &str| {
        let mut result = nanodb_update_result::default();
        call!(nanodb_replace_one(
            users.0,
            at(filter),
            filter.len(),
            at(document),
            document.len(),
            at(options),
            options.len(),
            NANODB_JSON,
            &mut result
        ))
        .map(|()| updated(result))
    };
    assert_eq!(replace(r#"{"_id": 2}"#, r#"{"b": 1}"#, "").unwrap(), (1, 1, None));
    assert_eq!(users.get("2").unwrap().unwrap(), r#"{"_id":2,"b":1}"#);
    assert_eq!(
        replace(r#"{"_id": "r"}"#, r#"{"b": 1}"#, upsert).unwrap(),
        (0, 0, Some(r#""r""#.to_owned()))
    );

    let mut deleted = 0;
    let one = r#"{"_id": "r"}"#;
    call!(nanodb_delete_one(users.0, one.as_ptr().cast(), one.len(), NANODB_JSON, &mut deleted))
        .unwrap();
    assert_eq!(deleted, 1);
    call!(nanodb_delete_many(users.0, "{}".as_ptr().cast(), 2, NANODB_JSON, &mut deleted)).unwrap();
    assert_eq!((deleted, users.count().unwrap()), (6, 0));
    // No filter by mistake deletes nothing.
    let refused = call!(nanodb_delete_many(users.0, ptr::null(), 0, NANODB_JSON, &mut deleted));
    assert_eq!(refused.unwrap_err().status, NANODB_MISUSE);
}

#[test]
fn one_document_is_found_and_changed_in_one_step() {
    let (_db, users) = three();
    type Entry = unsafe extern "C" fn(
        nanodb_collection,
        *const std::ffi::c_void,
        usize,
        *const std::ffi::c_void,
        usize,
        *const std::ffi::c_void,
        usize,
        nanodb_format,
        *mut nanodb_buf,
        *mut nanodb_error,
    ) -> nanodb_status;
    let change = |entry: Entry, filter: &str, change: &str, options: &str| {
        let (mut document, mut error) = (nanodb_buf::default(), nanodb_error::default());
        // SAFETY: the pointers are of texts and places.
        let status = unsafe {
            entry(
                users.0,
                at(filter),
                filter.len(),
                at(change),
                change.len(),
                at(options),
                options.len(),
                NANODB_JSON,
                &mut document,
                &mut error,
            )
        };
        crate::c::checked(status, error).map(|()| text(document))
    };
    let oldest = r#"{"sort": {"age": -1}, "projection": {"age": 1}, "return_new": true}"#;
    let inc = r#"{"$inc": {"age": 1}}"#;
    assert_eq!(
        change(nanodb_find_one_and_update, "", inc, oldest).unwrap().unwrap(),
        r#"{"_id":3,"age":46}"#
    );
    assert_eq!(
        change(nanodb_find_one_and_update, r#"{"_id": 3}"#, inc, "").unwrap().unwrap(),
        r#"{"_id":3,"name":"Cem","age":46}"#
    );
    assert_eq!(change(nanodb_find_one_and_update, r#"{"_id": 7}"#, inc, "").unwrap(), None);
    assert_eq!(
        change(
            nanodb_find_one_and_replace,
            r#"{"_id": 7}"#,
            r#"{"a": 1}"#,
            r#"{"upsert": true, "return_new": true}"#
        )
        .unwrap()
        .unwrap(),
        r#"{"_id":7,"a":1}"#
    );
    let refused = change(nanodb_find_one_and_replace, "", "{}", r#"{"array_filters": []}"#);
    assert_eq!(refused.unwrap_err().status, NANODB_INVALID);

    let (mut document, filter) = (nanodb_buf::default(), r#"{"name": "Bob"}"#);
    call!(nanodb_find_one_and_delete(
        users.0,
        filter.as_ptr().cast(),
        filter.len(),
        ptr::null(),
        0,
        NANODB_JSON,
        &mut document
    ))
    .unwrap();
    assert_eq!(text(document).unwrap(), r#"{"_id":2,"name":"Bob","age":12}"#);
    assert_eq!(users.count().unwrap(), 3);
}

#[test]
fn a_bulk_write_is_one_commit() {
    let (_db, users) = three();
    let bulk = |operations: &str| {
        let mut result = nanodb_buf::default();
        call!(nanodb_bulk_write(
            users.0,
            at(operations),
            operations.len(),
            NANODB_JSON,
            &mut result
        ))
        .map(|()| text(result).unwrap())
    };
    let done = bulk(
        r#"[{"insert_one": {"document": {"_id": 4, "age": 1}}},
            {"update_many": {"filter": {"age": {"$gt": 20}}, "update": {"$set": {"old": true}}}},
            {"update_one": {"filter": {"_id": "e"}, "update": {"$set": {"age": 2}}, "upsert": true}},
            {"replace_one": {"filter": {"_id": 2}, "replacement": {"b": 1}}},
            {"delete_one": {"filter": {"_id": 4}}},
            {"delete_many": {"filter": {"old": true}}}]"#,
    );
    assert_eq!(
        done.unwrap(),
        r#"{"inserted":1,"matched":3,"modified":3,"deleted":3,"upserted":1,"inserted_ids":[{"operation":0,"id":4}],"upserted_ids":[{"operation":2,"id":"e"}]}"#
    );
    assert_eq!(users.count().unwrap(), 2);

    let failed = bulk(
        r#"[{"delete_many": {"filter": {}}}, {"insert_one": {"document": {"_id": 5}}},
            {"insert_one": {"document": {"_id": 5}}}]"#,
    );
    let failed = failed.unwrap_err();
    assert_eq!(failed.status, NANODB_DUPLICATE_ID);
    assert!(failed.details.contains(r#""operation":2"#), "{failed:?}");
    assert_eq!(users.count().unwrap(), 2);

    for (wrong, why) in [
        (
            r#"[{"insert": {}}]"#,
            "operation 0, counted from 0: there is no operation `insert`, only",
        ),
        (r#"[{"insert_one": {}}]"#, "operation 0, counted from 0: `insert_one` has no `document`"),
        (
            r#"[{"delete_one": {"filter": {}, "upsert": true}}]"#,
            "operation 0, counted from 0: `delete_one` has no field `upsert`",
        ),
        (r#"[{}]"#, "operation 0, counted from 0: an operation is a document with one field"),
        (r#"{}"#, "it is no array"),
    ] {
        let failed = bulk(wrong).unwrap_err();
        assert_eq!(failed.status, NANODB_INVALID);
        assert!(failed.message.starts_with(why), "{failed:?}");
    }
    let unknown = bulk(r#"[{"delete_one": {"filter": {"a": {"$gtt": 1}}}}]"#).unwrap_err();
    assert!(unknown.details.contains(r#""operation":0"#), "{unknown:?}");
}

#[test]
fn collections_are_listed_renamed_and_dropped() {
    let (db, users) = three();
    db.collection("b").insert("{}").unwrap();
    let list = || {
        let mut all = nanodb_buf::default();
        call!(nanodb_db_collections(db.0, NANODB_JSON, &mut all)).map(|()| text(all).unwrap())
    };
    assert_eq!(list().unwrap(), r#"[{"name":"b","count":1},{"name":"users","count":3}]"#);
    let mut name = nanodb_buf::default();
    call!(nanodb_collection_name(users.0, &mut name)).unwrap();
    assert_eq!(text(name).unwrap(), "users");

    call!(nanodb_db_rename_collection(
        db.0,
        "users".as_ptr().cast(),
        5,
        "people".as_ptr().cast(),
        6
    ))
    .unwrap();
    assert_eq!(users.count().unwrap(), 0);
    let missing = call!(nanodb_db_rename_collection(
        db.0,
        "users".as_ptr().cast(),
        5,
        "x".as_ptr().cast(),
        1
    ));
    assert_eq!(missing.unwrap_err().status, NANODB_NOT_FOUND);
    let taken = call!(nanodb_db_rename_collection(
        db.0,
        "b".as_ptr().cast(),
        1,
        "people".as_ptr().cast(),
        6
    ));
    assert_eq!(taken.unwrap_err().status, NANODB_ALREADY_EXISTS);
    let mut dropped = false;
    call!(nanodb_db_drop_collection(db.0, "people".as_ptr().cast(), 6, &mut dropped)).unwrap();
    assert!(dropped);
    call!(nanodb_db_drop_collection(db.0, "people".as_ptr().cast(), 6, &mut dropped)).unwrap();
    assert!(!dropped);
    assert_eq!(list().unwrap(), r#"[{"name":"b","count":1}]"#);
}

#[test]
fn a_file_is_looked_after() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let db = Db::open(&path, r#"{"durability": "buffered", "cache_bytes_max": 1e6}"#).unwrap();
    let logs = db.collection("logs");
    let documents: String = (0..2000)
        .map(|n| format!("{{\"_id\": {n}, \"line\": \"{}\"}}\n", "x".repeat(100)))
        .collect();
    logs.insert_many(&documents).unwrap();
    call!(nanodb_db_sync(db.0)).unwrap();
    call!(nanodb_db_checkpoint(db.0)).unwrap();

    let mut out = nanodb_buf::default();
    call!(nanodb_db_path(db.0, &mut out)).unwrap();
    assert_eq!(text(out).unwrap(), path.canonicalize().unwrap().to_str().unwrap());
    let mut out = nanodb_buf::default();
    call!(nanodb_db_path(Db::in_memory().0, &mut out)).unwrap();
    assert_eq!(text(out), None);

    let mut out = nanodb_buf::default();
    call!(nanodb_db_stats(db.0, NANODB_JSON, &mut out)).unwrap();
    let stats = text(out).unwrap();
    assert!(stats.contains(r#""collections":[{"name":"logs","count":2000,"#), "{stats}");
    let mut out = nanodb_buf::default();
    call!(nanodb_db_open_report(db.0, NANODB_JSON, &mut out)).unwrap();
    assert!(text(out).unwrap().starts_with(r#"{"clean":true,"commits_replayed":0,"#));

    // Progress, to the end and until it is stopped.
    unsafe extern "C" fn listen(user: *mut std::ffi::c_void, at: *const nanodb_progress) -> i32 {
        // SAFETY: the test hands in a place of this type, and the library a progress.
        let (left, at) = unsafe { (&mut *user.cast::<i32>(), &*at) };
        assert!(at.pages_done <= at.pages && at.pages > 0);
        *left -= 1;
        i32::from(*left < 0)
    }
    let mut calls = i32::MAX;
    let mut out = nanodb_buf::default();
    let user = (&raw mut calls).cast();
    call!(nanodb_db_check(db.0, Some(listen), user, NANODB_JSON, &mut out)).unwrap();
    assert!(text(out).unwrap().starts_with(r#"{"collections":1,"documents":2000,"pages":"#));
    assert!(calls < i32::MAX);
    let (mut calls, mut out) = (1, nanodb_buf::default());
    let user = (&raw mut calls).cast();
    let stopped = call!(nanodb_db_check(db.0, Some(listen), user, NANODB_JSON, &mut out));
    assert_eq!(stopped.unwrap_err().status, NANODB_CANCELLED);
    assert_eq!(text(out), None);
    let mut out = nanodb_buf::default();
    call!(nanodb_db_check(db.0, None, ptr::null_mut(), NANODB_JSON, &mut out)).unwrap();
    assert!(bytes(out).is_some());

    let mut deleted = 0;
    let most = r#"{"_id": {"$gte": 50}}"#;
    call!(nanodb_delete_many(logs.0, most.as_ptr().cast(), most.len(), NANODB_JSON, &mut deleted))
        .unwrap();
    let mut calls = 0;
    let user = (&raw mut calls).cast();
    let stopped = call!(nanodb_db_compact(db.0, Some(listen), user));
    assert_eq!(stopped.unwrap_err().status, NANODB_CANCELLED);
    let before = path.metadata().unwrap().len();
    call!(nanodb_db_compact(db.0, None, ptr::null_mut())).unwrap();
    assert!(path.metadata().unwrap().len() < before);
    assert_eq!(logs.count().unwrap(), 50);
    db.close().unwrap();

    let saved = Db::in_memory();
    let (mut out, name) = (nanodb_buf::default(), path.to_str().unwrap());
    call!(nanodb_db_salvage(saved.0, name.as_ptr().cast(), name.len(), NANODB_JSON, &mut out))
        .unwrap();
    assert_eq!(
        text(out).unwrap(),
        r#"{"how":"opened","uncertain":false,"documents":50,"collections":[{"name":"logs","documents":50,"expected":50}],"problems":[]}"#
    );
    assert_eq!(saved.collection("logs").count().unwrap(), 50);
}

#[test]
fn files_of_the_go_program_are_imported_and_converted() {
    let directory = tempfile::tempdir().unwrap();
    let given = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../nanodb-database/tests/data/go-program/go-hash.db");
    let path = directory.path().join("app.db");
    std::fs::copy(given, &path).unwrap();
    let path = path.to_str().unwrap();

    let db = Db::in_memory();
    let import = |options: &str| {
        let mut report = nanodb_buf::default();
        call!(nanodb_db_import_go(
            db.0,
            at(path),
            path.len(),
            at(options),
            options.len(),
            NANODB_JSON,
            &mut report
        ))
        .map(|()| text(report).unwrap())
    };
    let report = import(r#"{"skip_damaged": true, "lock_timeout_ms": 5}"#).unwrap();
    assert!(report.starts_with(r#"{"documents":"#), "{report}");
    assert!(report.contains(r#"{"name":"users","documents":"#), "{report}");
    assert!(report.ends_with(r#""problems":[]}"#), "{report}");
    assert!(db.collection("users").count().unwrap() > 10);
    assert_eq!(import("").unwrap_err().status, NANODB_ALREADY_EXISTS);
    assert_eq!(import(r#"{"skip": true}"#).unwrap_err().status, NANODB_INVALID);

    let convert = || {
        let mut report = nanodb_buf::default();
        let none = ptr::null();
        call!(nanodb_convert_go_file(at(path), path.len(), none, 0, NANODB_JSON, &mut report))
            .map(|()| text(report))
    };
    let report = convert().unwrap().unwrap();
    assert!(report.contains("app.db.go-backup\"}"), "{report}");
    assert_eq!(convert().unwrap(), None);
    let opened = Db::open(std::path::Path::new(path), "").unwrap();
    let count = |db: &Db| db.collection("users").count().unwrap();
    assert_eq!(count(&opened), count(&db));
}
