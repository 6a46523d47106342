//! A file damaged in every way we can think of: right answers or errors that name the page.

use nanodb_pager::{BODY_SIZE, Corruption, Error, PAGE_SIZE, PageId, Pager};
use nanodb_sim::{Damage, Random, SimStorage, damage};

use crate::support::{KIND, OWNER, add_page, change_page, long, new_file, numbers, open};

/// A sound file of 64 KiB and what is in it.
struct Sound {
    file: Vec<u8>,
    pages: Vec<(PageId, Vec<u8>)>,
    root: Vec<u8>,
    /// The pager's own pages.
    own: Vec<usize>,
}

fn sound() -> Sound {
    let (storage, pager) = new_file();
    let mut random = Random::new(11);
    let mut tx = pager.begin();
    let mut pages = Vec::new();
    for _ in 0..9 {
        let id = tx.allocate(KIND, OWNER).unwrap();
        let mut body = vec![0; BODY_SIZE];
        random.fill(&mut body);
        assert!(tx.page_mut(id).unwrap().write(0, &body));
        pages.push((id, body));
    }
    let spare = tx.allocate_extent(1).unwrap();
    tx.commit(&[]).unwrap();
    let mut tx = pager.begin();
    tx.free_extent(spare).unwrap();
    let (freed, _) = pages.remove(3);
    tx.free(freed).unwrap();
    let root = vec![0xC3; 4100];
    tx.commit(&root).unwrap();
    pager.checkpoint().unwrap();
    let own = numbers(&pager.space().own).map(|page| page as usize).collect();
    pager.close().unwrap();
    let mut file = storage.contents();
    file.resize(file.len().max(16 * PAGE_SIZE), 0);
    assert_eq!(file.len(), 64 * 1024);
    Sound { file, pages, root, own }
}

impl Sound {
    /// Opens the damaged file and reads all of it. Returns how many errors there were.
    fn look_at(&self, damage: Damage) -> usize {
        let storage = SimStorage::from_contents(damage.apply(&self.file));
        let pager = match open(&storage) {
            Ok(pager) => pager,
            Err(
                Error::Corrupt(_)
                | Error::NotADatabase
                | Error::NewerFormat { .. }
                | Error::Truncated { .. },
            ) => return 1,
            Err(error) => panic!("{damage:?}: {error:?}"),
        };
        let is_new = storage.contents().len() == 2 * PAGE_SIZE;
        if is_new {
            assert_eq!(damage.apply(&self.file), b"", "{damage:?} was taken for a new file");
            return 0;
        }
        assert!(*pager.metadata_root() == *self.root, "{damage:?} changed the root");
        let damaged_pages =
            self.pages.iter().filter(|(id, body)| match pager.page(*id, pager.published()) {
                Ok(guard) => {
                    assert!(guard.body() == body, "{damage:?} gave a wrong answer on {id}");
                    false
                }
                Err(Error::Corrupt(corruption)) => {
                    assert_eq!(corruption.page(), *id, "{damage:?}");
                    true
                }
                Err(error) => panic!("{damage:?}: {error:?}"),
            });
        let count = damaged_pages.count() + pager.verify().unwrap().len();
        Self::still_writes(&pager, damage);
        count
    }

    /// A file that opened can be written and closed.
    fn still_writes(pager: &Pager, damage: Damage) {
        let mut tx = pager.begin();
        tx.allocate(KIND, OWNER).unwrap();
        tx.commit(&[]).unwrap_or_else(|error| panic!("{damage:?}: {error:?}"));
        pager.checkpoint().unwrap_or_else(|error| panic!("{damage:?}: {error:?}"));
    }
}

#[test]
fn every_flipped_bit_of_the_pagers_own_pages_is_found() {
    let sound = sound();
    let step = if long() { 1 } else { 5 };
    for &page in &sound.own {
        let bytes = page * PAGE_SIZE..(page + 1) * PAGE_SIZE;
        let head = damage::flipped_bits(bytes.start..bytes.start + 160);
        let rest = damage::flipped_bits(bytes.start + 160..bytes.end).step_by(step);
        for damage in head.chain(rest) {
            assert_eq!(sound.look_at(damage), 1, "{damage:?}");
        }
    }
}

#[test]
fn flipped_bits_of_data_pages_are_found_and_those_of_free_pages_harm_nobody() {
    let sound = sound();
    let step = if long() { 1 } else { 61 };
    let is_data =
        |bit: usize| sound.pages.iter().any(|(id, _)| id.get() as usize == bit / 8 / PAGE_SIZE);
    for damage in damage::flipped_bits(2 * PAGE_SIZE..sound.file.len()).step_by(step) {
        let Damage::FlippedBit { bit } = damage else { continue };
        if !sound.own.contains(&(bit / 8 / PAGE_SIZE)) {
            assert_eq!(sound.look_at(damage), usize::from(is_data(bit)), "{damage:?}");
        }
    }
}

#[test]
fn cut_swapped_duplicated_and_zeroed_pages_are_found() {
    let sound = sound();
    let len = sound.file.len();
    let cases = damage::truncations(len)
        .chain(damage::swapped_pages(len))
        .chain(damage::duplicated_pages(len))
        .chain(damage::zeroed_pages(len));
    let mut found = 0;
    for damage in cases {
        found += usize::from(sound.look_at(damage) > 0);
    }
    assert!(found > 300, "{found}");
}

#[test]
fn random_damage_never_gives_a_wrong_answer() {
    let sound = sound();
    let count = if long() { 50_000 } else { 1500 };
    for damage in damage::random_bytes(21, count).chain(damage::random_files(22, count)) {
        sound.look_at(damage);
    }
}

#[test]
fn the_pages_of_another_file_are_not_taken_for_ones_own() {
    let (one, other) = (sound(), sound());
    let (id, _) = &one.pages[2];
    let bytes = id.get() as usize * PAGE_SIZE;
    let mut file = one.file.clone();
    file[bytes..bytes + PAGE_SIZE].copy_from_slice(&other.file[bytes..bytes + PAGE_SIZE]);
    let pager = open(&SimStorage::from_contents(file)).unwrap();
    let error = pager.page(*id, pager.published()).unwrap_err();
    assert!(matches!(error, Error::Corrupt(Corruption::Checksum { .. })), "{error:?}");
}

#[test]
fn a_page_that_is_newer_than_the_last_commit_is_refused() {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"old");
    pager.checkpoint().unwrap();
    let mut older = storage.contents();
    change_page(&pager, page, b"new");
    pager.close().unwrap();
    let place = page.get() as usize * PAGE_SIZE..(page.get() as usize + 1) * PAGE_SIZE;
    older[place.clone()].copy_from_slice(&storage.contents()[place]);
    let pager = open(&SimStorage::from_contents(older)).unwrap();
    let found = pager.page(page, pager.published());
    let is_newer = matches!(
        found,
        Err(Error::Corrupt(Corruption::FromTheFuture { page: at, seq: 2, newest: 1 })) if at == page
    );
    assert!(is_newer, "{found:?}");
}
