//! Pages that transactions write to the data file themselves: *unlogged* pages.
//!
//! A large load writes its pages once, to their place in the file, and its record in the log
//! names their checksums only. That is safe for pages whose former bytes nobody can want:
//! *never used* pages.
//!
//! # Which pages are never used
//!
//! 1. A page that the transaction has taken from the free map. The free map gives out only
//!    pages that are free in the last durable checkpoint and that no live log names: what a
//!    commit frees is pending until a checkpoint after it is durable and no snapshot is
//!    older; a reservation that is given up was named by no log; the streams of a
//!    checkpoint are released once the next one's header is durable; recovery puts what the
//!    logs freed among the pending pages, and nothing is written before a checkpoint has made
//!    those logs superfluous.
//! 2. A page that an earlier commit has taken, since the file was opened, and nobody has
//!    initialised: the header or a log may say whose it is, but nothing of what it
//!    holds. They are listed here. A commit that initialises or frees one takes it off the list.
//!
//! # Nobody reads or writes a page while it is written
//!
//! From its first writing to the end of its transaction a page is *open*. A page of the
//! first sort is reserved anyway; one of the second sort is taken off the list by whoever
//! writes it, and a commit of another transaction that has initialised or would free it fails
//! with a conflict. An open page is not loaded: readers are told that it has no version for
//! them. A load that began before has ended when the writing begins, since the writer
//! takes the page's stripe in between.
//!
//! # Nobody sees a page too early
//!
//! The commit's number `c` is not known when a page is written; the page carries `s`, one more
//! than the newest commit installed then, so `s <= c`. Who reads at a commit below `s` does
//! not see it. Between `s` and `c` there may be readers who have learned of the page from the
//! commit `c`, which is installed but too new for them. So as long as any reader below `c`
//! may be registered, or `c` is not published, a page that is loaded is given the number `c`
//! (if `s` differs; with one writer it does not). Later `s` and `c` mean the same to every reader.
//! After a crash nobody reads below `c`.
//!
//! Two versions of a page are therefore compared by which is newer, never for being the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::hash::RandomState;
use crate::ids::{Extent, PageId, Seq};
use crate::space::runs::overlaps;

/// The pages that are, or may be, written directly.
#[derive(Default)]
pub(crate) struct UnloggedPages {
    state: Mutex<State>,
    /// How many pages are open or carry an older number than their commit's. Relaxed: a
    /// load asks under the page's stripe, which a writer takes after opening the page, and
    /// who knows a page from a commit saw what was entered before.
    special: AtomicUsize,
    /// How many of them carry an older number. Relaxed: it only counts.
    later: AtomicUsize,
}

/// What is remembered of such a page takes so much memory: its entry in a table that is half full,
/// and its place in a list that is.
const LATER_BYTES: usize = 40;

#[derive(Default)]
struct State {
    /// Pages in use that were never initialised, as runs by their first page.
    never_used: BTreeMap<u32, u32>,
    open: BTreeSet<PageId>,
    /// The commits of pages that carry an older number on disk.
    later: HashMap<PageId, Seq, RandomState>,
    /// The same pages by commit.
    by_commit: BTreeMap<Seq, Vec<PageId>>,
}

/// What the bytes of a page on disk are good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnDisk {
    /// They say themselves which commit wrote them.
    Committed,
    /// This commit has written them, unless they carry a newer number.
    Since(Seq),
    /// They are being written by a transaction that has not committed.
    Open,
}

/// How a transaction came by a page that it writes directly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PageOrigin {
    /// From the free map.
    Taken,
    /// From the list of pages that nobody has initialised.
    Listed,
}

impl State {
    fn unlist(&mut self, page: PageId) -> bool {
        let number = page.get();
        let Some((&start, &len)) = self.never_used.range(..=number).next_back() else {
            return false;
        };
        if number - start >= len {
            return false;
        }
        self.never_used.remove(&start);
        self.list(start, number - start);
        self.list(number + 1, start + len - number - 1);
        true
    }

    fn list(&mut self, start: u32, pages: u32) {
        if pages > 0 {
            self.never_used.insert(start, pages);
        }
    }

    fn unlist_extent(&mut self, extent: Extent) {
        while overlaps(&self.never_used, extent) {
            let end = u32::try_from(extent.end()).unwrap_or(u32::MAX);
            let Some((&start, &len)) = self.never_used.range(..end).next_back() else { return };
            self.never_used.remove(&start);
            self.list(start, extent.start.get().saturating_sub(start));
            self.list(end, (start + len).saturating_sub(end));
        }
    }
}

impl UnloggedPages {
    /// What a page on disk is good for. Under the page's stripe.
    pub(crate) fn on_disk(&self, page: PageId) -> OnDisk {
        if self.special.load(Ordering::Relaxed) == 0 {
            return OnDisk::Committed;
        }
        let state = self.state.lock();
        if state.open.contains(&page) {
            return OnDisk::Open;
        }
        state.later.get(&page).map_or(OnDisk::Committed, |&seq| OnDisk::Since(seq))
    }

    /// The memory of what is remembered of pages that carry an older number than their commit's:
    /// for as long as a snapshot is kept from before that commit.
    pub(crate) fn later_bytes(&self) -> usize {
        self.later.load(Ordering::Relaxed) * LATER_BYTES
    }

    /// Opens those of `pages` that are never used, and says for each how it is so. `taken` are
    /// the pages that the transaction has taken from the free map.
    pub(crate) fn open(
        &self,
        pages: impl Iterator<Item = PageId>,
        taken: &BTreeMap<u32, u32>,
    ) -> Vec<Option<PageOrigin>> {
        let mut state = self.state.lock();
        let opened = pages
            .map(|page| {
                let origin = if overlaps(taken, Extent::new(page, 1)) {
                    PageOrigin::Taken
                } else if state.unlist(page) {
                    PageOrigin::Listed
                } else {
                    return None;
                };
                state.open.insert(page);
                Some(origin)
            })
            .collect();
        self.count(&state);
        opened
    }

    /// Ends the writing of pages that no commit will name; the list gets back what came from it.
    pub(crate) fn give_up(&self, pages: impl Iterator<Item = (PageId, PageOrigin)>) {
        let mut state = self.state.lock();
        for (page, origin) in pages {
            state.open.remove(&page);
            if origin == PageOrigin::Listed {
                state.list(page.get(), 1);
            }
        }
        self.count(&state);
    }

    /// Ends the writing of pages that `commit` names; each comes with the number it carries.
    /// Before anybody can learn of them from that commit.
    pub(crate) fn commit(&self, commit: Seq, pages: impl Iterator<Item = (PageId, Seq)>) {
        let mut state = self.state.lock();
        let state = &mut *state;
        for (page, carried) in pages {
            state.open.remove(&page);
            if carried != commit {
                state.later.insert(page, commit);
                state.by_commit.entry(commit).or_default().push(page);
            }
        }
        self.count(state);
    }

    /// Forgets what no reader at `horizon` or later can tell.
    pub(crate) fn forget(&self, horizon: Seq) {
        if self.special.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut state = self.state.lock();
        while let Some(first) = state.by_commit.first_entry()
            && *first.key() <= horizon
        {
            let (commit, pages) = first.remove_entry();
            for page in pages {
                // It may have been freed and written again by a later one.
                if state.later.get(&page) == Some(&commit) {
                    state.later.remove(&page);
                }
            }
        }
        self.count(&state);
    }

    /// For a commit about to happen: takes off the list what it initialises and frees. Fails
    /// with a page that another transaction is writing. `is_own` are those of the one that commits.
    pub(crate) fn check(
        &self,
        initialised: impl Iterator<Item = PageId>,
        freed: impl Iterator<Item = Extent>,
        is_own: impl Fn(PageId) -> bool,
    ) -> Result<(), PageId> {
        let mut state = self.state.lock();
        for page in initialised {
            if state.open.contains(&page) && !is_own(page) {
                return Err(page);
            }
            state.unlist(page);
        }
        for extent in freed {
            let end = u32::try_from(extent.end()).unwrap_or(u32::MAX);
            let mut open = state.open.range(extent.start..PageId::new(end));
            if let Some(&page) = open.find(|&&page| !is_own(page)) {
                return Err(page);
            }
            state.unlist_extent(extent);
        }
        Ok(())
    }

    /// Lists what a commit has taken and not initialised. `initialised` is in order.
    pub(crate) fn list(&self, taken: impl Iterator<Item = Extent>, initialised: &[PageId]) {
        let mut state = self.state.lock();
        for extent in taken {
            let from = initialised.partition_point(|&page| page < extent.start);
            let mut start = extent.start.get();
            for page in initialised.iter().skip(from).take_while(|&&page| extent.contains(page)) {
                state.list(start, page.get() - start);
                start = page.get() + 1;
            }
            let end = u32::try_from(extent.end()).unwrap_or(u32::MAX);
            state.list(start, end - start);
        }
    }

    fn count(&self, state: &State) {
        self.later.store(state.later.len(), Ordering::Relaxed);
        self.special.store(state.open.len() + state.later.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u32) -> PageId {
        PageId::new(number)
    }

    fn extent(start: u32, pages: u32) -> Extent {
        Extent::new(page(start), pages)
    }

    fn listed(unlogged: &UnloggedPages) -> Vec<(u32, u32)> {
        unlogged.state.lock().never_used.iter().map(|(&start, &len)| (start, len)).collect()
    }

    #[test]
    fn a_page_is_listed_from_its_taking_until_it_is_initialised_or_freed() {
        let unlogged = UnloggedPages::default();
        unlogged.list([extent(10, 8), extent(30, 2)].into_iter(), &[page(10), page(13)]);
        assert_eq!(listed(&unlogged), [(11, 2), (14, 4), (30, 2)]);
        unlogged.check([page(12), page(15)].into_iter(), [].into_iter(), |_| false).unwrap();
        assert_eq!(listed(&unlogged), [(11, 1), (14, 1), (16, 2), (30, 2)]);
        let freed = [extent(14, 3), extent(31, 9)];
        unlogged.check([].into_iter(), freed.into_iter(), |_| false).unwrap();
        assert_eq!(listed(&unlogged), [(11, 1), (17, 1), (30, 1)]);
    }

    #[test]
    fn a_listed_page_is_written_by_one_transaction_only() {
        let unlogged = UnloggedPages::default();
        unlogged.list([extent(10, 2)].into_iter(), &[]);
        let none = BTreeMap::new();
        let pages = || [page(10), page(12)].into_iter();
        assert_eq!(unlogged.open(pages(), &none), [Some(PageOrigin::Listed), None]);
        assert_eq!(unlogged.open(pages(), &none), [None, None]);
        assert_eq!(unlogged.on_disk(page(10)), OnDisk::Open);
        let check = |own| unlogged.check([page(10)].into_iter(), [].into_iter(), |_| own);
        assert_eq!((check(false), check(true)), (Err(page(10)), Ok(())));
        let free = |own| unlogged.check([].into_iter(), [extent(9, 2)].into_iter(), |_| own);
        assert_eq!((free(false), free(true)), (Err(page(10)), Ok(())));
        unlogged.give_up([(page(10), PageOrigin::Listed)].into_iter());
        assert_eq!(unlogged.on_disk(page(10)), OnDisk::Committed);
        assert_eq!(unlogged.open(pages(), &none), [Some(PageOrigin::Listed), None]);
    }

    #[test]
    fn a_page_has_its_commits_number_as_long_as_somebody_reads_below_it() {
        let unlogged = UnloggedPages::default();
        let taken = BTreeMap::from([(5, 2)]);
        unlogged.open([page(5), page(6)].into_iter(), &taken);
        let carried = [(page(5), Seq::new(3)), (page(6), Seq::new(7))];
        unlogged.commit(Seq::new(7), carried.into_iter());
        assert_eq!(unlogged.on_disk(page(5)), OnDisk::Since(Seq::new(7)));
        assert_eq!(unlogged.on_disk(page(6)), OnDisk::Committed);
        unlogged.forget(Seq::new(6));
        assert_eq!(unlogged.on_disk(page(5)), OnDisk::Since(Seq::new(7)));
        unlogged.forget(Seq::new(7));
        assert_eq!(unlogged.on_disk(page(5)), OnDisk::Committed);
    }
}
