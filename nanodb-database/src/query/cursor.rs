//! The documents that a search finds.

use std::fmt;
use std::sync::Arc;

use nanodb_query::bytes::{FilterBytes, ProjectionBytes, SortBytes};
use nanodb_query::{Filter, Projection, Sort};

use super::candidates::Candidates;
use super::find::{matches, not_applied};
use super::sorted::{SortEntries, SortEntry, Sorted, Sorter};
use super::threads::{ParallelScan, Part, Threads};
use crate::error::Result;
use nanodb_collection::StoredDoc;
use nanodb_collection::{Opening, Scan};
use nanodb_document::DocView;

/// An iterator over the documents that a search finds; made by [`Find::run`](crate::Find::run).
///
/// A damaged page yields one error; the next call goes on behind it. A sorted result ends with the
/// first error of its temporary file.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Document, Error, doc, field};
///
/// # fn main() -> Result<(), Error> {
/// let users = Database::in_memory()?.collection("users");
/// users.insert_many((1..=9).map(|age| doc! { "age": age }))?;
/// let found = users.find(field("age").gt(7)).run()?;
/// let documents: Vec<Document> =
///     found.map(|user| user?.to_document()).collect::<Result<_, Error>>()?;
/// assert_eq!(documents, [doc! { "_id": 8, "age": 8 }, doc! { "_id": 9, "age": 9 }]);
/// # Ok(())
/// # }
/// ```
#[must_use = "an iterator does nothing until it is asked for documents"]
pub struct Cursor {
    candidates: Candidates,
    selection: Selection,
    /// What was sorted, if an order is wanted.
    sorted: Option<Sorted>,
    parallel: ParallelScan,
    /// What the last round has found.
    ready: std::vec::IntoIter<Result<StoredDoc>>,
    skip: u64,
    /// How many may yet come.
    left: u64,
    /// Whether it has said that the database is closed: once, or who skips errors never ends.
    is_over: bool,
    // Last: what it holds must be gone before the database is.
    opening: Arc<Opening>,
}

/// Which documents are wanted, and what of them.
struct Selection {
    /// Of the collection of this name.
    collection: Arc<str>,
    filter: Filter,
    projection: Projection,
}

impl Cursor {
    pub(super) fn new(
        opening: &Arc<Opening>,
        candidates: Candidates,
        filter: Filter,
        projection: Projection,
        threads: Threads,
    ) -> Self {
        let collection = Arc::clone(candidates.collection());
        Self {
            candidates,
            selection: Selection { collection, filter, projection },
            sorted: None,
            parallel: ParallelScan::new(threads),
            ready: Vec::new().into_iter(),
            skip: 0,
            left: u64::MAX,
            is_over: false,
            opening: Arc::clone(opening),
        }
    }

    /// A part of them.
    pub(super) fn part(mut self, skip: u64, limit: Option<u64>) -> Self {
        self.skip = skip;
        self.left = limit.unwrap_or(u64::MAX);
        self
    }

    /// All of them in that order, as far as `sorter` keeps them, but for the first `skip`: reads
    /// all.
    pub(super) fn sorted(mut self, sort: &Sort, mut sorter: Sorter, skip: u64) -> Result<Self> {
        let Self { candidates, selection, parallel, .. } = &mut self;
        let by_record = selection.projection.is_all() && candidates.fit_in_cache();
        match candidates.cursor() {
            Some(cursor) if parallel.are_needed() => {
                let examined =
                    selection.sort_in_parallel(cursor, parallel, sort, &mut sorter, by_record)?;
                candidates.add_examined(examined);
            }
            _ => selection.sort_one_by_one(candidates, sort, &mut sorter, by_record)?,
        }
        self.sorted = Some(sorter.finish(usize::try_from(skip).unwrap_or(usize::MAX))?);
        Ok(self)
    }

    /// How many bytes were written to temporary files to bring them in order.
    pub(super) fn temporary_bytes(&self) -> u64 {
        self.sorted.as_ref().map_or(0, Sorted::temporary_bytes)
    }

    /// Returns how many documents were examined so far.
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.candidates.examined()
    }

    /// The name of the collection.
    #[cfg(feature = "serde")]
    pub(super) fn collection(&self) -> &str {
        &self.selection.collection
    }

    fn next_sorted(sorted: &mut Sorted, candidates: &Candidates) -> Result<Option<StoredDoc>> {
        Ok(match sorted.next()? {
            Some(SortEntry::Bytes(bytes)) => Some(StoredDoc::made(bytes.to_vec())),
            Some(SortEntry::Record(record_id)) => Some(candidates.document_at(record_id)?),
            None => None,
        })
    }

    fn find_next(&mut self) -> Result<Option<StoredDoc>> {
        let Self { candidates, selection, skip, .. } = self;
        let found = candidates.next_that(|document| {
            let passes = matches(&selection.filter, document)?;
            if passes && *skip > 0 {
                *skip -= 1;
                return Ok(false);
            }
            Ok(passes)
        })?;
        found.map(|document| selection.of(document)).transpose()
    }

    /// The next document that a round finds.
    fn next_of_parallel(&mut self) -> Option<Result<StoredDoc>> {
        loop {
            match self.ready.next() {
                Some(Ok(_)) if self.skip > 0 => self.skip -= 1,
                Some(next) => return Some(next),
                None => {
                    let enough = self.skip.saturating_add(self.left);
                    let Self { candidates, selection, parallel, .. } = self;
                    let cursor = candidates.cursor()?;
                    let finish = |document| selection.of(document);
                    let parts = parallel.find(cursor, &selection.filter, enough, finish);
                    if parts.is_empty() {
                        return None;
                    }
                    candidates.add_examined(parts.iter().map(|part| part.examined).sum());
                    let ready: Vec<_> = parts.into_iter().flat_map(|part| part.made).collect();
                    self.ready = ready.into_iter();
                }
            }
        }
    }
}

impl Selection {
    /// What is wanted of a document that was found.
    fn of(&self, document: StoredDoc) -> Result<StoredDoc> {
        if self.projection.is_all() {
            return Ok(document);
        }
        Ok(StoredDoc::made(self.projected(&document)?))
    }

    fn projected(&self, document: &StoredDoc) -> Result<Vec<u8>> {
        let made = projected(&self.projection, &self.filter, document);
        made.map_err(|error| document.blame(&self.collection, error))
    }

    /// Returns whether a document matches and may be among those that the search returns; its sort
    /// key is in `key` then.
    fn is_sorted(
        &self,
        document: &DocView,
        sort: &Sort,
        sorter: &Sorter,
        key: &mut Vec<u8>,
    ) -> Result<bool> {
        if !matches(&self.filter, document)? {
            return Ok(false);
        }
        key.clear();
        sort.append_key(document.as_bytes(), key).map_err(not_applied)?;
        Ok(sorter.wants(key))
    }

    /// Calls `keep` with what a sort keeps of a document.
    fn keep<T>(
        &self,
        document: &StoredDoc,
        by_record: bool,
        keep: impl FnOnce(SortEntry<'_>) -> Result<T>,
    ) -> Result<T> {
        let on_one_page = by_record && document.is_on_one_page();
        match document.record_id().filter(|_| on_one_page) {
            Some(record_id) => keep(SortEntry::Record(record_id)),
            None if self.projection.is_all() => keep(SortEntry::Bytes(document.as_bytes())),
            None => keep(SortEntry::Bytes(&self.projected(document)?)),
        }
    }

    fn sort_one_by_one(
        &self,
        candidates: &mut Candidates,
        sort: &Sort,
        sorter: &mut Sorter,
        by_record: bool,
    ) -> Result<()> {
        let mut key = Vec::new();
        while let Some(document) =
            candidates.next_that(|document| self.is_sorted(document, sort, sorter, &mut key))?
        {
            self.keep(&document, by_record, |kept| sorter.push(&key, kept))?;
        }
        Ok(())
    }

    /// Returns how many documents were looked at.
    fn sort_in_parallel(
        &self,
        cursor: &mut Scan,
        parallel: &mut ParallelScan,
        sort: &Sort,
        sorter: &mut Sorter,
        by_record: bool,
    ) -> Result<u64> {
        let mut all_examined = 0;
        loop {
            let gatherer: &Sorter = sorter;
            let parts =
                parallel.next(cursor, |part, _| self.gather(part, sort, gatherer, by_record));
            if parts.is_empty() {
                return Ok(all_examined);
            }
            for part in parts {
                let Part { made, examined } = part?;
                all_examined += examined;
                for (key, kept) in made.entries() {
                    // Some that came before may have ruled it out.
                    if sorter.wants(key) {
                        sorter.push(key, kept)?;
                    }
                }
            }
        }
    }

    /// The documents of a part that the sort may want.
    fn gather(
        &self,
        mut part: Scan,
        sort: &Sort,
        sorter: &Sorter,
        by_record: bool,
    ) -> Result<Part<SortEntries>> {
        let (mut made, mut examined, mut key) = (SortEntries::default(), 0, Vec::new());
        while let Some(document) = part.next_that(|document| {
            examined += 1;
            self.is_sorted(document, sort, sorter, &mut key)
        })? {
            self.keep(&document, by_record, |kept| made.push(&key, kept))?;
        }
        Ok(Part { made, examined })
    }
}

/// Returns the projection of a matching document.
pub(super) fn projected(
    projection: &Projection,
    filter: &Filter,
    document: &DocView,
) -> Result<Vec<u8>> {
    if projection.is_all() {
        return Ok(document.as_bytes().to_vec());
    }
    let mut out = Vec::new();
    let matched = match projection.needs_match() {
        true => filter.matched_element(document.as_bytes()).map_err(not_applied)?,
        false => None,
    };
    let applied = projection.apply_matched(document.as_bytes(), matched, &mut out);
    applied.map_err(not_applied)?;
    Ok(out)
}

impl Iterator for Cursor {
    type Item = Result<StoredDoc>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        if let Err(closed) = self.opening.check_open() {
            self.is_over = true;
            return Some(Err(closed.into()));
        }
        self.next_found()
    }
}

impl Cursor {
    /// Returns the next one also if the database is closed: for calls that this waits for.
    pub(super) fn next_found(&mut self) -> Option<Result<StoredDoc>> {
        if let Some(sorted) = &mut self.sorted {
            return Self::next_sorted(sorted, &self.candidates).transpose();
        }
        if self.left == 0 {
            return None;
        }
        let next = if self.parallel.are_needed() && self.candidates.cursor().is_some() {
            self.next_of_parallel()
        } else {
            self.find_next().transpose()
        };
        if matches!(next, Some(Ok(_))) {
            self.left -= 1;
        }
        next
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("filter", &self.selection.filter).finish_non_exhaustive()
    }
}
