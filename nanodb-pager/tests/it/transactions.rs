//! The rules of transactions, one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nanodb_pager::{BODY_SIZE, Error, Extent, Options, Owner, PageId, PageKind, Pager};

use crate::support::{
    Concatenate, KIND, OWNER, add_page, assert_space, change_page, first_bytes, new_file, numbers,
    open,
};

fn not_allocated<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotAllocated { .. }))
}

#[test]
fn the_second_of_two_writers_of_a_page_conflicts_and_changes_nothing() {
    let (_, pager) = new_file();
    let (page, other) = (add_page(&pager, b"old"), add_page(&pager, b"old"));
    let (mut first, mut second) = (pager.begin(), pager.begin());
    assert!(first.page_mut(page).unwrap().write(0, b"one"));
    assert!(second.page_mut(other).unwrap().write(0, b"two"));
    assert!(second.page_mut(page).unwrap().write(0, b"two"));
    first.commit(b"first").unwrap();
    let error = second.commit(b"second").unwrap_err();
    assert!(matches!(error, Error::WriteConflict { page: found } if found == page), "{error:?}");
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"one");
    assert_eq!(&first_bytes(&pager, other).unwrap(), b"old");
    pager.checkpoint().unwrap();
    assert_eq!(&*pager.metadata_root(), b"first");
}

#[test]
fn writing_a_page_that_another_transaction_has_freed_is_refused() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"old");
    let mut writer = pager.begin();
    assert!(writer.page_mut(page).unwrap().write(0, b"new"));
    let mut freer = pager.begin();
    freer.free(page).unwrap();
    freer.commit(&[]).unwrap();
    let error = writer.commit(&[]).unwrap_err();
    assert!(matches!(error, Error::WriteConflict { .. } | Error::NotAllocated { .. }), "{error:?}");
    assert_space(&pager, []);
}

#[test]
fn rollback_gives_allocated_extents_back_and_keeps_freed_pages() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"kept");
    let mut tx = pager.begin();
    let extent = tx.allocate_extent(5).unwrap();
    tx.allocate(KIND, OWNER).unwrap();
    tx.free(page).unwrap();
    assert_eq!(extent.pages, 5);
    tx.rollback();
    assert_space(&pager, [page.get()]);
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"kept");
    assert_eq!(pager.begin().allocate_extent(6).unwrap().start, extent.start);
}

#[test]
fn pages_of_a_transaction_that_is_open_at_a_checkpoint_do_not_leak() {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"kept");
    let mut tx = pager.begin();
    tx.allocate_extent(5).unwrap();
    pager.checkpoint().unwrap();
    drop(tx);
    pager.close().unwrap();
    let pager = open(&storage).unwrap();
    assert_space(&pager, [page.get()]);
}

#[test]
fn an_extent_stays_reserved_without_a_page_written_or_a_note() {
    let (storage, pager) = new_file();
    let mut tx = pager.begin();
    let extent = tx.allocate_extent(3).unwrap();
    tx.commit(&[]).unwrap();
    assert_space(&pager, numbers(&[extent]));
    pager.close().unwrap();
    let pager = open(&storage).unwrap();
    assert_space(&pager, numbers(&[extent]));
    let mut tx = pager.begin();
    assert!(tx.init_page(extent.page(1).unwrap(), KIND, OWNER).unwrap().write(0, b"now"));
    tx.commit(&[]).unwrap();
    assert_eq!(&first_bytes(&pager, extent.page(1).unwrap()).unwrap(), b"now");
}

#[test]
fn a_page_is_freed_once() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"x");
    let mut tx = pager.begin();
    tx.free(page).unwrap();
    assert!(not_allocated(tx.free(page)));
    let mut rival = pager.begin();
    rival.free(page).unwrap();
    tx.commit(&[]).unwrap();
    assert!(not_allocated(pager.begin().free(page)));
    assert!(not_allocated(rival.commit(&[])));
    assert_space(&pager, []);
}

#[test]
fn a_page_that_the_transaction_has_freed_is_not_written_any_more() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"x");
    let mut tx = pager.begin();
    tx.free(page).unwrap();
    assert!(not_allocated(tx.page_mut(page)));
    assert!(not_allocated(tx.init_page(page, KIND, OWNER)));
    tx.commit(&[]).unwrap();
}

#[test]
fn free_pages_and_pages_behind_the_end_are_refused() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"x");
    let mut tx = pager.begin();
    tx.free(page).unwrap();
    tx.commit(&[]).unwrap();
    let mut tx = pager.begin();
    assert!(not_allocated(tx.init_page(page, KIND, OWNER)));
    let end = PageId::new(pager.space().page_count);
    assert!(not_allocated(tx.init_page(end, KIND, OWNER)));
    assert!(not_allocated(tx.page_mut(end)));
    assert!(not_allocated(tx.free(end)));
    assert!(not_allocated(tx.free_extent(Extent::new(page, u32::MAX))));
    assert!(not_allocated(tx.free_extent(Extent::new(PageId::new(u32::MAX), u32::MAX))));
}

#[test]
fn the_pagers_own_pages_are_refused() {
    let (storage, pager) = new_file();
    add_page(&pager, b"x");
    pager.begin().commit(b"a root").unwrap();
    pager.checkpoint().unwrap();
    let all_refused = |pager: &Pager| {
        let own = pager.space().own;
        assert!(own.len() > 1, "{own:?}");
        for page in numbers(&own).map(PageId::new) {
            let mut tx = pager.begin();
            assert!(not_allocated(tx.page_mut(page)), "{page}");
            assert!(not_allocated(tx.init_page(page, KIND, OWNER)), "{page}");
            assert!(not_allocated(tx.free(page)), "{page}");
        }
    };
    all_refused(&pager);
    pager.close().unwrap();
    all_refused(&open(&storage).unwrap());
}

#[test]
fn a_file_whose_last_free_page_the_pager_took_itself_opens_again() {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"x");
    let mut tx = pager.begin();
    tx.free(page).unwrap();
    tx.commit(&[]).unwrap();
    pager.close().unwrap();
    assert_space(&open(&storage).unwrap(), []);
}

#[test]
fn kinds_and_owners_of_the_pager_are_not_given_out() {
    let (_, pager) = new_file();
    let mut tx = pager.begin();
    let page = tx.allocate_extent(1).unwrap().start;
    assert!(not_allocated(tx.init_page(page, PageKind::new(15), OWNER)));
    assert!(not_allocated(tx.init_page(page, KIND, Owner::PAGER)));
}

#[test]
fn a_transaction_that_changed_nothing_is_no_commit() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"x");
    let before = pager.published();
    let tx = pager.begin();
    assert_eq!(&tx.page(page).unwrap().body()[..1], b"x");
    assert_eq!(tx.commit(&[]).unwrap(), before);
    assert_eq!(pager.begin().commit(b"note").unwrap(), nanodb_pager::Seq::new(before.get() + 1));
}

#[test]
fn a_transaction_sees_its_own_changes_and_nobody_else_does() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"old");
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().write(0, b"new"));
    assert!(!tx.page_mut(page).unwrap().write(BODY_SIZE - 1, b"too long"));
    assert_eq!(&tx.page(page).unwrap().body()[..3], b"new");
    assert_eq!(&pager.begin().page(page).unwrap().body()[..3], b"old");
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"old");
}

#[test]
fn many_pages_in_one_transaction_are_all_found_again() {
    let (_, pager) = new_file();
    let mut tx = pager.begin();
    let pages: Vec<PageId> = (0..60).map(|_| tx.allocate(KIND, OWNER).unwrap()).collect();
    for (index, &page) in pages.iter().enumerate().rev() {
        assert!(tx.page_mut(page).unwrap().write(0, &index.to_le_bytes()));
    }
    tx.commit(&[]).unwrap();
    for (index, &page) in pages.iter().enumerate() {
        assert_eq!(first_bytes(&pager, page).unwrap(), index.to_le_bytes());
    }
}

#[test]
fn what_is_installed_is_built_on_but_not_seen() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"old");
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().write(0, b"new"));
    let installed = tx.install(&[]).unwrap();
    let snapshot = pager.snapshot();
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"old");
    assert_eq!(&pager.begin().page(page).unwrap().body()[..3], b"new");
    let seq = installed.seq();
    assert_eq!(installed.publish().unwrap(), seq);
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"new");
    assert_eq!(&snapshot.page(page).unwrap().body()[..3], b"old");
}

#[test]
fn a_transaction_that_wrote_nothing_is_as_new_as_what_it_may_have_read() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"old");
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().write(0, b"new"));
    let installed = tx.install(&[]).unwrap();
    let reader = pager.begin();
    assert_eq!(&reader.page(page).unwrap().body()[..3], b"new");
    // Publishing it waits for that commit.
    let nothing = reader.install(&[]).unwrap();
    assert_eq!(nothing.seq(), installed.seq());
    let seq = installed.publish().unwrap();
    assert_eq!(nothing.publish().unwrap(), seq);
}

#[test]
fn an_unregistered_read_at_an_old_commit_never_gets_a_still_older_version() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"one");
    let keeps_one = pager.snapshot();
    let two = change_page(&pager, page, b"two");
    change_page(&pager, page, b"six");
    match pager.page(page, two) {
        Ok(guard) => assert_eq!(&guard.body()[..3], b"two"),
        Err(error) => assert!(matches!(error, Error::NoVersion { .. }), "{error:?}"),
    }
    assert_eq!(&keeps_one.page(page).unwrap().body()[..3], b"one");
}

#[test]
fn old_versions_go_with_the_snapshots_that_wanted_them() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"0");
    let mut snapshots = Vec::new();
    for number in 1..20_u8 {
        snapshots.push(pager.snapshot());
        snapshots.push(snapshots[snapshots.len() - 1].clone());
        change_page(&pager, page, &[number]);
        change_page(&pager, page, &[0xFF]);
    }
    let stats = pager.stats().unwrap();
    assert_eq!(stats.older_bytes as u64 + stats.spilled_bytes, 19 * 4096, "{stats:?}");
    assert_eq!(stats.snapshots, 38);
    while !snapshots.is_empty() {
        drop(snapshots.swap_remove(snapshots.len() / 2));
    }
    let stats = pager.stats().unwrap();
    assert_eq!((stats.older_bytes, stats.spilled_bytes), (0, 0));
}

#[test]
fn pages_freed_under_a_snapshot_are_reused_only_after_it() {
    let (_, pager) = new_file();
    let page = add_page(&pager, b"seen");
    let snapshot = pager.snapshot();
    let mut tx = pager.begin();
    tx.free(page).unwrap();
    tx.commit(&[]).unwrap();
    assert_eq!(numbers(&pager.space().pending).collect::<Vec<_>>(), [page.get()]);
    pager.checkpoint().unwrap();
    assert_ne!(pager.begin().allocate_extent(1).unwrap().start, page);
    assert_eq!(&snapshot.page(page).unwrap().body()[..4], b"seen");
    drop(snapshot);
    assert_eq!(pager.space().pending, []);
}

#[test]
fn more_pages_than_there_are_numbers_are_refused() {
    let (_, pager) = new_file();
    let mut tx = pager.begin();
    assert!(matches!(tx.allocate_extent(u32::MAX), Err(Error::Full { asked: u32::MAX })));
    assert_eq!(tx.allocate_extent(0).unwrap().pages, 0);
    drop(tx);
    assert_space(&pager, []);
}

#[test]
fn a_commit_that_races_with_closing_is_either_refused_or_kept() {
    for round in 0..20 {
        let (storage, pager) = new_file();
        let page = add_page(&pager, &0_u64.to_le_bytes());
        let done = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let (writer, done) = (pager.clone(), &done);
            scope.spawn(move || {
                for number in 1_u64.. {
                    let mut tx = writer.begin();
                    assert!(tx.page_mut(page).unwrap().write(0, &number.to_le_bytes()));
                    match tx.commit(&[]) {
                        Ok(_) => done.store(number, Ordering::SeqCst),
                        Err(Error::Closed) => return,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
            while done.load(Ordering::SeqCst) < round {
                std::hint::spin_loop();
            }
            pager.clone().close().unwrap();
        });
        drop(pager);
        let pager = open(&storage).unwrap();
        let kept = u64::from_le_bytes(first_bytes(&pager, page).unwrap());
        assert_eq!(kept, done.load(Ordering::SeqCst));
    }
}

#[test]
fn notes_alone_do_not_fill_memory() {
    let (_, pager) = new_file();
    for _ in 0..100 {
        pager.begin().commit(&[1; 4096]).unwrap();
    }
    assert!(pager.stats().unwrap().checkpoints > 0);
}

#[test]
fn a_pager_that_is_dropped_writes_what_was_committed() {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"dropped");
    drop(pager);
    let pager = open(&storage).unwrap();
    assert_eq!(&first_bytes(&pager, page).unwrap(), b"dropped");
    assert_eq!(pager.verify().unwrap(), []);
    let again = Pager::open(Arc::new(storage.clone()), Arc::new(Concatenate), Options::default());
    assert!(matches!(again, Err(Error::Locked { .. })));
}
