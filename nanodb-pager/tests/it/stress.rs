//! Readers beside writers, with real threads and a cache too small for the file.
//!
//! Each writer owns a group of pages, more in all than the cache holds. Every
//! commit writes one number into several places of all pages of a group. Whoever
//! sees two numbers in one group at one commit, or a number in the wrong group, has
//! seen half a commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nanodb_pager::{BODY_SIZE, Error, PageGuard, PageId, Pager, Seq};
use nanodb_sim::{Random, SimStorage};

use crate::support::{KIND, OWNER, assert_space, long, new_file, numbers, open};

const GROUPS: u64 = 4;
const PAGES_A_GROUP: usize = 12;
/// Where on a page the number stands.
const PLACES: [usize; 4] = [0, 1000, 2000, BODY_SIZE - 16];

struct Arena {
    storage: SimStorage,
    pager: Pager,
    groups: Vec<Vec<PageId>>,
    stop: AtomicBool,
    reads: AtomicU64,
    repeats: AtomicU64,
}

fn arena() -> Arena {
    let (storage, pager) = new_file();
    let mut groups = Vec::new();
    for group in 0..GROUPS {
        let mut tx = pager.begin();
        let pages: Vec<PageId> =
            (0..PAGES_A_GROUP).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
        write_group(&mut tx, &pages, group, 0);
        tx.commit(&[]).unwrap();
        groups.push(pages);
    }
    let (stop, zero) = (AtomicBool::new(false), || AtomicU64::new(0));
    Arena { storage, pager, groups, stop, reads: zero(), repeats: zero() }
}

fn write_group(tx: &mut nanodb_pager::WriteTx, pages: &[PageId], group: u64, number: u64) {
    for &page in pages {
        let mut page = tx.page_mut(page).unwrap();
        for place in PLACES {
            assert!(page.write(place, &number.to_le_bytes()));
            assert!(page.write(place + 8, &group.to_le_bytes()));
        }
    }
}

/// The number on a page, after making sure that all places agree on it.
fn number_on(guard: &PageGuard, group: u64) -> u64 {
    let at = |place: usize| u64::from_le_bytes(guard.body()[place..place + 8].try_into().unwrap());
    let number = at(PLACES[0]);
    for place in PLACES {
        assert_eq!((at(place), at(place + 8)), (number, group), "{} is half written", guard.id());
    }
    number
}

/// Reads all pages of a group at one commit; none if that commit is too old by now.
fn read_group(
    pages: &[PageId],
    group: u64,
    read: impl Fn(PageId) -> Result<PageGuard, Error>,
) -> Option<u64> {
    let mut seen = None;
    for &page in pages {
        let number = match read(page) {
            Ok(guard) => number_on(&guard, group),
            Err(Error::NoVersion { .. }) => return None,
            Err(error) => panic!("{page}: {error:?}"),
        };
        assert_eq!(*seen.get_or_insert(number), number, "half a commit of group {group}");
    }
    seen
}

impl Arena {
    fn write(&self, group: u64) {
        let pages = &self.groups[group as usize];
        for number in 1.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let mut tx = self.pager.begin();
            write_group(&mut tx, pages, group, number);
            let note = [group as u8];
            let seq = if number % 3 == 0 {
                let installed = tx.install(&note).unwrap();
                std::thread::yield_now();
                installed.publish().unwrap()
            } else {
                tx.commit(&note).unwrap()
            };
            assert!(self.pager.published() >= seq);
            let own =
                read_group(pages, group, |page| self.pager.page(page, self.pager.published()));
            assert!(own.is_none_or(|own| own == number), "a writer does not see its commit");
        }
    }

    /// Takes extents, fills them, and gives them back.
    fn churn(&self) {
        let mut held = Vec::new();
        let mut random = Random::new(5);
        while !self.stop.load(Ordering::Relaxed) {
            let mut tx = self.pager.begin();
            let extent = tx.allocate_extent(1 + random.below(5) as u32).unwrap();
            for page in numbers(&[extent]) {
                let mut page = tx.init_page(PageId::new(page), KIND, OWNER).unwrap();
                assert!(page.write(random.below(4000), b"churn"));
            }
            if held.len() > 3 {
                tx.free_extent(held.swap_remove(random.below(4))).unwrap();
            }
            if random.below(4) == 0 {
                tx.rollback();
                held.truncate(3);
                continue;
            }
            tx.commit(&[]).unwrap();
            held.push(extent);
        }
    }

    fn read_at_snapshots(&self, seed: u64) {
        let mut random = Random::new(seed);
        while !self.stop.load(Ordering::Relaxed) {
            let snapshot = self.pager.snapshot();
            let first: Vec<u64> = self.read_all(&snapshot, &mut random);
            if random.below(3) == 0 {
                std::thread::sleep(Duration::from_micros(300));
            }
            let clone = snapshot.clone();
            drop(snapshot);
            assert_eq!(self.read_all(&clone, &mut random), first, "a snapshot has moved");
        }
    }

    fn read_all(&self, snapshot: &nanodb_pager::Snapshot, random: &mut Random) -> Vec<u64> {
        let start = random.below(GROUPS as usize) as u64;
        let mut seen: Vec<(u64, u64)> = (0..GROUPS)
            .map(|index| {
                let group = (start + index) % GROUPS;
                let read = |page| snapshot.page(page);
                let number = read_group(&self.groups[group as usize], group, read);
                self.reads.fetch_add(1, Ordering::Relaxed);
                (group, number.unwrap_or_else(|| panic!("a snapshot has lost a version")))
            })
            .collect();
        seen.sort_unstable();
        seen.into_iter().map(|(_, number)| number).collect()
    }

    /// Without registering: a commit may be too old, but is never half seen.
    fn read_unregistered(&self, seed: u64) {
        let mut random = Random::new(seed);
        let mut newest = [0; GROUPS as usize];
        while !self.stop.load(Ordering::Relaxed) {
            let group = random.below(GROUPS as usize);
            let at: Seq = self.pager.published();
            let read = |page| self.pager.page(page, at);
            match read_group(&self.groups[group], group as u64, read) {
                Some(number) => {
                    assert!(number >= newest[group], "time runs backwards");
                    newest[group] = number;
                    self.reads.fetch_add(1, Ordering::Relaxed);
                }
                None => {
                    self.repeats.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

#[test]
fn readers_never_see_half_a_commit_whatever_is_evicted_meanwhile() {
    let arena = Arc::new(arena());
    let seconds = if long() { 60 } else { 3 };
    std::thread::scope(|scope| {
        let arena = &*arena;
        for group in 0..GROUPS {
            scope.spawn(move || arena.write(group));
        }
        scope.spawn(|| arena.churn());
        for seed in 0..2 {
            scope.spawn(move || arena.read_at_snapshots(seed));
            scope.spawn(move || arena.read_unregistered(seed));
        }
        scope.spawn(|| {
            while !arena.stop.load(Ordering::Relaxed) {
                arena.pager.checkpoint().unwrap();
                assert_eq!(arena.pager.verify().unwrap(), []);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end && !std::thread::panicking() {
            std::thread::sleep(Duration::from_millis(20));
        }
        arena.stop.store(true, Ordering::Relaxed);
    });
    let arena = Arc::into_inner(arena).unwrap();
    assert!(arena.reads.load(Ordering::Relaxed) > 100);
    let stats = arena.pager.stats().unwrap();
    assert_eq!((stats.snapshots, stats.older_bytes), (0, 0), "{stats:?}");
    // What was freed after the last checkpoint waits for another.
    arena.pager.checkpoint().unwrap();
    assert!(arena.pager.space().pending.is_empty());

    let last: Vec<Option<u64>> = read_last(&arena.pager, &arena.groups);
    let commits = arena.pager.published();
    arena.pager.close().unwrap();
    let pager = open(&arena.storage).unwrap();
    assert_eq!(pager.published(), commits);
    assert_eq!(read_last(&pager, &arena.groups), last);
    assert!(last.iter().all(Option::is_some));
}

fn read_last(pager: &Pager, groups: &[Vec<PageId>]) -> Vec<Option<u64>> {
    let read = |page| pager.page(page, pager.published());
    groups.iter().zip(0..).map(|(pages, group)| read_group(pages, group, read)).collect()
}

#[test]
fn writers_of_the_same_page_lose_no_update() {
    let (_, pager) = new_file();
    let page = crate::support::add_page(&pager, &0_u64.to_le_bytes());
    let added: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut added = 0;
                    for _ in 0..500 {
                        let mut tx = pager.begin();
                        let mut page = tx.page_mut(page).unwrap();
                        let number = u64::from_le_bytes(*page.body().first_chunk().unwrap());
                        assert!(page.write(0, &(number + 1).to_le_bytes()));
                        match tx.commit(&[]) {
                            Ok(_) => added += 1,
                            Err(Error::WriteConflict { .. }) => {}
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    added
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(u64::from_le_bytes(crate::support::first_bytes(&pager, page).unwrap()), added);
    assert_space(&pager, [page.get()]);
}
