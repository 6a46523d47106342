//! Each page of a file in turn overwritten with noise: it costs the documents on it and nothing
//! else.
//!
//! Which documents lie on a page is not asked of the database: the text of each says over and over
//! which it is, so it can be seen in the bytes of a page.

#![allow(clippy::cast_possible_truncation, reason = "the numbers are small")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nanodb_database::{Database, Document, Durability, ErrorKind, SalvageMode, doc};
use nanodb_pager::{CheckpointHooks, Options, PAGE_SIZE, Pager};
use nanodb_sim::{Random, SimStorage};

/// A document's collection and number.
type Name = (char, i64);

/// Seven characters, of which each run of seven in their repetition says the same.
fn mark((collection, number): Name) -> String {
    format!("<{collection}{number:04}>")
}

fn document(name: Name, len: usize) -> Document {
    let text: String = mark(name).chars().cycle().take(len).collect();
    doc! { "_id": (name.1), "text": text }
}

/// How a page is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    Header,
    Root,
    Map,
    Index,
    Documents,
    Free,
}

struct Pages {
    file: Vec<u8>,
    documents: BTreeMap<Name, Document>,
    uses: Vec<Use>,
    /// The documents with a piece on each page.
    on: Vec<BTreeSet<Name>>,
}

impl Pages {
    /// Small documents, spilled ones, several runs of an index, gaps, and a free map with something
    /// in it.
    fn new() -> Self {
        let storage = SimStorage::new();
        let options = Database::options().durability(Durability::Relaxed).background(false);
        let db = options.open_on(Arc::new(storage.clone())).unwrap();
        let mut documents = BTreeMap::new();
        for (part, collection) in ['a', 'b', 'c', 'a', 'b', 'c'].into_iter().enumerate() {
            for index in 0..25 {
                let name = (collection, part as i64 * 100 + index);
                let len = match (collection, index) {
                    ('b', 0..4) => 3_000 + 2_500 * index as usize,
                    ('c', 7) => 20_000,
                    ('c', _) => 900,
                    _ => 150,
                };
                let new = document(name, len);
                db.collection(&collection.to_string()).insert(&new).unwrap();
                documents.insert(name, new);
            }
            // Goes again, and leaves gaps.
            db.collection("gone").insert(document(('x', part as i64), 9_000)).unwrap();
            db.checkpoint().unwrap();
        }
        for part in [1, 3, 4] {
            assert!(db.collection("gone").delete(part).unwrap());
        }
        db.drop_collection("gone").unwrap();
        db.close().unwrap();
        let file = storage.contents();
        let (uses, on) = (uses(&file), on(&file, &documents));
        Self { file, documents, uses, on }
    }
}

/// How the pages are used, by what the pager and their own headers say.
fn uses(file: &[u8]) -> Vec<Use> {
    struct Nothing;
    impl CheckpointHooks for Nothing {
        fn apply(
            &self,
            root: &[u8],
            _: &mut dyn Iterator<Item = &[u8]>,
        ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
            Ok(root.to_vec())
        }
    }
    let storage = Arc::new(SimStorage::from_contents(file.to_vec()));
    let pager = Pager::open(
        storage,
        Arc::new(Nothing),
        Options::default().application(nanodb_collection::APPLICATION),
    )
    .unwrap();
    let free = pager.space().free;
    // Both copies of the header say the same once a file is closed.
    let map = u32::from_le_bytes(*file[120..].first_chunk().unwrap());
    let numbered = file.chunks_exact(PAGE_SIZE).zip(0_u32..);
    let uses = numbered.map(|(page, number)| {
        let is_free = free
            .iter()
            .any(|extent| extent.start.get() <= number && u64::from(number) < extent.end());
        match page[24] {
            _ if number < 2 => Use::Header,
            _ if is_free => Use::Free,
            2 if number == map => Use::Map,
            2 => Use::Root,
            18 => Use::Index,
            _ => Use::Documents,
        }
    });
    uses.collect()
}

/// Which documents have a piece on which page.
fn on(file: &[u8], documents: &BTreeMap<Name, Document>) -> Vec<BTreeSet<Name>> {
    let mut marks = BTreeMap::new();
    for &name in documents.keys() {
        let twice = mark(name).repeat(2).into_bytes();
        marks.extend((0..7).map(|at| (twice[at..at + 7].to_vec(), name)));
    }
    let pages = file.chunks_exact(PAGE_SIZE);
    pages
        .map(|page| page.windows(7).filter_map(|seven| marks.get(seven).copied()).collect())
        .collect()
}

fn with_noise(file: &[u8], pages: &[usize]) -> SimStorage {
    let mut file = file.to_vec();
    for &page in pages {
        Random::new(page as u64 + 99).fill(&mut file[page * PAGE_SIZE..][..PAGE_SIZE]);
    }
    SimStorage::from_contents(file)
}

/// The documents of a database, decoded, without those that can't be read.
fn readable(db: &Database) -> BTreeMap<Name, Document> {
    let mut found = BTreeMap::new();
    for info in db.collections().unwrap() {
        for document in db.collection(&info.name).iter().unwrap().filter_map(Result::ok) {
            let document = document.to_document().unwrap();
            let id = document.get("_id").unwrap().as_i64().unwrap();
            found.insert((info.name.chars().next().unwrap(), id), document);
        }
    }
    found
}

/// All documents of a database, as text.
fn texts(db: &Database) -> BTreeSet<String> {
    let collections = db.collections().unwrap();
    let handles = collections.iter().map(|info| db.collection(&info.name));
    let documents = handles.flat_map(|collection| {
        let documents = collection.iter().unwrap();
        documents.map(|document| document.unwrap().to_document().unwrap()).collect::<Vec<_>>()
    });
    documents.map(|document| document.to_string()).collect()
}

#[test]
fn whichever_page_is_noise_costs_the_documents_on_it_and_no_other() {
    let sample = Pages::new();
    let count = |wanted| sample.uses.iter().filter(|&&used| used == wanted).count();
    let counts = [Use::Root, Use::Map, Use::Index, Use::Documents, Use::Free].map(count);
    assert!(counts.iter().zip([1, 1, 3, 30, 3]).all(|(&n, least)| n >= least), "{counts:?}");
    // Spilled over several pages, whole pages of one document among them.
    assert!(
        sample
            .documents
            .keys()
            .any(|name| sample.on.iter().filter(|on| on.contains(name)).count() > 4)
    );
    for (page, &used) in sample.uses.iter().enumerate() {
        let case = format!("page {page}, {used:?}");
        let storage = with_noise(&sample.file, &[page]);
        let lost = match used {
            Use::Documents => sample.on[page].clone(),
            _ => BTreeSet::new(),
        };
        let mut left = sample.documents.clone();
        left.retain(|name, _| !lost.contains(name));
        let options = Database::options().durability(Durability::Relaxed).background(false);
        let how = match options.open_on(Arc::new(SimStorage::from_contents(storage.contents()))) {
            Ok(db) => {
                assert_ne!(used, Use::Root, "{case}");
                read(&db, &sample, &lost, page, &case);
                assert!(readable(&db) == left, "{case}: {} of {}", readable(&db).len(), left.len());
                let report = db.check().unwrap();
                let named = |problem: &nanodb_database::Problem| problem.page == Some(page as u32);
                assert!(report.problems.iter().all(named), "{case}: {report}");
                assert_eq!(report.is_clean(), used == Use::Free, "{case}: {report}");
                SalvageMode::Opened
            }
            Err(error) => {
                assert_eq!((used, error.page()), (Use::Root, Some(page as u32)), "{case}");
                assert_eq!(error.kind(), ErrorKind::Damaged, "{case}");
                SalvageMode::ByPages
            }
        };
        let saved = Database::in_memory().unwrap();
        let report = saved.salvage_on(Arc::new(storage)).unwrap();
        assert_eq!(report.how, how, "{case}");
        // The names may be lost with the root; the documents say whose they are.
        assert_eq!(texts(&saved), left.values().map(Document::to_string).collect(), "{case}");
        assert_eq!(report.documents(), left.len() as u64, "{case}");
        assert_eq!(report.is_complete(), lost.is_empty() && used != Use::Root, "{case}");
        let named = report.problems.iter().all(|problem| problem.page == Some(page as u32));
        assert!(named, "{case}: {report:?}");
        assert_eq!(report.problems.is_empty(), report.is_complete(), "{case}: {report:?}");
        assert!(saved.check().unwrap().is_clean(), "{case}");
    }
}

/// Each document by its id.
fn read(db: &Database, sample: &Pages, lost: &BTreeSet<Name>, page: usize, case: &str) {
    for (&name, document) in &sample.documents {
        let collection = db.collection(&name.0.to_string());
        match collection.get(name.1) {
            Ok(found) => {
                assert!(!lost.contains(&name), "{case}: {name:?} is lost");
                assert_eq!(found.unwrap().to_document().unwrap(), *document, "{case}: {name:?}");
            }
            Err(error) => {
                assert!(lost.contains(&name), "{case}: {name:?}: {error:?}");
                assert_eq!(error.page(), Some(page as u32), "{case}: {name:?}");
            }
        }
    }
}

#[test]
fn without_both_headers_and_any_other_page_all_documents_not_on_it_are_salvaged() {
    let sample = Pages::new();
    for (page, &used) in sample.uses.iter().enumerate().skip(2) {
        let case = format!("page {page}, {used:?}");
        let storage = with_noise(&sample.file, &[0, 1, page]);
        let saved = Database::in_memory().unwrap();
        let report = saved.salvage_on(Arc::new(storage)).unwrap();
        assert!(!report.is_complete(), "{case}");
        let found = texts(&saved);
        for (name, document) in &sample.documents {
            let is_lost = used == Use::Documents && sample.on[page].contains(name);
            if !is_lost {
                assert!(found.contains(&document.to_string()), "{case}: {name:?}");
            }
        }
    }
}
