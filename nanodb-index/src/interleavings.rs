//! The writer and a reader beside it, in every order.
//!
//! The index is a small one: buckets of two entries, windows of two buckets, groups of four,
//! which split at the eighth entry.

use std::sync::Arc;

use nanodb_loom::{every_interleaving, interleavings, thread};

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::{Change, IdIndex, IndexMemory, KeyHash, NotLoaded, RecordId};

/// A hash whose key begins with these four bits: where its entry is at home.
fn hash(bits: u32, number: u32) -> KeyHash {
    KeyHash::from_bits(bits << 28 | (number + 1))
}

fn record_id(page: u32) -> RecordId {
    RecordId { page, slot: 5 }
}

fn is_found(index: &IdIndex, hash: KeyHash, wanted: RecordId) -> bool {
    find(index, hash, |record_id| (record_id == wanted).then_some(())).is_some()
}

/// Looks up what is all there.
fn find<R>(index: &IdIndex, hash: KeyHash, probe: impl FnMut(RecordId) -> Option<R>) -> Option<R> {
    index.look_up(hash, probe).unwrap()
}

/// Runs `write` beside a reader that must find the entries of `stays` each time.
fn all_are_found_beside(
    interruptions_max: usize,
    stays: impl Fn(&IdIndex) -> Vec<(KeyHash, RecordId)> + Sync + Send + 'static,
    write: impl Fn(&IdIndex) + Copy + Sync + Send + 'static,
) {
    interleavings(interruptions_max, move || {
        let index = Arc::new(IdIndex::new());
        let stays = stays(&index);
        let writer = {
            let index = Arc::clone(&index);
            thread::spawn(move || write(&index))
        };
        for &(hash, record_id) in &stays {
            assert!(is_found(&index, hash, record_id), "{record_id:?} is missed");
        }
        writer.join().unwrap();
        for &(hash, record_id) in &stays {
            assert!(is_found(&index, hash, record_id), "{record_id:?} is gone");
        }
    });
}

/// Adds an entry at home in each of these places, on pages from 1 up.
fn fill(index: &IdIndex, homes: &[u32]) -> Vec<(KeyHash, RecordId)> {
    let entries: Vec<_> =
        (1..).zip(homes).map(|(page, &bits)| (hash(bits, page), record_id(page))).collect();
    entries.iter().for_each(|&(hash, record_id)| index.write().insert(hash, record_id));
    entries
}

#[test]
fn who_finds_an_entry_sees_what_its_writer_did_before() {
    for slot in [5, RecordId::SLOTS] {
        every_interleaving(move || {
            let index = Arc::new(IdIndex::new());
            let page = Arc::new(AtomicU32::new(0));
            // Room is there already: the index itself need not grow, which orders more.
            for page in [2, 3] {
                index.write().insert(hash(8, page), RecordId { page, slot });
            }
            let entry = (hash(0, 1), RecordId { page: 1, slot });
            index.write().insert(entry.0, RecordId { page: 4, slot });
            assert!(index.write().remove(entry.0, RecordId { page: 4, slot }));
            let writer = {
                let (index, page) = (Arc::clone(&index), Arc::clone(&page));
                thread::spawn(move || {
                    // Relaxed: only the index orders it.
                    page.store(7, Ordering::Relaxed);
                    index.write().insert(entry.0, entry.1);
                })
            };
            if is_found(&index, entry.0, entry.1) {
                assert_eq!(page.load(Ordering::Relaxed), 7);
            }
            writer.join().unwrap();
            assert!(is_found(&index, entry.0, entry.1));
        });
    }
}

#[test]
fn a_document_that_moves_there_and_back_is_always_found() {
    every_interleaving(|| {
        let index = Arc::new(IdIndex::new());
        // At even states the document is at the first place, at odd ones at the second.
        let published = Arc::new(AtomicU64::new(0));
        let (id, record_ids) = (hash(0, 1), [record_id(1), record_id(2)]);
        index.write().insert(id, record_ids[0]);
        let writer = {
            let (index, published) = (Arc::clone(&index), Arc::clone(&published));
            thread::spawn(move || {
                for (state, from, to) in [(1, 0, 1), (2, 1, 0)] {
                    index.write().insert(id, record_ids[to]);
                    published.store(state, Ordering::Release);
                    assert!(index.write().retire(id, record_ids[from]));
                }
            })
        };
        loop {
            let moves = index.moves();
            let state = published.load(Ordering::Acquire);
            if is_found(&index, id, record_ids[usize::from(state % 2 != 0)]) {
                break;
            }
            assert_ne!(index.moves(), moves, "missed, and nothing moved");
        }
        writer.join().unwrap();
        assert_eq!(index.len(), 1);
    });
}

#[test]
fn an_entry_that_is_relocated_is_found_here_or_there() {
    every_interleaving(|| {
        let index = Arc::new(IdIndex::new());
        let id = hash(0, 1);
        index.write().insert(id, record_id(1));
        let writer = {
            let index = Arc::clone(&index);
            thread::spawn(move || {
                let mut writer = index.write();
                writer.insert(id, record_id(2));
                assert!(writer.retire(id, record_id(1)));
            })
        };
        loop {
            let moves = index.moves();
            if find(&index, id, Some).is_some() {
                break;
            }
            assert_ne!(index.moves(), moves, "missed, and nothing moved");
        }
        writer.join().unwrap();
        assert_eq!(find(&index, id, Some), Some(record_id(2)));
    });
}

#[test]
fn entries_are_found_while_their_group_is_widened() {
    all_are_found_beside(
        3,
        |index| fill(index, &[0]),
        |index| index.write().insert(hash(0, 9), record_id(9)),
    );
}

/// All keys are in the first half, so that half is split at once too, into memory that the
/// whole group has just given up.
#[test]
fn entries_are_found_while_their_group_is_split_and_its_memory_is_used_again() {
    all_are_found_beside(
        2,
        |index| {
            let entries = fill(index, &[0, 1, 2, 4, 5, 6, 7]);
            vec![entries[0], entries[6]]
        },
        |index| index.write().insert(hash(3, 9), record_id(9)),
    );
}

/// Three entries are at home in the first bucket, which holds two.
#[test]
fn an_entry_is_found_while_it_goes_back_to_its_home() {
    all_are_found_beside(
        3,
        |index| fill(index, &[0, 0, 0])[2..].to_vec(),
        |index| assert!(index.write().remove(hash(0, 1), record_id(1))),
    );
}

/// The first two buckets are full, and a third entry is at home in the first.
#[test]
fn an_entry_is_found_while_it_makes_room_for_another() {
    all_are_found_beside(
        3,
        |index| fill(index, &[0, 0, 4, 4]),
        |index| index.write().insert(hash(0, 9), record_id(9)),
    );
}

#[test]
fn entries_in_the_stash_are_found_while_others_come_and_go() {
    let odd = |page| RecordId { page, slot: RecordId::SLOTS };
    all_are_found_beside(
        3,
        move |index| {
            index.write().insert(hash(0, 8), odd(8));
            index.write().insert(hash(0, 1), odd(1));
            vec![(hash(0, 1), odd(1))]
        },
        move |index| {
            assert!(index.write().remove(hash(0, 8), odd(8)));
            index.write().insert(hash(0, 9), odd(9));
        },
    );
}

/// The first part of the list of their key is full.
#[test]
fn entries_in_the_stash_are_found_while_the_list_of_their_key_grows() {
    let odd = |page| RecordId { page, slot: RecordId::SLOTS };
    all_are_found_beside(
        3,
        move |index| {
            let entries = [1, 2].map(|page| (hash(0, 1), odd(page)));
            entries.iter().for_each(|&(hash, record_id)| index.write().insert(hash, record_id));
            entries[1..].to_vec()
        },
        move |index| {
            index.write().insert(hash(0, 1), odd(3));
            assert!(index.write().remove(hash(0, 1), odd(1)));
            index.write().insert(hash(0, 1), odd(4));
        },
    );
}

/// The entries of an index of which parts are dropped and loaded are found, or said not to be
/// there.
#[test]
fn entries_are_found_or_not_loaded_while_their_group_is_dropped_and_loaded() {
    interleavings(3, || {
        let index = Arc::new(IdIndex::within(&IndexMemory::with_marks()));
        let entry = fill(&index, &[0, 0, 4])[1];
        let writer = {
            let index = Arc::clone(&index);
            thread::spawn(move || {
                let (entries, _) = index.write().entries_at(hash(0, 1)).unwrap();
                while index.write().drop_one(hash(15, 0)) {}
                index.write().drop_unused(None, true);
                let added = |&(key, record_id): &(KeyHash, RecordId)| Change {
                    key,
                    record_id,
                    removed: false,
                };
                let entries: Vec<Change> = entries.iter().map(added).collect();
                if let Some(range) = index.absent_range(hash(0, 1)) {
                    assert!(index.write().load(range, &entries));
                }
            })
        };
        let seen = |record_id| (record_id == entry.1).then_some(());
        let found = index.look_up(entry.0, seen);
        assert!(matches!(found, Ok(Some(())) | Err(NotLoaded)), "missed, and nobody says why");
        writer.join().unwrap();
        assert!(is_found(&index, entry.0, entry.1));
    });
}

/// What one index drops goes to another, beside a reader of the first.
#[test]
fn a_reader_is_not_misled_by_memory_that_another_index_has_taken_over() {
    interleavings(3, || {
        let memory = IndexMemory::default();
        let index = Arc::new(IdIndex::within(&memory));
        let other = IdIndex::within(&memory);
        let entry = fill(&index, &[0, 0, 4])[1];
        let writer = {
            let index = Arc::clone(&index);
            thread::spawn(move || {
                index.write().drop_unused(None, true);
                fill(&other, &[0, 0, 4]);
                assert_eq!(other.len(), 3);
            })
        };
        let found = index.look_up(entry.0, |record_id| (record_id == entry.1).then_some(()));
        assert!(matches!(found, Ok(Some(())) | Err(NotLoaded)), "missed, and nobody says why");
        writer.join().unwrap();
    });
}

/// A document moves while a checkpoint saves the index with its new record id in it: whoever loads
/// the group waits until that is published, and finds it.
#[test]
fn a_group_that_is_loaded_beside_a_move_and_a_checkpoint_has_the_document() {
    interleavings(2, || {
        let index = Arc::new(IdIndex::absent(0));
        let published = Arc::new(AtomicU64::new(0));
        let installed = Arc::new(AtomicU64::new(0));
        // What is saved, and as of which commit.
        let base = Arc::new(nanodb_loom::Mutex::new((0_u64, record_id(1))));
        let id = hash(0, 1);
        let change = move |record_id, removed| Change { key: id, record_id, removed };
        let committer = {
            let (index, published) = (Arc::clone(&index), Arc::clone(&published));
            let installed = Arc::clone(&installed);
            thread::spawn(move || {
                installed.store(1, Ordering::Release);
                let mut writer = index.write();
                writer.record(1, change(record_id(1), true));
                writer.record(1, change(record_id(2), false));
                writer.insert(id, record_id(2));
                writer.set_pending(Some(1));
                drop(writer);
                published.store(1, Ordering::Release);
                let mut writer = index.write();
                writer.retire(id, record_id(1));
                writer.set_pending(None);
            })
        };
        let checkpoint = {
            let (base, installed) = (Arc::clone(&base), Arc::clone(&installed));
            thread::spawn(move || {
                if installed.load(Ordering::Acquire) == 1 {
                    *base.lock() = (1, record_id(2));
                }
            })
        };
        loop {
            let moves = index.moves();
            let at = published.load(Ordering::Acquire);
            match index.look_up(id, |found| (found == record_id(1 + at as u32)).then_some(())) {
                Ok(Some(())) => break,
                Ok(None) => assert_ne!(index.moves(), moves, "missed, and nothing moved"),
                Err(NotLoaded) => {
                    let saved = *base.lock();
                    if saved.0 > published.load(Ordering::Acquire) {
                        thread::yield_now();
                        continue;
                    }
                    if let Some(range) = index.absent_range(id) {
                        let mut writer = index.write();
                        let recorded = writer.recorded(range);
                        let entries = crate::run::apply(&[change(saved.1, false)], &recorded);
                        writer.load(range, &entries);
                    }
                }
            }
        }
        committer.join().unwrap();
        checkpoint.join().unwrap();
    });
}
