//! Documents as JSON, in and out. The dialect is the library's, [`nanodb::json`].
//!
//! [`elements`] finds where one document of a stream ends and the next begins,
//! [`parse`] reads one, [`mod@print`] writes one.

pub(crate) mod elements;
pub(crate) mod parse;
mod position;
pub(crate) mod print;

pub(crate) use self::elements::{Elements, Layout};
pub(crate) use self::position::{JsonError, Position};
