#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! Most callers need [`Filter`], [`Sort`], [`Projection`] and [`Update`]: each has a parser for
//! JSON text and builders, and in [`bytes`] what it does with MessagePack. [`RawValue`] reads
//! stored values; it and the order over all values come from `nanodb-msgpack`.

pub mod bytes;
mod convert;
mod entries;
mod error;
mod fault;
mod filter;
mod index_spec;
mod into;
mod json;
mod keys;
mod limits;
mod msgpack;
pub mod operators;
mod path;
pub mod plan;
mod projection;
mod sort;
mod update;

pub use self::error::{ApplyError, IndexProblem, Problem, QueryError};
pub use self::filter::build::{FieldName, field};
pub use self::filter::{ElementFilter, Filter};
pub use self::index_spec::{
    INDEX_EXPIRE_AFTER_MAX, INDEX_FIELDS_MAX, INDEX_NAME_BYTES_MAX, Index, IndexField, IndexSpec,
    KEY_FORMAT,
};
pub use self::into::{IntoFilter, IntoProjection, IntoSort, IntoUpdate};
pub use self::keys::{
    FAMILY_BYTES, INDEX_KEYS_MAX, IndexKeys, KeysError, MultikeyPaths, STORED_KEY_BYTES_MAX,
    for_each_key, stored_key,
};
pub use self::limits::{QUERY_NODES_MAX, QUERY_REGEXES_MAX};
pub use self::path::{PATH_NUMBERS_MAX, Path};
pub use self::projection::Projection;
pub use self::sort::Sort;
pub use self::update::{
    ArrayFilters, Push, UPDATE_NULLS_MAX, UPDATE_STEPS_MAX, Update, UpdateContext, UpdateError,
};
pub use nanodb_document::Timestamp;
pub use nanodb_document::{Error, ErrorKind, Result};
pub use nanodb_msgpack::json::Position;
pub use nanodb_msgpack::{DEPTH_MAX, Malformed, RawValue, TypeBracket};
