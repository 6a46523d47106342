//! Reading values.

use std::str;

use serde_core::de::value::SeqDeserializer;
use serde_core::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde_core::forward_to_deserialize_any;

use super::error::CodecError;
use super::ext::ExtDeserializer;
use super::key::KeyDeserializer;
use crate::ext::EXT_STRUCT_NAME;
use crate::{DOCUMENT_DEPTH_MAX, Uuid};
use nanodb_msgpack::{Cursor, Token};

/// The most containers within each other. Damaged bytes may nest deeper than any document, and
/// reading recurses.
const DEPTH_MAX: usize = 2 * DOCUMENT_DEPTH_MAX;

/// The first byte of null.
const NULL: u8 = 0xc0;

/// The bytes of a UUID.
const UUID_LEN: usize = 16;

/// A deserializer of the value at a cursor, which it steps over.
pub(super) struct ValueDeserializer<'de, 'c> {
    cursor: &'c mut Cursor<'de>,
    /// The number of containers around the value.
    depth: usize,
}

impl<'de, 'c> ValueDeserializer<'de, 'c> {
    pub(super) fn new(cursor: &'c mut Cursor<'de>) -> Self {
        Self { cursor, depth: 0 }
    }

    #[inline]
    fn token(&mut self) -> Result<Token<'de>, CodecError> {
        self.cursor.read().ok_or_else(CodecError::malformed)
    }

    /// Reads a value of any type; for a visitor of a sequence, binary is one of integers.
    fn read<V: Visitor<'de>>(
        mut self,
        visitor: V,
        wants_seq: bool,
    ) -> Result<V::Value, CodecError> {
        match self.token()? {
            Token::Null => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Int(number) => match u64::try_from(number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(number),
            },
            Token::UInt(number) => visitor.visit_u64(number),
            Token::Float(number) => visitor.visit_f64(number),
            Token::String(bytes) => visitor.visit_borrowed_str(utf8(bytes)?),
            Token::Binary(bytes) if wants_seq => {
                let mut left = bytes.iter().copied();
                let value = visitor.visit_seq(SeqDeserializer::new(left.by_ref()))?;
                if left.len() == 0 { Ok(value) } else { Err(left_over(bytes.len(), left.len())) }
            }
            Token::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Array(len) => self.array(len, visitor),
            Token::Map(len) => self.map(len, visitor),
            Token::Ext(tag, data) => visitor.visit_newtype_struct(ExtDeserializer { tag, data }),
        }
    }

    fn array<V: Visitor<'de>>(self, len: u32, visitor: V) -> Result<V::Value, CodecError> {
        let depth = deeper(self.depth)?;
        let mut children = Children { cursor: self.cursor, depth, len, left: len, name: "" };
        let value = visitor.visit_seq(&mut children)?;
        children.finish("elements")?;
        Ok(value)
    }

    fn map<V: Visitor<'de>>(self, len: u32, visitor: V) -> Result<V::Value, CodecError> {
        let depth = deeper(self.depth)?;
        let mut children = Children { cursor: self.cursor, depth, len, left: len, name: "" };
        let value = visitor.visit_map(&mut children)?;
        children.finish("fields")?;
        Ok(value)
    }
}

fn deeper(depth: usize) -> Result<usize, CodecError> {
    if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(CodecError::too_deep()) }
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, CodecError> {
    str::from_utf8(bytes).map_err(|_| CodecError::new("a string that is not UTF-8"))
}

#[cold]
fn left_over(len: usize, left: usize) -> CodecError {
    CodecError::new(format_args!("{len} bytes, expected {}", len - left))
}

/// Reads a field's name.
#[inline]
fn read_name<'de>(cursor: &mut Cursor<'de>) -> Result<&'de str, CodecError> {
    match cursor.read_string_bytes() {
        Some(bytes) => utf8(bytes),
        None => Err(CodecError::new("a field's name that is not a string, or is cut off")),
    }
}

/// Returns what a token is, for an error.
#[cold]
fn unexpected(token: Token<'_>) -> Unexpected<'_> {
    match token {
        Token::Null => Unexpected::Unit,
        Token::Bool(value) => Unexpected::Bool(value),
        Token::Int(number) => Unexpected::Signed(number),
        Token::UInt(number) => Unexpected::Unsigned(number),
        Token::Float(number) => Unexpected::Float(number),
        Token::String(bytes) => {
            str::from_utf8(bytes).map_or(Unexpected::Bytes(bytes), Unexpected::Str)
        }
        Token::Binary(bytes) => Unexpected::Bytes(bytes),
        Token::Array(_) => Unexpected::Seq,
        Token::Map(_) => Unexpected::Map,
        Token::Ext(..) => Unexpected::Other("extension"),
    }
}

macro_rules! as_any {
    ($($verb:ident($($name:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $verb<V: Visitor<'de>>(
            self,
            $($name: $type,)*
            visitor: V,
        ) -> Result<V::Value, CodecError> {
            self.read(visitor, true)
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueDeserializer<'de, '_> {
    type Error = CodecError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.read(visitor, false)
    }

    as_any! {
        deserialize_seq();
        deserialize_tuple(_len: usize);
        deserialize_tuple_struct(_name: &'static str, _len: usize);
        deserialize_struct(_name: &'static str, _fields: &'static [&'static str]);
    }

    /// Reads an integer, or the sixteen bytes that all were stored as at a time.
    fn deserialize_i128<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, CodecError> {
        match self.token()? {
            Token::Int(number) => visitor.visit_i128(number.into()),
            Token::UInt(number) => visitor.visit_i128(number.into()),
            Token::Binary(bytes) if let Ok(bytes) = bytes.try_into() => {
                visitor.visit_i128(i128::from_be_bytes(bytes))
            }
            other => Err(CodecError::invalid_type(unexpected(other), &visitor)),
        }
    }

    /// Same as [`deserialize_i128`](Self::deserialize_i128); a negative number is refused.
    fn deserialize_u128<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, CodecError> {
        match self.token()? {
            Token::Int(number) => match u128::try_from(number) {
                Ok(number) => visitor.visit_u128(number),
                Err(_) => Err(CodecError::invalid_value(
                    Unexpected::Signed(number),
                    &"an integer from 0 on",
                )),
            },
            Token::UInt(number) => visitor.visit_u128(number.into()),
            Token::Binary(bytes) if let Ok(bytes) = bytes.try_into() => {
                visitor.visit_u128(u128::from_be_bytes(bytes))
            }
            other => Err(CodecError::invalid_type(unexpected(other), &visitor)),
        }
    }

    /// Reads bytes, or those of a UUID: types that know no extensions have UUIDs as bytes.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let mut ahead = *self.cursor;
        match ahead.read() {
            Some(Token::Ext(Uuid::EXT_TYPE, data)) if data.len() == UUID_LEN => {
                *self.cursor = ahead;
                visitor.visit_borrowed_bytes(data)
            }
            _ => self.read(visitor, false),
        }
    }

    /// Same as [`deserialize_bytes`](Self::deserialize_bytes).
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        if self.cursor.peek() == Some(NULL) {
            self.cursor.skip();
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    /// Reads the empty array that is written, or null.
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let mut ahead = *self.cursor;
        if ahead.read() == Some(Token::Array(0)) {
            *self.cursor = ahead;
            return visitor.visit_unit();
        }
        self.read(visitor, false)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        if name != EXT_STRUCT_NAME {
            return visitor.visit_newtype_struct(self);
        }
        match self.token()? {
            Token::Ext(tag, data) => visitor.visit_newtype_struct(ExtDeserializer { tag, data }),
            // What a UUID is to types that know no extensions.
            Token::Binary(bytes) if bytes.len() == UUID_LEN => visitor.visit_borrowed_bytes(bytes),
            other => Err(CodecError::invalid_type(unexpected(other), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        match self.cursor.read_map_len() {
            Some(1) => {
                let name = read_name(self.cursor)?;
                let depth = deeper(self.depth)?;
                visitor.visit_enum(Variant { name, within: Self { depth, ..self } })
            }
            Some(len) => Err(CodecError::new(format_args!(
                "a document of {len} fields, expected one, named as a variant"
            ))),
            None => match self.token()? {
                Token::String(name) => visitor.visit_enum(UnitVariant(utf8(name)?)),
                other => Err(CodecError::invalid_type(unexpected(other), &visitor)),
            },
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.cursor.skip().ok_or_else(CodecError::malformed)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string unit map identifier
    }
}

/// The children of an array or a map.
struct Children<'de, 'c> {
    cursor: &'c mut Cursor<'de>,
    /// The number of containers around each.
    depth: usize,
    len: u32,
    left: u32,
    /// The name of the field whose value is next.
    name: &'de str,
}

impl<'de> Children<'de, '_> {
    #[inline]
    fn child(&mut self) -> ValueDeserializer<'de, '_> {
        ValueDeserializer { cursor: &mut *self.cursor, depth: self.depth }
    }

    fn size_hint(&self) -> Option<usize> {
        // Each takes at least a byte, so a length that lies reserves no more than there is.
        usize::try_from(self.left).ok().map(|left| left.min(self.cursor.rest().len()))
    }

    /// Refuses what the visitor has not asked for.
    #[inline]
    fn finish(&self, what: &str) -> Result<(), CodecError> {
        if self.left == 0 { Ok(()) } else { Err(self.too_many(what)) }
    }

    #[cold]
    fn too_many(&self, what: &str) -> CodecError {
        let (len, expected) = (self.len, self.len - self.left);
        CodecError::new(format_args!("{len} {what}, expected {expected}"))
    }
}

impl<'de> SeqAccess<'de> for &mut Children<'de, '_> {
    type Error = CodecError;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        let index = self.len - self.left;
        self.left = left;
        seed.deserialize(self.child()).map(Some).map_err(|error| error.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Children::size_hint(self)
    }
}

impl<'de> MapAccess<'de> for &mut Children<'de, '_> {
    type Error = CodecError;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.name = read_name(self.cursor)?;
        seed.deserialize(KeyDeserializer(self.name)).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, CodecError> {
        let name = self.name;
        seed.deserialize(self.child()).map_err(|error| error.at_field(name))
    }

    fn size_hint(&self) -> Option<usize> {
        Children::size_hint(self)
    }
}

/// A variant with fields: a map of its name to them.
struct Variant<'de, 'c> {
    name: &'de str,
    within: ValueDeserializer<'de, 'c>,
}

impl<'de> EnumAccess<'de> for Variant<'de, '_> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), CodecError> {
        Ok((seed.deserialize(KeyDeserializer(self.name))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de, '_> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<(), CodecError> {
        let Self { name, mut within } = self;
        match within.token()? {
            Token::Null => Ok(()),
            other => Err(CodecError::invalid_type(unexpected(other), &"null").at_field(name)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, CodecError> {
        let Self { name, within } = self;
        seed.deserialize(within).map_err(|error| error.at_field(name))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let Self { name, within } = self;
        within.deserialize_tuple(len, visitor).map_err(|error| error.at_field(name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let Self { name, within } = self;
        within.read(visitor, true).map_err(|error| error.at_field(name))
    }
}

/// A variant without fields: its name alone.
struct UnitVariant<'de>(&'de str);

impl<'de> EnumAccess<'de> for UnitVariant<'de> {
    type Error = CodecError;
    type Variant = OnlyUnit;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, OnlyUnit), CodecError> {
        Ok((seed.deserialize(KeyDeserializer(self.0))?, OnlyUnit))
    }
}

/// What follows the name of a variant that has nothing else.
struct OnlyUnit;

impl<'de> VariantAccess<'de> for OnlyUnit {
    type Error = CodecError;

    fn unit_variant(self) -> Result<(), CodecError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, CodecError> {
        Err(CodecError::invalid_type(Unexpected::UnitVariant, &"a variant with a field"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, CodecError> {
        Err(CodecError::invalid_type(Unexpected::UnitVariant, &"a variant with fields"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, CodecError> {
        Err(CodecError::invalid_type(Unexpected::UnitVariant, &"a variant with fields"))
    }
}
