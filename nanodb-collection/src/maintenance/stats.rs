//! Figures of an open database.

use crate::engine::Engine;
use crate::error::Result;

/// Statistics of an open database. They are read one after the other while the database may be in
/// use.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes that the file has on disk.
    pub file_bytes: u64,
    /// Pages of the file, free ones and those not written yet included; one is 4,096 bytes.
    pub page_count: u64,
    /// Pages that nobody uses.
    pub free_pages: u64,
    /// Bytes of pages in memory.
    pub cached_bytes: u64,
    /// Bytes of pages that wait to be written.
    pub dirty_bytes: u64,
    /// Bytes of older versions of pages, kept for snapshots, scans and cursors.
    pub older_bytes: u64,
    /// Bytes of older versions that did not fit into memory and are in a temporary file.
    pub spilled_bytes: u64,
    /// Bytes of log written since the last checkpoint.
    pub log_bytes: u64,
    /// Checkpoints made since the file was opened.
    pub checkpoints: u64,
    /// The collections, by name.
    pub collections: Vec<CollectionStats>,
}

/// Statistics of one collection.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CollectionStats {
    /// Its name.
    pub name: String,
    /// How many documents it has.
    pub count: u64,
    /// Pages with documents.
    pub pages: u64,
    /// Pages taken in advance for documents to come.
    pub reserved_pages: u64,
    /// Pages with parts of documents too large to share one.
    pub overflow_pages: u64,
    /// Bytes of memory that its id index takes; 0 as long as no part of it is loaded.
    pub index_bytes: u64,
}

impl Engine {
    /// Returns the statistics of the file and of each collection.
    ///
    /// # Errors
    ///
    /// [`EngineError::Storage`](crate::EngineError::Storage).
    pub fn stats(&self) -> Result<Stats> {
        collect(self)
    }
}

fn collect(engine: &Engine) -> Result<Stats> {
    let pager = engine.pager.stats()?;
    let collections = engine.catalog.names.all_published().into_iter().map(|binding| {
        let store = &binding.store;
        let state = store.published(|state| state.cloned());
        let (count, overflow_pages, extents) = match state {
            Some(state) => (state.count, state.overflow_pages, state.extents),
            None => Default::default(),
        };
        CollectionStats {
            name: binding.name.to_string(),
            count,
            pages: extents.used_pages,
            reserved_pages: extents.total_pages.saturating_sub(extents.used_pages),
            overflow_pages,
            index_bytes: store.built_index().map_or(0, |index| index.ids.memory_bytes() as u64),
        }
    });
    Ok(Stats {
        file_bytes: pager.file_bytes,
        page_count: u64::from(pager.page_count),
        free_pages: u64::from(pager.free_pages),
        cached_bytes: pager.cached_bytes as u64,
        dirty_bytes: pager.dirty_bytes as u64,
        older_bytes: pager.older_bytes as u64,
        spilled_bytes: pager.spilled_bytes,
        log_bytes: pager.log_bytes,
        checkpoints: pager.checkpoints,
        collections: collections.collect(),
    })
}
