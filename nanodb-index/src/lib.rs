#![doc = include_str!("../README.md")]
//!
//! # The protocol
//!
//! One writer changes the index (a lock sees to that), readers look things up beside it.
//! Readers write nothing and wait for nothing. All that both touch is 64-bit words in
//! memory that stays what it is as long as the index lives.
//!
//! What the crate keeps:
//!
//! 1. An entry is one word. It appears and disappears by one store, and a reader that
//!    sees it sees all that its writer did before.
//! 2. A group's head is replaced by a new version before anything that it describes is
//!    changed or recycled: its segments, or the word in which a remaining entry lies. All
//!    stores are Release and all loads Acquire, so whoever sees the change sees another
//!    head when it loads that again; and whoever sees the old head again has seen the
//!    group as it was.
//! 3. What a head leads to is complete before the head is stored: entries, segment
//!    numbers, the halves of a split group, entries gone to the stash.
//! 4. Therefore a miss under an unchanged head is true at some moment of the look-up; a
//!    hit needs no such proof, for the page disproves a candidate that is none.
//!
//! An index need not be in memory as a whole. A group may be *absent*: then its entries are
//! elsewhere, and a look-up says so. For invariant 2 that is a head like any other. What happens to
//! the entries of an absent group is recorded, and whoever loads it takes that into account.
//!
//! What the caller keeps, so that no document is missed while it moves:
//!
//! 5. The new record id is inserted before the change is published, the old one retired
//!    after; [`IdIndex::moves`] changes in between.
//! 6. A reader takes `moves()` first, then the published state that it reads pages at,
//!    then searches. If it found nothing and `moves()` differs by now, it begins again.
//!    (Taken the other way round, it could look for the old record too late and for the
//!    new one in a state too early, and see no move.)
//! 7. A record id is given to another document only when no reader can be misled: every
//!    candidate is compared with the wanted key on its page.

mod cache_lines;
mod change;
mod directory;
mod group;
mod hash;
mod index;
#[cfg(all(test, loom))]
mod interleavings;
mod key_hash;
mod pool;
mod recent;
mod record_id;
pub mod run;
mod stash;
mod sync;
mod writer;

pub use change::Change;
pub use hash::hash_id;
pub use index::{IdIndex, NotLoaded};
pub use key_hash::KeyHash;
pub use pool::IndexMemory;
pub use record_id::RecordId;
pub use writer::{IndexWriter, PassResult};
