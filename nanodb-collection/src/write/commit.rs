//! The commit: what single calls, transactions, dropping and renaming end in.
//!
//! ```text
//! encode the edits; install pages and edits; for each collection: index entries, its books, unlock;
//! make it durable and visible; then remove what nobody wants any more
//! ```
//!
//! What a commit does to the index of a collection is done between installing and publishing, so
//! that whoever can take the commit finds the entries; and under the collection's lock, so that the
//! next writer builds on it. Locks go before the commit is durable: see
//! [`txn`](crate::txn).

use std::ops::DerefMut;
use std::sync::Arc;

use nanodb_pager::{InstalledCommit, Seq, WriteTx};
use smallvec::SmallVec;

use super::write_set::WriteSet;
use crate::catalog::binding::NameBinding;
use crate::catalog::edit::CatalogEdit;
use crate::catalog::names::NameTable;
use crate::catalog::reservation::NameReservation;
use crate::error::Result;
use crate::ids::CollectionId;
use crate::store::{CollectionState, Store};

/// What the manifest says of a collection besides its name and its pages, in bytes, at most.
const COLLECTION_BYTES: usize = 128;

/// What a commit does to a collection.
#[expect(clippy::large_enum_variant, reason = "nearly all are writes, which allocate nothing")]
pub(crate) enum Change {
    /// Documents were written; the first of a collection that it makes.
    Written(WriteSet, Option<NameReservation>),
    /// It is dropped, and its name is nobody's.
    Dropped(Arc<NameTable>),
    /// It gets a name that was reserved for it.
    Renamed(NameReservation, Arc<NameTable>),
}

/// A collection that is locked, and what a commit does to it.
///
/// The fields go in this order: whoever gets the lock finds the name given up.
pub(crate) struct Part<'a, H> {
    pub(crate) change: Change,
    pub(crate) held: H,
    pub(crate) binding: &'a Arc<NameBinding>,
}

/// A commit that is installed, and seen by the next writers alone. No lock is held for it.
#[must_use = "what is not published is never seen"]
pub(crate) struct Commit<'a> {
    installed: InstalledCommit,
    /// The collections in which there is something to clean up.
    left: SmallVec<[(&'a Arc<NameBinding>, Cleanup); 1]>,
}

/// What is left to do once a commit is published.
enum Cleanup {
    /// Index entries wait for it.
    Retired,
    /// Snapshots may want what the collection, or its name, was.
    Former,
}

impl<'a> Commit<'a> {
    /// Installs what `tx` has changed in collections, and unlocks them.
    ///
    /// `installed` is called before they are, whether or not that has failed.
    #[inline]
    pub(crate) fn install<H: DerefMut<Target = CollectionState>>(
        mut tx: WriteTx,
        mut parts: SmallVec<[Part<'a, H>; 1]>,
        installed: impl FnOnce(),
    ) -> Result<Self> {
        // The first collection lends its buffer.
        let mut edits = parts.first_mut().map(|part| std::mem::take(&mut part.held.edits));
        let bytes = edits.get_or_insert_default();
        bytes.clear();
        parts.iter().for_each(|part| part.encode(bytes));
        tx.charge_memory(parts.iter().map(|part| part.change.kept_bytes()).sum());
        tx.grow_metadata_root(parts.iter().map(|part| part.manifest_growth()).sum());
        if !parts.iter().any(|part| part.change.takes_space()) {
            tx.may_use_reserve();
        }
        let done = tx.install(bytes);
        if let (Some(part), Some(edits)) = (parts.first_mut(), edits) {
            part.held.edits = edits;
        }
        installed();
        let done = done?;
        let seq = done.seq();
        let left = parts.into_iter().filter_map(|part| part.apply(seq)).collect();
        Ok(Self { installed: done, left })
    }

    /// Makes the commit durable and visible. If that fails, nobody will see it: its index entries
    /// prove nothing at any published commit.
    #[inline]
    pub(crate) fn publish(self) -> Result<()> {
        self.installed.publish()?;
        for (binding, left) in self.left {
            match left {
                Cleanup::Retired => binding.store.clean_up(),
                Cleanup::Former => binding.store.sweep_kept(),
            }
        }
        Ok(())
    }
}

impl Change {
    /// The memory that is kept for it until a checkpoint has saved it.
    fn kept_bytes(&self) -> usize {
        match self {
            Self::Written(write_set, _) => write_set.kept_bytes(),
            Self::Dropped(_) | Self::Renamed(..) => 0,
        }
    }

    /// Whether it takes space, rather than free some.
    fn takes_space(&self) -> bool {
        match self {
            Self::Written(write_set, _) => write_set.stored,
            Self::Dropped(_) => false,
            Self::Renamed(..) => true,
        }
    }
}

impl<'a, H: DerefMut<Target = CollectionState>> Part<'a, H> {
    /// Appends what the commit says of the collection besides pages.
    fn encode(&self, edits: &mut Vec<u8>) {
        let owner = self.binding.store.owner;
        let collection = CollectionId::of(owner);
        match &self.change {
            Change::Written(write_set, reservation) if write_set.changed => {
                if reservation.is_some() {
                    CatalogEdit::Create { collection, name: &self.binding.name }.encode(edits);
                }
                write_set.encode(&self.held, owner, edits);
            }
            Change::Written(..) => {}
            Change::Dropped(_) => CatalogEdit::Drop { collection }.encode(edits),
            Change::Renamed(reservation, _) => {
                CatalogEdit::Rename { collection, name: reservation.name() }.encode(edits);
            }
        }
    }

    /// How much longer the manifest may get by a name, in bytes.
    fn manifest_growth(&self) -> usize {
        match &self.change {
            Change::Written(_, Some(reservation)) | Change::Renamed(reservation, _) => {
                reservation.name().len() + COLLECTION_BYTES
            }
            Change::Written(_, None) | Change::Dropped(_) => 0,
        }
    }

    /// Brings the collection's books up to date with what was installed as commit `seq`, and
    /// unlocks it.
    #[inline]
    fn apply(self, seq: Seq) -> Option<(&'a Arc<NameBinding>, Cleanup)> {
        let Self { change, mut held, binding } = self;
        match change {
            Change::Written(write_set, reservation) => {
                if write_set.changed {
                    apply(&binding.store, &mut held, write_set, seq);
                    if let Some(mut reservation) = reservation {
                        reservation.made(seq);
                    }
                }
                (!held.retired.is_empty()).then_some((binding, Cleanup::Retired))
            }
            Change::Dropped(names) => {
                // Its pages go to others: who comes at this commit or later finds it empty.
                held.clear();
                binding.store.push_state(&held, seq);
                names.end(binding, seq);
                Some((binding, Cleanup::Former))
            }
            Change::Renamed(mut reservation, names) => {
                reservation.made(seq);
                names.end(binding, seq);
                Some((binding, Cleanup::Former))
            }
        }
    }
}

/// Brings the index and the numbers of a collection up to date with a write set that was installed
/// as commit `seq`. Under the writers' lock, before the commit is published.
pub(crate) fn apply(
    store: &Arc<Store>,
    writer: &mut CollectionState,
    mut write_set: WriteSet,
    seq: Seq,
) {
    let (mut added, removed) = write_set.take_entries();
    // The index was there before the first change.
    if !(added.is_empty() && removed.is_empty())
        && let Some(index) = store.built_index()
    {
        let mut ids = index.ids.write();
        for (removed, entries) in [(true, &removed), (false, &added)] {
            for (key, record_id) in entries.iter() {
                ids.record(seq.get(), nanodb_index::Change { key, record_id, removed });
            }
        }
        writer.retired.revive(&mut added);
        added.iter().for_each(|(hash, record_id)| ids.insert(hash, record_id));
        removed.iter().for_each(|(hash, record_id)| writer.retired.push(seq, hash, record_id));
        ids.set_pending(writer.retired.first());
        drop(ids);
        if let Some((hash, _)) = added.iter().next() {
            store.keep_index_budget(hash);
        }
    }
    write_set.apply(writer);
    store.push_state(writer, seq);
}
