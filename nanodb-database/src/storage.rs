//! Where a database's bytes are kept: in a file, in memory, or in storage of your own.
//!
//! [`Database::open`](crate::Database::open) and
//! [`Database::in_memory`](crate::Database::in_memory) choose for you.
//! [`Options::open_on`](crate::Options::open_on) takes anything that implements [`Storage`]: a
//! layer that encrypts, or a test that stands in for a disk that fails.
//!
//! ```
//! # extern crate nanodb_database as nanodb;
//! use std::sync::Arc;
//!
//! use nanodb::storage::{FileStorage, Storage};
//! use nanodb::{Database, doc};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("data.nanodb");
//! let storage: Arc<dyn Storage> = Arc::new(FileStorage::open(&path)?);
//! let db = Database::options().open_on(storage)?;
//! db.collection("users").insert(doc! { "name": "Alice" })?;
//! db.close()?;
//! assert_eq!(Database::open(&path)?.collection("users").count()?, 1);
//! # Ok(())
//! # }
//! ```

pub use nanodb_pager::{FileId, FileStorage, LockHolder, LockHolders, MemoryStorage, Storage};
