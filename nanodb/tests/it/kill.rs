//! A process that is killed while it writes: what it had been told is stored is stored.
//!
//! The test runs itself as a child, which writes from several threads and says on its
//! standard output what of it has returned. The parent kills it at some moment (`SIGKILL`:
//! no destructor runs, nothing is flushed) and looks at the file. When it is killed follows
//! from `NANODB_SEED`; how far other threads have come by then does not.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nanodb::{Database, Document, Durability, Error, Id, Transaction, doc};

const PATH: &str = "NANODB_KILL_PATH";
const THREADS: &str = "NANODB_KILL_THREADS";
const WRITES: &str = "NANODB_KILL_WRITES";

/// What a child does, from each of its threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writes {
    Singly,
    InTransactions,
}

/// The child's part; nothing when the tests run.
#[test]
fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let threads: usize = std::env::var(THREADS).unwrap().parse().unwrap();
    let write = match std::env::var(WRITES).unwrap() {
        name if name == format!("{:?}", Writes::Singly) => write_for_ever,
        _ => transact_for_ever,
    };
    // A small log and cache, so that checkpoints are under way most of the time.
    let options = Database::options().cache_bytes_max(1 << 18).log_bytes_max(1 << 16);
    let db = options.durability(Durability::Buffered).open(path).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let db = db.clone();
            scope.spawn(move || write(&db, thread));
        }
    });
}

/// One line in one write: lines of several threads do not mix.
fn tell(thread: usize, id: &Id, round: usize) {
    let line = format!("stored {thread} {id} {round}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn write_for_ever(db: &Database, thread: usize) {
    let name = format!("thread {thread}");
    let collection = db.collection(&name);
    for round in 0_usize.. {
        let text = "x".repeat(round * 37 % 3000);
        let id = collection.insert(doc! { "round": round as i64, "text": text }).unwrap();
        tell(thread, &id, round);
        if round % 7 == 6 {
            collection.replace(&id, doc! { "round": round as i64, "text": "short" }).unwrap();
        }
    }
}

/// The two collections of a transaction, and the two documents in which each thread counts.
const TWO: [&str; 2] = ["left", "right"];

fn counter(thread: usize) -> String {
    format!("counter {thread}")
}

/// Inserts a document into both collections, with the same id, and counts in both: in the
/// one order or the other, so that some get in each other's way.
fn transact_for_ever(db: &Database, thread: usize) {
    let first = db.collection(TWO[0]).get(counter(thread)).unwrap();
    let first = first.map_or(0, |found| found.get("count").unwrap().as_i64().unwrap() as usize);
    for round in first + 1.. {
        let mut names = TWO;
        if round % 3 == 0 {
            names.reverse();
        }
        let id = Id::from((thread as i64) << 32 | round as i64);
        db.write(|tx| names.iter().try_for_each(|name| put(tx, name, &id, thread, round))).unwrap();
        tell(thread, &id, round);
        if round % 5 == 0 {
            // Half of one that is never committed.
            let tx = db.begin_write();
            if put(&tx, names[0], &Id::from(-1), thread, round).is_ok() {
                tx.rollback();
            }
        }
    }
}

fn put(tx: &Transaction, name: &str, id: &Id, thread: usize, round: usize) -> Result<(), Error> {
    let collection = tx.collection(name);
    let text = "y".repeat(round * 37 % 1500);
    collection.insert(doc! { "_id": (id.clone()), "text": text })?;
    let count = doc! { "_id": (counter(thread)), "count": round as i64 };
    if !collection.replace(counter(thread), count.clone())? {
        collection.insert(count)?;
    }
    Ok(())
}

fn start(path: &Path, threads: usize, writes: Writes) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .env(THREADS, threads.to_string())
        .env(WRITES, format!("{writes:?}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lets a child write until it has told of so many writes; kills it; returns all it told of.
fn write_and_kill(
    path: &Path,
    threads: usize,
    writes: Writes,
    after: usize,
) -> Vec<(usize, i64, i64)> {
    let mut child = start(path, threads, writes);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stored = Vec::new();
    let mut killed = false;
    for line in lines {
        let line = line.unwrap();
        let mut words = line.split(' ');
        if words.next() != Some("stored") {
            continue; // The test harness says something of its own.
        }
        let numbers: Vec<i64> = words.filter_map(|word| word.parse().ok()).collect();
        // The last line may have been cut.
        if let [thread, id, round] = numbers[..] {
            stored.push((usize::try_from(thread).unwrap(), id, round));
        }
        if stored.len() >= after && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(killed, "the child ended by itself after {} writes", stored.len());
    child.wait().unwrap();
    // What the last line, if it was cut, would have said is not known.
    stored.pop();
    stored
}

/// Kills twice as many children as there are files to be: on the same file, so that a crash
/// follows a recovery. `verify` gets all that the file's children told of.
fn kill_children(
    writes: Writes,
    files: u64,
    verify: impl Fn(&Database, usize, &[(usize, i64, i64)]),
) {
    let first = std::env::var("NANODB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (dir, mut told) = (tempfile::tempdir().unwrap(), 0);
    for seed in first..first + files {
        let path = dir.path().join(format!("{seed}.nanodb"));
        let threads = [1, 2, 8][(seed % 3) as usize];
        let mut random = fastrand::Rng::with_seed(seed);
        let mut stored = Vec::new();
        for _ in 0..2 {
            stored.extend(write_and_kill(&path, threads, writes, random.usize(1..600)));
            let db = Database::open(&path).unwrap();
            let verified = std::panic::AssertUnwindSafe(|| {
                verify(&db, threads, &stored);
                let report = db.check().unwrap();
                assert!(report.is_clean(), "{report}");
            });
            if let Err(failed) = std::panic::catch_unwind(verified) {
                eprintln!("NANODB_SEED={seed}, {threads} threads");
                std::panic::resume_unwind(failed);
            }
        }
        told += stored.len();
        std::fs::remove_file(&path).unwrap();
    }
    println!("{writes:?}: seeds from {first}, {} kills, {told} writes told of", 2 * files);
}

fn is_long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

#[test]
fn what_a_killed_process_was_told_is_stored_is_stored() {
    let files = if is_long() { 1_000 } else { 12 };
    kill_children(Writes::Singly, files, |db, _, stored| {
        for &(thread, id, number) in stored {
            let found = db.collection(&format!("thread {thread}")).get(id).unwrap();
            let found = found.unwrap_or_else(|| panic!("{thread}/{id} is lost"));
            assert_eq!(found.get("round").and_then(|v| v.as_i64()), Some(number));
        }
    });
}

#[test]
fn what_a_killed_process_was_told_is_committed_is_there_and_no_transaction_is_halved() {
    let files = if is_long() { 1_000 } else { 13 };
    kill_children(Writes::InTransactions, files, |db, threads, stored| {
        let contents = |name| -> BTreeMap<Id, Document> {
            let all = db.collection(name).iter().unwrap().map(|found| found.unwrap().to_document());
            let keyed = all.map(|found| found.map(|found| (found.id().unwrap().to_owned(), found)));
            keyed.collect::<Result<_, _>>().unwrap()
        };
        let [left, right] = TWO.map(contents);
        assert!(left == right, "a transaction is there by half");
        assert!(!left.contains_key(&Id::from(-1)), "one is there that was rolled back");
        for &(thread, id, round) in stored {
            assert!(left.contains_key(&Id::from(id)), "{thread}/{round} is lost");
        }
        // What each thread committed is there up to some point.
        for thread in 0..threads {
            let count = left.get(&Id::from(counter(thread))).map(|found| found["count"].clone());
            let count = count.and_then(|count| count.as_i64()).unwrap_or(0);
            let of_thread = |id: &&Id| matches!(id, Id::Int(id) if *id >> 32 == thread as i64);
            assert_eq!(left.keys().filter(of_thread).count() as i64, count);
        }
    });
}
