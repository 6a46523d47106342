//! The documents that a filter is asked about: those of some ids, or all.

use std::sync::Arc;

use nanodb_pager::PageId;

use super::find::matches;
use super::plan::{AccessPath, Plan};
use super::source::Source;
use crate::error::Result;
use nanodb_collection::{EngineError, RecordId, Scan, StoredDoc};
use nanodb_document::DocView;

/// Documents that may match a filter.
#[derive(Debug)]
pub(super) struct Candidates {
    from: From,
    /// How many were looked at so far.
    examined: u64,
}

#[derive(Debug)]
enum From {
    Ids { documents: std::vec::IntoIter<StoredDoc>, collection: Arc<str> },
    Scan(Box<Scan>),
}

impl Candidates {
    /// Returns all documents that may match, or so many of them that `enough` do.
    pub(super) fn new(source: &Source<'_>, plan: &Plan, enough: Option<u64>) -> Result<Self> {
        let Plan { access_path, filter, ids, .. } = plan;
        let from = match access_path {
            AccessPath::IdLookup { .. } => {
                let found = match enough {
                    Some(enough) if enough < ids.len() as u64 => {
                        let mut passed = 0;
                        source.get_until(ids, |document| {
                            // One that can't be read is an error when it is asked for.
                            passed += u64::from(matches(filter, document).unwrap_or(false));
                            passed >= enough
                        })?
                    }
                    _ => source.get_many(ids)?.into_iter().flatten().collect(),
                };
                From::Ids { documents: found.into_iter(), collection: source.name().into() }
            }
            AccessPath::CollectionScan => From::Scan(Box::new(source.scan()?)),
        };
        Ok(Self { from, examined: 0 })
    }

    /// The name of the collection.
    pub(super) fn collection(&self) -> &Arc<str> {
        match &self.from {
            From::Ids { collection, .. } => collection,
            From::Scan(cursor) => cursor.collection(),
        }
    }

    pub(super) fn examined(&self) -> u64 {
        self.examined
    }

    /// Whether documents are soon found [again](Self::document_at).
    pub(super) fn fit_in_cache(&self) -> bool {
        match &self.from {
            From::Ids { .. } => false,
            From::Scan(cursor) => cursor.fits_in_cache(),
        }
    }

    /// The document with a record id that it was found by.
    pub(super) fn document_at(&self, record_id: RecordId) -> Result<StoredDoc> {
        match &self.from {
            // Their record ids are never kept.
            From::Ids { .. } => Err(EngineError::damaged(PageId::new(record_id.page)).into()),
            From::Scan(cursor) => Ok(cursor.document_at(record_id)?),
        }
    }

    /// What goes through all documents, if they are not found by ids.
    pub(super) fn cursor(&mut self) -> Option<&mut Scan> {
        match &mut self.from {
            From::Ids { .. } => None,
            From::Scan(cursor) => Some(cursor),
        }
    }

    /// Counts documents that others have looked at.
    pub(super) fn add_examined(&mut self, count: u64) {
        self.examined += count;
    }

    /// The next document that is wanted.
    pub(super) fn next_that(
        &mut self,
        mut is_wanted: impl FnMut(&DocView) -> Result<bool>,
    ) -> Result<Option<StoredDoc>> {
        let examined = &mut self.examined;
        match &mut self.from {
            From::Ids { documents, collection } => {
                for document in documents {
                    *examined += 1;
                    if is_wanted(&document).map_err(|e| document.blame(collection, e))? {
                        return Ok(Some(document));
                    }
                }
                Ok(None)
            }
            From::Scan(cursor) => cursor.next_that(|document| {
                *examined += 1;
                is_wanted(document)
            }),
        }
    }

    /// Calls `visit` with each document that is left, until that fails.
    pub(super) fn try_for_each(
        &mut self,
        mut visit: impl FnMut(&DocView) -> Result<()>,
    ) -> Result<()> {
        let visit = |document: &DocView| visit(document).map(|()| false);
        self.next_that(visit).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use nanodb_query::{Filter, Sort, field};

    use super::*;
    use crate::Database;
    use crate::doc;

    fn read(source: &Source<'_>, filter: &Filter, enough: Option<u64>) -> usize {
        let plan = Plan::new(filter.clone(), Sort::default()).unwrap();
        match Candidates::new(source, &plan, enough).unwrap().from {
            From::Ids { documents, .. } => documents.len(),
            From::Scan(_) => panic!("a scan"),
        }
    }

    #[test]
    fn no_more_documents_are_read_by_id_than_it_takes_for_the_limit() {
        let db = Database::in_memory().unwrap();
        let a = db.collection("a");
        a.insert_many((0..100).map(|id| doc! { "_id": id, "odd": (id % 2) })).unwrap();
        let ids = field("_id").is_in((0..100).rev());
        let odd = ids.clone().and(field("odd").eq(1));
        let missing = field("_id").is_in(90..200);
        let snapshot = db.snapshot();
        let seen = snapshot.collection("a");
        let transaction = db.begin_write();
        let within = transaction.collection("a");
        for source in
            [Source::Collection(&a), Source::Snapshot(&seen), Source::Transaction(&within)]
        {
            for (enough, wanted) in
                [(None, 100), (Some(1), 1), (Some(3), 3), (Some(100), 100), (Some(u64::MAX), 100)]
            {
                assert_eq!(read(&source, &ids, enough), wanted, "{source:?}, {enough:?}");
            }
            // In the order of their values: 1 and 3 pass, 0 and 2 do not.
            assert_eq!(read(&source, &odd, Some(2)), 4, "{source:?}");
            assert_eq!(read(&source, &missing, Some(30)), 10, "{source:?}");
            assert_eq!(read(&source, &missing, Some(4)), 4, "{source:?}");
        }
    }
}
