#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! [`layout`] has the tables and invariants of a slotted body, [`overflow`] those of
//! documents too large for one record. [`PageRef`] reads a page, [`PageMut`] changes one.

mod bytes;
mod error;
pub mod layout;
pub mod overflow;
mod page_mut;
mod page_ref;
mod slot;

pub use error::{Corruption, PageError};
pub use page_mut::PageMut;
pub use page_ref::{PageRef, Record, Records};
pub use slot::{RecordKind, SlotId};
