//! LMDB, by way of `heed`.

use std::path::Path;

use heed::byteorder::NativeEndian;
use heed::types::{Bytes, U64};
use heed::{
    CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, IntegerComparator, RoTxn, WithTls,
};

use super::{Durability, Reader, Result, Store, missing};
use crate::corpus::sum_bytes;

pub(super) const SETTINGS: &str = "heed; integer keys, put anywhere (no MDB_APPEND); unsynced: \
    MDB_NOSYNC, synced: LMDB's default; the map serves as cache; a read transaction a thread";

/// Address space, not memory: only what is stored takes any.
const MAP_SIZE: usize = 64 << 30;

type Documents = Database<'static, U64<NativeEndian>, Bytes, IntegerComparator>;

pub(super) struct Lmdb {
    env: Env,
    documents: Documents,
}

impl Lmdb {
    pub(super) fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let flags = match durability {
            Durability::Unsynced => EnvFlags::NO_SYNC,
            Durability::Synced => EnvFlags::empty(),
        };
        #[expect(unsafe_code, reason = "heed cannot open a memory map any other way")]
        // SAFETY: the folder was made for this run alone, so no one else touches the mapped file;
        // a lost write after a power cut cannot matter to files removed when the run ends.
        let env = unsafe { EnvOpenOptions::new().map_size(MAP_SIZE).flags(flags).open(folder)? };
        let documents = env
            .create_databases_and_commit(env.write_txn()?, |opener, txn| {
                opener
                    .database_options()
                    .types::<U64<NativeEndian>, Bytes>()
                    .key_comparator::<IntegerComparator>()
                    .create(txn)
                    .map(CommitOrAbort::<_, ()>::Commit)
            })?
            .unwrap_commit();
        Ok(Self { env, documents })
    }
}

impl Store for Lmdb {
    fn insert_batch(&mut self, batch: &[(u64, &[u8])]) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for (id, document) in batch {
            self.documents.put(&mut txn, id, document)?;
        }
        Ok(txn.commit()?)
    }

    fn checkpoint(&mut self) -> Result<()> {
        Ok(self.env.force_sync()?)
    }

    fn read_with(&self, work: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        work(&mut LmdbReader { txn: self.env.read_txn()?, documents: &self.documents })
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.env.prepare_for_closing().wait();
        Ok(())
    }
}

struct LmdbReader<'a> {
    txn: RoTxn<'a, WithTls>,
    documents: &'a Documents,
}

impl Reader for LmdbReader<'_> {
    fn read(&mut self, id: u64, sum: &mut u64) -> Result<()> {
        *sum += sum_bytes(self.documents.get(&self.txn, &id)?.ok_or_else(|| missing(id))?);
        Ok(())
    }

    fn scan(&mut self, sum: &mut u64) -> Result<()> {
        for entry in self.documents.iter(&self.txn)? {
            *sum += sum_bytes(entry?.1);
        }
        Ok(())
    }
}
