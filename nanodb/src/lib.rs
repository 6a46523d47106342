//! NanoDB: an embedded document database in one file.
//!
//! Documents are like JSON, with binary data and timestamps as well. They are looked up by id, in
//! the same time however many there are, and read in place, without being decoded.
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
//! assert_eq!(alice.get_path("address.city").and_then(|city| city.as_str()), Some("Berlin"));
//! assert!(users.delete(&id)?);
//!
//! db.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! If you know MongoDB's `find` and `update`, you know NanoDB's ([`operators`]):
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
//! let update = Update::new().inc("age", 1).push("tags", "c");
//! assert_eq!(users.update_many(&adults, update)?.modified, 1);
//! assert_eq!(users.delete_many(doc! { "age": { "$lt": 18 } })?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to begin
//!
//! * [`Database`] is an open file; [`Options`] say how it is opened.
//! * [`Collection`] has the verbs: insert, get, replace, delete, find, update and the others.
//!   [`TypedCollection`] has them for a Rust type of yours, through serde.
//! * [`Database::write`] runs several writes as one transaction; [`Database::snapshot`] reads as of
//!   one moment. A transaction's collections have the same verbs, a snapshot's only those that
//!   read; [`ReadCollection`] is the trait of these, for functions that take any of the three.
//! * [`Collection::find`] searches with a [`Filter`], which [`field`] builds;
//!   [`Collection::update_many`] and its siblings change what matches one, with an [`Update`].
//! * [`Document`] and [`Value`] are documents in memory, and [`doc!`] writes them down.
//!   [`StoredDoc`] and [`DocView`] are stored ones, read in place.
//! * [`Error::kind`] says what to do about an error.
//!
//! # How arguments are passed
//!
//! Every verb, in bulk writes and for Rust types too, takes
//!
//! | argument | as | which means |
//! |---|---|---|
//! | an id | `impl` [`AsId`] | an integer, a string, bytes, an [`ObjectId`], a [`Uuid`] or an [`Id`], by value or by reference |
//! | a document | `impl Encode` | by value or by reference, as you have it; it is only read |
//! | a value of a Rust type | `impl Borrow<T>` | by value or by reference |
//! | a filter | `impl` [`IntoFilter`] | a [`Filter`] or a [`Document`], by value or by reference: a copy of a filter shares its contents |
//! | an update | `impl` [`IntoUpdate`] | an [`Update`] or a [`Document`], likewise |
//! | a sort | `impl` [`IntoSort`] | a [`Sort`] or a [`Document`], likewise |
//! | a projection | `impl` [`IntoProjection`] | a [`Projection`], a [`Document`], or names in an array, a slice or a `Vec` |
//! | a value | `impl` [`IntoValue`] | whatever [`doc!`] takes |
//!
//! # What a query costs
//!
//! A read by id looks at one page. A query that names ids ([`field("_id")`](field) equal to one, or
//! in a list) looks these up; every other query looks at all documents of its collection, about 100
//! to 200 nanoseconds each: 20 to 40 ms for 200,000. There are no secondary indexes yet.
//! [`Find::explain`] says which it is, [`Find::threads`] divides the work.
//!
//! # From async code
//!
//! Calls block, for as long as they take: a read mostly for microseconds, a durable write for a
//! sync. Handles are `Send`, `Sync` and cheap to clone, so a handler moves one into a thread that
//! may block, with `tokio` by `spawn_blocking(move || users.get(id)).await`. The library starts no
//! runtime and needs none.
//!
//! # Features
//!
//! A program takes what it needs, with `default-features = false` and a list of these:
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `serde` | on | Rust types as documents: `typed`, `ser`, `to_value`, `Serialized`, `deserialize` |
//! | `json` | on | `parse_json`, `to_json`, and the module `json` |
//! | `regex` | on | `$regex`, and a faster search for text |
//! | `fallocate` | on | on Linux, room on the disk is taken by a system call instead of by writing zeros |
//! | `rmpv`, `serde_json`, `bson` | off | values of these crates to and from ours, and as documents; of the last two as filters and updates, too |
//! | `chrono`, `time`, `jiff` | off | times of these crates as timestamps, and back |
//! | `uuid` | off | `uuid::Uuid` as value and as id |
//!
//! Documents, ids, [`doc!`], filters built by [`field`], updates, transactions and everything about
//! the file need no feature. What reads a file that was written with a feature needs none of it:
//! what is stored is the same.
//!
//! # Platforms
//!
//! All tests run on Linux (x86-64) with Rust 1.95. Windows and macOS have code of their own where
//! it differs, for file locks and unnamed files, and are not tested yet.
//!
//! # The file's format
//!
//! `docs/format.md` describes every byte. The format may change until the first release, and says
//! its version: a file of another one is refused, never misread. From then on newer versions read
//! what older ones wrote.
//!
//! # What is promised
//!
//! Every call that writes, and every transaction, is one commit: after a crash all of it is there
//! or nothing, and so is every commit before it. A write's [`Durability`] says what it survives
//! once the call has returned. The default, [`Immediate`](Durability::Immediate), survives a power
//! failure.
//!
//! Every page has a checksum. Damage to the file is an error, never returned as data; it costs the
//! documents on the damaged page and no others.

#[cfg(all(feature = "bson", feature = "serde"))]
pub use nanodb_database::as_object_id;
#[cfg(all(feature = "uuid", feature = "serde"))]
pub use nanodb_database::as_uuid;
#[cfg(feature = "json")]
pub use nanodb_database::json;
pub use nanodb_database::{
    ASSIGNED_ID_MAX, AccessPath, ArrayFilters, ArrayView, AsId, BulkOperation, BulkWriteResult,
    COLLECTION_NAME_BYTES_MAX, CheckProgress, CheckReport, Closed, Collection, CollectionInfo,
    CollectionStats, CompactProgress, Cursor, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, Database,
    DocView, Document, Draft, Durability, Elements, Encode, Entry, Error, ErrorKind,
    ExecutionStats, FIELD_NAME_BYTES_MAX, FieldName, Fields, Filter, Find, FindOneAndModify,
    GoConversion, GoImportOptions, GoImportReport, GoImportedCollection, ID_BYTES_MAX, ID_FIELD,
    Id, IdRef, IntoFilter, IntoIter, IntoProjection, IntoSort, IntoUpdate, IntoValue, Iter,
    IterMut, Key, Keys, ObjectId, OccupiedEntry, OpenReport, Options, Plan, Problem, ProblemKind,
    Projection, Push, ReadCollection, Result, SORT_BYTES_MAX_DEFAULT, SalvageMode, SalvageReport,
    SalvagedCollection, Scan, ScanIter, Snapshot, SnapshotCollection, Sort, Stats, StoredDoc,
    Timestamp, Transaction, TransactionCollection, Update, UpdateResult, Uuid, VacantEntry, Value,
    ValueRef, ValueType, WriteCollection, array, doc, field, operators, storage,
};
#[cfg(feature = "serde")]
pub use nanodb_database::{
    Serialized, as_timestamp, from_document, from_value, ser, to_document, to_value,
};
#[cfg(feature = "serde")]
pub use nanodb_database::{
    TypedCollection, TypedCursor, TypedFind, TypedFindOneAndModify, TypedScanIter, WithIds,
};

// The programs in the READMEs, in the guide and in the query manual are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod crate_readme {}
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/getting-started.md")]
mod guide_getting_started {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/documents-and-ids.md")]
mod guide_documents_and_ids {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/rust-types.md")]
mod guide_rust_types {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/queries.md")]
mod guide_queries {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/updates.md")]
mod guide_updates {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/transactions.md")]
mod guide_transactions {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/durability.md")]
mod guide_durability {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/performance.md")]
mod guide_performance {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/async.md")]
mod guide_async {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/nodejs.md")]
mod guide_nodejs {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/c.md")]
mod guide_c {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/migrations.md")]
mod guide_migrations {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/operations.md")]
mod guide_operations {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/features-and-weight.md")]
mod guide_features_and_weight {}
// Its programs are tests of the package: `bindings/python`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/src/python.md")]
mod guide_python {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/query.md")]
mod query {}
