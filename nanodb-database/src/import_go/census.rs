//! What is to be stored of a collection: all records are looked at once before anything is stored.
//!
//! An id may have several live records. The program's earlier version, when it changes a document,
//! writes the new one to the first page of the chain that has room, and deletes the old one only if
//! that is on the same page. Nothing in the file says which is newer, but:
//!
//! * Within a page, and for the later version in the chain, a later record is newer.
//! * New documents are only added at the end of the chain. So is a changed one if no page before
//!   has room for it, which is the usual case: then the last of two is the newer.
//! * Else it came late to a page that was full. Such a record shows by what is on the page: what
//!   begins the next page did not fit before it was there, and whatever follows it came late, too.
//!
//! Of two records, one that came late is the newer; in all other cases the last one in the chain.

use std::collections::BTreeMap;

use super::file::GoFile;
use super::layout::{GoCollection, for_each_page};
use super::page::Record;
use super::problems::Problems;
use super::record::{self, Content};
use crate::error::Result;

/// Where a record is: its page and its slot.
pub(super) type Place = (u32, u16);

/// What is to be stored of a collection.
#[derive(Default)]
pub(super) struct Census {
    /// Of each id that has several records the one that counts.
    newest: BTreeMap<u64, Place>,
    /// How many documents will be stored.
    pub(super) documents: u64,
    /// How many records of documents do not count, as another has their id.
    pub(super) older_versions: u64,
    /// How many records list the collection's vectors.
    pub(super) vector_lists: u64,
}

impl Census {
    /// Looks at all records of a collection.
    pub(super) fn take(
        file: &GoFile<'_>,
        collection: &GoCollection,
        problems: &mut Problems,
    ) -> Result<Self> {
        let mut census = Self::default();
        let mut ids = Vec::new();
        let mut document = Vec::new();
        for_each_page(file, collection, |page, records, _| {
            for record in records.slots().flatten().filter(|record| !record.is_deleted) {
                match record::read(record.id, record.data, &mut document) {
                    Ok(Content::Document) => ids.push(record.id),
                    Ok(Content::Vectors) => census.vector_lists += 1,
                    Err(why) => problems.record(Some(&collection.name), page, why)?,
                }
            }
            Ok(())
        })?;
        let records = ids.len();
        ids.sort_unstable();
        let repeats = ids.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
        let repeated: Vec<u64> = repeats.filter_map(|same| same.first().copied()).collect();
        ids.dedup();
        census.documents = ids.len() as u64;
        census.older_versions = (records - ids.len()) as u64;
        drop(ids);
        if !repeated.is_empty() {
            census.newest = newest(file, collection, &repeated)?;
        }
        Ok(census)
    }

    /// Returns whether the record of this id that is here is the one that counts.
    pub(super) fn counts(&self, id: u64, place: Place) -> bool {
        self.newest.get(&id).is_none_or(|&newest| newest == place)
    }
}

/// The records of one id.
struct Copies {
    count: u64,
    last: Place,
    /// The last one that came late to its page.
    late: Option<Place>,
}

/// A page that was full when the next one of its chain was begun, as long as that is not known.
struct FullPage {
    page: u32,
    /// How much room it has by now.
    room: usize,
    records: Vec<Kept>,
}

struct Kept {
    slot: u16,
    size: usize,
    what: What,
}

enum What {
    /// A document whose id others have, too.
    Repeated(u64),
    /// The only one of its id, which was added at the end of the chain.
    Single,
    /// It says nothing of when it came.
    Other,
}

/// Finds of each id that has several records the one that counts.
fn newest(
    file: &GoFile<'_>,
    collection: &GoCollection,
    repeated: &[u64],
) -> Result<BTreeMap<u64, Place>> {
    let mut copies: BTreeMap<u64, Copies> = BTreeMap::new();
    let mut before: Option<(u32, FullPage)> = None;
    let mut document = Vec::new();
    for_each_page(file, collection, |page, records, chain| {
        // Pages that no chain leads to may have come in any order.
        let root = chain.filter(|chain| !chain.has_tree).map(|chain| chain.root);
        if let Some((of, full)) = before.take()
            && root == Some(of)
            && let Some(Ok(first)) = records.slots().next()
        {
            for (slot, id) in full.late(first.size()) {
                if let Some(copies) = copies.get_mut(&id) {
                    copies.late = Some((full.page, slot));
                }
            }
        }
        let mut kept = Vec::new();
        for record in records.slots().flatten() {
            let (slot, size) = (record.slot, record.size());
            let what = what(&record, repeated, &mut document);
            if let What::Repeated(id) = what {
                let last = (page, slot);
                let copies = copies.entry(id).or_insert(Copies { count: 0, last, late: None });
                (copies.count, copies.last) = (copies.count + 1, last);
            }
            kept.push(Kept { slot, size, what });
        }
        let full = FullPage { page, room: records.room(), records: kept };
        before = root.map(|root| (root, full));
        Ok(())
    })?;
    let place = |copies: Copies| match copies.late {
        Some(late) if copies.count == 2 => late,
        _ => copies.last,
    };
    Ok(copies.into_iter().map(|(id, copies)| (id, place(copies))).collect())
}

fn what(record: &Record<'_>, repeated: &[u64], document: &mut Vec<u8>) -> What {
    if record.is_deleted {
        return What::Other;
    }
    match record::read(record.id, record.data, document) {
        Ok(Content::Document) if repeated.binary_search(&record.id).is_ok() => {
            What::Repeated(record.id)
        }
        Ok(Content::Document) => What::Single,
        _ => What::Other,
    }
}

impl FullPage {
    /// Returns the records of repeated ids that came when the next page was there, which begins
    /// with a record of that size.
    fn late(&self, first: usize) -> impl Iterator<Item = (u16, u64)> {
        let mut room = self.room;
        let late = self.records.iter().rev().take_while(move |kept| {
            room += kept.size;
            // With that room the next page's first record would be on this one.
            room < first && !matches!(kept.what, What::Single)
        });
        late.filter_map(|kept| match kept.what {
            What::Repeated(id) => Some((kept.slot, id)),
            _ => None,
        })
    }
}
