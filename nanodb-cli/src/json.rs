//! Documents as JSON, read and written. The dialect is that of the library, [`nanodb::json`].
//!
//! [`elements`] finds where one document of a stream ends and the next begins, [`parse`] reads a
//! document, [`mod@print`] writes one.

pub(crate) mod elements;
pub(crate) mod parse;
mod position;
pub(crate) mod print;

pub(crate) use self::elements::{Elements, Layout};
pub(crate) use self::position::{JsonError, Position};
