//! Saving the id indexes in a checkpoint.
//!
//! What the edits since the last checkpoint say becomes one more run. When several runs are of
//! about the same size they are merged into one, and when too much of what they hold is
//! obsolete, all are. So each entry is written a few times in its life, and a look-up in the
//! file has a few runs to ask. Everything is read and written page by page, in order.
//!
//! A run that can't be read is no obstacle: the index is made anew from the pages of the
//! collection, as of the checkpoint.
//!
//! Nor is a full disk, or a file at its limit: fewer runs are merged then, as their new pages must
//! be had before the old ones are given back; and where there is no room even for what has changed,
//! the index is given up, which takes no page and gives back all of its own. It is made anew when
//! there is plenty of room.

use nanodb_index::run::{encode_page, merge};
use nanodb_index::{Change, RecordId};
use nanodb_pager::{CheckpointPageReader, CheckpointPageWriter, Error, Extent, Owner};

use crate::catalog::manifest::StoredCollection;
use crate::id_index::run::{INDEX, IndexRun, Unreadable, decode_pages};
use crate::ids::CollectionId;
use crate::pages::extents::Extents;
use crate::pages::records::for_each_document;

/// So many runs of about the same size are merged.
const FAN_IN: usize = 4;

/// Runs up to this many entries count as being of the same size: some five pages.
const SMALL_RUN: u64 = 4096;

/// All are merged when this part of the documents' number is exceeded: an eighth.
const OBSOLETE_PART: u64 = 8;

/// The fewest entries that a page takes, for guessing how many pages a run will have.
const PAGE_ENTRIES_GUESSED: u64 = 800;

/// The most pages that are taken at once: 4 MiB.
const TAKEN_PAGES_MAX: u64 = 1024;

/// More runs than that are not kept because there is no room to merge them.
const RUNS_MAX: usize = 64;

/// How many pages are read with one call at most.
pub(crate) const RUN_READ_PAGES_MAX: u32 = 32;

/// How many changes wait to be packed.
const WAITING_MAX: usize = 4096;

/// Why an index was not saved.
enum SaveError {
    Unreadable,
    Pager(Error),
}

impl From<Error> for SaveError {
    fn from(error: Error) -> Self {
        Self::Pager(error)
    }
}

/// Saves the index of one collection.
pub(crate) struct RunSaver<'a, 'p> {
    owner: Owner,
    /// Runs are written anew if they keep the file long and more than such a part of it is free.
    free_part: u32,
    pages: &'a mut CheckpointPageWriter<'p>,
}

/// Orders changes by entry; of those of one entry the last remains.
pub(crate) fn in_order(mut changes: Vec<Change>) -> Vec<Change> {
    // Stable: the last stays the last.
    changes.sort_by_key(|change| (change.key, change.record_id));
    changes.reverse();
    changes.dedup_by_key(|change| (change.key, change.record_id));
    changes.reverse();
    changes
}

impl<'a, 'p> RunSaver<'a, 'p> {
    pub(crate) fn new(
        collection: CollectionId,
        free_part: u32,
        pages: &'a mut CheckpointPageWriter<'p>,
    ) -> Self {
        Self { owner: collection.owner(), free_part, pages }
    }
}

impl RunSaver<'_, '_> {
    /// Brings the index of a collection up to date with `changes`, which are in order. One that
    /// is not there or can't be read is made anew; if that fails, there is none. Whether it would
    /// fail another time, too.
    pub(crate) fn save(
        &mut self,
        stored: &mut StoredCollection,
        changes: Vec<Change>,
    ) -> Result<bool, Error> {
        if stored.count == 0 {
            // What runs say of documents that are gone would keep the file long.
            self.free_all(stored)?;
            stored.saved = Some(Vec::new());
            return Ok(false);
        }
        if let Some(runs) = &stored.saved {
            match self.add_run(runs, changes, stored.count) {
                Ok(runs) => {
                    stored.saved = Some(runs);
                    return Ok(false);
                }
                Err(SaveError::Pager(error)) if error.is_out_of_space() => {
                    self.free_all(stored)?;
                    return Ok(false);
                }
                Err(SaveError::Pager(error)) => return Err(error),
                Err(SaveError::Unreadable) => self.free_all(stored)?,
            }
        }
        // Twice: or it would soon be given up again.
        if !self.pages.has_room(2 * pages_for(stored.count)) {
            return Ok(false);
        }
        let changes = match self.rebuild(&stored.extents) {
            Ok(changes) => changes,
            Err(SaveError::Unreadable) => return Ok(true),
            // Nobody needs it now, and later these pages may be read.
            Err(SaveError::Pager(_)) => return Ok(false),
        };
        let entries = changes.len() as u64;
        match self.write_run(changes.into_iter().map(Ok), entries, false) {
            Ok(run) => stored.saved = Some(run.into_iter().collect()),
            Err(SaveError::Pager(error)) if error.is_out_of_space() => {}
            Err(SaveError::Pager(error)) => return Err(error),
            Err(SaveError::Unreadable) => {}
        }
        Ok(false)
    }

    /// Gives back the pages of all runs; the index has to be built from now on.
    pub(crate) fn free_all(&mut self, stored: &mut StoredCollection) -> Result<(), Error> {
        stored.saved.take().iter().flatten().try_for_each(|run| self.free(run))
    }

    fn free(&mut self, run: &IndexRun) -> Result<(), Error> {
        run.extents().iter().try_for_each(|&extent| self.pages.free(extent))
    }

    fn add_run(
        &mut self,
        runs: &[IndexRun],
        changes: Vec<Change>,
        documents: u64,
    ) -> Result<Vec<IndexRun>, SaveError> {
        let misplaced = is_misplaced(runs, self.pages, self.free_part);
        if changes.is_empty() && !misplaced {
            return Ok(runs.to_vec());
        }
        let new = changes.len() as u64;
        let best = if misplaced { 0 } else { kept_runs(runs, new, documents) };
        let next_best = kept_runs(runs, new, u64::MAX);
        let mut refused = None;
        for kept in [best, best.max(next_best), runs.len()] {
            match self.merge_behind(runs, kept, &changes, misplaced && kept == 0) {
                Err(SaveError::Pager(error)) if error.is_out_of_space() => refused = Some(error),
                merged => return merged,
            }
            if runs.len() >= RUNS_MAX {
                break;
            }
            if changes.is_empty() {
                return Ok(runs.to_vec());
            }
        }
        Err(refused.map_or(SaveError::Unreadable, SaveError::Pager))
    }

    /// Merges all runs but the first `kept` with changes to one.
    fn merge_behind(
        &mut self,
        runs: &[IndexRun],
        kept: usize,
        changes: &[Change],
        misplaced: bool,
    ) -> Result<Vec<IndexRun>, SaveError> {
        let (kept, merged) = runs.split_at_checked(kept).unwrap_or((runs, &[]));
        let entries = changes.len() as u64 + merged.iter().map(|run| run.entries).sum::<u64>();

        type Changes<'a> = Box<dyn Iterator<Item = Result<Change, Unreadable>> + 'a>;
        let is_whole = kept.is_empty();
        let changes = changes.iter().copied();
        let mut all: Changes<'_> = if is_whole && merged.is_empty() {
            Box::new(changes.filter(|change| !change.removed).map(Ok))
        } else {
            Box::new(changes.map(Ok))
        };
        // The newest first, so that the oldest, which is the largest, passes one merge only.
        for (left, run) in (0..merged.len()).rev().zip(merged.iter().rev()) {
            let older = RunReader::new(run.clone(), self.owner, self.pages.reader());
            all = Box::new(merge(older, all, is_whole && left == 0));
        }
        let run = self.write_run(all, entries, misplaced)?;
        merged.iter().try_for_each(|run| self.free(run))?;
        Ok(kept.iter().cloned().chain(run).collect())
    }

    /// Writes changes, which are in order and some `entries`; no run if there are none. To pages
    /// side by side, or else `in_front`. What can't be read, or has no room, leaves no pages taken.
    fn write_run(
        &mut self,
        changes: impl Iterator<Item = Result<Change, Unreadable>>,
        entries: u64,
        in_front: bool,
    ) -> Result<Option<IndexRun>, SaveError> {
        let taken = self.pages.taken();
        let written = self.try_write_run(changes, entries, in_front);
        match &written {
            Err(SaveError::Pager(error)) if !error.is_out_of_space() => {}
            Ok(_) => {}
            Err(_) => self.pages.release_since(taken)?,
        }
        written
    }

    fn try_write_run(
        &mut self,
        mut changes: impl Iterator<Item = Result<Change, Unreadable>>,
        entries: u64,
        in_front: bool,
    ) -> Result<Option<IndexRun>, SaveError> {
        let (mut packed, mut extents) = (0, Vec::<Extent>::new());
        let mut waiting: Vec<Change> = Vec::with_capacity(WAITING_MAX);
        let mut used = 0;
        loop {
            for change in changes.by_ref().take(WAITING_MAX - waiting.len()) {
                waiting.push(change.map_err(|Unreadable| SaveError::Unreadable)?);
            }
            if waiting.is_empty() {
                break;
            }
            let last = match extents.last() {
                Some(&last) if used < last.pages => last,
                _ => {
                    let left = pages_for(entries.saturating_sub(packed));
                    let left = u32::try_from(left.min(TAKEN_PAGES_MAX)).unwrap_or(1);
                    let taken = self.pages.take(if in_front { 1 } else { left })?;
                    match extents.last_mut() {
                        Some(last) if last.end() == u64::from(taken.start.get()) => {
                            last.pages += taken.pages;
                            *last
                        }
                        _ => {
                            extents.push(taken);
                            used = 0;
                            taken
                        }
                    }
                }
            };
            let Some(page) = last.page(used) else { return Err(SaveError::Unreadable) };
            let mut count = 0;
            self.pages.write(page, INDEX, self.owner, |body| {
                count = encode_page(&waiting, body);
            })?;
            waiting.drain(..count.max(1));
            packed += count as u64;
            used += 1;
        }
        if let Some(last) = extents.last_mut()
            && used < last.pages
            && let Some(start) = last.page(used)
        {
            self.pages.free(Extent::new(start, last.pages - used))?;
            last.pages = used;
        }
        Ok((packed > 0).then(|| IndexRun::new(self.pages.seq(), packed, extents)))
    }

    /// All entries, from the pages of the collection, if none of them is damaged.
    fn rebuild(&self, extents: &Extents) -> Result<Vec<Change>, SaveError> {
        let mut changes = Vec::new();
        for page in extents.pages() {
            let held = match self.pages.page(page) {
                Ok(held) => held,
                Err(error @ Error::Io { .. }) => return Err(error.into()),
                Err(_) => return Err(SaveError::Unreadable),
            };
            let sound =
                for_each_document(&held, self.owner, self.pages.hash_seed(), |key, slot| {
                    let record_id = RecordId { page: page.get(), slot };
                    changes.push(Change { key, record_id, removed: false });
                });
            if !sound {
                return Err(SaveError::Unreadable);
            }
        }
        changes.sort_unstable();
        Ok(changes)
    }
}

/// Whether runs keep the file long that would have room further in front: then they are written
/// anew, as one.
pub(crate) fn is_misplaced(
    runs: &[IndexRun],
    pages: &CheckpointPageWriter<'_>,
    free_part: u32,
) -> bool {
    pages.are_worth_moving(runs.iter().flat_map(|run| run.extents().iter().copied()), free_part)
}

/// How many pages so many entries take, as a guess.
fn pages_for(entries: u64) -> u64 {
    entries / PAGE_ENTRIES_GUESSED + 1
}

/// How many of the runs stay as they are when so many changes come to them; the others are merged
/// with the changes.
fn kept_runs(runs: &[IndexRun], changes: u64, documents: u64) -> usize {
    let total = changes + runs.iter().map(|run| run.entries).sum::<u64>();
    if total > documents.saturating_add(documents / OBSOLETE_PART).saturating_add(SMALL_RUN) {
        return 0;
    }
    let class = |entries: u64| (entries / SMALL_RUN).checked_ilog2().map_or(0, |log| 1 + log / 2);
    let (mut kept, mut merged) = (runs.len(), changes);
    loop {
        let before = runs.get(..kept).unwrap_or_default();
        let alike = before.iter().rev().take_while(|run| class(run.entries) <= class(merged));
        let alike: Vec<u64> = alike.map(|run| run.entries).collect();
        if alike.len() + 1 < FAN_IN {
            return kept;
        }
        kept -= alike.len();
        merged += alike.iter().sum::<u64>();
    }
}

/// Iterates over the changes of a run.
struct RunReader<'a> {
    run: IndexRun,
    owner: Owner,
    reader: CheckpointPageReader<'a>,
    /// The page to be read next.
    next: u64,
    changes: std::vec::IntoIter<Change>,
    failed: bool,
}

impl<'a> RunReader<'a> {
    fn new(run: IndexRun, owner: Owner, reader: CheckpointPageReader<'a>) -> Self {
        Self { run, owner, reader, next: 0, changes: Vec::new().into_iter(), failed: false }
    }

    fn read_on(&mut self) -> Result<Option<Change>, Unreadable> {
        let Some(extent) = self.run.extent_at(self.next, RUN_READ_PAGES_MAX) else {
            return Ok(None);
        };
        let read = self.reader.read(extent, self.run.mark(self.owner)).map_err(|_| Unreadable)?;
        let mut changes = Vec::new();
        decode_pages(&read, &mut changes)?;
        self.next += u64::from(extent.pages);
        self.changes = changes.into_iter();
        Ok(self.changes.next())
    }
}

impl Iterator for RunReader<'_> {
    type Item = Result<Change, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if let Some(change) = self.changes.next() {
            return Some(Ok(change));
        }
        let read = self.read_on();
        self.failed = read.is_err();
        read.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanodb_index::KeyHash;
    use nanodb_pager::{PageId, Seq};

    fn run(entries: u64) -> IndexRun {
        IndexRun::new(Seq::new(1), entries, vec![Extent::new(PageId::new(2), 1)])
    }

    #[test]
    fn an_entry_is_rewritten_a_few_times_and_a_look_up_asks_a_few_runs() {
        let mut runs: Vec<IndexRun> = Vec::new();
        let (mut documents, mut written, mut most) = (0, 0, 0);
        for _ in 0..1000 {
            documents += 10_000;
            let kept = kept_runs(&runs, 10_000, documents);
            let entries = 10_000 + runs.drain(kept..).map(|run| run.entries).sum::<u64>();
            runs.push(run(entries));
            written += entries;
            most = most.max(runs.len());
        }
        assert!(written <= documents * 6, "{written} written for {documents}");
        assert!(most <= 16, "{most} runs");
    }

    #[test]
    fn what_is_obsolete_goes_with_the_next_checkpoint_that_finds_too_much_of_it() {
        let runs = [run(1_000_000), run(50_000)];
        assert_eq!(kept_runs(&runs, 10_000, 1_000_000), 2);
        assert_eq!(kept_runs(&runs, 100_000, 1_000_000), 0);
    }

    #[test]
    fn of_changes_of_one_entry_the_last_remains() {
        let change = |key, page, removed| Change {
            key: KeyHash::from_bits(key),
            record_id: RecordId { page, slot: 0 },
            removed,
        };
        let changes = vec![
            change(2, 5, false),
            change(1, 9, true),
            change(2, 5, true),
            change(1, 9, false),
            change(2, 4, false),
        ];
        let expected = [change(1, 9, false), change(2, 4, false), change(2, 5, true)];
        assert_eq!(in_order(changes), expected);
    }
}
