//! A file of 76 KiB with a bit of everything, what is in it, and what may be said of it
//! once it is damaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_database::{
    Collection, Database, Document, Durability, Error, ErrorKind, Id, Value, doc,
};
use nanodb_pager::PAGE_SIZE;
use nanodb_sim::{Files, SimStorage};

/// Which errors a damaged file may give.
#[derive(Debug)]
pub(crate) enum Allowed {
    /// Those that name one of these pages.
    Pages(Vec<u32>),
    /// The file may be refused for any reason; opened, it is another, empty one.
    Refusal,
}

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) file: Vec<u8>,
    pub(crate) collections: BTreeMap<&'static str, BTreeMap<Id, Document>>,
}

fn sized(id: impl Into<Value>, size: usize) -> Document {
    let text: String = ('a'..='w').cycle().take(size).collect();
    doc! { "_id": (id.into()), "text": text }
}

pub(crate) fn id_of(document: &Document) -> Id {
    let id = document.get("_id").unwrap().clone();
    match id {
        Value::Int(number) => number.into(),
        Value::String(text) => text.into(),
        Value::Binary(bytes) => bytes.into(),
        other => panic!("{other:?}"),
    }
}

impl Sample {
    pub(crate) fn new() -> Self {
        let mut collections: BTreeMap<&'static str, BTreeMap<Id, Document>> = BTreeMap::new();
        let mut add = |name, document: Document| {
            let documents = collections.entry(name).or_default();
            documents.insert(id_of(&document), document);
        };
        for id in 1..=24 {
            add("numbers", sized(id, 200));
        }
        add("numbers", sized(-5, 10));
        for id in ["", "a", "zażółć", "long"] {
            add("texts", sized(id, 300));
        }
        add("texts", sized("spilled", 9_000));
        add("texts", sized("head here, fragment there", 5_000));
        add("texts", sized(Value::Binary(vec![0, 255, 7]), 6_000));
        add("bytes", sized(Value::Binary(vec![1; 16]), 40));
        add("bytes", sized(Value::Binary(vec![2; 300]), 40));

        let (db, storage) = open(&[]).unwrap();
        for (name, documents) in &collections {
            let collection = db.collection(name);
            // Room that was used before is free.
            collection.insert(sized("gone", 1_000)).unwrap();
            for document in documents.values() {
                collection.insert(document).unwrap();
            }
            assert!(collection.delete("gone").unwrap());
        }
        db.collection("dropped").insert(sized(1, 9_000)).unwrap();
        db.drop_collection("dropped").unwrap();
        db.close().unwrap();
        let file = storage.contents();
        assert_eq!(file.len(), 19 * PAGE_SIZE);
        Self { file, collections }
    }

    /// Documents.
    pub(crate) fn len(&self) -> usize {
        self.collections.values().map(BTreeMap::len).sum()
    }

    pub(crate) fn pages_that_differ(&self, file: &[u8]) -> Vec<u32> {
        let pages = file.chunks(PAGE_SIZE).zip(self.file.chunks(PAGE_SIZE)).zip(0..);
        pages.filter(|((a, b), _)| a != b).map(|(_, page)| page).collect()
    }

    /// Calls everything there is, and holds the answers against what is known.
    pub(crate) fn hold(&self, file: &[u8], allowed: &Allowed, case: &str) {
        let (db, storage) = match open(file) {
            Ok(opened) => opened,
            Err(error) => return allowed.check_refusal(&error, case),
        };
        let listed = db.collections().unwrap();
        if file.is_empty() {
            assert!(listed.is_empty());
            return;
        }
        if let Allowed::Refusal = allowed {
            panic!("{case}: a file that is cut or another altogether is opened");
        }
        let expected = self.collections.iter();
        let expected: Vec<_> = expected.map(|(&name, all)| (name, all.len() as u64)).collect();
        let found: Vec<_> = listed.iter().map(|info| (info.name.as_str(), info.count)).collect();
        assert_eq!(found, expected, "{case}");

        let mut errors = 0;
        for (name, documents) in &self.collections {
            let collection = db.collection(name);
            let looked_up = look_up(&collection, documents, allowed, case);
            let scanned = scan(&collection, documents, allowed, case);
            if scanned > 0 {
                assert!(looked_up > 0, "{case}: {name}: a scan fails and no look-up does");
            }
            errors += looked_up + scanned;
        }
        let report = db.check().unwrap_or_else(|error| panic!("{case}: check: {error:?}"));
        assert!(errors == 0 || !report.is_clean(), "{case}: {errors} errors, {report}");
        for problem in &report.problems {
            allowed.check_page(problem.page, &format!("{case}: {problem}"));
        }
        for (name, documents) in &self.collections {
            insert(&db.collection(name), documents, allowed, case);
        }
        match db.close() {
            Ok(_) => {}
            Err(error) => allowed.check(&error, case),
        }
        // What was written is there, and what was there is, too.
        if case.len() % 16 == 3 {
            self.reopen(storage.files(), allowed, case);
        }
    }

    fn reopen(&self, files: Files, allowed: &Allowed, case: &str) {
        let (db, _) = match open_on(SimStorage::from_files(files)) {
            Ok(opened) => opened,
            Err(error) => return allowed.check(&error, case),
        };
        for (name, documents) in &self.collections {
            look_up(&db.collection(name), documents, allowed, case);
        }
    }
}

impl Allowed {
    fn check(&self, error: &Error, case: &str) {
        assert_eq!(error.kind(), ErrorKind::Damaged, "{case}: {error:?}");
        self.check_page(error.page(), &format!("{case}: {error:?}"));
    }

    fn check_page(&self, page: Option<u32>, what: &str) {
        if let Self::Pages(pages) = self {
            let named = page.is_some_and(|page| pages.contains(&page));
            assert!(named, "{what} names {page:?} instead of one of {pages:?}");
        }
    }

    fn check_refusal(&self, error: &Error, case: &str) {
        match self {
            Self::Pages(pages) => {
                // With both copies of the header gone there is nothing to tell a
                // database by.
                if pages.contains(&0) && pages.contains(&1) {
                    return;
                }
                self.check(error, case);
            }
            Self::Refusal => {
                use ErrorKind::{Damaged, NewerFormat, NotADatabase};
                let kind = error.kind();
                assert!(matches!(kind, Damaged | NewerFormat | NotADatabase), "{case}: {error:?}");
            }
        }
    }
}

pub(crate) fn open(file: &[u8]) -> Result<(Database, SimStorage), Error> {
    open_on(SimStorage::from_contents(file.to_vec()))
}

fn open_on(storage: SimStorage) -> Result<(Database, SimStorage), Error> {
    let options = Database::options().durability(Durability::Relaxed).background(false);
    let db = options.open_on(Arc::new(storage.clone()))?;
    Ok((db, storage))
}

/// Asks for every document, and for some that are not there; counts the errors.
fn look_up(
    collection: &Collection,
    documents: &BTreeMap<Id, Document>,
    allowed: &Allowed,
    case: &str,
) -> usize {
    let mut errors = 0;
    for (id, document) in documents {
        match collection.get(id) {
            Ok(Some(found)) => assert_eq!(&found.to_document().unwrap(), document, "{case}: {id}"),
            Ok(None) => panic!("{case}: {id} of {} is not found", collection.name()),
            Err(error) => {
                allowed.check(&error, case);
                errors += 1;
            }
        }
        match collection.contains(id) {
            Ok(there) => assert!(there, "{case}: {id} is not contained"),
            Err(error) => {
                allowed.check(&error, case);
                errors += 1;
            }
        }
    }
    for id in [Id::from(1_000), Id::from("absent"), Id::from(vec![9_u8; 9])] {
        match collection.get(&id) {
            Ok(found) => assert!(found.is_none(), "{case}: {id} is found"),
            Err(error) => allowed.check(&error, case),
        }
    }
    match collection.get_many(documents.keys()) {
        Ok(found) => {
            let found = found.iter().map(|found| found.as_ref().unwrap().to_document().unwrap());
            assert!(found.eq(documents.values().cloned()), "{case}");
            assert_eq!(errors, 0, "{case}");
        }
        Err(error) => {
            allowed.check(&error, case);
            assert!(errors > 0, "{case}: {error:?}");
        }
    }
    errors
}

/// Goes through all documents; counts the errors.
fn scan(
    collection: &Collection,
    documents: &BTreeMap<Id, Document>,
    allowed: &Allowed,
    case: &str,
) -> usize {
    let mut errors = 0;
    let mut left = documents.clone();
    let mut cursor = collection.scan().unwrap();
    loop {
        match cursor.next() {
            Ok(Some(view)) => {
                let found = view.to_document().unwrap();
                let expected = left.remove(&id_of(&found));
                assert_eq!(expected.as_ref(), Some(&found), "{case}");
            }
            Ok(None) => break,
            Err(error) => {
                allowed.check(&error, case);
                errors += 1;
                assert!(errors < 100, "{case}: the cursor does not go on");
            }
        }
    }
    assert!(errors > 0 || left.is_empty(), "{case}: {} not seen", left.len());
    let (mut seen, mut cursor) = (0, collection.scan().unwrap());
    for _ in 0..=errors {
        if cursor.for_each(|_| seen += 1).is_ok() {
            break;
        }
    }
    assert_eq!(seen, documents.len() - left.len(), "{case}: for_each sees others than next");
    errors
}

/// Inserts what is there, which must not work, and what is not, which may.
fn insert(
    collection: &Collection,
    documents: &BTreeMap<Id, Document>,
    allowed: &Allowed,
    case: &str,
) {
    for document in documents.values().take(4).chain(documents.values().next_back()) {
        match collection.insert(document) {
            Ok(id) => panic!("{case}: {id} is inserted a second time"),
            Err(error) if error.kind() == ErrorKind::DuplicateId => {}
            Err(error) => allowed.check(&error, case),
        }
    }
    assert_eq!(collection.count().unwrap(), documents.len() as u64, "{case}");
    match collection.insert(doc! { "_id": "new", "text": "n".repeat(5_000) }) {
        Ok(id) => {
            let found = collection.get(&id).unwrap().unwrap().to_document().unwrap();
            assert_eq!(found.len(), 2, "{case}");
            assert_eq!(collection.count().unwrap(), documents.len() as u64 + 1, "{case}");
            match collection.delete("new") {
                Ok(deleted) => assert!(deleted, "{case}"),
                Err(error) => allowed.check(&error, case),
            }
        }
        Err(error) => {
            allowed.check(&error, case);
            assert_eq!(collection.count().unwrap(), documents.len() as u64, "{case}");
        }
    }
}
