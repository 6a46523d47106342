//! A file of the Go program of the same name, behind its header anything at all: imported strictly,
//! and with what is damaged left out.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use nanodb_database::storage::Storage;
use nanodb_database::{Database, GoImportOptions};
use nanodb_sim::SimStorage;

fuzz_target!(|pages: &[u8]| {
    let mut file = vec![0; 4096];
    file[..10].copy_from_slice(b"AAMN\x01\0\0\x10\0\0");
    file.extend(pages);
    let file: Arc<dyn Storage> = Arc::new(SimStorage::from_contents(file));
    let import = |skip| {
        let db = Database::in_memory().expect("memory does not fail");
        let report = db.import_go_on(Arc::clone(&file), &GoImportOptions::new().skip_damaged(skip));
        (db, report)
    };
    let (db, whole) = import(false);
    assert!(whole.is_ok() || db.collections().expect("open").is_empty(), "a part was imported");
    let (db, rest) = import(true);
    let rest = rest.expect("what is damaged is left out");
    assert_eq!(whole.is_ok(), rest.is_complete());
    assert!(db.check().expect("memory does not fail").is_clean());
});
