//! Whether values are written and read as forms and texts, which are for people.
//!
//! A format says of itself whether it is for people; the codec of documents says no. serde's own
//! adapters, which `flatten` and tagged enums put between a value and its format, always say yes,
//! whatever the format says. But they have the format's error, and the codec's error is no other
//! format's. So what has that error is the codec or an adapter before it, and is not for people.
//! Any other format is what it says, also while the codec runs: JSON that a `Serialize` makes of a
//! part of its value is JSON.
//!
//! The errors are told apart by the names of their types, since serde does not demand of an error
//! that it is `'static`, as a `TypeId` does. If a program has two versions of this crate, each
//! takes the other's codec for its own, and both have the same data model.

use std::any::type_name;

use crate::CodecError;

/// Returns whether values are to be written and read as forms and texts, given the error of a
/// format, or of an adapter before it, and what that says of itself.
#[inline]
pub(crate) fn is_for_people<E>(is_human_readable: bool) -> bool {
    is_human_readable && !is_codec::<E>()
}

/// Returns whether this is an adapter before the codec, or the codec at a key.
#[inline]
pub(crate) fn is_before_codec<E>(is_human_readable: bool) -> bool {
    is_human_readable && is_codec::<E>()
}

/// Returns whether a serializer or deserializer with this error is the codec, or an adapter before
/// it.
#[inline]
fn is_codec<E>() -> bool {
    type_name::<E>() == type_name::<CodecError>()
}
