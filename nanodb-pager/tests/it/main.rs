//! What the pager promises, held against it from outside.

mod crash;
mod damage;
mod faults;
mod model;
mod opening;
mod stress;
mod support;
mod transactions;
