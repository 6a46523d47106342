//! One file by several names, and files of other people beside it.

use std::path::Path;
use std::process::{Command, Output};

use nanodb::{Database, ErrorKind, doc};

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
fn sidecars_are_as_private_as_the_database() {
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
    assert_eq!(names(dir.path()).len(), 4, "two logs and the double-write buffer");
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
    let text = text(&error);
    assert!(text.contains("was moved, removed or replaced while it was open"), "{text}");
    let found = copy(&moved);
    drop(db);
    assert_eq!(names(&data), [""; 0], "nothing was made where another folder is now");
    for moved in [found.path(), &moved] {
        let db = Database::open(moved.join("data.nanodb")).unwrap();
        assert_eq!(db.collection("a").count().unwrap(), stored, "acknowledged and lost");
    }
}

/// An error and its causes.
fn text(error: &nanodb::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[test]
fn a_database_whose_log_is_beside_another_hard_link_is_refused_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (real, alias) = (dir.path().join("real.nanodb"), dir.path().join("alias.nanodb"));
    closed(&real);
    std::fs::hard_link(&real, &alias).unwrap();
    store_and_die(&alias);
    let before = std::fs::read(&real).unwrap();
    let error = Database::open(&real).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misplaced);
    let text = text(&error);
    assert!(text.contains("real.nanodb-log0") && text.contains("hard link"), "{text}");
    assert_eq!(std::fs::read(&real).unwrap(), before);

    // By the name that it was written by, or with the log beside the other one, all is there.
    let found = copy(dir.path());
    let db = Database::open(found.path().join("alias.nanodb")).unwrap();
    assert_eq!(db.collection("a").count().unwrap(), 2);
    for name in names(dir.path()) {
        if let Some(suffix) = name.strip_prefix("alias.nanodb-") {
            let to = dir.path().join(format!("real.nanodb-{suffix}"));
            std::fs::rename(dir.path().join(&name), to).unwrap();
        }
    }
    assert_eq!(Database::open(&real).unwrap().collection("a").count().unwrap(), 2);
}

#[test]
fn a_database_without_its_log_opens_only_if_that_is_asked_for_and_says_what_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    closed(&path);
    store_and_die(&path);
    let log = dir.path().join("data.nanodb-log0");
    let another = tempfile::tempdir().unwrap();
    closed(&another.path().join("other"));
    store_and_die(&another.path().join("other"));

    let kept = std::fs::read(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    let error = Database::open(&path).unwrap_err();
    assert!(text(&error).contains("the log is missing"), "{}", text(&error));
    std::fs::copy(another.path().join("other-log0"), &log).unwrap();
    let error = Database::open(&path).unwrap_err();
    assert!(text(&error).contains("belongs to another database"), "{}", text(&error));
    // Emptied by mistake.
    std::fs::write(&log, b"").unwrap();
    assert_eq!(Database::open(&path).unwrap_err().kind(), ErrorKind::Damaged);

    std::fs::write(&log, kept).unwrap();
    let db = Database::open(&path).unwrap();
    assert_eq!(db.collection("a").count().unwrap(), 2);
    db.collection("a").insert(doc! { "_id": 4 }).unwrap();
    db.collection("a").delete(2).unwrap();
    db.close().unwrap();

    store_and_die(&path);
    for log in ["data.nanodb-log0", "data.nanodb-log1"] {
        let _ = std::fs::remove_file(dir.path().join(log));
    }
    let saved = Database::in_memory().unwrap();
    let report = saved.salvage(&path).unwrap();
    assert_eq!((saved.collection("a").count().unwrap(), report.is_complete()), (2, false));
    let db = Database::options().allow_missing_log(true).open(&path).unwrap();
    assert!(db.open_report().log_lost);
    assert_eq!(db.collection("a").count().unwrap(), 2);
    db.collection("a").insert(doc! { "_id": 3 }).unwrap();
    db.close().unwrap();
    assert_eq!(names(dir.path()), ["data.nanodb"]);
    let db = Database::open(&path).unwrap();
    assert!(!db.open_report().log_lost);
    assert_eq!(db.collection("a").count().unwrap(), 3);
}

#[test]
fn a_new_database_is_not_made_over_the_logs_of_one_that_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let old = Database::open(&path).unwrap();
    old.collection("a").insert(doc! { "_id": 1 }).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = Database::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misplaced);
    assert!(text(&error).contains("data.nanodb-log1"), "{}", text(&error));
    for suffix in ["-log0", "-log1", "-dwb"] {
        let _ = std::fs::remove_file(dir.path().join(format!("data.nanodb{suffix}")));
    }
    let new = Database::open(&path).unwrap();
    new.collection("b").insert(doc! { "_id": 1 }).unwrap();
    // It removes nothing of its successor's.
    drop(old);
    new.collection("b").insert(doc! { "_id": 2 }).unwrap();
    let found = copy(dir.path());
    let found = Database::open(found.path().join("data.nanodb")).unwrap();
    assert_eq!(found.collection("b").count().unwrap(), 2, "acknowledged and lost");
}

#[test]
fn a_database_that_was_renamed_while_it_was_open_loses_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (path, renamed) = (dir.path().join("data.nanodb"), dir.path().join("old.nanodb"));
    let old = Database::open(&path).unwrap();
    old.collection("a").insert(doc! { "_id": 1 }).unwrap();
    std::fs::rename(&path, &renamed).unwrap();
    assert_eq!(Database::open(&path).unwrap_err().kind(), ErrorKind::Misplaced);
    let mut stored = 1;
    while stored < 6 && old.collection("a").insert(doc! { "_id": (stored + 1) }).is_ok() {
        stored += 1;
    }
    // Killed now: the renamed file says which log it misses, and has all with it.
    let found = copy(dir.path());
    let open = || Database::open(found.path().join("old.nanodb"));
    let error = open().unwrap_err();
    assert!(text(&error).contains("old.nanodb-log1"), "{}", text(&error));
    for suffix in ["-log0", "-log1", "-dwb"] {
        let of = |name: &str| found.path().join(format!("{name}{suffix}"));
        let _ = std::fs::rename(of("data.nanodb"), of("old.nanodb"));
    }
    assert_eq!(open().unwrap().collection("a").count().unwrap(), stored);
    // Or it is let go of: nothing of what lies where it was is touched.
    let beside = names(dir.path());
    drop(old);
    assert_eq!(names(dir.path()), beside);
}

#[test]
fn a_file_of_somebody_else_with_a_sidecars_name_is_left_alone() {
    for suffix in ["-new", "-dwb", "-log0", "-log1"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.nanodb");
        let other = dir.path().join(format!("data.nanodb{suffix}"));
        let db = Database::open(&other).unwrap();
        db.collection("theirs").insert_many((1..=100).map(|id| doc! { "_id": id })).unwrap();
        db.close().unwrap();
        let before = std::fs::read(&other).unwrap();
        let db = Database::open(&path).unwrap();
        for id in 1..=3 {
            match db.collection("a").insert(doc! { "_id": id }) {
                Ok(_) => db.checkpoint().unwrap(),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Misplaced);
                    let text = text(&error);
                    assert!(text.contains(&format!("data.nanodb{suffix} has")), "{text}");
                    // Reading goes on.
                    assert_eq!(db.collection("a").count().unwrap(), 0);
                }
            }
        }
        assert_eq!(db.collection("a").count().unwrap() == 3, suffix == "-new", "{suffix}");
        db.close().unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), before, "{suffix}");
        let db = Database::options().create(false).open(&other).unwrap();
        assert_eq!(db.collection("theirs").count().unwrap(), 100);
        // And so does writing, once the other file is gone.
        db.close().unwrap();
        std::fs::remove_file(&other).unwrap();
        Database::open(&path).unwrap().collection("a").insert(doc! { "_id": 4 }).unwrap();
    }
}

#[test]
fn an_empty_file_with_logs_beside_it_is_not_taken_for_a_new_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = Database::open(&path).unwrap();
    db.collection("a").insert(doc! { "_id": 1 }).unwrap();
    let found = copy(dir.path());
    let path = found.path().join("data.nanodb");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"").unwrap();
    let error = Database::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misplaced);
    assert!(text(&error).contains("data.nanodb-log1"), "{}", text(&error));
    std::fs::write(&path, whole).unwrap();
    assert_eq!(Database::open(&path).unwrap().collection("a").count().unwrap(), 1);
}

#[test]
fn an_empty_file_is_no_database_unless_one_is_to_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    std::fs::write(&path, b"").unwrap();
    let error = Database::options().create(false).open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADatabase);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    Database::open(&path).unwrap().collection("a").insert(doc! {}).unwrap();
}

#[test]
fn a_database_does_not_salvage_itself_by_whatever_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = Database::open(&path).unwrap();
    db.collection("a").insert(doc! { "_id": 1 }).unwrap();
    let link = dir.path().join("link");
    std::fs::hard_link(&path, &link).unwrap();
    for name in [&path, &link] {
        let error = db.salvage(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    }
    assert_eq!(db.collection("a").count().unwrap(), 1);
}
