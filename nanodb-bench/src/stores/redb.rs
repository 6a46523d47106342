//! redb.

use std::path::Path;

use redb::{Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use super::{CACHE_BYTES_MAX, Durability, Reader, Result, Store, missing};
use crate::corpus::sum_bytes;

pub(super) const SETTINGS: &str = "unsynced: Durability::None (lost when the process is killed), \
    synced: Durability::Immediate; cache 1 GiB; a read transaction a thread";

const DOCUMENTS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("documents");

pub(super) struct Redb {
    database: Database,
    durability: redb::Durability,
}

impl Redb {
    pub(super) fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES_MAX as usize)
            .create(folder.join("documents.redb"))?;
        let durability = match durability {
            Durability::Unsynced => redb::Durability::None,
            Durability::Synced => redb::Durability::Immediate,
        };
        Ok(Self { database, durability })
    }
}

impl Store for Redb {
    fn insert_batch(&mut self, batch: &[(u64, &[u8])]) -> Result<()> {
        let mut txn = self.database.begin_write()?;
        txn.set_durability(self.durability)?;
        let mut documents = txn.open_table(DOCUMENTS)?;
        for &(id, document) in batch {
            documents.insert(id, document)?;
        }
        drop(documents);
        Ok(txn.commit()?)
    }

    fn checkpoint(&mut self) -> Result<()> {
        // A durable commit, even an empty one, makes those before it durable too.
        Ok(self.database.begin_write()?.commit()?)
    }

    fn read_with(&self, work: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        let txn = self.database.begin_read()?;
        work(&mut RedbReader { documents: txn.open_table(DOCUMENTS)? })
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

struct RedbReader {
    documents: ReadOnlyTable<u64, &'static [u8]>,
}

impl Reader for RedbReader {
    fn read(&mut self, id: u64, sum: &mut u64) -> Result<()> {
        *sum += sum_bytes(self.documents.get(id)?.ok_or_else(|| missing(id))?.value());
        Ok(())
    }

    fn scan(&mut self, sum: &mut u64) -> Result<()> {
        for entry in self.documents.iter()? {
            *sum += sum_bytes(entry?.1.value());
        }
        Ok(())
    }
}
