//! What a program does without a query language: it has NanoDB's bytes of each document, and
//! decodes them with `rmpv` to look at them.

use std::path::Path;

use nanodb::{Collection, Database, StoredDoc};
use rmpv::Value;

use super::nanodb::{id, load};
use super::{Contender, Result, in_order};

pub(super) struct Decoded {
    db: Database,
    people: Collection,
}

impl Decoded {
    pub(super) fn load(folder: &Path, count: u64) -> Result<Self> {
        let (db, people) = load(&folder.join("decoded.nanodb"), count)?;
        Ok(Self { db, people })
    }

    /// Decodes every document.
    fn for_each(&self, mut visit: impl FnMut(&Value)) -> Result<()> {
        let mut unreadable = None;
        self.people.scan()?.for_each(|document| match decode(document.as_bytes()) {
            Ok(value) => visit(&value),
            Err(error) => unreadable = Some(error),
        })?;
        unreadable.map_or(Ok(()), Err)
    }

    /// Returns all documents with their scores.
    fn scored(&self) -> Result<Vec<(f64, StoredDoc)>> {
        let mut scored = Vec::new();
        for document in self.people.iter()? {
            let document = document?;
            let value = decode(document.as_bytes())?;
            let score = field(&value, "score").and_then(Value::as_f64).ok_or("no score")?;
            scored.push((score, document));
        }
        Ok(scored)
    }
}

impl Contender for Decoded {
    fn name(&self) -> &'static str {
        "rmpv"
    }

    fn count(&mut self) -> Result<u64> {
        let mut count = 0;
        self.for_each(|document| count += u64::from(passes(document)))?;
        Ok(count)
    }

    fn scan(&mut self) -> Result<u64> {
        let mut sum = 0;
        self.for_each(|document| {
            if passes(document) {
                sum += field(document, "_id").and_then(Value::as_u64).unwrap_or(0);
            }
        })?;
        Ok(sum)
    }

    fn first_ten(&mut self) -> Result<Vec<u64>> {
        let mut first: Vec<(f64, u64)> = Vec::new();
        self.for_each(|document| {
            let score = field(document, "score").and_then(Value::as_f64).unwrap_or(0.0);
            let place = first.partition_point(|(other, _)| *other <= score);
            if place < 10 {
                let id = field(document, "_id").and_then(Value::as_u64).unwrap_or(0);
                first.insert(place, (score, id));
                first.truncate(10);
            }
        })?;
        Ok(first.into_iter().map(|(_, id)| id).collect())
    }

    fn sorted(&mut self) -> Result<u64> {
        let mut scored = self.scored()?;
        scored.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        scored.iter().try_fold(0, |order, (_, document)| Ok(in_order(order, id(document)?)))
    }

    fn update(&mut self) -> Result<u64> {
        let people = &self.people;
        let mut changed = 0;
        let transaction = self.db.begin_write();
        let inside = transaction.collection(people.name());
        for document in people.iter()? {
            let document = document?;
            let mut value = decode(document.as_bytes())?;
            if field(&value, "group").and_then(Value::as_u64) != Some(3) {
                continue;
            }
            let visits = field(&value, "visits").and_then(Value::as_u64).ok_or("no visits")?;
            if let Value::Map(fields) = &mut value {
                for (name, value) in fields {
                    if name.as_str() == Some("visits") {
                        *value = Value::from(visits + 1);
                    }
                }
            }
            changed += u64::from(inside.replace(id(&document)?, &value)?);
        }
        transaction.commit()?;
        Ok(changed)
    }

    fn updated(&mut self, times: u32) -> Result<u64> {
        Ok(self.people.count_documents(nanodb::field("visits").eq(times))?)
    }

    fn checkpoint(&mut self) -> Result<()> {
        Ok(self.db.checkpoint()?)
    }
}

fn decode(mut bytes: &[u8]) -> Result<Value> {
    Ok(rmpv::decode::read_value(&mut bytes)?)
}

fn field<'v>(document: &'v Value, wanted: &str) -> Option<&'v Value> {
    let (_, value) = document.as_map()?.iter().find(|(name, _)| name.as_str() == Some(wanted))?;
    Some(value)
}

fn passes(document: &Value) -> bool {
    let age = field(document, "age").and_then(Value::as_u64);
    let city = field(document, "city").and_then(Value::as_str);
    age.is_some_and(|age| age >= 30) && city == Some("Berlin")
}
