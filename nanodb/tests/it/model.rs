//! Any sequence of operations, reopening among them, against a map.

use std::collections::BTreeMap;
use std::path::Path;

use nanodb::{Collection, Database, Document, ErrorKind, Id, Value, doc};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Op {
    Insert { collection: usize, id: Option<u8>, size: usize },
    InsertMany { collection: usize, documents: Vec<(Option<u8>, usize)> },
    Get { collection: usize, id: u8 },
    GetMany { collection: usize, ids: Vec<u8> },
    Replace { collection: usize, id: u8, size: usize },
    Delete { collection: usize, id: u8 },
    Scan { collection: usize },
    Drop { collection: usize },
    Rename { from: usize, to: usize },
    Checkpoint,
    Reopen,
    Check,
}

/// From nothing to several pages, with the sizes around one page and two among them.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        5 => 0_usize..300,
        2 => 300_usize..2500,
        1 => 3900_usize..4200,
        1 => 8000_usize..8300,
        1 => 4000_usize..30_000,
    ]
}

fn id() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![2 => Just(None), 3 => (0_u8..60).prop_map(Some)]
}

fn op() -> impl Strategy<Value = Op> {
    let collection = 0_usize..NAMES.len();
    let c = || collection.clone();
    prop_oneof![
        10 => (c(), id(), size()).prop_map(|(collection, id, size)| Op::Insert { collection, id, size }),
        4 => (c(), prop::collection::vec((id(), size()), 0..12))
            .prop_map(|(collection, documents)| Op::InsertMany { collection, documents }),
        4 => (c(), 0_u8..60).prop_map(|(collection, id)| Op::Get { collection, id }),
        2 => (c(), prop::collection::vec(0_u8..60, 0..10))
            .prop_map(|(collection, ids)| Op::GetMany { collection, ids }),
        10 => (c(), 0_u8..60, size())
            .prop_map(|(collection, id, size)| Op::Replace { collection, id, size }),
        8 => (c(), 0_u8..60).prop_map(|(collection, id)| Op::Delete { collection, id }),
        2 => c().prop_map(|collection| Op::Scan { collection }),
        1 => c().prop_map(|collection| Op::Drop { collection }),
        1 => (c(), c()).prop_map(|(from, to)| Op::Rename { from, to }),
        1 => Just(Op::Checkpoint),
        2 => Just(Op::Reopen),
        1 => Just(Op::Check),
    ]
}

/// Ids of all types: small numbers, large ones, strings and binary.
fn id_of(number: u8) -> Id {
    match number % 5 {
        0 | 1 => Id::from(number),
        2 => Id::from(u64::MAX - u64::from(number)),
        3 => Id::from(format!("{number}{}", "-".repeat(usize::from(number) * 8))),
        _ => Id::from([number; 12]),
    }
}

fn document(id: Option<&Id>, size: usize, stamp: u64) -> Document {
    let mut document = doc! { "stamp": stamp, "text": "x".repeat(size) };
    if let Some(id) = id {
        // Not first on purpose: it is stored first all the same.
        document.insert("_id", id);
    }
    document
}

/// As it is read back: `_id` first.
fn stored(id: &Id, document: &Document) -> Document {
    let mut stored = doc! { "_id": id };
    for (name, value) in document.iter().filter(|(name, _)| *name != "_id") {
        stored.insert(name, value.clone());
    }
    stored
}

#[derive(Default)]
struct Model {
    documents: BTreeMap<Id, Document>,
    next_id: i64,
}

impl Model {
    fn try_insert(&mut self, documents: &[Document]) -> Result<Vec<Id>, Id> {
        let mut next_id = self.next_id.max(1);
        let mut inserted: Vec<(Id, Document)> = Vec::new();
        for document in documents {
            let id = match document.id() {
                Some(id) => id.to_owned(),
                None => Id::Int(next_id),
            };
            if let Id::Int(number) = id
                && number < 1 << 53
            {
                next_id = next_id.max(number + 1);
            }
            let taken = self.documents.contains_key(&id) || inserted.iter().any(|(i, _)| *i == id);
            if taken {
                return Err(id);
            }
            inserted.push((id.clone(), stored(&id, document)));
        }
        self.next_id = next_id;
        let ids = inserted.iter().map(|(id, _)| id.clone()).collect();
        self.documents.extend(inserted);
        Ok(ids)
    }
}

struct World<'a> {
    path: &'a Path,
    db: Option<Database>,
    collections: Vec<Collection>,
    models: BTreeMap<&'static str, Model>,
    stamp: u64,
}

impl<'a> World<'a> {
    fn open(path: &'a Path) -> Self {
        let mut world =
            Self { path, db: None, collections: vec![], models: BTreeMap::new(), stamp: 0 };
        world.reopen();
        world
    }

    fn reopen(&mut self) {
        self.collections.clear();
        if let Some(db) = self.db.take() {
            db.close().unwrap();
        }
        let db = Database::options().cache_bytes_max(64 * 1024).open(self.path).unwrap();
        self.collections = NAMES.iter().map(|name| db.collection(name)).collect();
        self.db = Some(db);
    }

    fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    fn insert(&mut self, collection: usize, documents: &[Document], many: bool) {
        let handle = &self.collections[collection];
        let result = if many {
            handle.insert_many(documents)
        } else {
            handle.insert(&documents[0]).map(|id| vec![id])
        };
        if !documents.is_empty() {
            // A collection is made by the first insertion that succeeds.
            let found = self.models.remove(NAMES[collection]);
            let existed = found.is_some();
            let mut model = found.unwrap_or_default();
            let expected = model.try_insert(documents);
            if existed || expected.is_ok() {
                self.models.insert(NAMES[collection], model);
            }
            match expected {
                Ok(ids) => assert_eq!(result.unwrap(), ids),
                Err(taken) => match result.unwrap_err() {
                    nanodb::Error::DuplicateId { id, collection: name } => {
                        assert_eq!((id, name.as_str()), (taken, NAMES[collection]));
                    }
                    other => panic!("{other}"),
                },
            }
        }
    }

    fn find(&self, collection: usize, id: &Id) -> Option<&Document> {
        self.models.get(NAMES[collection])?.documents.get(id)
    }

    fn run(&mut self, op: Op) {
        self.stamp += 1;
        let stamp = self.stamp;
        match op {
            Op::Insert { collection, id, size } => {
                let document = document(id.map(id_of).as_ref(), size, stamp);
                self.insert(collection, &[document], false);
            }
            Op::InsertMany { collection, documents } => {
                let documents: Vec<_> = documents
                    .into_iter()
                    .map(|(id, size)| document(id.map(id_of).as_ref(), size, stamp))
                    .collect();
                self.insert(collection, &documents, true);
            }
            Op::Get { collection, id } => {
                let id = id_of(id);
                let handle = &self.collections[collection];
                let found = handle.get(&id).unwrap().map(|found| found.to_document().unwrap());
                assert_eq!(found.as_ref(), self.find(collection, &id));
                assert_eq!(handle.contains(&id).unwrap(), found.is_some());
            }
            Op::GetMany { collection, ids } => {
                let ids: Vec<Id> = ids.into_iter().map(id_of).collect();
                let found = self.collections[collection].get_many(&ids).unwrap();
                assert_eq!(found.len(), ids.len());
                for (id, found) in ids.iter().zip(found) {
                    let found = found.map(|found| found.to_document().unwrap());
                    assert_eq!(found.as_ref(), self.find(collection, id));
                }
            }
            Op::Replace { collection, id, size } => {
                let id = id_of(id);
                let new = document(stamp.is_multiple_of(2).then_some(&id), size, stamp);
                let replaced = self.collections[collection].replace(&id, &new).unwrap();
                let model = self.models.get_mut(NAMES[collection]);
                match model.and_then(|model| model.documents.get_mut(&id)) {
                    Some(old) => {
                        assert!(replaced);
                        *old = stored(&id, &new);
                    }
                    None => assert!(!replaced),
                }
            }
            Op::Delete { collection, id } => {
                let id = id_of(id);
                let deleted = self.collections[collection].delete(&id).unwrap();
                let model = self.models.get_mut(NAMES[collection]);
                assert_eq!(deleted, model.and_then(|m| m.documents.remove(&id)).is_some());
            }
            Op::Scan { collection } => self.compare(collection),
            Op::Drop { collection } => {
                let dropped = self.db().drop_collection(NAMES[collection]).unwrap();
                assert_eq!(dropped, self.models.remove(NAMES[collection]).is_some());
            }
            Op::Rename { from, to } => {
                let (from, to) = (NAMES[from], NAMES[to]);
                let result = self.db().rename_collection(from, to);
                match self.models.remove(from) {
                    None => assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound),
                    Some(model) if from != to && self.models.contains_key(to) => {
                        assert_eq!(result.unwrap_err().kind(), ErrorKind::AlreadyExists);
                        self.models.insert(from, model);
                    }
                    Some(model) => {
                        result.unwrap();
                        self.models.insert(to, model);
                    }
                }
            }
            Op::Checkpoint => self.db().checkpoint().unwrap(),
            Op::Reopen => self.reopen(),
            Op::Check => self.check(),
        }
    }

    /// Compares a whole collection, read in three ways.
    fn compare(&self, collection: usize) {
        let handle = &self.collections[collection];
        let empty = BTreeMap::new();
        let expected = self.models.get(NAMES[collection]).map_or(&empty, |model| &model.documents);
        assert_eq!(handle.count(), expected.len() as u64);

        let mut lent = BTreeMap::new();
        let mut cursor = handle.scan().unwrap();
        while let Some(view) = cursor.next().unwrap() {
            lent.insert(view.id().unwrap().to_owned(), view.to_document().unwrap());
        }
        assert_eq!(&lent, expected);
        let mut visited = 0;
        handle
            .scan()
            .unwrap()
            .for_each(|view| {
                assert_eq!(
                    Some(&view.to_document().unwrap()),
                    expected.get(&view.id().unwrap().to_owned())
                );
                visited += 1;
            })
            .unwrap();
        assert_eq!(visited, expected.len());
        let kept: Vec<_> = handle.iter().unwrap().map(Result::unwrap).collect();
        assert_eq!(kept.len(), expected.len());
        for document in kept {
            assert_eq!(
                document.get("stamp").unwrap().to_value().unwrap(),
                expected[&document.id().unwrap().to_owned()]["stamp"]
            );
        }
    }

    fn check(&self) {
        let report = self.db().check().unwrap();
        assert!(report.is_clean(), "{report}");
        let documents: usize = self.models.values().map(|model| model.documents.len()).sum();
        assert_eq!(report.documents, documents as u64);
        let listed = self.db().collections();
        let listed: Vec<_> = listed.iter().map(|info| (info.name.as_str(), info.count)).collect();
        let expected: Vec<_> =
            self.models.iter().map(|(&name, model)| (name, model.documents.len() as u64)).collect();
        assert_eq!(listed, expected);
    }
}

fn cases() -> u32 {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { 5000 } else { 96 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_operations_agree_with_a_map(ops in prop::collection::vec(op(), 1..120)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.nanodb");
        let mut world = World::open(&path);
        for op in ops {
            world.run(op);
        }
        for _ in 0..2 {
            (0..NAMES.len()).for_each(|collection| world.compare(collection));
            world.check();
            world.reopen();
        }
    }
}

#[test]
fn values_of_every_type_come_back_as_they_were() {
    let all = doc! {
        "_id": 1,
        "null": null,
        "bool": true,
        "ints": [0, -1, i64::MIN, i64::MAX, u64::MAX],
        "float": 0.1,
        "string": "ünïcode \u{1F980}",
        "binary": (Value::Binary(vec![0, 255])),
        "nested": { "a": [{ "b": [] }, {}] },
        "time": (nanodb::Timestamp::from(std::time::SystemTime::UNIX_EPOCH)),
        "": "an empty name",
        "a.b": "a dot",
    };
    let db = Database::in_memory().unwrap();
    let collection = db.collection("all");
    collection.insert(&all).unwrap();
    assert_eq!(collection.get(1).unwrap().unwrap().to_document().unwrap(), all);
}
