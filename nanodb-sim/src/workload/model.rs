//! What a database should hold, in plain maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb::{ASSIGNED_ID_MAX, Document, Id, doc};

use super::op::Write;

/// The names of the collections.
const NAMES: [&str; 3] = ["users", "films", "städte"];

/// All collections and their documents. Cloning costs little: documents are shared.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Model {
    pub(super) collections: BTreeMap<&'static str, Contents>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Contents {
    pub(super) documents: BTreeMap<Id, Arc<Document>>,
    /// One above the largest integer that was ever an id, as far as such are assigned.
    next_id: i64,
}

/// What a change should return.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Outcome {
    Inserted(Vec<Id>),
    Duplicate(Id),
    Found(bool),
}

impl Model {
    pub(super) fn documents(&self, collection: &str) -> BTreeMap<Id, Arc<Document>> {
        self.collections.get(collection).map(|all| all.documents.clone()).unwrap_or_default()
    }

    pub(super) fn get(&self, collection: u8, id: &Id) -> Option<&Document> {
        Some(&**self.collections.get(name(collection))?.documents.get(id)?)
    }

    /// Makes a change; one that is refused leaves everything as it was.
    pub(super) fn write(&mut self, write: &Write, stamp: u64) -> Outcome {
        match write {
            Write::Insert { .. } | Write::InsertMany { .. } => {
                self.insert(write.collection(), &documents(write, stamp))
            }
            Write::Replace { collection, id, size } => {
                let (id, new) = replacement(*id, *size, stamp);
                let all = self.collections.get_mut(name(*collection));
                Outcome::Found(all.and_then(|all| all.documents.get_mut(&id)).is_some_and(|old| {
                    *old = Arc::new(stored(&id, &new));
                    true
                }))
            }
            Write::Delete { collection, id } => {
                let all = self.collections.get_mut(name(*collection));
                let removed = all.and_then(|all| all.documents.remove(&id_of(*id)));
                Outcome::Found(removed.is_some())
            }
        }
    }

    /// Returns the ids that the collections should assign next.
    pub(super) fn next_ids(&self) -> BTreeMap<&'static str, Id> {
        self.collections.iter().map(|(&name, all)| (name, Id::Int(all.next_id.max(1)))).collect()
    }

    fn insert(&mut self, collection: u8, documents: &[Document]) -> Outcome {
        if documents.is_empty() {
            return Outcome::Inserted(Vec::new());
        }
        let before = self.collections.get(name(collection));
        let mut after = before.cloned().unwrap_or_default();
        let mut ids = Vec::new();
        for document in documents {
            let id = match document.id() {
                Some(id) => id.to_owned(),
                None => Id::Int(after.next_id.max(1)),
            };
            if let Some(number) = as_assigned(&id) {
                after.next_id = after.next_id.max(number + 1);
            }
            let document = Arc::new(stored(&id, document));
            if after.documents.insert(id.clone(), document).is_some() {
                return Outcome::Duplicate(id);
            }
            ids.push(id);
        }
        self.collections.insert(name(collection), after);
        Outcome::Inserted(ids)
    }

    /// Returns whether these collections hold these documents and no others.
    pub(super) fn same_documents(&self, other: &BTreeMap<String, BTreeMap<Id, Document>>) -> bool {
        self.collections.len() == other.len()
            && self.collections.iter().zip(other).all(|((name, all), (other_name, found))| {
                name == other_name
                    && all.documents.len() == found.len()
                    && all.documents.iter().zip(found).all(|((a, b), (c, d))| a == c && **b == *d)
            })
    }
}

/// Returns the number, if it is one that might have been assigned.
fn as_assigned(id: &Id) -> Option<i64> {
    match *id {
        Id::Int(number) if (0..=ASSIGNED_ID_MAX).contains(&number) => Some(number),
        _ => None,
    }
}

/// Returns the name of a collection by its number.
pub(super) fn name(collection: u8) -> &'static str {
    NAMES[usize::from(collection) % NAMES.len()]
}

/// Ids of all types: small numbers, large ones, strings and binary.
pub(super) fn id_of(number: u8) -> Id {
    match number % 5 {
        0 | 1 => Id::from(number),
        2 => Id::from(u64::MAX - u64::from(number)),
        3 => Id::from(format!("{number}{}", "-".repeat(usize::from(number) * 8))),
        _ => Id::from([number; 12]),
    }
}

/// Returns the documents that an insert brings.
pub(super) fn documents(write: &Write, stamp: u64) -> Vec<Document> {
    let new = |id: Option<u8>, size| document(id.map(id_of).as_ref(), size, stamp);
    match write {
        Write::Insert { id, size, .. } => vec![new(*id, *size)],
        Write::InsertMany { documents, .. } => {
            documents.iter().map(|&(id, size)| new(id, size)).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the document that takes another's place; it names its id half of the time.
pub(super) fn replacement(id: u8, size: u16, stamp: u64) -> (Id, Document) {
    let id = id_of(id);
    let new = document(stamp.is_multiple_of(2).then_some(&id), size, stamp);
    (id, new)
}

fn document(id: Option<&Id>, size: u16, stamp: u64) -> Document {
    let mut document = doc! { "stamp": stamp, "text": "x".repeat(usize::from(size)) };
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
