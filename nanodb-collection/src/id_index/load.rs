//! Reading entries of the index from the runs that the file has of it.

use nanodb_index::run::{apply, first_key};
use nanodb_index::{Change, KeyHash};
use nanodb_pager::{Owner, PageId, Pager};

use super::run::{IndexRun, Unreadable, decode_pages};

/// How many pages of a run are read with one call: more than a group has, so that one call often
/// does.
const READ_PAGES_MAX: u32 = 8;

/// How far before the place where a key should lie the search for it begins.
const MARGIN_PAGES: u64 = 2;

/// What runs of a collection's index, the oldest first, say of some keys.
pub(crate) fn saved_entries(
    pager: &Pager,
    owner: Owner,
    runs: &[IndexRun],
    range: (u32, u32),
) -> LoadResult<Vec<Change>> {
    let mut all = Vec::new();
    for run in runs {
        let found = RunSearch { pager, owner, run }.find(range)?;
        all = if all.is_empty() { found } else { apply(&all, &found) };
    }
    Ok(all)
}

/// Looks for keys in a run.
struct RunSearch<'a> {
    pager: &'a Pager,
    owner: Owner,
    run: &'a IndexRun,
}

/// Why nothing was found in a run.
pub(crate) enum LoadError {
    Damaged(PageId),
    Pager(nanodb_pager::Error),
}

pub(crate) type LoadResult<T> = Result<T, LoadError>;

impl LoadError {
    fn of(page: PageId, error: nanodb_pager::Error) -> Self {
        match error {
            nanodb_pager::Error::Corrupt(_) => Self::Damaged(page),
            other => Self::Pager(other),
        }
    }
}

impl RunSearch<'_> {
    /// The changes of the keys of a range. Keys are hashes, so where they lie is easy to guess.
    fn find(&self, range: (u32, u32)) -> LoadResult<Vec<Change>> {
        let mut changes = Vec::new();
        let mut at = self.start(range.0)?;
        while let Some(extent) = self.run.extent_at(at, READ_PAGES_MAX) {
            let read = self.pager.read_checkpoint_pages(extent, self.run.mark(self.owner));
            // Which one of them it is shows when they are read alone.
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    for page in at..at + u64::from(extent.pages) {
                        self.first_key(page)?;
                    }
                    return Err(LoadError::of(extent.start, error));
                }
            };
            let is_past = |body: &[u8]| first_key(body).is_ok_and(|key| key.bits() > range.1);
            let is_last = read.bodies().any(is_past);
            decode_pages(&read, &mut changes)
                .map_err(|Unreadable| LoadError::Damaged(extent.start))?;
            if is_last {
                break;
            }
            at += u64::from(extent.pages);
        }
        changes.retain(|change| (range.0..=range.1).contains(&change.key.bits()));
        Ok(changes)
    }

    /// A page that no change of `key` lies before, and not far before the first that may have one.
    fn start(&self, key: u32) -> LoadResult<u64> {
        let pages = self.run.pages();
        if pages <= u64::from(READ_PAGES_MAX) {
            return Ok(0);
        }
        let guess = (u64::from(key) * pages) >> u32::BITS;
        // All pages up to `low` begin below the key, `high` and those behind it do not.
        let (mut low, mut high) = (0, pages);
        let mut probe = guess.saturating_sub(MARGIN_PAGES).clamp(1, pages - 1);
        while low + u64::from(READ_PAGES_MAX) < high {
            if self.first_key(probe)?.bits() < key {
                low = probe;
                if probe <= guess {
                    probe += 2 * MARGIN_PAGES + 1;
                    if probe < high {
                        continue;
                    }
                }
            } else {
                high = probe;
            }
            probe = low + (high - low) / 2;
        }
        Ok(low)
    }

    fn first_key(&self, index: u64) -> LoadResult<KeyHash> {
        let Some(extent) = self.run.extent_at(index, 1) else {
            return Err(LoadError::Damaged(PageId::new(0)));
        };
        let damaged = || LoadError::Damaged(extent.start);
        let read = self.pager.read_checkpoint_pages(extent, self.run.mark(self.owner));
        let read = read.map_err(|error| LoadError::of(extent.start, error))?;
        let body = read.bodies().next().ok_or_else(damaged)?;
        first_key(body).map_err(|_| damaged())
    }
}
