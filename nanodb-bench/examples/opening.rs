//! How long opening and the first read take, in a process of their own: after a clean close and
//! after a kill with the log nearly full, with the files in the operating system's memory and not
//! (where `dd` can have them dropped). And what the index takes, in memory and on disk.
//!
//! ```text
//! cargo run --release -p nanodb-bench --example opening -- DIRECTORY [DOCUMENTS]
//! ```
//!
//! The documents have 100 bytes, and ids that are integers; with `strings` behind the number, text.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nanodb::{Database, Document, Durability, Id, doc};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const BATCH: usize = 1000;

/// What the documents are called.
#[derive(Clone, Copy)]
struct Ids {
    are_strings: bool,
}

impl Ids {
    fn id(self, number: u64) -> Id {
        if self.are_strings {
            format!("user{number:012}").into()
        } else {
            number.cast_signed().into()
        }
    }

    fn document(self, number: u64) -> Document {
        let filler = if self.are_strings { 57 } else { 68 };
        let mut document = doc! { "text": "x".repeat(filler), "number": (number.cast_signed()) };
        document.insert("_id", self.id(number));
        document
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, rest @ ..] = &arguments[..] else {
        return Err("usage: opening DIRECTORY [DOCUMENTS [strings]]".into());
    };
    let path = PathBuf::from(directory).join("opening.nanodb");
    let documents = rest.first().map_or(Ok(1_000_000), |number| number.parse())?;
    let ids = Ids { are_strings: rest.get(1).is_some_and(|word| word == "strings") };
    match rest.get(2).map(String::as_str) {
        Some("write") => write_until_the_log_is_full(&path, documents, ids),
        Some("read") => read(&path, documents, ids),
        _ => report(directory, &path, documents, ids),
    }
}

fn report(directory: &str, path: &Path, documents: u64, ids: Ids) -> Result<()> {
    if path.exists() {
        return Err(format!("{} is there already", path.display()).into());
    }
    let begun = Instant::now();
    let db = Database::options().durability(Durability::Buffered).open(path)?;
    let collection = db.collection("users");
    for first in (0..documents).step_by(BATCH) {
        let last = documents.min(first + BATCH as u64);
        collection.insert_many((first..last).map(|number| ids.document(number)))?;
    }
    println!("{documents} documents loaded in {:.1?}", begun.elapsed());
    print_index(&db, documents)?;
    drop(collection);
    db.close()?;

    for (what, is_cached) in [("closed", true), ("closed", false)] {
        run(directory, documents, ids, what, is_cached)?;
    }
    for is_cached in [true, false] {
        let killed = child(directory, documents, ids, "write").stdout(Stdio::null()).status()?;
        assert!(!killed.success(), "the writer kills itself");
        run(directory, documents, ids, "killed", is_cached)?;
    }
    std::fs::remove_file(path)?;
    Ok(())
}

fn child(directory: &str, documents: u64, ids: Ids, what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_default());
    let kind = if ids.are_strings { "strings" } else { "integers" };
    command.args([directory, &documents.to_string(), kind, what]);
    command
}

fn run(directory: &str, documents: u64, ids: Ids, what: &str, is_cached: bool) -> Result<()> {
    if !is_cached && !drop_from_memory(directory)? {
        println!("{what}, file not in memory: there is no `dd` that has files dropped");
        return Ok(());
    }
    print!("{what}, file {}in memory: ", if is_cached { "" } else { "not " });
    std::io::Write::flush(&mut std::io::stdout())?;
    child(directory, documents, ids, "read").status()?;
    Ok(())
}

/// Has the system forget the bytes of the database's files; the program's own stay in memory.
fn drop_from_memory(directory: &str) -> Result<bool> {
    for file in std::fs::read_dir(directory)? {
        let mut of = std::ffi::OsString::from("of=");
        of.push(file?.path());
        let dd = Command::new("dd")
            .args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0"])
            .arg(of)
            .stderr(Stdio::null())
            .status();
        if !dd.is_ok_and(|status| status.success()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_until_the_log_is_full(path: &Path, documents: u64, ids: Ids) -> Result<()> {
    // With the usual cache the pages that wait would cause a checkpoint sooner.
    let options = Database::options().durability(Durability::Buffered).cache_bytes_max(1 << 30);
    let db = options.background(false).open(path)?;
    let collection = db.collection("users");
    for number in documents.. {
        collection.insert(ids.document(number + u64::from(std::process::id()) * 10_000_000))?;
        // What makes a checkpoint due is reached a little later.
        if number % 1000 == 0 && db.stats()?.log_bytes > (64 << 20) / 8 * 7 - (1 << 20) {
            std::process::abort();
        }
    }
    Ok(())
}

fn read(path: &Path, documents: u64, ids: Ids) -> Result<()> {
    let begun = Instant::now();
    let db = Database::options().open(path)?;
    let opened = begun.elapsed();
    let found = db.collection("users").get(ids.id(documents / 3))?;
    let read = begun.elapsed();
    assert!(found.is_some(), "the document was stored");
    let report = db.open_report();
    println!(
        "opened in {opened:.2?}, with the first read {read:.2?} ({} commits in {} bytes of log)",
        report.commits_replayed, report.bytes_replayed
    );
    // As a reader that has nothing to add.
    std::process::exit(0);
}

#[allow(clippy::cast_precision_loss, reason = "figures to look at")]
fn print_index(db: &Database, documents: u64) -> Result<()> {
    db.checkpoint()?;
    let stats = db.stats()?;
    let collection = &stats.collections[0];
    let in_memory = collection.index_bytes as f64 / documents as f64;
    println!(
        "index: {in_memory:.2} bytes of memory a document; {} checkpoints; file {:.3} of {} bytes a \
         document",
        stats.checkpoints,
        stats.file_bytes as f64 / documents as f64 / 100.0,
        100
    );
    Ok(())
}
