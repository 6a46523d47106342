//! Ids in serde's data model: an integer, a string, bytes, or an extension. In formats for people,
//! such as JSON, bytes and extensions are forms; a sequence of integers is read as bytes, too.

use std::fmt;

use serde_core::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_core::ser::{Serialize, Serializer};

use nanodb_msgpack::Token;

use super::{Id, IdRef};
use crate::ext::Ext;
use crate::forms::{Form, read_form};
use crate::in_codec::is_for_people;

impl Serialize for IdRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match *self {
            Self::Binary(bytes) => Some(Form::Binary(bytes)),
            Self::ObjectId(id) => Some(Form::ObjectId(id)),
            Self::Uuid(id) => Some(Form::Uuid(id)),
            Self::Int(_) | Self::UInt(_) | Self::String(_) => None,
        };
        if let Some(form) = form.filter(|_| is_for_people(serializer.is_human_readable())) {
            return form.serialize(serializer);
        }
        match *self {
            Self::Int(number) => serializer.serialize_i64(number),
            Self::UInt(number) => serializer.serialize_u64(number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Binary(bytes) => serializer.serialize_bytes(bytes),
            Self::ObjectId(id) => id.serialize(serializer),
            Self::Uuid(id) => id.serialize(serializer),
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
        f.write_str("an id: an integer, a string, bytes, an ObjectId or a UUID")
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

    fn visit_f64<E: serde_core::de::Error>(self, number: f64) -> Result<Id, E> {
        let whole = IdRef::whole(number).map(IdRef::to_owned);
        whole.ok_or_else(|| E::invalid_value(serde_core::de::Unexpected::Float(number), &self))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Id, D::Error> {
        let Ext(tag, data) = Ext::from_newtype(inner)?;
        let id = IdRef::from_token(Token::Ext(tag, &data)).map(IdRef::to_owned);
        id.ok_or_else(|| serde_core::de::Error::custom("an extension that is no id"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Id, A::Error> {
        Id::try_from(read_form(map)?).map_err(A::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Id, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(Id::Binary(bytes))
    }
}
