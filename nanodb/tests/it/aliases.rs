//! One file by several names, and files of other people beside it.

use std::path::Path;
use std::process::{Command, Output};

use nanodb::{Database, doc};

const PATH: &str = "NANODB_ALIASES_PATH";

/// The child's part, nothing when the tests run: inserts a document, says so, and dies.
#[test]
fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let db = Database::open(&path).unwrap();
    db.collection("a").insert(doc! { "_id": 2 }).unwrap();
    println!("stored");
    std::process::abort();
}

/// Another process opens `path`, inserts the document 2, and is killed.
fn store_and_die(path: &Path) -> Output {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "aliases::child", "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("stored"), "{output:?}");
    output
}

/// A closed database with the document 1.
fn closed(path: &Path) {
    let db = Database::open(path).unwrap();
    db.collection("a").insert(doc! { "_id": 1 }).unwrap();
    db.close().unwrap();
}

/// What a kill or a power cut leaves of a folder.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn what_was_acknowledged_through_a_symbolic_link_is_found_by_the_real_name() {
    let dir = tempfile::tempdir().unwrap();
    let (real, other) = (dir.path().join("real"), dir.path().join("other"));
    std::fs::create_dir(&real).unwrap();
    std::fs::create_dir(&other).unwrap();
    let (real, alias) = (real.join("data.nanodb"), other.join("alias.nanodb"));
    closed(&real);
    // A link to a link.
    std::os::unix::fs::symlink(&real, other.join("first")).unwrap();
    std::os::unix::fs::symlink("first", &alias).unwrap();
    store_and_die(&alias);
    assert_eq!(names(&other), ["alias.nanodb", "first"], "beside the link there is nothing");
    let db = Database::open(&real).unwrap();
    assert!(db.collection("a").contains(1).unwrap() && db.collection("a").contains(2).unwrap());
}

#[cfg(unix)]
#[test]
fn what_was_made_through_a_link_that_led_nowhere_is_found_by_the_real_name() {
    let dir = tempfile::tempdir().unwrap();
    let (real, alias) = (dir.path().join("real"), dir.path().join("alias.nanodb"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink("real/data.nanodb", &alias).unwrap();
    store_and_die(&alias);
    assert_eq!(names(dir.path()), ["alias.nanodb", "real"]);
    let db = Database::open(real.join("data.nanodb")).unwrap();
    assert!(db.collection("a").contains(2).unwrap());
}

#[cfg(unix)]
#[test]
fn companions_are_as_private_as_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    drop(Database::open(&path).unwrap());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let db = Database::open(&path).unwrap();
    for id in 1..=3 {
        db.collection("a").insert(doc! { "_id": id, "secret": "s" }).unwrap();
        db.collection("a").replace(1, doc! { "secret": "t" }).unwrap();
        db.checkpoint().unwrap();
    }
    assert_eq!(names(dir.path()).len(), 4, "two logs and the side area");
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} has mode {mode:o}", entry.file_name());
    }
}

#[cfg(unix)]
#[test]
fn a_database_whose_folder_was_moved_says_so_and_writes_no_log_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (data, moved) = (dir.path().join("data"), dir.path().join("moved"));
    std::fs::create_dir(&data).unwrap();
    let db = Database::open(data.join("data.nanodb")).unwrap();
    db.collection("a").insert(doc! { "_id": 1 }).unwrap();
    std::fs::rename(&data, &moved).unwrap();
    std::fs::create_dir(&data).unwrap();
    let mut stored = 1;
    while stored < 10 && db.collection("a").insert(doc! { "_id": (stored + 1) }).is_ok() {
        stored += 1;
        let _ = db.checkpoint();
    }
    let error = db.collection("a").insert(doc! { "_id": 100 }).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    assert!(text.contains("was moved, removed or replaced while it was open"), "{text}");
    let found = copy(&moved);
    drop(db);
    assert_eq!(names(&data), [""; 0], "nothing was made where another folder is now");
    for moved in [found.path(), &moved] {
        let db = Database::open(moved.join("data.nanodb")).unwrap();
        assert_eq!(db.collection("a").count(), stored, "acknowledged and lost");
    }
}
