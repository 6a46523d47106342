//! Ids in serde's data model: an integer, a string or bytes.
//!
//! JSON has no bytes: there a binary id is a sequence of integers, and reads back as
//! the same id.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Id, IdRef};

impl Serialize for IdRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Int(number) => serializer.serialize_i64(number),
            Self::UInt(number) => serializer.serialize_u64(number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Binary(bytes) => serializer.serialize_bytes(bytes),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id: an integer, a string or bytes")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Id, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Id, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Id, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Id, E> {
        Ok(text.into())
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Id, E> {
        Ok(bytes.into())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Id, E> {
        Ok(bytes.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Id, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(Id::Binary(bytes))
    }
}
