//! NanoDB, by its query language.

use std::path::Path;

use nanodb::{Collection, Database, Durability, Filter, IdRef, Sort, StoredDoc, Update, field};

use super::report::OWN;
use super::{Contender, Result, documents, in_order};

pub(super) struct Nanodb {
    db: Database,
    people: Collection,
    filter: Filter,
}

impl Nanodb {
    pub(super) fn load(folder: &Path, count: u64) -> Result<Self> {
        let (db, people) = load(&folder.join("queries.nanodb"), count)?;
        let filter = Filter::parse_json(r#"{"age": {"$gte": 30}, "city": "Berlin"}"#)?;
        Ok(Self { db, people, filter })
    }
}

/// Returns a database with the documents in it, on a file whose pages stay in memory.
pub(super) fn load(path: &Path, count: u64) -> Result<(Database, Collection)> {
    let db =
        Database::options().durability(Durability::Buffered).cache_bytes_max(2 << 30).open(path)?;
    let people = db.collection("people");
    documents::in_batches(count, |batch| {
        people.insert_many(batch)?;
        Ok(())
    })?;
    db.checkpoint()?;
    Ok((db, people))
}

impl Contender for Nanodb {
    fn name(&self) -> &'static str {
        OWN
    }

    fn count(&mut self) -> Result<u64> {
        Ok(self.people.count_documents(&self.filter)?)
    }

    fn scan(&mut self) -> Result<u64> {
        let mut sum = 0;
        for document in self.people.find(&self.filter).run()? {
            sum += id(&document?)?;
        }
        Ok(sum)
    }

    fn first_ten(&mut self) -> Result<Vec<u64>> {
        let find = self.people.find(Filter::all()).sort(Sort::ascending("score")).limit(10);
        find.run()?.map(|document| id(&document?)).collect()
    }

    fn sorted(&mut self) -> Result<u64> {
        let mut order = 0;
        for document in self.people.find(Filter::all()).sort(Sort::ascending("score")).run()? {
            order = in_order(order, id(&document?)?);
        }
        Ok(order)
    }

    fn update(&mut self) -> Result<u64> {
        let update = Update::parse_json(r#"{"$inc": {"visits": 1}}"#)?;
        Ok(self.people.update_many(field("group").eq(3), &update)?.modified)
    }

    fn updated(&mut self, times: u32) -> Result<u64> {
        Ok(self.people.count_documents(field("visits").eq(times))?)
    }

    fn checkpoint(&mut self) -> Result<()> {
        Ok(self.db.checkpoint()?)
    }
}

pub(super) fn id(document: &StoredDoc) -> Result<u64> {
    match document.id() {
        Some(IdRef::Int(id)) => Ok(u64::try_from(id)?),
        other => Err(format!("a document with the id {other:?}").into()),
    }
}
