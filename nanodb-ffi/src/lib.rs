//! NanoDB for C, and for every language that calls C.
//!
//! The header is `include/nanodb.h`, made from the functions here; `docs/guide/src/c.md` is how to
//! use it. Each function is an *entry*: it takes what C hands over, makes it what Rust expects, and
//! calls the crate `nanodb`.
//!
//! # Invariants
//!
//! 1. No panic leaves an entry (`call`).
//! 2. A handle is a number, which is looked up: one that was freed, or never given out, is refused
//!    (`table`).
//! 3. Every out-parameter is written, by each call that does not return `NANODB_MISUSE` for the
//!    pointer itself; what is in it before is not read (`arguments`).
//! 4. A forked child uses nothing that its parent has opened (`process`).
//! 5. Memory that the caller frees is `malloc`'s (`memory`).
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | `types`, `status` | the types and numbers of the header |
//! | `arguments`, `memory` | nearly all `unsafe`: pointers in, memory out |
//! | `failure`, `call` | why a call fails; what every entry does around its work |
//! | `table`, `objects` | handles, and what they stand for |
//! | `process` | which process this is: a fork uses nothing of its parent's |
//! | `json_parts`, `part`, `output` | documents, filters and options in either format; results |
//! | `options` | what options mean |
//! | `api` | the entries, a file for each group of them |
//! | `dropin` | the interface of the Go program |

#![deny(unsafe_op_in_unsafe_fn)]
#![allow(non_camel_case_types, reason = "the types of the header have C's names")]

mod api;
mod arguments;
mod call;
mod dropin;
mod failure;
mod json_parts;
mod memory;
mod objects;
mod options;
mod output;
mod part;
mod process;
mod status;
mod table;
mod types;

pub use api::*;
pub use dropin::*;
pub use memory::{nanodb_buf_free, nanodb_error_free};
pub use status::*;
pub use types::*;
