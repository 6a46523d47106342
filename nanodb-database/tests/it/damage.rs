//! Files that were damaged while nobody had them open.
//!
//! Whatever happened to the bytes, each call gives the answer that it would have given
//! before, or an error that names the page. It never panics, never gives a wrong
//! document, and never says "not found" of a document that may lie on a damaged page.
//!
//! With `NANODB_TEST_LONG` set, every single bit is flipped.

mod document;
mod each_page;
mod forged;
mod lost_map;
mod salvage;
mod sample;
mod tail;

use std::time::{Duration, Instant};

use nanodb_pager::PAGE_SIZE;
use nanodb_sim::{Damage, Forgery, Random, damage};

use self::sample::{Allowed, Sample};

/// No case takes longer, by far, unless something goes round in circles.
const CASE_TIME_MAX: Duration = Duration::from_secs(10);

fn run(sample: &Sample, cases: impl Iterator<Item = Damage>) -> usize {
    let mut count = 0;
    for damage in cases {
        let damaged = damage.apply(&sample.file);
        let begun = Instant::now();
        let allowed = match damage {
            Damage::FlippedBit { bit } => Allowed::Pages(vec![page_of(bit / 8)]),
            Damage::SwappedPages { first, second } => {
                Allowed::Pages(vec![page_of(first * PAGE_SIZE), page_of(second * PAGE_SIZE)])
            }
            Damage::DuplicatedPage { to: page, .. } | Damage::ZeroedPage { page } => {
                Allowed::Pages(vec![page_of(page * PAGE_SIZE)])
            }
            Damage::RandomBytes { .. } => Allowed::Pages(sample.pages_that_differ(&damaged)),
            Damage::Truncated { .. } | Damage::RandomFile { .. } => Allowed::Refusal,
        };
        sample.hold(&damaged, &allowed, &format!("{damage:?}"));
        assert!(begun.elapsed() < CASE_TIME_MAX, "{damage:?} took {:?}", begun.elapsed());
        count += 1;
    }
    count
}

fn page_of(byte: usize) -> u32 {
    u32::try_from(byte / PAGE_SIZE).unwrap()
}

fn is_long() -> bool {
    std::env::var_os("NANODB_TEST_LONG").is_some()
}

#[test]
fn the_sample_has_all_sorts_of_pages_and_is_sound() {
    let sample = Sample::new();
    sample.hold(&sample.file, &Allowed::Pages(Vec::new()), "sound");
    let forgery = Forgery::of(&sample.file);
    assert_eq!(forgery.pages(), 19);
    let kinds: Vec<u8> = (0..forgery.pages()).map(|page| forgery.kind(page)).collect();
    for kind in [1, 2, 16, 17, 18] {
        assert!(kinds.iter().filter(|&&found| found == kind).count() >= 2, "{kinds:?}");
    }
}

#[test]
fn flipped_bits_of_headers_are_noticed() {
    let sample = Sample::new();
    let headers = [0..144, PAGE_SIZE..PAGE_SIZE + 144].into_iter();
    let of_pages = (2..19).map(|page| page * PAGE_SIZE..page * PAGE_SIZE + 40);
    let count = run(&sample, headers.chain(of_pages).flat_map(damage::flipped_bits));
    assert_eq!(count, 2 * 144 * 8 + 17 * 40 * 8);
}

#[test]
fn flipped_bits_of_the_root_and_the_free_map_are_noticed() {
    let sample = Sample::new();
    let forgery = Forgery::of(&sample.file);
    let streams = (0..forgery.pages()).filter(|&page| forgery.kind(page) == 2);
    let bytes = streams.map(|page| page * PAGE_SIZE..(page + 1) * PAGE_SIZE);
    let count = run(&sample, bytes.flat_map(damage::flipped_bits));
    assert!(count >= 2 * 32_768);
}

#[test]
fn flipped_bits_anywhere_are_noticed() {
    let sample = Sample::new();
    if is_long() {
        let count = run(&sample, damage::flipped_bits(0..sample.file.len()));
        assert_eq!(count, 622_592);
        return;
    }
    // Each byte of the file now and then, and all its bits in turn.
    let bits = (0..sample.file.len() * 8).step_by(61);
    let count = run(&sample, bits.map(|bit| Damage::FlippedBit { bit }));
    assert!(count > 10_000);
}

#[test]
fn cut_and_muddled_files_are_noticed() {
    let sample = Sample::new();
    let len = sample.file.len();
    let count = run(
        &sample,
        damage::truncations(len)
            .chain(damage::swapped_pages(len))
            .chain(damage::duplicated_pages(len))
            .chain(damage::zeroed_pages(len))
            .chain(damage::random_bytes(1, 1_500))
            .chain(damage::random_files(2, 1_500)),
    );
    assert!(count > 3_400);
}

/// Damage to several pages at once leaves the others readable.
#[test]
fn damage_in_several_places_is_noticed_in_each() {
    let sample = Sample::new();
    let mut random = Random::new(3);
    for round in 0..500 {
        let mut damaged = sample.file.clone();
        for _ in 0..2 + random.below(6) {
            let bit = random.below(damaged.len() * 8);
            damaged = Damage::FlippedBit { bit }.apply(&damaged);
        }
        let pages = sample.pages_that_differ(&damaged);
        sample.hold(&damaged, &Allowed::Pages(pages), &format!("round {round}"));
    }
}

/// A page that is damaged on disk after the index was built: its entries are there.
#[test]
fn ids_on_a_page_that_was_damaged_since_are_neither_found_nor_missing() {
    use nanodb_database::{Database, ErrorKind, doc};
    let storage = nanodb_sim::SimStorage::new();
    let options = Database::options().cache_bytes_max(64 << 10);
    let db = options.open_on(std::sync::Arc::new(storage.clone())).unwrap();
    let all = db.collection("all");
    all.insert_many((0..1000).map(|id| doc! { "_id": id, "text": "x".repeat(400) })).unwrap();
    db.checkpoint().unwrap();
    let damaged: u32 = 20;
    let mut bytes = storage.contents();
    bytes[damaged as usize * PAGE_SIZE + 2000] ^= 1;
    storage.set_contents(bytes);
    // Whatever page was in memory makes room for others.
    let lost: Vec<i64> =
        (0..2).flat_map(|_| (0..1000).filter(|&id| all.get(id).is_err())).collect();
    assert!((5..20).contains(&lost.len()), "{lost:?}");
    for &id in &lost {
        let is_damage = |error: nanodb_database::Error| {
            assert_eq!((error.kind(), error.page()), (ErrorKind::Damaged, Some(damaged)));
        };
        is_damage(all.get(id).unwrap_err());
        is_damage(all.contains(id).unwrap_err());
        is_damage(all.get_many([id]).unwrap_err());
        is_damage(all.insert(doc! { "_id": id }).unwrap_err());
        is_damage(all.replace(id, doc! { "_id": id }).unwrap_err());
        is_damage(all.delete(id).unwrap_err());
        is_damage(db.snapshot().collection("all").get(id).unwrap_err());
    }
    assert!(all.get("never there").unwrap().is_none());
    assert_eq!(all.insert(doc! {}).unwrap(), 1000.into());
}
