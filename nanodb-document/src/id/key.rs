//! Keys: ids as the bytes that are hashed, and compared with the beginning of a record.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::IdRef;
use crate::{ObjectId, Uuid};
use nanodb_msgpack::{write_binary, write_ext, write_int, write_string, write_uint};

/// An id in its stored form, ready to be hashed and compared with records.
///
/// Integers, ObjectIds, ULIDs and UUIDs (as text too) are stored in the key itself; longer ids
/// allocate.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::IdRef;
///
/// assert_eq!(*IdRef::from(300).to_key(), [0xcd, 0x01, 0x2c]);
/// assert_eq!(*IdRef::from("ab").to_key(), [0xa2, b'a', b'b']);
/// ```
#[derive(Clone)]
pub struct Key(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; Key::INLINE_BYTES_MAX] },
    Heap(Box<[u8]>),
}

impl Key {
    /// The most bytes of a key that is kept without an allocation: a UUID as text fits.
    pub const INLINE_BYTES_MAX: usize = 38;

    /// Returns the key of `id`.
    #[must_use]
    #[inline]
    pub fn new(id: IdRef<'_>) -> Self {
        match id {
            IdRef::Int(number) => match u64::try_from(number) {
                Ok(number) => Self::unsigned(number),
                Err(_) => Self::negative(number),
            },
            IdRef::UInt(number) => Self::unsigned(number),
            IdRef::String(text) => Self::string(text),
            IdRef::Binary(bytes) => Self::binary(bytes),
            IdRef::ObjectId(id) => Self::from_parts(&[0xc7, 0x0c, 0x07], id.bytes()),
            // The key of the same binary.
            IdRef::Uuid(id) => Self::binary(id.bytes()),
        }
    }

    /// Returns the key's bytes.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Heap(bytes) => bytes,
        }
    }

    #[inline]
    fn unsigned(number: u64) -> Self {
        let [.., f, g, h] = number.to_be_bytes();
        match number {
            0..=0x7f => Self::from_array([h]),
            0x80..=0xff => Self::from_array([0xcc, h]),
            0x100..=0xffff => Self::from_array([0xcd, g, h]),
            0x1_0000..=0xffff_ffff => {
                let [.., e, _, _, _] = number.to_be_bytes();
                Self::from_array([0xce, e, f, g, h])
            }
            _ => {
                let mut bytes = [0xcf; 9];
                for (to, from) in bytes.iter_mut().skip(1).zip(number.to_be_bytes()) {
                    *to = from;
                }
                Self::from_array(bytes)
            }
        }
    }

    fn negative(number: i64) -> Self {
        let mut bytes = Vec::with_capacity(9);
        write_int(&mut bytes, number);
        Self::from_slice(&bytes)
    }

    #[inline]
    fn string(text: &str) -> Self {
        match u8::try_from(text.len()) {
            Ok(len @ 0..=31) => Self::from_parts(&[0xa0 | len], text.as_bytes()),
            Ok(len) => Self::from_parts(&[0xd9, len], text.as_bytes()),
            Err(_) => {
                let mut bytes = Vec::with_capacity(text.len() + 5);
                // A string too long for MessagePack has no stored form, and no record has the empty
                // key.
                let _fits = write_string(&mut bytes, text);
                Self::from_slice(&bytes)
            }
        }
    }

    #[inline]
    fn binary(data: &[u8]) -> Self {
        if let Ok(len) = u8::try_from(data.len()) {
            Self::from_parts(&[0xc4, len], data)
        } else {
            let mut bytes = Vec::with_capacity(data.len() + 5);
            let _fits = write_binary(&mut bytes, data);
            Self::from_slice(&bytes)
        }
    }

    #[inline]
    fn from_array<const N: usize>(from: [u8; N]) -> Self {
        Self::from_parts(&from, &[])
    }

    /// Returns the key with these bytes, such as one taken from a record.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Self {
        Self::from_parts(bytes, &[])
    }

    #[inline]
    fn from_parts(head: &[u8], tail: &[u8]) -> Self {
        let mut bytes = [0; Self::INLINE_BYTES_MAX];
        let size = head.len() + tail.len();
        if let (Some((to_head, rest)), Ok(len)) =
            (bytes.split_at_mut_checked(head.len()), u8::try_from(size))
            && let Some(to_tail) = rest.get_mut(..tail.len())
        {
            to_head.copy_from_slice(head);
            to_tail.copy_from_slice(tail);
            return Self(Repr::Inline { len, bytes });
        }
        Self(Repr::Heap([head, tail].concat().into()))
    }
}

impl Deref for Key {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl std::borrow::Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match IdRef::from_key(self.as_bytes()) {
            Some(id) => write!(f, "Key({id})"),
            None => write!(f, "Key({:02x?})", self.as_bytes()),
        }
    }
}

impl IdRef<'_> {
    /// Appends this id as it is stored in a record. Returns false, and appends nothing, for an id
    /// of 4 GiB.
    pub(crate) fn write_stored(self, out: &mut Vec<u8>) -> bool {
        match self {
            IdRef::Int(number) => write_int(out, number),
            IdRef::UInt(number) => write_uint(out, number),
            IdRef::String(text) => return write_string(out, text),
            IdRef::Binary(bytes) => return write_binary(out, bytes),
            IdRef::ObjectId(id) => return write_ext(out, ObjectId::EXT_TYPE, id.bytes()),
            IdRef::Uuid(id) => return write_ext(out, Uuid::EXT_TYPE, id.bytes()),
        }
        true
    }
}
