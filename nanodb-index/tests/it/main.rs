//! The index from outside.

mod absent;
mod hash;
mod memory;
mod model;
mod support;
mod threads;
