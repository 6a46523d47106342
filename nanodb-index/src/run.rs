//! Runs: changes of the index in order, packed into pages, as files keep them.
//!
//! A run holds at most one change of each entry, ordered by key and record id. It lies in pages;
//! each can be read by itself, so that who wants a range of keys reads only the pages that
//! hold it. Several runs make an index: of all changes of one entry that of the newest run
//! counts. [`merge`] makes one run of several.
//!
//! This module knows bytes and no files. What it reads may be damaged or forged: then it is
//! refused, by a [`RunDamage`].
//!
//! # A page
//!
//! ```text
//! offset  size  field       meaning
//! ------  ----  ----------  -----------------------------------------------------
//!      0     4  first_key   the key of the first entry
//!      4     4  page_base   the lowest page number among the record ids
//!      8     2  count       entries on this page: 1 to 2,048
//!     10     1  rice_bits   low bits of a key's difference that are stored as they are,
//!                           0 to 31
//!     11     1  page_bits   bits of a page number, 0 to 32
//!     12     1  slot_bits   bits of a slot number, 0 to 10
//!     13     1  has_removed 1 if each entry says whether it was removed, else 0: none was
//!     14     2  reserved    zero
//!     16     .  entries     a stream of bits, the lowest bit of each byte first
//! ```
//!
//! An entry is, one behind the other and each with its lowest bit first:
//!
//! * the key less that of the entry before (0 for the first entry): what lies above the
//!   low `rice_bits` bits as so many ones and a zero, then the low bits;
//! * the page number less `page_base`, in `page_bits` bits;
//! * the slot number in `slot_bits` bits;
//! * if `has_removed`, 1 for an entry that was removed.
//!
//! Entries are in strictly rising order of key, page and slot. For evenly spread keys that is
//! some 35 bits an entry however many there are: with twice as many, keys are half as far
//! apart, and pages twice as many.

mod bits;
mod merge;
mod page;

pub use merge::{apply, merge};
pub use page::{PAGE_COUNT_MAX, RunDamage, decode_page, encode_page, first_key};
