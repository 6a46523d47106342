//! Real documents: in, closed, opened, and out again as they were.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use nanodb::{Database, Document};

/// The data that ships with the project, and more where `NANODB_DATA` names a folder.
fn files() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let more = std::env::var_os("NANODB_DATA").map(PathBuf::from);
    let folders = std::iter::once(own).chain(more);
    let mut files: Vec<PathBuf> = folders
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".jsonl.gz"))
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> Vec<Document> {
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

#[test]
fn real_documents_come_back_as_they_were() {
    let files = files();
    let has = |name: &str| files.iter().any(|file| file.ends_with(name));
    assert!(has("countries.jsonl.gz") && has("mdn-compat.jsonl.gz"), "{files:?}");
    for file in files {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.nanodb");
        let documents = read(&file);
        let db = Database::open(&path).unwrap();
        let mut ids = Vec::new();
        for batch in documents.chunks(1000) {
            ids.extend(db.collection("all").insert_many(batch).unwrap());
        }
        db.close().unwrap();

        let db = Database::open(&path).unwrap();
        let all = db.collection("all");
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
        assert_eq!(report.documents, documents.len() as u64);
        let mut cursor = all.scan().unwrap();
        for (document, id) in documents.iter().zip(&ids) {
            let mut expected = document.clone();
            expected.remove("_id");
            for found in [
                all.get(id).unwrap().unwrap().to_document().unwrap(),
                cursor.next().unwrap().unwrap().to_document().unwrap(),
            ] {
                assert_eq!(found.id(), Some(id.as_ref()));
                let mut found = found;
                found.remove("_id");
                assert_eq!(found, expected);
            }
        }
        assert!(cursor.next().unwrap().is_none());
    }
}
