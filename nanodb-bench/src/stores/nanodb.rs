//! NanoDB: one collection of documents by integer id.

use std::path::Path;

use nanodb::{Collection, Database, DocView};

use super::{CACHE_BYTES_MAX, Durability, Reader, Result, Store, missing};
use crate::corpus::sum_bytes;

pub(super) const SETTINGS: &str = "unsynced: Durability::Buffered (kept when the process is \
    killed), synced: Durability::Immediate; cache 1 GiB; each read sees the newest commit";

pub(super) struct NanoDb {
    database: Database,
    documents: Collection,
}

impl NanoDb {
    pub(super) fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let durability = match durability {
            Durability::Unsynced => nanodb::Durability::Buffered,
            Durability::Synced => nanodb::Durability::Immediate,
        };
        let database = Database::options()
            .cache_bytes_max(CACHE_BYTES_MAX as usize)
            .durability(durability)
            .open(folder.join("documents.nanodb"))?;
        let documents = database.collection("documents");
        Ok(Self { database, documents })
    }
}

impl Store for NanoDb {
    fn insert_batch(&mut self, batch: &[(u64, &[u8])]) -> Result<()> {
        let documents = batch.iter().map(|(_, document)| DocView::from_bytes(document));
        self.documents.insert_many(documents)?;
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<()> {
        Ok(self.database.checkpoint()?)
    }

    fn read_with(&self, work: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        work(&mut NanoDbReader { documents: &self.documents })
    }

    fn close(self: Box<Self>) -> Result<()> {
        drop(self.documents);
        self.database.close()?;
        Ok(())
    }
}

struct NanoDbReader<'a> {
    documents: &'a Collection,
}

impl Reader for NanoDbReader<'_> {
    fn read(&mut self, id: u64, sum: &mut u64) -> Result<()> {
        *sum += sum_bytes(self.documents.get(id)?.ok_or_else(|| missing(id))?.as_bytes());
        Ok(())
    }

    fn scan(&mut self, sum: &mut u64) -> Result<()> {
        Ok(self.documents.scan()?.for_each(|document| *sum += sum_bytes(document.as_bytes()))?)
    }
}
