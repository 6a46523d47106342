//! Collections of documents on top of pages, slots and the id index.
//!
//! [`Database`] is a file, [`Collection`] a name for documents in it. The crate `nanodb`
//! re-exports what is meant for use; what is public here beyond that is for the crates of
//! this workspace.
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | `database`, `options`, `registry` | opening files; one database a file and process |
//! | `collection`, `typed`, `cursor`, `stored` | what users hold |
//! | `query` | searching, and changing what is found, in MongoDB's language |
//! | `catalog` | names; making, dropping, renaming |
//! | `store` | one collection: its lock, its index, reading and writing by id; who sees what when |
//! | `change`, `spill` | where documents go; those too large for a page |
//! | `layout`, `runs` | which pages a collection has |
//! | `note`, `root`, `folder`, `varint` | what is kept in the file besides pages |
//! | `saved`, `save`, `indexes` | the id indexes as the file keeps them |
//! | `check`, `stats` | what there is, and whether it is right |

mod attic;
mod budget;
mod catalog;
mod change;
mod check;
mod collection;
mod compact;
mod cursor;
mod database;
mod error;
mod folder;
mod indexes;
mod layout;
mod limits;
mod lock;
mod note;
mod options;
mod order;
mod places;
mod query;
mod registry;
mod retry;
mod room;
mod root;
mod runs;
mod salvage;
mod save;
mod saved;
mod shrink;
mod snapshot;
mod spill;
mod stats;
mod store;
mod stored;
mod transaction;
mod typed;
mod varint;
mod view;
mod waits;

pub use check::{CheckProgress, CheckReport, Problem, ProblemKind};
pub use collection::Collection;
pub use compact::CompactProgress;
pub use cursor::{Cursor, Documents};
pub use database::{CollectionInfo, Database};
pub use error::{Error, ErrorKind, Result};
pub use limits::{ASSIGNED_ID_MAX, COLLECTION_NAME_BYTES_MAX};
pub use nanodb_document::{
    ArrayView, DOCUMENT_DEPTH_MAX, DOCUMENT_SIZE_MAX, DocView, Document, DocumentError, Draft,
    Elements, Encode, FIELD_NAME_SIZE_MAX, Fields, ID_FIELD, ID_SIZE_MAX, Id, IdRef, IdTextError,
    IntoIter, Iter, IterMut, Key, ObjectId, Serialized, Timestamp, Uuid, Value, ValueRef,
    ValueType, array, doc, from_document, json, to_document,
};
pub use nanodb_pager::{Durability, OpenReport};
pub use nanodb_query::{
    ApplyError, FieldName, Filter, Literal, Problem as QueryProblem, Projection, QueryError, Sort,
    Update, UpdateError, field,
};
pub use options::Options;
pub use query::{
    BulkOperation, BulkWritten, Explain, Find, FindAnd, Found, SORT_BYTES_MAX_DEFAULT, TypedFind,
    TypedFound, Updated, Way,
};
pub use root::CatalogError;
pub use salvage::{SalvageMode, SalvageReport, SalvagedCollection};
pub use snapshot::{Snapshot, SnapshotCollection};
pub use stats::{CollectionStats, Stats};
pub use stored::StoredDoc;
pub use transaction::{Transaction, TransactionCollection};
pub use typed::{TypedCollection, TypedDocuments};
