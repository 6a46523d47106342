//! Many threads at once: nothing is lost, nothing half written is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use nanodb::{Database, DocView, Document, doc};

/// A document that shows whether it is whole.
fn sealed(key: i64, version: u64, size: usize) -> Document {
    let text = format!("{key}-{version}-").repeat(size / 8 + 1);
    let sum = checksum(key, version, &text);
    doc! { "_id": key, "version": version, "text": text, "sum": sum }
}

fn checksum(key: i64, version: u64, text: &str) -> i64 {
    let seed = (key as u64).wrapping_mul(31).wrapping_add(version);
    let sum = text.bytes().fold(seed, |sum, byte| sum.wrapping_mul(131).wrapping_add(byte.into()));
    (sum >> 1) as i64
}

/// Panics unless the document is one that `sealed` made; returns its key and version.
fn assert_whole(view: &DocView) -> (i64, u64) {
    let key = view.get("_id").unwrap().as_i64().unwrap();
    let version = view.get("version").unwrap().as_i64().unwrap() as u64;
    let text = view.get("text").unwrap();
    let sum = view.get("sum").unwrap().as_i64().unwrap();
    assert_eq!(sum, checksum(key, version, text.as_str().unwrap()));
    (key, version)
}

#[test]
fn four_workers_lose_none_of_2000_documents() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = Database::open(&path).unwrap();
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let collection = db.collection("stress");
            thread::spawn(move || {
                for op in 0..500 {
                    let id = format!("{worker}-{op}");
                    collection.insert(doc! { "_id": &id, "worker": worker, "op": op }).unwrap();
                    let found = collection.get(&id).unwrap().unwrap();
                    assert_eq!(found.get("op").unwrap().as_i64(), Some(op));
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    assert_eq!(db.collection("stress").count().unwrap(), 2000);
    db.close().unwrap();

    let db = Database::open(&path).unwrap();
    let stress = db.collection("stress");
    for worker in 0..4 {
        for op in 0..500 {
            assert!(stress.contains(format!("{worker}-{op}")).unwrap());
        }
    }
    assert!(db.check().unwrap().is_clean());
}

/// Eight threads on four collections. Each key belongs to one thread, which knows what it
/// last wrote; all threads read all keys.
#[test]
fn two_hundred_thousand_mixed_operations_lose_nothing() {
    const THREADS: i64 = 8;
    const KEYS: i64 = 60;
    let ops: u64 = if std::env::var_os("NANODB_TEST_LONG").is_some() { 250_000 } else { 25_000 };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let db = Database::options().cache_bytes_max(2 << 20).open(&path).unwrap();

    let workers: Vec<_> = (0..THREADS)
        .map(|worker| {
            let db = db.clone();
            thread::spawn(move || {
                let collections: Vec<_> = (0..4).map(|n| db.collection(&format!("c{n}"))).collect();
                let mut random = fastrand::Rng::with_seed(worker as u64 + 1);
                // What this thread last wrote, for each collection and key.
                let mut own = vec![[None::<u64>; KEYS as usize]; 4];
                for op in 1..=ops {
                    let at = random.usize(..4);
                    let collection = &collections[at];
                    let slot = random.usize(..KEYS as usize);
                    let key = worker * KEYS + slot as i64;
                    let size = match random.u8(..20) {
                        0 => random.usize(4000..9000),
                        1..=3 => random.usize(500..3000),
                        _ => random.usize(..200),
                    };
                    match random.u8(..10) {
                        0..=3 => {
                            let document = sealed(key, op, size);
                            match own[at][slot] {
                                Some(_) => assert!(collection.replace(key, document).unwrap()),
                                None => {
                                    assert_eq!(collection.insert(document).unwrap(), key.into())
                                }
                            }
                            own[at][slot] = Some(op);
                        }
                        4 => {
                            let deleted = collection.delete(key).unwrap();
                            assert_eq!(deleted, own[at][slot].take().is_some());
                        }
                        5 | 6 => {
                            let found = collection.get(key).unwrap();
                            let version = found.map(|found| assert_whole(&found).1);
                            assert_eq!(version, own[at][slot], "own key {key} at {op}");
                        }
                        7 => {
                            let keys: Vec<i64> =
                                (0..5).map(|_| random.i64(..THREADS * KEYS)).collect();
                            let found = collection.get_many(keys.iter().copied()).unwrap();
                            for (key, found) in keys.iter().zip(found) {
                                if let Some(found) = found {
                                    assert_eq!(assert_whole(&found).0, *key);
                                }
                            }
                        }
                        _ if op % 250 == 0 => {
                            let mut seen = std::collections::HashSet::new();
                            collection
                                .scan()
                                .unwrap()
                                .for_each(|view| {
                                    assert!(seen.insert(assert_whole(view).0), "seen twice");
                                })
                                .unwrap();
                            for (slot, version) in own[at].iter().enumerate() {
                                let key = worker * KEYS + slot as i64;
                                assert_eq!(seen.contains(&key), version.is_some());
                            }
                        }
                        _ => {
                            let other = random.i64(..THREADS * KEYS);
                            if let Some(found) = collection.get(other).unwrap() {
                                assert_eq!(assert_whole(&found).0, other);
                            }
                        }
                    }
                }
                own
            })
        })
        .collect();
    let owned: Vec<_> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();

    let verify = |db: &Database| {
        for at in 0..4 {
            let collection = db.collection(&format!("c{at}"));
            let mut count = 0;
            for (worker, own) in owned.iter().enumerate() {
                for (slot, version) in own[at].iter().enumerate() {
                    let key = worker as i64 * KEYS + slot as i64;
                    let found = collection.get(key).unwrap();
                    assert_eq!(found.map(|found| assert_whole(&found)), version.map(|v| (key, v)));
                    count += u64::from(version.is_some());
                }
            }
            assert_eq!(collection.count().unwrap(), count);
        }
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    };
    verify(&db);
    db.close().unwrap();
    verify(&Database::open(&path).unwrap());
}

/// A document that only ever moves and grows and shrinks is never missed by a reader.
#[test]
fn a_document_that_moves_is_always_found() {
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    all.insert_many((1..=40).map(|key| sealed(key, 0, 50))).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..2)
        .map(|reader| {
            let (all, stop, reads) = (all.clone(), Arc::clone(&stop), Arc::clone(&reads));
            thread::spawn(move || {
                let mut random = fastrand::Rng::with_seed(reader);
                while !stop.load(Ordering::Relaxed) {
                    let key = random.i64(1..=40);
                    let found = all.get(key).unwrap();
                    assert_eq!(assert_whole(&found.expect("it was there all the while")).0, key);
                    let keys: Vec<i64> = (1..=40).collect();
                    let found = all.get_many(keys).unwrap();
                    assert!(found.iter().all(Option::is_some));
                    assert!(all.get(1000 + key).unwrap().is_none());
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(99);
    for version in 1..20_000 {
        let key = random.i64(1..=40);
        let size = if random.bool() { random.usize(..100) } else { random.usize(1000..6000) };
        assert!(all.replace(key, sealed(key, version, size)).unwrap());
    }
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert!(reads.load(Ordering::Relaxed) > 0);
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn collections_dropped_and_made_anew_never_show_each_others_documents() {
    let db = Database::in_memory().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|at: usize| {
            let (db, stop) = (db.clone(), Arc::clone(&stop));
            thread::spawn(move || {
                let name = ["a", "b"][at];
                let collection = db.collection(name);
                while !stop.load(Ordering::Relaxed) {
                    for key in 1..20 {
                        if let Some(found) = collection.get(key).unwrap() {
                            assert_eq!(found.get("of").unwrap().as_str(), Some(name));
                        }
                    }
                    collection
                        .scan()
                        .unwrap()
                        .for_each(|view| {
                            assert_eq!(view.get("of").unwrap().as_str(), Some(name));
                        })
                        .unwrap();
                }
            })
        })
        .collect();
    for _ in 0..400 {
        for name in ["a", "b"] {
            let documents = (0..60).map(|n| doc! { "of": name, "pad": "p".repeat(n * 40) });
            db.collection(name).insert_many(documents).unwrap();
        }
        assert!(db.drop_collection("a").unwrap());
        assert!(db.drop_collection("b").unwrap());
    }
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert!(db.check().unwrap().is_clean());
}
