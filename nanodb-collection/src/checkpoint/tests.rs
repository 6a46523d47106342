//! What edits come to, applied in any portions, and what that costs.

use super::*;

fn hooks() -> CatalogHooks {
    CatalogHooks::new(Arc::new(IndexSet::new(usize::MAX)), Arc::default())
}

#[test]
fn edits_apply_in_order_in_one_go_or_in_several() {
    let metadata: Vec<Vec<u8>> = [
        CatalogEdit::Create { collection: CollectionId::new(1), name: "a" },
        CatalogEdit::Create { collection: CollectionId::new(2), name: "b" },
        CatalogEdit::Drop { collection: CollectionId::new(1) },
        CatalogEdit::Rename { collection: CollectionId::new(2), name: "a" },
    ]
    .iter()
    .map(|entry| {
        let mut metadata = Vec::new();
        entry.encode(&mut metadata);
        metadata
    })
    .collect();
    let apply = |root: &[u8], metadata: &[Vec<u8>]| {
        hooks().apply(root, &mut metadata.iter().map(Vec::as_slice)).unwrap()
    };
    let at_once = apply(&[], &metadata);
    let step_by_step = metadata.chunks(1).fold(Vec::new(), |manifest, one| apply(&manifest, one));
    assert_eq!(at_once, step_by_step);
    let manifest = Manifest::decode(&at_once).unwrap();
    assert_eq!(manifest.collections[&CollectionId::new(2)].name, "a");
    assert_eq!(manifest.collections.len(), 1);
}

#[test]
fn metadata_that_makes_no_sense_is_refused() {
    assert!(hooks().apply(&[], &mut [&[9_u8, 1][..]].into_iter()).is_err());
}

/// Processor time of this thread, in milliseconds: what else the machine does counts little.
fn thread_ms() -> Option<u64> {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(spent.split_whitespace().next()?.parse::<u64>().ok()? / 1_000_000)
}

/// Many extents and many commits: each costs what it says, and nothing for what stays.
#[test]
fn extents_and_states_do_not_multiply() {
    use crate::catalog::edit::{Counters, State};
    use nanodb_pager::{Extent, PageId};

    let (extents, states) = (200_000, 50_000);
    let mut metadata = Vec::new();
    CatalogEdit::Create { collection: CollectionId::new(1), name: "a" }.encode(&mut metadata);
    let counters = Counters { next_id: 1, ..Counters::default() };
    let state = State { collection: CollectionId::new(1), counters, ..State::default() };
    let all = vec![Extent::new(PageId::new(2), 1); extents];
    CatalogEdit::State(State { extents: all, ..state.clone() }).encode(&mut metadata);
    for _ in 0..states {
        CatalogEdit::State(State { extents_from: extents, ..state.clone() }).encode(&mut metadata);
    }
    let Some(before) = thread_ms() else {
        println!("skipped: this system does not tell the processor time of a thread");
        return;
    };
    let manifest = apply_edits(&[], &mut [&metadata[..]].into_iter(), |_, _| {}).unwrap();
    let took = thread_ms().unwrap() - before;
    assert_eq!(manifest.collections[&CollectionId::new(1)].extents.total_pages, extents as u64);
    assert!(took < 2000, "{took} ms");
}
