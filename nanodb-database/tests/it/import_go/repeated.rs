//! Which of several documents with one id is imported.

use std::collections::BTreeMap;

use nanodb_database::{Document, Id, doc};
use nanodb_sim::Random;

use super::skipping;
use super::writer::{GoWriter, Version};

fn document(version: u32, size: usize) -> Document {
    doc! { "version": (f64::from(version)), "text": ("x".repeat(size)) }
}

/// The versions that are imported, and how many others were left out.
fn imported(file: &GoWriter) -> (BTreeMap<Id, f64>, u64) {
    let (contents, report) = skipping(&file.bytes());
    assert!(report.is_complete(), "{:?}", report.problems);
    let version = |document: &Document| document["version"].as_f64().unwrap();
    let versions = contents["c"].iter().map(|(id, document)| (id.clone(), version(document)));
    (versions.collect(), report.collections[0].older_versions)
}

/// A file with documents of these sizes, and ids from 1000 on.
fn file(sizes: impl IntoIterator<Item = usize>) -> GoWriter {
    let mut file = GoWriter::new(Version::Hash);
    file.create(b"c");
    for (id, size) in (1000..).zip(sizes) {
        file.insert("c", id, &document(1, size));
    }
    file
}

#[test]
fn a_changed_document_that_went_to_the_end_is_the_newer() {
    let mut file = file([150; 200]);
    for id in (1000..1200).step_by(3) {
        file.update_first_fit("c", id, &document(2, 150));
    }
    assert!(file.chain("c").len() > 10);
    let (versions, older) = imported(&file);
    assert_eq!(versions.len(), 200);
    for (id, version) in versions {
        let id = id.as_i64().unwrap();
        assert_eq!(version, if (id - 1000) % 3 == 0 { 2.0 } else { 1.0 }, "{id}");
    }
    // An old one that was on the last page was deleted there.
    assert!((60..=67).contains(&older), "{older}");
}

#[test]
fn a_changed_document_that_found_room_on_an_earlier_page_is_the_newer() {
    // Four fill a page, and leave room for a smaller one.
    let mut file = file([900; 40]);
    for (id, size) in [(1039, 60), (1035, 60), (1030, 100), (1025, 120), (1020, 20), (1012, 50)] {
        file.update_first_fit("c", id, &document(2, size));
    }
    let (versions, older) = imported(&file);
    let newer = versions.iter().filter(|(_, version)| **version == 2.0);
    let newer: Vec<i64> = newer.map(|(id, _)| id.as_i64().unwrap()).collect();
    // The first found room on its own page, where the old one was deleted.
    assert_eq!((newer, older), (vec![1012, 1020, 1025, 1030, 1035, 1039], 5));
}

#[test]
fn of_what_a_crash_of_the_later_version_leaves_the_last_is_the_newer() {
    let mut file = GoWriter::new(Version::Tree);
    file.create(b"c");
    for id in 0..40 {
        file.insert("c", id, &document(1, 900));
    }
    for id in [3, 17, 39] {
        file.insert("c", id, &document(2, 10));
    }
    let (versions, older) = imported(&file);
    let newer = versions.into_iter().filter(|(_, version)| *version == 2.0);
    assert!(newer.map(|(id, _)| id).eq([3, 17, 39].map(Id::from)));
    assert_eq!(older, 3);
}

#[test]
fn with_documents_of_any_size_that_were_changed_once_nearly_all_newer_ones_are_found() {
    let (mut changed, mut wrong) = (0, 0);
    for (seed, spread) in (0..40).zip([20, 100, 400, 1500].into_iter().cycle()) {
        let mut random = Random::new(seed);
        let mut file = file((0..300).map(|_| 60 + random.below(spread)));
        let mut newest = BTreeMap::new();
        for id in 1000..1300 {
            let is_changed = random.below(4) == 0;
            newest.insert(Id::from(id), if is_changed { 2.0 } else { 1.0 });
            if is_changed {
                file.update_first_fit("c", id, &document(2, 60 + random.below(spread)));
            }
        }
        let (versions, older) = imported(&file);
        assert_eq!(versions.len(), 300);
        changed += older;
        wrong += versions.iter().filter(|(id, version)| newest[id] != **version).count() as u64;
    }
    // The last one of the chain would be wrong for far more.
    assert!(changed > 2000 && wrong * 50 < changed, "{wrong} of {changed}");
}
