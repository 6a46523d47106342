//! Every call fails in turn while checkpoints save pages of the layer above, cut the file, and are
//! made anew.
//!
//! Then the handle is as the error says, a later try works where none of it is final, and what
//! was acknowledged is there for who opens the file next: as the process left it, and after a
//! power cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_pager::{Durability, Error, Options, PageId, Pager, WriteTx};
use nanodb_sim::{CallKind, Crash, Event, Failure, Fault, Files, SimStorage, Unsynced};

use crate::saving::{SavedRoot, Saving};
use crate::support::{KIND, OWNER, first_bytes, long};

/// What each page begins with.
type Pages = BTreeMap<PageId, u64>;

const PAGES: u64 = 48;

fn open(storage: &SimStorage) -> Result<Pager, Error> {
    let options = Options::default().cache_bytes_max(16 * 4096).background(false);
    Pager::open(Arc::new(storage.clone()), Arc::new(Saving::default()), options)
}

/// What was done to a file until a call failed, or to the end.
struct Work {
    storage: SimStorage,
    pager: Option<Pager>,
    /// State `n` is that after commit `n`, counted from what the file began with.
    states: Vec<Pages>,
    /// How many of the commits were acknowledged, and how many are on stable storage.
    acknowledged: usize,
    durable: usize,
}

impl Work {
    /// A closed file with pages and three extents of saved ones.
    fn prepared() -> (Files, Pages) {
        let mut work = Self::on(Files::from([(String::new(), Vec::new())]), Pages::new());
        let done: Result<(), Error> = (|| {
            work.open()?;
            for part in 0..3 {
                work.commit(Durability::Buffered, |tx, pages| {
                    for number in part * PAGES / 3..(part + 1) * PAGES / 3 {
                        let page = tx.allocate(KIND, OWNER)?;
                        stamp(tx, pages, page, number)?;
                    }
                    Ok(())
                })?;
                work.checkpoint(false)?;
            }
            work.close()
        })();
        done.unwrap();
        (work.storage.files(), work.states.pop().unwrap())
    }

    fn on(files: Files, pages: Pages) -> Self {
        Self {
            storage: SimStorage::from_files(files),
            pager: None,
            states: vec![pages],
            acknowledged: 0,
            durable: 0,
        }
    }

    fn open(&mut self) -> Result<(), Error> {
        self.pager = Some(open(&self.storage)?);
        Ok(())
    }

    fn pager(&self) -> &Pager {
        self.pager.as_ref().unwrap()
    }

    fn commit(
        &mut self,
        level: Durability,
        change: impl FnOnce(&mut WriteTx, &mut Pages) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut tx = self.pager().begin();
        tx.set_durability(level);
        let mut pages = self.states[self.acknowledged].clone();
        change(&mut tx, &mut pages)?;
        self.states.truncate(self.acknowledged + 1);
        self.states.push(pages);
        tx.commit(&(self.acknowledged as u64 + 1).to_le_bytes())?;
        self.acknowledged += 1;
        if level == Durability::Immediate {
            self.durable = self.acknowledged;
        }
        Ok(())
    }

    fn checkpoint(&mut self, anew: bool) -> Result<(), Error> {
        if anew {
            self.pager().checkpoint_always()?
        } else {
            self.pager().checkpoint()?
        }
        self.durable = self.acknowledged;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        if let Some(pager) = &self.pager {
            pager.clone().close()?;
        }
        self.durable = self.acknowledged;
        self.pager = None;
        Ok(())
    }

    /// Something of all that changes where pages are.
    fn run(&mut self) -> Result<(), Error> {
        self.open()?;
        self.commit(Durability::Immediate, |tx, pages| {
            for page in pages.keys().copied().step_by(7).collect::<Vec<_>>() {
                stamp(tx, pages, page, 1000)?;
            }
            let page = tx.allocate(KIND, OWNER)?;
            stamp(tx, pages, page, 1001)
        })?;
        self.checkpoint(false)?;
        // Most of the end becomes free, and is cut off.
        self.commit(Durability::Immediate, |tx, pages| free(tx, pages, 20, 24))?;
        self.checkpoint(false)?;
        self.checkpoint(true)?;
        self.commit(Durability::Buffered, |tx, pages| {
            let extent = tx.allocate_extent(20)?;
            for page in (0..20).filter_map(|index| extent.page(index)) {
                tx.init_page(page, KIND, OWNER)?;
                stamp(tx, pages, page, 2000)?;
            }
            Ok(())
        })?;
        let snapshot = self.pager().snapshot();
        self.commit(Durability::Buffered, |tx, pages| free(tx, pages, 8, 1000))?;
        self.checkpoint(false)?;
        drop(snapshot);
        // Nothing has changed but that nobody wants them any more.
        self.checkpoint(false)?;
        self.commit(Durability::Immediate, |tx, pages| {
            let page = *pages.keys().next().unwrap();
            stamp(tx, pages, page, 3000)
        })?;
        self.close()
    }

    /// Holds what a pager shows against the states that may be there.
    fn check(&self, pager: &Pager, oldest: usize, what: &str) -> usize {
        let found = SavedRoot::decode(&pager.metadata_root());
        let states = oldest..self.states.len();
        let state = states.clone().find(|&state| {
            let is_so = |(&page, &number): (&PageId, &u64)| {
                let found = first_bytes(pager, page);
                found.is_ok_and(|bytes| u64::from_le_bytes(bytes) == number)
            };
            // What was taken in vain stays taken once nothing is written any more.
            let is_final = pager.begin().commit(&[]).is_err();
            self.states[state].iter().all(is_so)
                && (is_final || used_pages(pager) as usize == self.states[state].len())
        });
        let state = state.unwrap_or_else(|| {
            panic!("{what}: none of {states:?}: {:?}, root {found:?}", pager.space())
        });
        SavedRoot::decode(&pager.space().metadata_root).check(pager, what);
        state
    }

    /// The same for what another process finds in these files; it can write on.
    fn check_files(&self, files: Files, oldest: usize, what: &str) {
        let storage = SimStorage::from_files(files);
        let pager = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        self.check(&pager, oldest, what);
        // A copy of the header may be torn.
        let found = pager.verify().unwrap();
        assert!(found.iter().all(|damage| damage.page().get() < 2), "{what}: {found:?}");
        let mut tx = pager.begin();
        let page = tx.allocate(KIND, OWNER).unwrap();
        assert!(tx.page_mut(page).unwrap().write(0, b"and on"));
        tx.commit(&9_u64.to_le_bytes()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        pager.checkpoint().unwrap_or_else(|error| panic!("{what}: {error:?}"));
        SavedRoot::decode(&pager.space().metadata_root).check(&pager, what);
        assert_eq!(&first_bytes(&pager, page).unwrap(), b"and on", "{what}");
    }

    /// After a failure that is over: the handle goes on, or says that it can't.
    fn go_on(&mut self, error: &Error, what: &str) {
        let Some(pager) = &self.pager else { return };
        let is_final = matches!(error, Error::Poisoned { .. } | Error::Closed);
        self.check(pager, self.acknowledged, what);
        if is_final || pager.checkpoint().is_err() {
            // An error may be told to who did not cause it only if all is refused from then on.
            assert!(pager.begin().commit(b"noted").is_err(), "{what}");
            let again = pager.checkpoint().unwrap_err();
            assert!(matches!(again, Error::Poisoned { .. } | Error::Closed), "{what}: {again:?}");
            return;
        }
        self.states.truncate(self.acknowledged + 1);
        let done: Result<(), Error> = (|| {
            self.commit(Durability::Immediate, |tx, pages| {
                let page = tx.allocate(KIND, OWNER)?;
                stamp(tx, pages, page, 4000)
            })?;
            self.checkpoint(true)?;
            self.commit(Durability::Buffered, |tx, pages| free(tx, pages, 5, 6))?;
            self.checkpoint(false)
        })();
        done.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let pager = self.pager();
        assert_eq!(self.check(pager, self.acknowledged, what), self.acknowledged);
        assert_eq!(pager.verify().unwrap(), [], "{what}");
        self.close().unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let files = self.storage.files();
        assert_eq!(files.len(), 1, "{what}");
        self.check_files(files, self.acknowledged, what);
    }
}

fn stamp(tx: &mut WriteTx, pages: &mut Pages, page: PageId, number: u64) -> Result<(), Error> {
    assert!(tx.page_mut(page)?.write(0, &number.to_le_bytes()));
    pages.insert(page, number);
    Ok(())
}

fn free(tx: &mut WriteTx, pages: &mut Pages, first: usize, count: usize) -> Result<(), Error> {
    for page in pages.keys().copied().skip(first).take(count).collect::<Vec<_>>() {
        tx.free(page)?;
        pages.remove(&page);
    }
    Ok(())
}

/// How many times the file became shorter.
fn cuts(files: &Files, journal: &[Event]) -> usize {
    let mut files = files.clone();
    let mut cuts = 0;
    for event in journal {
        let before = files[""].len();
        event.apply(&mut files);
        cuts += usize::from(files[""].len() < before);
    }
    cuts
}

/// How many pages are neither free nor the pager's own, nor saved ones.
fn used_pages(pager: &Pager) -> u32 {
    let space = pager.space();
    let all = [&space.free, &space.pending, &space.own].into_iter().flatten();
    let saved = SavedRoot::decode(&space.metadata_root).pages();
    space.page_count - all.map(|extent| extent.pages).sum::<u32>() - saved
}

#[test]
fn whatever_call_fails_while_pages_are_saved_and_the_file_is_truncated_nothing_acknowledged_is_lost()
 {
    let (files, pages) = Work::prepared();
    let mut work = Work::on(files.clone(), pages.clone());
    let before = work.storage.calls();
    work.storage.start_journal();
    work.run().unwrap();
    let calls = work.storage.calls() - before;
    assert!(cuts(&files, &work.storage.take_journal()) > 1);
    let (mut failed, mut went_on) = (0, 0);
    for failure in [Failure::NoSpace, Failure::Device, Failure::Short, Failure::Forgets] {
        for for_ever in [false, true] {
            // Each call in the long form, and all calls in turn in the short one.
            let step = if long() { 1 } else { 2 };
            for after in (u64::from(for_ever)..calls).step_by(step) {
                let what = format!("call {after}, {failure:?}, for ever: {for_ever}");
                let mut work = Work::on(files.clone(), pages.clone());
                work.storage.start_journal();
                work.storage.set_fault(Fault { for_ever, ..Fault::once(after, failure) });
                let done = work.run();
                work.storage.clear_fault();
                let journal = work.storage.take_journal();
                let Err(error) = done else { continue };
                failed += 1;
                let left = work.storage.files();
                work.check_files(left, work.acknowledged, &format!("{what}, killed"));
                let mut crash = Crash::new(&files);
                journal.iter().for_each(|event| crash.advance(event));
                for fate in [Unsynced::Lost, Unsynced::Kept, Unsynced::Random(after)] {
                    let what = format!("{what}, {fate:?}");
                    work.check_files(crash.image(fate), work.durable, &what);
                }
                work.go_on(&error, &what);
                went_on += usize::from(work.pager.is_none());
            }
        }
    }
    println!("{calls} calls, {failed} failed, {went_on} went on");
    assert!(failed > 100 && went_on > 20, "{failed} failed, {went_on} went on");
}

#[test]
fn whatever_read_fails_for_ever_is_told_and_reads_and_checkpoints_go_on_afterwards() {
    let (files, pages) = Work::prepared();
    for after in 0.. {
        let mut work = Work::on(files.clone(), pages.clone());
        let fault = Fault::once(after, Failure::Device).of(CallKind::Read).for_ever();
        work.storage.set_fault(fault);
        let done = work.run();
        let struck = work.storage.failed() > 0;
        work.storage.clear_fault();
        let what = format!("read {after}");
        match done {
            Err(error) => {
                work.check_files(work.storage.files(), work.acknowledged, &what);
                work.go_on(&error, &what);
            }
            Ok(()) if !struck => break,
            Ok(()) => work.check_files(work.storage.files(), work.acknowledged, &what),
        }
        assert!(after < 10_000);
    }
}
