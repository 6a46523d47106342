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
mod into;
mod json;
mod limits;
mod msgpack;
pub mod operators;
mod path;
mod projection;
mod sort;
mod update;

pub use self::error::{ApplyError, Problem, QueryError};
pub use self::filter::build::{FieldName, field};
pub use self::filter::{ElementFilter, Filter};
pub use self::into::{IntoFilter, IntoProjection, IntoSort, IntoUpdate};
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
