//! Databases, collections, transactions, snapshots and queries: what users hold.
//!
//! The engine below, [`nanodb_collection`], has collections, commits and pages; this crate has the
//! handles, and MongoDB's language on them. The crate `nanodb` re-exports what users need, and says
//! how arguments are passed.
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | `options`, `open`, `database`, `storage` | how a file is opened, and what is done with all of it |
//! | `collection`, `typed` | a collection by name; one that holds values of a Rust type |
//! | `snapshot` | all collections as of one moment |
//! | `transaction`, `transaction_collection`, `retry` | several writes as one |
//! | `read`, `write` | the verbs, as traits of the handles |
//! | `encode_buffer` | documents on their way in |
//! | `query` | finding, and changing what is found |
//! | `salvage` | copying what can be read of a damaged file |
//! | `import_go` | reading the files of the Go program, and converting them |

mod collection;
mod database;
mod encode_buffer;
mod error;
mod import_go;
mod info;
mod open;
mod options;
mod query;
mod read;
mod retry;
mod salvage;
mod snapshot;
pub mod storage;
mod transaction;
mod transaction_collection;
#[cfg(feature = "serde")]
mod typed;
mod write;

pub use collection::Collection;
pub use database::Database;
pub use import_go::{GoConversion, GoImportOptions, GoImportReport, GoImportedCollection};
pub use info::CollectionInfo;
pub use nanodb_collection::{
    ASSIGNED_ID_MAX, COLLECTION_NAME_BYTES_MAX, CheckProgress, CheckReport, Closed,
    CollectionStats, CompactProgress, Durability, OpenReport, Problem, ProblemKind, SalvageMode,
    SalvageReport, SalvagedCollection, Scan, ScanIter, Stats, StoredDoc,
};
#[cfg(all(feature = "bson", feature = "serde"))]
pub use nanodb_document::as_object_id;
#[cfg(all(feature = "uuid", feature = "serde"))]
pub use nanodb_document::as_uuid;
#[cfg(feature = "json")]
pub use nanodb_document::json;
pub use nanodb_document::{
    ArrayView, AsId, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DocView, Document, Draft, Elements,
    Encode, Entry, Error, ErrorKind, FIELD_NAME_BYTES_MAX, Fields, ID_BYTES_MAX, ID_FIELD, Id,
    IdRef, IntoIter, IntoValue, Iter, IterMut, Key, Keys, ObjectId, OccupiedEntry, Result,
    Timestamp, Uuid, VacantEntry, Value, ValueRef, ValueType, array, doc,
};
#[cfg(feature = "serde")]
pub use nanodb_document::{
    Serialized, as_timestamp, from_document, from_value, ser, to_document, to_value,
};
pub use nanodb_query::{
    ArrayFilters, FieldName, Filter, IntoFilter, IntoProjection, IntoSort, IntoUpdate, Projection,
    Push, Sort, Update, field, operators,
};
pub use options::Options;
pub use query::{
    AccessPath, BulkOperation, BulkWriteResult, Cursor, ExecutionStats, Find, FindOneAndModify,
    Plan, SORT_BYTES_MAX_DEFAULT, UpdateResult,
};
#[cfg(feature = "serde")]
pub use query::{TypedCursor, TypedFind, TypedFindOneAndModify, WithIds};
pub use read::ReadCollection;
pub use snapshot::{Snapshot, SnapshotCollection};
pub use transaction::Transaction;
pub use transaction_collection::TransactionCollection;
#[cfg(feature = "serde")]
pub use typed::{TypedCollection, TypedScanIter};
pub use write::WriteCollection;
