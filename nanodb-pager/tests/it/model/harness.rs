//! The pager and the model side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nanodb_pager::{
    BODY_SIZE, Error, InstalledCommit, PAGE_SIZE, PageId, Pager, Seq, Snapshot, WriteTx,
};
use nanodb_sim::SimStorage;

use super::Op;
use crate::support::{FRAMES, KIND, OWNER, assert_space, new_file, numbers, open};

/// How many transactions are open at once.
pub(super) const TRANSACTIONS: usize = 3;

/// What a page holds: nothing yet, or these bytes.
type Body = Option<Arc<Vec<u8>>>;

/// All pages in use.
type Pages = BTreeMap<u32, Body>;

pub(super) struct Harness {
    storage: SimStorage,
    pager: Pager,
    transactions: Vec<Transaction>,
    snapshots: Vec<(Snapshot, Pages)>,
    /// Installed commits that are not published, oldest first, and the pages they changed.
    held: Vec<(InstalledCommit, usize)>,
    /// The pages as of each commit, the newest last.
    history: Vec<(Seq, Pages)>,
    metadata: Vec<u8>,
}

struct Transaction {
    tx: WriteTx,
    /// What it changes.
    changes: BTreeMap<u32, Body>,
    allocated: BTreeSet<u32>,
    freed: BTreeSet<u32>,
}

impl Transaction {
    fn begin(pager: &Pager) -> Self {
        Self {
            tx: pager.begin(),
            changes: BTreeMap::new(),
            allocated: BTreeSet::new(),
            freed: BTreeSet::new(),
        }
    }
}

impl Harness {
    pub(super) fn new() -> Self {
        let (storage, pager) = new_file();
        let transactions = (0..TRANSACTIONS).map(|_| Transaction::begin(&pager)).collect();
        let history = vec![(Seq::ZERO, Pages::new())];
        Self {
            storage,
            pager,
            transactions,
            snapshots: Vec::new(),
            held: Vec::new(),
            history,
            metadata: Vec::new(),
        }
    }

    fn installed(&self) -> &Pages {
        &self.history[self.history.len() - 1].1
    }

    /// The pages that a transaction may touch: in use, and no other one's.
    fn pages_for(&self, at: usize) -> Vec<(u32, Body)> {
        let own = &self.transactions[at];
        let mut pages = self.installed().clone();
        for (index, other) in self.transactions.iter().enumerate() {
            if index != at {
                other.changes.keys().chain(&other.freed).for_each(|page| {
                    pages.remove(page);
                });
            }
        }
        own.allocated.iter().for_each(|&page| {
            pages.insert(page, None);
        });
        pages.extend(own.changes.clone());
        own.freed.iter().for_each(|page| {
            pages.remove(page);
        });
        pages.into_iter().collect()
    }

    /// The same, of those that were initialised or those that were not.
    fn pick(&self, at: usize, pick: usize, initialised: bool) -> Option<(u32, Body)> {
        let mut pages = self.pages_for(at);
        pages.retain(|(_, body)| body.is_some() == initialised);
        (!pages.is_empty()).then(|| pages.swap_remove(pick % pages.len()))
    }

    pub(super) fn perform(&mut self, op: Op) {
        match op {
            Op::Allocate { tx, pages, init } => self.allocate(tx, pages, init),
            Op::Init { tx, pick } => {
                if let Some((page, _)) = self.pick(tx, pick, false) {
                    self.init(tx, page);
                }
            }
            Op::Write { tx, pick, offset, byte, len } => self.write(tx, pick, offset, byte, len),
            Op::Free { tx, pick } => self.free(tx, pick),
            Op::Commit { tx, note } => {
                self.install(tx, &note);
                self.publish();
            }
            Op::Install { tx, note } => self.install(tx, &note),
            Op::Rollback { tx } => {
                let fresh = Transaction::begin(&self.pager);
                std::mem::replace(&mut self.transactions[tx], fresh).tx.rollback();
            }
            Op::Snapshot => {
                let snapshot = self.pager.snapshot();
                let pages = self.pages_at(snapshot.seq()).clone();
                self.snapshots.push((snapshot, pages));
            }
            Op::DropSnapshot { pick } => {
                if !self.snapshots.is_empty() {
                    let _ = self.snapshots.swap_remove(pick % self.snapshots.len());
                }
            }
            Op::Checkpoint => {
                self.pager.checkpoint().unwrap();
                assert_eq!(*self.pager.metadata_root(), *self.metadata);
                assert_eq!(self.pager.verify().unwrap(), []);
                assert_eq!(self.pager.stats().unwrap().dirty_bytes, 0);
            }
            Op::Reopen { rollback_first } => self.reopen(rollback_first),
        }
    }

    fn allocate(&mut self, at: usize, pages: u32, init: u32) {
        let used: Pages = self.installed().clone();
        let extent = self.transactions[at].tx.allocate_extent(pages).unwrap();
        assert_eq!(extent.pages, pages);
        for page in numbers(&[extent]) {
            assert!(page >= 2 && !used.contains_key(&page), "{page} is given out twice");
            self.transactions[at].allocated.insert(page);
        }
        for index in 0..init.min(pages) {
            self.init(at, extent.page(index).unwrap().get());
        }
    }

    fn init(&mut self, at: usize, page: u32) {
        let transaction = &mut self.transactions[at];
        let fresh = transaction.tx.init_page(PageId::new(page), KIND, OWNER).unwrap();
        assert!(fresh.body().iter().all(|&byte| byte == 0));
        transaction.changes.insert(page, Some(Arc::new(vec![0; BODY_SIZE])));
    }

    fn write(&mut self, at: usize, pick: usize, offset: usize, byte: u8, len: usize) {
        let Some((page, Some(body))) = self.pick(at, pick, true) else { return };
        let tx = &mut self.transactions[at].tx;
        let id = PageId::new(page);
        assert!(tx.page(id).unwrap().body() == &body[..], "{id} as its transaction sees it");
        let bytes = vec![byte; len.min(BODY_SIZE - offset)];
        assert!(tx.page_mut(id).unwrap().write(offset, &bytes));
        let mut body = (*body).clone();
        body[offset..offset + bytes.len()].copy_from_slice(&bytes);
        self.transactions[at].changes.insert(page, Some(Arc::new(body)));
    }

    fn free(&mut self, at: usize, pick: usize) {
        let pages = self.pages_for(at);
        if pages.is_empty() {
            return;
        }
        let (page, _) = pages[pick % pages.len()];
        let transaction = &mut self.transactions[at];
        transaction.tx.free(PageId::new(page)).unwrap();
        transaction.changes.remove(&page);
        transaction.freed.insert(page);
    }

    fn install(&mut self, at: usize, note: &[u8]) {
        let fresh = Transaction::begin(&self.pager);
        let done = std::mem::replace(&mut self.transactions[at], fresh);
        let before = self.history[self.history.len() - 1].0;
        let empty = done.allocated.is_empty() && done.changes.is_empty() && done.freed.is_empty();
        let changed = done.changes.len();
        let installed = done.tx.install(note).unwrap();
        if empty && note.is_empty() {
            assert_eq!(installed.seq(), before);
            return;
        }
        assert_eq!(installed.seq().get(), before.get() + 1);
        let mut pages = self.installed().clone();
        pages.extend(done.allocated.into_iter().map(|page| (page, None)));
        pages.extend(done.changes);
        done.freed.iter().for_each(|page| {
            pages.remove(page);
        });
        self.history.push((installed.seq(), pages));
        self.metadata.extend_from_slice(note);
        self.held.push((installed, changed));
    }

    fn publish(&mut self) {
        for (installed, _) in self.held.drain(..) {
            let seq = installed.seq();
            assert_eq!(installed.publish().unwrap(), seq);
            assert_eq!(self.pager.published(), seq);
        }
    }

    fn reopen(&mut self, rollback_first: bool) {
        self.publish();
        self.snapshots.clear();
        if rollback_first {
            self.transactions.clear();
        }
        self.pager.clone().close().unwrap();
        self.transactions.clear();
        // Whatever stands in for the old pager must not hold the lock of this file.
        let (_, stand_in) = new_file();
        drop(std::mem::replace(&mut self.pager, stand_in));
        self.pager = open(&self.storage).unwrap();
        self.transactions = (0..TRANSACTIONS).map(|_| Transaction::begin(&self.pager)).collect();
        assert_eq!(*self.pager.metadata_root(), *self.metadata);
        assert_eq!(self.pager.published(), self.history[self.history.len() - 1].0);
        // Versions of former commits do not outlive the handle.
        self.history.drain(..self.history.len() - 1);
    }

    fn pages_at(&self, at: Seq) -> &Pages {
        let index = self.history.partition_point(|&(seq, _)| seq <= at);
        &self.history[index - 1].1
    }

    pub(super) fn check(&self) {
        let published = self.pager.published();
        for (page, body) in initialised(self.pages_at(published)) {
            let guard = self.pager.page(page, published).unwrap();
            assert!(guard.body() == body, "{page} at {published}");
            assert_eq!((guard.id(), guard.kind(), guard.owner()), (page, KIND, OWNER));
        }
        for (snapshot, pages) in &self.snapshots {
            for (page, body) in initialised(pages) {
                let guard = snapshot.page(page).unwrap();
                assert!(guard.body() == body, "{page} in the snapshot at {}", snapshot.seq());
            }
        }
        self.check_past(published);
        self.check_space();
        self.check_budget();
        assert!(self.metadata.starts_with(&self.pager.metadata_root()));
    }

    /// A read at a commit long past gets what was there then, or is told to repeat.
    fn check_past(&self, published: Seq) {
        for (seq, pages) in self.history.iter().rev().take(6).filter(|&&(seq, _)| seq <= published)
        {
            for (page, body) in initialised(pages) {
                match self.pager.page(page, *seq) {
                    Ok(guard) => assert!(guard.body() == body, "{page} at {seq}"),
                    Err(Error::NoVersion { .. }) => assert!(*seq < published),
                    // The page went to the pager itself, which wrote a stream over it.
                    Err(error) => panic!("{page} at {seq}: {error}"),
                }
            }
        }
    }

    /// What was installed and not published can't go, neither the new versions nor those
    /// that they replace.
    fn check_budget(&self) {
        let held: usize = self.held.iter().map(|(_, pages)| 2 * pages).sum();
        let stats = self.pager.stats().unwrap();
        assert!(stats.cached_bytes <= (FRAMES + held) * PAGE_SIZE, "{held} held: {stats:?}");
    }

    fn check_space(&self) {
        let open = self.transactions.iter().flat_map(|transaction| &transaction.allocated);
        assert_space(&self.pager, self.installed().keys().chain(open).copied());
    }
}

fn initialised(pages: &Pages) -> impl Iterator<Item = (PageId, &[u8])> {
    pages.iter().filter_map(|(&page, body)| Some((PageId::new(page), &body.as_ref()?[..])))
}
