//! A Rust program that loads the shared library when it runs, and uses the Go program's functions:
//! inserts 100,000 documents in batches, and says how long that takes.
//!
//! It leaves a file of three collections for `bench/go-program`, which reads them from Node.js:
//! `documents`, `tiny` and `vectors`.
//!
//! `cargo run --release -p nanodb-ffi --example go_program LIBRARY FILE [ROUNDS]`

use std::error::Error;
use std::ffi::{CStr, CString};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::raw::{c_char, c_longlong};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, mem};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DOCUMENTS: usize = 100_000;

/// Returns the JSON of a document, by its number.
type Document = fn(usize) -> String;

/// Of what is inserted beside others; each is a commit.
const BATCH: usize = 1_000;

const DIMENSIONS: usize = 384;

/// The functions that this program calls. The names of C are those of the library.
struct Functions {
    init: unsafe extern "C" fn(*const c_char),
    close: unsafe extern "C" fn() -> c_longlong,
    create_collection: unsafe extern "C" fn(*const c_char) -> c_longlong,
    insert_many: unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char,
    free: unsafe extern "C" fn(*mut c_char),
}

impl Functions {
    fn load(path: &str) -> Result<Self> {
        // SAFETY: the library runs no code when it is loaded, and each function has the type that
        // the header says. The library is never unloaded.
        unsafe {
            let library = libloading::Library::new(path)?;
            let functions = Self {
                init: *library.get(b"NanoInit")?,
                close: *library.get(b"NanoClose")?,
                create_collection: *library.get(b"NanoCreateCollection")?,
                insert_many: *library.get(b"NanoInsertMany")?,
                free: *library.get(b"NanoFree")?,
            };
            mem::forget(library);
            Ok(functions)
        }
    }

    fn open(&self, path: &Path) -> Result<()> {
        let path = CString::new(path.to_str().ok_or("the path is no text")?)?;
        // SAFETY: it ends with a zero byte.
        unsafe { (self.init)(path.as_ptr()) };
        Ok(())
    }

    fn close(&self) -> Result<()> {
        // SAFETY: it may always be called.
        if unsafe { (self.close)() } == 1 { Ok(()) } else { Err("it was not closed".into()) }
    }

    fn create_collection(&self, name: &CStr) -> Result<()> {
        // SAFETY: it ends with a zero byte.
        let made = unsafe { (self.create_collection)(name.as_ptr()) };
        if made == 1 { Ok(()) } else { Err("the collection was not created".into()) }
    }

    /// Inserts the documents of a JSON array, and looks at the reply.
    fn insert_many(&self, collection: &CStr, documents: &CStr) -> Result<usize> {
        // SAFETY: both end with a zero byte.
        let ids = unsafe { (self.insert_many)(collection.as_ptr(), documents.as_ptr()) };
        if ids.is_null() {
            return Err("the documents were not inserted".into());
        }
        // SAFETY: it is a text, which ends with a zero byte.
        let count = unsafe { CStr::from_ptr(ids) }.to_bytes().split(|&byte| byte == b',').count();
        // SAFETY: it is the library's, and was not freed.
        unsafe { (self.free)(ids) };
        Ok(count)
    }
}

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let (Some(library), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("go_program LIBRARY FILE [ROUNDS]".into());
    };
    let rounds = arguments.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let library = Functions::load(&library)?;
    let file = Path::new(&file);
    let kinds: [(&CStr, Document); 2] = [(c"documents", document), (c"tiny", tiny)];
    for (collection, document) in kinds {
        for batch in [DOCUMENTS, BATCH] {
            measure(&library, file, collection, document, batch, rounds)?;
        }
    }
    let _ = fs::remove_file(file);
    library.open(file)?;
    for (collection, document) in kinds {
        library.create_collection(collection)?;
        library.insert_many(collection, &array((0..DOCUMENTS).map(document))?)?;
    }
    library.create_collection(c"vectors")?;
    let mut random = Random(1);
    for _ in 0..DOCUMENTS / BATCH {
        let documents = (0..BATCH).map(|_| format!("{{\"_embeddings\":{}}}", random.vector()));
        library.insert_many(c"vectors", &array(documents)?)?;
    }
    library.close()
}

/// About 165 bytes.
fn document(n: usize) -> String {
    let city = ["Berlin", "Paris", "Rome", "Oslo"].get(n % 4).copied().unwrap_or_default();
    format!(
        "{{\"name\":\"user {n}\",\"email\":\"user{n}@example.com\",\"age\":{},\"city\":\"{city}\",\
         \"score\":{}.5,\"active\":{},\"tags\":[\"alpha\",\"beta\",\"gamma\"],\
         \"note\":\"likes long walks\"}}",
        n % 90,
        n / 3,
        n.is_multiple_of(2)
    )
}

fn tiny(n: usize) -> String {
    format!("{{\"n\":{n}}}")
}

fn array(documents: impl Iterator<Item = String>) -> Result<CString> {
    let mut text = String::from("[");
    for document in documents {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&document);
    }
    text.push(']');
    Ok(CString::new(text)?)
}

/// Prints the shortest times of some rounds, a line of JSON: nanoseconds a document.
fn measure(
    library: &Functions,
    file: &Path,
    collection: &CStr,
    document: Document,
    batch: usize,
    rounds: usize,
) -> Result<()> {
    let batches: Vec<CString> = (0..DOCUMENTS)
        .step_by(batch)
        .map(|first| array((first..first + batch).map(document)))
        .collect::<Result<_>>()?;
    let (mut inserts, mut parses, mut writes) = (Best::new(), Best::new(), Best::new());
    for _ in 0..rounds {
        let _ = fs::remove_file(file);
        library.open(file)?;
        library.create_collection(collection)?;
        let inserted = inserts.run(|| {
            batches
                .iter()
                .map(|batch| library.insert_many(collection, batch))
                .sum::<Result<usize>>()
        })?;
        library.close()?;
        assert_eq!(inserted, DOCUMENTS);
        // What no database can do without: the text is understood, and is on the disk.
        parses.run(|| {
            batches.iter().try_for_each(|batch| {
                serde_json::from_slice::<serde_json::Value>(batch.to_bytes()).map(drop)
            })
        })?;
        let _ = fs::remove_file(file);
        let mut copy = File::create(file)?;
        writes.run(|| {
            batches.iter().try_for_each(|batch| {
                copy.write_all(batch.to_bytes())?;
                copy.sync_data()
            })
        })?;
    }
    let bytes = document(DOCUMENTS / 2).len();
    let mut line = format!("{{\"collection\":{collection:?},\"batch\":{batch},\"bytes\":{bytes}");
    for (name, best) in [("insert", inserts), ("parse", parses), ("write", writes)] {
        let each = |took: Duration| took.as_secs_f64() * 1e9 / DOCUMENTS as f64;
        let (clock, processor) = (each(best.clock), each(best.processor));
        write!(line, ",\"{name}\":{{\"clock\":{clock:.1},\"processor\":{processor:.1}}}")?;
    }
    println!("{line}}}");
    Ok(())
}

/// The shortest times of what was run.
struct Best {
    clock: Duration,
    /// Of the whole process.
    processor: Duration,
}

impl Best {
    fn new() -> Self {
        Self { clock: Duration::MAX, processor: Duration::MAX }
    }

    fn run<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let (clock, processor) = (Instant::now(), processor_time());
        let result = run();
        self.clock = self.clock.min(clock.elapsed());
        self.processor = self.processor.min(processor_time().saturating_sub(processor));
        result
    }
}

fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is there.
    let _status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(secs, u32::try_from(time.tv_nsec).unwrap_or(0))
}

struct Random(u64);

impl Random {
    fn vector(&mut self) -> String {
        let numbers = (0..DIMENSIONS).map(|_| {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = (self.0 >> 33) as f64 / (1_u64 << 31) as f64 * 2.0 - 1.0;
            format!("{number:.8}")
        });
        format!("[{}]", numbers.collect::<Vec<_>>().join(","))
    }
}
