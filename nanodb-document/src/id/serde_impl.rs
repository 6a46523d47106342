//! Ids in serde's data model: an integer, a string, bytes, or an extension. In formats for people,
//! such as JSON, bytes and extensions are forms; a sequence of integers is read as bytes, too.
//!
//! As keys of maps in documents they are their text, and come back from it: the codec is told that
//! a key is an id by a newtype struct around it. A string that is the text of another id is refused
//! as a key.

use std::fmt;

use serde_core::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_core::ser::{Serialize, Serializer};

use nanodb_msgpack::Token;

use super::{Id, IdRef};
use crate::codec::{ID_KEY_STRUCT_NAME, id_of_text};
use crate::ext::{Ext, FirstKey};
use crate::for_people::{is_before_codec, is_for_people};
use crate::forms::{Form, read_form_of};

impl Serialize for IdRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_human_readable = serializer.is_human_readable();
        if is_before_codec::<S::Error>(is_human_readable) {
            // Here it may be a key.
            return serializer.serialize_newtype_struct(ID_KEY_STRUCT_NAME, &Plain(*self));
        }
        let form = match *self {
            Self::Binary(bytes) => Some(Form::Binary(bytes)),
            Self::ObjectId(id) => Some(Form::ObjectId(id)),
            Self::Uuid(id) => Some(Form::Uuid(id)),
            Self::Int(_) | Self::UInt(_) | Self::String(_) => None,
        };
        match form.filter(|_| is_for_people::<S::Error>(is_human_readable)) {
            Some(form) => form.serialize(serializer),
            None => Plain(*self).serialize(serializer),
        }
    }
}

/// An id that is no key, in a format that is not for people.
struct Plain<'a>(IdRef<'a>);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            IdRef::Int(number) => serializer.serialize_i64(number),
            IdRef::UInt(number) => serializer.serialize_u64(number),
            IdRef::String(text) => serializer.serialize_str(text),
            IdRef::Binary(bytes) => serializer.serialize_bytes(bytes),
            IdRef::ObjectId(id) => id.serialize(serializer),
            IdRef::Uuid(id) => id.serialize(serializer),
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
        if is_before_codec::<D::Error>(deserializer.is_human_readable()) {
            return deserializer.deserialize_newtype_struct(ID_KEY_STRUCT_NAME, KeyVisitor);
        }
        deserializer.deserialize_any(IdVisitor)
    }
}

/// Reads an id that is a key, or what serde's adapters kept of one that is not.
struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IdVisitor.expecting(f)
    }

    fn visit_str<E>(self, text: &str) -> Result<Id, E> {
        Ok(id_of_text(text))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, kept: D) -> Result<Id, D::Error> {
        kept.deserialize_any(IdVisitor)
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
        of_ext(Ext::from_newtype(inner)?)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Id, A::Error> {
        match map.next_key()? {
            // What serde's adapters kept of an extension.
            Some(FirstKey::Tag(tag)) => of_ext(Ext::from_map(tag, map)?),
            Some(FirstKey::Name(name)) => {
                Id::try_from(read_form_of(name, map)?).map_err(A::Error::custom)
            }
            None => Err(A::Error::invalid_length(0, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Id, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(Id::Binary(bytes))
    }
}

fn of_ext<E: serde_core::de::Error>(Ext(tag, data): Ext) -> Result<Id, E> {
    let id = IdRef::from_token(Token::Ext(tag, &data)).map(IdRef::to_owned);
    id.ok_or_else(|| E::custom("an extension that is no id"))
}
