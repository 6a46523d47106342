//! The errors, which are the engine's.

pub(crate) use nanodb_collection::{Error, Result};
