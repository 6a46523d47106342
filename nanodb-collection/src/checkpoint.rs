//! Applying the edits of commits to the manifest that a checkpoint saves, and saving the id
//! indexes along with it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use nanodb_index::Change;
use nanodb_pager::{CheckpointHooks, CheckpointPageWriter, Extent, Seq};
use parking_lot::Mutex;

use crate::catalog::edit::{CatalogEdit, CatalogEdits};
use crate::catalog::manifest::{Manifest, StoredCollection};
use crate::error::CatalogError;
use crate::id_index::index_set::IndexSet;
use crate::id_index::run_writer::{RunSaver, in_order, is_misplaced};
use crate::ids::CollectionId;
use crate::maintenance::shrink::Shrinker;

/// Such a part of the file must be free for indexes to be written anew further in front; and when
/// it is compacted.
const FREE_PART: u32 = 8;
const COMPACTION_FREE_PART: u32 = 64;

/// The engine's part in opening a file and in checkpoints.
pub(crate) struct CatalogHooks {
    index_set: Arc<IndexSet>,
    shrinker: Arc<Shrinker>,
    /// Collections whose index could not be made anew, because pages are damaged. That is not
    /// tried again at each checkpoint.
    in_vain: Mutex<BTreeSet<CollectionId>>,
}

impl CatalogHooks {
    pub(crate) fn new(index_set: Arc<IndexSet>, shrinker: Arc<Shrinker>) -> Self {
        Self { index_set, shrinker, in_vain: Mutex::default() }
    }
}

/// Applies the edits in the metadata of commits to the manifest; `index` gets the changes of the
/// id indexes.
pub(crate) fn apply_edits(
    root: &[u8],
    metadata: &mut dyn Iterator<Item = &[u8]>,
    mut index: impl FnMut(CollectionId, &mut dyn Iterator<Item = Change>),
) -> Result<Manifest, CatalogError> {
    let mut manifest = Manifest::decode(root)?;
    for metadata in metadata {
        for entry in CatalogEdits::new(metadata) {
            match entry.ok_or(CatalogError::MalformedEdits)? {
                CatalogEdit::Index(changed) => index(changed.collection, &mut changed.changes()),
                edit => manifest.apply(edit)?,
            }
        }
    }
    Ok(manifest)
}

impl CheckpointHooks for CatalogHooks {
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        Ok(apply_edits(root, metadata, |_, _| {})?.encode())
    }

    fn save(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
        pages: &mut CheckpointPageWriter<'_>,
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let mut changes: BTreeMap<CollectionId, Vec<Change>> = BTreeMap::new();
        let free_part = if self.shrinker.is_paused() { COMPACTION_FREE_PART } else { FREE_PART };
        let mut before = Manifest::decode(root)?;
        let mut manifest = apply_edits(root, metadata, |collection, changed| {
            changes.entry(collection).or_default().extend(changed);
        })?;
        for (&collection, stored) in &mut before.collections {
            if !manifest.collections.contains_key(&collection) {
                RunSaver::new(collection, free_part, &mut *pages).free_all(stored)?;
            }
        }
        let damaged = self.index_set.damaged();
        for (&collection, stored) in &mut manifest.collections {
            let misplaced = || {
                let runs = stored.saved.as_deref().unwrap_or_default();
                is_misplaced(runs, pages, free_part)
            };
            let changes = changes.remove(&collection).unwrap_or_default();
            if damaged.contains(&collection) {
                RunSaver::new(collection, free_part, &mut *pages).free_all(stored)?;
            } else if changes.is_empty() && !misplaced() {
                continue;
            }
            if stored.saved.is_none() && self.in_vain.lock().contains(&collection) {
                continue;
            }
            let mut saving = RunSaver::new(collection, free_part, &mut *pages);
            if saving.save(stored, in_order(changes))? {
                self.in_vain.lock().insert(collection);
            }
        }
        Ok(manifest.encode())
    }

    fn checkpoint_pages(&self, root: &[u8]) -> u64 {
        // A root that makes no sense is refused elsewhere.
        let manifest = Manifest::decode(root).unwrap_or_default();
        manifest
            .collections
            .values()
            .flat_map(StoredCollection::index_extents)
            .map(|run| u64::from(run.pages))
            .sum()
    }

    fn extents_in_use(
        &self,
        root: &[u8],
    ) -> Result<Option<Vec<Extent>>, Box<dyn Error + Send + Sync>> {
        let manifest = Manifest::decode(root)?;
        Ok(Some(manifest.extents().map(|(_, extent)| extent).collect()))
    }

    fn before_checkpoint(&self, log_bytes: u64) {
        self.shrinker.run(log_bytes);
    }

    fn after_checkpoint(&self, root: &[u8], seq: Seq) {
        // It was made by `save`.
        if let Ok(mut manifest) = Manifest::decode(root) {
            let runs = |collection| manifest.collections.get_mut(&collection)?.saved.take();
            self.index_set.saved(runs, seq);
        }
    }
}

#[cfg(test)]
mod tests;
