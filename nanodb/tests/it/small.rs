//! Small things stay small: an empty database, one that is open and idle, a thousand that are.
//!
//! What memory takes is asked of a process of its own, where nobody else takes any: the test runs
//! itself as a child.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nanodb::{Database, Durability, doc, field};

const DIRECTORY: &str = "NANODB_SMALL_DIRECTORY";

/// What an idle database may take: 100 KiB.
const IDLE_BYTES_MAX: u64 = 100 << 10;

/// An empty one in the file.
const EMPTY_BYTES_MAX: u64 = 16 << 10;

fn len(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

/// All files of a directory, by name.
fn files(directory: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), len(&entry.path())))
        .collect();
    files.sort();
    files
}

#[test]
fn an_empty_database_is_16_kib_on_disk_at_most() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.nanodb");
    let db = Database::open(&path).unwrap();
    assert!(len(&path) <= EMPTY_BYTES_MAX, "{}", len(&path));
    assert_eq!(files(directory.path()).len(), 1, "nothing beside it before the first write");
    db.checkpoint().unwrap();
    db.close().unwrap();
    assert!(len(&path) <= EMPTY_BYTES_MAX, "{}", len(&path));

    // One that has become empty takes no more. And what lies beside it while it is open is small.
    let db = Database::open(&path).unwrap();
    for name in ["a", "b"] {
        db.collection(name).insert_many((0..3000).map(|id| doc! { "_id": id })).unwrap();
        db.checkpoint().unwrap();
    }
    for (name, bytes) in files(directory.path()).into_iter().filter(|(name, _)| name.contains("-"))
    {
        assert!(bytes <= 512 << 10, "{name}: {bytes}");
    }
    assert!(db.drop_collection("a").unwrap() && db.drop_collection("b").unwrap());
    db.compact().unwrap();
    db.close().unwrap();
    assert!(len(&path) <= EMPTY_BYTES_MAX, "{}", len(&path));
    assert_eq!(files(directory.path()).len(), 1);
}

/// Numbers that look random, always the same of one seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn a_database_whose_collections_were_all_dropped_is_16_kib_after_compaction_whatever_it_was() {
    let long = std::env::var_os("NANODB_TEST_LONG").is_some();
    for seed in 1..=if long { 100 } else { 8 } {
        let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.nanodb");
        let options = Database::options().durability(Durability::Buffered);
        let mut db = options.open(&path).unwrap();
        for round in 0..=random.below(3) {
            for name in ["a", "b", "c"].iter().take(1 + random.below(3) as usize) {
                let collection = db.collection(name);
                let (count, size) = (random.below(2000), random.below(6000) as usize);
                let count = count.min(4_000_000 / (size as u64 + 1));
                collection.insert_many((0..count).map(|_| doc! { "t": "x".repeat(size) })).unwrap();
                match random.below(5) {
                    0 => db.checkpoint().unwrap(),
                    1 => drop(collection.delete_many(field("_id").lt(count / 2)).unwrap()),
                    2 => drop(collection.delete_many(field("_id").gte(0)).unwrap()),
                    _ => {}
                }
            }
            if random.below(3) == 0 {
                db.close().unwrap();
                db = options.open(&path).unwrap();
            }
            if random.below(3) == 0 {
                db.compact().unwrap();
            }
            for name in db.collections().unwrap().into_iter().map(|info| info.name) {
                if random.below(4) > 0 || round == 0 {
                    assert!(db.drop_collection(&name).unwrap());
                }
            }
        }
        for name in db.collections().unwrap().into_iter().map(|info| info.name) {
            assert!(db.drop_collection(&name).unwrap());
        }
        db.compact().unwrap();
        assert!(db.check().unwrap().is_clean());
        db.close().unwrap();
        assert!(len(&path) <= EMPTY_BYTES_MAX, "seed {seed}: {}", len(&path));
    }
}

/// How many databases may be open, with so many files each.
fn count(files_each: u64) -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let limit = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(u64::MAX);
    (limit.saturating_sub(64) / files_each).min(1000)
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn paths(directory: &Path) -> Vec<PathBuf> {
    (0..count(3)).map(|number| directory.join(format!("{number}.nanodb"))).collect()
}

/// The child's part; nothing when the tests run.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let paths = paths(Path::new(&directory));
    let options = Database::options().durability(Durability::Buffered);
    // So that what a process needs once is there.
    drop(options.open(&paths[0]).unwrap());
    let before = resident();
    let dbs: Vec<_> = paths.iter().map(|path| options.open(path).unwrap()).collect();
    // The harness has begun a line.
    println!();
    let each = |what: &str| {
        let now = resident();
        println!("{what} {}", now.saturating_sub(before) / dbs.len() as u64);
    };
    each("opened");
    let open = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    println!("files {}", open.saturating_sub(dbs.len() as u64));
    for db in &dbs {
        assert_eq!(
            db.collection("a").get(7).unwrap().unwrap().get("_id").unwrap().as_i64(),
            Some(7)
        );
    }
    each("read");
    println!("threads {}", fs::read_dir("/proc/self/task").unwrap().count());
    for db in &dbs {
        for _ in 0..100 {
            db.collection("a").insert(doc! { "text": "some text" }).unwrap();
        }
    }
    each("written");
    for db in &dbs {
        db.checkpoint().unwrap();
    }
    each("checkpointed");
    println!("threads {}", fs::read_dir("/proc/self/task").unwrap().count());
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_databases_may_be_open_and_take_less_than_100_kib_each() {
    let directory = tempfile::tempdir().unwrap();
    let options = Database::options().durability(Durability::Buffered);
    for path in paths(directory.path()) {
        let db = options.open(path).unwrap();
        db.collection("a").insert_many((1..=20).map(|id| doc! { "_id": id })).unwrap();
        db.close().unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "small::child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    println!("{said}");
    let figure = |name: &str| -> Vec<u64> {
        let words = said.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        words.map(|word| word.parse().unwrap()).collect()
    };
    for name in ["opened", "read", "written", "checkpointed"] {
        let bytes = figure(name);
        assert!(bytes.len() == 1 && bytes[0] <= IDLE_BYTES_MAX, "{name}: {bytes:?}");
    }
    // One each, and a few that a process has anyway.
    assert!(figure("files")[0] <= 16, "{said}");
    // The test's two, and the one in the background.
    assert!(figure("threads").iter().all(|&threads| threads <= 3), "{said}");
}
