//! Tests of `nanodb-page` from outside, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows functions with #[test] as tests, not what they call"
)]

mod damage;
mod edges;
mod golden;
mod model;
mod overflow;
mod support;
