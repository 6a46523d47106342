#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! [`Filter`], [`Sort`], [`Projection`], [`Update`] and their parsers and builders are what most callers need. [`RawValue`]
//! looks at stored values, [`msgpack`] reads and writes their bytes token by token, [`compare`] is
//! the order over all values and [`encode_key`] writes bytes that sort like it.

/// The manual's programs are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/query.md")]
mod manual {}

mod error;
mod filter;
mod json;
mod key;
pub mod msgpack;
mod number;
mod order;
mod path;
mod projection;
mod sort;
mod timestamp;
mod update;
mod value;

pub use self::error::{Position, Problem, QueryError};
pub use self::filter::{
    ElementFilter, FieldName, Filter, Literal, QUERY_NODES_MAX, QUERY_REGEXES_MAX, field,
};
pub use self::key::encode_key;
pub use self::number::Number;
pub use self::order::compare;
pub use self::path::{PATH_NUMBERS_MAX, Path};
pub use self::projection::Projection;
pub use self::sort::Sort;
pub use self::timestamp::Timestamp;
pub use self::update::{ArrayFilters, UPDATE_STEPS_MAX, Update, UpdateContext, UpdateError};
pub use self::value::{DEPTH_MAX, Elements, Fields, Kind, Malformed, RawValue};
