//! The anomalies that do not happen, by the names of the Hermitage tests, which are Adya's.
//!
//! A transaction locks each collection when it first reads or writes it. So with one
//! collection the second transaction waits at its first step; with two the steps do
//! interleave, and where they would come to an anomaly, they close a circle, and one of
//! the transactions is refused. Reads outside of transactions see what is committed, and
//! wait for nobody.

use std::sync::Barrier;
use std::thread;

use nanodb::{Database, Error};

use super::session::{Session, call_waits_for};
use super::{all, doc, find, get, in_one_collection, in_two_collections, set, value, values};

#[test]
fn g0_write_cycles_of_two_writers_of_one_collection_the_second_waits() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        first.run(|tx| set(tx, "test", 1, 11)).unwrap();
        let waiting = second.wait_for(&first, |tx| set(tx, "test", 1, 12));
        first.run(|tx| set(tx, "test", 2, 21)).unwrap();
        waiting.assert_waits();
        first.commit().unwrap();
        waiting.done().unwrap();
        assert_eq!(all(db, "test"), [(1, 11), (2, 21)]);
        second.run(|tx| set(tx, "test", 2, 22)).unwrap();
        second.commit().unwrap();
        assert_eq!(all(db, "test"), [(1, 12), (2, 22)]);
    });
}

#[test]
fn g0_write_cycles_of_two_writers_across_two_collections_one_is_refused() {
    in_two_collections(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        first.run(|tx| set(tx, "a", 1, 11)).unwrap();
        second.run(|tx| set(tx, "b", 2, 22)).unwrap();
        let waiting = first.wait_for(&second, |tx| set(tx, "b", 2, 21));
        second.conflict_in(|tx| set(tx, "a", 1, 12));
        waiting.done().unwrap();
        first.commit().unwrap();
        assert_eq!((all(db, "a"), all(db, "b")), (vec![(1, 11)], vec![(2, 21)]));
    });
}

#[test]
fn g1a_aborted_reads_what_is_rolled_back_is_seen_by_nobody() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        first.run(|tx| set(tx, "test", 1, 101)).unwrap();
        let waiting = second.wait_for(&first, |tx| find(tx, "test", |_| true));
        let snapshot = db.snapshot();
        assert_eq!(value(db.collection("test").get(1).unwrap()), Some(10));
        assert_eq!(all(db, "test"), [(1, 10), (2, 20)]);
        waiting.assert_waits();
        first.rollback();
        assert_eq!(waiting.done().unwrap(), [(1, 10), (2, 20)]);
        second.commit().unwrap();
        assert_eq!(values(snapshot.collection("test").iter().unwrap()), [(1, 10), (2, 20)]);
        assert_eq!(all(db, "test"), [(1, 10), (2, 20)]);
    });
}

#[test]
fn g1b_intermediate_reads_only_the_last_of_several_changes_is_ever_seen() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        first.run(|tx| set(tx, "test", 1, 101)).unwrap();
        let waiting = second.wait_for(&first, |tx| get(tx, "test", 1));
        let snapshot = db.snapshot().collection("test");
        assert_eq!(value(db.collection("test").get(1).unwrap()), Some(10));
        first.run(|tx| set(tx, "test", 1, 11)).unwrap();
        assert_eq!(value(db.collection("test").get(1).unwrap()), Some(10));
        first.commit().unwrap();
        assert_eq!(waiting.done().unwrap(), Some(11));
        second.commit().unwrap();
        assert_eq!(value(db.collection("test").get(1).unwrap()), Some(11));
        assert_eq!(value(snapshot.get(1).unwrap()), Some(10));
    });
}

#[test]
fn g1c_circular_information_flow_of_two_that_want_each_others_changes_one_is_refused() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        first.run(|tx| set(tx, "test", 1, 11)).unwrap();
        let waiting = second.wait_for(&first, |tx| set(tx, "test", 2, 22));
        assert_eq!(first.run(|tx| get(tx, "test", 2)).unwrap(), Some(20));
        first.commit().unwrap();
        waiting.done().unwrap();
        assert_eq!(second.run(|tx| get(tx, "test", 1)).unwrap(), Some(11));
        second.commit().unwrap();
    });
    in_two_collections(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        first.run(|tx| set(tx, "a", 1, 11)).unwrap();
        second.run(|tx| set(tx, "b", 2, 22)).unwrap();
        let waiting = first.wait_for(&second, |tx| get(tx, "b", 2));
        second.conflict_in(|tx| get(tx, "a", 1));
        assert_eq!(waiting.done().unwrap(), Some(20));
        first.commit().unwrap();
        assert_eq!((all(db, "a"), all(db, "b")), (vec![(1, 11)], vec![(2, 20)]));
    });
}

#[test]
fn otv_observed_transaction_vanishes_a_reader_sees_one_commit_or_the_next_and_no_mixture() {
    in_one_collection(|db| {
        let [first, second, third] = [(); 3].map(|()| Session::begin(db));
        let before = db.snapshot().collection("test");
        first.run(|tx| set(tx, "test", 1, 11)).unwrap();
        first.run(|tx| set(tx, "test", 2, 19)).unwrap();
        let waiting = second.wait_for(&first, |tx| set(tx, "test", 1, 12));
        first.commit().unwrap();
        waiting.done().unwrap();
        let between = db.snapshot().collection("test");
        let reading = third.wait_for(&second, |tx| find(tx, "test", |_| true));
        assert_eq!(value(between.get(1).unwrap()), Some(11));
        second.run(|tx| set(tx, "test", 2, 18)).unwrap();
        assert_eq!(value(between.get(2).unwrap()), Some(19));
        reading.assert_waits();
        second.commit().unwrap();
        assert_eq!(reading.done().unwrap(), [(1, 12), (2, 18)]);
        third.commit().unwrap();
        assert_eq!(values(between.iter().unwrap()), [(1, 11), (2, 19)]);
        assert_eq!(values(before.iter().unwrap()), [(1, 10), (2, 20)]);
    });
}

#[test]
fn pmp_predicate_many_preceders_nothing_that_matches_appears_while_one_reads() {
    in_one_collection(|db| {
        let reader = Session::begin(db);
        let snapshot = db.snapshot().collection("test");
        assert_eq!(reader.run(|tx| find(tx, "test", |value| value == 30)).unwrap(), []);
        let test = db.collection("test");
        let inserting = call_waits_for(&reader, move || test.insert(doc(3, 30)));
        assert_eq!(reader.run(|tx| find(tx, "test", |value| value % 3 == 0)).unwrap(), []);
        inserting.assert_waits();
        reader.commit().unwrap();
        inserting.done().unwrap();
        assert_eq!(all(db, "test"), [(1, 10), (2, 20), (3, 30)]);
        assert_eq!(values(snapshot.iter().unwrap()), [(1, 10), (2, 20)]);
        assert_eq!(snapshot.count().unwrap(), 2);
    });
}

#[test]
fn pmp_predicate_many_preceders_what_to_delete_is_looked_for_after_others_have_changed_it() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        first
            .run(|tx| {
                find(tx, "test", |_| true)?
                    .into_iter()
                    .try_for_each(|(id, value)| set(tx, "test", id, value + 10))
            })
            .unwrap();
        let deleting = second.wait_for(&first, |tx| {
            let found = find(tx, "test", |value| value == 20)?;
            for &(id, _) in &found {
                assert!(tx.collection("test").delete(id)?);
            }
            Ok::<_, Error>(found)
        });
        assert_eq!(all(db, "test"), [(1, 10), (2, 20)]);
        first.commit().unwrap();
        assert_eq!(deleting.done().unwrap(), [(1, 20)]);
        assert_eq!(second.run(|tx| find(tx, "test", |_| true)).unwrap(), [(2, 30)]);
        second.commit().unwrap();
        assert_eq!(all(db, "test"), [(2, 30)]);
    });
}

#[test]
fn p4_lost_update_the_second_reads_what_the_first_has_written() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        assert_eq!(first.run(|tx| get(tx, "test", 1)).unwrap(), Some(10));
        let reading = second.wait_for(&first, |tx| get(tx, "test", 1));
        first.run(|tx| set(tx, "test", 1, 11)).unwrap();
        reading.assert_waits();
        first.commit().unwrap();
        let found = reading.done().unwrap();
        assert_eq!(found, Some(11));
        second.run(move |tx| set(tx, "test", 1, found.unwrap() + 1)).unwrap();
        second.commit().unwrap();
        assert_eq!(all(db, "test"), [(1, 12), (2, 20)]);
    });
}

#[test]
fn p4_lost_update_what_many_threads_add_adds_up() {
    in_one_collection(|db| {
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..200 {
                        db.write(|tx| {
                            let found = get(tx, "test", 1)?.unwrap();
                            thread::yield_now();
                            set(tx, "test", 1, found + 1)
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(all(db, "test"), [(1, 810), (2, 20)]);
    });
}

#[test]
fn g_single_read_skew_a_snapshot_sees_no_part_of_what_is_committed_after_it() {
    in_two_collections(|db| {
        let snapshot = db.snapshot();
        assert_eq!(value(snapshot.collection("a").get(1).unwrap()), Some(10));
        let writer = Session::begin(db);
        writer.run(|tx| set(tx, "a", 1, 12)).unwrap();
        writer.run(|tx| set(tx, "b", 2, 18)).unwrap();
        writer.commit().unwrap();
        assert_eq!(value(snapshot.collection("b").get(2).unwrap()), Some(20));
        assert_eq!(values(snapshot.collection("b").iter().unwrap()), [(2, 20)]);
        assert_eq!(value(db.snapshot().collection("b").get(2).unwrap()), Some(18));
    });
}

#[test]
fn g_single_read_skew_a_transaction_keeps_others_from_changing_what_it_has_read() {
    in_one_collection(|db| {
        let (reader, writer) = (Session::begin(db), Session::begin(db));
        assert_eq!(reader.run(|tx| get(tx, "test", 1)).unwrap(), Some(10));
        let waiting = writer.wait_for(&reader, |tx| {
            set(tx, "test", 1, 12)?;
            set(tx, "test", 2, 18)
        });
        assert_eq!(reader.run(|tx| get(tx, "test", 2)).unwrap(), Some(20));
        waiting.assert_waits();
        reader.commit().unwrap();
        waiting.done().unwrap();
        writer.commit().unwrap();
        assert_eq!(all(db, "test"), [(1, 12), (2, 18)]);
    });
    in_two_collections(|db| {
        let (reader, writer) = (Session::begin(db), Session::begin(db));
        assert_eq!(reader.run(|tx| get(tx, "a", 1)).unwrap(), Some(10));
        writer.run(|tx| set(tx, "b", 2, 18)).unwrap();
        let waiting = writer.wait_for(&reader, |tx| set(tx, "a", 1, 12));
        // It would see the one change and not the other.
        reader.conflict_in(|tx| get(tx, "b", 2));
        waiting.done().unwrap();
        writer.commit().unwrap();
        assert_eq!((all(db, "a"), all(db, "b")), (vec![(1, 12)], vec![(2, 18)]));
    });
}

#[test]
fn g_single_read_skew_with_predicates_is_kept_out_like_any() {
    in_one_collection(|db| {
        let (reader, writer) = (Session::begin(db), Session::begin(db));
        let found = reader.run(|tx| find(tx, "test", |value| value % 5 == 0)).unwrap();
        assert_eq!(found, [(1, 10), (2, 20)]);
        let waiting = writer.wait_for(&reader, |tx| {
            let found = find(tx, "test", |value| value == 10)?;
            found.into_iter().try_for_each(|(id, _)| set(tx, "test", id, 12))
        });
        assert_eq!(reader.run(|tx| find(tx, "test", |value| value % 3 == 0)).unwrap(), []);
        waiting.assert_waits();
        reader.commit().unwrap();
        waiting.done().unwrap();
        writer.commit().unwrap();
        assert_eq!(all(db, "test"), [(1, 12), (2, 20)]);
    });
}

#[test]
fn g_single_read_skew_what_is_deleted_by_a_predicate_is_what_was_read_before() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        assert_eq!(first.run(|tx| get(tx, "test", 1)).unwrap(), Some(10));
        let waiting = second.wait_for(&first, |tx| {
            let seen = find(tx, "test", |_| true)?;
            seen.iter().try_for_each(|&(id, value)| set(tx, "test", id, value + 1))?;
            Ok::<_, Error>(seen)
        });
        let deleted = first.run(|tx| {
            let found = find(tx, "test", |value| value == 20)?;
            found.iter().try_for_each(|&(id, _)| tx.collection("test").delete(id).map(|_| ()))?;
            Ok::<_, Error>(found)
        });
        assert_eq!(deleted.unwrap(), [(2, 20)]);
        waiting.assert_waits();
        first.commit().unwrap();
        assert_eq!(waiting.done().unwrap(), [(1, 10)]);
        second.commit().unwrap();
        assert_eq!(all(db, "test"), [(1, 11)]);
    });
}

#[test]
fn g2_item_write_skew_of_two_who_read_what_the_other_writes_one_waits_or_is_refused() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        assert_eq!(first.run(|tx| get(tx, "test", 1)).unwrap(), Some(10));
        let waiting = second
            .wait_for(&first, |tx| Ok::<_, Error>((get(tx, "test", 1)?, get(tx, "test", 2)?)));
        assert_eq!(first.run(|tx| get(tx, "test", 2)).unwrap(), Some(20));
        first.run(|tx| set(tx, "test", 1, 11)).unwrap();
        waiting.assert_waits();
        first.commit().unwrap();
        assert_eq!(waiting.done().unwrap(), (Some(11), Some(20)));
        second.run(|tx| set(tx, "test", 2, 21)).unwrap();
        second.commit().unwrap();
        assert_eq!(all(db, "test"), [(1, 11), (2, 21)]);
    });
    in_two_collections(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        assert_eq!(first.run(|tx| get(tx, "a", 1)).unwrap(), Some(10));
        assert_eq!(second.run(|tx| get(tx, "b", 2)).unwrap(), Some(20));
        // Each would write what the other has read.
        let waiting = first.wait_for(&second, |tx| set(tx, "b", 2, 21));
        second.conflict_in(|tx| set(tx, "a", 1, 11));
        waiting.done().unwrap();
        first.commit().unwrap();
        assert_eq!((all(db, "a"), all(db, "b")), (vec![(1, 10)], vec![(2, 21)]));
    });
}

#[test]
fn g2_item_write_skew_of_two_on_call_one_stays_with_retries() {
    for (db, _dir) in super::databases() {
        for round in 0..50 {
            let _ = (db.drop_collection("a").unwrap(), db.drop_collection("b").unwrap());
            db.collection("a").insert(doc(1, 1)).unwrap();
            db.collection("b").insert(doc(2, 1)).unwrap();
            let start = Barrier::new(2);
            let leave = |own: (&'static str, i64), other: (&'static str, i64)| {
                let (db, start) = (&db, &start);
                move || {
                    start.wait();
                    db.write(|tx| {
                        if get(tx, other.0, other.1)? == Some(1) {
                            thread::yield_now();
                            set(tx, own.0, own.1, 0)?;
                        }
                        Ok::<_, Error>(())
                    })
                    .unwrap();
                }
            };
            thread::scope(|scope| {
                scope.spawn(leave(("a", 1), ("b", 2)));
                scope.spawn(leave(("b", 2), ("a", 1)));
            });
            let on_call = all(&db, "a")[0].1 + all(&db, "b")[0].1;
            assert_eq!(on_call, 1, "round {round}");
        }
    }
}

#[test]
fn g2_anti_dependency_cycles_of_two_who_insert_what_the_other_found_none_of_one_finds_it() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        let thirds = |value: i64| value % 3 == 0;
        assert_eq!(first.run(move |tx| find(tx, "test", thirds)).unwrap(), []);
        let waiting = second.wait_for(&first, move |tx| find(tx, "test", thirds));
        first.run(|tx| tx.collection("test").insert(doc(3, 30))).unwrap();
        waiting.assert_waits();
        first.commit().unwrap();
        assert_eq!(waiting.done().unwrap(), [(3, 30)]);
        second.commit().unwrap();
    });
    in_two_collections(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        assert_eq!(first.run(|tx| find(tx, "a", |value| value == 30)).unwrap(), []);
        assert_eq!(second.run(|tx| find(tx, "b", |value| value == 42)).unwrap(), []);
        let waiting = first.wait_for(&second, |tx| tx.collection("b").insert(doc(3, 42)));
        second.conflict_in(|tx| tx.collection("a").insert(doc(4, 30)));
        waiting.done().unwrap();
        first.commit().unwrap();
        assert_eq!((all(db, "a"), all(db, "b")), (vec![(1, 10)], vec![(2, 20), (3, 42)]));
    });
}

#[test]
fn g2_a_collection_that_was_found_missing_is_not_made_by_another_meanwhile() {
    for (db, _dir) in super::databases() {
        let first = Session::begin(&db);
        assert_eq!(first.run(|tx| tx.collection("new").count()).unwrap(), 0);
        let new = db.collection("new");
        let waiting = call_waits_for(&first, move || new.insert(doc(1, 1)));
        first.run(|tx| tx.collection("log").insert(doc(1, 0))).unwrap();
        assert_eq!(first.run(|tx| tx.collection("new").count()).unwrap(), 0);
        waiting.assert_waits();
        first.commit().unwrap();
        waiting.done().unwrap();
        assert_eq!((all(&db, "new"), all(&db, "log")), (vec![(1, 1)], vec![(1, 0)]));
    }
}

/// Fekete, O'Neil and O'Neil: a reader alone can make two writers that are serializable by
/// themselves not so, where it sees the second's commit and not the first's.
#[test]
fn g2_two_edges_a_snapshot_shows_the_commits_in_the_order_in_which_they_are_serializable() {
    in_one_collection(|db| {
        let (first, second) = (Session::begin(db), Session::begin(db));
        assert_eq!(first.run(|tx| find(tx, "test", |_| true)).unwrap(), [(1, 10), (2, 20)]);
        let waiting = second.wait_for(&first, |tx| {
            let found = get(tx, "test", 2)?.unwrap();
            set(tx, "test", 2, found + 5)
        });
        let seen = |db: &Database| values(db.snapshot().collection("test").iter().unwrap());
        assert_eq!(seen(db), [(1, 10), (2, 20)]);
        first.run(|tx| set(tx, "test", 1, 0)).unwrap();
        assert_eq!(seen(db), [(1, 10), (2, 20)]);
        first.commit().unwrap();
        waiting.done().unwrap();
        assert_eq!(seen(db), [(1, 0), (2, 20)]);
        second.commit().unwrap();
        assert_eq!(seen(db), [(1, 0), (2, 25)]);
    });
}
