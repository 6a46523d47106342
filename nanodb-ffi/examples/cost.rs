//! What the C interface costs: a read by id beside the same read in Rust, batches, scans, and the
//! search for the nearest of 100,000 vectors.
//!
//! `cargo run --release -p nanodb-ffi --example cost`

use std::ffi::{CStr, CString};
use std::hint::black_box;
use std::ptr;
use std::time::{Duration, Instant};

use nanodb::{Collection, Database, Document, doc};
use nanodb_ffi::*;

const DOCUMENTS: u32 = 100_000;
const READS: u32 = 500_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("cost.nanodb");
    let path = path.to_str().ok_or("the path is no text")?;
    let rust = Database::open(path)?;
    let users = rust.collection("users");
    let user = |n: u32| doc! { "_id": n, "name": (format!("user {n}")), "age": (n % 90), "email": (format!("user{n}@example.com")), "city": "Berlin", "tags": ["one", "two", "three"], "active": true, "score": (f64::from(n) / 3.0) };
    users.insert_many((0..DOCUMENTS).map(user))?;

    let mut db = nanodb_db::default();
    let mut collection = nanodb_collection::default();
    let end = NANODB_NUL_TERMINATED;
    let name = CString::new(path)?;
    // SAFETY: the texts end with a zero byte, and the places are there.
    unsafe {
        let error = ptr::null_mut();
        ok(nanodb_open(name.as_ptr(), end, ptr::null(), 0, NANODB_JSON, &mut db, error))?;
        ok(nanodb_db_collection(db, c"users".as_ptr(), end, &mut collection, error))?;
    }
    for threads in [1, 2] {
        println!("reads by id, {threads} threads:");
        show("  in Rust", READS, best(|| on(threads, || read_in_rust(&users))));
        show(
            "  in C, MessagePack",
            READS,
            best(|| on(threads, || read_in_c(collection, NANODB_MSGPACK))),
        );
        show("  in C, JSON", READS, best(|| on(threads, || read_in_c(collection, NANODB_JSON))));
    }
    show("a scan in batches, MessagePack", DOCUMENTS, best(|| scan(collection, NANODB_MSGPACK)));
    show("a scan in batches, JSON", DOCUMENTS, best(|| scan(collection, NANODB_JSON)));

    let mut packed = Vec::new();
    let mut json = String::from("[");
    for n in DOCUMENTS..2 * DOCUMENTS {
        let document: Document = user(n);
        packed.extend_from_slice(&document.to_msgpack()?);
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&document.to_json()?);
    }
    json.push(']');
    for (what, format, bytes) in [
        ("an insert of 100,000, MessagePack", NANODB_MSGPACK, packed.as_slice()),
        ("an insert of 100,000, JSON", NANODB_JSON, json.as_bytes()),
    ] {
        let begun = Instant::now();
        let (bytes, len) = (bytes.as_ptr().cast(), bytes.len());
        let mut error = nanodb_error::default();
        // SAFETY: the bytes are there.
        let status = unsafe {
            nanodb_insert_many(collection, bytes, len, format, ptr::null_mut(), &mut error)
        };
        if status != NANODB_OK {
            // SAFETY: a call that failed has written the message.
            return Err(unsafe { CStr::from_ptr(error.message) }.to_string_lossy().into());
        }
        show(what, DOCUMENTS, begun.elapsed());
        users.delete_many(nanodb::field("_id").gte(DOCUMENTS))?;
    }
    nanodb_collection_free(collection);
    nanodb_db_free(db);
    drop((users, rust));
    go_program(directory.path())
}

/// The Go program's functions: the seed's three benchmarks, and vectors.
fn go_program(directory: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let path = CString::new(directory.join("go.nanodb").to_str().ok_or("no text")?)?;
    // SAFETY: the text ends with a zero byte.
    unsafe { NanoInit(path.as_ptr()) };
    let (tiny, vectors) = (c"tiny".as_ptr(), c"vectors".as_ptr());
    // SAFETY: each text ends with a zero byte, and what is returned is freed.
    unsafe {
        NanoCreateCollection(tiny);
        NanoCreateCollection(vectors);
        let documents: Vec<String> = (0..DOCUMENTS)
            .map(|n| format!("{{\"name\":\"user {n}\",\"age\":{},\"email\":\"user{n}@example.com\",\"city\":\"Berlin\",\"tags\":[\"one\",\"two\",\"three\"],\"active\":true,\"score\":{}.5}}", n % 90, n / 3))
            .collect();
        let documents = CString::new(format!("[{}]", documents.join(",")))?;
        let begun = Instant::now();
        NanoFree(NanoInsertMany(tiny, documents.as_ptr()));
        show("NanoInsertMany of 100,000", DOCUMENTS, begun.elapsed());
        show(
            "NanoFindById",
            DOCUMENTS,
            best(|| {
                let begun = Instant::now();
                for n in 1..=i64::from(DOCUMENTS) {
                    NanoFree(black_box(NanoFindById(tiny, n * 7919 % i64::from(DOCUMENTS) + 1)));
                }
                begun.elapsed()
            }),
        );
        show(
            "NanoFind of all",
            DOCUMENTS,
            best(|| {
                let begun = Instant::now();
                NanoFree(black_box(NanoFind(tiny, c"{}".as_ptr(), 0, 0)));
                begun.elapsed()
            }),
        );

        let mut seed = 1_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as f64 / (1_u64 << 31) as f64 * 2.0 - 1.0
        };
        let mut vector = || -> String {
            let numbers: Vec<String> = (0..384).map(|_| format!("{:.8}", random())).collect();
            format!("[{}]", numbers.join(","))
        };
        for _ in 0..DOCUMENTS / 1000 {
            let documents: Vec<String> = (0..1000)
                .map(|_| format!("{{\"text\":\"x\",\"_embeddings\":{}}}", vector()))
                .collect();
            let documents = CString::new(format!("[{}]", documents.join(",")))?;
            NanoFree(NanoInsertMany(vectors, documents.as_ptr()));
        }
        NanoClose();
        NanoInit(path.as_ptr());
        for _ in 0..5 {
            let wanted = CString::new(vector())?;
            let begun = Instant::now();
            let found = NanoVectorSearch(vectors, wanted.as_ptr(), 10);
            let took = begun.elapsed();
            println!(
                "the nearest 10 of 100,000 vectors of 384: {took:.0?} {:?}",
                CStr::from_ptr(found)
            );
            NanoFree(found);
        }
        NanoClose();
    }
    Ok(())
}

fn ok(status: nanodb_status) -> Result<(), String> {
    if status == NANODB_OK { Ok(()) } else { Err(format!("status {status}")) }
}

fn show(what: &str, count: u32, took: Duration) {
    let each = took.as_secs_f64() * 1e9 / f64::from(count);
    println!("{what}: {each:.0} ns each, {:.2} M a second", 1e3 / each);
}

/// Returns the shortest of some runs.
fn best(mut run: impl FnMut() -> Duration) -> Duration {
    (0..7).map(|_| run()).min().unwrap_or_default()
}

/// Runs the same on several threads.
fn on(threads: usize, run: impl Fn() + Sync) -> Duration {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(&run);
        }
    });
    begun.elapsed()
}

fn ids() -> impl Iterator<Item = i64> {
    (0..u64::from(READS)).map(|n| (n * 7919 % u64::from(DOCUMENTS)).cast_signed())
}

fn read_in_rust(users: &Collection) {
    for id in ids() {
        let found = users.get(id).ok().flatten();
        assert!(black_box(found).is_some_and(|document| document.as_bytes().len() > 100));
    }
}

fn read_in_c(collection: nanodb_collection, format: nanodb_format) {
    for id in ids() {
        let mut document = nanodb_buf::default();
        // SAFETY: the place is there, and what is in it is freed.
        unsafe {
            let _status = nanodb_get_i64(collection, id, format, &mut document, ptr::null_mut());
            assert!(black_box(document.len) > 100);
            nanodb_buf_free(&mut document);
        }
    }
}

fn scan(collection: nanodb_collection, format: nanodb_format) -> Duration {
    let begun = Instant::now();
    let mut cursor = nanodb_cursor::default();
    let error = ptr::null_mut();
    // SAFETY: the places are there, and what is in them is freed.
    unsafe {
        let _status = nanodb_scan(collection, &mut cursor, error);
        loop {
            let (mut documents, mut count) = (nanodb_buf::default(), 0);
            let _status =
                nanodb_cursor_next(cursor, 1000, format, &mut documents, &mut count, error);
            black_box(documents.len);
            nanodb_buf_free(&mut documents);
            if count == 0 {
                break;
            }
        }
    }
    nanodb_cursor_free(cursor);
    begun.elapsed()
}
