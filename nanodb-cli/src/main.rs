//! The nanodb command.
fn main() {}
