//! The keys of maps, which are strings in documents.
//!
//! ```text
//! a key of serde's type                      is the string
//! -----------------------------------------  ------------------------------
//! str, char                                  itself
//! integers, bool                             its digits, `true` or `false`
//! unit variant                               its name
//! newtype struct                             of what is within
//! Timestamp, ObjectId, Uuid                  as they are printed
//! Id                                         as the integer, string, ObjectId or UUID that it is;
//!                                            refused: binary, and a string that reads as another
//! float, bytes, option, unit, containers     refused
//! ```
//!
//! Keys are human-readable, unlike values: UUIDs and addresses become their text. What was written
//! is read back; a string of digits that is an `Id` would come back as an integer, for example, and
//! is refused. An integer is read in its one form only, so that no two names are one key.

use std::fmt::Display;

use serde_core::de::value::BorrowedStrDeserializer;
use serde_core::de::{Deserializer, Visitor};
use serde_core::forward_to_deserialize_any;
use serde_core::ser::{Impossible, Serialize, Serializer};

use super::error::CodecError;
use super::ext::pair_to_ext;
use super::ser::ValueSerializer;
use crate::ext::EXT_STRUCT_NAME;
use crate::{Id, ObjectId, Uuid, Value};
use nanodb_msgpack::{Cursor, Token, parse_object_id, parse_uuid, write_string};

/// The name of the newtype struct around an [`Id`] that may be a key.
pub(crate) const ID_KEY_STRUCT_NAME: &str = "_NanodbIdKey";

/// Returns the id of which a key is the text: a string if it is of no other.
pub(crate) fn id_of_text(text: &str) -> Id {
    if is_integer(text) {
        if let Ok(number) = text.parse::<i64>() {
            return number.into();
        }
        if let Ok(number) = text.parse::<u64>() {
            return number.into();
        }
    }
    // A text in capitals is not what is printed.
    let object_id = parse_object_id(text).map(ObjectId::from_bytes);
    if let Some(id) = object_id.filter(|id| id.to_string() == text) {
        return id.into();
    }
    let uuid = parse_uuid(text).map(Uuid::from_bytes);
    match uuid.filter(|id| id.to_string() == text) {
        Some(id) => id.into(),
        None => text.into(),
    }
}

/// A serializer that appends one key to `out`.
pub(super) struct KeySerializer<'o> {
    out: &'o mut Vec<u8>,
    /// Whether the key is an [`Id`].
    is_id: bool,
}

impl<'o> KeySerializer<'o> {
    #[inline]
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, is_id: false }
    }

    #[inline]
    fn text(self, text: &str) -> Result<(), CodecError> {
        if write_string(self.out, text) { Ok(()) } else { Err(CodecError::too_long()) }
    }

    /// Writes the text of a time, an ObjectId or a UUID, given as an extension.
    fn ext<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        let mut bytes = Vec::new();
        value.serialize(ValueSerializer::new(&mut bytes))?;
        pair_to_ext(&mut bytes, 0)?;
        match Cursor::new(&bytes).read() {
            Some(Token::Ext(tag, data)) => match Value::from_ext(tag, data) {
                Value::Timestamp(time) => self.text(&time.to_string()),
                Value::ObjectId(id) => self.text(&id.to_string()),
                Value::Uuid(id) => self.text(&id.to_string()),
                _ => Err(refused("an extension")),
            },
            _ => Err(refused("an extension")),
        }
    }
}

/// Returns the text of the key at an offset, for an error's path.
#[cold]
pub(super) fn key_text(out: &[u8], at: usize) -> String {
    let key = out.get(at..).and_then(|rest| Cursor::new(rest).read());
    match key {
        Some(Token::String(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

#[cold]
fn refused(what: impl Display) -> CodecError {
    CodecError::new(format_args!(
        "a key of a map is {what}: keys are strings, characters, integers, booleans and variants \
         without fields"
    ))
}

#[cold]
fn ambiguous(text: &str) -> CodecError {
    CodecError::new(format_args!(
        "the id {text:?} is a key of a map, where it would be read as the integer, ObjectId or \
         UUID with that text: use keys of the type `String`"
    ))
}

macro_rules! printed {
    ($($verb:ident($type:ty);)*) => {$(
        fn $verb(self, key: $type) -> Result<(), CodecError> {
            self.text(&key.to_string())
        }
    )*};
}

macro_rules! refuse {
    ($($verb:ident($($name:ident: $type:ty),*) -> $ok:ident $what:literal;)*) => {$(
        fn $verb(self, $($name: $type),*) -> Result<Self::$ok, CodecError> {
            Err(refused($what))
        }
    )*};
}

impl Serializer for KeySerializer<'_> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Impossible<(), CodecError>;
    type SerializeTuple = Impossible<(), CodecError>;
    type SerializeTupleStruct = Impossible<(), CodecError>;
    type SerializeTupleVariant = Impossible<(), CodecError>;
    type SerializeMap = Impossible<(), CodecError>;
    type SerializeStruct = Impossible<(), CodecError>;
    type SerializeStructVariant = Impossible<(), CodecError>;

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), CodecError> {
        if self.is_id && id_of_text(text).as_str().is_none() {
            return Err(ambiguous(text));
        }
        self.text(text)
    }

    printed! {
        serialize_bool(bool);
        serialize_char(char);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CodecError> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        if name == EXT_STRUCT_NAME {
            return self.ext(value);
        }
        value.serialize(Self { is_id: self.is_id || name == ID_KEY_STRUCT_NAME, ..self })
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _value: &T) -> Result<(), CodecError> {
        Err(refused("an option"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), CodecError> {
        Err(refused("a variant with a field"))
    }

    refuse! {
        serialize_f32(_key: f32) -> Ok "a float";
        serialize_f64(_key: f64) -> Ok "a float";
        serialize_bytes(_key: &[u8]) -> Ok "bytes";
        serialize_none() -> Ok "an option";
        serialize_unit() -> Ok "a unit";
        serialize_unit_struct(_name: &'static str) -> Ok "a unit";
        serialize_seq(_len: Option<usize>) -> SerializeSeq "a list";
        serialize_tuple(_len: usize) -> SerializeTuple "a tuple";
        serialize_tuple_struct(_name: &'static str, _len: usize)
            -> SerializeTupleStruct "a tuple";
        serialize_tuple_variant(
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize
        ) -> SerializeTupleVariant "a variant with fields";
        serialize_map(_len: Option<usize>) -> SerializeMap "a map";
        serialize_struct(_name: &'static str, _len: usize) -> SerializeStruct "a struct";
        serialize_struct_variant(
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize
        ) -> SerializeStructVariant "a variant with fields";
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// A deserializer of one key.
#[derive(Clone, Copy)]
pub(super) struct KeyDeserializer<'de>(pub(super) &'de str);

/// Returns whether a text is an integer as it is printed.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

macro_rules! parsed {
    ($($verb:ident $visit:ident;)*) => {$(
        fn $verb<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
            match self.0.parse() {
                Ok(number) if is_integer(self.0) => visitor.$visit(number),
                _ => visitor.visit_borrowed_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = CodecError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_borrowed_str(self.0)
    }

    parsed! {
        deserialize_i8 visit_i8;
        deserialize_i16 visit_i16;
        deserialize_i32 visit_i32;
        deserialize_i64 visit_i64;
        deserialize_i128 visit_i128;
        deserialize_u8 visit_u8;
        deserialize_u16 visit_u16;
        deserialize_u32 visit_u32;
        deserialize_u64 visit_u64;
        deserialize_u128 visit_u128;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => visitor.visit_borrowed_str(other),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        if name == EXT_STRUCT_NAME || name == ID_KEY_STRUCT_NAME {
            return visitor.visit_borrowed_str(self.0);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_some(self)
    }

    fn is_human_readable(&self) -> bool {
        true
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
