//! Functions called at random, with anything, by eight threads: nothing crashes, and nothing is
//! left over.
//!
//! `NANODB_FFI_CALLS` is how many calls; `NANODB_FFI_SEED` repeats a run, as far as threads do.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

#[path = "it/entries.rs"]
#[allow(dead_code, reason = "what the other tests need")]
mod entries;

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use nanodb_ffi::*;

use entries::{Arguments, ENTRIES, Entry, KINDS, Kind, free};

const THREADS: u64 = 8;

/// So many handles of a kind are kept.
const KEPT_MAX: usize = 24;

/// Inputs that are right somewhere.
const TEXTS: [&str; 43] = [
    "{}",
    "[]",
    "[{}]",
    "{}{}{}",
    "1",
    "-1",
    "2.0",
    "null",
    "\"a\"",
    "[1, 2, \"a\", {\"$oid\": \"65a1b2c3d4e5f60718293a4b\"}]",
    "{\"_id\": 1}",
    "{\"_id\": {\"$gte\": 0}}",
    "{\"_id\": {\"$in\": [1, 2, 3]}}",
    "{\"a\": 1, \"b\": [1, {\"c\": \"x\"}]}",
    "{\"a\": {\"$gt\": 0}, \"$or\": [{\"b\": 1}, {\"c\": {\"$exists\": false}}]}",
    "{\"b\": {\"$elemMatch\": {\"c\": \"x\"}}}",
    "{\"a\": {\"$regex\": \"^x\", \"$options\": \"i\"}}",
    "{\"$set\": {\"a\": 1}}",
    "{\"$inc\": {\"a\": 1}}",
    "{\"$push\": {\"b\": {\"$each\": [1, 2], \"$slice\": -5}}}",
    "{\"$set\": {\"b.$[e].c\": 2}}",
    "{\"$unset\": {\"a\": 1}, \"$rename\": {\"b\": \"c\"}}",
    "{\"$replaceWith\": {\"z\": 1}}",
    "{\"upsert\": true}",
    "{\"upsert\": true, \"array_filters\": [{\"e.c\": \"x\"}]}",
    "{\"sort\": {\"a\": -1}, \"limit\": 3, \"projection\": {\"a\": 1}}",
    "{\"sort\": {\"_id\": 1}, \"return_new\": true}",
    "{\"threads\": 2, \"skip\": 1}",
    "{\"sort\": {\"b\": 1}, \"sort_bytes_max\": 1}",
    "{\"analyze\": true}",
    "{\"durability\": \"relaxed\", \"file_bytes_max\": 200000}",
    "{\"cache_bytes_max\": 65536, \"transaction_bytes_max\": 65536}",
    "{\"read_only\": true}",
    "[{\"insert_one\": {\"document\": {\"a\": 5}}}, {\"delete_one\": {\"filter\": {\"a\": 5}}}]",
    "[{\"update_many\": {\"filter\": {}, \"update\": {\"$inc\": {\"a\": 1}}}}]",
    "[{\"replace_one\": {\"filter\": {\"_id\": 9}, \"replacement\": {\"r\": 1}, \"upsert\": true}}]",
    "a",
    "b",
    "a.b",
    "\u{fc}",
    "{\"a\": {\"$gtt\": 1}}",
    "{\"a\": \"\\ud83d\"}",
    "[{\"a\": 1}, {\"a\": {\"$dat\": 1}}]",
];

/// Returns a text as MessagePack, if it is JSON.
fn pack(text: &str) -> Option<Vec<u8>> {
    // A value within a document is read whatever it is; `$literal` is for those with operators.
    let pack = |document: String| {
        let mut out = nanodb_buf::default();
        let (at, len) = (document.as_ptr().cast(), document.len());
        let (from, to) = (NANODB_JSON, NANODB_MSGPACK);
        // SAFETY: the pointers are of a text and a place.
        let status = unsafe { nanodb_convert(at, len, from, to, &mut out, ptr::null_mut()) };
        (status == NANODB_OK).then(|| {
            // SAFETY: the call has succeeded.
            let bytes = unsafe { std::slice::from_raw_parts(out.data.cast::<u8>(), out.len) };
            let value = bytes[3..].to_vec();
            // SAFETY: the buffer is of the library.
            unsafe { nanodb_buf_free(&mut out) };
            value
        })
    };
    pack(format!("{{\"v\":{text}}}")).or_else(|| pack(format!("{{\"v\":{{\"$literal\":{text}}}}}")))
}

/// The handles that threads have made and not freed, and some that they have.
#[derive(Default)]
struct Pool {
    live: BTreeMap<Kind, Vec<u64>>,
    freed: Vec<u64>,
}

impl Pool {
    fn any(&self, rng: &mut Rng, kind: Kind) -> u64 {
        let of = |kind: Kind, rng: &mut Rng| {
            let all = self.live.get(&kind).map(Vec::as_slice).unwrap_or_default();
            if all.is_empty() { 0 } else { all[rng.usize(..all.len())] }
        };
        match rng.u8(..20) {
            0 => rng.u64(..),
            1 => rng.u64(..1 << 53),
            2 if !self.freed.is_empty() => self.freed[rng.usize(..self.freed.len())],
            3 => of(KINDS[rng.usize(..KINDS.len())], rng),
            _ => of(kind, rng),
        }
    }

    /// Keeps a handle, and returns one that is to be freed for it.
    fn add(&mut self, rng: &mut Rng, kind: Kind, handle: u64) -> Option<u64> {
        let all = self.live.entry(kind).or_default();
        all.push(handle);
        (all.len() > KEPT_MAX).then(|| all.swap_remove(rng.usize(..all.len())))
    }

    /// Takes one out, to free it.
    fn take(&mut self, rng: &mut Rng, kind: Kind) -> Option<u64> {
        let all = self.live.get_mut(&kind).filter(|all| !all.is_empty())?;
        let handle = all.swap_remove(rng.usize(..all.len()));
        if self.freed.len() > 1000 {
            self.freed.clear();
        }
        self.freed.push(handle);
        Some(handle)
    }
}

/// Returns the right inputs of an entry as MessagePack; names and paths are what they are.
fn right(entry: &Entry) -> (&'static str, Vec<Vec<u8>>) {
    let pack = |(name, text): &(&str, &str)| match *name {
        "path" | "field" | "name" | "from" | "to" => text.as_bytes().to_vec(),
        _ => pack(text).unwrap(),
    };
    (entry.name, entry.inputs.iter().map(pack).collect())
}

struct Run {
    pool: Mutex<Pool>,
    packed: Vec<Vec<u8>>,
    /// What is right for each entry, as MessagePack.
    right: BTreeMap<&'static str, Vec<Vec<u8>>>,
    paths: Vec<Vec<u8>>,
    left: AtomicU64,
    by_status: Mutex<BTreeMap<(&'static str, i32), u64>>,
    is_over: AtomicBool,
}

impl Run {
    /// Returns bytes to hand in, right ones mostly.
    fn input(&self, rng: &mut Rng, name: &str, format: nanodb_format) -> Vec<u8> {
        // Only where a file may be made.
        if name == "path" {
            return self.paths[rng.usize(..self.paths.len())].clone();
        }
        let mut bytes = match format {
            NANODB_MSGPACK => self.packed[rng.usize(..self.packed.len())].clone(),
            _ => TEXTS[rng.usize(..TEXTS.len())].as_bytes().to_vec(),
        };
        if rng.u8(..8) == 0 {
            for _ in 0..rng.usize(1..4) {
                match (bytes.len(), rng.u8(..3)) {
                    (0, _) | (_, 0) => bytes.insert(rng.usize(..=bytes.len()), rng.u8(..)),
                    (len, 1) => drop(bytes.remove(rng.usize(..len))),
                    (len, _) => bytes[rng.usize(..len)] = rng.u8(..),
                }
            }
        }
        bytes
    }

    fn call(&self, rng: &mut Rng, entry: &Entry) {
        let handle = entry.handle.map_or(0, |kind| self.pool.lock().unwrap().any(rng, kind));
        let format = match rng.u8(..40) {
            0 => rng.i32(..),
            even if even % 2 == 0 => NANODB_MSGPACK,
            _ => NANODB_JSON,
        };
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut inputs = [(ptr::null(), 0); 4];
        let packed = &self.right[entry.name];
        let is_right = rng.bool();
        for ((to, (name, right)), packed) in inputs.iter_mut().zip(entry.inputs).zip(packed) {
            let mut bytes = match format {
                NANODB_JSON if is_right => right.as_bytes().to_vec(),
                NANODB_MSGPACK if is_right => packed.clone(),
                _ => self.input(rng, name.trim_start_matches('?'), format),
            };
            *to = match rng.u8(..30) {
                0 => (ptr::null(), 0),
                1 => (ptr::null(), rng.usize(..)),
                // Beyond what a length can be, so the memory is not looked at.
                2 => (bytes.as_ptr(), rng.usize(1 << 63..usize::MAX)),
                3 => {
                    bytes.push(0);
                    (bytes.as_ptr(), NANODB_NUL_TERMINATED)
                }
                _ => (bytes.as_ptr(), bytes.len()),
            };
            // The bytes stay where they are when the list that owns them moves.
            kept.push(bytes);
        }
        let number = if rng.bool() { rng.i64(-3..50) } else { rng.i64(..) };
        let (out, error) = (rng.u8(..20) > 0, rng.u8(..5) > 0);
        let _inputs = PhantomData;
        let called =
            (entry.call)(&Arguments { handle, inputs, number, format, out, error, _inputs });
        assert_ne!(called.status, NANODB_PANIC, "{}", entry.name);
        *self.by_status.lock().unwrap().entry((entry.name, called.status)).or_default() += 1;
        if let Some((kind, handle)) = called.made {
            let surplus = self.pool.lock().unwrap().add(rng, kind, handle);
            surplus.into_iter().for_each(|handle| free(kind, handle));
        }
        drop(kept);
    }

    fn thread(&self, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        while self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
        {
            match rng.u8(..40) {
                0 => {
                    let kind = KINDS[rng.usize(..KINDS.len())];
                    let handle = self.pool.lock().unwrap().take(&mut rng, kind);
                    handle.into_iter().for_each(|handle| free(kind, handle));
                }
                1 => {
                    let kind = KINDS[rng.usize(..KINDS.len())];
                    let handle = self.pool.lock().unwrap().freed.last().copied();
                    free(kind, handle.unwrap_or_else(|| rng.u64(..)));
                }
                _ => {
                    let entry = &ENTRIES[rng.usize(..ENTRIES.len())];
                    self.call(&mut rng, entry);
                }
            }
        }
    }

    /// Closes databases now and then: an open transaction that nobody commits makes others wait,
    /// and closing ends it.
    fn close_some(&self, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        while !self.is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
            let handle = self.pool.lock().unwrap().take(&mut rng, Kind::Db);
            if let Some(id) = handle {
                let db = nanodb_db { id };
                // SAFETY: nothing is wanted.
                let _status = unsafe { nanodb_close(db, ptr::null_mut(), ptr::null_mut()) };
                free(Kind::Db, id);
            }
        }
    }
}

#[test]
fn calls_at_random_by_eight_threads_neither_crash_nor_leave_anything() {
    let calls = std::env::var("NANODB_FFI_CALLS").map_or(20_000, |calls| calls.parse().unwrap());
    let seed = std::env::var("NANODB_FFI_SEED").map_or(1, |seed| seed.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &[u8]| [directory.path().as_os_str().as_encoded_bytes(), b"/", name].concat();
    let names: [&[u8]; 7] =
        [b"0.nanodb", b"1.nanodb", b"2.nanodb", b"", b"none/0", b"\xff", b"0.nanodb-log0"];
    let run = Run {
        pool: Mutex::default(),
        packed: TEXTS.iter().filter_map(|text| pack(text)).collect(),
        right: ENTRIES.iter().map(right).collect(),
        paths: names.into_iter().map(path).collect(),
        left: AtomicU64::new(calls),
        by_status: Mutex::default(),
        is_over: AtomicBool::new(false),
    };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let closer = scope.spawn(|| run.close_some(seed));
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let run = &run;
                scope.spawn(move || run.thread(seed * 1000 + n))
            })
            .collect();
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join().is_ok()).collect();
        run.is_over.store(true, Ordering::Relaxed);
        closer.join().unwrap();
        assert!(ended.into_iter().all(|ended| ended), "seed {seed}");
    });
    let mut pool = run.pool.into_inner().unwrap();
    for (kind, handles) in std::mem::take(&mut pool.live) {
        handles.into_iter().for_each(|handle| free(kind, handle));
    }
    assert_eq!(nanodb_live_handles(), 0);

    // Nearly every function has succeeded, or the calls were of no use.
    let by_status = run.by_status.into_inner().unwrap();
    let succeeded = |entry: &&Entry| by_status.contains_key(&(entry.name, NANODB_OK));
    let never: Vec<_> =
        ENTRIES.iter().filter(|entry| !succeeded(entry)).map(|entry| entry.name).collect();
    println!("{calls} calls in {:?}; never done: {never:?}", begun.elapsed());
    let mut all: BTreeMap<i32, u64> = BTreeMap::new();
    by_status.iter().for_each(|((_, status), count)| *all.entry(*status).or_default() += count);
    println!("by status: {all:?}");
    // There is no file of the Go program, so importing one cannot succeed; of the others at most
    // three may have missed their chance.
    let missed = never.iter().filter(|name| **name != "nanodb_db_import_go");
    assert!(missed.count() <= 3, "{never:?}");
}
