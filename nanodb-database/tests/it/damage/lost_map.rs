//! A free map that is damaged: nothing is lost by it.

use std::sync::Arc;

use nanodb_database::{Database, Problem, ProblemKind, doc};
use nanodb_pager::PAGE_SIZE;
use nanodb_sim::SimStorage;

use super::sample::Sample;

fn names_the_map(problems: &[Problem], page: usize) -> bool {
    let [problem] = problems else { return false };
    let is_damage =
        matches!(&problem.kind, ProblemKind::DamagedFile { why } if why.contains("free map"));
    is_damage && problem.page == u32::try_from(page).ok()
}

#[test]
fn a_file_whose_free_map_is_damaged_opens_and_is_sound_after_the_next_checkpoint() {
    let sample = Sample::new();
    let map = u32::from_le_bytes(*sample.file[120..].first_chunk().unwrap()) as usize;
    let mut file = sample.file.clone();
    file[map * PAGE_SIZE + 1000] ^= 1;
    let storage = SimStorage::from_contents(file);
    let open = |read_only| {
        let options = Database::options().background(false).read_only(read_only);
        options.open_on(Arc::new(storage.clone())).unwrap()
    };
    let all = |db: &Database| {
        for (name, documents) in &sample.collections {
            for (id, document) in documents {
                let found = db.collection(name).get(id).unwrap().unwrap();
                assert_eq!(&found.to_document().unwrap(), document, "{name}: {id}");
            }
        }
    };
    let reader = open(true);
    assert!(reader.open_report().free_map_lost);
    assert!(names_the_map(&reader.check().unwrap().problems, map));
    all(&reader);
    drop(reader);

    let db = open(false);
    assert!(names_the_map(&db.check().unwrap().problems, map));
    for id in 0..200 {
        db.collection("more").insert(doc! { "_id": id, "text": "x".repeat(2000) }).unwrap();
    }
    all(&db);
    assert!(names_the_map(&db.check().unwrap().problems, map), "as long as it is so");
    // A crash here finds the same.
    let crashed = Database::options().open_on(Arc::new(SimStorage::from_files(storage.files())));
    let crashed = crashed.unwrap();
    all(&crashed);
    assert_eq!(crashed.collection("more").count().unwrap(), 200);
    drop(crashed);

    db.checkpoint().unwrap();
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
    db.close().unwrap();
    let db = open(false);
    assert!(!db.open_report().free_map_lost);
    assert!(db.check().unwrap().is_clean());
    all(&db);
}
