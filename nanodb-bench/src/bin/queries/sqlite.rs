//! SQLite, each document a JSONB blob in one table.

use std::path::Path;

use rusqlite::Connection;

use super::{Contender, Result, documents, in_order};

pub(super) const SETTINGS: &str = "rusqlite, bundled; documents stored by jsonb(), id INTEGER PRIMARY \
    KEY; prepared statements; cache_size and mmap_size 2 GB, temp_store = MEMORY; WAL, synchronous = NORMAL, \
    checkpointed outside of what is timed";

pub(super) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    pub(super) fn load(folder: &Path, count: u64) -> Result<Self> {
        let connection = Connection::open(folder.join("queries.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -2_000_000)?;
        connection.pragma_update(None, "mmap_size", 2_000_000_000_i64)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection
            .execute_batch("CREATE TABLE people (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")?;
        let mut sqlite = Self { connection };
        documents::in_batches(count, |batch| {
            let transaction = sqlite.connection.transaction()?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO people VALUES (?1, jsonb(?2))")?;
            for document in batch {
                let id = document.get("_id").and_then(nanodb::Value::as_i64);
                insert.execute((id, serde_json::to_string(&document)?))?;
            }
            drop(insert);
            Ok(transaction.commit()?)
        })?;
        sqlite.checkpoint()?;
        Ok(sqlite)
    }

    fn number(&self, query: &str) -> Result<u64> {
        let found: i64 = self.connection.prepare_cached(query)?.query_row((), |row| row.get(0))?;
        Ok(u64::try_from(found)?)
    }

    /// Hands each document that a query finds, and its id, to `visit`.
    fn for_each(&self, query: &str, mut visit: impl FnMut(u64)) -> Result<()> {
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            std::hint::black_box(row.get_ref(1)?.as_blob()?);
            visit(u64::try_from(id)?);
        }
        Ok(())
    }
}

impl Contender for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite JSONB"
    }

    fn count(&mut self) -> Result<u64> {
        self.number(
            "SELECT count(*) FROM people WHERE data->>'$.age' >= 30 AND data->>'$.city' = 'Berlin'",
        )
    }

    fn scan(&mut self) -> Result<u64> {
        let mut sum = 0;
        let query = "SELECT id, data FROM people \
            WHERE data->>'$.age' >= 30 AND data->>'$.city' = 'Berlin'";
        self.for_each(query, |id| sum += id)?;
        Ok(sum)
    }

    fn first_ten(&mut self) -> Result<Vec<u64>> {
        let mut ids = Vec::new();
        let query = "SELECT id, data FROM people ORDER BY data->>'$.score' LIMIT 10";
        self.for_each(query, |id| ids.push(id))?;
        Ok(ids)
    }

    fn sorted(&mut self) -> Result<u64> {
        let mut order = 0;
        let query = "SELECT id, data FROM people ORDER BY data->>'$.score'";
        self.for_each(query, |id| order = in_order(order, id))?;
        Ok(order)
    }

    fn update(&mut self) -> Result<u64> {
        let mut update = self.connection.prepare_cached(
            "UPDATE people SET data = jsonb_set(data, '$.visits', (data->>'$.visits') + 1) \
             WHERE data->>'$.group' = 3",
        )?;
        Ok(update.execute(())? as u64)
    }

    fn updated(&mut self, times: u32) -> Result<u64> {
        self.number(&format!("SELECT count(*) FROM people WHERE data->>'$.visits' = {times}"))
    }

    fn checkpoint(&mut self) -> Result<()> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?)
    }
}
