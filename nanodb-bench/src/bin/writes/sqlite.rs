//! SQLite: a table of blobs by integer primary key; WAL, `synchronous = FULL`.

use std::path::Path;

use rusqlite::Connection;

use super::{CACHE_BYTES_MAX, Result, Store};

struct Sqlite(Connection);

pub(super) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let connection = Connection::open(folder.join("documents.sqlite"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Below zero it is a number of KiB.
    connection.pragma_update(None, "cache_size", -i64::try_from(CACHE_BYTES_MAX >> 10)?)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    )?;
    Ok(Box::new(Sqlite(connection)))
}

impl Store for Sqlite {
    fn insert(&mut self, pieces: &mut dyn Iterator<Item = Vec<(u64, Vec<u8>)>>) -> Result<()> {
        let txn = self.0.transaction()?;
        let mut insert = txn.prepare_cached("INSERT INTO documents VALUES (?1, ?2)")?;
        for (id, bytes) in pieces.flatten() {
            insert.execute((i64::try_from(id)?, bytes))?;
        }
        drop(insert);
        Ok(txn.commit()?)
    }

    fn update(&mut self, batch: &[(u64, Vec<u8>)]) -> Result<()> {
        let txn = self.0.transaction()?;
        let mut update = txn.prepare_cached("UPDATE documents SET body = ?2 WHERE id = ?1")?;
        for (id, bytes) in batch {
            update.execute((i64::try_from(*id)?, bytes))?;
        }
        drop(update);
        Ok(txn.commit()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.0.close().map_err(|(_, error)| error.into())
    }
}
