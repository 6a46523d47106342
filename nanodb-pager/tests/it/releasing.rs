//! A file that is released while transactions are open: they leave it to whoever has it next.

use std::thread;
use std::time::Duration;

use nanodb_pager::{Error, Pager, Storage as _, WriteTx};
use nanodb_sim::{CallKind, SimStorage};

use crate::support::{KIND, OWNER, add_page, new_file};

/// So many pages are far more than a transaction keeps in memory with the smallest cache.
const MANY: u32 = 60;

#[test]
fn an_open_transaction_makes_no_file_longer_that_is_released() {
    let (storage, pager) = new_file();
    add_page(&pager, b"first");
    let mut tx = pager.begin();
    pager.clone().close().unwrap();
    pager.release().unwrap();
    let before = storage.files();
    assert!(matches!(tx.allocate_extent(MANY), Err(Error::Closed)));
    drop(tx);
    assert!(storage.files() == before);
}

/// Releases the file while `act` is held in a call of this kind, and lets that go on.
fn release_during(
    kind: CallKind,
    storage: &SimStorage,
    pager: &Pager,
    act: impl FnOnce() -> Result<(), Error> + Send,
) {
    let hold = storage.hold(kind);
    thread::scope(|scope| {
        let acting = scope.spawn(act);
        while storage.held() == 0 {
            thread::yield_now();
        }
        let releasing = scope.spawn(|| pager.release());
        while !matches!(pager.sync(), Err(Error::Closed)) {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(20));
        assert!(!releasing.is_finished(), "it is being written");
        assert!(!storage.clone().lock().unwrap(), "it is locked until it is written");
        drop(hold);
        releasing.join().unwrap().unwrap();
        assert!(storage.clone().lock().unwrap());
        let acted = acting.join().unwrap();
        assert!(matches!(acted, Ok(()) | Err(Error::Closed)), "{acted:?}");
    });
}

#[test]
fn a_transaction_that_is_making_the_file_longer_is_waited_for_before_it_is_released() {
    let (storage, pager) = new_file();
    add_page(&pager, b"first");
    let mut tx = pager.begin();
    release_during(CallKind::SetLen, &storage, &pager, || tx.allocate_extent(MANY).map(drop));
}

#[test]
fn a_transaction_that_is_writing_new_pages_is_waited_for_before_the_file_is_released() {
    let (storage, pager) = new_file();
    add_page(&pager, b"first");
    let mut tx: WriteTx = pager.begin();
    let extent = tx.allocate_extent(MANY).unwrap();
    release_during(CallKind::Write, &storage, &pager, || {
        let mut pages = (0..MANY).filter_map(|index| extent.page(index));
        pages.try_for_each(|page| tx.init_page(page, KIND, OWNER).map(drop))
    });
}
