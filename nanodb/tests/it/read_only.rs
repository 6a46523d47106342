//! Databases that are read and never written to: by whom, where, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use nanodb::{Database, Error, ErrorKind, Filter, Options, Sort, Update, doc, field};

/// More than a sort of the tests may have in memory.
const DOCUMENTS: i64 = 2000;

fn read_only() -> Options {
    Database::options().read_only(true)
}

/// What a directory holds, but for when it was last read.
type Listing = BTreeMap<PathBuf, (Vec<u8>, SystemTime, fs::Permissions)>;

fn listing(directory: &Path) -> Listing {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let metadata = fs::metadata(&path).unwrap();
        let bytes = if metadata.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
        (path, (bytes, metadata.modified().unwrap(), metadata.permissions()))
    };
    entries.chain([directory.to_owned()]).map(read).collect()
}

/// Makes a database with documents 0 to 1999 in the collection `c`, each with its number as `n`.
fn make(path: &Path) -> Database {
    let db = Database::open(path).unwrap();
    let c = db.collection("c");
    c.insert_many((0..DOCUMENTS).map(|n| doc! { "_id": n, "n": n })).unwrap();
    db
}

/// Puts into a directory what is found after a process was killed: the file and its logs.
fn make_crashed(directory: &Path, name: &str) {
    let made = tempfile::tempdir().unwrap();
    let db = make(&made.path().join(name));
    db.checkpoint().unwrap();
    let c = db.collection("c");
    c.insert(doc! { "_id": DOCUMENTS, "n": (DOCUMENTS) }).unwrap();
    c.delete(0).unwrap();
    for entry in fs::read_dir(made.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, directory.join(path.file_name().unwrap())).unwrap();
    }
    let logs = |path: &Path| fs::read_dir(path).unwrap().count();
    assert!(logs(directory) > 1);
}

/// Reads a database in all ways; `first` is the lowest number in it.
fn read_all(db: &Database, first: i64) {
    let c = db.collection("c");
    assert_eq!(c.count().unwrap(), DOCUMENTS.cast_unsigned());
    assert_eq!(db.collections().unwrap().len(), 1);
    assert!(c.contains(first).unwrap() && !c.contains(first - 1).unwrap());
    assert_eq!(c.get(first).unwrap().unwrap().get("n").unwrap().as_i64(), Some(first));
    assert_eq!(c.iter().unwrap().map(Result::unwrap).count(), 2000);
    assert_eq!(c.find(field("n").gte(1000)).run().unwrap().count(), 1000 + first as usize);
    assert_eq!(c.distinct("n", Filter::all()).unwrap().len(), 2000);
    // In a temporary file, which can't be beside the database.
    let sorted = c.find(Filter::all()).sort(Sort::descending("n")).sort_bytes_max(4096);
    let sorted: Vec<i64> = sorted
        .run()
        .unwrap()
        .map(|found| found.unwrap().get("n").unwrap().as_i64().unwrap())
        .collect();
    assert!(sorted.is_sorted_by(|a, b| a > b) && sorted.len() == 2000);
    let snapshot = db.snapshot();
    assert_eq!(snapshot.collection("c").iter().unwrap().count(), 2000);
    let counted = db.write(|tx| {
        assert_eq!(tx.collection("none").count()?, 0);
        tx.collection("c").count()
    });
    assert_eq!(counted.unwrap(), 2000);
    db.begin_write().commit().unwrap();
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(db.stats().unwrap().collections[0].count, 2000);
}

/// Says of each call that writes how it was refused.
pub(crate) fn write_all(db: &Database) -> Vec<(&'static str, Error)> {
    let c = db.collection("c");
    let (all, set) = (Filter::all, Update::parse_json(r#"{"$set": {"n": 0}}"#).unwrap());
    let none = || Filter::parse_json(r#"{"n": -5}"#).unwrap();
    let document = doc! { "n": 1 };
    let mut refused = Vec::new();
    macro_rules! refused {
        ($($call:expr),* $(,)?) => {
            $(refused.push((stringify!($call), $call.err().expect(stringify!($call))));)*
        };
    }
    refused!(
        c.insert(doc! {}),
        db.collection("new").insert(doc! {}),
        c.insert_many([doc! {}, doc! {}]),
        c.insert_many::<nanodb::Document>([]),
        c.replace(1, doc! {}),
        c.replace(-5, doc! {}),
        c.put(1, doc! {}),
        c.put(-5, doc! {}),
        c.update(1, &set),
        c.update(-5, &set),
        db.collection("none").update(-5, &set),
        c.delete(1),
        c.delete(-5),
        db.collection("none").delete(-5),
        c.update_one(all(), &set),
        c.update_many(all(), &set),
        c.update_many(none(), &set),
        c.upsert(none(), &set),
        c.replace_one(none(), &document),
        c.replace_or_insert(all(), &document),
        c.delete_one(all()),
        c.delete_many(none()),
        c.find_one_and_update(none(), &set).run(),
        c.find_one_and_replace(all(), &document).run(),
        c.find_one_and_delete(none()).run(),
        c.bulk_write([]),
        db.typed::<BTreeMap<String, i64>>("c").insert(BTreeMap::new()),
        db.typed::<BTreeMap<String, i64>>("c").put(1, BTreeMap::new()),
        db.typed::<BTreeMap<String, i64>>("c").update(1, &set),
        db.rename_collection("c", "d"),
        db.rename_collection("none", "d"),
        db.drop_collection("c"),
        db.drop_collection("none"),
        db.checkpoint(),
        db.sync(),
        db.compact(),
        db.salvage("no such file"),
        db.write(|tx| tx.collection("c").insert(doc! {})),
        db.write(|tx| tx.collection("c").insert_many::<nanodb::Document>([])),
        db.write(|tx| tx.collection("c").replace(-5, doc! {})),
        db.write(|tx| tx.collection("c").put(-5, doc! {})),
        db.write(|tx| tx.collection("c").update(-5, &set)),
        db.write(|tx| tx.collection("c").delete(-5)),
        db.write(|tx| tx.typed::<BTreeMap<String, i64>>("c").insert(BTreeMap::new())),
        db.write(|tx| tx.typed::<BTreeMap<String, i64>>("c").update(1, &set)),
        db.write(|tx| tx.collection("none").update_one(all(), &set)),
        db.write(|tx| tx.collection("c").update_many(none(), &set)),
        db.write(|tx| tx.collection("c").upsert(none(), &set)),
        db.write(|tx| tx.collection("c").replace_one(none(), &document)),
        db.write(|tx| tx.collection("c").replace_or_insert(none(), &document)),
        db.write(|tx| tx.collection("c").delete_one(none())),
        db.write(|tx| tx.collection("c").delete_many(none())),
        db.write(|tx| tx.collection("c").find_one_and_delete(none()).run().map(drop)),
        db.write(|tx| tx.collection("c").bulk_write([])),
    );
    refused
}

/// Opens, reads, is refused to write, and closes; nothing changes in the directory.
fn read_and_try_to_write(path: &Path, first: i64) {
    let before = listing(path.parent().unwrap());
    for again in 0..3 {
        let db = read_only().cache_bytes_max(64 << 10).open(path).unwrap();
        if again == 0 {
            for (call, error) in write_all(&db) {
                assert_eq!(error.kind(), ErrorKind::ReadOnly, "{call}: {error}");
                assert!(error.to_string().contains("read-only"), "{call}: {error}");
            }
        }
        read_all(&db, first);
        match again {
            2 => drop(db),
            _ => drop(db.close().unwrap()),
        }
    }
    assert!(listing(path.parent().unwrap()) == before, "something was written");
}

#[test]
fn all_that_reads_works_and_all_that_writes_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    make(&path).close().unwrap();
    read_and_try_to_write(&path, 0);
}

#[test]
fn after_a_crash_the_logs_are_read_where_they_are_and_stay_for_whoever_writes_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    make_crashed(dir.path(), "data.nanodb");
    read_and_try_to_write(&path, 1);
    let db = Database::open(&path).unwrap();
    assert!(!db.open_report().clean);
    read_all(&db, 1);
    db.close().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// Runs this very test again as a user who owns nothing, in a directory that holds all it needs;
/// false if that can't be done.
#[cfg(unix)]
fn run_as_nobody(test: &str, variable: &str, value: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for path in [dir.path(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut child = std::process::Command::new(&program);
    child.args(["--exact", test, "--nocapture"]).env(variable, value).current_dir("/");
    match child.uid(65534).gid(65534).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
            true
        }
        Err(error) => {
            eprintln!("SKIPPED: running a program as another user: {error}");
            false
        }
    }
}

#[cfg(unix)]
#[test]
fn a_user_who_may_write_nothing_reads_a_file_in_a_directory_that_nobody_writes() {
    use std::os::unix::fs::PermissionsExt as _;
    const TEST: &str =
        "read_only::a_user_who_may_write_nothing_reads_a_file_in_a_directory_that_nobody_writes";
    const VARIABLE: &str = "NANODB_TEST_READ_ONLY";
    if let Some(directory) = std::env::var_os(VARIABLE) {
        let directory = PathBuf::from(directory);
        let probe = fs::OpenOptions::new().write(true).open(directory.join("clean/data"));
        assert_eq!(probe.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
        let refused = Database::open(directory.join("clean/data")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Io);
        read_and_try_to_write(&directory.join("clean/data"), 0);
        read_and_try_to_write(&directory.join("crashed/data"), 1);
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (clean, crashed) = (dir.path().join("clean"), dir.path().join("crashed"));
    fs::create_dir(&clean).unwrap();
    fs::create_dir(&crashed).unwrap();
    make(&clean.join("data")).close().unwrap();
    make_crashed(&crashed, "data");
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for directory in [&clean, &crashed] {
        fs::read_dir(directory).unwrap().for_each(|entry| set_mode(&entry.unwrap().path(), 0o444));
        set_mode(directory, 0o555);
    }
    set_mode(dir.path(), 0o755);
    let before = [listing(&clean), listing(&crashed)];
    run_as_nobody(TEST, VARIABLE, dir.path());
    assert!([listing(&clean), listing(&crashed)] == before, "something was written");
    [&clean, &crashed].iter().for_each(|directory| set_mode(directory, 0o755));
}

/// A file system in memory, mounted as long as this lives.
#[cfg(target_os = "linux")]
struct Mounted(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Mounted {
    /// None if it can't be mounted here.
    fn new() -> Option<Self> {
        let mounted = Self(tempfile::tempdir().unwrap());
        mounted.mount(&["-t", "tmpfs", "-o", "size=32m", "nanodb-test"]).then_some(mounted)
    }

    fn mount(&self, arguments: &[&str]) -> bool {
        let run = std::process::Command::new("mount").args(arguments).arg(self.0.path()).output();
        match run {
            Ok(output) if output.status.success() => true,
            other => {
                eprintln!("SKIPPED: mounting a file system: {other:?}");
                false
            }
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).output();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_database_on_media_that_can_only_be_read_is_read() {
    let Some(mounted) = Mounted::new() else { return };
    let directory = mounted.0.path();
    make(&directory.join("clean")).close().unwrap();
    make_crashed(directory, "crashed");
    if !mounted.mount(&["-o", "remount,ro"]) {
        return;
    }
    let refused = Database::open(directory.join("clean")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Io);
    read_and_try_to_write(&directory.join("clean"), 0);
    read_and_try_to_write(&directory.join("crashed"), 1);
}

#[test]
fn there_must_be_a_database_to_read() {
    let dir = tempfile::tempdir().unwrap();
    let (absent, empty) = (dir.path().join("absent"), dir.path().join("empty"));
    fs::write(&empty, "").unwrap();
    let before = listing(dir.path());
    assert_eq!(read_only().open(&absent).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(read_only().open(&empty).unwrap_err().kind(), ErrorKind::NotADatabase);
    assert_eq!(read_only().open(dir.path()).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(read_only().in_memory().unwrap_err().kind(), ErrorKind::NotADatabase);
    assert!(listing(dir.path()) == before);
}

#[test]
fn threads_read_a_file_together_that_is_not_opened_for_writing_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    make(&path).close().unwrap();
    let db = Arc::new(read_only().open(&path).unwrap());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| read_all(&read_only().open(&path).unwrap(), 0));
        }
    });
    let error = Database::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    drop(db);
    assert!(Database::open(&path).is_ok());
}
