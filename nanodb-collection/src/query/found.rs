//! The documents that a search finds.

use std::fmt;

use nanodb_query::{Filter, Projection, Sort};

use super::candidates::Candidates;
use super::find::{malformed, matches};
use super::sorted::{DocPlace, Kept, Sorted, Sorter};
use crate::document::DocView;
use crate::error::Result;
use crate::stored::StoredDoc;

/// Iterates over the documents that a search finds; made by [`Find::run`](crate::Find::run).
///
/// A page that is damaged is an error once; the call after it goes on behind it. Sorted documents end
/// with an error of the temporary file.
#[must_use = "an iterator does nothing until it is asked for documents"]
pub struct Found {
    candidates: Candidates,
    filter: Filter,
    projection: Projection,
    /// What was sorted, if an order is wanted.
    sorted: Option<Sorted>,
    skip: u64,
    /// How many may yet come.
    left: u64,
}

impl Found {
    pub(super) fn new(candidates: Candidates, filter: Filter, projection: Projection) -> Self {
        Self { candidates, filter, projection, sorted: None, skip: 0, left: u64::MAX }
    }

    /// A part of them.
    pub(super) fn part(mut self, skip: u64, limit: Option<u64>) -> Self {
        self.skip = skip;
        self.left = limit.unwrap_or(u64::MAX);
        self
    }

    /// All of them in that order, as far as `sorter` keeps them, but for the first `skip`: reads all.
    pub(super) fn sorted(mut self, sort: &Sort, mut sorter: Sorter, skip: u64) -> Result<Self> {
        let Self { candidates, filter, projection, .. } = &mut self;
        let by_place = projection.is_all() && candidates.fit_in_cache();
        let mut key = Vec::new();
        loop {
            let found = candidates.next_that(|document| {
                if !matches(filter, document)? {
                    return Ok(false);
                }
                key.clear();
                sort.append_key(document.as_bytes(), &mut key).map_err(|_| malformed())?;
                Ok(sorter.wants(&key))
            })?;
            let Some(document) = found else { break };
            let place = if by_place { DocPlace::of(&document) } else { None };
            match place {
                Some(place) => sorter.push(&key, Kept::Place(place))?,
                None if projection.is_all() => {
                    sorter.push(&key, Kept::Bytes(document.as_bytes()))?;
                }
                None => sorter.push(&key, Kept::Bytes(&projected(projection, &document)?))?,
            }
        }
        self.sorted = Some(sorter.finish(usize::try_from(skip).unwrap_or(usize::MAX))?);
        Ok(self)
    }

    fn next_sorted(sorted: &mut Sorted, candidates: &Candidates) -> Result<Option<StoredDoc>> {
        Ok(match sorted.next()? {
            Some(Kept::Bytes(bytes)) => Some(StoredDoc::assembled(bytes.to_vec())),
            Some(Kept::Place(place)) => Some(candidates.document_at(place)?),
            None => None,
        })
    }

    /// How many bytes were written to temporary files to bring them in order.
    pub(super) fn temporary_bytes(&self) -> u64 {
        self.sorted.as_ref().map_or(0, Sorted::temporary_bytes)
    }

    /// How many documents were looked at so far.
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.candidates.examined()
    }

    fn find_next(&mut self) -> Result<Option<StoredDoc>> {
        let Self { candidates, filter, skip, .. } = self;
        let found = candidates.next_that(|document| {
            let passes = matches(filter, document)?;
            if passes && *skip > 0 {
                *skip -= 1;
                return Ok(false);
            }
            Ok(passes)
        })?;
        let Some(document) = found else { return Ok(None) };
        if self.projection.is_all() {
            return Ok(Some(document));
        }
        Ok(Some(StoredDoc::assembled(projected(&self.projection, &document)?)))
    }
}

/// What is wanted of a document.
pub(super) fn projected(projection: &Projection, document: &DocView) -> Result<Vec<u8>> {
    if projection.is_all() {
        return Ok(document.as_bytes().to_vec());
    }
    let mut out = Vec::new();
    projection.apply(document.as_bytes(), &mut out).map_err(|_| malformed())?;
    Ok(out)
}

impl Iterator for Found {
    type Item = Result<StoredDoc>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(sorted) = &mut self.sorted {
            return Self::next_sorted(sorted, &self.candidates).transpose();
        }
        if self.left == 0 {
            return None;
        }
        let next = self.find_next().transpose();
        if matches!(next, Some(Ok(_))) {
            self.left -= 1;
        }
        next
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("filter", &self.filter).finish_non_exhaustive()
    }
}
