use nanodb_pager::{Extent, PageId, Seq};
use proptest::prelude::*;

use super::*;
use crate::catalog::edit;

fn extent(start: u32, pages: u32) -> Extent {
    Extent::new(PageId::new(start), pages)
}

fn sample() -> Manifest {
    let mut manifest = Manifest::default();
    manifest.apply(CatalogEdit::Create { collection: CollectionId::new(1), name: "a" }).unwrap();
    manifest.apply(CatalogEdit::Create { collection: CollectionId::new(3), name: "b" }).unwrap();
    manifest
        .apply(CatalogEdit::State(State {
            collection: CollectionId::new(3),
            counters: Counters { count: 200, next_id: 300, used_pages: 2 },
            extents_from: 0,
            extents: vec![extent(2, 1), extent(5, 2)],
        }))
        .unwrap();
    let runs = |extent| edit::Runs { collection: CollectionId::new(3), runs: vec![extent] };
    manifest.apply(CatalogEdit::RunsAdded(runs(extent(9, 4)))).unwrap();
    manifest.apply(CatalogEdit::RunsRemoved(runs(extent(10, 1)))).unwrap();
    let run = IndexRun::new(Seq::new(7), 200, vec![extent(15, 1)]);
    manifest.collections.get_mut(&CollectionId::new(3)).unwrap().saved = Some(vec![run]);
    manifest
}

#[test]
fn the_manifest_has_the_bytes_the_format_promises() {
    assert_eq!(
        sample().encode(),
        [
            &[2, 4, 2][..],
            &[1, 1, b'a', 0, 1, 0, 0, 0, 1, 0],
            &[3, 1, b'b', 0xc8, 1, 0xac, 2, 2, 2, 2, 1, 5, 2, 2, 9, 1, 11, 2],
            &[2, 7, 0xc8, 1, 1, 15, 1, 0],
            &[0],
        ]
        .concat()
    );
}

#[test]
fn a_manifest_is_read_as_it_was_written() {
    assert_eq!(Manifest::decode(&sample().encode()), Ok(sample()));
    assert_eq!(Manifest::decode(&[]), Ok(Manifest::default()));
    assert_eq!(Manifest::decode(&Manifest::default().encode()), Ok(Manifest::default()));
}

#[test]
fn extents_are_replaced_from_an_index_on() {
    let mut manifest = sample();
    let state = State {
        collection: CollectionId::new(3),
        counters: Counters { count: 201, next_id: 301, used_pages: 5 },
        extents_from: 1,
        extents: vec![extent(5, 4), extent(20, 8)],
    };
    for _ in 0..2 {
        manifest.apply(CatalogEdit::State(state.clone())).unwrap();
        let extents = &manifest.collections[&CollectionId::new(3)].extents;
        assert_eq!(extents.list.to_vec(), [extent(2, 1), extent(5, 4), extent(20, 8)]);
        assert_eq!((extents.used_pages, extents.total_pages), (5, 13));
    }
}

#[test]
fn a_dropped_collection_leaves_its_number_behind() {
    let mut manifest = sample();
    manifest.apply(CatalogEdit::Drop { collection: CollectionId::new(3) }).unwrap();
    assert_eq!(manifest.next_collection.get(), 4);
    let unknown =
        manifest.apply(CatalogEdit::Rename { collection: CollectionId::new(3), name: "c" });
    assert_eq!(unknown, Err(CatalogError::Collection { collection: 3 }));
}

#[test]
fn more_pages_in_use_than_there_are_is_refused() {
    let mut bytes = sample().encode();
    let at = bytes.len() - 20;
    assert_eq!(bytes[at], 2);
    bytes[at] = 4;
    assert_eq!(Manifest::decode(&bytes), Err(CatalogError::Malformed));
}

#[test]
fn a_section_that_is_not_known_is_refused_by_its_tag_and_passed_over_by_a_salvage() {
    let sound = sample().encode();
    let of_the_last_collection = sound.len() - 2;
    for at in [of_the_last_collection, sound.len() - 1] {
        let section: &[u8] = &[1, 7, 3, b'n', b'e', b'w'];
        let bytes = [&sound[..at], section, &sound[at + 1..]].concat();
        assert_eq!(Manifest::decode(&bytes), Err(CatalogError::Section { tag: 7 }));
        assert_eq!(Manifest::decode_first(&bytes), Some(sample()));
        let cut = &bytes[..bytes.len() - 1];
        assert_eq!(Manifest::decode(cut), Err(CatalogError::Malformed));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(manifest) = Manifest::decode(&bytes) {
            prop_assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
    }

    #[test]
    fn a_damaged_manifest_is_read_or_refused(at in 0_usize..37, bit in 0..8) {
        let mut bytes = sample().encode();
        bytes[at] ^= 1_u8 << bit;
        if let Ok(manifest) = Manifest::decode(&bytes) {
            prop_assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
    }
}
