//! Closing while calls and transactions are under way.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use nanodb_document::{Document, Error, ErrorKind};

use nanodb_pager::MemoryStorage;

use super::{Closed, Opening};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::testing::Database;
use crate::txn::Txn;

fn is_closed<T>(result: Result<T, impl Into<Error>>) -> bool {
    result.is_err_and(|error| error.into().kind() == ErrorKind::Closed)
}

#[test]
fn a_call_under_way_is_waited_for_and_later_ones_are_refused() {
    let db = Database::in_memory().unwrap();
    let opening: &Opening = db.opening();
    let (entered, enters) = channel();
    let (leave, left) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let _call = opening.enter().unwrap();
            entered.send(()).unwrap();
            left.recv().unwrap();
        });
        enters.recv().unwrap();
        let closing = scope.spawn(|| opening.close());
        while !opening.is_closed() {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(10));
        assert!(!closing.is_finished());
        assert!(is_closed(opening.enter().map(drop)));
        leave.send(()).unwrap();
        assert_eq!(closing.join().unwrap().unwrap(), Closed::File);
    });
    assert!(is_closed(opening.close()));
}

/// The threads of its parent are not there to end their calls.
#[test]
fn a_fork_closes_a_database_in_memory_without_waiting_for_calls_of_its_parent() {
    let storage = Arc::new(MemoryStorage::new());
    let (options, wait) = (nanodb_pager::Options::default(), Duration::ZERO);
    let engine = Engine::open(storage, options, usize::MAX, wait, None, EngineError::from);
    let mut engine = engine.unwrap();
    Arc::get_mut(&mut engine).unwrap().process += 1;
    let opening = Opening::new(engine);
    let call = opening.gate.enter().unwrap();
    let (closed, closes) = channel();
    let closing = Arc::clone(&opening);
    // It is left alone if it waits: no call will end.
    thread::spawn(move || closed.send(closing.close()));
    let closed = closes.recv_timeout(Duration::from_secs(30)).expect("it waits");
    assert_eq!(closed.unwrap(), Closed::File);
    assert!(is_closed(opening.enter().map(drop)));
    assert!(is_closed(opening.close()));
    drop(call);
}

#[test]
fn code_that_a_call_runs_can_not_close_and_is_told_so() {
    let (db, other) = (Database::in_memory().unwrap(), Database::in_memory().unwrap());
    let call = db.opening().enter().unwrap();
    for opening in [db.opening(), other.opening()] {
        assert!(matches!(opening.close(), Err(EngineError::CloseWithinCall)));
        assert!(!opening.is_closed());
    }
    drop(call);
    assert_eq!(other.opening().close().unwrap(), Closed::File);
    assert_eq!(db.opening().close().unwrap(), Closed::File);
}

#[test]
fn code_that_a_call_asks_between_its_steps_may_close_and_ends_the_call() {
    let db = Database::in_memory().unwrap();
    let mut steps = 0;
    let asked = db.opening().enter_in_steps(
        &mut |()| {
            steps += 1;
            if steps == 2 {
                db.opening().close().unwrap();
            }
            ControlFlow::Continue(())
        },
        |ask| {
            let asked = [(); 3].map(|()| ask(()).is_continue());
            assert_eq!(asked, [true, false, false]);
            Ok(())
        },
    );
    assert!(is_closed(asked));
}

/// The closing waits for the insert, and the insert for a lock that nobody would give up.
#[test]
fn a_transaction_that_holds_what_a_call_waits_for_is_ended_first() {
    let db = Database::in_memory().unwrap();
    let collection = db.collection("c");
    let txn = Txn::new(Arc::clone(db.opening()));
    txn.lock("c").unwrap();
    thread::scope(|scope| {
        let inserting = scope.spawn(|| {
            let _call = db.opening().enter()?;
            collection.insert(Document::new())
        });
        thread::sleep(Duration::from_millis(20));
        assert!(!inserting.is_finished());
        assert_eq!(db.opening().close().unwrap(), Closed::File);
        inserting.join().unwrap().unwrap();
    });
    assert!(is_closed(txn.lock("c")));
    assert!(txn.is_finished());
    assert!(txn.conflict().is_none());
    assert!(is_closed(txn.commit()));
}

/// The one that is waiting when the closing begins ends itself when it has the lock.
#[test]
fn transactions_that_wait_for_each_other_are_all_ended() {
    let db = Database::in_memory().unwrap();
    let first = Txn::new(Arc::clone(db.opening()));
    first.lock("c").unwrap();
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let txn = Txn::new(Arc::clone(db.opening()));
                    let locked = txn.lock("c");
                    // Kept, and not used any more.
                    (txn, locked)
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(20));
        assert_eq!(db.opening().close().unwrap(), Closed::File);
        for waiting in waiting {
            let (txn, _) = waiting.join().unwrap();
            assert!(txn.is_finished());
            assert!(is_closed(txn.commit()));
        }
    });
    assert!(first.give_up_published().is_ok());
}

#[test]
fn a_transaction_that_begins_too_late_is_over_and_so_is_a_scan_of_one() {
    let db = Database::in_memory().unwrap();
    let c = db.collection("c");
    c.insert_many((0..2000).map(|_| Document::new())).unwrap();
    let txn = Txn::new(Arc::clone(db.opening()));
    let mut scan = txn.scan(&"c".into()).unwrap();
    assert!(scan.next().unwrap().is_some());
    let mut of_newest = c.scan().unwrap();
    assert_eq!(db.opening().close().unwrap(), Closed::File);
    assert!(is_closed(scan.next().map(drop)));
    // The page that it is on is there; of others the locks are gone.
    let ended = loop {
        match scan.next_that(|_| Ok::<_, EngineError>(true)) {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert!(is_closed(ended));
    assert!(is_closed(of_newest.next().map(drop)));
    assert!(is_closed(of_newest.for_each(|_| ())));
    let late = Txn::new(Arc::clone(db.opening()));
    assert!(late.is_finished());
    late.set_durability(nanodb_pager::Durability::Relaxed);
    assert!(is_closed(late.lock("c")));
}
