//! What each name means, now and as of the snapshots that are open.
//!
//! A *meaning* binds a name to a collection from one commit to another. The *current* one,
//! which no commit has ended, is what writers go by; readers go by the meaning as of
//! their commit. A meaning may be current before its commit is there: it is *claimed*
//! by a transaction that will make the collection, or give it that name, and that holds
//! the collection's lock until it has or has not.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_pager::{Pager, Seq};
use parking_lot::RwLock;

use super::Binding;
use crate::attic::{Attic, Keeper};

/// All names.
pub(crate) struct Names {
    pager: Pager,
    attic: Arc<Attic>,
    listed: AtomicBool,
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    meanings: HashMap<Arc<str>, Vec<Meaning>, ahash::RandomState>,
    /// Names with a meaning that has ended.
    ended: Vec<Arc<str>>,
}

struct Meaning {
    binding: Arc<Binding>,
    /// None as long as it is only claimed.
    since: Option<Seq>,
    /// None for the current one.
    until: Option<Seq>,
}

impl Meaning {
    fn shown_at(&self, seq: Seq) -> bool {
        self.since.is_some_and(|since| since <= seq) && self.until.is_none_or(|until| seq < until)
    }
}

impl Names {
    pub(crate) fn new(
        pager: Pager,
        attic: Arc<Attic>,
        bindings: impl Iterator<Item = Arc<Binding>>,
    ) -> Self {
        let meaning = |binding: Arc<Binding>| {
            let name = Arc::clone(&binding.name);
            (name, vec![Meaning { binding, since: Some(Seq::ZERO), until: None }])
        };
        let table = Table { meanings: bindings.map(meaning).collect(), ended: Vec::new() };
        Self { pager, attic, listed: AtomicBool::new(false), table: RwLock::new(table) }
    }

    /// What the name means to a writer: a collection that there is, or that is claimed.
    pub(crate) fn current(&self, name: &str) -> Option<Arc<Binding>> {
        self.table.read().current(name).map(|meaning| Arc::clone(&meaning.binding))
    }

    /// All that is current, by name.
    pub(crate) fn all_current(&self) -> Vec<Arc<Binding>> {
        self.select(|_| |meaning: &Meaning| meaning.until.is_none())
    }

    /// What the name means as of the published commit.
    pub(crate) fn published(&self, name: &str) -> Option<Arc<Binding>> {
        let table = self.table.read();
        // Under the lock: who dropped a meaning had seen no newer commit than this.
        table.shown_at(name, self.pager.published())
    }

    /// What the name means as of a commit that a snapshot is open at.
    pub(crate) fn at(&self, name: &str, seq: Seq) -> Option<Arc<Binding>> {
        self.table.read().shown_at(name, seq)
    }

    /// All collections as of the published commit, by name.
    pub(crate) fn all_published(&self) -> Vec<Arc<Binding>> {
        self.select(|pager| {
            let seq = pager.published();
            move |meaning: &Meaning| meaning.shown_at(seq)
        })
    }

    /// All collections as of a commit that a snapshot is open at, by name.
    pub(crate) fn all_at(&self, seq: Seq) -> Vec<Arc<Binding>> {
        self.select(|_| move |meaning: &Meaning| meaning.shown_at(seq))
    }

    fn select<F: Fn(&Meaning) -> bool>(
        &self,
        which: impl FnOnce(&Pager) -> F,
    ) -> Vec<Arc<Binding>> {
        let table = self.table.read();
        let which = which(&self.pager);
        let meanings = table.meanings.values().flatten().filter(|meaning| which(meaning));
        let mut all: Vec<_> = meanings.map(|meaning| Arc::clone(&meaning.binding)).collect();
        drop(table);
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.read().meanings.len()
    }

    /// Makes `binding` the current meaning of its name, without a commit yet; or
    /// returns the one that there is.
    pub(super) fn claim(&self, binding: &Arc<Binding>) -> Result<(), Arc<Binding>> {
        let mut table = self.table.write();
        if let Some(current) = table.current(&binding.name) {
            return Err(Arc::clone(&current.binding));
        }
        let meaning = Meaning { binding: Arc::clone(binding), since: None, until: None };
        table.meanings.entry(Arc::clone(&binding.name)).or_default().push(meaning);
        Ok(())
    }

    /// Takes a claim back.
    pub(super) fn disclaim(&self, binding: &Arc<Binding>) {
        let mut table = self.table.write();
        if let Some(meanings) = table.meanings.get_mut(&binding.name) {
            meanings.retain(|meaning| !Arc::ptr_eq(&meaning.binding, binding));
            if meanings.is_empty() {
                table.meanings.remove(&binding.name);
            }
        }
        drop(table);
        binding.detach();
    }

    /// A claimed meaning holds from commit `since` on.
    pub(super) fn begin(&self, binding: &Arc<Binding>, since: Seq) {
        if let Some(meaning) = self.table.write().current_mut(&binding.name) {
            meaning.since = Some(since);
        }
    }

    /// The current meaning ends with commit `until`.
    pub(super) fn end(self: &Arc<Self>, binding: &Arc<Binding>, until: Seq) {
        let mut table = self.table.write();
        if let Some(meaning) = table.current_mut(&binding.name) {
            meaning.until = Some(until);
            table.ended.push(Arc::clone(&binding.name));
        }
        drop(table);
        binding.detach();
        let keeper: Arc<dyn Keeper> = Arc::<Self>::clone(self);
        self.attic.list(keeper);
    }
}

impl Table {
    fn current(&self, name: &str) -> Option<&Meaning> {
        self.meanings.get(name)?.iter().find(|meaning| meaning.until.is_none())
    }

    fn current_mut(&mut self, name: &str) -> Option<&mut Meaning> {
        self.meanings.get_mut(name)?.iter_mut().find(|meaning| meaning.until.is_none())
    }

    fn shown_at(&self, name: &str, seq: Seq) -> Option<Arc<Binding>> {
        let mut meanings = self.meanings.get(name)?.iter();
        Some(Arc::clone(&meanings.find(|meaning| meaning.shown_at(seq))?.binding))
    }
}

impl Keeper for Names {
    fn sweep(&self) -> bool {
        let mut table = self.table.write();
        // Before the snapshots are looked at: what ends at it none can come to want.
        let published = self.pager.published();
        let open = self.pager.snapshots_within(Seq::ZERO..published);
        let is_over = |meaning: &Meaning| match (meaning.since, meaning.until) {
            (Some(since), Some(until)) if until <= published => {
                let next = open.get(open.partition_point(|&seq| seq < since));
                next.is_none_or(|&seq| seq >= until)
            }
            _ => false,
        };
        let Table { meanings, ended } = &mut *table;
        let mut gone = Vec::new();
        ended.retain(|name| {
            let Some(of_name) = meanings.get_mut(name) else { return false };
            gone.extend(of_name.extract_if(.., |meaning| is_over(meaning)));
            let keeps = of_name.iter().any(|meaning| meaning.until.is_some());
            if of_name.is_empty() {
                meanings.remove(name);
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

impl Binding {
    fn detach(&self) {
        // Release, with the acquire of `is_attached`: who sees it finds the names changed.
        self.detached.store(true, Ordering::Release);
    }
}
