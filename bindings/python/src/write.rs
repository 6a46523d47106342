//! Changes, as they are made within a transaction.

use nanodb::{
    DocView, Filter, Id, Projection, Result, Sort, StoredDoc, TransactionCollection, Update,
    UpdateResult, WriteCollection,
};
use nanodb_msgpack::{Cursor, OBJECT_ID_EXT, write_ext, write_map_len, write_string};

use crate::encode::Ids;
use crate::scalars::next;

/// What is to become of documents that match.
pub(crate) enum Change {
    Update(Update),
    /// A document in MessagePack.
    Replace(Vec<u8>),
    Delete,
}

/// A change of one document that matches a filter, or of all.
pub(crate) struct Modify {
    pub(crate) filter: Filter,
    pub(crate) change: Change,
    pub(crate) many: bool,
    /// Whether a document is inserted if none matches.
    pub(crate) upsert: bool,
    /// Whether that gets an ObjectId rather than the next integer, unless an id is asked for.
    pub(crate) new_id: Option<Ids>,
}

/// What a change has done.
#[derive(Default)]
pub(crate) struct Modified {
    pub(crate) matched: u64,
    pub(crate) modified: u64,
    pub(crate) deleted: u64,
    pub(crate) upserted: Option<Id>,
}

impl From<UpdateResult> for Modified {
    fn from(result: UpdateResult) -> Self {
        let UpdateResult { matched, modified, upserted, .. } = result;
        Self { matched, modified, deleted: 0, upserted }
    }
}

impl Modify {
    /// Whether it must be within a transaction, since it takes several steps.
    pub(crate) fn takes_steps(&self) -> bool {
        self.upsert
    }

    /// Carries it out where one step is enough.
    pub(crate) fn run(&self, collection: &impl WriteCollection) -> Result<Modified> {
        let filter = &self.filter;
        match (&self.change, self.many) {
            (Change::Update(update), false) => {
                collection.update_one(filter, update).map(Modified::from)
            }
            (Change::Update(update), true) => {
                collection.update_many(filter, update).map(Modified::from)
            }
            (Change::Replace(document), _) => {
                let document = DocView::from_bytes(document);
                collection.replace_one(filter, document).map(Modified::from)
            }
            (Change::Delete, many) => {
                let deleted = match many {
                    false => collection.delete_one(filter)?,
                    true => collection.delete_many(filter)?,
                };
                Ok(Modified { deleted, ..Modified::default() })
            }
        }
    }

    /// Carries it out within a transaction, in as many steps as it takes.
    pub(crate) fn run_within(&self, collection: &TransactionCollection<'_>) -> Result<Modified> {
        let done = self.run(collection)?;
        if !self.upsert || done.matched > 0 {
            return Ok(done);
        }
        Ok(Modified { upserted: self.insert(collection)?, ..done })
    }

    /// Inserts the document that an upsert makes.
    fn insert(&self, collection: &TransactionCollection<'_>) -> Result<Option<Id>> {
        let done = match &self.change {
            Change::Update(update) => collection.upsert(&self.filter, update)?,
            Change::Replace(document) => {
                collection.replace_or_insert(&self.filter, DocView::from_bytes(document))?
            }
            Change::Delete => return Ok(None),
        };
        let Some(id) = done.upserted else { return Ok(None) };
        // An integer that nobody has asked for was assigned.
        let is_assigned = self.new_id == Some(Ids::ObjectId) && matches!(id, Id::Int(_));
        if !is_assigned || self.demands_id(collection)? {
            return Ok(Some(id));
        }
        let Some(document) = collection.get(&id)? else { return Ok(Some(id)) };
        let renamed = with_new_id(&document);
        drop(document);
        let Some((renamed, new)) = renamed else { return Ok(Some(id)) };
        collection.delete(&id)?;
        collection.insert(DocView::from_bytes(&renamed))?;
        Ok(Some(Id::ObjectId(new)))
    }

    /// Whether the filter demands one id, which the new document then has.
    fn demands_id(&self, collection: &TransactionCollection<'_>) -> Result<bool> {
        let plan = collection.find(&self.filter).explain()?;
        Ok(plan.access_path == nanodb::AccessPath::IdLookup { count: 1 })
    }
}

/// Returns a stored document with a new ObjectId in place of its id.
fn with_new_id(document: &StoredDoc) -> Option<(Vec<u8>, nanodb::ObjectId)> {
    let mut cursor = Cursor::new(document.as_bytes());
    let len = cursor.read_map_len()?;
    cursor.read_string_bytes()?;
    cursor.skip()?;
    let (id, mut out) = (next(), Vec::with_capacity(document.as_bytes().len() + 16));
    write_map_len(&mut out, len);
    let fits =
        write_string(&mut out, nanodb::ID_FIELD) && write_ext(&mut out, OBJECT_ID_EXT, id.bytes());
    out.extend_from_slice(cursor.rest());
    fits.then_some((out, id))
}

/// A change of one document that is returned.
pub(crate) struct FindAndModify {
    pub(crate) modify: Modify,
    pub(crate) sort: Option<Sort>,
    pub(crate) projection: Option<Projection>,
    pub(crate) returns_new: bool,
}

impl FindAndModify {
    /// Carries it out where one step is enough.
    pub(crate) fn run(&self, collection: &impl WriteCollection) -> Result<Option<StoredDoc>> {
        let filter = &self.modify.filter;
        let mut find = match &self.modify.change {
            Change::Update(update) => collection.find_one_and_update(filter, update),
            Change::Replace(document) => {
                collection.find_one_and_replace(filter, DocView::from_bytes(document))
            }
            Change::Delete => collection.find_one_and_delete(filter),
        };
        if let Some(sort) = &self.sort {
            find = find.sort(sort);
        }
        if let Some(projection) = &self.projection {
            find = find.projection(projection);
        }
        if self.returns_new {
            find = find.return_new();
        }
        find.run()
    }

    /// Carries it out within a transaction, in as many steps as it takes.
    pub(crate) fn run_within(
        &self,
        collection: &TransactionCollection<'_>,
    ) -> Result<Option<StoredDoc>> {
        // What was there, to be told from nothing where the new document is asked for.
        let found = self.run(collection)?;
        if !self.modify.upsert || found.is_some() {
            return Ok(found);
        }
        let inserted = self.modify.insert(collection)?;
        let Some(id) = inserted.filter(|_| self.returns_new) else { return Ok(None) };
        let mut find = collection.find(nanodb::field("_id").eq(id));
        if let Some(projection) = &self.projection {
            find = find.projection(projection);
        }
        find.first()
    }
}
