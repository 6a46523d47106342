//! What a child process writes, and what each number of its commits comes to.

use std::collections::BTreeMap;

use nanodb::{Database, Document, Error, doc};
use nanodb_sim::Random;

/// How many commits a workload has.
pub(crate) const COMMITS: u64 = 60;

/// The documents, by id, and by which commit each was written.
pub(crate) type State = BTreeMap<i64, i64>;

/// What a commit does.
enum Commit {
    Put(i64),
    Delete(i64),
    Load(std::ops::Range<i64>),
}

/// Returns what commit `number` of a workload does to a state.
fn commit(seed: u64, number: u64, state: &State) -> Commit {
    let mut random = Random::new(seed * 1000 + number);
    let last = state.keys().next_back().copied().unwrap_or(0);
    match random.below(8) {
        0 if state.len() < 1500 => Commit::Load(last + 1..last + 301),
        1..=2 if !state.is_empty() => {
            Commit::Delete(*state.keys().nth(random.below(state.len())).unwrap())
        }
        3..=4 if !state.is_empty() => {
            Commit::Put(*state.keys().nth(random.below(state.len())).unwrap())
        }
        _ => Commit::Put(last + 1),
    }
}

fn document(id: i64, written: i64) -> Document {
    let pad = "p".repeat(usize::try_from((id * 37 + written * 101) % 1500).unwrap());
    doc! { "_id": id, "written": written, "pad": pad }
}

/// Returns the states after 0, 1, 2 and so on commits.
pub(crate) fn states(seed: u64) -> Vec<State> {
    let mut states = vec![State::new()];
    for number in 0..COMMITS {
        let mut state = states.last().unwrap().clone();
        let written = i64::try_from(number).unwrap();
        match commit(seed, number, &state) {
            Commit::Put(id) => {
                state.insert(id, written);
            }
            Commit::Delete(id) => {
                state.remove(&id);
            }
            Commit::Load(ids) => state.extend(ids.map(|id| (id, written))),
        }
        states.push(state);
    }
    states
}

/// Makes commit `number`, on the state before it.
pub(crate) fn perform(db: &Database, seed: u64, number: u64, state: &State) -> Result<(), Error> {
    let all = db.collection("all");
    let written = i64::try_from(number).unwrap();
    match commit(seed, number, state) {
        Commit::Put(id) if state.contains_key(&id) => {
            all.replace(id, document(id, written)).map(|found| assert!(found))
        }
        Commit::Put(id) => all.insert(document(id, written)).map(|_| ()),
        Commit::Delete(id) => all.delete(id).map(|found| assert!(found)),
        Commit::Load(ids) => all.insert_many(ids.map(|id| document(id, written))).map(|_| ()),
    }
}

/// Returns what a database holds; each document must be one that some commit has written.
pub(crate) fn found(db: &Database) -> State {
    let documents = db.collection("all").iter().unwrap();
    documents
        .map(|document| {
            let document = document.unwrap().to_document().unwrap();
            let number = |name| document.get(name).unwrap().as_i64().unwrap();
            let (id, written) = (number("_id"), number("written"));
            assert_eq!(document, self::document(id, written));
            (id, written)
        })
        .collect()
}
