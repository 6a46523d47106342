//! What each name means, now and as of the snapshots that are open.
//!
//! A *version* binds a name to a collection from one commit to another. The *current* one,
//! which no commit has ended, is what writers go by; readers go by the version as of
//! their commit. A version may be current before its commit is there: it is *reserved*
//! by a transaction that will make the collection, or give it that name, and that holds
//! the collection's lock until it has or has not.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nanodb_pager::{Pager, RandomState, Seq};
use parking_lot::RwLock;

use super::binding::NameBinding;
use crate::reclaim::{Reclaim, Reclaimer};

/// All names.
pub(crate) struct NameTable {
    pager: Pager,
    reclaimer: Arc<Reclaimer>,
    listed: AtomicBool,
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    versions: HashMap<Arc<str>, Vec<NameVersion>, RandomState>,
    /// Names with a version that has ended.
    ended: Vec<Arc<str>>,
}

struct NameVersion {
    binding: Arc<NameBinding>,
    /// None as long as it is only reserved.
    since: Option<Seq>,
    /// None for the current one.
    until: Option<Seq>,
}

impl NameVersion {
    fn shown_at(&self, seq: Seq) -> bool {
        self.since.is_some_and(|since| since <= seq) && self.until.is_none_or(|until| seq < until)
    }
}

impl NameTable {
    pub(crate) fn new(
        pager: Pager,
        reclaimer: Arc<Reclaimer>,
        bindings: impl Iterator<Item = Arc<NameBinding>>,
    ) -> Self {
        let version = |binding: Arc<NameBinding>| {
            let name = Arc::clone(&binding.name);
            (name, vec![NameVersion { binding, since: Some(Seq::ZERO), until: None }])
        };
        let table = Table { versions: bindings.map(version).collect(), ended: Vec::new() };
        Self { pager, reclaimer, listed: AtomicBool::new(false), table: RwLock::new(table) }
    }

    /// What the name means to a writer: a collection that there is, or that is reserved.
    pub(crate) fn current(&self, name: &str) -> Option<Arc<NameBinding>> {
        self.table.read().current(name).map(|version| Arc::clone(&version.binding))
    }

    /// All that is current, by name.
    pub(crate) fn all_current(&self) -> Vec<Arc<NameBinding>> {
        self.select(|_| |version: &NameVersion| version.until.is_none())
    }

    /// What the name means as of the published commit.
    pub(crate) fn published(&self, name: &str) -> Option<Arc<NameBinding>> {
        let table = self.table.read();
        // Under the lock: who dropped a version had seen no newer commit than this.
        table.shown_at(name, self.pager.published())
    }

    /// What the name means as of a commit that a snapshot is open at.
    pub(crate) fn at(&self, name: &str, seq: Seq) -> Option<Arc<NameBinding>> {
        self.table.read().shown_at(name, seq)
    }

    /// All collections as of the published commit, by name.
    pub(crate) fn all_published(&self) -> Vec<Arc<NameBinding>> {
        self.select(|pager| {
            let seq = pager.published();
            move |version: &NameVersion| version.shown_at(seq)
        })
    }

    /// All collections as of a commit that a snapshot is open at, by name.
    pub(crate) fn all_at(&self, seq: Seq) -> Vec<Arc<NameBinding>> {
        self.select(|_| move |version: &NameVersion| version.shown_at(seq))
    }

    fn select<F: Fn(&NameVersion) -> bool>(
        &self,
        which: impl FnOnce(&Pager) -> F,
    ) -> Vec<Arc<NameBinding>> {
        let table = self.table.read();
        let which = which(&self.pager);
        let versions = table.versions.values().flatten().filter(|version| which(version));
        let mut all: Vec<_> = versions.map(|version| Arc::clone(&version.binding)).collect();
        drop(table);
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.read().versions.len()
    }

    /// Makes `binding` the current version of its name, without a commit yet; or
    /// returns the one that there is.
    pub(super) fn reserve(&self, binding: &Arc<NameBinding>) -> Result<(), Arc<NameBinding>> {
        let mut table = self.table.write();
        if let Some(current) = table.current(&binding.name) {
            return Err(Arc::clone(&current.binding));
        }
        let version = NameVersion { binding: Arc::clone(binding), since: None, until: None };
        table.versions.entry(Arc::clone(&binding.name)).or_default().push(version);
        Ok(())
    }

    /// Takes a reservation back.
    pub(super) fn release(&self, binding: &Arc<NameBinding>) {
        let mut table = self.table.write();
        if let Some(versions) = table.versions.get_mut(&binding.name) {
            versions.retain(|version| !Arc::ptr_eq(&version.binding, binding));
            if versions.is_empty() {
                table.versions.remove(&binding.name);
            }
        }
        drop(table);
        binding.detach();
    }

    /// A reserved version holds from commit `since` on.
    pub(super) fn begin(&self, binding: &Arc<NameBinding>, since: Seq) {
        if let Some(version) = self.table.write().current_mut(&binding.name) {
            version.since = Some(since);
        }
    }

    /// The current version ends with commit `until`.
    pub(crate) fn end(self: &Arc<Self>, binding: &Arc<NameBinding>, until: Seq) {
        let mut table = self.table.write();
        if let Some(version) = table.current_mut(&binding.name) {
            version.until = Some(until);
            table.ended.push(Arc::clone(&binding.name));
        }
        drop(table);
        binding.detach();
        let keeper: Arc<dyn Reclaim> = Arc::<Self>::clone(self);
        self.reclaimer.list(keeper);
    }
}

impl Table {
    fn current(&self, name: &str) -> Option<&NameVersion> {
        self.versions.get(name)?.iter().find(|version| version.until.is_none())
    }

    fn current_mut(&mut self, name: &str) -> Option<&mut NameVersion> {
        self.versions.get_mut(name)?.iter_mut().find(|version| version.until.is_none())
    }

    fn shown_at(&self, name: &str, seq: Seq) -> Option<Arc<NameBinding>> {
        let mut versions = self.versions.get(name)?.iter();
        Some(Arc::clone(&versions.find(|version| version.shown_at(seq))?.binding))
    }
}

impl Reclaim for NameTable {
    fn sweep(&self) -> bool {
        let mut table = self.table.write();
        // Before the snapshots are looked at: what ends at it none can come to want.
        let published = self.pager.published();
        let open = self.pager.snapshots_within(Seq::ZERO..published);
        let is_over = |version: &NameVersion| match (version.since, version.until) {
            (Some(since), Some(until)) if until <= published => {
                let next = open.get(open.partition_point(|&seq| seq < since));
                next.is_none_or(|&seq| seq >= until)
            }
            _ => false,
        };
        let Table { versions, ended } = &mut *table;
        let mut gone = Vec::new();
        ended.retain(|name| {
            let Some(of_name) = versions.get_mut(name) else { return false };
            gone.extend(of_name.extract_if(.., |version| is_over(version)));
            let keeps = of_name.iter().any(|version| version.until.is_some());
            if of_name.is_empty() {
                versions.remove(name);
            }
            keeps
        });
        let keeps = !ended.is_empty();
        drop(table);
        // The last handle of a collection may be among them: not under the lock.
        drop(gone);
        keeps
    }

    fn listed(&self) -> &AtomicBool {
        &self.listed
    }
}
