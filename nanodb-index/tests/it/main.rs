//! The index from outside.

mod hash;
mod memory;
mod model;
mod threads;
