//! Processes that are killed while they convert a file of the Go program: one usable file is left.
//!
//! The test runs itself as a child, as `kill` does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nanodb::{Database, GoImportOptions, Id};

const PATH: &str = "NANODB_GO_FILE_PATH";

const HASH: &[u8] = include_bytes!("../../../nanodb-database/tests/data/go-program/go-hash.db");
const TREE: &[u8] = include_bytes!("../../../nanodb-database/tests/data/go-program/go-btree.db");

/// All documents, as they are stored.
type Contents = BTreeMap<(String, Id), Vec<u8>>;

/// The child's part; nothing when the tests run.
#[test]
fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    println!("begins");
    Database::convert_go_file(&path).unwrap();
    println!("ends");
    // To be killed.
    loop {
        std::thread::park();
    }
}

/// Starts a child, and returns when it has begun.
fn start(path: &Path) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "go_files::child", "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line.contains("begins")));
    (child, lines)
}

fn contents(db: &Database) -> Contents {
    let mut contents = Contents::new();
    for info in db.collections().unwrap() {
        for document in db.collection(&info.name).iter().unwrap() {
            let document = document.unwrap();
            let id = document.id().unwrap().to_owned();
            contents.insert((info.name.clone(), id), document.as_bytes().to_vec());
        }
    }
    contents
}

#[test]
fn a_process_that_is_killed_while_it_converts_leaves_the_old_file_or_the_whole_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    let (mut old, mut new) = (0, 0);
    for (round, file) in (0..24_u32).zip([HASH, TREE].into_iter().cycle()) {
        let reference = directory.path().join("reference");
        fs::write(&reference, file).unwrap();
        let expected = Database::in_memory().unwrap();
        expected.import_go(&reference).unwrap();
        let expected = contents(&expected);
        fs::remove_file(&reference).unwrap();

        fs::write(&path, file).unwrap();
        let (mut child, mut lines) = start(&path);
        if round < 20 {
            std::thread::sleep(Duration::from_micros(600) * round);
        } else {
            assert!(lines.any(|line| line.contains("ends")));
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let found = fs::read(&path).unwrap();
        let is_old = found.starts_with(b"AAMN");
        if is_old {
            old += 1;
            assert!(found == file, "round {round}: the old file has changed");
            let done = Database::convert_go_file(&path).unwrap().unwrap();
            assert_eq!(done.report.documents(), expected.len() as u64);
        } else {
            new += 1;
            assert_eq!(Database::convert_go_file(&path).unwrap(), None);
        }
        let db = Database::open(&path).unwrap();
        assert!(contents(&db) == expected, "round {round}");
        db.close().unwrap();
        let backup = directory.path().join("app.db.go-backup");
        assert!(fs::read(&backup).unwrap() == file, "round {round}");
        assert_eq!(directory.path().read_dir().unwrap().count(), 2, "round {round}");
        fs::remove_file(&path).unwrap();
        fs::remove_file(&backup).unwrap();
    }
    assert!(old > 0 && new > 0, "{old} old, {new} new");
}

#[test]
fn processes_that_convert_a_file_at_the_same_time_do_it_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    fs::write(&path, TREE).unwrap();
    let (mut child, lines) = start(&path);
    let wait = GoImportOptions::new().lock_timeout(Duration::from_secs(60));
    let ours = Database::convert_go_file_with(&path, &wait).unwrap();
    // The child has converted it, or was told that somebody does.
    drop(lines);
    let backup = fs::read(directory.path().join("app.db.go-backup")).unwrap();
    assert!(backup == TREE);
    child.kill().unwrap();
    child.wait().unwrap();
    if let Some(ours) = ours {
        assert_eq!(ours.report.documents(), 335);
    }
    let db = Database::open(&path).unwrap();
    assert_eq!(db.collection("users").count().unwrap(), 275);
}
