//! SQLite, by way of `rusqlite`: one table of blobs by integer primary key.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::{CACHE_BYTES_MAX, Durability, Reader, Result, Store, missing};
use crate::corpus::sum_bytes;

pub(super) const SETTINGS: &str = "rusqlite, bundled; WAL, checkpointed by itself every 1,000 \
    pages; prepared statements; BLOB by INTEGER PRIMARY KEY; unsynced: synchronous = OFF, synced: \
    synchronous = FULL; mmap_size 1 GiB; a connection and a read transaction a thread";

pub(super) struct Sqlite {
    path: PathBuf,
    /// Readers bring connections of their own; the lock is only what makes this one `Sync`.
    writer: Mutex<Connection>,
}

impl Sqlite {
    pub(super) fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let path = folder.join("documents.sqlite");
        let connection = connect(&path)?;
        let synchronous = match durability {
            Durability::Unsynced => "OFF",
            Durability::Synced => "FULL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
        )?;
        Ok(Self { path, writer: Mutex::new(connection) })
    }

    fn writer(&mut self) -> &mut Connection {
        self.writer.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Sqlite {
    fn insert_batch(&mut self, batch: &[(u64, &[u8])]) -> Result<()> {
        let txn = self.writer().transaction()?;
        let mut insert = txn.prepare_cached("INSERT INTO documents VALUES (?1, ?2)")?;
        for &(id, document) in batch {
            insert.execute((i64::try_from(id)?, document))?;
        }
        drop(insert);
        Ok(txn.commit()?)
    }

    fn checkpoint(&mut self) -> Result<()> {
        self.writer().query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
        // With `synchronous = OFF` the checkpoint leaves this to the operating system.
        Ok(File::open(&self.path)?.sync_all()?)
    }

    fn read_with(&self, work: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        let mut connection = connect(&self.path)?;
        let txn = connection.transaction()?;
        work(&mut SqliteReader {
            read: txn.prepare("SELECT body FROM documents WHERE id = ?1")?,
            scan: txn.prepare("SELECT body FROM documents")?,
        })
    }

    fn close(self: Box<Self>) -> Result<()> {
        let connection = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        connection.close().map_err(|(_, error)| error.into())
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "mmap_size", CACHE_BYTES_MAX)?;
    Ok(connection)
}

struct SqliteReader<'a> {
    read: Statement<'a>,
    scan: Statement<'a>,
}

impl Reader for SqliteReader<'_> {
    fn read(&mut self, id: u64, sum: &mut u64) -> Result<()> {
        let found = self
            .read
            .query_row([i64::try_from(id)?], |row| Ok(sum_bytes(row.get_ref(0)?.as_blob()?)))
            .optional()?;
        *sum += found.ok_or_else(|| missing(id))?;
        Ok(())
    }

    fn scan(&mut self, sum: &mut u64) -> Result<()> {
        let mut rows = self.scan.query(())?;
        while let Some(row) = rows.next()? {
            *sum += sum_bytes(row.get_ref(0)?.as_blob()?);
        }
        Ok(())
    }
}
