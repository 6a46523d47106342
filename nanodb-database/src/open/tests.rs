//! Opening and closing a file keeps those waiting who want the same file, and nobody else.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nanodb_pager::Storage;
use parking_lot::{Condvar, Mutex};

use crate::Document;
use crate::database::Database;
use crate::error::Result;
use crate::options::Options;
use nanodb_collection::Closed;
use nanodb_document::ErrorKind;

/// Lets nobody pass while it is shut.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    is_shut: bool,
    /// For who gives up the lock of a file.
    is_shut_to_unlock: bool,
    /// For all but those who give up a lock.
    is_a_trap: bool,
    waiting: usize,
}

impl Gate {
    fn set(&self, is_shut: bool) {
        self.state.lock().is_shut = is_shut;
        self.changed.notify_all();
    }

    fn set_to_unlock(&self, is_shut: bool) {
        self.state.lock().is_shut_to_unlock = is_shut;
        self.changed.notify_all();
    }

    fn pass(&self) {
        assert!(!self.state.lock().is_a_trap, "planned");
        self.pass_if_not(|state| state.is_shut);
    }

    fn pass_if_not(&self, is_shut: fn(&GateState) -> bool) {
        let mut state = self.state.lock();
        if is_shut(&state) {
            state.waiting += 1;
            self.changed.notify_all();
            self.changed.wait_while(&mut state, |state| is_shut(state));
            state.waiting -= 1;
        }
    }

    /// Returns when somebody waits.
    fn wait_for_one(&self) {
        self.changed.wait_while(&mut self.state.lock(), |state| state.waiting == 0);
    }
}

/// A file on a disk that answers only when a test lets it.
#[derive(Debug)]
struct Slow {
    inner: Arc<dyn Storage>,
    gate: Arc<Gate>,
}

impl Slow {
    fn over(inner: Arc<dyn Storage>, gate: &Arc<Gate>) -> Arc<dyn Storage> {
        Arc::new(Self { inner, gate: Arc::clone(gate) })
    }
}

impl Storage for Slow {
    fn len(&self) -> io::Result<u64> {
        self.gate.pass();
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
        self.gate.pass();
        self.inner.sync()
    }

    fn lock(&self) -> io::Result<bool> {
        self.inner.lock()
    }

    fn unlock(&self) -> io::Result<()> {
        self.gate.pass_if_not(|state| state.is_shut_to_unlock);
        self.inner.unlock()
    }

    fn path(&self) -> Option<&Path> {
        self.inner.path()
    }

    fn sidecar(&self, suffix: &str) -> io::Result<Arc<dyn Storage>> {
        self.inner.sidecar(suffix)
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

fn open_slow(path: &Path, gate: &Arc<Gate>) -> Result<Database> {
    let options = Options::default().background(false);
    options.open_through(path, |storage| Slow::over(Arc::new(storage), gate))
}

/// Opens a file, writes to it and closes it.
fn use_file(path: &Path) {
    let db = Options::default().open(path).unwrap();
    db.collection("c").insert(Document::new()).unwrap();
}

#[test]
fn a_file_that_takes_long_to_open_or_to_close_keeps_nobody_from_opening_and_closing_another() {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (dir.path().join("slow"), dir.path().join("other"));
    let gate = Arc::<Gate>::default();
    gate.set(true);
    thread::scope(|scope| {
        let opening = scope.spawn(|| open_slow(&path, &gate));
        gate.wait_for_one();
        use_file(&other);
        gate.set(false);
        let db = opening.join().unwrap().unwrap();
        db.collection("c").insert(Document::new()).unwrap();

        gate.set(true);
        let closing = scope.spawn(|| drop(db));
        gate.wait_for_one();
        use_file(&other);
        gate.set(false);
        closing.join().unwrap();
    });
    for (path, count) in [(path, 1), (other, 2)] {
        assert_eq!(Options::default().open(path).unwrap().collection("c").count().unwrap(), count);
    }
}

#[test]
fn whoever_opens_a_file_that_another_thread_is_opening_shares_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let gate = Arc::<Gate>::default();
    gate.set(true);
    thread::scope(|scope| {
        let first = scope.spawn(|| open_slow(&path, &gate));
        gate.wait_for_one();
        let others = [0; 3].map(|_| scope.spawn(|| Options::default().open(&path)));
        gate.set(false);
        let first = first.join().unwrap().unwrap();
        for other in others {
            let other = other.join().unwrap().unwrap();
            assert!(Arc::ptr_eq(first.engine(), other.engine()));
        }
    });
}

#[test]
fn an_opening_that_is_not_the_last_is_closed_without_touching_the_logs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let (one, two) = (Database::open(&path).unwrap(), Database::open(&path).unwrap());
    let all = two.collection("c");
    one.collection("c").insert(Document::new()).unwrap();
    let logs = || std::fs::read_dir(dir.path()).unwrap().count();
    let before = logs();
    assert!(before > 1);
    assert_eq!(one.close().unwrap(), Closed::OthersHoldIt(1));
    assert_eq!(logs(), before);
    all.insert(Document::new()).unwrap();
    let three = Database::open(&path).unwrap();
    assert!(Arc::ptr_eq(two.engine(), three.engine()));
    drop(three);
    assert_eq!(two.close().unwrap(), Closed::File);
    assert_eq!(logs(), 1);
    assert_eq!(all.insert(Document::new()).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(Database::open(&path).unwrap().collection("c").count().unwrap(), 2);
}

/// Its last opening is not over yet while it saves what it can before that.
#[test]
fn who_opens_a_file_before_the_last_opening_is_over_shares_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slow");
    let gate = Arc::<Gate>::default();
    let db = open_slow(&path, &gate).unwrap();
    let handle = db.collection("c");
    handle.insert(Document::new()).unwrap();
    gate.set(true);
    thread::scope(|scope| {
        let closing = scope.spawn(|| db.close());
        gate.wait_for_one();
        let opened = Database::open(&path).unwrap();
        gate.set(false);
        assert_eq!(closing.join().unwrap().unwrap(), Closed::OthersHoldIt(1));
        opened.collection("c").insert(Document::new()).unwrap();
        assert_eq!(handle.insert(Document::new()).unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(opened.close().unwrap(), Closed::File);
    });
}

#[test]
fn closing_that_panics_leaves_the_file_to_the_next_opening_whatever_handles_are_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slow");
    let gate = Arc::<Gate>::default();
    let db = open_slow(&path, &gate).unwrap();
    let (handle, engine) = (db.collection("c"), Arc::clone(db.engine()));
    handle.insert(Document::new()).unwrap();
    gate.state.lock().is_a_trap = true;
    assert!(thread::scope(|scope| scope.spawn(|| db.close()).join()).is_err());
    gate.state.lock().is_a_trap = false;
    assert_eq!(handle.insert(Document::new()).unwrap_err().kind(), ErrorKind::Closed);
    let opened = Database::open(&path).unwrap();
    assert!(!Arc::ptr_eq(opened.engine(), &engine));
    assert_eq!(opened.collection("c").count().unwrap(), 1);
    opened.collection("c").insert(Document::new()).unwrap();
    assert_eq!(opened.close().unwrap(), Closed::File);
}

#[test]
fn who_opens_a_file_that_is_being_closed_waits_until_it_is_and_opens_it_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (dir.path().join("slow"), dir.path().join("other"));
    let gate = Arc::<Gate>::default();
    let db = open_slow(&path, &gate).unwrap();
    let handle = db.clone();
    db.collection("c").insert(Document::new()).unwrap();
    gate.set_to_unlock(true);
    thread::scope(|scope| {
        let closing = scope.spawn(|| db.close());
        gate.wait_for_one();
        let opening = scope.spawn(|| Options::default().open(&path).unwrap());
        use_file(&other);
        thread::sleep(Duration::from_millis(20));
        assert!(!opening.is_finished());
        gate.set_to_unlock(false);
        assert_eq!(closing.join().unwrap().unwrap(), Closed::File);
        let opened = opening.join().unwrap();
        assert!(!Arc::ptr_eq(opened.engine(), handle.engine()));
        assert_eq!(opened.collection("c").count().unwrap(), 1);
        // The handle of the former opening goes, and leaves the later one in the list.
        drop(handle);
        let again = Database::open(&path).unwrap();
        assert!(Arc::ptr_eq(opened.engine(), again.engine()));
    });
}

#[test]
fn a_file_that_is_open_is_not_opened_otherwise_until_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let read = || Options::default().read_only(true);
    let refused = |options: Options| {
        let error = options.open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        assert!(error.to_string().contains("this process"), "{error}");
        assert_eq!(error.file(), Some(path.as_path()));
    };
    let writer = Options::default().open(&path).unwrap();
    refused(read());
    refused(read().lock_timeout(Duration::from_millis(5)));
    drop(writer);
    let (one, two) = (read().open(&path).unwrap(), read().open(&path).unwrap());
    assert!(Arc::ptr_eq(one.engine(), two.engine()));
    refused(Options::default());
    drop(one);
    refused(Options::default());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| Options::default().lock_timeout(Duration::MAX).open(&path));
        drop(two);
        waiting.join().unwrap().unwrap();
    });
}
