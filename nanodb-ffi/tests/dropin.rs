//! The Go program's fifteen functions, called as its JavaScript client calls them.
//!
//! There is one database for the process, so one test at a time has it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

use std::ffi::{CStr, CString};
use std::fs;
use std::os::raw::c_char;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr;
use std::sync::{Mutex, MutexGuard};

use nanodb::{Document, Value};
use nanodb_ffi::{
    NanoClose, NanoCreateCollection, NanoDeleteById, NanoDeleteMany, NanoFind, NanoFindById,
    NanoFindOne, NanoFree, NanoGetCollections, NanoInit, NanoInsert, NanoInsertMany,
    NanoUpdateById, NanoUpdateMany, NanoVectorSearch,
};

/// The process's one database, and where its file is.
struct Client {
    _one_at_a_time: MutexGuard<'static, ()>,
    directory: tempfile::TempDir,
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// Copies a text, and frees it.
fn taken(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the library has returned it.
    let copy = unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned();
    // SAFETY: the same, and it is freed once.
    unsafe { NanoFree(text) };
    Some(copy)
}

/// Calls a function with texts.
macro_rules! nano {
    ($function:ident($($text:expr),*; $($number:expr),*)) => {{
        // SAFETY: each text lives until the call has returned.
        unsafe { $function($(c($text).as_ptr(),)* $($number),*) }
    }};
}

fn init(path: &Path) {
    let path = c(path.to_str().unwrap());
    // SAFETY: the text lives until the call has returned.
    unsafe { NanoInit(path.as_ptr()) }
}

fn collections() -> Option<String> {
    taken(NanoGetCollections())
}

fn insert(document: &str) -> i64 {
    nano!(NanoInsert("c", document;))
}

fn insert_many(documents: &str) -> Option<String> {
    taken(nano!(NanoInsertMany("c", documents;)))
}

fn find(query: &str, limit: i64, skip: i64) -> Option<String> {
    taken(nano!(NanoFind("c", query; limit, skip)))
}

fn find_one(query: &str) -> Option<String> {
    taken(nano!(NanoFindOne("c", query;)))
}

fn find_by_id(id: i64) -> Option<String> {
    taken(nano!(NanoFindById("c"; id)))
}

fn update_by_id(id: i64, patch: &str) -> Option<String> {
    let (collection, patch) = (c("c"), c(patch));
    // SAFETY: the texts live until the call has returned.
    taken(unsafe { NanoUpdateById(collection.as_ptr(), id, patch.as_ptr()) })
}

fn update_many(query: &str, patch: &str) -> Option<String> {
    taken(nano!(NanoUpdateMany("c", query, patch;)))
}

fn nearest(vector: &str, top_k: i64) -> Option<String> {
    taken(nano!(NanoVectorSearch("c", vector; top_k)))
}

impl Client {
    /// Waits for its turn. No file is open yet.
    fn new() -> Self {
        let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(|error| error.into_inner());
        // What a test has left that has failed.
        while collections().is_some() {
            NanoClose();
        }
        Self { _one_at_a_time, directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Opens a file with an empty collection `c`.
    fn open() -> Self {
        let client = Self::new();
        init(&client.path("app.db"));
        assert_eq!(nano!(NanoCreateCollection("c";)), 1);
        client
    }
}

/// Each call returns its error value.
fn all_refused() {
    assert_eq!(nano!(NanoCreateCollection("c";)), -1);
    assert_eq!(collections(), None);
    assert_eq!(insert("{}"), -1);
    assert_eq!(insert_many("[{}]"), None);
    assert_eq!(find("{}", 0, 0), None);
    assert_eq!(find_one("{}"), None);
    assert_eq!(find_by_id(1), None);
    assert_eq!(update_by_id(1, "{}"), None);
    assert_eq!(update_many("{}", "{}"), None);
    assert_eq!(nano!(NanoDeleteById("c"; 1)), -1);
    assert_eq!(nano!(NanoDeleteMany("c", "{}";)), -1);
    assert_eq!(nearest("[1]", 1), None);
}

#[test]
fn what_the_client_does_works_and_is_there_after_it_is_opened_again() {
    let client = Client::open();
    assert_eq!(nano!(NanoCreateCollection("c";)), 0);
    assert_eq!(nano!(NanoCreateCollection("other";)), 1);
    assert_eq!(collections().unwrap(), r#"["c","other"]"#);
    assert_eq!(find("{}", 0, 0).unwrap(), "[]");
    assert_eq!(insert_many("[]").unwrap(), "[]");

    let ann = insert(r#"{"name": "Ann", "age": 30}"#);
    let two = insert_many(r#"[{"name": "Bob", "age": 12}, {"name": "Cem", "age": 45}]"#).unwrap();
    let [bob, cem]: [i64; 2] = {
        let ids: Vec<i64> =
            two[1..two.len() - 1].split(',').map(|id| id.parse().unwrap()).collect();
        ids.try_into().unwrap()
    };
    for id in [ann, bob, cem] {
        assert!((0..1 << 53).contains(&id));
    }
    let document = |id: i64, rest: &str| format!("{{\"_id\":{id},{rest}}}");
    let (a, b, c) = (
        document(ann, r#""name":"Ann","age":30"#),
        document(bob, r#""name":"Bob","age":12"#),
        document(cem, r#""name":"Cem","age":45"#),
    );
    assert_eq!(find("{}", 0, 0).unwrap(), format!("[{a},{b},{c}]"));
    assert_eq!(find("{}", 1, 1).unwrap(), format!("[{b}]"));
    assert_eq!(find("{}", -1, -5).unwrap(), format!("[{a},{b},{c}]"));
    assert_eq!(find(r#"{"age": {"$gt": 20}}"#, 0, 1).unwrap(), format!("[{c}]"));
    assert_eq!(
        find(r#"{"$or": [{"age": 12}, {"name": "Ann"}]}"#, 0, 0).unwrap(),
        format!("[{a},{b}]")
    );
    assert_eq!(find(r#"{"age": "30"}"#, 0, 0).unwrap(), "[]");
    assert_eq!(find(&format!("{{\"_id\": {bob}}}"), 0, 0).unwrap(), format!("[{b}]"));
    assert_eq!(find_one(r#"{"name": "Bob"}"#).unwrap(), b);
    assert_eq!(find_one(r#"{"name": "Dan"}"#).unwrap(), "null");
    assert_eq!(find_by_id(cem).unwrap(), c);
    assert_eq!(find_by_id(-7).unwrap(), "null");

    // Fields are set as a whole, and the id stays.
    let patch = r#"{"age": 31, "at": {"city": "Bonn", "zip": 1}, "_id": 5, "a.b": null}"#;
    let new = document(ann, r#""name":"Ann","age":31,"at":{"city":"Bonn","zip":1},"a.b":null"#);
    assert_eq!(update_by_id(ann, patch).unwrap(), new);
    let new = document(ann, r#""name":"Ann","age":31,"at":{"city":"Kiel"},"a.b":null"#);
    assert_eq!(update_by_id(ann, r#"{"at": {"city": "Kiel"}}"#).unwrap(), new);
    assert_eq!(update_by_id(-1, "{}"), None);
    assert_eq!(
        update_many(r#"{"age": {"$gt": 31}}"#, r#"{"old": true}"#).unwrap(),
        format!("[{}]", document(cem, r#""name":"Cem","age":45,"old":true"#))
    );
    assert_eq!(update_many(r#"{"age": 99}"#, r#"{"old": true}"#).unwrap(), "[]");

    assert_eq!(nano!(NanoDeleteById("c"; bob)), 1);
    assert_eq!(nano!(NanoDeleteById("c"; bob)), -1);
    assert_eq!(nano!(NanoDeleteMany("c", r#"{"old": true}"#;)), 1);
    assert_eq!(nano!(NanoDeleteMany("c", r#"{"old": true}"#;)), 1);
    assert_eq!(NanoClose(), 1);
    all_refused();
    assert_eq!(NanoClose(), 1);

    init(&client.path("app.db"));
    assert_eq!(collections().unwrap(), r#"["c","other"]"#);
    assert_eq!(find("{}", 0, 0).unwrap(), format!("[{new}]"));
    let later = insert("{}");
    assert!(![ann, bob, cem].contains(&later));
    assert_eq!(NanoClose(), 1);
    // One file, that this library opens.
    assert_eq!(client.directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn any_json_object_is_a_document_and_nothing_else_is() {
    let _client = Client::open();
    let id = insert(r#"{"_id": "mine", "a": {"$gt": 5}, "big": 9007199254740993, "s": "\ud83d"}"#);
    assert!(id > 0);
    assert_eq!(
        find_by_id(id).unwrap(),
        format!(
            "{{\"_id\":{id},\"a\":{{\"$literal\":{{\"$gt\":5}}}},\"big\":9007199254740993,\"s\":\"\u{fffd}\"}}"
        )
    );
    // Larger than a page, and than what the Go program could take.
    let large = insert(&format!(r#"{{"text": "{}"}}"#, "x".repeat(1_000_000)));
    assert_eq!(
        find_by_id(large).unwrap().len(),
        1_000_000 + format!(r#"{{"_id":{large},"text":""}}"#).len()
    );
    for wrong in ["null", "[]", "5", "", "{", "{} {}", "{\"a\": nul}"] {
        assert_eq!(insert(wrong), -1, "{wrong}");
        assert_eq!(update_by_id(id, wrong), None, "{wrong}");
        assert_eq!(update_many("{}", wrong), None, "{wrong}");
        assert_eq!(find(wrong, 0, 0), None, "{wrong}");
        assert_eq!(nano!(NanoDeleteMany("c", wrong;)), -1, "{wrong}");
    }
    for wrong in ["[null]", "[{}, 5]", "{}", "[{}", "null", "", "[{},]"] {
        assert_eq!(insert_many(wrong), None, "{wrong}");
    }
    assert_eq!(
        find("{}", 0, 0).map(|all| Value::parse_json(&all).unwrap().as_array().unwrap().len()),
        Some(2)
    );
    // A collection that was not created is none.
    assert_eq!(nano!(NanoInsert("missing", "{}";)), -1);
    assert_eq!(taken(nano!(NanoFind("missing", "{}"; 0, 0))), None);
    assert_eq!(nano!(NanoCreateCollection("";)), -1);
    assert_eq!(collections().unwrap(), r#"["c"]"#);
    NanoClose();
}

#[test]
fn documents_of_a_list_are_what_they_would_be_alone() {
    let _client = Client::open();
    let texts = [
        r#"{}"#,
        r#"{"_id": 77, "a": "\u0000\"\u00e9"}"#,
        r#"{"$date": 5, "at": {"$date": "2023-11-14T22:13:20.5Z"}}"#,
        r#"{"a": [1, -0, 1.50, {"b": [[]]}], "_id": "mine"}"#,
    ];
    let alone: Vec<i64> = texts.into_iter().map(insert).collect();
    let ids = insert_many(&format!(" [{}] ", texts.join(" ,\n"))).unwrap();
    let ids = Value::parse_json(&ids).unwrap();
    for (alone, id) in alone.iter().zip(ids.as_array().unwrap()) {
        let id = id.as_i64().unwrap();
        let expected = find_by_id(*alone).unwrap();
        let expected = expected.replacen(&format!("\"_id\":{alone}"), &format!("\"_id\":{id}"), 1);
        assert_eq!(find_by_id(id).unwrap(), expected);
    }
    assert_eq!(ids.as_array().unwrap().len(), texts.len());
    assert_eq!(insert_many("[]").as_deref(), Some("[]"));
    NanoClose();
}

#[test]
fn null_pointers_and_bytes_that_are_no_text_are_errors() {
    let _client = Client::open();
    let (name, bad) = (c("c"), [0xff_u8, 0xfe, 0]);
    for wrong in [ptr::null(), bad.as_ptr().cast()] {
        let name = name.as_ptr();
        // SAFETY: each is null, or ends with a zero byte.
        unsafe {
            assert_eq!(NanoCreateCollection(wrong), -1);
            assert_eq!(NanoInsert(name, wrong), -1);
            assert_eq!(NanoInsert(wrong, name), -1);
            assert!(NanoInsertMany(name, wrong).is_null());
            assert!(NanoFind(name, wrong, 0, 0).is_null());
            assert!(NanoFind(wrong, wrong, i64::MIN, i64::MAX).is_null());
            assert!(NanoFindOne(name, wrong).is_null());
            assert!(NanoFindById(wrong, 1).is_null());
            assert!(NanoUpdateById(name, 1, wrong).is_null());
            assert!(NanoUpdateMany(name, wrong, wrong).is_null());
            assert_eq!(NanoDeleteById(wrong, 1), -1);
            assert_eq!(NanoDeleteMany(name, wrong), -1);
            assert!(NanoVectorSearch(name, wrong, 5).is_null());
            NanoFree(ptr::null_mut());
        }
    }
    assert_eq!(NanoClose(), 1);
}

#[test]
fn the_last_of_several_users_closes_the_file() {
    let client = Client::open();
    let path = client.path("app.db");
    init(&path);
    // By another name.
    init(&client.directory.path().join(".").join("app.db"));
    for _ in 0..2 {
        assert_eq!(NanoClose(), 1);
        assert_eq!(collections().unwrap(), r#"["c"]"#);
    }
    assert_eq!(NanoClose(), 1);
    all_refused();
    assert!(nanodb::Database::open(&path).is_ok());
}

#[test]
fn after_a_call_that_could_not_open_its_file_nothing_meets_another_one() {
    let client = Client::open();
    insert("{}");
    init(&client.path("second.db"));
    all_refused();
    assert!(!client.path("second.db").exists());
    // The user that failed ends, which closes nothing.
    assert_eq!(NanoClose(), -1);
    all_refused();
    init(&client.path("app.db"));
    assert_eq!(find("{}", 0, 0).unwrap(), r#"[{"_id":1}]"#);
    NanoClose();
    NanoClose();

    // What is no database is refused, and stays as it is.
    fs::write(client.path("text"), "This is no database.").unwrap();
    init(&client.path("text"));
    all_refused();
    assert_eq!(fs::read_to_string(client.path("text")).unwrap(), "This is no database.");
    assert_eq!(NanoClose(), -1);
    init(&client.path("app.db"));
    assert_eq!(collections().unwrap(), r#"["c"]"#);
    assert_eq!(NanoClose(), 1);
    all_refused();
}

/// In a process of its own: opens the file that is named, and says what it finds.
#[test]
fn a_second_process() {
    let Some(path) = std::env::var_os("NANODB_DROPIN_PATH") else { return };
    init(Path::new(&path));
    all_refused();
    println!("refused, and alive");
}

#[test]
fn a_second_process_is_refused_cleanly_and_told_why_once() {
    let client = Client::open();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_second_process", "--nocapture"])
        .env("NANODB_DROPIN_PATH", client.path("app.db"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("refused, and alive"));
    assert_eq!(told.matches("nanodb: NanoInit: ").count(), 1, "{told}");
    assert!(told.contains("app.db") && told.contains("open"), "{told}");
    assert_eq!(NanoClose(), 1);
}

/// Whether two values are the same but for the order of fields and the type of numbers.
fn is_same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Object(a), Object(b)) => {
            let in_b = |(name, a)| b.get(name).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(in_b)
        }
        _ => a == b,
    }
}

#[test]
fn files_of_the_go_program_are_converted_with_their_ids() {
    for name in ["go-hash", "go-btree"] {
        let client = Client::new();
        let data =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../nanodb-database/tests/data/go-program");
        let old = fs::read(data.join(format!("{name}.db"))).unwrap();
        let expected = fs::read_to_string(data.join(format!("{name}.expected.json"))).unwrap();
        let expected = Document::parse_json(&expected).unwrap();
        fs::write(client.path("app.db"), &old).unwrap();
        for _ in 0..2 {
            init(&client.path("app.db"));
            let names = Value::parse_json(&collections().unwrap()).unwrap();
            let mut expected_names: Vec<&str> = expected.keys().collect();
            expected_names.sort_unstable();
            assert_eq!(names, Value::from(expected_names), "{name}");
            let mut count = 0;
            for (collection, documents) in &expected {
                let found = taken(nano!(NanoFind(collection, "{}"; 0, 0))).unwrap();
                let found = Value::parse_json(&found).unwrap();
                let wanted = documents.as_array().unwrap();
                assert_eq!(found.as_array().unwrap().len(), wanted.len(), "{name} {collection}");
                for document in wanted {
                    let id = document.get("_id").unwrap().as_u64().unwrap();
                    let found = taken(nano!(NanoFindById(collection; id.cast_signed()))).unwrap();
                    let [found, wanted] = [found, document.to_json().unwrap()]
                        .map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
                    assert!(is_same(&found, &wanted), "{name} {collection} {id}: {found}");
                    count += 1;
                }
            }
            assert!(count > 10);
            assert_eq!(NanoClose(), 1);
        }
        assert_eq!(fs::read(client.path("app.db.go-backup")).unwrap(), old);

        // New ids are below 2^53, whatever the old ones are.
        init(&client.path("app.db"));
        let collection = expected.keys().next().unwrap();
        for _ in 0..20 {
            assert!((1..1 << 53).contains(&nano!(NanoInsert(collection, "{}";))));
        }
        let many = taken(nano!(NanoInsertMany(collection, "[{},{},{}]";))).unwrap();
        let many = Value::parse_json(&many).unwrap();
        assert!(
            many.as_array().unwrap().iter().all(|id| (1..1 << 53).contains(&id.as_i64().unwrap()))
        );
        assert_eq!(NanoClose(), 1);
    }
}

#[test]
fn a_file_of_the_go_program_stays_as_it_is_beside_a_file_with_the_name_of_the_log() {
    let client = Client::new();
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../nanodb-database/tests/data/go-program");
    let old = fs::read(data.join("go-hash.db")).unwrap();
    let path = client.path("app.db");
    fs::write(&path, &old).unwrap();
    fs::write(client.path("app.db-log0"), "somebody's").unwrap();
    init(&path);
    all_refused();
    assert_eq!(NanoClose(), -1);
    assert_eq!(fs::read(&path).unwrap(), old);
    assert_eq!(fs::read(client.path("app.db-log0")).unwrap(), b"somebody's");
    assert_eq!(client.directory.path().read_dir().unwrap().count(), 2);

    fs::remove_file(client.path("app.db-log0")).unwrap();
    init(&path);
    assert!(nano!(NanoInsert("users", "{}";)) > 0);
    assert_eq!(NanoClose(), 1);
}

#[test]
fn the_nearest_vectors_are_those_that_a_plain_search_finds() {
    let _client = Client::open();
    assert_eq!(nearest("[1, 2]", 5).unwrap(), "[]");
    let mut rng = fastrand::Rng::with_seed(7);
    let mut vectors: Vec<(i64, Vec<f64>)> = Vec::new();
    for n in 0..500 {
        // Floats, numbers that JSON takes for integers, and both.
        let vector: Vec<f64> = (0..37)
            .map(|_| match n % 3 {
                0 => rng.f64() * 2.0 - 1.0,
                1 => f64::from(rng.i32(-3..3)),
                _ if rng.bool() => f64::from(rng.i32(-3..3)),
                _ => rng.f64(),
            })
            .collect();
        let text: Vec<String> = vector.iter().map(f64::to_string).collect();
        let id = insert(&format!(r#"{{"n": {n}, "_embeddings": [{}]}}"#, text.join(",")));
        vectors.push((id, vector));
    }
    // What cannot be compared is left out.
    for other in ["[1]", "\"text\"", "[]", "null", "{}"] {
        insert(&format!(r#"{{"_embeddings": {other}}}"#));
    }
    let almost: Vec<String> =
        (0..37).map(|n| if n == 20 { "\"x\"".to_owned() } else { "0.5".to_owned() }).collect();
    insert(&format!(r#"{{"_embeddings": [{}]}}"#, almost.join(",")));
    insert("{}");

    for top_k in [1, 3, 10, 499, 500, 1000] {
        let wanted: Vec<f64> = (0..37).map(|_| rng.f64()).collect();
        let text: Vec<String> = wanted.iter().map(f64::to_string).collect();
        let found = nearest(&format!("[{}]", text.join(",")), top_k).unwrap();
        let found: Vec<i64> =
            found[1..found.len() - 1].split(',').map(|id| id.parse().unwrap()).collect();
        let distance = |id: i64| {
            let (_, vector) = vectors.iter().find(|(of, _)| *of == id).unwrap();
            vector.iter().zip(&wanted).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        let mut expected: Vec<f64> = vectors.iter().map(|(id, _)| distance(*id)).collect();
        expected.sort_by(f64::total_cmp);
        expected.truncate(usize::try_from(top_k).unwrap());
        assert_eq!(found.len(), expected.len());
        for (id, expected) in found.iter().zip(expected) {
            assert!((distance(*id) - expected).abs() < 1e-9, "{top_k}");
        }
    }
    for top_k in [0, -1] {
        assert_eq!(nearest("[1]", top_k).unwrap(), "[]");
    }
    for wrong in ["", "null", "{}", "[1, \"x\"]", "5"] {
        assert_eq!(nearest(wrong, 5), None, "{wrong}");
    }
    NanoClose();
}

#[test]
fn of_threads_that_create_a_collection_one_does() {
    let client = Client::new();
    init(&client.path("app.db"));
    for round in 0..30 {
        let name = format!("c{round}");
        let created: i64 = std::thread::scope(|scope| {
            let create = || nano!(NanoCreateCollection(&name;));
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(created, 1, "{round}");
    }
    assert_eq!(NanoClose(), 1);
}

#[test]
fn four_threads_lose_nothing() {
    let client = Client::open();
    let path = client.path("app.db");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let path = &path;
            scope.spawn(move || {
                init(path);
                for n in 0..125 {
                    let id = insert(&format!(r#"{{"thread": {thread}, "n": {n}, "count": 0}}"#));
                    assert!(id > 0);
                    let updated = update_by_id(id, r#"{"count": 1}"#).unwrap();
                    assert_eq!(find_by_id(id).unwrap(), updated);
                    match n % 5 {
                        0 => assert_eq!(nano!(NanoDeleteById("c"; id)), 1),
                        _ => assert!(
                            find_one(&format!(r#"{{"thread": {thread}, "n": {n}}}"#)).unwrap()
                                == updated
                        ),
                    }
                }
                assert_eq!(NanoClose(), 1);
            });
        }
    });
    let count = |query: &str| {
        let found = Value::parse_json(&find(query, 0, 0).unwrap()).unwrap();
        found.as_array().unwrap().len()
    };
    assert_eq!((count("{}"), count(r#"{"count": 1}"#)), (400, 400));
    assert_eq!(NanoClose(), 1);
    init(&path);
    assert_eq!(count("{}"), 400);
    assert_eq!(NanoClose(), 1);
}

#[test]
fn calls_at_random_by_eight_threads_neither_crash_nor_stop() {
    let client = Client::open();
    let calls = std::env::var("NANODB_FFI_CALLS").map_or(5_000, |calls| calls.parse().unwrap());
    let path = client.path("app.db");
    let texts = [
        "{}",
        "[]",
        "[{}]",
        "c",
        "d",
        "",
        "null",
        "[1, 2.5]",
        "{\"a\": 1, \"_embeddings\": [1, 2]}",
        "{\"a\": {\"$gt\": 0}}",
        "[{\"a\": 5}, {\"_id\": 1}]",
        "{\"_id\": 1}",
        "{\"a\": {\"$x\": 1}}",
        "{",
    ];
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(seed);
                for _ in 0..calls / 8 {
                    let name = if rng.u8(..8) > 0 { "c" } else { texts[rng.usize(..texts.len())] };
                    let mut text = || texts[rng.usize(..texts.len())];
                    let (one, two) = (text(), text());
                    let number = if rng.bool() { rng.i64(-2..20) } else { rng.i64(..) };
                    match rng.u8(..60) {
                        0 => init(path),
                        1 => drop(NanoClose()),
                        2 => init(&path.with_extension("other")),
                        3..6 => drop(nano!(NanoCreateCollection(name;))),
                        6..9 => drop(collections()),
                        9..20 => drop(nano!(NanoInsert(name, one;))),
                        20..24 => drop(taken(nano!(NanoInsertMany(name, one;)))),
                        24..30 => drop(taken(nano!(NanoFind(name, one; 20, number)))),
                        30..34 => drop(taken(nano!(NanoFindOne(name, one;)))),
                        34..40 => drop(taken(nano!(NanoFindById(name; number)))),
                        40..44 => drop(update_by_id(number, one)),
                        44..46 => drop(taken(nano!(NanoUpdateMany(name, one, two;)))),
                        46..54 => drop(nano!(NanoDeleteById(name; number))),
                        54..56 => drop(nano!(NanoDeleteMany(name, one;))),
                        _ => drop(taken(nano!(NanoVectorSearch(name, one; number)))),
                    }
                }
            });
        }
    });
    // No user has called more often.
    for _ in 0..calls {
        NanoClose();
    }
    all_refused();
    let report = nanodb::Database::open(&path).unwrap().check().unwrap();
    assert!(report.is_clean(), "{report}");
}
