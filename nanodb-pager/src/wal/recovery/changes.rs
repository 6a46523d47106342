//! Where the logs hold what they change of which page.
//!
//! Twelve bytes for each entry of a record, whatever it says: the rest is read from the log when
//! the page is put together. So a log takes no more memory than it has bytes, in the main.

use crate::error::Corruption;
use crate::ids::{PageId, Seq};
use crate::wal::payload::Base;

/// The lowest bits of a change say what it is.
const KIND: u64 = 0b11;
const DELTA: u64 = 0;
const INIT: u64 = 1;
const UNLOGGED: u64 = 2;

/// At a page's first change: the file has the page as the logs say.
const FORGOTTEN: u64 = 0b100;

const OFFSET_SHIFT: u32 = 3;
const LOG_SHIFT: u32 = 63;

/// A page's entry in a record: its page, then the log (one bit), the offset of the entry in the
/// log, whether it is forgotten (one bit), and its kind (two). So they sort by page and then by
/// time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Change([u32; 3]);

impl Change {
    /// Nothing if the offset is none that a file can have.
    fn new(page: PageId, base: Base, log: usize, offset: u64) -> Option<Self> {
        let kind = match base {
            Base::Delta => DELTA,
            Base::Init { .. } => INIT,
            Base::Unlogged { .. } => UNLOGGED,
        };
        let is_possible = offset < 1 << (LOG_SHIFT - OFFSET_SHIFT) && log < 2;
        let place = (log as u64) << LOG_SHIFT | offset << OFFSET_SHIFT | kind;
        is_possible.then(|| Self::at(page, place))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn at(page: PageId, place: u64) -> Self {
        Self([page.get(), (place >> 32) as u32, place as u32])
    }

    fn place(self) -> u64 {
        let Self([_, high, low]) = self;
        u64::from(high) << 32 | u64::from(low)
    }

    pub(super) fn page(self) -> PageId {
        PageId::new(self.0[0])
    }

    pub(super) fn log(self) -> usize {
        usize::from(self.place() >> LOG_SHIFT != 0)
    }

    /// Where the entry begins in its log.
    pub(super) fn offset(self) -> u64 {
        (self.place() & !(1 << LOG_SHIFT)) >> OFFSET_SHIFT
    }

    /// Whether it is a change to what the page was before, and not all of the page.
    pub(super) fn is_delta(self) -> bool {
        self.place() & KIND == DELTA
    }

    pub(super) fn is_init(self) -> bool {
        self.place() & KIND == INIT
    }

    pub(super) fn is_unlogged(self) -> bool {
        self.place() & KIND == UNLOGGED
    }
}

/// The commits of a log: where their payloads begin.
struct Commits {
    first: Seq,
    offsets: Vec<u64>,
}

/// What the logs change, by page.
#[derive(Default)]
pub(super) struct Changes {
    sorted: Vec<Change>,
    /// Of each log.
    commits: Vec<Commits>,
}

impl Changes {
    /// Notes an entry of the log that was begun last, whose index is `log`.
    #[must_use = "nothing if no log can have the entry"]
    pub(super) fn add(&mut self, page: PageId, base: Base, log: usize, offset: u64) -> Option<()> {
        if self.sorted.len() == self.sorted.capacity() {
            // By a quarter: what is not used of it counts, too.
            self.sorted.reserve_exact(self.sorted.len() / 4 + 64);
        }
        self.sorted.push(Change::new(page, base, log, offset)?);
        Some(())
    }

    /// What is added from now on is of the next log, which begins with this commit.
    pub(super) fn begin_log(&mut self, first: Seq) {
        self.commits.push(Commits { first, offsets: Vec::new() });
    }

    /// The log's next commit is read, whose payload begins here.
    pub(super) fn end_commit(&mut self, offset: u64) {
        if let Some(commits) = self.commits.last_mut() {
            commits.offsets.push(offset);
        }
    }

    /// To be called once all logs are read, of a file with so many pages.
    ///
    /// # Errors
    ///
    /// If a record names a page twice, or changes one that never was: no record does.
    pub(super) fn sort(&mut self, page_count: u32) -> Result<(), (usize, Corruption)> {
        self.sorted.sort_unstable();
        for pair in self.sorted.windows(2) {
            let &[a, b] = pair else { continue };
            if a.page() == b.page() && a.log() == b.log() && self.seq(a) == self.seq(b) {
                return Err((b.log(), Corruption::Log { log: "", offset: b.offset() }));
            }
        }
        let behind = self.sorted.partition_point(|change| change.page().get() < page_count);
        for changes in self.sorted[behind..].chunk_by(|a, b| a.page() == b.page()) {
            if let Some(first) = changes.first()
                && first.is_delta()
            {
                let page = first.page();
                return Err((first.log(), Corruption::OutOfBounds { page, page_count }));
            }
        }
        Ok(())
    }

    /// The commit that a change is of.
    pub(super) fn seq(&self, change: Change) -> Seq {
        let Some(commits) = self.commits.get(change.log()) else { return Seq::ZERO };
        let at = commits.offsets.partition_point(|&offset| offset <= change.offset());
        Seq::new(commits.first.get() + (at as u64).saturating_sub(1))
    }

    /// What the logs say of a page, in order; nothing if the file has it by now.
    pub(super) fn of(&self, page: PageId) -> &[Change] {
        let from = self.sorted.partition_point(|change| change.page() < page);
        let rest = &self.sorted[from..];
        let changes = &rest[..rest.partition_point(|change| change.page() <= page)];
        let is_forgotten = changes.first().is_some_and(|first| first.place() & FORGOTTEN != 0);
        if is_forgotten { &[] } else { changes }
    }

    /// The pages, in order, each with what the logs say of it.
    pub(super) fn by_page(&self) -> impl Iterator<Item = &[Change]> {
        let pages = self.sorted.chunk_by(|a, b| a.page() == b.page());
        pages.filter(|changes| changes.first().is_some_and(|c| c.place() & FORGOTTEN == 0))
    }

    /// Leaves a page to the file.
    pub(super) fn forget(&mut self, page: PageId) {
        let at = self.sorted.partition_point(|change| change.page() < page);
        if let Some(first) = self.sorted.get_mut(at)
            && first.page() == page
        {
            *first = Change::at(page, first.place() | FORGOTTEN);
        }
    }

    /// The unlogged entries of commits above `seq`, the last first, each with the next commit
    /// that holds the page whole.
    pub(super) fn unlogged_above(&self, seq: Seq) -> Vec<(Change, Option<Seq>)> {
        let mut unlogged = Vec::new();
        for changes in self.by_page() {
            let mut replaced = None;
            for &change in changes.iter().rev().filter(|change| !change.is_delta()) {
                let own = self.seq(change);
                if change.is_unlogged() && own > seq {
                    unlogged.push((change, replaced));
                }
                replaced = Some(own);
            }
        }
        unlogged.sort_unstable_by_key(|&(change, _)| std::cmp::Reverse(change.place()));
        unlogged
    }
}

/// From the last entry on that holds the page whole, or all.
pub(super) fn since_base(changes: &[Change]) -> &[Change] {
    let base = changes.iter().rposition(|change| !change.is_delta());
    &changes[base.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Owner, PageKind};

    const INITIAL: Base = Base::Init { kind: PageKind::new(16), owner: Owner::new(1) };

    fn page(number: u32) -> PageId {
        PageId::new(number)
    }

    /// Two logs: commits 5 and 6 at 100 and 200, commit 7 at 100.
    fn changes(entries: &[(u32, Base, usize, u64)]) -> Changes {
        let mut changes = Changes::default();
        for &(number, base, log, offset) in entries {
            changes.add(page(number), base, log, offset).unwrap();
        }
        changes.begin_log(Seq::new(5));
        changes.end_commit(100);
        changes.end_commit(200);
        changes.begin_log(Seq::new(7));
        changes.end_commit(100);
        changes
    }

    #[test]
    fn changes_come_by_page_and_then_by_time() {
        let unlogged = Base::Unlogged { checksum: 1 };
        let mut changes = changes(&[
            (9, Base::Delta, 0, 110),
            (3, INITIAL, 0, 130),
            (3, Base::Delta, 1, 120),
            (9, unlogged, 0, 210),
            (3, Base::Delta, 0, 230),
        ]);
        changes.sort(20).unwrap();
        let seqs = |changes: &Changes, number| {
            let of = changes.of(page(number)).iter();
            of.map(|&change| changes.seq(change).get()).collect::<Vec<_>>()
        };
        assert_eq!((seqs(&changes, 3), seqs(&changes, 9)), (vec![5, 6, 7], vec![5, 6]));
        assert_eq!(since_base(changes.of(page(9))).len(), 1);
        assert_eq!(since_base(changes.of(page(3))).len(), 3);
        let places: Vec<_> = changes.of(page(3)).iter().map(|c| (c.log(), c.offset())).collect();
        assert_eq!(places, [(0, 130), (0, 230), (1, 120)]);
        changes.forget(page(3));
        assert_eq!((seqs(&changes, 3), changes.by_page().count()), (vec![], 1));
    }

    #[test]
    fn unlogged_entries_come_with_the_next_commit_that_holds_their_page_whole() {
        let unlogged = Base::Unlogged { checksum: 1 };
        let mut changes = changes(&[
            (3, unlogged, 0, 110),
            (3, Base::Delta, 0, 210),
            (3, INITIAL, 1, 110),
            (4, unlogged, 0, 220),
        ]);
        changes.sort(20).unwrap();
        let found = |above| {
            let unlogged = changes.unlogged_above(Seq::new(above));
            unlogged.iter().map(|&(c, seq)| (c.page().get(), seq)).collect::<Vec<_>>()
        };
        assert_eq!(found(4), [(4, None), (3, Some(Seq::new(7)))]);
        assert_eq!(found(5), [(4, None)]);
    }

    #[test]
    fn no_record_names_a_page_twice_or_changes_one_that_never_was() {
        let twice = [(3, Base::Delta, 0, 110), (3, Base::Delta, 0, 130)];
        assert!(changes(&twice).sort(20).is_err());
        let in_two = [(3, Base::Delta, 0, 110), (3, Base::Delta, 0, 210)];
        assert!(changes(&in_two).sort(20).is_ok());
        assert!(changes(&in_two).sort(3).is_err(), "behind the end");
        let made = [(3, INITIAL, 0, 110), (3, Base::Delta, 0, 210)];
        assert!(changes(&made).sort(3).is_ok());
    }
}
