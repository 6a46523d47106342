//! The example in the README's sense, an engine of one's own on the pager alone: whether it is
//! as crash-safe as it says, at every call of a workload.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_sim::{Crash, Failure, Fault, Files, Random, SimStorage, Unsynced};

#[path = "../../examples/counters.rs"]
#[allow(dead_code, reason = "the program's own main is not run here")]
mod counters;

use counters::Counters;

type State = BTreeMap<String, u64>;

fn state(counters: &Counters) -> State {
    counters.all(&counters.pager.snapshot()).unwrap().into_iter().collect()
}

/// Additions to counters that take several pages, with checkpoints and reopenings.
fn run(
    storage: &SimStorage,
    seed: u64,
    mut added: impl FnMut(usize, State, usize),
) -> Vec<nanodb_sim::Event> {
    let mut random = Random::new(seed);
    storage.start_journal();
    let mut counters = Counters::open(Arc::new(storage.clone())).unwrap();
    added(0, State::new(), storage.journal_len());
    for number in 0..60_usize {
        match random.below(12) {
            0 => counters.pager.checkpoint().unwrap(),
            1 => {
                counters.pager.close().unwrap();
                counters = Counters::open(Arc::new(storage.clone())).unwrap();
            }
            _ => {}
        }
        let begun = storage.journal_len();
        // Long names that are all different fill the pages; short ones meet again.
        let name = match random.below(3) {
            0 => format!("n{}", random.below(4)),
            _ => format!("counter {number}"),
        };
        // As many at once as make the next one need another page.
        for filler in 0..if number == 20 { 170 } else { 0 } {
            let begun = storage.journal_len();
            counters.add(&format!("f{filler}"), 1).unwrap();
            added(begun, state(&counters), storage.journal_len());
        }
        counters.add(&name, number as u64).unwrap();
        added(begun, state(&counters), storage.journal_len());
    }
    counters.pager.close().unwrap();
    storage.take_journal()
}

#[test]
fn the_example_loses_no_addition_at_any_power_cut() {
    let storage = SimStorage::new();
    // For each state: when its addition began and when it had returned.
    let (mut states, mut begun, mut returned) = (Vec::new(), Vec::new(), Vec::new());
    let journal = run(&storage, 1, |from, state, to| {
        begun.push(from);
        states.push(state);
        returned.push(to);
    });
    assert!(states.last().unwrap().len() > 170, "more than one page of counters");

    let check = |files: Files, events: usize, what: &str| {
        let storage = SimStorage::from_files(files);
        let mut counters = match Counters::open(Arc::new(storage.clone())) {
            Ok(counters) => counters,
            // Until a new file has its header it may be any part of one.
            Err(_) if events < returned[0] => return,
            Err(error) => panic!("{what}: {error}"),
        };
        let found = state(&counters);
        let first = returned.iter().rposition(|&at| at <= events).unwrap_or(0);
        let last = begun.iter().rposition(|&at| at <= events).unwrap_or(0);
        assert!(
            states[first..=last].contains(&found),
            "{what}: never so between {first} and {last}"
        );
        let number = found.get("n1").copied().unwrap_or(0);
        assert_eq!(counters.add("n1", 5).unwrap(), number + 5, "{what}");
        storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    };
    let mut crash = Crash::new(&Files::from([(String::new(), Vec::new())]));
    let mut random = Random::new(7);
    for events in 0..=journal.len() {
        if let Some(event) = events.checked_sub(1).map(|last| &journal[last]) {
            crash.advance(event);
        }
        let seed = random.below(1 << 30) as u64;
        for fate in [Unsynced::Lost, Unsynced::Kept, Unsynced::Random(seed)] {
            check(crash.image(fate), events, &format!("{events} events, {fate:?}"));
        }
    }
}
