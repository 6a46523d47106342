//! System calls that fail in earnest: `strace` lets the n-th sync or write of a process fail.
//!
//! Storage that fails on purpose tests more, and sooner; this shows that real files behave as that
//! does. Only in the long form, and only where there is a `strace` that may trace.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use nanodb::{Database, Durability, ErrorKind, doc};

const PATH: &str = "NANODB_SYSCALLS_PATH";

/// The calls that fail, and how.
const FAULTS: [&str; 6] = [
    "fdatasync:error=EIO",
    "fdatasync:error=ENOSPC",
    "fsync:error=EIO",
    "pwrite64:error=EIO",
    "pwrite64:error=ENOSPC",
    "ftruncate:error=EIO",
];

/// The child's part; nothing when the tests run.
#[test]
fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let options = Database::options().cache_bytes_max(1 << 18).log_bytes_max(1 << 16);
    let Ok(db) = options.durability(Durability::Immediate).open(path) else { return };
    let collection = db.collection("c");
    let (mut stored, mut poisoned) = (0, false);
    for round in 0..60 {
        let text = "x".repeat(round * 97 % 2500);
        match collection.insert(doc! { "_id": (stored + 1), "text": text }) {
            Ok(_) => {
                assert!(!poisoned, "a write was taken after a failed one");
                stored += 1;
                // In one write, with its end: what is cut was not told.
                let line = format!("stored {stored}\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
            Err(error) => {
                let kind = error.kind();
                assert!(matches!(kind, ErrorKind::Io | ErrorKind::Poisoned), "{error:?}");
                assert!(!poisoned || kind == ErrorKind::Poisoned, "{error:?}");
                poisoned |= kind == ErrorKind::Poisoned;
            }
        }
        assert_eq!(collection.count().unwrap(), stored, "what is seen is what was told");
    }
    for id in 1..=stored {
        assert!(collection.get(id).unwrap().is_some());
    }
    println!("done {poisoned}");
}

/// Runs a child in which the call fails; true if the call was made so often.
fn run(fault: &str, when: &str, path: &Path) -> bool {
    let inject = format!("inject={fault}:when={when}");
    let calls = fault.split(':').next().unwrap();
    let log = path.with_extension("strace");
    // What goes round in circles is a failure, too.
    let output = Command::new("timeout")
        .args(["60", "strace", "-f", "-qq", "-e", &format!("trace={calls}"), "-e", &inject, "-o"])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "syscalls::child", "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let what = format!("{inject}\n{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}");
    let told = said.lines().filter(|line| line.contains("stored ")).count() as u64;

    let db = Database::open(path).unwrap();
    let collection = db.collection("c");
    let count = collection.count().unwrap();
    // One more may have been written, and its sync have failed.
    assert!((told..=told + 1).contains(&count), "{count} of {told} are there\n{what}");
    for id in 1..=count {
        assert!(collection.get(id).unwrap().is_some(), "{id} is lost\n{what}");
    }
    assert!(db.check().unwrap().is_clean(), "{what}");
    collection.insert(doc! { "text": "goes on" }).unwrap();
    std::fs::read_to_string(log).unwrap().contains("(INJECTED)")
}

#[test]
fn whatever_system_call_fails_nothing_that_was_told_is_lost() {
    let can_trace = || {
        let tried = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
        tried.is_ok_and(|status| status.success())
    };
    if std::env::var_os("NANODB_TEST_LONG").is_none() || !can_trace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut runs = 0;
    for fault in FAULTS {
        for for_ever in ["", "+"] {
            for call in 1..=120 {
                let path = dir.path().join(format!("{runs}.nanodb"));
                runs += 1;
                if !run(fault, &format!("{call}{for_ever}"), &path) {
                    break;
                }
            }
        }
    }
    println!("{runs} runs in which a system call failed");
    assert!(runs > 500, "{runs} runs");
}
