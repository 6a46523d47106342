//! What a transaction reads while it is not durable yet.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use nanodb_collection::EngineError;
use nanodb_database::{Database, Error, ErrorKind, doc};
use nanodb_pager::Storage;
use nanodb_sim::SimStorage;

/// Storage whose syncs wait while a test holds the gate.
#[derive(Debug)]
struct Gated {
    inner: Arc<dyn Storage>,
    gate: Arc<Mutex<()>>,
}

impl Gated {
    fn over(inner: Arc<dyn Storage>, gate: &Arc<Mutex<()>>) -> Arc<dyn Storage> {
        Arc::new(Self { inner, gate: Arc::clone(gate) })
    }

    fn pass(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap()
    }
}

impl Storage for Gated {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.inner.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.inner.write_at(buf, offset)
    }

    fn sync(&self) -> io::Result<()> {
        drop(self.pass());
        self.inner.sync()
    }

    fn lock(&self) -> io::Result<bool> {
        self.inner.lock()
    }

    fn unlock(&self) -> io::Result<()> {
        self.inner.unlock()
    }

    fn sidecar(&self, suffix: &str) -> io::Result<Arc<dyn Storage>> {
        Ok(Self::over(self.inner.sidecar(suffix)?, &self.gate))
    }

    fn has_sidecar(&self, suffix: &str) -> io::Result<bool> {
        self.inner.has_sidecar(suffix)
    }

    fn remove_sidecar(&self, suffix: &str) -> io::Result<()> {
        self.inner.remove_sidecar(suffix)
    }

    fn replace_sidecar(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.replace_sidecar(from, to)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.inner.sync_directory()
    }
}

/// How a transaction ends that has found a document.
type End = fn(&Database, &dyn Fn()) -> ErrorKind;

/// By an error of its closure; by one that says what is there; and by nothing to commit.
const ENDS: [End; 3] = [
    |db, found| {
        let given_up = db.write(|tx| match tx.collection("a").contains(1)? {
            true => {
                found();
                Err(EngineError::NoCollection { name: "given up".to_owned() }.into())
            }
            false => Ok::<_, Error>(()),
        });
        given_up.map_or_else(|error| error.kind(), |()| ErrorKind::Invalid)
    },
    |db, found| {
        let inserted = db.write(|tx| {
            if tx.collection("a").contains(1)? {
                found();
                tx.collection("a").insert(doc! { "_id": 1 })?;
            }
            Ok::<_, Error>(())
        });
        inserted.map_or_else(|error| error.kind(), |()| ErrorKind::Invalid)
    },
    |db, found| {
        let is_there = db.write(|tx| {
            let is_there = tx.collection("a").contains(1)?;
            is_there.then(found);
            Ok::<_, Error>(is_there)
        });
        if is_there.unwrap() { ErrorKind::NotFound } else { ErrorKind::Invalid }
    },
];

#[test]
fn whoever_learns_of_a_document_by_a_transaction_waits_until_it_is_durable() {
    for end in ENDS {
        let gate = Arc::default();
        let storage = Gated::over(Arc::new(SimStorage::new()), &gate);
        let db = &Database::options().open_on(storage).unwrap();
        db.collection("a").insert(doc! { "_id": 0 }).unwrap();
        let closed = gate.lock().unwrap();
        thread::scope(|scope| {
            let writer = scope.spawn(|| db.collection("a").insert(doc! { "_id": 1 }).unwrap());
            let (found, is_found) = channel();
            let (ended, has_ended) = channel();
            scope.spawn(move || {
                let found = move || found.send(()).unwrap_or_default();
                // Until the writer has come so far that only its sync is missing.
                while end(db, &found) == ErrorKind::Invalid {
                    thread::yield_now();
                }
                ended.send(db.collection("a").contains(1).unwrap()).unwrap();
            });
            is_found.recv().unwrap();
            let early = has_ended.recv_timeout(Duration::from_millis(20));
            assert!(!db.collection("a").contains(1).unwrap(), "it is not durable");
            drop(closed);
            assert_eq!(early, Err(RecvTimeoutError::Timeout), "it ended before");
            assert!(has_ended.recv().unwrap());
            writer.join().unwrap();
        });
    }
}

#[test]
fn a_document_is_found_where_it_was_until_its_move_is_published() {
    let gate = Arc::default();
    let storage = Gated::over(Arc::new(SimStorage::new()), &gate);
    let db = &Database::options().open_on(storage).unwrap();
    let a = db.collection("a");
    a.insert_many((1..=40).map(|id| doc! { "_id": id, "text": "x".repeat(450) })).unwrap();
    let closed = gate.lock().unwrap();
    thread::scope(|scope| {
        // Too large for its page.
        let moved = || a.replace(1, doc! { "_id": 1, "text": "y".repeat(900) }).unwrap();
        let mover = scope.spawn(moved);
        let (seen, is_seen) = channel();
        let next = scope.spawn(move || {
            // Until the move is installed. Each attempt is another writer of the collection,
            // after the mover or before it.
            loop {
                let tx = db.begin_write();
                let found = tx.collection("a").get(1).unwrap().unwrap();
                if found.get("text").unwrap().as_str().unwrap().starts_with('y') {
                    drop(tx);
                    let tx = db.begin_write();
                    tx.collection("a").contains(2).unwrap();
                    seen.send(()).unwrap();
                    return tx.rollback();
                }
                thread::yield_now();
            }
        });
        is_seen.recv().unwrap();
        let found =
            a.get(1).unwrap().map(|found| found.get("text").unwrap().as_str().map(str::len));
        drop(closed);
        assert_eq!(found, Some(Some(450)));
        assert!(mover.join().unwrap());
        next.join().unwrap();
    });
    assert_eq!(a.get(1).unwrap().unwrap().get("text").unwrap().as_str().unwrap().len(), 900);
}

/// A transaction that begins before deletions are published, and then uses ids that they deleted.
#[test]
fn an_id_that_was_deleted_can_be_used_by_a_transaction_that_began_before_that_was_durable() {
    let gate = Arc::default();
    let storage = Gated::over(Arc::new(SimStorage::new()), &gate);
    let options = Database::options().background(false).cache_bytes_max(256 << 10);
    let db = &options.open_on(storage).unwrap();
    let sized = |id: i64| doc! { "_id": id, "pad": "p".repeat(3500) };
    let a = db.collection("a");
    a.insert_many((0..1000).map(sized)).unwrap();
    db.checkpoint().unwrap();
    // Begins the next log, whose name and header are synced before anything is installed.
    assert!(a.replace(0, sized(0)).unwrap());
    let count = || db.begin_write().collection("a").count().unwrap();
    let closed = gate.lock().unwrap();
    let tx = thread::scope(|scope| {
        let first = scope.spawn(|| {
            db.write(|tx| (100..1000).try_for_each(|id| tx.collection("a").delete(id).map(drop)))
        });
        while count() != 100 {
            thread::yield_now();
        }
        // Gives the pages back that the first has emptied.
        let second = scope.spawn(|| a.delete(99));
        while count() != 99 {
            thread::yield_now();
        }
        let tx = db.begin_write();
        assert_eq!(tx.collection("a").count().unwrap(), 99);
        drop(closed);
        first.join().unwrap().unwrap();
        assert!(second.join().unwrap().unwrap());
        tx
    });
    // Pages that were given back are cut off the file.
    (0..3).for_each(|_| db.checkpoint().unwrap());
    // Another transaction, in another collection, writes to pages that were given back.
    let load = db.begin_write();
    load.collection("b").insert_many((0..700).map(sized)).unwrap();
    let errors: Vec<String> = (100..1000)
        .filter_map(|id| tx.collection("a").insert(sized(id)).err())
        .map(|error| format!("{error:?}"))
        .collect();
    assert!(errors.is_empty(), "{} of 900 free ids can't be used: {}", errors.len(), errors[0]);
    tx.commit().unwrap();
    assert_eq!(a.count().unwrap(), 999);
}
