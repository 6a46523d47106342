//! What is still possible on a disk that is full: reading and deleting, for ever; and what is
//! refused, before it has begun.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_database::{Database, Durability, Error, ErrorKind, Options, doc, field};
use nanodb_sim::{Files, Random, SimStorage};

fn options() -> Options {
    Database::options().background(false)
}

fn open(storage: &SimStorage, options: &Options) -> Database {
    options.open_on(Arc::new(storage.clone())).unwrap()
}

fn long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

/// From now on not one more byte fits.
fn fill(storage: &SimStorage) {
    storage.set_capacity(Some(storage.total_len()));
}

/// The causes of an error, and that it says how many bytes are needed.
fn is_refused(error: &Error) -> u64 {
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        text += &format!("{error}; ");
        cause = error.source();
    }
    let (before, _) = text.split_once(" bytes more are needed").unwrap_or_else(|| panic!("{text}"));
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn documents_can_be_deleted_on_a_full_disk() {
    let storage = SimStorage::new();
    let open = || {
        Database::options()
            .durability(Durability::Buffered)
            .open_on(Arc::new(storage.clone()))
            .unwrap()
    };
    let db = open();
    let users = db.collection("users");
    let insert = || users.insert(doc! { "text": "x".repeat(500) });
    insert().unwrap();
    storage.set_capacity(Some(storage.total_len() + 200_000));
    let refused = (0..1000).find_map(|_| insert().err()).unwrap();
    assert_eq!(refused.kind(), ErrorKind::Io);
    let count = users.count().unwrap();
    assert!(count > 100);

    for id in 1..=50 {
        assert!(users.delete(id).unwrap());
    }
    let deleted = db.write(|tx| {
        let users = tx.collection("users");
        (51..=80).try_for_each(|id| users.delete(id).map(drop))
    });
    deleted.unwrap();
    // What finds room in the pages and the log that there are goes on, and nothing else.
    for written in [insert().map(drop), users.replace(90, doc! { "text": "y" }).map(drop)] {
        assert!(written.is_ok() || written.is_err_and(|error| error.kind() == ErrorKind::Io));
    }
    assert!(db.drop_collection("users").unwrap());
    drop((users, db));
    storage.set_capacity(None);
    assert_eq!(open().collection("users").count().unwrap(), 0);
}

/// A database in any state, its disk, and what is in it: for each collection the ids.
fn any_state(random: &mut Random) -> (SimStorage, Database, Vec<(String, Vec<i64>)>) {
    let storage = SimStorage::new();
    let options = options()
        .log_bytes_max([0, 256 * 1024, 64 << 20][random.below(3)])
        .cache_bytes_max([64 * 1024, 1 << 20, 64 << 20][random.below(3)])
        .index_bytes_max([0, 64 * 1024, usize::MAX][random.below(3)]);
    let mut db = open(&storage, &options);
    let mut ids: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut next = 0;
    for _ in 0..random.below(12) + 1 {
        let name = format!("c{}", random.below(4));
        let there = ids.entry(name.clone()).or_default();
        let collection = db.collection(&name);
        match random.below(8) {
            0..=3 => {
                let bytes = [20, 150, 700, 3000, 20_000][random.below(5)];
                let count = random.below(600_000 / (bytes + 400)) as i64 + 1;
                let document = |id: i64| doc! { "_id": id, "text": "x".repeat(bytes) };
                collection.insert_many((next..next + count).map(document)).unwrap();
                there.extend(next..next + count);
                next += count;
            }
            4 => {
                for _ in 0..there.len() / 2 {
                    let id = there.swap_remove(random.below(there.len()));
                    assert!(collection.delete(id).unwrap());
                }
            }
            5 => {
                for &id in there.iter().step_by(7) {
                    collection
                        .replace(id, doc! { "text": "y".repeat(random.below(4000)) })
                        .unwrap();
                }
            }
            6 => db.checkpoint().unwrap(),
            _ => {
                drop(collection);
                db.close().unwrap();
                db = open(&storage, &options);
            }
        }
    }
    // The one commit since it was opened, and perhaps some more.
    for _ in 0..random.below(30) + 1 {
        db.collection("c0")
            .insert(doc! { "_id": next, "text": "z".repeat(random.below(900)) })
            .unwrap();
        ids.entry("c0".to_owned()).or_default().push(next);
        next += 1;
    }
    (storage, db, ids.into_iter().collect())
}

fn shuffle(ids: &mut [i64], random: &mut Random) {
    for at in (1..ids.len()).rev() {
        ids.swap(at, random.below(at + 1));
    }
}

/// Deletes everything on a disk that is full.
fn empty(seed: u64) {
    let mut random = Random::new(seed);
    let (storage, db, mut collections) = any_state(&mut random);
    fill(&storage);
    // Others take what is given back.
    let is_greedy = random.below(2) == 0;
    for (name, ids) in &mut collections {
        let collection = db.collection(name);
        match random.below(3) {
            0 => {}
            1 => ids.reverse(),
            _ => shuffle(ids, &mut random),
        }
        let portion = [1, 1, 1, 100][random.below(4)];
        for ids in ids.chunks(portion) {
            let deleted = match ids {
                &[id] => collection.delete(id).map(u64::from),
                ids => collection.delete_many(field("_id").is_in(ids.iter().copied())),
            };
            let deleted = deleted.unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
            assert_eq!(deleted, ids.len() as u64, "seed {seed}");
            if is_greedy {
                fill(&storage);
            }
        }
        assert_eq!(collection.iter().unwrap().count(), 0, "seed {seed}");
    }
    db.check().map(|report| assert!(report.is_clean(), "seed {seed}: {report}")).unwrap();
    db.close().unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
    let len = storage.contents().len();
    assert!(len < 64 * 1024, "seed {seed}: {len} bytes");
    assert_eq!(storage.files().len(), 1, "seed {seed}");
    storage.set_capacity(None);
    let db = open(&storage, &options());
    assert!(collections.iter().all(|(name, _)| db.collection(name).count().unwrap() == 0));
}

#[test]
fn whatever_is_in_a_database_can_be_deleted_on_a_full_disk() {
    let states = if long() { 1000 } else { 36 };
    let first = std::env::var("NANODB_TEST_SEED").map_or(0, |seed| seed.parse().unwrap());
    for seed in first..first + states {
        empty(seed);
    }
}

#[test]
fn the_first_write_on_a_full_disk_is_refused_and_says_how_many_bytes_it_needs() {
    let storage = SimStorage::new();
    let db = open(&storage, &options());
    db.collection("c").insert_many((0..500).map(|id| doc! { "_id": id, "n": "x" })).unwrap();
    db.close().unwrap();
    let before = storage.files();

    fill(&storage);
    let db = open(&storage, &options());
    let needed = is_refused(&db.collection("c").delete(1).unwrap_err());
    assert!((100_000..400_000).contains(&needed), "{needed}");
    assert_eq!(db.collection("c").iter().unwrap().count(), 500);
    drop(db);
    // But for the header, which says that there may be files beside it.
    let pages = |files: &Files| files[""][2 * 4096..].to_vec();
    assert!(pages(&storage.files()) == pages(&before));

    // So many do.
    let db = open(&storage, &options());
    storage.set_capacity(Some(storage.total_len() + needed));
    assert!(db.collection("c").delete(1).unwrap());
    fill(&storage);
    (2..500).for_each(|id| assert!(db.collection("c").delete(id).unwrap()));
}

#[test]
fn the_first_write_after_a_crash_on_a_full_disk_is_refused_and_says_how_many_bytes_it_needs() {
    let storage = SimStorage::new();
    let db = open(&storage, &options());
    db.collection("c").insert_many((0..500).map(|id| doc! { "_id": id, "n": "x" })).unwrap();
    (0..20).for_each(|id| assert!(db.collection("c").delete(id).unwrap()));
    let crashed = SimStorage::from_files(storage.files());
    drop(db);

    fill(&crashed);
    let db = open(&crashed, &options());
    let needed = is_refused(&db.collection("c").delete(30).unwrap_err());
    assert!(needed > 10_000, "{needed}");
    assert_eq!(db.collection("c").iter().unwrap().count(), 480);
    crashed.set_capacity(None);
    assert!(db.collection("c").delete(30).unwrap());
    fill(&crashed);
    (31..500).for_each(|id| assert!(db.collection("c").delete(id).unwrap()));
}

#[test]
fn deleting_too_many_at_once_on_a_full_disk_is_refused_and_portions_are_not() {
    let storage = SimStorage::new();
    let db = open(&storage, &options());
    let c = db.collection("c");
    let document = |id: i64| doc! { "_id": id, "text": ("x".repeat(1000)) };
    c.insert_many((0..30_000).map(document)).unwrap();
    drop(c);
    db.close().unwrap();
    let db = open(&storage, &options());
    let c = db.collection("c");
    c.insert(document(30_000)).unwrap();
    fill(&storage);
    let needed = is_refused(&c.delete_many(field("_id").gte(0)).unwrap_err());
    assert!(needed > 10_000, "{needed}");
    assert_eq!((c.count().unwrap(), c.iter().unwrap().count()), (30_001, 30_001));
    for first in (0..30_001).step_by(500) {
        c.delete_many(field("_id").gte(first).and(field("_id").lt(first + 500))).unwrap();
    }
    assert_eq!(c.count().unwrap(), 0);
}

#[test]
fn compaction_on_a_full_disk_is_refused_before_it_begins_and_says_how_many_bytes_it_needs() {
    let storage = SimStorage::new();
    let db = open(&storage, &options().log_bytes_max(0));
    let c = db.collection("c");
    c.insert_many((0..2000).map(|id| doc! { "_id": id, "text": ("x".repeat(500)) })).unwrap();
    (0..1500).for_each(|id| assert!(c.delete(id).unwrap()));
    fill(&storage);
    let mut steps = 0;
    let refused = db.compact_with(|_| {
        steps += 1;
        std::ops::ControlFlow::Continue(())
    });
    let needed = is_refused(&refused.unwrap_err());
    assert_eq!(steps, 0);
    assert!(needed > 500_000, "{needed}");
    assert_eq!(c.iter().unwrap().count(), 500);
    storage.set_capacity(Some(storage.total_len() + needed));
    db.compact().unwrap();
    assert!(db.stats().unwrap().file_bytes < 600_000);
}

/// A file system of its own, in memory.
#[cfg(target_os = "linux")]
mod tmpfs {
    use std::fs::{File, OpenOptions};
    use std::io::{ErrorKind, Write};
    use std::path::Path;
    use std::process::Command;

    use super::*;

    struct Mounted(tempfile::TempDir);

    impl Mounted {
        /// None if this user may not.
        fn new(bytes: u64) -> Option<Self> {
            let dir = tempfile::tempdir().unwrap();
            let size = format!("size={bytes}");
            let mount = Command::new("mount")
                .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
                .arg(dir.path())
                .output();
            let done = mount.is_ok_and(|output| output.status.success());
            done.then(|| Self(dir))
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        /// Writes until not one byte more fits.
        fn fill(&self) {
            let path = self.path().join("filler");
            let mut filler = OpenOptions::new().append(true).create(true).open(path).unwrap();
            for bytes in [1 << 20, 4096, 1] {
                let zeros = vec![0; bytes];
                let error = loop {
                    if let Err(error) = filler.write_all(&zeros) {
                        break error;
                    }
                };
                assert_eq!(error.kind(), ErrorKind::StorageFull);
            }
            let other = File::create(self.path().join("other"));
            assert!(other.is_err() || other.unwrap().write_all(&[0]).is_err());
        }
    }

    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.path()).output();
        }
    }

    #[test]
    fn a_collection_is_emptied_on_a_file_system_without_a_byte_left() {
        let count: i64 = if long() { 100_000 } else { 3_000 };
        let Some(mounted) = Mounted::new(256 << 20) else {
            println!("SKIPPED: no tmpfs can be mounted here, which takes root");
            return;
        };
        let path = mounted.path().join("data.nanodb");
        let document = |id: i64| doc! { "_id": id, "text": ("x".repeat(100)), "n": id };
        let db = Database::open(&path).unwrap();
        db.collection("c").insert_many((1..count).map(document)).unwrap();
        db.close().unwrap();

        let db = Database::options().durability(Durability::Immediate).open(&path).unwrap();
        let c = db.collection("c");
        c.insert(document(count)).unwrap();
        mounted.fill();
        let mut ids: Vec<i64> = (1..=count).collect();
        shuffle(&mut ids, &mut Random::new(1));
        for (done, id) in ids.iter().enumerate() {
            assert!(c.delete(*id).unwrap_or_else(|e| panic!("after {done}: {e:?}")));
            if done % 1000 == 500 {
                mounted.fill();
                assert_eq!(c.iter().unwrap().count() as i64, count - 1 - done as i64);
            }
        }
        assert_eq!(c.count().unwrap(), 0);
        drop(c);
        db.close().unwrap();
        let len = std::fs::metadata(&path).unwrap().len();
        assert!(len < 64 * 1024, "{len} bytes");
    }
}
