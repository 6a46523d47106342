//! NanoDB: `Durability::Immediate`, and otherwise as it comes.

use std::path::Path;

use nanodb::{Database, DocView, IdRef};

use super::{CACHE_BYTES_MAX, Result, Store};

struct NanoDb(Database);

pub(super) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let options = Database::options().cache_bytes_max(CACHE_BYTES_MAX);
    Ok(Box::new(NanoDb(options.open(folder.join("documents.nanodb"))?)))
}

impl Store for NanoDb {
    fn insert(&mut self, pieces: &mut dyn Iterator<Item = Vec<(u64, Vec<u8>)>>) -> Result<()> {
        let tx = self.0.begin_write();
        let documents = tx.collection("documents");
        for piece in pieces {
            documents.insert_many(piece.iter().map(|(_, bytes)| DocView::from_bytes(bytes)))?;
        }
        drop(documents);
        Ok(tx.commit()?)
    }

    fn update(&mut self, batch: &[(u64, Vec<u8>)]) -> Result<()> {
        let tx = self.0.begin_write();
        let documents = tx.collection("documents");
        for (id, bytes) in batch {
            documents.replace(IdRef::from(*id), DocView::from_bytes(bytes))?;
        }
        drop(documents);
        Ok(tx.commit()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.0.close()?;
        Ok(())
    }
}
