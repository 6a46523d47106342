//! Documents from JSON. The dialect is that of the library, [`nanodb::json`].
//!
//! [`elements`] finds where one document of a stream ends and the next begins, [`parse`] reads a
//! document.

pub(crate) mod elements;
pub(crate) mod parse;
mod position;

pub(crate) use self::elements::{Elements, Layout};
pub(crate) use self::position::{JsonError, Position};
