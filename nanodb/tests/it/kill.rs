//! A process that is killed while it writes: what it had been told is stored is stored.
//!
//! The test runs itself as a child, which writes from several threads and names on its
//! standard output every id whose insert has returned. The parent kills it at some
//! moment (`SIGKILL`: no destructor runs, nothing is flushed) and looks at the file.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nanodb::{Database, Durability, doc};

const PATH: &str = "NANODB_KILL_PATH";
const THREADS: &str = "NANODB_KILL_THREADS";

/// The child's part; nothing when the tests run.
#[test]
fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let threads: usize = std::env::var(THREADS).unwrap().parse().unwrap();
    // A small log and cache, so that checkpoints are under way most of the time.
    let options = Database::options().cache_bytes_max(1 << 18).log_bytes_max(1 << 16);
    let db = options.durability(Durability::Buffered).open(path).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let db = db.clone();
            scope.spawn(move || write_for_ever(&db, thread));
        }
    });
}

fn write_for_ever(db: &Database, thread: usize) {
    let name = format!("thread {thread}");
    let collection = db.collection(&name);
    for round in 0_usize.. {
        let text = "x".repeat(round * 37 % 3000);
        let id = collection.insert(doc! { "round": round as i64, "text": text }).unwrap();
        // One line in one write: lines of several threads do not mix.
        let line = format!("stored {thread} {id} {round}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
        if round % 7 == 6 {
            collection.replace(&id, doc! { "round": round as i64, "text": "short" }).unwrap();
        }
    }
}

fn start(path: &Path, threads: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .env(THREADS, threads.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lets a child write until it has told of so many ids; kills it; returns all it told of.
fn write_and_kill(path: &Path, threads: usize, after: usize) -> Vec<(usize, i64, i64)> {
    let mut child = start(path, threads);
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
    assert!(killed, "the child ended by itself after {} inserts", stored.len());
    child.wait().unwrap();
    // What the last line, if it was cut, would have said is not known.
    stored.pop();
    stored
}

#[test]
fn what_a_killed_process_was_told_is_stored_is_stored() {
    let kills = if std::env::var_os("NANODB_TEST_LONG").is_some() { 2_000 } else { 24 };
    let dir = tempfile::tempdir().unwrap();
    for kill in 0..kills {
        let path = dir.path().join(format!("{kill}.nanodb"));
        let threads = [1, 2, 8][kill % 3];
        let mut stored = Vec::new();
        // Again on the same file: a crash follows a recovery.
        for round in 0..2 {
            stored.extend(write_and_kill(&path, threads, 1 + (kill * 131 + round * 57) % 900));
            let db = Database::open(&path).unwrap();
            for &(thread, id, number) in &stored {
                let found = db.collection(&format!("thread {thread}")).get(id).unwrap();
                let found = found.unwrap_or_else(|| panic!("kill {kill}: {thread}/{id} is lost"));
                assert_eq!(found.get("round").and_then(|v| v.as_i64()), Some(number));
            }
            let report = db.check().unwrap();
            assert!(report.is_clean(), "kill {kill}: {report}");
            drop(db);
        }
        std::fs::remove_file(&path).unwrap();
    }
}
