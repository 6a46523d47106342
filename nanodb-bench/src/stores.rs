//! What a store has to do to be measured, and which stores there are.
//!
//! Settings are comparable throughout: a transaction a batch of inserts, one read transaction or
//! snapshot a thread where the store has them (its fastest way to read), documents found by a
//! 64-bit integer key, room in each cache for all the data. Each store's module says how in its
//! `SETTINGS`, which the report repeats.

mod hash_map;
#[cfg(feature = "peers")]
mod lmdb;
mod nanodb;
#[cfg(feature = "peers")]
mod redb;
#[cfg(feature = "peers")]
mod sqlite;

use std::error::Error;
use std::fmt;
use std::path::Path;

use clap::ValueEnum;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Cache for each store that has one of its own: more than a million documents need.
const CACHE_BYTES_MAX: u32 = 1 << 30;

/// One open store, holding documents by id.
pub(crate) trait Store: Sync {
    /// Inserts documents whose ids the store does not have yet, in one transaction, with the
    /// durability the store was opened with.
    fn insert_batch(&mut self, batch: &[(u64, &[u8])]) -> Result<()>;

    /// Brings all that was inserted into the store's file, and the file to the disk.
    fn checkpoint(&mut self) -> Result<()>;

    /// Calls `work` with a reader of what is stored now; one call a thread.
    fn read_with(&self, work: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()>;

    /// Closes the store as a program that ends in order does.
    fn close(self: Box<Self>) -> Result<()>;
}

/// One thread's view of a store.
pub(crate) trait Reader {
    /// Finds a document and adds each of its bytes to `sum`.
    ///
    /// # Errors
    ///
    /// A document that is not there is an error: every workload asks for what it stored.
    fn read(&mut self, id: u64, sum: &mut u64) -> Result<()>;

    /// Adds each byte of every document to `sum`.
    fn scan(&mut self, sum: &mut u64) -> Result<()>;
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Nothing: the operating system writes when it likes.
    Unsynced,
    /// The disk: a commit survives the loss of power.
    Synced,
}

/// The stores that were compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum StoreKind {
    #[value(name = "nanodb")]
    NanoDb,
    #[cfg(feature = "peers")]
    Lmdb,
    #[cfg(feature = "peers")]
    Redb,
    #[cfg(feature = "peers")]
    Sqlite,
    #[value(name = "hashmap")]
    HashMap,
}

impl StoreKind {
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// Opens the store in an existing folder of its own, creating it when it is not there.
    pub(crate) fn open(self, folder: &Path, durability: Durability) -> Result<Box<dyn Store>> {
        Ok(match self {
            Self::NanoDb => Box::new(nanodb::NanoDb::open(folder, durability)?),
            #[cfg(feature = "peers")]
            Self::Lmdb => Box::new(lmdb::Lmdb::open(folder, durability)?),
            #[cfg(feature = "peers")]
            Self::Redb => Box::new(redb::Redb::open(folder, durability)?),
            #[cfg(feature = "peers")]
            Self::Sqlite => Box::new(sqlite::Sqlite::open(folder, durability)?),
            Self::HashMap => Box::new(hash_map::InMemory::default()),
        })
    }

    /// Returns whether the store keeps anything when it is closed.
    pub(crate) fn has_files(self) -> bool {
        self != Self::HashMap
    }

    /// Returns whether a commit can be made to wait for the disk.
    pub(crate) fn has_synced_commits(self) -> bool {
        self.has_files()
    }

    /// Returns whether the store is one that NanoDB is compared with: neither itself nor the
    /// `HashMap`, which keeps nothing and marks what memory alone would allow.
    pub(crate) fn is_peer(self) -> bool {
        !matches!(self, Self::NanoDb | Self::HashMap)
    }

    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::NanoDb => nanodb::SETTINGS,
            #[cfg(feature = "peers")]
            Self::Lmdb => lmdb::SETTINGS,
            #[cfg(feature = "peers")]
            Self::Redb => redb::SETTINGS,
            #[cfg(feature = "peers")]
            Self::Sqlite => sqlite::SETTINGS,
            Self::HashMap => hash_map::SETTINGS,
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NanoDb => "NanoDB",
            #[cfg(feature = "peers")]
            Self::Lmdb => "LMDB",
            #[cfg(feature = "peers")]
            Self::Redb => "redb",
            #[cfg(feature = "peers")]
            Self::Sqlite => "SQLite",
            Self::HashMap => "HashMap",
        })
    }
}

/// Returns the error of a store that lost a document.
fn missing(id: u64) -> Box<dyn Error + Send + Sync> {
    format!("document {id} is missing").into()
}
