//! Extensions and bytes in serde's data model.
//!
//! An extension is a newtype struct named `_ExtStruct` that holds the pair of its type and its
//! data, as `rmp-serde` has it, too. Formats without extensions write the bare pair, which is read
//! as an extension, too. What serde's adapters kept of a stored extension is a map with the type as
//! its key: see `codec/ext.rs`.

use std::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_core::ser::{Serialize, SerializeTuple, Serializer};

/// The name of an extension's newtype struct.
pub(crate) const EXT_STRUCT_NAME: &str = "_ExtStruct";

/// Bytes that serialise as bytes; serde treats a plain slice as a sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct ExtParts<'a>(i8, &'a [u8]);

impl Serialize for ExtParts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_tuple(2)?;
        parts.serialize_element(&self.0)?;
        parts.serialize_element(&Bytes(self.1))?;
        parts.end()
    }
}

/// Serialises an extension: its type, its data.
pub(crate) fn serialize_ext<S: Serializer>(
    serializer: S,
    tag: i8,
    data: &[u8],
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(EXT_STRUCT_NAME, &ExtParts(tag, data))
}

/// An extension, owned: its type, its data.
pub(crate) struct Ext(pub(crate) i8, pub(crate) Vec<u8>);

impl Ext {
    /// Reads the content of an extension's newtype struct.
    pub(crate) fn from_newtype<'de, D: Deserializer<'de>>(inner: D) -> Result<Self, D::Error> {
        // As serde's adapters say; what they kept may be the pair or the map.
        if inner.is_human_readable() {
            return inner.deserialize_any(ExtVisitor);
        }
        inner.deserialize_tuple(2, ExtVisitor)
    }

    /// Reads the value of a map of which the key was the type.
    pub(crate) fn from_map<'de, A: MapAccess<'de>>(tag: i8, mut map: A) -> Result<Self, A::Error> {
        let OwnedBytes(data) = map.next_value()?;
        Ok(Self(tag, data))
    }

    /// Reads the pair of a type and data.
    pub(crate) fn from_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Self, A::Error> {
        ExtVisitor.visit_seq(seq)
    }
}

struct ExtVisitor;

impl<'de> Visitor<'de> for ExtVisitor {
    type Value = Ext;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a MessagePack extension: its type and its data")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Ext, A::Error> {
        let short = |len| serde_core::de::Error::invalid_length(len, &self);
        let tag: i8 = seq.next_element()?.ok_or_else(|| short(0))?;
        let OwnedBytes(data) = seq.next_element()?.ok_or_else(|| short(1))?;
        Ok(Ext(tag, data))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ext, A::Error> {
        match map.next_key()? {
            Some(tag) => Ext::from_map(tag, map),
            None => Err(serde_core::de::Error::invalid_length(0, &self)),
        }
    }
}

/// The first key of a map that may be an extension.
pub(crate) enum FirstKey {
    /// The name of a field.
    Name(String),
    /// The type of an extension.
    Tag(i8),
}

impl<'de> Deserialize<'de> for FirstKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstKeyVisitor)
    }
}

struct FirstKeyVisitor;

impl Visitor<'_> for FirstKeyVisitor {
    type Value = FirstKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, name: &str) -> Result<FirstKey, E> {
        Ok(FirstKey::Name(name.to_owned()))
    }

    fn visit_string<E>(self, name: String) -> Result<FirstKey, E> {
        Ok(FirstKey::Name(name))
    }

    fn visit_i64<E: serde_core::de::Error>(self, tag: i64) -> Result<FirstKey, E> {
        let wrong = |_| E::invalid_type(serde_core::de::Unexpected::Signed(tag), &self);
        i8::try_from(tag).map(FirstKey::Tag).map_err(wrong)
    }
}

/// Bytes that were serialised as bytes, or as a sequence if the format has no bytes.
struct OwnedBytes(Vec<u8>);

impl<'de> Deserialize<'de> for OwnedBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor).map(Self)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}
