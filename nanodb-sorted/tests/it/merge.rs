//! An index through commits, flushes and merges, against a set.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use nanodb_sorted::{
    Delta, IndexView, KeyRange, MergeCursor, Operation, Pending, RecordId, Run, verify_run,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{INDEX, Memory, cases, key, record};

type Entry = (Vec<u8>, RecordId);

/// What happens to an index.
#[derive(Clone, Debug)]
enum Event {
    /// A commit: these entries come, or go if they are there.
    Commit(Vec<Index>),
    /// All but the last so many operations go to a run.
    Flush(u64),
    /// Neighbouring runs become one.
    Merge(Index, usize),
    /// What is there now is to be seen later on.
    Snapshot,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => prop::collection::vec(any::<Index>(), 0..30).prop_map(Event::Commit),
        1 => prop::collection::vec(any::<Index>(), 300..600).prop_map(Event::Commit),
        2 => prop_oneof![Just(0), 0..40_u64].prop_map(Event::Flush),
        1 => (any::<Index>(), 2..5_usize).prop_map(|(at, count)| Event::Merge(at, count)),
        1 => Just(Event::Snapshot),
    ]
}

struct Model {
    live: BTreeSet<Entry>,
    /// The newest first.
    runs: Vec<Run>,
    delta: Arc<Delta>,
    until: u64,
}

/// As a commit has left it.
struct State {
    live: BTreeSet<Entry>,
    runs: Arc<[Run]>,
    delta: Arc<Delta>,
    until: u64,
}

impl Model {
    fn toggle(&mut self, pool: &[Entry], picks: &[Index], pending: &mut Pending) {
        for pick in picks {
            let entry = pick.get(pool);
            let removed = self.live.remove(entry);
            if !removed {
                self.live.insert(entry.clone());
            }
            let (key, record) = (&*entry.0, entry.1);
            pending.push(Operation { key, record, removed }).unwrap();
        }
    }

    fn state(&self) -> State {
        State {
            live: self.live.clone(),
            runs: Arc::from(&*self.runs),
            delta: Arc::clone(&self.delta),
            until: self.until,
        }
    }

    fn apply(&mut self, event: &Event, pool: &[Entry], memory: &mut Memory) {
        match event {
            Event::Commit(picks) => {
                let mut pending = Pending::new();
                self.toggle(pool, picks, &mut pending);
                self.until = self.delta.append(&mut pending).unwrap();
            }
            Event::Flush(left) => {
                let until = self.until - left.min(&self.delta.len());
                let run = {
                    let source = Memory::default();
                    let view = IndexView::new(&source, INDEX, Arc::from([]));
                    view.with_delta(&self.delta, until).merge(false).finish(memory).unwrap()
                };
                self.delta = Arc::new(self.delta.since(until).unwrap());
                self.runs.splice(0..0, run);
            }
            Event::Merge(at, count) => {
                if self.runs.len() < 2 {
                    return;
                }
                let first = at.index(self.runs.len());
                let taken = first..(first + count).min(self.runs.len());
                let has_oldest = taken.end == self.runs.len();
                let mut new = Memory { pages: memory.pages.clone(), ..Memory::default() };
                let runs = Arc::from(&self.runs[taken.clone()]);
                let mut merge = IndexView::new(&*memory, INDEX, runs).merge(has_oldest);
                while merge.advance(&mut new, 7).unwrap() {}
                let run = merge.finish(&mut new).unwrap();
                *memory = new;
                if has_oldest {
                    assert!(run.as_ref().is_none_or(|run| run.removed == 0));
                }
                self.runs.splice(taken, run);
            }
            Event::Snapshot => {}
        }
    }
}

fn at(cursor: &MergeCursor<&Memory>) -> Option<Entry> {
    cursor.entry().map(|(key, record)| (key.to_vec(), record))
}

fn position(live: &[Entry], key: &[u8], is_after: bool) -> usize {
    live.partition_point(|(other, _)| &**other < key || (is_after && &**other == key))
}

/// Compares all that a view can be asked with a set.
fn check(view: &IndexView<&Memory>, live: &BTreeSet<Entry>, keys: &[Vec<u8>], steps: &[Step]) {
    let live: Vec<Entry> = live.iter().cloned().collect();
    let mut cursor = view.cursor();
    for entry in &live {
        assert!(cursor.next_entry().unwrap());
        assert_eq!(at(&cursor).as_ref(), Some(entry));
    }
    assert!(!cursor.next_entry().unwrap());
    for entry in live.iter().rev() {
        assert!(cursor.previous_entry().unwrap());
        assert_eq!(at(&cursor).as_ref(), Some(entry));
    }
    assert!(!cursor.previous_entry().unwrap());
    assert_eq!(view.count(KeyRange::ALL).unwrap(), live.len() as u64);

    for key in keys {
        let expected: Vec<&Entry> = live.iter().filter(|(other, _)| other == key).collect();
        let mut found = Vec::new();
        let mut is_there = cursor.find(key).unwrap();
        while is_there {
            found.extend(at(&cursor));
            is_there = cursor.next_entry().unwrap();
        }
        assert!(found.iter().eq(expected.iter().copied()), "{key:?}: {found:?} {expected:?}");
        assert_eq!(view.count(KeyRange::one(key)).unwrap(), expected.len() as u64);
        for is_after in [false, true] {
            let position = position(&live, key, is_after);
            let (start, end) = if is_after {
                (Bound::Excluded(&**key), Bound::Included(&**key))
            } else {
                (Bound::Included(&**key), Bound::Excluded(&**key))
            };
            assert_eq!(cursor.seek(start).unwrap(), position < live.len());
            assert_eq!(at(&cursor).as_ref(), live.get(position));
            assert_eq!(cursor.seek_back(end).unwrap(), position > 0);
            assert_eq!(at(&cursor).as_ref(), live[..position].last());
        }
    }
    for (a, b) in keys.iter().zip(keys.iter().skip(1)) {
        let range = KeyRange { start: Bound::Excluded(a), end: Bound::Included(b) };
        let expected = live.iter().filter(|(key, _)| range.contains(key)).count();
        assert_eq!(view.count(range).unwrap(), expected as u64, "{range:?}");
    }
    walk(view, &live, keys, steps);
}

#[derive(Clone, Debug)]
enum Step {
    Next,
    Previous,
    NextKey,
    PreviousKey,
    SkipTo(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => Just(Step::Next),
        5 => Just(Step::Previous),
        2 => Just(Step::NextKey),
        2 => Just(Step::PreviousKey),
        1 => any::<Index>().prop_map(Step::SkipTo),
    ]
}

/// Goes here and there, with the position beside it: 0 is in front of the first entry.
fn walk(view: &IndexView<&Memory>, live: &[Entry], keys: &[Vec<u8>], steps: &[Step]) {
    let mut cursor = view.cursor();
    let mut place = 0;
    for step in steps {
        let is_entry = (1..=live.len()).contains(&place);
        let key_at = |place: usize| &live[place - 1].0;
        let found = match step {
            Step::Next => {
                place = (place + 1).min(live.len() + 1);
                cursor.next_entry()
            }
            Step::Previous => {
                place = place.saturating_sub(1);
                cursor.previous_entry()
            }
            Step::NextKey => {
                place = match is_entry {
                    true => position(live, key_at(place), true) + 1,
                    false => (place + 1).min(live.len() + 1),
                };
                cursor.next_key()
            }
            Step::PreviousKey => {
                place = match is_entry {
                    true => position(live, key_at(place), false),
                    false => place.saturating_sub(1),
                };
                cursor.previous_key()
            }
            Step::SkipTo(pick) => {
                let key = pick.get(keys);
                place = place.max(position(live, key, false) + 1);
                cursor.skip_to(Bound::Included(key))
            }
        };
        let expected = place.checked_sub(1).and_then(|before| live.get(before));
        assert_eq!(found.unwrap(), expected.is_some(), "{step:?}");
        assert_eq!(at(&cursor).as_ref(), expected, "{step:?}");
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn the_newest_operation_on_an_entry_counts(
        pool in prop_oneof![
            prop::collection::vec((key(), record()), 1..30),
            prop::collection::vec((key(), record()), 200..600),
        ],
        events in prop::collection::vec(event(), 0..25),
        uncommitted in prop::collection::vec(prop::collection::vec(any::<Index>(), 0..20), 0..4),
        others in prop::collection::vec(key(), 6),
        picks in prop::collection::vec(any::<Index>(), 6),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut memory = Memory::default();
        let mut model = Model {
            live: BTreeSet::new(),
            runs: Vec::new(),
            delta: Arc::new(Delta::new(7)),
            until: 7,
        };
        let mut states = Vec::new();
        for event in &events {
            if matches!(event, Event::Snapshot) {
                states.push(model.state());
            }
            model.apply(event, &pool, &mut memory);
        }
        states.push(model.state());
        let mut keys = others;
        keys.extend(picks.iter().map(|pick| pick.get(&pool).0.clone()));

        // Former states see what they saw, though the delta has gone on.
        for state in &states {
            let view = IndexView::new(&memory, INDEX, Arc::clone(&state.runs))
                .with_delta(&state.delta, state.until);
            check(&view, &state.live, &keys, &steps);
            for run in &*state.runs {
                verify_run(&&memory, INDEX, run, &mut |_, _, _| ()).unwrap();
            }
        }
        let mut pending = Pending::new();
        for picks in uncommitted {
            model.toggle(&pool, &picks, &mut pending);
            let view = IndexView::new(&memory, INDEX, Arc::from(&*model.runs))
                .with_delta(&model.delta, model.until)
                .with_pending(&mut pending);
            check(&view, &model.live, &keys, &steps);
        }
    }
}
