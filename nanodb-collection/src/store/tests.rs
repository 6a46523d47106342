//! What is kept for snapshots, and for how long; what proves a candidate.

mod loading;
mod sharing;

use std::io;
use std::sync::{Arc, OnceLock};

use nanodb_pager::Storage;
use nanodb_sim::SimStorage;

use super::Store;
use crate::testing::{Collection, Database};
use nanodb_document::{Document, doc};

impl Store {
    /// How many states, and how many former index entries.
    fn kept(&self) -> (usize, usize) {
        (self.states.lock().len(), self.history.lock().len())
    }
}

fn sized(id: i64, size: usize) -> Document {
    doc! { "_id": id, "text": ("x".repeat(size)) }
}

fn store(db: &Database, name: &str) -> Arc<Store> {
    Arc::clone(&db.engine().catalog.names.current(name).unwrap().store)
}

#[test]
fn what_is_kept_for_a_snapshot_does_not_grow_and_goes_with_it() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((0..20).map(|id| sized(id, 10))).unwrap();
    let store = store(&db, "a");
    let first = db.snapshot();
    for round in 0..100_usize {
        for id in 0..20 {
            // Moves, goes and comes back.
            assert!(a.replace(id, sized(id, 1000 * (1 + round % 4))).unwrap());
            assert!(a.delete(id).unwrap());
            a.insert(sized(id, 10)).unwrap();
        }
        let (states, former) = store.kept();
        assert!(states <= 3 && former <= 20, "{states} states, {former} entries");
    }
    let second = db.snapshot();
    for id in 0..20 {
        assert!(a.delete(id).unwrap());
    }
    let (states, former) = store.kept();
    assert!(states <= 4 && former <= 40, "{states} states, {former} entries");
    let all: Vec<i64> = (0..20).collect();
    for snapshot in [&first, &second] {
        let found = snapshot.collection("a").get_many(all.iter().copied()).unwrap();
        assert!(found.iter().all(Option::is_some));
    }
    drop(second);
    assert_eq!(first.collection("a").count(), 20);
    assert!(first.collection("a").get(7).unwrap().is_some());
    assert!(store.kept().1 <= 20);
    drop(first);
    assert_eq!(store.kept(), (1, 0));
    assert_eq!(a.count(), 0);
}

#[test]
fn cursors_keep_no_more_than_snapshots_do() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    a.insert_many((0..20).map(|id| sized(id, 10))).unwrap();
    let store = store(&db, "a");
    let mut cursors: Vec<_> = (0..10)
        .map(|id| {
            let cursor = a.scan().unwrap();
            assert!(a.delete(id).unwrap());
            cursor
        })
        .collect();
    assert!(store.kept().0 <= 12);
    drop(cursors.swap_remove(4));
    assert!(store.kept().0 <= 11);
    cursors.clear();
    assert_eq!(store.kept(), (1, 0));
}

#[test]
fn a_name_means_what_it_did_for_as_long_as_a_snapshot_wants_it() {
    let db = Database::in_memory().unwrap();
    for round in 0..50_i64 {
        let before = db.snapshot();
        db.collection("a").insert(sized(round, 10)).unwrap();
        let with = db.snapshot();
        db.rename_collection("a", "b").unwrap();
        let renamed = db.snapshot();
        assert!(db.drop_collection("b").unwrap());
        for (snapshot, a, b) in [(&before, 0, 0), (&with, 1, 0), (&renamed, 0, 1)] {
            let count = |name| snapshot.collection(name).count();
            assert_eq!((count("a"), count("b")), (a, b));
            assert_eq!(snapshot.collections().len() as u64, a + b);
            let found = snapshot.collection("a").get(round).unwrap();
            assert_eq!(found.is_some(), a == 1);
        }
        assert!(db.collections().is_empty());
    }
    assert_eq!(db.engine().catalog.names.len(), 0);
}

#[test]
fn a_candidate_with_another_key_is_not_the_document() {
    let db = Database::in_memory().unwrap();
    db.collection("a").insert_many((1..=2).map(|id| sized(id, 10))).unwrap();
    let store = store(&db, "a");
    let key = |id: i64| nanodb_document::Id::from(id).to_key();
    let index = store.index().unwrap().unwrap();
    let mut at = None;
    let found = index.ids.look_up(store.hash(&key(1)), |record_id| {
        at = Some(record_id);
        Some(())
    });
    assert_eq!(found, Ok(Some(())));
    // As if the hash of an id that is not there were the same.
    index.ids.write().insert(store.hash(&key(7)), at.unwrap());
    assert!(store.get(&key(7)).unwrap().is_none());
    assert!(store.get(&key(1)).unwrap().is_some());
}

#[test]
fn a_page_that_went_to_another_collection_proves_nothing() {
    let db = Database::in_memory().unwrap();
    db.collection("a").insert_many((0..100).map(|id| sized(id, 500))).unwrap();
    let former = store(&db, "a");
    let extents = |store: &Store| {
        let state = store.states.lock().at(db.engine().pager.published()).cloned();
        state.unwrap().extents.list
    };
    let pages = extents(&former);
    let key = |id: i64| nanodb_document::Id::from(id).to_key();
    assert!(former.get(&key(1)).unwrap().is_some());
    assert!(db.drop_collection("a").unwrap());
    // The same ids in the same records.
    db.collection("b").insert_many((0..100).map(|id| sized(id, 500))).unwrap();
    assert_eq!(extents(&store(&db, "b")), pages);
    assert!((0..100).all(|id| former.get(&key(id)).is_ok_and(|found| found.is_none())));
}

/// A file of which one read, or every sync, does something else first.
#[derive(Debug)]
struct Hooked {
    inner: Arc<dyn Storage>,
    hook: Arc<Hook>,
}

impl Hooked {
    fn over(inner: Arc<dyn Storage>, hook: &Arc<Hook>) -> Arc<dyn Storage> {
        Arc::new(Self { inner, hook: Arc::clone(hook) })
    }
}

#[derive(Default)]
struct Hook {
    offset: OnceLock<u64>,
    meanwhile: OnceLock<Box<dyn Fn() + Send + Sync>>,
    at_sync: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl Storage for Hooked {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        if self.hook.offset.get() == Some(&offset) {
            self.hook.meanwhile.get().unwrap()();
        }
        self.inner.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.inner.write_at(buf, offset)
    }

    fn sync(&self) -> io::Result<()> {
        if let Some(at_sync) = self.hook.at_sync.get() {
            at_sync();
        }
        self.inner.sync()
    }

    fn lock(&self) -> io::Result<bool> {
        self.inner.lock()
    }

    fn unlock(&self) -> io::Result<()> {
        self.inner.unlock()
    }

    fn sidecar(&self, suffix: &str) -> io::Result<Arc<dyn Storage>> {
        Ok(Self::over(self.inner.sidecar(suffix)?, &self.hook))
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

/// Looks for document 1 of a collection, and finds it. `meanwhile` happens once the reader has
/// taken its commit and is looking at `same` other candidates. What it was as of `snapshot` is
/// there, too.
fn look_up_while(same: usize, with_snapshot: bool, meanwhile: fn(&Collection)) {
    let hook = Arc::<Hook>::default();
    let file = Hooked::over(Arc::new(SimStorage::new()), &hook);
    let options = Database::options().cache_bytes_max(64 << 10).background(false);
    let db = options.open_on(file).unwrap();
    let a = db.collection("a");
    a.insert_many((100..300).map(|id| sized(id, 400))).unwrap();
    let store = store(&db, "a");
    let hash = |id: i64| store.hash(&nanodb_document::Id::from(id).to_key());
    let index = store.index().unwrap().unwrap();
    let record_id = index.ids.look_up(hash(100), Some).unwrap().unwrap();
    // As if the hashes were the same. They are looked at first, for they were there first.
    (0..same).for_each(|_| index.ids.write().insert(hash(1), record_id));
    a.insert_many((1..20).map(|id| sized(id, 400))).unwrap();
    let snapshot = with_snapshot.then(|| db.snapshot());
    db.checkpoint().unwrap();
    assert!((0..3).all(|_| (150..300).all(|id| a.contains(id).unwrap())));
    let (writer, count) = (a.clone(), Arc::<std::sync::atomic::AtomicUsize>::default());
    let (counted, candidates, hash_of_one) = (Arc::clone(&count), Arc::clone(&store), hash(1));
    let hooked = move || {
        if counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            // A writer would look at them, too, and wait for the reader.
            let ids = &candidates.index().unwrap().unwrap().ids;
            assert!((0..same).all(|_| ids.write().remove(hash_of_one, record_id)));
            std::thread::scope(|scope| scope.spawn(|| meanwhile(&writer)).join().unwrap());
        }
    };
    assert!(hook.meanwhile.set(Box::new(hooked)).is_ok());
    hook.offset.set(u64::from(record_id.page) * 4096).unwrap();
    assert!(a.contains(1).unwrap());
    assert!(count.load(std::sync::atomic::Ordering::Relaxed) > 0, "the page was in memory");
    assert!(snapshot.is_none_or(|snapshot| snapshot.collection("a").contains(1).unwrap()));
}

#[test]
fn a_document_that_moves_during_a_look_up_is_found() {
    // So many that the document's own entry is read from the index only after them; and the tail
    // is there as of the reader's commit, for it is as of the snapshot's.
    look_up_while(12, true, |a| assert!(a.replace(1, sized(1, 1500)).unwrap()));
}

#[test]
fn a_document_of_which_the_readers_version_is_gone_is_found_in_a_newer_one() {
    look_up_while(1, false, |a| {
        assert!((0..50).all(|_| a.replace(1, sized(1, 400)).unwrap()));
    });
}

/// Nobody sees a commit before it is synced.
#[test]
fn a_document_is_in_the_index_before_its_commit_is_published() {
    let hook = Arc::<Hook>::default();
    let file = Hooked::over(Arc::new(SimStorage::new()), &hook);
    let db = Database::options().background(false).open_on(file).unwrap();
    let a = db.collection("a");
    a.insert(sized(1, 10)).unwrap();
    let store = store(&db, "a");
    let hash = store.hash(&nanodb_document::Id::from(2).to_key());
    let (found, inner) = (Arc::new(std::sync::Mutex::new(Vec::new())), Arc::clone(&store));
    let at_sync = Arc::clone(&found);
    let look = move || {
        let candidate =
            inner.built_index().and_then(|index| index.ids.look_up(hash, Some).unwrap());
        let is_seen = inner.count() == 2;
        at_sync.lock().unwrap().push((candidate.is_some(), is_seen));
    };
    assert!(hook.at_sync.set(Box::new(look)).is_ok());
    a.insert(sized(2, 10)).unwrap();
    assert_eq!(*found.lock().unwrap(), [(true, false)]);
    assert_eq!(store.count(), 2);
}
