//! A database file with some of its bytes changed: opened, read, checked, written to.
#![no_main]

use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use nanodb_database::{Database, doc};
use nanodb_sim::SimStorage;

#[derive(Arbitrary, Debug)]
struct Damage {
    changes: Vec<(u16, u8)>,
    cut_to: Option<u16>,
}

/// A file with small and large documents in two collections.
static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let storage = SimStorage::new();
    let db = open(storage.clone()).expect("a new file");
    for id in 0..40 {
        db.collection("small").insert(doc! { "_id": id, "text": "x".repeat(50) }).expect("room");
    }
    for id in ["a", "b"] {
        db.collection("large").insert(doc! { "_id": id, "text": "y".repeat(9000) }).expect("room");
    }
    db.close().expect("memory does not fail");
    storage.contents()
});

fn open(storage: SimStorage) -> Result<Database, nanodb_database::Error> {
    Database::options().cache_bytes_max(1 << 16).open_on(Arc::new(storage))
}

fuzz_target!(|damage: Damage| {
    let mut bytes = SOUND.clone();
    for (at, byte) in damage.changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= byte;
    }
    if let Some(len) = damage.cut_to {
        bytes.truncate(usize::from(len));
    }
    // Errors are answers. Checksums make nearly all damage one; what gets past them
    // must not panic, hang or take memory without bound.
    let Ok(db) = open(SimStorage::from_contents(bytes)) else { return };
    for info in db.collections().unwrap() {
        let collection = db.collection(&info.name);
        for id in 0..40 {
            if let Ok(Some(document)) = collection.get(id) {
                assert_eq!(document.id(), Some(id.into()), "another document");
            }
        }
        if let Ok(documents) = collection.iter() {
            documents.for_each(drop);
        }
        let _ = collection.insert(doc! { "after": "damage" });
    }
    let _ = db.check();
});
