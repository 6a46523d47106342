//! One list of operations and one model, for property tests, fuzz targets and soak alike.
//!
//! An [`Op`] is what a program, an operator or a failing machine does to a database. Any
//! bytes are a sequence of operations ([`Op::sequence`]), so whatever produces bytes, a
//! fuzzer, proptest or a seed, drives the same thing. A [`World`] is a database on a
//! simulated disk with a [`Model`] beside it: plain maps, obviously right. It does each
//! operation to both and panics where they differ, reopening, killing and cutting the
//! power in between.

mod model;
mod op;
mod source;
mod world;

pub use model::Model;
pub use op::{End, Op, Write};
pub use world::World;
