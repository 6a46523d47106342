//! All collections, as the file keeps them from one checkpoint to the next.
//!
//! ```text
//! field               meaning
//! ------------------  ---------------------------------------------------------
//! version             2
//! next collection     the id that the next new collection gets; ids are not reused
//! collections         how many follow, by rising id
//!   id                1 and up; 0 would be the pager
//!   name              its length, its bytes
//!   documents         how many there are
//!   next id           the next integer to assign, 1 and up
//!   pages in use      of the extents, from the first page on
//!   extents           how many, then for each its first page and its length
//!   overflow runs     how many, then for each its first page and its length
//!   index             0: to be built from the pages; else one more than how many
//!                     runs, then for each the commit it was saved at, how many entries,
//!                     and its extents: how many, then for each its first page and length
//!   sections          0, see below
//! sections            0, see below
//! ```
//!
//! Sections are for what is to come, so that a catalog that does without keeps its form: how many,
//! then for each a tag, its length and its bytes. Of a collection, tag 1 is for its secondary
//! indexes; of the catalog, tag 1 is for the time of its newest commit. No section is written yet,
//! and a catalog with one is refused by the section's tag.
//!
//! Numbers are [LEB128](crate::catalog::varint). The bytes come through the pager, which has
//! checked them against damage; what is checked here is that they make sense, and that their
//! pages are in the file. That no two collections claim the same page is for
//! [`check`](crate::Database::check) to see.

use std::collections::{BTreeMap, HashSet};

use nanodb_page::layout::SLOT_COUNT_MAX;
use nanodb_pager::Extent;

use crate::catalog::edit::{CatalogEdit, Counters, State, read_extents, write_extents};
use crate::catalog::varint::{self, Reader};
use crate::error::CatalogError;
use crate::id_index::run::{IndexRun, decode_index, encode_index};
use crate::ids::{COLLECTION_NAME_BYTES_MAX, CollectionId, NEXT_ID_MAX};
use crate::pages::extent_set::ExtentSet;
use crate::pages::extents::Extents;

const VERSION: u64 = 2;

/// One collection as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredCollection {
    pub(crate) name: String,
    pub(crate) count: u64,
    pub(crate) next_id: u64,
    pub(crate) extents: Extents,
    pub(crate) overflow: ExtentSet,
    /// The runs of its id index, oldest first; none if that must be built from the pages.
    pub(crate) saved: Option<Vec<IndexRun>>,
}

/// All collections by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) next_collection: CollectionId,
    pub(crate) collections: BTreeMap<CollectionId, StoredCollection>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { next_collection: CollectionId::FIRST, collections: BTreeMap::new() }
    }
}

impl Manifest {
    /// Reads stored bytes; none at all are a database without collections.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CatalogError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        match reader.u64() {
            Some(VERSION) => {}
            Some(found) => return Err(CatalogError::Version { found, supported: VERSION }),
            None => return Err(CatalogError::Malformed),
        }
        let mut sections = Sections::default();
        let manifest = Self::decode_collections(&mut reader, &mut sections);
        match (manifest, sections.unknown) {
            (None, _) => Err(CatalogError::Malformed),
            (Some(_), Some(tag)) => Err(CatalogError::Section { tag }),
            (Some(_), None) if !reader.is_empty() => Err(CatalogError::Malformed),
            (Some(manifest), None) => Ok(manifest),
        }
    }

    /// Reads stored bytes that others may follow, for what can be had of them: sections that are
    /// not known are passed over. None if they make no sense.
    pub(crate) fn decode_first(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u64()? != VERSION {
            return None;
        }
        Self::decode_collections(&mut reader, &mut Sections::default())
    }

    fn decode_collections(reader: &mut Reader<'_>, sections: &mut Sections) -> Option<Self> {
        let next_collection = CollectionId::new(reader.u32()?);
        let mut manifest = Self { next_collection, collections: BTreeMap::new() };
        let mut names = HashSet::new();
        let mut last_id = CollectionId::default();
        for _ in 0..reader.u64()? {
            let id = CollectionId::new(reader.u32()?);
            let stored = StoredCollection::decode(reader, sections)?;
            if id <= last_id || id >= next_collection || !names.insert(stored.name.clone()) {
                return None;
            }
            last_id = id;
            manifest.collections.insert(id, stored);
        }
        sections.pass_over(reader)?;
        Some(manifest)
    }

    /// Checks that the pages are in the file, and all together not more than it has. So
    /// walking over them all ends, whatever the catalog says.
    pub(crate) fn check_pages(&self, page_count: u32) -> Result<(), CatalogError> {
        let mut left = u64::from(page_count);
        for (collection, extent) in self.extents() {
            let rest = left.checked_sub(u64::from(extent.pages));
            let inside = extent.end() <= u64::from(page_count);
            left = rest
                .filter(|_| inside)
                .ok_or(CatalogError::Pages { collection: collection.get() })?;
        }
        Ok(())
    }

    /// All pages in use, each extent with its collection's number: of documents, and of what
    /// checkpoints have saved.
    pub(crate) fn extents(&self) -> impl Iterator<Item = (CollectionId, Extent)> + '_ {
        self.collections.iter().flat_map(|(&collection, stored)| {
            let own = stored.extents.list.iter().copied().chain(stored.overflow.iter());
            own.chain(stored.index_extents()).map(move |extent| (collection, extent))
        })
    }

    /// The bytes to store.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        varint::write(&mut out, VERSION);
        varint::write(&mut out, u64::from(self.next_collection.get()));
        varint::write(&mut out, self.collections.len() as u64);
        for (&id, stored) in &self.collections {
            varint::write(&mut out, u64::from(id.get()));
            stored.encode(&mut out);
        }
        varint::write(&mut out, 0);
        out
    }

    /// Applies an edit.
    pub(crate) fn apply(&mut self, entry: CatalogEdit<'_>) -> Result<(), CatalogError> {
        match entry {
            CatalogEdit::Create { collection, name } => self.create(collection, name),
            CatalogEdit::Drop { collection } => {
                // Replayed on a manifest that knows of the drop already, there is nothing to do.
                self.collections.remove(&collection);
                Ok(())
            }
            CatalogEdit::Rename { collection, name } => {
                name.clone_into(&mut self.get_mut(collection)?.name);
                Ok(())
            }
            // For those who keep the index.
            CatalogEdit::Index(_) => Ok(()),
            CatalogEdit::State(state) => self.get_mut(state.collection)?.set(state),
            CatalogEdit::RunsAdded(changed) => {
                let overflow = &mut self.get_mut(changed.collection)?.overflow;
                changed.runs.into_iter().for_each(|run| overflow.insert(run));
                Ok(())
            }
            CatalogEdit::RunsRemoved(changed) => {
                let overflow = &mut self.get_mut(changed.collection)?.overflow;
                changed.runs.into_iter().for_each(|run| overflow.remove(run));
                Ok(())
            }
        }
    }

    fn create(&mut self, collection: CollectionId, name: &str) -> Result<(), CatalogError> {
        let next = collection.next().filter(|_| collection >= CollectionId::FIRST);
        let next = next.ok_or(CatalogError::Collection { collection: collection.get() })?;
        self.next_collection = self.next_collection.max(next);
        let saved = Some(Vec::new());
        let new = StoredCollection {
            name: name.to_owned(),
            next_id: 1,
            saved,
            ..StoredCollection::default()
        };
        self.collections.entry(collection).or_insert(new);
        Ok(())
    }

    fn get_mut(&mut self, collection: CollectionId) -> Result<&mut StoredCollection, CatalogError> {
        let missing = CatalogError::Collection { collection: collection.get() };
        self.collections.get_mut(&collection).ok_or(missing)
    }
}

/// The sections that were met in stored bytes. None has a meaning yet.
#[derive(Default)]
struct Sections {
    /// The first tag.
    unknown: Option<u64>,
}

impl Sections {
    fn pass_over(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.u64()? {
            let tag = reader.u64()?;
            reader.bytes()?;
            self.unknown.get_or_insert(tag);
        }
        Some(())
    }
}

impl StoredCollection {
    /// The pages of the runs of its id index.
    pub(crate) fn index_extents(&self) -> impl Iterator<Item = Extent> + '_ {
        self.saved.iter().flatten().flat_map(|run| run.extents().iter().copied())
    }

    fn decode(reader: &mut Reader<'_>, sections: &mut Sections) -> Option<Self> {
        let name = reader.text()?;
        let (count, next_id) = (reader.u64()?, reader.u64()?);
        let used_pages = reader.u64()?;
        let mut extents = Extents { used_pages, ..Extents::default() };
        extents.replace_from(0, &read_extents(reader)?);
        let mut overflow = ExtentSet::default();
        read_extents(reader)?.into_iter().for_each(|run| overflow.insert(run));
        let saved = decode_index(reader)?;
        sections.pass_over(reader)?;
        let sound = (1..=COLLECTION_NAME_BYTES_MAX).contains(&name.len())
            && (1..=NEXT_ID_MAX).contains(&next_id)
            && used_pages <= extents.total_pages
            && count <= used_pages.saturating_mul(SLOT_COUNT_MAX.into());
        sound.then(|| Self { name: name.to_owned(), count, next_id, extents, overflow, saved })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        varint::write_text(out, &self.name);
        varint::write(out, self.count);
        varint::write(out, self.next_id);
        varint::write(out, self.extents.used_pages);
        write_extents(out, &self.extents.list.to_vec());
        varint::write(out, self.overflow.run_count() as u64);
        for run in self.overflow.iter() {
            varint::write(out, u64::from(run.start.get()));
            varint::write(out, u64::from(run.pages));
        }
        encode_index(self.saved.as_deref(), out);
        varint::write(out, 0);
    }

    fn set(&mut self, state: State) -> Result<(), CatalogError> {
        self.extents.replace_from(state.extents_from, &state.extents);
        let Counters { count, next_id, used_pages } = state.counters;
        let count_max = used_pages.saturating_mul(SLOT_COUNT_MAX.into());
        if used_pages > self.extents.total_pages || count > count_max {
            return Err(CatalogError::Collection { collection: state.collection.get() });
        }
        self.extents.used_pages = used_pages;
        self.count = count;
        self.next_id = next_id;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
