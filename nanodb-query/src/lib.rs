#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! [`Filter`], [`Sort`], [`Projection`], [`Update`] and their parsers and builders are what most callers need. [`RawValue`]
//! looks at stored values; that and the order over all values are from `nanodb-msgpack`.

/// The manual's programs are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/query.md")]
mod manual {}

mod convert;
mod entries;
mod error;
mod fault;
mod filter;
mod json;
mod limits;
mod path;
mod projection;
mod sort;
mod update;

pub use self::error::{ApplyError, Problem, QueryError};
pub use self::filter::build::{FieldName, field};
pub use self::filter::{ElementFilter, Filter, Literal};
pub use self::limits::{QUERY_NODES_MAX, QUERY_REGEXES_MAX};
pub use self::path::{PATH_NUMBERS_MAX, Path};
pub use self::projection::Projection;
pub use self::sort::Sort;
pub use self::update::{
    ArrayFilters, UPDATE_NULLS_MAX, UPDATE_STEPS_MAX, Update, UpdateContext, UpdateError,
};
pub use nanodb_msgpack::json::Position;
pub use nanodb_msgpack::{DEPTH_MAX, Malformed, RawValue, Timestamp, TypeBracket};
