//! A page that every commit writes, and readers beside them, in every order.

use std::sync::Arc;

use nanodb_loom::{every_interleaving, thread};

use super::{Slot, VersionBytes};
use crate::cache::snapshot_registry::{DropScope, OldVersion, SnapshotRegistry};
use crate::cache::version_file::VersionFile;
use crate::file::page::{Checksummer, Frame};
use crate::file::storage::MemoryStorage;
use crate::ids::{PageId, Seq};
use crate::sync::Mutex;
use crate::txn::publication::Publication;

struct Page {
    slot: Slot,
    stripe: Mutex<()>,
    snapshots: SnapshotRegistry,
    publication: Publication,
}

fn frame(seq: Seq) -> Arc<Frame> {
    let mut frame = Frame::ZERO;
    frame.set_seq(seq);
    Arc::new(frame)
}

impl Page {
    fn new() -> Arc<Self> {
        let slot = Slot::default();
        slot.frame.store(Some(frame(Seq::ZERO)));
        Arc::new(Self {
            slot,
            stripe: Mutex::default(),
            snapshots: SnapshotRegistry::default(),
            publication: Publication::new(Seq::ZERO),
        })
    }

    fn commit(&self, seq: u64) {
        let seq = Seq::new(seq);
        let superseded = {
            let _stripe = self.stripe.lock();
            let base = self.slot.frame.load_full().unwrap();
            let written_at = base.seq();
            self.slot.push_older(base, seq);
            self.slot.frame.swap(Some(frame(seq)));
            OldVersion { page: PageId::new(9), written_at, superseded_at: seq }
        };
        self.snapshots.supersede([superseded]);
        self.publication.declare(seq);
        self.prune();
    }

    fn prune(&self) {
        self.snapshots.prune(
            || self.publication.published(),
            |version, with| match with {
                DropScope::One => self.drop_version(version),
                DropScope::AllOlder => self.drop_versions(version),
            },
        );
    }

    fn drop_versions(&self, newest: OldVersion) {
        let _stripe = self.stripe.lock();
        let mut next = self.slot.take_older_from(newest.superseded_at);
        while let Some(version) = next {
            next = version.next();
        }
    }

    fn drop_version(&self, version: OldVersion) {
        let _stripe = self.stripe.lock();
        self.slot.drop_older(version.superseded_at);
    }

    /// Which version a reader gets.
    fn read(&self, at: Seq) -> Option<Seq> {
        let newest = || self.slot.frame.load_full().map(|frame| frame.seq());
        let newest = || newest().filter(|&seq| seq <= at);
        let older = || self.slot.find_older(at).map(|version| version.written_at);
        newest().or_else(older).or_else(newest).or_else(older)
    }

    /// Puts an older version that a snapshot holds into a temporary file.
    fn spill(&self, version_file: &Arc<VersionFile>) {
        for version in self.snapshots.take(1, |_| true) {
            // Once its snapshot is gone, it may go with all that is old.
            if let Some(found) = self.slot.find_older(version.written_at) {
                let VersionBytes::InMemory(frame) = &found.bytes else {
                    panic!("it is spilled already")
                };
                let place = version_file.write(frame, Checksummer::new(&[0; 16])).unwrap();
                let _stripe = self.stripe.lock();
                self.slot.spill_older(version.superseded_at, place);
            }
            if !self.snapshots.put_back(version, true) {
                self.drop_version(version);
            }
        }
    }
}

#[test]
fn a_reader_finds_its_version_unless_a_newer_one_is_published() {
    every_interleaving(|| {
        let page = Page::new();
        let committer = {
            let page = Arc::clone(&page);
            thread::spawn(move || (1..=2).for_each(|seq| page.commit(seq)))
        };
        let at = page.publication.published();
        match page.read(at) {
            Some(found) => assert_eq!(found, at),
            None => assert!(page.publication.published() > at, "the version of {at} is missing"),
        }
        committer.join().unwrap();
        assert_eq!(page.read(Seq::new(2)), Some(Seq::new(2)));
    });
}

#[test]
fn a_snapshot_finds_its_version_always_and_leaves_nothing_behind() {
    every_interleaving(|| {
        let page = Page::new();
        let committer = {
            let page = Arc::clone(&page);
            thread::spawn(move || (1..=2).for_each(|seq| page.commit(seq)))
        };
        let at = page.snapshots.register(|| page.publication.published());
        assert_eq!(page.read(at), Some(at));
        thread::yield_now();
        assert_eq!(page.read(at), Some(at));
        page.snapshots.unregister(at, |version| page.drop_version(version));
        page.prune();
        committer.join().unwrap();
        page.prune();
        assert_eq!((page.read(Seq::ZERO), page.read(Seq::new(1))), (None, None));
    });
}

#[test]
fn a_version_passes_from_a_later_snapshot_to_an_earlier_one() {
    every_interleaving(|| {
        let page = Page::new();
        let early = page.snapshots.register(|| page.publication.published());
        // A commit that does not write the page.
        page.publication.declare(Seq::new(1));
        let late = {
            let page = Arc::clone(&page);
            thread::spawn(move || {
                let at = page.snapshots.register(|| page.publication.published());
                let version = if at < Seq::new(2) { Seq::ZERO } else { at };
                assert_eq!(page.read(at), Some(version));
                page.snapshots.unregister(at, |version| page.drop_version(version));
            })
        };
        page.commit(2);
        assert_eq!(page.read(early), Some(early));
        late.join().unwrap();
        assert_eq!(page.read(early), Some(early));
        page.snapshots.unregister(early, |version| page.drop_version(version));
        page.prune();
        assert_eq!(page.read(early), None);
    });
}

#[test]
fn a_version_that_is_being_spilled_is_found_and_goes_with_its_snapshot() {
    every_interleaving(|| {
        let page = Page::new();
        let at = page.snapshots.register(|| page.publication.published());
        page.commit(1);
        let spiller = {
            let page = Arc::clone(&page);
            thread::spawn(move || page.spill(&VersionFile::new(Arc::new(MemoryStorage::new()))))
        };
        let committer = {
            let page = Arc::clone(&page);
            thread::spawn(move || page.commit(2))
        };
        assert_eq!(page.read(at), Some(at));
        page.snapshots.unregister(at, |version| page.drop_version(version));
        spiller.join().unwrap();
        committer.join().unwrap();
        page.prune();
        assert_eq!((page.read(Seq::ZERO), page.read(Seq::new(1))), (None, None));
    });
}
