//! Getting at the id index: from the file as a rule, else by reading all pages.
//!
//! Nobody writes to a collection before there is an index, so until then its pages are
//! the same as of every commit since the file was opened, and any snapshot at which the
//! collection exists will do. Whoever builds therefore waits for no writer, and holds up
//! none but those who want the same index.

use std::sync::atomic::{AtomicU32, Ordering};

use nanodb_index::run::apply;
use nanodb_index::{Change, IdIndex, IndexWriter, KeyHash, RecordId};
use nanodb_pager::{PageId, Seq, Snapshot};
use parking_lot::MutexGuard;

use super::Store;
use crate::error::{EngineError, Result};
use crate::id_index::load::{LoadError, saved_entries};
use crate::id_index::{LoadedIndex, SavedIndex};
use crate::ids::CollectionId;
use crate::pages::extents::Extents;
use crate::pages::records::for_each_document;

impl Store {
    /// The index, for a reader of the published commit; none if that commit has no
    /// documents and the index was not built.
    #[inline]
    pub(crate) fn index(&self) -> Result<Option<&LoadedIndex>> {
        match self.id_index.index.get() {
            Some(index) => Ok(Some(index)),
            None => self.index_now(),
        }
    }

    /// The index, if it need not be made anew by reading all pages.
    pub(crate) fn index_at_hand(&self) -> Option<&LoadedIndex> {
        self.id_index.index.get().or_else(|| self.index_in_file())
    }

    /// The index, if the file has it.
    fn index_in_file(&self) -> Option<&LoadedIndex> {
        let mut base = self.id_index.base.lock();
        base.runs.as_ref()?;
        Some(self.id_index.index.get_or_init(|| base.index(&self.index_set.memory)))
    }

    #[cold]
    fn index_now(&self) -> Result<Option<&LoadedIndex>> {
        if let Some(index) = self.index_in_file() {
            return Ok(Some(index));
        }
        let snapshot = self.pager.snapshot();
        let index = self.index_at(&snapshot);
        drop(snapshot);
        self.reclaimer.sweep();
        index
    }

    /// The index, for a reader of a snapshot; none if that shows no documents and the
    /// index was not built.
    pub(crate) fn index_at(&self, snapshot: &Snapshot) -> Result<Option<&LoadedIndex>> {
        if let Some(index) = self.index_at_hand() {
            return Ok(Some(index));
        }
        match self.state_at(snapshot.seq()) {
            // Without pages: empty, not made yet, or dropped. From the last no index can
            // be made for those who see the collection as it was.
            Some(state) if state.extents.used_pages > 0 => {
                self.index_from(snapshot, &state.extents).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The index, for who holds the writers' lock and found that the collection is not
    /// dropped.
    pub(crate) fn index_for_writer(&self) -> Result<&LoadedIndex> {
        match self.index_at_hand() {
            Some(index) => Ok(index),
            None => {
                let snapshot = self.pager.snapshot();
                let state = self.state_at(snapshot.seq());
                let extents = state.map(|state| state.extents).unwrap_or_default();
                let index = self.index_from(&snapshot, &extents);
                drop(snapshot);
                self.reclaimer.sweep();
                index
            }
        }
    }

    fn index_from(&self, snapshot: &Snapshot, extents: &Extents) -> Result<&LoadedIndex> {
        let _alone = self.id_index.base.lock();
        if let Some(index) = self.id_index.index.get() {
            return Ok(index);
        }
        let mut unreadable = 0;
        let ids = IdIndex::within(&self.index_set.memory);
        let mut ids_writer = ids.write();
        for page in extents.pages() {
            if !self.index_page(snapshot, page, &mut ids_writer)? {
                unreadable = page.get();
            }
        }
        drop(ids_writer);
        let unreadable = AtomicU32::new(unreadable);
        Ok(self.id_index.index.get_or_init(|| LoadedIndex { ids, unreadable }))
    }

    /// Adds the documents on one page; false if some may be missing because of damage.
    fn index_page(
        &self,
        snapshot: &Snapshot,
        page: PageId,
        ids: &mut IndexWriter<'_>,
    ) -> Result<bool> {
        let held = match snapshot.page(page) {
            Ok(held) => held,
            Err(nanodb_pager::Error::Corrupt(_) | nanodb_pager::Error::NoVersion { .. }) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(for_each_document(&held, self.owner, self.hash_seed, |key, slot| {
            ids.insert(key, RecordId { page: page.get(), slot });
        }))
    }
}

impl Store {
    /// Loads what the index needs to know of a hash.
    #[cold]
    pub(super) fn load(&self, index: &LoadedIndex, hash: KeyHash) -> Result<()> {
        let Some(mut base) = self.published_base() else {
            // The pages say what there is as of the last commit that ever was published.
            let _alone = self.id_index.base.lock();
            return self.rebuild(index);
        };
        while let Some(range) = index.ids.absent_range(hash) {
            let Some(runs) = &base.runs else {
                self.rebuild(index)?;
                break;
            };
            let entries = base.entries() + index.ids.write().recorded_len() as u64;
            if IdIndex::is_too_wide(range, entries) && index.ids.write().split_absent(hash) {
                continue;
            }
            match saved_entries(&self.pager, self.owner, runs, range) {
                Ok(saved) => {
                    let mut ids = index.ids.write();
                    let entries = apply(&saved, &ids.recorded(range));
                    ids.load(range, &entries);
                }
                Err(LoadError::Damaged(page)) => {
                    self.index_set.report_damage(CollectionId::of(self.owner));
                    (base.damaged, base.runs) = (Some(page), None);
                }
                // It may be read another time.
                Err(LoadError::Pager(error)) => return Err(error.into()),
            }
        }
        drop(base);
        self.keep_index_budget(hash);
        Ok(())
    }

    /// The base, once the commit that it shows is published; none if that will never be, for a
    /// write has failed.
    fn published_base(&self) -> Option<MutexGuard<'_, SavedIndex>> {
        loop {
            let base = self.id_index.base.lock();
            let since = base.since;
            if since <= self.pager.published() {
                return Some(base);
            }
            // Not under the lock: the next checkpoint wants it.
            drop(base);
            // It is durable, so its committers wait for no disk; and for no lock that is held here.
            if !self.pager.wait_until_published(since) {
                return None;
            }
        }
    }

    /// Drops groups if more is loaded than may be, but not that of `hash`.
    pub(crate) fn keep_index_budget(&self, hash: KeyHash) {
        self.index_set.budget.keep(&self.id_index, hash);
    }

    /// A page of the saved index that could not be read when it was needed.
    pub(crate) fn damaged_run(&self) -> Option<PageId> {
        self.id_index.base.lock().damaged
    }

    /// Whether the run that a checkpoint of that commit has written is a part of the base.
    pub(crate) fn has_saved(&self, seq: Seq) -> bool {
        self.id_index.base.lock().runs.iter().flatten().any(|run| run.seq == seq)
    }

    /// Loads all that is absent from the pages of the collection, and what was recorded since the
    /// commit that the base shows. Under the lock of the base.
    fn rebuild(&self, index: &LoadedIndex) -> Result<()> {
        let (scanned, unreadable) = self.scan()?;
        if let Some(page) = unreadable {
            // Before a group is present in which an entry may be missing. Release, pairs with
            // the load in `Index::miss`; the groups' own stores order it for look-ups.
            index.unreadable.store(page.get(), Ordering::Release);
        }
        let mut next = Some(0);
        while let Some(key) = next {
            let mut ids = index.ids.write();
            let (is_absent, range) = match index.ids.absent_range(KeyHash::from_bits(key)) {
                Some(range) => (true, range),
                None => (
                    false,
                    (key, ids.len_at(KeyHash::from_bits(key)).map_or(u32::MAX, |len| len.1)),
                ),
            };
            if is_absent {
                let from = scanned.partition_point(|change| change.key.bits() < range.0);
                let to = scanned.partition_point(|change| change.key.bits() <= range.1);
                let old = scanned.get(from..to).unwrap_or_default();
                ids.load(range, &apply(old, &ids.recorded(range)));
            }
            next = range.1.checked_add(1);
        }
        Ok(())
    }

    /// All entries as of the published commit, in order, and a page that can't be read.
    fn scan(&self) -> Result<(Vec<Change>, Option<PageId>)> {
        loop {
            let snapshot = self.pager.snapshot();
            let mut at = snapshot.seq();
            let mut state = self.state_at(at).filter(|state| state.extents.used_pages > 0);
            if state.is_none() {
                // Dropped: for those who see it still, as the last of them sees it.
                let open = self.pager.snapshots_within(Seq::ZERO..at);
                let seen = open.into_iter().rev().find_map(|seq| {
                    let state = self.state_at(seq)?;
                    (state.extents.used_pages > 0).then_some((seq, state))
                });
                if let Some((seq, seen)) = seen {
                    (at, state) = (seq, Some(seen));
                }
            }
            let extents = state.map(|state| state.extents).unwrap_or_default();
            let (mut entries, mut unreadable, mut is_gone) = (Vec::new(), None, false);
            for page in extents.pages() {
                let add = |key, slot| {
                    let record_id = RecordId { page: page.get(), slot };
                    entries.push(Change { key, record_id, removed: false });
                };
                let sound = match self.pager.page(page, at) {
                    Ok(held) => for_each_document(&held, self.owner, self.hash_seed, add),
                    Err(nanodb_pager::Error::Corrupt(_)) => false,
                    Err(nanodb_pager::Error::NoVersion { .. }) => {
                        is_gone |= at != snapshot.seq();
                        false
                    }
                    Err(error) => return Err(EngineError::from(error)),
                };
                if !sound {
                    unreadable = unreadable.or(Some(page));
                }
            }
            // The snapshot of another may have ended in between; then it is the turn of the next.
            if !is_gone {
                entries.sort_unstable();
                return Ok((entries, unreadable));
            }
        }
    }

    /// The entries of the group of a hash, in order, and the last of its keys.
    pub(crate) fn group_entries(
        &self,
        index: &LoadedIndex,
        hash: KeyHash,
    ) -> Result<(Vec<(KeyHash, RecordId)>, u32)> {
        loop {
            // In a statement of its own: the lock is not held while the group is loaded.
            let entries = index.ids.write().entries_at(hash);
            match entries {
                Some(entries) => return Ok(entries),
                None => self.load(index, hash)?,
            }
        }
    }

    /// Whether the history has it that an entry led there as of the snapshot at `at`.
    pub(crate) fn has_former(&self, hash: KeyHash, record_id: RecordId, at: Seq) -> bool {
        self.history.lock().covers(hash, record_id, at)
    }
}
