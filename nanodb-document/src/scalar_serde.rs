//! Times, ObjectIds and UUIDs in serde's data model.
//!
//! In documents they are extensions. In formats for people, such as JSON, each is its text where it
//! stands alone. Within a [`Value`](crate::Value) it is a form, `{"$date": ...}`, which is read as
//! one here, too.

use std::fmt;

use serde_core::de::{
    Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde_core::ser::{Serialize, Serializer};

use crate::ext::{EXT_STRUCT_NAME, Ext, serialize_ext};
use crate::for_people::is_for_people;
use crate::forms::read_form;
use crate::{ObjectId, Timestamp, Uuid, Value};

/// The three types.
trait Scalar: Sized {
    const WHAT: &'static str;

    fn of_value(value: Value) -> Option<Self>;

    fn of_text(text: &str) -> Option<Self>;

    /// Binary, for the types that are stored as such, too.
    fn of_bytes(_bytes: &[u8]) -> Option<Self> {
        None
    }
}

impl Scalar for Timestamp {
    const WHAT: &'static str = "a time like 2023-11-14T22:13:20.5Z";

    fn of_value(value: Value) -> Option<Self> {
        value.as_timestamp()
    }

    fn of_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Scalar for ObjectId {
    const WHAT: &'static str = "an ObjectId of 24 hexadecimal digits";

    fn of_value(value: Value) -> Option<Self> {
        value.as_object_id()
    }

    fn of_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Scalar for Uuid {
    const WHAT: &'static str = "a UUID like 123e4567-e89b-12d3-a456-426614174000";

    fn of_value(value: Value) -> Option<Self> {
        value.as_uuid()
    }

    fn of_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_for_people::<S::Error>(serializer.is_human_readable()) {
            return serializer.collect_str(self);
        }
        self.with_ext(|data| serialize_ext(serializer, Self::EXT_TYPE, data))
    }
}

macro_rules! serialize_bytes_of {
    ($($type:ty)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if is_for_people::<S::Error>(serializer.is_human_readable()) {
                    return serializer.collect_str(self);
                }
                serialize_ext(serializer, Self::EXT_TYPE, self.bytes())
            }
        }
    )*};
}
serialize_bytes_of!(ObjectId Uuid);

macro_rules! deserialize {
    ($($type:ty)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_scalar(deserializer)
            }
        }
    )*};
}
deserialize!(Timestamp ObjectId Uuid);

fn read_scalar<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let visitor = ScalarVisitor(std::marker::PhantomData);
    if is_for_people::<D::Error>(deserializer.is_human_readable()) {
        return deserializer.deserialize_any(visitor);
    }
    deserializer.deserialize_newtype_struct(EXT_STRUCT_NAME, visitor)
}

struct ScalarVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Scalar> Visitor<'de> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<T, E> {
        T::of_text(text).ok_or_else(|| E::custom(format_args!("{text:?} is not {}", T::WHAT)))
    }

    fn visit_bytes<E: serde_core::de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        T::of_bytes(bytes).ok_or_else(|| E::invalid_type(Unexpected::Bytes(bytes), &self))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<T, D::Error> {
        if inner.is_human_readable() {
            return inner.deserialize_any(KeptVisitor(self));
        }
        of_ext(Ext::from_newtype(inner)?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        of_ext(Ext::from_seq(seq)?)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::of_value(read_form(map)?)
            .ok_or_else(|| A::Error::custom(format_args!("expected {}", T::WHAT)))
    }
}

/// Reads what serde's adapters, which say that they are for people, kept of a stored value.
struct KeptVisitor<T>(ScalarVisitor<T>);

impl<'de, T: Scalar> Visitor<'de> for KeptVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    /// Reads a key of a map, which can't be told from another string here.
    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<T, E> {
        self.0.visit_str(text)
    }

    fn visit_bytes<E: serde_core::de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        self.0.visit_bytes(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        of_ext(Ext::from_seq(seq)?)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        match map.next_key()? {
            Some(tag) => of_ext(Ext::from_map(tag, map)?),
            None => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}

fn of_ext<T: Scalar, E: serde_core::de::Error>(Ext(tag, data): Ext) -> Result<T, E> {
    T::of_value(Value::from_ext(tag, &data))
        .ok_or_else(|| E::custom(format_args!("an extension that is not {}", T::WHAT)))
}
