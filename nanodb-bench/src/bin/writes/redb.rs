//! redb: `Durability::Immediate`.

use std::path::Path;

use redb::{Database, TableDefinition};

use super::{CACHE_BYTES_MAX, Result, Store};

const DOCUMENTS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("documents");

struct Redb(Database);

pub(super) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let path = folder.join("documents.redb");
    Ok(Box::new(Redb(Database::builder().set_cache_size(CACHE_BYTES_MAX).create(path)?)))
}

impl Store for Redb {
    fn insert(&mut self, pieces: &mut dyn Iterator<Item = Vec<(u64, Vec<u8>)>>) -> Result<()> {
        let txn = self.0.begin_write()?;
        let mut documents = txn.open_table(DOCUMENTS)?;
        for (id, bytes) in pieces.flatten() {
            documents.insert(id, bytes.as_slice())?;
        }
        drop(documents);
        Ok(txn.commit()?)
    }

    fn update(&mut self, batch: &[(u64, Vec<u8>)]) -> Result<()> {
        self.insert(&mut std::iter::once(batch.to_vec()))
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
