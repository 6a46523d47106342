//! NanoDB: an embedded document database in one file.
//!
//! Documents are like JSON, with binary data and timestamps besides. They are found by
//! their id, in the same time however many there are, and read without being decoded.
//!
//! ```
//! use nanodb::{Database, doc};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("data.nanodb");
//! let db = Database::open(path)?;
//! let users = db.collection("users");
//!
//! users.insert(doc! { "_id": 101, "name": "Alice", "address": { "city": "Berlin" } })?;
//! let id = users.insert(doc! { "name": "Bob" })?;
//!
//! let alice = users.get(101)?.expect("just inserted");
//! assert_eq!(alice.get("address.city").and_then(|city| city.as_str()), Some("Berlin"));
//! assert!(users.delete(&id)?);
//!
//! db.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! Whoever knows MongoDB's `find` and `update` knows NanoDB's:
//!
//! ```
//! use nanodb::{Database, Filter, Sort, Update, doc, field};
//!
//! # fn main() -> Result<(), nanodb::Error> {
//! let users = Database::in_memory()?.collection("users");
//! users.insert_many([
//!     doc! { "name": "Alice", "age": 31, "tags": ["a", "b"] },
//!     doc! { "name": "Bob", "age": 12 },
//! ])?;
//!
//! let adults = field("age").gte(18).and(field("tags").eq("a"));
//! assert_eq!(adults, Filter::parse_json(r#"{"age": {"$gte": 18}, "tags": "a"}"#)?);
//! for user in users.find(&adults).sort(Sort::descending("age")).limit(10).run()? {
//!     println!("{}", user?);
//! }
//!
//! let update = Update::parse_json(r#"{"$inc": {"age": 1}, "$push": {"tags": "c"}}"#)?;
//! assert_eq!(users.update_many(&adults, &update)?.modified, 1);
//! assert_eq!(users.delete_many(field("age").lt(18))?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to begin
//!
//! * [`Database`] is a file; [`Options`] say how it is opened.
//! * [`Collection`] has the verbs: insert, get, replace, delete, scan, find, update.
//!   [`TypedCollection`] has the same for a Rust type of yours, through serde.
//! * [`Database::write`] makes several writes one, [`Database::snapshot`] several reads.
//! * [`Collection::find`] searches by a [`Filter`], which [`field`] makes; [`Collection::update_many`]
//!   and its siblings change what passes one, by an [`Update`].
//! * [`Document`] and [`Value`] are documents in memory, [`doc!`] writes them down;
//!   [`StoredDoc`] and [`DocView`] are stored ones, read where they lie.
//! * [`Error::kind`] says what to do about an error.
//!
//! # What is promised
//!
//! Each write is a commit of its own, unless several are made one by a transaction
//! ([`Database::write`]): after a crash it is there as a whole or not at all,
//! and so is every write before it. How much a write has survived once it returns says
//! its [`Durability`]: by default a power cut.
//!
//! Damage to the file is found, never returned as data: every page has a checksum. A
//! damaged page costs the documents on it and no others.

pub use nanodb_database::{
    ASSIGNED_ID_MAX, AccessPath, ApplyError, ArrayFilters, ArrayView, BulkOperation,
    BulkWriteResult, COLLECTION_NAME_BYTES_MAX, CatalogError, CheckProgress, CheckReport,
    Collection, CollectionInfo, CollectionStats, CompactProgress, Cursor, DOCUMENT_BYTES_MAX,
    DOCUMENT_DEPTH_MAX, Database, DocView, Document, DocumentError, Draft, Durability, Elements,
    Encode, Error, ErrorKind, Explain, FIELD_NAME_BYTES_MAX, FieldName, Fields, Filter, Find,
    FindOneAndModify, ID_BYTES_MAX, ID_FIELD, Id, IdRef, IdTextError, IntoIter, Iter, IterMut, Key,
    Literal, Malformed, ObjectId, OpenReport, Options, Plan, Problem, ProblemKind, Projection,
    QueryError, QueryProblem, ReadCollection, Result, SORT_BYTES_MAX_DEFAULT, SalvageMode,
    SalvageReport, SalvagedCollection, Scan, ScanIter, Serialized, Snapshot, SnapshotCollection,
    Sort, Stats, StorageError, StoredDoc, Timestamp, Transaction, TransactionCollection,
    TypeBracket, TypedCollection, TypedCursor, TypedFind, TypedScanIter, Update, UpdateContext,
    UpdateError, UpdateResult, Uuid, Value, ValueRef, ValueType, array, doc, field, from_document,
    json, storage, to_document,
};

// The programs in the README, in the tour and in the query manual are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/tour.md")]
mod tour {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/query.md")]
mod query {}
