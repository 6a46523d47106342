//! One collection within a transaction, and committing several of them.

use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_pager::{Installed, Seq, WriteTx};
use smallvec::SmallVec;

use crate::catalog::{Binding, Claim, Making};
use crate::change::{Change, Pending};
use crate::database::Shared;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::lock::{HeldArc, Party};
use crate::note::Entry;
use crate::store::{Store, Writer};
use crate::waits::Deadlock;

/// A collection that a transaction has locked, and what it has changed there.
///
/// The fields go in this order: whoever gets the lock finds the name given up.
pub(crate) struct Part {
    pending: Pending,
    making: Option<Making>,
    held: HeldArc<Writer>,
    binding: Arc<Binding>,
}

/// Why a collection was not locked.
pub(crate) enum Refused {
    Deadlock(Deadlock),
    Error(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Part {
    /// Locks the collection of that name, or the name if there is none.
    pub(crate) fn lock(db: &Shared, name: &str, party: Party) -> Result<Self, Refused> {
        loop {
            let (binding, making, mut held) = match db.catalog.claim(name, party)? {
                Claim::Made(binding, making, held) => (binding, Some(making), held),
                Claim::Taken(binding) => {
                    let held = binding.store.writer.lock_arc(party).map_err(Refused::Deadlock)?;
                    if !binding.is_attached() {
                        continue;
                    }
                    (binding, None, held)
                }
            };
            let index = binding.store.index_for_writer()?;
            binding.store.remove_retired(index, &mut held);
            return Ok(Self { pending: Pending::new(&held), making, held, binding });
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.binding.name
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.binding.store
    }

    /// The pages as the transaction sees them.
    pub(crate) fn layout(&self) -> Layout {
        self.pending.layout(&self.held)
    }

    /// The change to the collection so far, for the next statement.
    pub(crate) fn change<'a>(&'a mut self, tx: &'a mut WriteTx) -> Result<Change<'a>> {
        let store = &self.binding.store;
        let index = store.index_for_writer()?;
        // A transaction may take long. Entries that were waiting for publication when it began lead
        // to pages that others may have by now.
        store.remove_retired(index, &mut self.held);
        Ok(Change { store, index, writer: &self.held, tx, pending: &mut self.pending })
    }

    pub(crate) fn hand_over(&self, party: Party) {
        self.held.hand_over(party);
    }

    pub(crate) fn closes(&self, deadlock: &Deadlock) -> bool {
        self.held.closes(deadlock)
    }

    /// Appends what is to be committed to a note.
    fn encode(&self, note: &mut Vec<u8>) {
        if self.pending.changed {
            encode(note, &self.binding, &self.held, &self.pending, self.making.is_some());
        }
    }

    /// Does for the collection what is to be done between installing and publishing, and
    /// releases it. Returns it if it has entries that wait for publication.
    fn settle(self, seq: Seq) -> Option<Arc<Binding>> {
        let Self { pending, making, mut held, binding } = self;
        settle(&binding, &mut held, pending, making, seq);
        let has_retired = !held.retired.is_empty();
        drop(held);
        has_retired.then_some(binding)
    }
}

/// What the root says of a collection besides its name and its pages, in bytes, at most.
const COLLECTION_BYTES: usize = 128;

/// Commits all parts of a transaction; sets `over` before it releases their locks.
pub(crate) fn commit(mut tx: WriteTx, parts: Vec<Part>, over: &AtomicBool) -> Result<()> {
    if parts.is_empty() {
        return Ok(());
    }
    let mut note = Vec::new();
    parts.iter().for_each(|part| part.encode(&mut note));
    tx.keeps_in_memory(parts.iter().map(|part| part.pending.kept_bytes()).sum());
    let made = parts.iter().filter(|part| part.making.is_some());
    tx.grows_root(made.map(|part| part.name().len() + COLLECTION_BYTES).sum());
    if !parts.iter().any(|part| part.pending.stored) {
        tx.give_space_back();
    }
    let installed = tx.install(&note);
    // Release, paired with the acquire in `Cursor`.
    over.store(true, Ordering::Release);
    let installed = installed?;
    let (changed, read): (SmallVec<[Part; 4]>, SmallVec<[Part; 4]>) =
        parts.into_iter().partition(|part| part.pending.changed);
    let seq = installed.seq();
    let mut retired: SmallVec<[Arc<Binding>; 4]> = SmallVec::new();
    for part in changed {
        retired.extend(part.settle(seq));
    }
    drop(read);
    publish(installed, retired.iter())
}

/// What a write outside of a transaction commits, in a collection that it has locked.
///
/// The same as [`commit`] with one part, which it takes apart so as not to be made to
/// hold its lock by a reference count.
pub(crate) fn commit_one(
    mut tx: WriteTx,
    binding: &Arc<Binding>,
    mut held: impl DerefMut<Target = Writer>,
    making: Option<Making>,
    pending: Pending,
) -> Result<()> {
    let mut note = std::mem::take(&mut held.note);
    note.clear();
    encode(&mut note, binding, &held, &pending, making.is_some());
    tx.keeps_in_memory(pending.kept_bytes());
    if making.is_some() {
        tx.grows_root(binding.name.len() + COLLECTION_BYTES);
    }
    if !pending.stored {
        tx.give_space_back();
    }
    let installed = tx.install(&note);
    held.note = note;
    let installed = installed?;
    settle(binding, &mut held, pending, making, installed.seq());
    let retired = (!held.retired.is_empty()).then_some(binding);
    drop(held);
    publish(installed, retired)
}

fn encode(note: &mut Vec<u8>, binding: &Binding, writer: &Writer, pending: &Pending, is_new: bool) {
    let owner = binding.store.owner;
    if is_new {
        Entry::Create { collection: owner.get(), name: &binding.name }.encode(note);
    }
    pending.encode(writer, owner, note);
}

fn settle(
    binding: &Arc<Binding>,
    writer: &mut Writer,
    pending: Pending,
    making: Option<Making>,
    seq: Seq,
) {
    binding.store.settle(writer, pending, seq);
    if let Some(mut making) = making {
        making.made(seq);
    }
}

/// Makes a commit durable and visible, once all locks are released. If that fails, nobody
/// will see it: its index entries prove nothing at any published commit.
fn publish<'a>(
    installed: Installed,
    retired: impl IntoIterator<Item = &'a Arc<Binding>>,
) -> Result<()> {
    installed.publish()?;
    for binding in retired {
        binding.store.clean_up();
    }
    Ok(())
}
